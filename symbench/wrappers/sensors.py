"""Perturbations of sensors, observations that are a list of N numbers, and of entities, N rows of F numbers.

* :class:`ShuffleSensors` - in another order
* :class:`AddNoiseChannels` - among channels of pure noise
* :class:`DuplicateSensors` - several times over
* :class:`DropSensors` - some of them dead
* :class:`SensorNoise` - noisy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.wrappers.checks import flag, interval, portion, real, sensors, whole
from symbench.wrappers.core import Perturbation
from symbench.wrappers.registry import register_perturbation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.wrappers.checks import Resample


@register_perturbation
class ShuffleSensors(Perturbation):
    """The sensors come in a random order, drawn again every episode, every t steps or every step.

    All orders are equally likely (the one in place included). The space's bounds become the widest of all sensors'.
    Distance: permutations per 1000 steps. Source: Tang & Ha 2021 (arXiv 2109.02869), section 4.1.

    Args:
        resample: ``"episode"``, ``"step"``, or every t steps: ``t``, ``"every: t"`` or ``{"every": t}``.

    Raises:
        TypeError: ``resample`` is none of these types.
        SymbenchError: ``resample`` is an unknown word or t < 1; the observations are no ``Box`` (N,) or (N, F).
    """

    roles = ("sensors", "entities")

    def __init__(self, resample: Resample = "episode") -> None:
        self.interval = interval(resample)
        self.resample = resample

    def magnitude(self) -> float:
        """Permutations per 1000 steps."""
        return 1.0 if self.interval is None else max(1.0, 1000.0 / self.interval)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same shape, with the widest bounds of all sensors."""
        box = sensors("ShuffleSensors", space, rows=True)
        self._order = np.arange(box.shape[0])
        self._first = np.arange(self.num_envs)[:, None] * box.shape[0]  # where each row begins in the flat batch
        self._features = box.shape[1:]
        low, high = np.broadcast_to(box.low.min(axis=0), box.shape), np.broadcast_to(box.high.max(axis=0), box.shape)
        return spaces.Box(low, high, dtype=box.dtype.type)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.intp]:
        """Permutations, shape (size, N): entry j is the sensor that comes at place j."""
        return rng.permuted(np.tile(self._order, (size, 1)), axis=1)

    def apply(self, observations: NDArray[Any], drawn: NDArray[np.intp]) -> NDArray[Any]:
        """Reorder, (B, N[, F]) -> the same shape."""
        if self._features:
            return observations.reshape(-1, *self._features).take(drawn + self._first, axis=0)
        return observations.take(drawn + self._first)


@register_perturbation
class AddNoiseChannels(Perturbation):
    """``n`` channels of gaussian noise, drawn at every step, come after the sensors.

    Where they end up is the caller's choice, made by the order of wrapping::

        ShuffleSensors(AddNoiseChannels(env))  # mixed among the sensors: what the suites do
        AddNoiseChannels(ShuffleSensors(env))  # at the end, as in the paper

    Distance: the number of channels. Source: Tang & Ha 2021 (arXiv 2109.02869), section 4.1 (n = 5, sigma = 0.1).

    Args:
        n: Number of channels.
        sigma: Standard deviation of the noise.
        vary: For training: each episode uses a number of channels drawn from 0..n, the others are constantly zero.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: ``n`` or ``sigma`` below 0; the observations are no floating point ``Box`` (N,) or (N, F).
    """

    roles = ("sensors", "entities")
    interval = 1

    def __init__(self, n: int = 5, sigma: float = 0.1, vary: bool = False) -> None:
        self.n = whole("n", n, low=0)
        self.sigma = real("sigma", sigma, low=0.0)
        self.vary = flag("vary", vary)

    def magnitude(self) -> float:
        """Number of channels."""
        return float(self.n)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """Sensors, then ``n`` unbounded channels."""
        box = sensors("AddNoiseChannels", space, floating=True, rows=True)
        self._shape = (self.n, *box.shape[1:])
        self._amplitude = np.full((self.num_envs, *self._shape), self.sigma, np.result_type(box.dtype, np.float32))
        endless = np.full(self._shape, np.inf, dtype=box.dtype)
        low, high = np.concatenate([box.low, -endless]), np.concatenate([box.high, endless])
        return spaces.Box(low, high, dtype=box.dtype.type)

    def begin_episode(self, row: int, rng: np.random.Generator) -> None:
        """Silence the channels that this episode does not use."""
        if self.vary:
            self._amplitude[row] = 0.0
            self._amplitude[row, : rng.integers(self.n + 1)] = self.sigma

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float32]:
        """Standard normal numbers, shape (size, n[, F])."""
        return rng.standard_normal((size, *self._shape), dtype=np.float32)

    def apply(self, observations: NDArray[Any], drawn: NDArray[np.float32]) -> NDArray[Any]:
        """Append, (B, N[, F]) -> (B, N + n[, F])."""
        return np.concatenate([observations, drawn * self._amplitude], axis=1, dtype=observations.dtype)


@register_perturbation
class DuplicateSensors(Perturbation):
    """All sensors come again, ``copies`` more times, after the sensors themselves.

    Distance: the number of copies. Wrap with :class:`ShuffleSensors` to mix them.

    Args:
        copies: How many more times.
        vary: For training: each episode draws how many of the copies, and which, are there; the others are constantly
            zero.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: ``copies`` below 0; the observations are no ``Box`` (N,) or (N, F).
    """

    roles = ("sensors", "entities")

    def __init__(self, copies: int = 1, vary: bool = False) -> None:
        self.copies = whole("copies", copies, low=0)
        self.vary = flag("vary", vary)

    def magnitude(self) -> float:
        """Number of copies."""
        return float(self.copies)

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The sensors' bounds, repeated."""
        box = sensors("DuplicateSensors", space, rows=True)
        self._absent = np.zeros((self.num_envs, self.copies * box.shape[0]), dtype=bool)
        ends = (np.minimum(box.low, 0), np.maximum(box.high, 0)) if self.vary else (box.low, box.high)
        bounds = zip((box.low, box.high), ends, strict=True)
        low, high = (np.concatenate([bound, *[end] * self.copies]) for bound, end in bounds)
        return spaces.Box(low, high, dtype=box.dtype.type)

    def begin_episode(self, row: int, rng: np.random.Generator) -> None:
        """Silence the copies that this episode does not have."""
        if self.vary:
            count = self._absent.shape[1]
            self._absent[row] = rng.permutation(count) >= rng.integers(count + 1)

    def apply(self, observations: NDArray[Any], drawn: NDArray[Any]) -> NDArray[Any]:
        """Repeat, (B, N[, F]) -> (B, N * (copies + 1)[, F])."""
        repeated = np.concatenate([observations] * (self.copies + 1), axis=1)
        if self.vary:
            repeated[:, observations.shape[1] :][self._absent] = 0
        return repeated


@register_perturbation
class DropSensors(Perturbation):
    """Some sensors are dead: constantly zero for the whole episode; which ones is drawn anew every episode.

    The ratio is rounded to a number of sensors, at least one if it is above 0 and all only if it is 1. Distance: the
    ratio.

    Args:
        ratio: Share of the sensors that are dead, 0 to 1.

    Raises:
        TypeError: ``ratio`` is not a number.
        SymbenchError: ``ratio`` out of range; the observations are no ``Box`` (N,) or (N, F).
    """

    roles = ("sensors", "entities")

    def __init__(self, ratio: float = 0.2) -> None:
        self.ratio = real("ratio", ratio, low=0.0, high=1.0)

    def magnitude(self) -> float:
        """Share of dead sensors."""
        return self.ratio

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same space, widened to hold zero."""
        box = sensors("DropSensors", space, rows=True)
        self._alive = np.ones(box.shape[0], dtype=box.dtype)
        self._alive[: portion(self.ratio, box.shape[0])] = 0
        self._alive = self._alive.reshape(-1, *[1] * (len(box.shape) - 1))
        zero = np.zeros_like(box.low)
        return spaces.Box(np.minimum(box.low, zero), np.maximum(box.high, zero), dtype=box.dtype.type)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """1 for each living sensor and 0 for each dead one, shape (size, N[, 1])."""
        return rng.permuted(np.repeat(self._alive[None], size, axis=0), axis=1)

    def apply(self, observations: NDArray[Any], drawn: NDArray[Any]) -> NDArray[Any]:
        """Silence the dead, (B, N[, F]) -> the same shape."""
        return np.where(drawn, observations, drawn)


@register_perturbation
class SensorNoise(Perturbation):
    """Gaussian noise is added to every sensor at every step, in units of the sensor's own scale.

    The noise is not clipped, so the space becomes unbounded. Distance: ``sigma``.

    Args:
        sigma: Standard deviation in units of the scale.
        scale: One scale per sensor, or per feature of entities. ``None``: half the width of the sensor's bounds where
            both are finite, else 1.

    Raises:
        TypeError: A parameter of a wrong type.
        SymbenchError: ``sigma`` or a scale below 0; as many scales as there are sensors are needed; the observations
            are no floating point ``Box`` (N,) or (N, F).
    """

    roles = ("sensors", "entities")
    interval = 1

    def __init__(self, sigma: float = 0.1, scale: Sequence[float] | None = None) -> None:
        self.sigma = real("sigma", sigma, low=0.0)
        if scale is not None and not isinstance(scale, (list, tuple)):
            raise TypeError(f"scale must be a list of numbers or None, received {scale!r}")
        self.scale = None if scale is None else [real("scale", value, low=0.0) for value in scale]

    def magnitude(self) -> float:
        """Standard deviation of the noise."""
        return self.sigma

    def perturbed_space(self, space: spaces.Space[Any]) -> spaces.Box:
        """The same shape, unbounded."""
        box = sensors("SensorNoise", space, floating=True, rows=True)
        count, things = box.shape[-1], "sensors" if len(box.shape) == 1 else "features"
        if self.scale is not None and len(self.scale) != count:
            raise SymbenchError(f"scale must hold one number for each of {count} {things}, received {self.scale}")
        scale = _scale_of(box) if self.scale is None else np.array(self.scale)
        amplitude = (self.sigma * scale).astype(np.result_type(box.dtype, np.float32))
        self._amplitude = np.broadcast_to(amplitude, box.shape)
        return spaces.Box(-np.inf, np.inf, box.shape, box.dtype.type)

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[np.float32]:
        """Standard normal numbers, shape (size, N[, F])."""
        return rng.standard_normal((size, *self._amplitude.shape), dtype=np.float32)

    def apply(self, observations: NDArray[Any], drawn: NDArray[np.float32]) -> NDArray[Any]:
        """Add the noise, (B, N[, F]) -> the same shape."""
        noisy: NDArray[Any] = observations + drawn * self._amplitude
        return noisy.astype(observations.dtype, copy=False)  # of float16 is float32 so far


def _scale_of(box: spaces.Box) -> NDArray[Any]:
    # Some environments write "no bound" as the largest number, also that of float32, instead of infinity.
    endless = min(np.finfo(str(box.dtype)).max, np.finfo(np.float32).max)
    bounded = (box.low > -endless) & (box.high < endless)
    return np.where(bounded, box.high / 2 - box.low / 2, 1.0)
