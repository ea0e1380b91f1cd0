"""How much of the true state can be read off a code linearly: ridge regression, tested on episodes held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[Any]

PENALTIES: Final = tuple(10.0**power for power in range(-4, 5))
MOST: Final = 1500  # samples that a fit uses, spread over its episodes


def explained(features: Sequence[Array], states: Sequence[Array]) -> Array:
    """R^2 of each part of the state on held-out episodes.

    Of the episodes, the last fifth is for the test and the fifth before it chooses the penalty; at least one each.

    Args:
        features: For each episode (T, D).
        states: For each episode (T, K); NaN where a part is not there.

    Returns:
        Shape (K,); NaN for what is constant, or absent, in the test.

    Raises:
        SymbenchError: There are fewer than 3 episodes.
    """
    count, share = len(features), max(1, len(features) // 5)
    if count < 3:
        raise SymbenchError(f"a regression needs 3 episodes: to fit, to choose the penalty, to test; received {count}")
    fit, choose, test = slice(0, count - 2 * share), slice(count - 2 * share, count - share), slice(count - share, None)
    return np.array(
        [
            _explained(*((_rows(features[part], states[part], k)) for part in (fit, choose, test)))
            for k in range(states[0].shape[1])
        ]
    )


def _rows(features: Sequence[Array], states: Sequence[Array], part: int) -> tuple[Array, Array]:
    """The steps at which a part of the state is there, thinned out."""
    inputs, targets = np.concatenate(features), np.concatenate(states)[:, part]
    there = np.flatnonzero(np.isfinite(targets))
    there = there[:: max(1, -(-len(there) // MOST))]
    return inputs[there].astype(np.float64), targets[there]


def _explained(fit: tuple[Array, Array], choose: tuple[Array, Array], test: tuple[Array, Array]) -> float:
    if min(len(fit[1]), len(choose[1]), len(test[1])) < 2 or np.ptp(test[1]) == 0 or np.ptp(fit[1]) == 0:
        return float("nan")
    mean, scale = fit[0].mean(axis=0), fit[0].std(axis=0)
    scale[scale < 1e-9] = np.inf  # constant features say nothing
    inputs, chosen, tested = ((part[0] - mean) / scale for part in (fit, choose, test))
    # The smaller of the two matrices: features against features, or samples against samples.
    wide, offset = inputs.shape[1] > len(inputs), fit[1].mean()
    values, vectors = np.linalg.eigh(inputs @ inputs.T if wide else inputs.T @ inputs)
    target = fit[1] - offset if wide else inputs.T @ (fit[1] - offset)
    solved = [vectors @ (vectors.T @ target / (values.clip(0) + each * len(inputs))) for each in PENALTIES]
    weights = [inputs.T @ each if wide else each for each in solved]
    best = max(weights, key=lambda each: _r2(choose[1], chosen @ each + offset))
    return _r2(test[1], tested @ best + offset)


def _r2(truth: Array, predicted: Array) -> float:
    spread = float(np.square(truth - truth.mean()).sum())
    return 1.0 - float(np.square(truth - predicted).sum()) / spread if spread else float("-inf")
