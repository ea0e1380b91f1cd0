"""The perturbation of a symmetry group: the agent lives in a transformed copy of the environment.

* :class:`TransformByGroup` - turned, mirrored or otherwise transformed observations and actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry.catalogue import symmetry_of
from symbench.wrappers.checks import interval
from symbench.wrappers.core import Perturbation
from symbench.wrappers.masks import ACTION_MASK
from symbench.wrappers.registry import register_perturbation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.wrappers.checks import Resample


@register_perturbation
class TransformByGroup(Perturbation):
    """The agent sees L_g o, and its action a reaches the environment as K_g^-1 a, for an element g of a symmetry group.

    An agent whose policy is equivariant plays the same episode whatever g is, in any environment; where the symmetry
    is the environment's own, so does one that learned both sides. All elements are equally likely (the identity
    included). Masks of actions are the agent's too: from ``action_masks()``, and under ``"action_mask"`` in the info
    or in a ``Dict`` observation whose symmetry says nothing else of it. Distance: elements drawn per 1000 steps, 0 if
    it is always the identity. Source: van der Pol et al. 2020 (arXiv 2006.16908), equations 4, 5 and 13.

    Elements of continuous groups are sampled: rotations and reflections uniformly, translations from a normal law.

    Args:
        symmetry: Environment or task whose symmetry in the catalogue is meant, e.g. ``"CartPole-v1"``.
        variant: Name of the one that is meant, if it has several.
        element: Number of the element, or the matrix of one of a continuous group; ``None`` draws one.
        resample: How long a drawn element lasts: ``"episode"``, ``"step"``, or every t steps: ``t``, ``"every: t"`` or
            ``{"every": t}``.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: An unknown symmetry, an element that the group does not have, an unknown ``resample``, or spaces
            that the symmetry does not fit.
    """

    changes_actions = True

    def __init__(
        self, symmetry: str, variant: str | None = None, element: Any = None, resample: Resample = "episode"
    ) -> None:
        if not isinstance(symmetry, str):
            raise TypeError(f"symmetry must be the name of an environment, received {symmetry!r}")
        if variant is not None and not isinstance(variant, str):
            raise TypeError(f"variant must be the name of a symmetry, received {variant!r}")
        self.symmetry, self.variant, self.pair = symmetry, variant, symmetry_of(symmetry, variant)
        self.element = element
        self._fixed = None if element is None else self.pair.group.element(element)
        drawn_for = interval(resample)
        self.interval = drawn_for if element is None else None
        self.resample = resample

    def magnitude(self) -> float:
        """Elements per 1000 steps; 0 for the identity alone."""
        if self._fixed is not None:
            return float(not np.array_equal(self._fixed, self.pair.group.identity))
        return 1.0 if self.interval is None else max(1.0, 1000.0 / self.interval)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Space[Any]:
        """The space that holds all transformed observations: the same, if the symmetry maps it to itself."""
        image: spaces.Space[Any] = self.pair.observation.image(space)
        mask = image.spaces.get(ACTION_MASK) if isinstance(image, spaces.Dict) else None
        self._masked = mask is not None and ACTION_MASK not in getattr(self.pair.observation, "parts", {})
        if self._masked:  # refused now rather than at the first observation
            identity = np.asarray(self.pair.group.identity)[None]
            self.pair.action.allowed(identity, np.zeros((1, *(getattr(mask, "shape", None) or ()))))
        if self._masked and isinstance(image, spaces.Dict) and isinstance(mask, spaces.Box):
            widest = spaces.Box(mask.low.min(), mask.high.max(), mask.shape, mask.dtype.type)
            return spaces.Dict({**image.spaces, ACTION_MASK: widest})
        return image

    def bind(
        self,
        single_observation_space: spaces.Space[Any],
        single_action_space: spaces.Space[Any],
        num_envs: int,
        key: int,
    ) -> spaces.Space[Any]:
        """Fit to a batch of environments; see :meth:`~symbench.wrappers.core.Transform.bind`."""
        reason = self.pair.incompatibility(single_observation_space, single_action_space)
        if reason:
            raise SymbenchError(f"the symmetry of {self.symmetry} does not fit this environment: {reason}")
        return super().bind(single_observation_space, single_action_space, num_envs, key)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Elements of the group, shape (size, ``*element_shape``)."""
        group = self.pair.group
        return group.sample(rng, size) if self._fixed is None else np.full((size, *group.element_shape), self._fixed)

    def apply(self, observations: Any, drawn: NDArray[Any]) -> Any:
        """Transform, (B, ...) -> (B, ...)."""
        seen = self.pair.observation.apply(drawn, observations)
        if self._masked:
            seen[ACTION_MASK] = self.pair.action.allowed(drawn, observations[ACTION_MASK])
        return seen

    def act(self, actions: Any) -> Any:
        """Take back what the latest observations showed; see :meth:`~symbench.wrappers.core.Transform.act`."""
        return self.pair.action.undo(self._drawn, np.asarray(actions))

    def allowed(self, rows: Sequence[int], masks: NDArray[Any]) -> NDArray[Any]:
        """Name the actions as the agent does; see :meth:`~symbench.wrappers.core.Transform.allowed`."""
        return self.pair.action.allowed(self._drawn[rows], masks)
