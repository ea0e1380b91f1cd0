"""Steps of an environment beside those of the transformed one, and what their comparison says."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    import gymnasium as gym
    from numpy.typing import NDArray

    from symbench.symmetry.catalogue import Declaration
    from symbench.symmetry.pairs import SymmetryPair
    from symbench.symmetry.representations import GroupAction
    from symbench.symmetry.simulators import Simulator

    Env = gym.Env[Any, Any]

EXACT: Final = 1e-7  # largest error of what may be called exact, unless the declaration says otherwise
_ENDINGS: Final = 0.01  # share of steps after which approximately equal states may disagree about the end
_EPISODE: Final = 100  # steps after which a new episode begins, to see many starts
P_VALUE: Final = 1e-5  # below this, first observations and transformed ones differ in law


@dataclass(frozen=True)
class PairReport:
    """What a check of a symmetry found.

    Attributes:
        env_id: The environment.
        pair: What was declared.
        steps: How many steps were compared.
        components: Names of the numbers of an observation; of a picture, the picture; of a dict, its keys.
        errors: Largest absolute difference of each component, shape (components,). Of pictures: the largest mean
            difference of a frame's pixels, in grey levels of 255. Of a dict: the largest of all numbers of an entry.
        typical: Median instead of largest differences, shape (components,).
        reward: Largest absolute difference of rewards.
        endings: How many steps ended only one of the two episodes.
        initial: p value of the hypothesis that first observations keep their law; nan if that was not tested.
    """

    env_id: str
    pair: SymmetryPair
    steps: int
    components: tuple[str, ...]
    errors: NDArray[np.float64] = field(repr=False)
    typical: NDArray[np.float64] = field(repr=False)
    reward: float
    endings: int
    initial: float

    @property
    def observation(self) -> float:
        """The largest error of a component."""
        return float(self.errors.max(initial=0))

    @property
    def holds(self) -> frozenset[str]:
        """Which of ``"transition"``, ``"reward"``, ``"initial"`` hold within the declared tolerance."""
        found = {
            "transition": self._transition(self.pair.tolerance),
            "reward": self.reward <= self.pair.tolerance,
            "initial": self.initial >= P_VALUE,
        }
        return frozenset(part for part, held in found.items() if held)

    @property
    def status(self) -> str:
        """``"exact"``, ``"approximate"`` or ``"none"``, of the parts that are declared to hold; of none, of all."""
        exact = self.pair.tolerance if self.pair.status == "exact" else EXACT
        for status, bound in (("exact", exact), ("approximate", self.pair.tolerance)):
            reward = self.reward <= bound or "reward" not in (self.pair.holds or {"reward"})
            if reward and self._transition(bound):
                return status
        return "none"

    @property
    def reproduced(self) -> bool:
        """Whether the check found what is declared: the status, and that all parts hold which are said to.

        Parts that are said not to hold may seem to: a short check need not meet what breaks them.
        """
        untested = {"initial"} if np.isnan(self.initial) else set()
        return self.status == self.pair.status and self.holds | untested >= self.pair.holds

    def _transition(self, bound: float) -> bool:
        allowed = 0 if bound == EXACT or self.pair.status == "exact" else _ENDINGS * self.steps
        return self.observation <= bound and self.endings <= allowed


@dataclass(frozen=True)
class Comparison:
    """Steps of an environment and of the transformed one.

    Attributes:
        elements: The group's elements, shape (N, ``*group.element_shape``).
        observed: What the first environment showed, (N, ...), or a dict of such.
        transformed: What the second one showed.
        rewards: Of both, shape (N, 2).
        terminated: Of both, shape (N, 2), bool.
    """

    elements: NDArray[Any]
    observed: Any
    transformed: Any
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]

    def errors(self, observation: GroupAction) -> NDArray[np.float64]:
        """Absolute differences of each component, shape (N, components); of pictures one mean per frame, (N, 1)."""
        expected = observation.apply(self.elements, self.observed)
        if isinstance(expected, dict):
            return np.stack([_largest(part, self.transformed[key]) for key, part in expected.items()], axis=1)
        signed = np.int16 if self.observed.dtype == np.uint8 else np.float64
        errors: NDArray[Any] = np.abs(np.subtract(expected, self.transformed, dtype=signed))
        return errors.reshape(len(errors), -1).mean(axis=1, keepdims=True) if errors.ndim > 2 else errors

    def report(self, declared: Declaration, pair: SymmetryPair, initial: float) -> PairReport:
        """The report of a check."""
        errors = self.errors(pair.observation)
        return PairReport(
            env_id=declared.env_id,
            pair=pair,
            steps=len(self.elements),
            components=self._components(declared, errors.shape[1]),
            errors=errors.max(axis=0),
            typical=np.median(errors, axis=0),
            reward=self._reward_error(pair),
            endings=int(np.diff(self.terminated).sum()),
            initial=initial,
        )

    def _reward_error(self, pair: SymmetryPair) -> float:
        expected, found = self.rewards[:, :1], self.rewards[:, 1:]
        if pair.reward is not None:
            expected = pair.reward.apply(self.elements, expected)
        return float(np.abs(expected - found).max())

    def _components(self, declared: Declaration, size: int) -> tuple[str, ...]:
        if isinstance(self.observed, dict):
            return tuple(self.observed)
        if self.observed.ndim > 2:
            return ("picture",)
        return declared.components or tuple(f"observation[{i}]" for i in range(size))


def compare_steps(pair: SymmetryPair, simulator: Simulator, envs: tuple[Env, Env], steps: int, seed: int) -> Comparison:
    """Play uniformly random actions in two environments, one of which is always in the transformed state.

    Args:
        pair: The symmetry.
        simulator: How the group acts on states.
        envs: Two environments of the same kind.
        steps: How many steps.
        seed: Of episodes and actions.
    """
    first, second = envs
    walk = pair.group.walk(seed)
    seeds = itertools.count(seed)
    first.action_space.seed(seed)
    rows: list[tuple[Any, Any, Any, tuple[float, float], tuple[bool, bool]]] = []
    playing, element = 0, pair.group.identity
    while len(rows) < steps:
        if not playing:
            element, playing = next(walk), _EPISODE
            simulator.begin(first, second, element, next(seeds))
        simulator.align(first, second, element)
        action = _sampled(first)
        moved = pair.action.apply(element, np.asarray(action)[None])[0]
        seen, reward, ended, cut, _ = first.step(action)
        other_seen, other_reward, other_ended, other_cut, _ = second.step(moved)
        rows.append((element, seen, other_seen, (float(reward), float(other_reward)), (ended, other_ended)))
        playing = 0 if ended or cut or other_ended or other_cut else playing - 1
    elements, observed, transformed, rewards, terminated = zip(*rows, strict=True)
    both = (gathered(observed), gathered(transformed))
    return Comparison(np.array(elements), *both, np.array(rewards), np.array(terminated, bool))


def _sampled(env: Env) -> Any:
    """A uniformly random action, among those that are allowed where the environment says so."""
    if not env.has_wrapper_attr("action_masks"):
        return env.action_space.sample()
    masks = np.asarray(env.get_wrapper_attr("action_masks")())
    return env.action_space.sample(mask=masks.astype(np.int8))


def gathered(observations: Sequence[Any]) -> Any:
    """Observations, arrays or dicts of arrays, as one batch."""
    return map_tree(lambda *leaves: np.array(leaves), *observations)


def _largest(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """The largest absolute difference in each row, (N, ...) -> (N,)."""
    differences: NDArray[np.float64] = np.abs(np.subtract(first, second, dtype=np.float64))
    largest: NDArray[np.float64] = differences.reshape(len(differences), -1).max(axis=1)
    return largest
