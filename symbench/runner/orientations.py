"""Returns of agents in worlds that are themselves turned, in float64, where equal play is equal to the bit.

* :func:`quarter_turns` - the turns of a declared symmetry by 0, 90, 180 and 270 degrees
* :func:`returns_under` - returns of episodes that begin in transformed states
* :class:`DrawnTies` - an agent that draws lots in the untransformed world
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from symbench.errors import SymbenchError
from symbench.policies.actions import BoxHead
from symbench.policies.agent import NetworkAgent
from symbench.runner.evaluate import play, single_thread
from symbench.runner.transformed_starts import TransformedStarts
from symbench.symmetry import DirectProduct, EuclideanGroup, FiniteGroup
from symbench.tasks import get_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.policies import PolicyNetwork
    from symbench.symmetry import Declaration, Group, SymmetryPair

SEED: Final = 1_000_000
EQUAL: Final = 1e-6  # returns that differ by less are those of the same episode
TIED: Final = 1e-9  # probabilities that differ by less are equal


def quarter_turns(group: Group) -> list[Any]:
    """The elements that turn a world by 0, 90, 180 and 270 degrees.

    Args:
        group: A finite group whose first generator is the quarter turn, such as D4; or motions of space, alone or with
            exchanges of bodies, of which the first two axes are turned.

    Raises:
        SymbenchError: It has none.
    """
    turns = [group.identity]
    quarter = _quarter_turn(group)
    while len(turns) < 4:
        turns.append(group.compose(quarter, turns[-1]))
    if not np.array_equal(group.compose(quarter, turns[-1]), group.identity) or np.array_equal(turns[2], turns[0]):
        raise SymbenchError(f"{group.name} has no quarter turns")
    return turns


def _quarter_turn(group: Group) -> Any:
    if isinstance(group, FiniteGroup):
        return group.generators[0] if group.generators else group.identity
    if isinstance(group, DirectProduct):
        return group.element((_quarter_turn(group.first), group.second.identity))
    if not isinstance(group, EuclideanGroup) or group.dim < 2 or not group.rotations:
        return group.identity
    turn = np.eye(group.dim)
    turn[:2, :2] = [[0, -1], [1, 0]]
    return group.element(turn)


def returns_under(
    network: PolicyNetwork, task: str, declaration: Declaration, element: Any, episodes: int, seed: int = SEED
) -> NDArray[np.float64]:
    """Returns (E,) of episodes that begin in transformed states, played in float64 without noise.

    Args:
        network: Who plays; it is converted to float64 in place.
        task: Name of the task.
        declaration: A symmetry of it, as of :func:`~symbench.runner.transformed_starts.transformable`.
        element: Of its group.
        episodes: Number E of episodes.
        seed: Environment seed of the first.
    """
    with single_thread(), closing(get_task(task).make_vec(episodes)) as envs:
        agent = DrawnTies(network, task, declaration.pair, element)
        turned = TransformedStarts(envs, declaration, element)
        return play(turned, agent, list(range(seed, seed + episodes))).returns


class DrawnTies(NetworkAgent):
    """Of equally good actions plays the one that lots choose, and lots are drawn in the untransformed world.

    A drone that sees the poacher straight ahead has no reason to go left rather than right. Which of two equal numbers
    is the greatest would be left to rounding, and to the order of actions, which does not turn with the world.
    """

    def __init__(self, network: PolicyNetwork, name: str, pair: SymmetryPair, element: Any) -> None:
        """Take the symmetry, and the element by which the world is transformed."""
        super().__init__(network, name, torch.float64)
        self._pair, self._element = pair, element

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Begin to draw anew."""
        super().reset(num_envs, seed=seed)
        self._lots, self._rows, self._total = np.random.default_rng(seed), np.arange(num_envs), num_envs

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on in these environments: each has lots of its own."""
        super().keep(mask)
        self._rows = self._rows[mask]

    def act(self, observations: Any) -> NDArray[Any]:
        """Choose joint actions for a batch."""
        if isinstance(self.network.action, BoxHead):
            return super().act(observations)
        drawn = self._lots.random((self._total, self.network.action.size))[self._rows]
        lots = self._pair.on_decisions(self._element, drawn)
        answer: NDArray[Any] = self.network.action.decode(
            torch.from_numpy(self.decisions(observations) + TIED * lots)
        ).numpy()
        return answer
