"""Observations as Stable-Baselines3's ``VecNormalize`` showed them to a model while it trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from gymnasium import spaces

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Moments(NamedTuple):
    """Running statistics of an observation, or of one part of a Dict: mean and variance, float64 of its shape."""

    mean: NDArray[np.float64]
    var: NDArray[np.float64]


@dataclass(frozen=True)
class Normalization:
    """Statistics that are final, and how they are applied.

    Attributes:
        parts: Of each part of a Dict observation that is normalised; of a plain observation under the key ``None``.
        clip: Greatest absolute value afterwards.
        epsilon: Added to the variance.
        count: How many observations the statistics are of.
    """

    parts: dict[str | None, Moments]
    clip: float
    epsilon: float
    count: int

    def __call__(self, observations: Any) -> Any:
        """The observations (arrays, or a dict of arrays) normalised, as float32; parts without statistics as is."""
        if not isinstance(observations, dict):
            return self._normalised(observations, self.parts[None])
        return {
            key: self._normalised(part, self.parts[key]) if key in self.parts else part
            for key, part in observations.items()
        }

    def __str__(self) -> str:
        keys = ", ".join(str(key) for key in self.parts if key is not None)
        what = f"observations ({keys})" if keys else "observations"
        return f"{what} normalised by VecNormalize, statistics of {self.count:,} steps, clipped to ±{self.clip:g}"

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """Why the statistics cannot be of observations of this space; ``None`` if they can."""
        parts: dict[Any, Any] = dict(space.spaces) if isinstance(space, spaces.Dict) else {None: space}
        for key, moments in self.parts.items():
            shape = getattr(parts.get(key), "shape", None)
            if moments.mean.shape != shape or moments.var.shape != shape:
                name = "" if key is None else f" of {key!r}"
                return f"statistics{name} have shape {moments.mean.shape}, observations {shape}"
        return None

    def _normalised(self, observations: Any, moments: Moments) -> NDArray[np.float32]:
        scaled = (np.asarray(observations) - moments.mean) / np.sqrt(moments.var + self.epsilon)
        return np.clip(scaled, -self.clip, self.clip).astype(np.float32)
