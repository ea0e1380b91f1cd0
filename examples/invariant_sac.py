"""Train a permutation-invariant SAC on Pendulum: a history of the sensors in, any order of the sensors at test time.

python examples/invariant_sac.py
"""

from __future__ import annotations

import gymnasium as gym
from stable_baselines3 import SAC

from symbench.policies import NetworkAgent, NetworkSACPolicy
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.wrappers import SensorHistory, vector

if __name__ == "__main__":
    env = SensorHistory(gym.make("Pendulum-v1"), length=4)
    model = SAC(NetworkSACPolicy, env, policy_kwargs={"network": "attention-neuron"}, seed=0, device="cpu")
    model.learn(6_000, progress_bar=False)

    # The network remembers by itself, so it plays the plain task, in any order of its sensors.
    agent = NetworkAgent(model.policy.network, "invariant-sac")
    task, seeds = get_task("Pendulum-v1"), list(range(50))
    print("in order ", play(task.make_vec(50), agent, seeds).returns.mean())
    print("shuffled ", play(vector.ShuffleSensors(task.make_vec(50)), agent, seeds).returns.mean())
