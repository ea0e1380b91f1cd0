"""Train PPO on CartPole and see what happens when its sensors are shuffled.

python examples/shuffled_ppo.py
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

from symbench.wrappers import ShuffleSensors


def mean_return(model: PPO, **wrapper: object) -> float:
    """Mean over 50 episodes from fresh, seeded environments."""
    envs = make_vec_env(
        lambda: ShuffleSensors(gym.make("CartPole-v1"), **wrapper) if wrapper else gym.make("CartPole-v1"),
        n_envs=8,
        seed=1,
    )
    returns, _ = evaluate_policy(model, envs, n_eval_episodes=50, return_episode_rewards=True)
    return float(np.mean(returns))


if __name__ == "__main__":
    model = PPO("MlpPolicy", make_vec_env("CartPole-v1", n_envs=8, seed=0), n_steps=256, seed=0, device="cpu")
    model.learn(60_000)
    print(f"in order                {mean_return(model):6.1f}")
    print(f"shuffled per episode    {mean_return(model, resample='episode'):6.1f}")
    print(f"shuffled every 25 steps {mean_return(model, resample=25):6.1f}")
