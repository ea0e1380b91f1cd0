"""Is what is declared true? Groups, representations, symmetries of environments, equivariance of policies.

A symmetry is checked path by path: one environment is in a state s, another is put into L_g s; the first does a, the
second K_g a; then L_g of what the first shows is compared with what the second shows, and so are reward and end. Both
draw the same random numbers, transformed where that is needed: equations 4 and 5 of van der Pol et al. 2020 (arXiv
2006.16908). Whether the law of first observations is kept, too, is tested in distribution.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.catalogue import CATALOGUE, Declaration
from symbench.symmetry.representations import ActionMap, Representation
from symbench.symmetry.simulators import StateVector

if TYPE_CHECKING:
    from collections.abc import Callable

    import gymnasium as gym
    from numpy.typing import NDArray

    from symbench.symmetry.groups import FiniteGroup
    from symbench.symmetry.pairs import SymmetryPair
    from symbench.symmetry.representations import Action
    from symbench.symmetry.simulators import Simulator

    Env = gym.Env[Any, Any]

EXACT: Final = 1e-7  # largest error of what may be called exact, unless the declaration says otherwise
_ENDINGS: Final = 0.01  # share of steps after which approximately equal states may disagree about the end
_EPISODE: Final = 100  # steps after which a new episode begins, to see many starts
_P_VALUE: Final = 1e-5  # below this, first observations and transformed ones differ in law
_PROJECTIONS: Final = 8  # random directions along which first observations are compared, beside the axes


def check_group(group: FiniteGroup) -> None:
    """Check the axioms on a multiplication table: closure, identity, inverses, associativity.

    Raises:
        SymbenchError: One does not hold; the message gives the elements.
    """
    table, elements = group.table, range(group.order)
    if not np.isin(table, elements).all():
        raise SymbenchError(f"{group.name} is not closed")
    for g in elements:
        if table[g, 0] != g or table[0, g] != g:
            raise SymbenchError(f"{group.name}: 0 is not the identity for element {g}")
        if table[g, group.inverses[g]] != 0 or table[group.inverses[g], g] != 0:
            raise SymbenchError(f"{group.name}: element {g} has no inverse {group.inverses[g]}")
    for g in elements:  # one row at a time: a cube of 720 elements does not fit into memory
        different = np.argwhere(table[table[g]] != table[g][table])
        if len(different):
            h, k = different[0]
            raise SymbenchError(f"{group.name} is not associative: ({g} {h}) {k} differs from {g} ({h} {k})")


def check_representation(action: Action, batch: Any = None) -> float:
    """How far products of transformations are from the transformations of products.

    Args:
        action: How a group acts.
        batch: Things to transform; by default unit vectors or all action numbers, for the kinds that have them.

    Returns:
        The largest difference between rho(g) rho(h) x and rho(gh) x, and between rho(e) x and x.

    Raises:
        SymbenchError: No batch was given for pictures or dicts.
    """
    things = _things(action) if batch is None else batch
    worst = difference(action.apply(0, things), things)
    for g, h in itertools.product(action.group.elements, action.group.elements):
        after = action.apply(g, action.apply(h, things))
        worst = max(worst, difference(after, action.apply(int(action.group.table[g, h]), things)))
    return worst


def check_policy_equivariance(policy: Callable[[Any], NDArray[Any]], pair: SymmetryPair, observations: Any) -> float:
    """The largest difference between policy(L_g o) and K_g policy(o).

    Args:
        policy: Maps a batch of B observations to action vectors (B, d) or, for discrete actions, to one number per
            action (B, n): probabilities, logits or Q values. Greedy actions will not do: ties flip them.
        pair: The symmetry.
        observations: B observations.

    Returns:
        The maximum over all g, observations and entries.
    """
    vectors = pair.action.vectors if isinstance(pair.action, ActionMap) else pair.action
    untransformed = np.asarray(policy(observations))
    return max(
        difference(np.asarray(policy(pair.observation.apply(g, observations))), vectors.apply(g, untransformed))
        for g in pair.group.elements
    )


def difference(first: Any, second: Any) -> float:
    """The largest absolute difference of two batches of anything that a group acts on."""
    if isinstance(first, dict):
        return max(difference(first[key], second[key]) for key in first)
    return float(np.abs(np.subtract(first, second, dtype=np.float64)).max(initial=0))


@dataclass(frozen=True)
class PairReport:
    """What a check of a symmetry found.

    Attributes:
        env_id: The environment.
        pair: What was declared.
        steps: How many steps were compared.
        components: Names of the numbers of an observation; of a picture, the picture.
        errors: Largest absolute difference of each component, shape (components,). Of pictures: the largest mean
            difference of a frame's pixels, in grey levels of 255.
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
            "initial": self.initial >= _P_VALUE,
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


def check_pair(
    pair: SymmetryPair,
    env: str | Callable[[], Env],
    simulator: Simulator | None = None,
    steps: int | None = None,
    seed: int = 0,
    resets: int | None = None,
) -> PairReport:
    """Check a symmetry against the simulator.

    Args:
        pair: The symmetry.
        env: Gymnasium id, or what makes an environment.
        simulator: How the group acts on the simulator's states. By default the catalogue's for this id and the pair's
            name, otherwise :class:`StateVector` with the action on observations.
        steps: How many steps to compare, divided among the group's generators. [as declared, or 1000]
        seed: Of episodes and actions.
        resets: How many first observations to draw, twice; 0 leaves the initial law untested. [as declared, or 400]

    Returns:
        What was found.

    Raises:
        SymbenchError: The pair does not fit the environment's spaces.
        gymnasium.error.Error: The environment cannot be made, e.g. because a package is missing.

    Example:
        >>> from symbench.symmetry import symmetry_of
        >>> check_pair(symmetry_of("CartPole-v1"), "CartPole-v1").status
        'exact'
    """
    declared = _declared(pair, env)
    make = declared.make if isinstance(env, str) else env
    first, second = make(), make()
    try:
        if reason := pair.misfit(first.observation_space, first.action_space):
            raise SymbenchError(f"{pair.name} does not fit {declared.env_id}: {reason}")
        acting = simulator or declared.simulator or StateVector(pair.observation)
        walk = compare_steps(pair, acting, (first, second), steps or declared.steps, seed)
        initial = _initial_law(pair, first, declared.resets if resets is None else resets, seed)
    finally:
        first.close()
        second.close()
    return walk.report(declared, pair, initial)


@dataclass(frozen=True)
class Comparison:
    """Steps of an environment and of the transformed one.

    Attributes:
        elements: The group's elements, shape (N,).
        observed: What the first environment showed, (N, ...).
        transformed: What the second one showed, (N, ...).
        rewards: Of both, shape (N, 2).
        terminated: Of both, shape (N, 2), bool.
    """

    elements: NDArray[np.int64]
    observed: NDArray[Any]
    transformed: NDArray[Any]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]

    def errors(self, observation: Action) -> NDArray[np.float64]:
        """Absolute differences of each component, shape (N, components); of pictures one mean per frame, (N, 1)."""
        expected = observation.apply(self.elements, self.observed)
        signed = np.int16 if self.observed.dtype == np.uint8 else np.float64
        errors: NDArray[Any] = np.abs(np.subtract(expected, self.transformed, dtype=signed))
        return errors.reshape(len(errors), -1).mean(axis=1, keepdims=True) if errors.ndim > 2 else errors

    def report(self, declared: Declaration, pair: SymmetryPair, initial: float) -> PairReport:
        """The report of a check."""
        errors = self.errors(pair.observation)
        names = declared.components or tuple(f"observation[{i}]" for i in range(errors.shape[1]))
        return PairReport(
            env_id=declared.env_id,
            pair=pair,
            steps=len(self.elements),
            components=names if self.observed.ndim == 2 else ("picture",),
            errors=errors.max(axis=0),
            typical=np.median(errors, axis=0),
            reward=float(np.abs(np.diff(self.rewards)).max()),
            endings=int(np.diff(self.terminated).sum()),
            initial=initial,
        )


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
    generators = itertools.cycle(pair.group.generators)
    seeds = itertools.count(seed)
    first.action_space.seed(seed)
    rows: list[tuple[int, Any, Any, tuple[float, float], tuple[bool, bool]]] = []
    playing, element = 0, 0
    while len(rows) < steps:
        if not playing:
            element, playing = next(generators), _EPISODE
            simulator.begin(first, second, element, next(seeds))
        simulator.align(first, second, element)
        action = first.action_space.sample()
        moved = pair.action.apply(element, np.asarray(action)[None])[0]
        seen, reward, ended, cut, _ = first.step(action)
        other_seen, other_reward, other_ended, other_cut, _ = second.step(moved)
        rows.append((element, seen, other_seen, (float(reward), float(other_reward)), (ended, other_ended)))
        playing = 0 if ended or cut or other_ended or other_cut else playing - 1
    elements, observed, transformed, rewards, terminated = zip(*rows, strict=True)
    return Comparison(
        np.array(elements), np.array(observed), np.array(transformed), np.array(rewards), np.array(terminated, bool)
    )


def _initial_law(pair: SymmetryPair, env: Env, resets: int, seed: int) -> float:
    """Smallest p value, corrected for their number, of Kolmogorov and Smirnov's tests along axes and projections."""
    if not resets:
        return float("nan")
    from scipy.stats import ks_2samp

    seen = np.array([env.reset(seed=None if i else seed)[0] for i in range(2 * resets)])
    half, other = seen[:resets], seen[resets:]
    pairs = [(half, pair.observation.apply(g, other)) for g in pair.group.generators]
    values = [
        ks_2samp(a, b, method="asymp").pvalue
        for one, two in pairs
        for a, b in zip(_views(one), _views(two), strict=True)
    ]
    return float(min(1.0, min(values) * len(values)))


def _views(observations: NDArray[Any]) -> NDArray[np.float64]:
    """Samples along the axes (of vectors) and along fixed random directions, rounded, shape (views, N)."""
    flat = observations.reshape(len(observations), -1).astype(np.float64)
    directions = np.random.default_rng(0).standard_normal((flat.shape[1], _PROJECTIONS))
    axes = flat if observations.ndim == 2 else flat[:, :0]
    views: NDArray[np.float64] = np.concatenate([axes, flat @ directions], axis=1).T
    return np.round(views, 6)  # numbers that differ by rounding errors shall be ties


def _declared(pair: SymmetryPair, env: str | Callable[[], Env]) -> Declaration:
    if not isinstance(env, str):
        return Declaration(getattr(env, "__name__", "environment"), pair)
    known = (each for each in CATALOGUE.get(env, ()) if each.pair.name == pair.name)
    return next(known, Declaration(env, pair))


def _things(action: Action) -> NDArray[Any]:
    if isinstance(action, ActionMap):
        return np.arange(action.maps.shape[1])
    if isinstance(action, Representation):
        return np.eye(action.dim)
    raise SymbenchError(f"check_representation needs a batch of what {type(action).__name__} acts on")
