"""How the elements of a group act on what Stable-Baselines3 hands to a policy and gets back.

* :class:`Moves` - of a finite group
* :class:`SampledMoves` - of a continuous one, and of permutations too many to list: elements are drawn
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies.actions import action_head
from symbench.policies.equivariant.bodies import on_actions
from symbench.policies.equivariant.symmetries import Symmetry, action_of, group_named, symmetry_data
from symbench.symmetry import FiniteGroup, SymmetryPair, symmetry_of
from symbench.trees import map_tree

if TYPE_CHECKING:
    from gymnasium import spaces
    from numpy.typing import NDArray
    from stable_baselines3.common.type_aliases import PyTorchObs


class Moves:
    """How the elements of a group act on SB3's batches of observations and of action vectors, in torch.

    Attributes:
        group: The group.
    """

    def __init__(
        self, symmetry: Symmetry, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]
    ) -> None:
        """Look the symmetry up and check that it fits.

        Raises:
            SymbenchError: It is unknown, or does not fit the spaces.
        """
        data = symmetry_data(symmetry)
        self.group = group_named(data["group"])
        self.on_observations = action_of(self.group, data["observation"], axes=(2, 3))
        self.rep = on_actions(action_head(action_space), self.group, data["action"])
        if reason := self.on_observations.incompatibility(observation_space):
            raise SymbenchError(f"the symmetry does not fit the observations: {reason}")

    def drawn(self, size: int) -> NDArray[np.int64]:
        """Elements, uniformly from torch's generator, which SB3 seeds."""
        elements: NDArray[np.int64] = torch.randint(self.group.order, (size,)).numpy()
        return elements

    def observations(self, elements: int | NDArray[np.int64], observations: PyTorchObs) -> Tensor:
        """L_g of observations (B, ...), for one element or one for each; no gradient flows through it."""
        assert isinstance(observations, Tensor)
        moved = self.on_observations.apply(elements, observations.detach().cpu().numpy())
        return torch.from_numpy(np.ascontiguousarray(moved)).to(observations)

    def undo(self, elements: int | NDArray[np.int64], vectors: Tensor, size: bool = False) -> Tensor:
        """K_g^-1 of action vectors (B, A), for one element or one for each; ``size`` without signs, for deviations."""
        inverse = self.rep.matrices[self.group.inverses[elements]]
        matrices = torch.as_tensor(np.abs(inverse) if size else inverse, dtype=vectors.dtype, device=vectors.device)
        return (matrices @ vectors[..., None])[..., 0]


class SampledMoves:
    """The same of a declared symmetry whose elements cannot be listed; observations may be dicts.

    Attributes:
        group: The group.
    """

    def __init__(
        self, pair: SymmetryPair, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]
    ) -> None:
        """Check that the symmetry fits.

        Raises:
            SymbenchError: It does not fit the spaces.
        """
        if reason := pair.incompatibility(observation_space, action_space):
            raise SymbenchError(f"the symmetry does not fit the spaces: {reason}")
        self.group, self._pair, self._shape = pair.group, pair, tuple(action_space.shape or ())

    def drawn(self, size: int) -> NDArray[Any]:
        """Elements; the seed is from torch's generator, which SB3 seeds."""
        seed = int(torch.randint(2**31, ()))
        return self.group.sample(np.random.default_rng(seed), size)

    def observations(self, elements: NDArray[Any], observations: PyTorchObs) -> PyTorchObs:
        """L_g of observations (B, ...), one element for each; no gradient flows through it."""
        moved = self._pair.observation.apply(elements, map_tree(lambda part: part.detach().cpu().numpy(), observations))
        return map_tree(_like, moved, observations)  # type: ignore[no-any-return]

    def undo(self, elements: NDArray[Any], vectors: Tensor) -> Tensor:
        """K_g^-1 of actions in a row, (B, A), one element for each."""
        size = vectors.shape[1]
        units = np.eye(size).reshape(size, *self._shape)
        columns = [
            self._pair.action.undo(elements, np.broadcast_to(unit, (len(elements), *self._shape))) for unit in units
        ]
        matrices = np.stack([column.reshape(len(elements), size) for column in columns], axis=-1)
        return (torch.as_tensor(matrices, dtype=vectors.dtype, device=vectors.device) @ vectors[..., None])[..., 0]


def moves_of(
    symmetry: Symmetry, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]
) -> Moves | SampledMoves:
    """How the elements of a symmetry's group act, whatever group it is.

    Args:
        symmetry: An environment's id, a declaration or plain data.
        observation_space: The (single) space of observations.
        action_space: The (single) space of actions.

    Raises:
        SymbenchError: The symmetry is unknown, or does not fit the spaces.
    """
    pair = symmetry_of(symmetry) if isinstance(symmetry, str) else symmetry
    if isinstance(pair, SymmetryPair) and not isinstance(pair.group, FiniteGroup):
        return SampledMoves(pair, observation_space, action_space)
    return Moves(pair, observation_space, action_space)


def _like(moved: NDArray[Any], before: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(moved)).to(before)
