"""Tasks with frames: evaluating Pong against SB3's ``evaluate_policy``, and what perturbations add to a step.

Run with ``make bench``. Both sides of a ratio are measured side by side in one process.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import ale_py
import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.wrappers import AtariPreprocessing
from sb3_peer import sb3_steps_per_second
from stable_baselines3 import PPO
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack
from test_equivariant import in_turn

from symbench.policies import RandomAgent, actor_network
from symbench.runner import execute, make_plan
from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.wrappers import wrapper_of
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

    from symbench.runner import Outcome

WORKERS = 2


def atari_pong() -> gym.Env[Any, Any]:
    """Gymnasium's own pipeline."""
    gym.register_envs(ale_py)
    game = gym.make("ALE/Pong-v5", frameskip=1, repeat_action_probability=0.0, full_action_space=False)
    return Monitor(AtariPreprocessing(game, noop_max=30, grayscale_newaxis=True))


def peer_environments() -> VecFrameStack:
    return VecFrameStack(DummyVecEnv([atari_pong] * 8), 4)


def test_a_pong_cell_against_evaluate_policy(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """A cell of the published protocol, the start of its two workers included."""
    torch.set_num_threads(1)
    model = PPO("CnnPolicy", VecFrameStack(DummyVecEnv([atari_pong]), 4), n_steps=8, batch_size=8, device="cpu", seed=0)
    save_agent(actor_network(model), tmp_path / "cnn", {"agent": "cnn"})
    suite, agents = load_suite("occlusion"), [str(tmp_path / "cnn.safetensors")]
    cell = make_plan(suite, tasks=["Pong"], agents=agents).cells[0]
    played: list[Outcome] = []

    def evaluate() -> None:
        played.extend(execute([cell], WORKERS))

    before = sb3_steps_per_second(model, peer_environments(), episodes=16)
    benchmark.pedantic(evaluate, rounds=2)
    after = sb3_steps_per_second(model, peer_environments(), episodes=16)
    peer = (before + after) / 2  # the machine's load may change
    assert played[0].record
    if benchmark.stats is None:
        pytest.skip("benchmarks are disabled")
    ours = int(played[0].record.episodes.lengths.sum()) / benchmark.stats.stats.median
    benchmark.extra_info.update(
        measured=f"{ours / peer:.1f}x", aim=">= 2x", steps_per_second=round(ours), sb3_steps_per_second=round(peer)
    )


@pytest.mark.parametrize("task", ["Pong", "CarRacing"])
@pytest.mark.parametrize("name", ["ShufflePatches", "OccludePatches", "SwapBackground"])
def test_a_perturbation_costs_little_of_a_step(benchmark: BenchmarkFixture, task: str, name: str) -> None:
    parameters = get_task(task).background if name == "SwapBackground" else {"patch_size": 6}
    plain, perturbed = get_task(task).make(), wrapper_of(name)(get_task(task).make(), **parameters)
    observation, _ = plain.reset(seed=0)
    perturbed.reset(seed=0)
    actions = RandomAgent(plain.action_space)
    actions.reset(1, seed=0)
    chosen = [actions.act(observation) for _ in range(200)]

    stepped = []

    def step() -> None:
        plain.reset(seed=0)  # a game that is over costs nothing
        start = time.perf_counter()
        for action in chosen:
            plain.step(action)
        stepped.append(time.perf_counter() - start)

    batch, action = observation[None], np.zeros((1, *(plain.action_space.shape or ())))

    def perturb() -> None:
        for _ in chosen:
            perturbed.transform.step(batch, action)

    benchmark.pedantic(perturb, setup=step, rounds=9, warmup_rounds=1)
    if benchmark.stats is None:
        pytest.skip("benchmarks are disabled")
    # The least of each: other work on the machine only ever adds.
    share = benchmark.stats.stats.min / min(stepped)
    benchmark.extra_info.update(measured=f"{share:.1%} of a step", aim="<= 3%")


@pytest.mark.parametrize(
    ("task", "peer", "action"),
    [("Pong", atari_pong, 0), ("CarRacingRGB", partial(gym.make, "CarRacing-v3"), np.array([0, 0.05, 0], np.float32))],
    ids=["Pong", "CarRacing"],
)
def test_steps_against_gymnasium(
    benchmark: BenchmarkFixture, task: str, peer: Callable[[], gym.Env[Any, Any]], action: Any
) -> None:
    """The same pixels from both, as ``tests/envs`` says. Few steps of little gas: no episode ends."""
    envs = get_task(task).make(), peer()
    for env in envs:
        env.reset(seed=0)

    def play(env: gym.Env[Any, Any]) -> None:
        for _ in range(60):
            env.step(action)

    benchmark.pedantic(play, args=(envs[0],))
    ours, theirs = in_turn([partial(play, env) for env in envs], 6)
    benchmark.extra_info.update(measured=f"{theirs / ours:.2f}x", aim="> 1x")
