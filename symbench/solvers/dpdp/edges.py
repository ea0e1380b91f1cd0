"""What a beam knows of the edges of an instance: lengths, scores, which may be used, and what is left to gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from symbench.envs.routing.tours import distances
from symbench.errors import SymbenchError, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

SCORES: Final = ("heatmap", "heatmap_potential", "heatmap_logp", "cost", "costheatmap", "costheatmap_potential")
"""What a beam keeps the best of: see :func:`make_edges`."""
_NEAR_START = 0.1  # how much less it counts to have left cities that are far from the start, as published


class Edges(NamedTuple):
    """All edges of an instance of n cities.

    Attributes:
        lengths: (n, n) float64.
        scores: (n, n) float64, the less the better.
        allowed: (n, n) bool.
        weights: W[i, j], what is left to gain by an edge from i to j while both are to be visited, (n, n) float64; 0
            where the score has no potential.
    """

    lengths: Floats
    scores: Floats
    allowed: NDArray[np.bool_]
    weights: Floats


def make_edges(
    cities: ArrayLike,
    log_heatmap: ArrayLike | None = None,
    score: str = "heatmap_potential",
    threshold: float | None = None,
    knn: int | None = None,
) -> Edges:
    """Score edges and say which may be used.

    ``"heatmap"`` adds up -p of the edges of a path, ``"heatmap_logp"`` -log p, ``"cost"`` lengths. ``"costheatmap"`` is
    a heatmap of lengths, which needs no network: p_ij = 1 - d_ij / min(max_k d_ik, max_k d_kj). With ``"_potential"``
    the heat of edges among cities that are still to be visited counts too.

    Args:
        cities: (n, 2).
        log_heatmap: Log-probabilities of edges, (n, n); of (i, j) and (j, i) the greater is taken.
        score: One of :data:`SCORES`.
        threshold: Only edges that are more probable may be used; for ``"cost"`` without a heatmap, probable by length.
        knn: Only edges from or to one of the nearest neighbours of a city may be used.

    Raises:
        SymbenchError: Shapes do not fit, a number is missing, the score is unknown, or both ``threshold`` and ``knn``
            are given.
    """
    places = _cities(cities)
    if score not in SCORES:
        raise unknown("score", score, SCORES)
    if threshold is not None and knn is not None:
        raise SymbenchError("edges are chosen by threshold or by knn; set one of them to None")
    lengths = distances(places)
    heat = _heat(log_heatmap, lengths, score)
    weights = _weights(heat, lengths) if score.endswith("_potential") else np.zeros_like(lengths)
    return Edges(lengths, _scores(heat, lengths, score), _allowed(heat, lengths, threshold, knn), weights)


def _cities(cities: ArrayLike) -> Floats:
    places = np.asarray(cities, np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places) or not np.isfinite(places).all():
        raise SymbenchError(f"cities must be finite numbers of shape (n, 2), received shape {places.shape}")
    return places


def _heat(log_heatmap: ArrayLike | None, lengths: Floats, score: str) -> Floats:
    """p_ij, 0 for i = j."""
    if score.startswith("heatmap") or (score == "cost" and log_heatmap is not None):
        heat = _given_heat(log_heatmap, len(lengths), score)
    else:
        longest = lengths.max(axis=1)
        heat = 1 - lengths / np.maximum(np.minimum(longest[:, None], longest[None]), np.finfo(float).tiny)
    np.fill_diagonal(heat, 0.0)
    return heat


def _given_heat(log_heatmap: ArrayLike | None, n: int, score: str) -> Floats:
    if log_heatmap is None:
        raise SymbenchError(f"score {score!r} needs a heatmap; give one, or take 'cost' or 'costheatmap_potential'")
    log_p = np.array(log_heatmap, np.float64)
    if log_p.shape != (n, n):
        raise SymbenchError(f"the heatmap of {n} cities must have shape ({n}, {n}), received {log_p.shape}")
    np.fill_diagonal(log_p, -np.inf)
    if not (log_p <= 0).all():  # false for NaN too
        raise SymbenchError("a heatmap holds log-probabilities: numbers up to 0, no NaN")
    heat: Floats = np.exp(np.maximum(log_p, log_p.T))
    return heat


def _scores(heat: Floats, lengths: Floats, score: str) -> Floats:
    if score == "cost":
        return lengths
    if score == "heatmap_logp":
        with np.errstate(divide="ignore"):
            return -np.log(heat)
    return -heat


def _weights(heat: Floats, lengths: Floats) -> Floats:
    """A city's best heat, shared among the edges to it in proportion to their heat; less for cities far from city 0."""
    total = heat.sum(axis=0)
    share = heat / np.where(total > 0, total, 1.0)
    distance = lengths[0] / max(lengths[0].max(), np.finfo(float).tiny)
    weights: Floats = -share * heat.max(axis=0) * (1 - _NEAR_START * (distance - 0.5))
    return weights


def _allowed(heat: Floats, lengths: Floats, threshold: float | None, knn: int | None) -> NDArray[np.bool_]:
    others: NDArray[np.bool_] = ~np.eye(len(lengths), dtype=bool)
    if threshold is not None:
        return others & (heat > threshold)
    if knn is None:
        return others
    if knn < 1:
        raise SymbenchError(f"knn must be at least 1, received {knn}")
    nearest = np.argsort(np.where(others, lengths, np.inf), axis=1, kind="stable")[:, :knn]
    near: NDArray[np.bool_] = np.zeros_like(others)
    np.put_along_axis(near, nearest, True, axis=1)
    near |= near.T
    return others & near
