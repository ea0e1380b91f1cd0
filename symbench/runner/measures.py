"""What is measured of an agent beside its returns: how far from equivariant it is on the states that it visits."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from symbench.rollout import Callback, rollout
from symbench.runner.checks import Checks
from symbench.runner.evaluate import single_thread
from symbench.tasks import get_task
from symbench.trees import copied, map_tree
from symbench.wrappers.groups import TransformByGroup

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent
    from symbench.runner.cell import Cell
    from symbench.symmetry import SymmetryPair

POLICY, VALUE = "policy_error", "value_error"
_ENVS, _STEPS = 16, 64


def measure(cell: Cell) -> dict[str, float]:
    """Equivariance errors, for cells under ``TransformByGroup`` and agents that show what they decide from.

    The agent plays 64 steps in 16 environments without perturbation; then its answers to what it saw, and to the same
    transformed by each element (of a continuous group: by 16 fixed ones), are compared.

    Returns:
        ``policy_error``: the norm of K_g pi(s) - pi(L_g s) relative to that of pi(s) (probabilities or Q values of
        discrete actions, otherwise the action), the mean over states, for the element for which it is largest. If
        there is a critic, ``value_error``: the same of V(L_g s) - V(s).

    Raises:
        SymbenchError: The agent cannot be loaded or the task cannot be made.
    """
    symmetry = next((step for step in cell.apply if step.wrapper == TransformByGroup.__name__), None)
    if symmetry is None:
        return {}
    from symbench.runner.agents import load

    pair = TransformByGroup.make(**symmetry.parameters).pair
    with single_thread(), closing(get_task(cell.task, cell.trust).make_vec(_ENVS)) as envs:
        agent = load(cell.source, envs.single_observation_space, envs.single_action_space)
        agent.name = cell.agent
        seen = _visited(envs, agent, cell.seed)
    answers = {POLICY: agent.decisions, VALUE: agent.values}
    errors = {name: _error(answer, pair, seen, moves=name == POLICY) for name, answer in answers.items()}
    return {name: error for name, error in errors.items() if error is not None}


class _Seen(Callback):
    """Keeps what the agent sees."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def observations(self, seen: Any, playing: NDArray[np.int64]) -> None:
        self.batches.append(copied(seen))


def _visited(envs: Any, agent: Agent, seed: int) -> Any:
    """The observations of some play, (steps * envs, ...), or dicts of such."""
    seeds, seen = list(range(seed, seed + envs.num_envs)), _Seen()
    with Checks(agent.name, envs.single_observation_space, envs.single_action_space, seeds) as checks:
        rollout(envs, agent, seeds, [seen, checks], steps=_STEPS, restart=True)
    return map_tree(lambda *leaves: np.concatenate(leaves), *seen.batches)


def _error(answer: Any, pair: SymmetryPair, seen: Any, moves: bool) -> float | None:
    plain = answer(seen)
    if plain is None:
        return None
    errors = []
    for g in pair.group.test_elements():
        expected = pair.on_decisions(g, plain) if moves else plain
        found = answer(pair.observation.apply(g, seen))
        errors.append(_size(found - expected) / max(_size(expected), 1e-12))
    return float(max(errors))


def _size(answers: NDArray[Any]) -> float:
    """The mean norm of one answer."""
    return float(np.linalg.norm(answers.reshape(len(answers), -1), axis=1).mean())
