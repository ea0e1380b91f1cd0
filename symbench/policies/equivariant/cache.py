"""Cached tensors of layers: constants, and weights to act with.

* :class:`Constants` - bases, in the precision and on the device of the weights
* :class:`Folded` - weights folded from parameters, until the parameters change
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Weights = tuple[Tensor, Tensor | None]


class Constants:
    """Fixed numbers that are computed with in the precision, and on the device, of the weights.

    Unlike buffers they are exact again after ``module.float().double()``: equivariance is as exact as the weights are.
    """

    def __init__(self, *values: NDArray[Any]) -> None:
        """Hold ``values``, arrays of float64."""
        self._values = [np.array(value) for value in values]
        self._last: list[Tensor] = []

    def __call__(self, like: Tensor) -> list[Tensor]:
        """All of them as tensors like ``like``."""
        if not self._last or self._last[0].dtype != like.dtype or self._last[0].device != like.device:
            with torch.inference_mode(False):  # else gradients could not be computed with them later
                self._last = [torch.tensor(value, dtype=like.dtype, device=like.device) for value in self._values]
        return self._last


class Folded:
    """Remembers weights that were made of parameters, in ``torch.inference_mode`` only, until the parameters change.

    While gradients are computed, making the weights is part of the graph. Under ``no_grad`` nothing is remembered
    either: Stable-Baselines3 changes target networks through ``.data``, which torch's version counter does not see.
    """

    def __init__(self) -> None:
        self._made_of: list[int] = []
        self._weights: Weights | None = None

    def __call__(self, make: Callable[[], Weights], weights: Tensor, bias: Tensor | None) -> Weights:
        """The result of ``make``, which reads the parameters ``weights`` and ``bias``."""
        if not torch.is_inference_mode_enabled():
            return make()
        made_of: list[int] = []
        for tensor in (weights, bias):
            if tensor is None:
                continue
            # In functional calls, other tensors stand in for the parameters.
            if not isinstance(tensor, nn.Parameter) or tensor.is_inference():
                return make()
            made_of += (tensor._version, tensor.data_ptr())
        if made_of != self._made_of or self._weights is None:
            self._made_of, self._weights = made_of, make()
        return self._weights

    def __deepcopy__(self, memo: object) -> Folded:
        return Folded()

    def __reduce__(self) -> tuple[type[Folded], tuple[()]]:
        return Folded, ()
