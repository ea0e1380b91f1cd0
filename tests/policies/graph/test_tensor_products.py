"""Spherical harmonics, couplings and tensor products, beside integrals and e3nn."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from symbench.policies.graph.spherical_harmonics import coupling, spherical_harmonics, unit_vectors
from symbench.policies.graph.tensor_products import SIGMOID_GAIN, SILU_GAIN, TensorProduct
from symbench.symmetry import orthogonal


@pytest.fixture
def o3() -> Any:
    return pytest.importorskip("e3nn.o3", reason="compared with e3nn")


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_squares_of_harmonics_integrate_to_one() -> None:
    """And products of different ones to zero: quadrature by Gauss and Legendre, exact to degree 7."""
    heights, weights = np.polynomial.legendre.leggauss(6)
    angles = np.arange(12) * math.pi / 6
    radius = np.sqrt(1 - heights**2)[:, None]
    points = np.stack([radius * np.cos(angles), radius * np.sin(angles), np.tile(heights[:, None], 12)], axis=-1)
    values = torch.cat(spherical_harmonics(torch.from_numpy(points.reshape(-1, 3)), 2), dim=-1)
    area = torch.from_numpy(np.repeat(weights, 12) * math.pi / 6)
    assert torch.allclose(values.T @ (area[:, None] * values), torch.eye(9, dtype=torch.float64), atol=1e-13)


def test_no_direction_has_no_harmonics_but_the_constant() -> None:
    at_rest = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    values = spherical_harmonics(unit_vectors(at_rest), 2)
    assert float(values[0].detach()) == pytest.approx(math.sqrt(1 / (4 * math.pi)))
    assert not values[1].any() and not values[2].any()
    torch.cat(values, dim=-1).sum().backward()
    assert at_rest.grad is not None and at_rest.grad.isfinite().all()


@pytest.mark.parametrize("degree", [2, 4])
def test_harmonics_are_those_of_e3nn(o3: Any, degree: int) -> None:
    vectors = normal(20, 3)
    expected = o3.spherical_harmonics(list(range(degree + 1)), vectors, normalize=True, normalization="integral")
    found = torch.cat(spherical_harmonics(unit_vectors(vectors), degree), dim=-1)
    assert torch.allclose(found, expected, atol=1e-14)


def test_couplings_are_those_of_e3nn(o3: Any) -> None:
    for a, b, c in itertools.product(range(4), repeat=3):
        if abs(a - b) <= c <= a + b:
            assert np.allclose(coupling(a, b, c), o3.wigner_3j(a, b, c, dtype=torch.float64).numpy(), atol=1e-14)


def test_the_closed_form_says_what_couplings_say() -> None:
    product = TensorProduct([4, 3], 1, [5, 2]).double()
    features, attributes = [normal(7, 1, 4), normal(7, 3, 3)], [normal(7, 1), normal(7, 3)]
    for found, expected in zip(product(features, attributes), product.any_degree(features, attributes), strict=True):
        assert torch.allclose(found, expected, atol=1e-14)


def turns(rotation: Tensor) -> list[Tensor]:
    """The matrices D with Y(R x) = D Y(x), for degrees 0 to 2."""
    points = unit_vectors(normal(50, 3))
    before, after = (spherical_harmonics(each, 2) for each in (points, points @ rotation.T))
    return [torch.linalg.lstsq(first, second).solution.T for first, second in zip(before, after, strict=True)]


def test_a_product_turns_with_its_inputs() -> None:
    pytest.importorskip("e3nn", reason="degree 2 needs e3nn")
    product = TensorProduct([4, 3, 2], 2, [5, 2, 3]).double()
    features = [normal(7, 2 * degree + 1, channels) for degree, channels in enumerate((4, 3, 2))]
    attributes = [normal(7, 2 * degree + 1) for degree in range(3)]
    result = product(features, attributes)
    for element in orthogonal(3).sample(np.random.default_rng(0), 4):
        turn = turns(torch.from_numpy(element[:-1, :-1]))
        moved = product(
            [d @ each for d, each in zip(turn, features, strict=True)],
            [each @ d.T for d, each in zip(turn, attributes, strict=True)],
        )
        for d, found, before in zip(turn, moved, result, strict=True):
            assert torch.allclose(found, d @ before, atol=1e-11)


@pytest.mark.parametrize(("gain", "function"), [(SILU_GAIN, torch.nn.functional.silu), (SIGMOID_GAIN, torch.sigmoid)])
def test_gains_keep_the_second_moment(gain: float, function: Any) -> None:
    points, weights = np.polynomial.hermite_e.hermegauss(100)
    values = function(torch.from_numpy(points)).numpy() ** 2
    # e3nn draws a million normal numbers: its constants are exact to about three digits.
    assert gain**2 * (weights @ values) / weights.sum() == pytest.approx(1.0, abs=5e-3)
