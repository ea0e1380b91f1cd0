"""From a heatmap to a tour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.solvers.dpdp.beam import Beam, expand, first_beam
from symbench.solvers.dpdp.edges import Edges, make_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

THRESHOLD: Final = 1e-5
"""Least probability of an edge that may be used, as published."""


def dpdp(
    cities: ArrayLike,
    log_heatmap: ArrayLike | None = None,
    *,
    beam_size: int = 1000,
    score: str = "heatmap_potential",
    threshold: float | None = None,
    knn: int | None = None,
    collapse_dominated: bool = True,
) -> NDArray[np.int64]:
    """A short closed tour; the shortest that allowed edges make if the beam is never full.

    Published are heatmaps of a network, ``threshold=1e-5`` and beams of 1000 to 100,000.

    Args:
        cities: (n, 2).
        log_heatmap: Log-probabilities of edges, (n, n), for scores of a heatmap.
        beam_size: Partial tours that are kept after each step.
        score: By what they are kept, one of :data:`SCORES`; see :func:`make_edges`.
        threshold: Least probability of an edge that may be used; ``None``: all may.
        knn: Use edges to and from this many nearest neighbours instead.
        collapse_dominated: Whether of paths through the same cities to the same city only the shortest is kept;
            ``False`` is plain beam search.

    Returns:
        The tour, (n,), which begins at city 0.

    Raises:
        SymbenchError: The input is wrong (see :func:`make_edges`), or no allowed edge leads on from any tour of the
            beam; the message says what to relax.
    """
    edges = make_edges(cities, log_heatmap, score, threshold, knn)
    try:
        return _read_back(list(beams(edges, beam_size, collapse_dominated)), edges)
    except _DeadEndError as error:
        raise _DeadEndError(f"{error}; {_advice(beam_size, threshold, knn)}") from None


def guided_tour(cities: ArrayLike, log_heatmap: ArrayLike, beam_size: int = 1000) -> NDArray[np.int64]:
    """The tour of a heatmap of a network, (n,): edges above :data:`THRESHOLD`, all where these make no tour.

    Args:
        cities: (n, 2).
        log_heatmap: Log-probabilities of edges, (n, n).
        beam_size: Partial tours that are kept after each step.

    Raises:
        SymbenchError: The input is wrong, see :func:`make_edges`.
    """
    try:
        return dpdp(cities, log_heatmap, beam_size=beam_size, threshold=THRESHOLD)
    except _DeadEndError:
        return dpdp(cities, log_heatmap, beam_size=beam_size)


class _DeadEndError(SymbenchError):
    """No allowed edge leads on."""


def beams(edges: Edges, beam_size: int, collapse_dominated: bool = True) -> Iterator[Beam]:
    """The beam after each of n-1 steps from city 0.

    Raises:
        SymbenchError: ``beam_size`` is below 1, or no allowed edge leads on.
    """
    if beam_size < 1:
        raise SymbenchError(f"beam_size must be at least 1, received {beam_size}")
    beam, steps = first_beam(edges), len(edges.lengths) - 1
    for step in range(steps):
        beam = expand(beam, edges, beam_size, collapse_dominated)
        if not len(beam.cost):
            raise _DeadEndError(f"the beam found no tour: no allowed edge leads on at step {step + 1} of {steps}")
        yield beam


def _read_back(found: list[Beam], edges: Edges) -> NDArray[np.int64]:
    """The tour of the last beam that is shortest with its way home."""
    tour = np.zeros(len(edges.lengths), np.int64)
    if not found:
        return tour
    last = found[-1]
    closed = np.where(edges.allowed[last.current, 0], last.cost + edges.lengths[last.current, 0], np.inf)
    state = int(np.argmin(closed))
    if closed[state] == np.inf:
        raise _DeadEndError("the beam found no tour: no allowed edge leads back to city 0")
    for step in reversed(range(len(found))):
        tour[step + 1] = found[step].current[state]
        state = int(found[step].parent[state])
    return tour


def _advice(beam_size: int, threshold: float | None, knn: int | None) -> str:
    relax = f"lower the threshold of {threshold:g}" if threshold is not None else f"take more neighbours than knn={knn}"
    return f"{relax}, or a beam_size above {beam_size}"
