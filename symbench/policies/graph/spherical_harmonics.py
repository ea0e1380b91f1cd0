"""Real spherical harmonics, and the couplings that multiply steerable features.

* :func:`unit_vectors` - directions, zero where there is none
* :func:`spherical_harmonics` - Y_0 to Y_L of directions
* :func:`coupling` - the real 3j symbols

Vectors come as (x, y, z), and so do harmonics of degree 1. Degrees 0 to 2, and all couplings of degrees 0 and 1, are in
closed form; higher ones are those of e3nn (extra ``[geometric]``), whose conventions all of these follow.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from symbench.extras import require

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLOSED = 2  # degrees in closed form


def unit_vectors(vectors: Tensor) -> Tensor:
    """V / |v|, (..., d); zeros where v is zero, with a finite gradient."""
    lengths = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
    return vectors / torch.where(lengths > 0, lengths, 1.0)


def spherical_harmonics(directions: Tensor, degree: int) -> list[Tensor]:
    """Real spherical harmonics whose squares integrate to one over the sphere.

    Args:
        directions: Unit vectors (..., 3), or zeros.
        degree: The highest degree L.

    Returns:
        Y_l, (..., 2l + 1), for l from 0 to L. At a zero vector all but Y_0 are zero.

    Raises:
        SymbenchError: L is above 2 and e3nn is not installed.
    """
    if degree > _CLOSED:
        return _from_e3nn(directions, degree)
    values = [torch.full_like(directions[..., :1], math.sqrt(1 / (4 * math.pi)))]
    if degree >= 1:
        values.append(math.sqrt(3 / (4 * math.pi)) * directions)
    if degree == _CLOSED:
        values.append(math.sqrt(5 / (4 * math.pi)) * _quadratics(directions))
    return values


def _quadratics(directions: Tensor) -> Tensor:
    x, y, z = directions.unbind(-1)
    third, root = y * y - (x * x + z * z) / 2, math.sqrt(3)
    return torch.stack([root * x * z, root * x * y, third, root * y * z, root / 2 * (z * z - x * x)], dim=-1)


def _from_e3nn(directions: Tensor, degree: int) -> list[Tensor]:
    o3 = _e3nn()
    degrees = list(range(degree + 1))
    values = o3.spherical_harmonics(degrees, directions, normalize=False, normalization="integral")
    return list(torch.split(values, [2 * each + 1 for each in degrees], dim=-1))


@cache
def coupling(first: int, second: int, result: int) -> NDArray[np.float64]:
    """The real 3j symbol w[a, b, c], (2 l_1 + 1, 2 l_2 + 1, 2 l + 1), of Frobenius norm one.

    Contracted with features of degrees l_1 and l_2 it makes one of degree l, which turns as they do.

    Raises:
        SymbenchError: A degree is so high that e3nn is needed, and it is not installed.
    """
    degrees = (first, second, result)
    if 0 in degrees and min(first + second, second + result, first + result) == max(degrees):
        size = 2 * max(degrees) + 1
        return np.eye(size).reshape([2 * degree + 1 for degree in degrees]) / math.sqrt(size)
    if degrees == (1, 1, 1):
        cyclic, symbol = [(0, 1, 2), (1, 2, 0), (2, 0, 1)], np.zeros((3, 3, 3))
        for a, b, c in cyclic:
            symbol[a, b, c], symbol[b, a, c] = 1 / math.sqrt(6), -1 / math.sqrt(6)
        return symbol
    if degrees == (1, 1, 2):
        return _symmetric_traceless()
    values: NDArray[np.float64] = _e3nn().wigner_3j(*degrees, dtype=torch.float64).numpy()
    return values


def _symmetric_traceless() -> NDArray[np.float64]:
    """Second derivatives of the quadratic polynomials of degree 2, which are harmonic: (3, 3, 5)."""
    x = torch.eye(3, dtype=torch.float64)
    # A quadratic form is known by its values at sums of unit vectors: 2 B(a, b) = q(a + b) - q(a) - q(b).
    forms = _quadratics(x[:, None] + x[None]) - _quadratics(x)[:, None] - _quadratics(x)[None]
    values: NDArray[np.float64] = (forms / math.sqrt(30)).numpy()
    return values


def _e3nn() -> Any:
    return require("e3nn.o3", "steerable features of these degrees")
