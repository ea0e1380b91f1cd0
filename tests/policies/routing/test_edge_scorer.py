"""Heatmaps that depend on distances alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies.routing.edge_scorer import FAR, EdgeScorer
from symbench.symmetry import euclidean
from symbench.zoo import load_agent, load_network, save_agent


@pytest.fixture(scope="module")
def scorer() -> EdgeScorer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return EdgeScorer().double()


def random_cities(*shape: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).random((*shape, 2)))


@pytest.mark.parametrize("n", [2, 3, 11, 20, 50])
def test_it_is_symmetric_and_says_probabilities(scorer: EdgeScorer, n: int) -> None:
    heatmap = scorer(random_cities(4, n))
    assert heatmap.shape == (4, n, n) and torch.equal(heatmap, heatmap.mT)
    assert (heatmap <= 0).all() and (heatmap >= FAR).all()
    assert (heatmap.diagonal(dim1=1, dim2=2) == FAR).all()
    near = (heatmap > FAR).sum(dim=-1)
    assert (near >= min(10, n - 1)).all() and (n <= 11 or (near < n - 1).any())
    assert heatmap.std() > 1e-3


def test_turned_mirrored_moved_and_scaled_cities_have_the_same_heatmap(scorer: EdgeScorer) -> None:
    cities = random_cities(2, 20)
    expected = scorer(cities)
    for element in euclidean(2).sample(np.random.default_rng(1), 20):
        matrix = torch.from_numpy(element)
        for scale in (1.0, 0.01, 300.0):
            moved = scale * (cities @ matrix[:-1, :-1].T + matrix[:-1, -1])
            torch.testing.assert_close(scorer(moved), expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize("change", [lambda x: x * torch.tensor([1.0, 2.0]), lambda x: x.flip(1).cumsum(1), torch.sqrt])
def test_other_changes_of_cities_are_seen(scorer: EdgeScorer, change: Callable[[Tensor], Tensor]) -> None:
    """The negative control of the test before."""
    cities = random_cities(2, 20)
    assert not torch.allclose(scorer(change(cities)), scorer(cities), atol=1e-3)


def test_renumbered_cities_have_the_renumbered_heatmap(scorer: EdgeScorer) -> None:
    cities = random_cities(2, 20)
    order = torch.from_numpy(np.random.default_rng(2).permutation(20))
    expected = scorer(cities)[:, order][:, :, order]
    torch.testing.assert_close(scorer(cities[:, order]), expected, atol=1e-10, rtol=0)
    assert not torch.allclose(scorer(cities[:, order]), scorer(cities), atol=1e-3)


def test_a_batch_is_its_instances_one_by_one(scorer: EdgeScorer) -> None:
    cities = random_cities(5, 20)
    each = torch.cat([scorer(one[None]) for one in cities])
    torch.testing.assert_close(scorer(cities), each, atol=1e-12, rtol=0)


def test_cities_that_coincide_have_numbers(scorer: EdgeScorer) -> None:
    cities = random_cities(2, 20)
    cities[:, 5:15] = cities[:, :1]
    cities[1] = 0.5
    heatmap = scorer(cities)
    assert heatmap.isfinite().all()
    heatmap.sum().backward()
    gradients = [parameter.grad for parameter in scorer.parameters()]
    assert all(gradient.isfinite().all() for gradient in gradients if gradient is not None)


def test_it_is_saved_and_loaded_as_agents_are(tmp_path: Path) -> None:
    scorer = EdgeScorer(width=12, layers=2, neighbours=4, vectors=3)
    save_agent(scorer, tmp_path / "scorer", {"agent": "mine"})
    loaded = load_network(tmp_path / "scorer")
    assert isinstance(loaded, EdgeScorer)
    assert loaded.config() == {"width": 12, "layers": 2, "neighbours": 4, "vectors": 3}
    cities = random_cities(2, 9).float()
    assert torch.equal(loaded(cities), scorer(cities))
    with pytest.raises(SymbenchError, match="is an edge scorer, which guides DPDP"):
        load_agent(tmp_path / "scorer")


def test_mistakes(scorer: EdgeScorer) -> None:
    for shape in ((20, 2), (1, 20, 3), (1, 1, 2)):
        with pytest.raises(SymbenchError, match=r"must have shape \(B, n, 2\)"):
            scorer(torch.zeros(shape))
