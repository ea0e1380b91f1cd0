"""What moves a scene moves what graph networks say of it; and where that must not hold, it does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from graph_cases import ALL, EQUIVARIANT, Case, error_under, network, reordered, scene, single

from symbench.policies.graph import E2GN2, EGNN, SteerableGNN
from symbench.symmetry import euclidean, special_euclidean

EXACT = 1e-10
IN_DIMENSIONS = [(name, dim) for name, case in EQUIVARIANT.items() for dim in case.dims if dim > 1]


@pytest.mark.parametrize("layers", [1, 4, 7])
@pytest.mark.parametrize(("name", "dim"), IN_DIMENSIONS)
def test_rotations_reflections_and_translations(name: str, dim: int, layers: int) -> None:
    case = EQUIVARIANT[name]
    net = network(case, layers, dim)
    before = scene(net, dim)
    group = (euclidean if case.reflections else special_euclidean)(dim)
    for element in torch.from_numpy(group.sample(np.random.default_rng(0), 6)):
        assert error_under(net, before, element[:-1, :-1], element[:-1, -1]) < EXACT


@pytest.mark.parametrize("name", EQUIVARIANT)
def test_symmetry_is_exact_again_after_single_precision(name: str) -> None:
    net = network(EQUIVARIANT[name])
    single(scene(net)).through(net.float())  # constants are now in single precision
    before = scene(net.double())
    element = torch.from_numpy(special_euclidean(3).sample(np.random.default_rng(0), 1)[0])
    assert error_under(net, before, element[:-1, :-1], element[:-1, -1]) < EXACT


@pytest.mark.parametrize("name", ALL)
def test_permutations(name: str) -> None:
    case = ALL[name]
    net = network(case)
    before = scene(net, case.dims[-1])
    order = torch.tensor([3, 0, 4, 1, 2])
    first, second = before.through(net), reordered(before, order).through(net)
    assert torch.allclose(second.positions, first.positions[:, order], rtol=1e-11, atol=1e-12)
    assert torch.allclose(second.features, first.features[:, order], rtol=1e-11, atol=1e-12)


def test_the_plain_network_knows_no_rotations() -> None:
    net = network(ALL["gnn"])
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    assert error_under(net, scene(net), turn, torch.zeros(3, dtype=torch.float64)) > 0.05


@pytest.mark.parametrize("name", [name for name, case in EQUIVARIANT.items() if not case.reflections])
def test_kernels_of_all_harmonics_know_no_inversion(name: str) -> None:
    net = network(EQUIVARIANT[name], 2)
    inversion = -torch.eye(3, dtype=torch.float64)
    assert error_under(net, scene(net), inversion, torch.zeros(3, dtype=torch.float64)) > 1e-3


def test_the_mean_over_a_nodes_own_coordinates_is_no_centre() -> None:
    """As the published script for N-body systems has it: negative control."""
    case = Case(lambda layers, _: SteerableGNN(2, 1, (5, 4), layers, centre="axes"), (3,))
    net, turn = network(case), torch.from_numpy(special_euclidean(3).sample(np.random.default_rng(0), 1)[0])
    assert error_under(net, scene(net), turn[:-1, :-1], turn[:-1, -1]) > 1e-3


def test_a_bound_of_components_breaks_rotations_where_it_acts() -> None:
    """The published program clamps each component of a push; here the bound is small enough to be met."""
    turn = torch.from_numpy(special_euclidean(3).sample(np.random.default_rng(0), 1)[0])
    errors = []
    for clamp in (1e-3, 1e6):
        net = network(Case(lambda layers, _, clamp=clamp: EGNN(2, 1, 8, layers, velocity="none", clamp=clamp)))
        errors.append(error_under(net, scene(net), turn[:-1, :-1], turn[:-1, -1]))
    assert errors[0] > 1e-3 > EXACT > errors[1]


def test_e2gn2_does_not_begin_by_repeating_its_input() -> None:
    """Over initialisations: an E(n)-equivariant network's output is its input, E2GN2's displacements have no bias."""
    x = torch.randn(1, 6, 2, generator=torch.Generator().manual_seed(0))
    x = x - x.mean(1, keepdim=True)
    features = torch.ones(1, 6, 1)
    repeated, displaced = [], []
    for seed in range(40):
        torch.manual_seed(seed)
        naive, fixed = EGNN(1, velocity="none", coordinates="mean"), E2GN2(1)
        repeated.append(torch.cosine_similarity(naive(features, x).positions, x, dim=-1).mean())
        displaced.append(torch.cosine_similarity(fixed(features, x).positions - x, x, dim=-1).mean())
    assert torch.stack(repeated).mean() > 0.99
    assert torch.stack(displaced).mean().abs() < 0.4
