"""The four snippets of the documentation that train with Stable-Baselines3, and what comes out. Prints CSV.

python examples/train_with_sb3.py --seeds 3 > docs/data/train-with-sb3.csv
python examples/train_with_sb3.py attention_neuron_sac          # one of them, once
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import torch
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from symbench.policies import NetworkActorCriticPolicy, NetworkAgent, NetworkDQNPolicy, NetworkSACPolicy
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.wrappers import SensorHistory, vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium.vector import VectorEnv
    from stable_baselines3.common.base_class import BaseAlgorithm

    AnyVectorEnv = VectorEnv[Any, Any, Any]

EPISODES: Final = 100
SEEDS: Final = range(10_000, 10_000 + EPISODES)


def attention_neuron_ppo(seed: int) -> BaseAlgorithm:
    """Any order of the sensors, CartPole."""
    envs = make_vec_env(lambda: SensorHistory(gym.make("CartPole-v1"), length=4), n_envs=32, seed=seed)
    envs = VecNormalize(envs, norm_obs=False)  # rewards are scaled, observations are not
    policy = {"network": {"kind": "attention-neuron", "num_codes": 16, "hidden": [64]}}
    policy |= {"critic": [64, 64], "share_encoder": False}
    rollout = {"n_steps": 128, "batch_size": 512, "n_epochs": 8, "learning_rate": lambda left: 1e-3 * left}
    return PPO(NetworkActorCriticPolicy, envs, **rollout, policy_kwargs=policy, seed=seed).learn(600_000)


def attention_neuron_sac(seed: int) -> BaseAlgorithm:
    """Any order of the sensors, Pendulum."""
    envs = make_vec_env(lambda: SensorHistory(gym.make("Pendulum-v1"), length=4), n_envs=8, seed=seed)
    policy = {"network": {"kind": "attention-neuron", "num_codes": 16, "hidden": [64]}}
    updates = {"batch_size": 128, "gradient_steps": 4, "gamma": 0.95, "learning_rate": lambda left: 1e-3 * left}
    return SAC(NetworkSACPolicy, envs, **updates, learning_starts=800, policy_kwargs=policy, seed=seed).learn(16_000)


def equivariant_ppo(seed: int) -> BaseAlgorithm:
    """Mirrored CartPole."""
    envs = make_vec_env("CartPole-v1", n_envs=16, seed=seed)
    policy = {"network": {"symmetry": "CartPole-v1", "hidden": [64, 64]}}
    rollout = {"n_steps": 64, "batch_size": 256, "n_epochs": 8, "learning_rate": 1e-3}
    future = {"gamma": 0.98, "gae_lambda": 0.9}
    return PPO(NetworkActorCriticPolicy, envs, **rollout, **future, policy_kwargs=policy, seed=seed).learn(80_000)


def equivariant_dqn(seed: int) -> BaseAlgorithm:
    """Mirrored Acrobot."""
    envs = make_vec_env("Acrobot-v1", n_envs=4, seed=seed)
    policy = {"network": {"symmetry": "Acrobot-v1", "hidden": [64, 64]}}
    updates = {"learning_rate": 1e-3, "batch_size": 128, "train_freq": 1, "target_update_interval": 250}
    beginning = {"learning_starts": 1000, "exploration_fraction": 0.3}
    return DQN(NetworkDQNPolicy, envs, **updates, **beginning, policy_kwargs=policy, seed=seed).learn(80_000)


def shuffled(envs: AnyVectorEnv, task: str) -> AnyVectorEnv:
    """Another order of the sensors in every episode."""
    return vector.ShuffleSensors(envs)


def mirrored(envs: AnyVectorEnv, task: str) -> AnyVectorEnv:
    """The world seen in a mirror, actions too."""
    return vector.TransformByGroup(envs, symmetry=task, element=1)


SNIPPETS: Final = {
    attention_neuron_ppo: ("CartPole-v1", shuffled),
    attention_neuron_sac: ("Pendulum-v1", shuffled),
    equivariant_ppo: ("CartPole-v1", mirrored),
    equivariant_dqn: ("Acrobot-v1", mirrored),
}


def measure(snippet: Callable[[int], BaseAlgorithm], seed: int) -> dict[str, object]:
    """Train, and play with other seeds."""
    name, perturb = SNIPPETS[snippet]
    begin = time.perf_counter()
    model = snippet(seed)
    minutes = (time.perf_counter() - begin) / 60
    agent = NetworkAgent(model.policy.network, "mine")  # remembers by itself, so it plays the plain task

    def mean_return(perturbed: bool) -> float:
        envs = get_task(name).make_vec(EPISODES)
        return float(play(perturb(envs, name) if perturbed else envs, agent, list(SEEDS)).returns.mean())

    return {
        "snippet": snippet.__name__,
        "task": name,
        "seed": seed,
        "steps": model.num_timesteps,
        "minutes": round(minutes, 2),
        "in_order": round(mean_return(perturbed=False), 1),
        "perturbation": perturb.__name__,
        "perturbed": round(mean_return(perturbed=True), 1),
        "episodes": EPISODES,
    }


def main() -> None:
    """A row for each snippet and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[each.__name__ for each in SNIPPETS])
    parser.add_argument("--seeds", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [each for each in SNIPPETS if each.__name__ in arguments.names]
    rows = (measure(snippet, seed) for snippet in chosen for seed in range(arguments.seeds))
    for number, row in enumerate(rows):
        table = csv.DictWriter(sys.stdout, row, lineterminator="\n")
        if not number:
            table.writeheader()
        table.writerow(row)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
