"""Is what is declared true? Groups, representations, symmetries of environments, equivariance of policies.

A symmetry is checked path by path: one environment is in a state s, another is put into L_g s; the first does a, the
second K_g a; then L_g of what the first shows is compared with what the second shows, and so are reward and end. Both
draw the same random numbers, transformed where that is needed: equations 4 and 5 of van der Pol et al. 2020 (arXiv
2006.16908). Whether the law of first observations is kept, too, is tested in distribution.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.symmetry.catalogue import CATALOGUE, Declaration
from symbench.symmetry.comparison import PairReport, compare_steps, gathered
from symbench.symmetry.groups import FiniteGroup
from symbench.symmetry.representations import (
    ActionPermutation,
    EntityIndex,
    EntityRepresentation,
    GeometricRepresentation,
    Invariant,
    Representation,
)
from symbench.symmetry.simulators import StateVector
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Callable

    import gymnasium as gym
    from numpy.typing import NDArray

    from symbench.symmetry.groups import Group
    from symbench.symmetry.pairs import SymmetryPair
    from symbench.symmetry.representations import GroupAction
    from symbench.symmetry.simulators import Simulator

    Env = gym.Env[Any, Any]

_ROUNDING: Final = 1e-9  # of products of matrices
_SAMPLES: Final = 4  # elements of a continuous group under which first observations are compared
_PROJECTIONS: Final = 8  # random directions along which first observations are compared, beside the axes


def check_group(group: Group) -> None:
    """Check the axioms: closure, identity, inverses, associativity; of a continuous group on samples.

    Raises:
        SymbenchError: One does not hold; the message gives the elements.
    """
    if isinstance(group, FiniteGroup):
        _check_table(group)
        return
    elements = group.test_elements()
    for g, h, k in zip(elements, elements[1:], elements[2:], strict=False):
        left, right = group.compose(group.compose(g, h), k), group.compose(g, group.compose(h, k))
        if difference(left, right) > _ROUNDING:
            raise SymbenchError(f"{group.name} is not associative: {g}, {h}, {k}")
        if difference(group.compose(g, group.inverse(g)), group.identity) > _ROUNDING:
            raise SymbenchError(f"{group.name}: element {g} has no inverse {group.inverse(g)}")
        if difference(group.compose(g, group.identity), g) > 0:
            raise SymbenchError(f"{group.name}: {group.identity} is not the identity for element {g}")
        group.element(group.compose(g, h))  # closure


def _check_table(group: FiniteGroup) -> None:
    table, elements = group.table, group.elements
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


def check_representation(action: GroupAction, batch: Any = None) -> float:
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
    group = action.group
    worst = difference(action.apply(group.identity, things), things)
    for g, h in itertools.product(group.test_elements(), group.test_elements()):
        after = action.apply(g, action.apply(h, things))
        worst = max(worst, difference(after, action.apply(group.compose(g, h), things)))
    return worst


def check_policy_equivariance(policy: Callable[[Any], NDArray[Any]], pair: SymmetryPair, observations: Any) -> float:
    """The largest difference between policy(L_g o) and K_g policy(o).

    Args:
        policy: Maps a batch of B observations to action vectors (B, d) or, for discrete actions, to one number per
            action (B, n), of several agents (B, agents, n): probabilities, logits or Q values. Greedy actions will not
            do: ties flip them.
        pair: The symmetry.
        observations: B observations.

    Returns:
        The maximum over all g (of a continuous group: 16 fixed ones), observations and entries.
    """
    untransformed = np.asarray(policy(observations))
    return max(
        difference(np.asarray(policy(pair.observation.apply(g, observations))), pair.on_decisions(g, untransformed))
        for g in pair.group.test_elements()
    )


def difference(first: Any, second: Any) -> float:
    """The largest absolute difference of two batches of anything that a group acts on."""
    if isinstance(first, dict):
        return max(difference(first[key], second[key]) for key in first)
    return float(np.abs(np.subtract(first, second, dtype=np.float64)).max(initial=0))


def check_pair(
    pair: SymmetryPair,
    env: str | Declaration | Callable[[], Env],
    simulator: Simulator | None = None,
    steps: int | None = None,
    seed: int = 0,
    resets: int | None = None,
) -> PairReport:
    """Check a symmetry against the simulator.

    Args:
        pair: The symmetry.
        env: Gymnasium id, a declaration of its environment, or what makes one.
        simulator: How the group acts on the simulator's states. By default the catalogue's for this id and the pair's
            name, otherwise :class:`StateVector` with the action on observations.
        steps: How many steps to compare, divided among the generators, or samples of a continuous group.
            [as declared, or 1000]
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
    make = declared.make if isinstance(env, (str, Declaration)) else env
    first, second = make(), make()
    try:
        if reason := pair.incompatibility(first.observation_space, first.action_space):
            raise SymbenchError(f"{pair.name} does not fit {declared.env_id}: {reason}")
        acting = simulator or declared.simulator or StateVector(pair.observation)
        walk = compare_steps(pair, acting, (first, second), steps or declared.steps, seed)
        initial = _initial_law(pair, first, declared.resets if resets is None else resets, seed)
    finally:
        first.close()
        second.close()
    return walk.report(declared, pair, initial)


def _initial_law(pair: SymmetryPair, env: Env, resets: int, seed: int) -> float:
    """Smallest p value, corrected for their number, of Kolmogorov and Smirnov's tests along axes and projections."""
    if not resets:
        return float("nan")
    from scipy.stats import ks_2samp

    seen = gathered([env.reset(seed=None if i else seed)[0] for i in range(2 * resets)])
    half, other = (map_tree(lambda leaf, rows=rows: leaf[rows], seen) for rows in (slice(resets), slice(resets, None)))
    pairs = [
        (half, pair.observation.apply(g, other)) for g in itertools.islice(pair.group.walk(seed), _compared(pair.group))
    ]
    values = [
        ks_2samp(a, b, method="asymp").pvalue
        for one, two in pairs
        for a, b in zip(_views(one), _views(two), strict=True)
    ]
    return float(min(1.0, min(values) * len(values)))


def _compared(group: Group) -> int:
    return len(group.generators) if isinstance(group, FiniteGroup) else _SAMPLES


def _views(observations: Any) -> NDArray[np.float64]:
    """Samples along the axes (of vectors) and along fixed random directions, rounded, shape (views, N)."""
    if isinstance(observations, dict):
        return np.concatenate([_views(part) for part in observations.values()])
    flat = observations.reshape(len(observations), -1).astype(np.float64)
    directions = np.random.default_rng(0).standard_normal((flat.shape[1], _PROJECTIONS))
    axes = flat if observations.ndim == 2 else flat[:, :0]
    views: NDArray[np.float64] = np.concatenate([axes, flat @ directions], axis=1).T
    return np.round(views, 6)  # numbers that differ by rounding errors shall be ties


def _declared(pair: SymmetryPair, env: str | Declaration | Callable[[], Env]) -> Declaration:
    if isinstance(env, Declaration):
        return env
    if not isinstance(env, str):
        return Declaration(getattr(env, "__name__", "environment"), pair)
    known = (each for each in CATALOGUE.get(env, ()) if each.pair.name == pair.name)
    return next(known, Declaration(env, pair))


def _things(action: GroupAction) -> NDArray[Any]:
    if isinstance(action, ActionPermutation):
        return np.arange(action.maps.shape[1])
    if isinstance(action, EntityIndex):
        return np.arange(action.rows)
    if isinstance(action, Invariant):
        return np.arange(2)
    if isinstance(action, Representation):
        return np.eye(action.dim)
    if isinstance(action, GeometricRepresentation):
        return np.eye(action.size)
    if isinstance(action, EntityRepresentation) and action.each is not None:
        each = _things(action.each)
        return np.stack([np.roll(each, row, axis=0) for row in range(action.rows)], axis=1)
    raise SymbenchError(f"check_representation needs a batch of what {type(action).__name__} acts on")
