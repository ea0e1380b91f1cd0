"""Analyses of teams and scenes: what orientation costs them, and whether agents on their own do the same.

* :func:`orientations` - returns where the world itself is turned
* :func:`distributed` - agents that share only what they send beside one network for all
"""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from symbench.errors import SymbenchError
from symbench.policies import DistributedTeam
from symbench.policies.agent import NetworkAgent
from symbench.rollout import Callback, rollout
from symbench.runner.agents import load
from symbench.runner.evaluate import single_thread
from symbench.runner.orientations import EQUAL, SEED, returns_under
from symbench.runner.transformed_starts import transformable
from symbench.symmetry import EntityRepresentation, FiniteGroup
from symbench.tasks import get_task
from symbench.viz.figures import save_csv

if TYPE_CHECKING:
    from pathlib import Path

    from gymnasium.vector import VectorEnv

    from symbench.runner import AgentSource
    from symbench.symmetry import Declaration

_ELEMENTS: Final = 8  # of a larger group as many


def orientations(source: AgentSource, task: str, out: Path, episodes: int, steps: int) -> str:
    """``orientations.csv``: mean returns in float64 under elements of the symmetry, with transformed starts.

    Where actions are equally good, lots are drawn, see
    :class:`~symbench.runner.orientations.DrawnTies`.
    """
    declaration = transformable(task)
    if declaration is None:
        return f"left out: episodes of {task} cannot begin in transformed states"
    with closing(get_task(task).make_vec(1)) as envs:
        network = _in_double(source, envs).network
    chosen = elements(declaration)
    returns = np.stack([returns_under(network, task, declaration, g, episodes) for _, g in chosen])
    changes = np.abs(returns - returns[0])
    save_csv(
        out / "orientations.csv",
        ("element", "mean_return", "episodes_changed", "largest_change"),
        (
            [label, f"{row.mean():.6g}", f"{(change > EQUAL).mean():.6g}", f"{change.max():.6g}"]
            for (label, _), row, change in zip(chosen, returns, changes, strict=True)
        ),
    )
    means = ", ".join(f"{label} {row.mean():.3f}" for (label, _), row in zip(chosen, returns, strict=True))
    changed = (changes > EQUAL).any(axis=0).sum()
    return f"returns of {changed} of {episodes} episodes change, by up to {changes.max():.2g}; means: {means}"


def elements(declaration: Declaration) -> list[tuple[str, Any]]:
    """Elements and what they do, the identity first: of a larger finite group those that leave everyone in place."""
    pair = declaration.pair
    if not isinstance(pair.group, FiniteGroup):
        return [(f"sample {i}" if i else "e", g) for i, g in enumerate(islice(pair.group.test_elements(), _ELEMENTS))]
    chosen = list(pair.group.elements)
    if len(chosen) > _ELEMENTS and isinstance(pair.action, EntityRepresentation):
        chosen = [g for g in chosen if not pair.action.exchanges(g)]
    return [(pair.group.labels[g], g) for g in chosen]


class _Beside(Callback):
    """Asks a second agent at each step and counts how often it answers the same."""

    def __init__(self, other: DistributedTeam) -> None:
        self.other, self.steps, self.equal = other, 0, 0

    def observations(self, seen: Any, playing: Any) -> None:
        """See :class:`Callback`."""
        self.answer = self.other.act(seen)

    def actions(self, answer: Any, playing: Any) -> Any:
        """See :class:`Callback`."""
        self.steps += len(answer)
        self.equal += int((answer == self.answer).reshape(len(answer), -1).all(axis=1).sum())
        return answer


def distributed(source: AgentSource, task: str, out: Path, episodes: int, steps: int) -> str:
    """``distributed.csv``: in how many steps agents that share only what they send act as one network, in float64."""
    with single_thread(), closing(get_task(task).make_vec(episodes)) as envs:
        agent = _in_double(source, envs)
        try:
            team = DistributedTeam(agent.network, dtype=torch.float64)
        except SymbenchError as reason:
            return f"left out: {reason}"
        team.reset(episodes)
        beside = _Beside(team)
        rollout(envs, agent, range(SEED, SEED + episodes), [beside])
    row = [episodes, beside.steps, beside.equal, f"{team.bytes_per_step:.6g}"]
    save_csv(out / "distributed.csv", ("episodes", "steps", "equal_joint_actions", "bytes_per_step"), [row])
    return (
        f"agents on their own choose the same joint action in {beside.equal:,} of {beside.steps:,} steps, "
        f"and send {team.bytes_per_step:,.0f} bytes a step in float64"
    )


def _in_double(source: AgentSource, envs: VectorEnv[Any, Any, Any]) -> NetworkAgent:
    agent = load(source, envs.single_observation_space, envs.single_action_space)
    if reason := agent.incompatibility(envs.single_observation_space, envs.single_action_space):
        raise SymbenchError(f"agent {source.name!r} cannot play this task: {reason}")
    if not isinstance(agent, NetworkAgent):
        raise SymbenchError(f"agent {source.name!r} is no network that could compute in float64")
    return NetworkAgent(agent.network, source.name, torch.float64)
