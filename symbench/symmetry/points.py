"""The Euclidean group acting on points: rotations, reflections and translations of n-dimensional space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Motion:
    """One element of E(n): x -> R x + t.

    Attributes:
        rotation: Orthogonal matrix R, shape (n, n).
        translation: t, shape (n,).
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]

    def __matmul__(self, other: Motion) -> Motion:
        """The product: first ``other``, then this."""
        return Motion(self.rotation @ other.rotation, self.rotation @ other.translation + self.translation)

    def inverse(self) -> Motion:
        """The motion that takes this one back."""
        return Motion(self.rotation.T, -self.rotation.T @ self.translation)


class PointRepresentation:
    """E(n), or a part of it, acting on clouds of points; the group is continuous, so its elements are sampled.

    Attributes:
        dim: Dimension n of the space.
    """

    def __init__(self, dim: int, reflections: bool = True, translations: float = 1.0) -> None:
        """Choose the part of E(n).

        Args:
            dim: Dimension n of the space.
            reflections: Whether mirror images belong to it: O(n) instead of SO(n).
            translations: Standard deviation of sampled translations; 0 for none.
        """
        self.dim, self.reflections, self.translations = dim, reflections, translations

    def sample(self, rng: np.random.Generator) -> Motion:
        """A motion whose rotation is uniform (Haar) and whose translation is normal."""
        rotation, triangle = np.linalg.qr(rng.standard_normal((self.dim, self.dim)))
        rotation = rotation * np.sign(np.diag(triangle))  # without this, the distribution is not uniform
        if not self.reflections and np.linalg.det(rotation) < 0:
            rotation[:, 0] *= -1
        return Motion(rotation, self.translations * rng.standard_normal(self.dim))

    def apply(self, motion: Motion, points: NDArray[Any]) -> NDArray[Any]:
        """Move points, (..., n) -> (..., n)."""
        moved: NDArray[Any] = points @ motion.rotation.T + motion.translation
        return moved

    def apply_to_vectors(self, motion: Motion, vectors: NDArray[Any]) -> NDArray[Any]:
        """Move velocities, forces, differences of points: they turn, but do not shift, (..., n) -> (..., n)."""
        turned: NDArray[Any] = vectors @ motion.rotation.T
        return turned
