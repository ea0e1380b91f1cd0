"""How fast Deep Policy Dynamic Programming is: a beam of 1000, all edges allowed, one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from test_equivariant import in_turn

from symbench.solvers.dpdp import dpdp, make_edges
from tests.solvers.dpdp.plain_dpdp import plain_dpdp

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


def test_100_cities(benchmark: BenchmarkFixture) -> None:
    cities = np.random.default_rng(3).random((100, 2))
    benchmark(dpdp, cities, score="costheatmap_potential")
    if benchmark.stats is not None:
        benchmark.extra_info.update(measured=f"{benchmark.stats.stats.min:.3f} s", aim="<= .4 s")


def test_20_cities_against_one_state_after_the_other(benchmark: BenchmarkFixture) -> None:
    cities = np.random.default_rng(3).random((20, 2))
    edges = make_edges(cities, score="costheatmap_potential")
    benchmark(dpdp, cities, score="costheatmap_potential")
    ours, plain = in_turn(
        [lambda: dpdp(cities, score="costheatmap_potential"), lambda: plain_dpdp(edges, beam_size=1000)], 3
    )
    benchmark.extra_info.update(measured=f"{plain / ours:.0f}x", aim=">= 50x", milliseconds=round(1e3 * ours, 1))
