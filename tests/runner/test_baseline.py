"""A bundled agent plays beside the user's own, unless they say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gymnasium.spaces import Discrete

from symbench.policies import MLPNetwork
from symbench.runner.run_suite import make_plan
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.suites import Suite


def agents_of(suite: Suite, agents: list[str], task: str = "CartPole-v1", **settings: Any) -> list[str]:
    planned = make_plan(suite, tasks=[task], agents=agents, **settings)
    return list(dict.fromkeys(cell.agent for cell in planned.cells))


@pytest.fixture
def mine(tmp_path: Path) -> str:
    save_agent(MLPNetwork(4, Discrete(2), hidden=(8,)), tmp_path / "mine", {})
    return f"{tmp_path}/mine.json"


def test_the_one_that_the_suite_compares_with_plays_before_random(suite: Suite, mine: str) -> None:
    assert agents_of(suite, [mine], baseline=True) == ["mine", "mlp", "random"]
    other = suite.model_copy(update={"compare_with": "equivariant-mlp"})
    assert agents_of(other, [mine], baseline=True) == ["mine", "equivariant-mlp", "random"]
    neither = suite.model_copy(update={"compare_with": "nobody"})
    assert agents_of(neither, [mine], baseline=True) == ["mine", "mlp", "random"]


def test_all_its_training_runs_play(suite: Suite, mine: str) -> None:
    planned = make_plan(suite, tasks=["CartPole-v1"], agents=[mine], baseline=True)
    assert {cell.run for cell in planned.cells if cell.agent == "mlp"} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("agents", "expected"),
    [
        (["random"], ["random"]),
        (["equivariant-mlp"], ["equivariant-mlp", "random"]),
        (["MINE", "equivariant-mlp"], ["mine", "equivariant-mlp", "random"]),
        (["mlp=MINE"], ["mlp", "random"]),
    ],
)
def test_nothing_is_added_where_one_was_chosen_or_is_called_so(
    suite: Suite, mine: str, agents: list[str], expected: list[str]
) -> None:
    chosen = [agent.replace("MINE", mine) for agent in agents]
    assert agents_of(suite, chosen, baseline=True) == expected


def test_by_default_the_function_adds_none(suite: Suite, mine: str) -> None:
    assert agents_of(suite, [mine]) == ["mine", "random"]
