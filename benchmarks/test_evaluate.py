"""Evaluating the cart-pole cell against SB3's ``evaluate_policy``: the same MLP, the same task, steps per second.

And what it costs that every answer and every observation is checked, and compared with the unperturbed one.

Run with ``make bench``. Both sides have one torch thread and are measured side by side in one process, so that the
ratio holds on a busy machine too.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
import torch
from sb3_peer import sb3_steps_per_second
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from symbench.runner import Cell, evaluate, make_plan
from symbench.runner.checks import Checks
from symbench.runner.input_change import Watch
from symbench.suites import load_suite
from symbench.tasks import get_task
from symbench.zoo import load_agent

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from symbench.policies import PolicyNetwork

TASK = "CartPoleSwingUp"


def as_sb3(network: PolicyNetwork) -> PPO:
    """The bundled MLP inside an SB3 model."""
    hidden = list(network.config()["hidden"])
    model = PPO("MlpPolicy", make_vec_env(get_task(TASK).env_id, 1), policy_kwargs={"net_arch": hidden}, device="cpu")
    actor = [layer for layer in (*model.policy.mlp_extractor.policy_net, model.policy.action_net) if is_linear(layer)]
    for ours, theirs in zip(filter(is_linear, network.head), actor, strict=True):
        theirs.load_state_dict(ours.state_dict())
    return model


def is_linear(layer: torch.nn.Module) -> bool:
    return isinstance(layer, torch.nn.Linear)


def test_a_cell_of_1000_episodes_against_evaluate_policy(benchmark: BenchmarkFixture) -> None:
    torch.set_num_threads(1)
    suite = load_suite("shuffle")
    cell = make_plan(suite, tasks=[TASK], agents=["mlp"]).cells[0]
    model = as_sb3(load_agent(cell.source.path or "").network)
    steps = int(evaluate(cell).lengths.sum())
    peer_environments = partial(make_vec_env, get_task(TASK).env_id, n_envs=8, seed=0)
    before = sb3_steps_per_second(model, peer_environments(), episodes=40)
    benchmark.pedantic(evaluate, args=(cell,), rounds=3)
    after = sb3_steps_per_second(model, peer_environments(), episodes=40)
    peer = (before + after) / 2  # the machine's load may change
    if benchmark.stats is None:
        pytest.skip("benchmarks are disabled")
    ours = steps / benchmark.stats.stats.median
    benchmark.extra_info.update(
        measured=f"{ours / peer:.0f}x", aim=">= 20x", steps_per_second=round(ours), sb3_steps_per_second=round(peer)
    )


class NoChecks(Checks):
    """Believes everything; counts steps, as the comparison needs."""

    def observations(self, shown: Any, playing: Any) -> None: ...

    def perturbed(self, seen: Any) -> None: ...

    def actions(self, answer: Any, playing: Any) -> Any:
        return answer

    def rewards(self, rewards: Any, playing: Any) -> None:
        self.step += 1


class NoWatch(Watch):
    """Compares nothing."""

    def compare(self, step: int, shown: Any, seen: Any, playing: Any) -> None: ...

    def result(self) -> None: ...


def seconds(cell: Cell) -> float:
    """Computing time of one cell in this process, whatever else the machine does."""
    start = time.process_time()
    evaluate(cell)
    return time.process_time() - start


@pytest.mark.parametrize(
    ("what", "level"),
    [(NoChecks, "in-order"), (NoChecks, "every-25"), (NoWatch, "every-25")],
    ids=["checks", "checks, shuffled", "input change"],
)
@pytest.mark.parametrize(("task", "rounds"), [("CartPoleSwingUp", 15), ("CartPole-v1", 100)])
def test_what_it_costs_to_look(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, task: str, rounds: int, what: type, level: str
) -> None:
    """With and without, in turn; the median of the pairs, since the machine's load changes."""
    torch.set_num_threads(1)
    cells = make_plan(load_suite("shuffle"), tasks=[task], agents=["mlp"]).cells
    cell = next(cell for cell in cells if (cell.level, cell.agent) == (level, "mlp"))
    benchmark.pedantic(evaluate, args=(cell,), rounds=1)
    if benchmark.stats is None:
        pytest.skip("benchmarks are disabled")
    ratios = []
    for _ in range(rounds):
        looking = seconds(cell)
        with monkeypatch.context() as patch:
            patch.setattr(sys.modules["symbench.runner.evaluate"], what.__bases__[0].__name__, what)
            ratios.append(looking / seconds(cell))
    benchmark.extra_info.update(measured=f"{median(ratios) - 1:+.1%}", aim="< 3%")
