"""From returns to scores: 0 is random play, 1 the reference, as far as the two are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEASURED = "random: measured, docs/data/random-returns.csv"


@dataclass(frozen=True)
class Metric:
    """Affine between the return of random play and a reference; without a reference scores are raw returns.

    Attributes:
        random_return: Mean return of uniformly random actions; ``None`` if it is to be measured, or could not be.
        reference_return: The return that counts as 1; ``None`` if there is none that has a source.
        source: Where the constants come from.
        random_interval: 95% interval of the random return where it was measured for this run.
        ranked_by: What boards rank agents by: the score under perturbation, or the gap to references.
    """

    ranked_by: ClassVar[Literal["score", "gap"]] = "score"
    random_return: float | None = None
    reference_return: float | None = None
    source: str = ""
    random_interval: tuple[float, float] | None = None

    @property
    def normalised(self) -> bool:
        """Whether scores are between random play and a reference, so that tasks can be averaged."""
        return self.random_return is not None and self.reference_return is not None

    @property
    def scale(self) -> str:
        """What scores are: ``"normalised"``, or ``"raw"`` returns."""
        return "normalised" if self.normalised else "raw"

    @property
    def constants(self) -> tuple[float | None, float | None]:
        """Random and reference return."""
        return self.random_return, self.reference_return

    def score(self, returns: Any) -> Any:
        """What tables show: normalised returns, or the returns themselves without a reference."""
        return self._affine(returns) if self.normalised else returns

    def gain(self, returns: Any) -> Any:
        """What retention is the share of: the score, or what a return is above random play where there is no reference.

        Without a reference the unit is such that an agent reaches
        :data:`~symbench.leaderboard.retention.LEAST_CLEAN_SCORE` where it leaves the interval of random play.

        Returns:
            The same shape; ``None`` if the random return is not known.
        """
        if self.random_return is None:
            return None
        return self._affine(returns) if self.normalised else (returns - self.random_return) / self._unit()

    def normalise(self, returns: Any) -> Any:
        """Map returns so that random play is 0 and the reference is 1; both must be known."""
        return self._affine(returns)

    def _affine(self, returns: Any) -> Any:
        assert self.random_return is not None and self.reference_return is not None
        return (returns - self.random_return) / (self.reference_return - self.random_return)

    def _unit(self) -> float:
        """Twenty times what random play is uncertain by; a trifle where it always returns the same."""
        assert self.random_return is not None
        low, high = self.random_interval or (self.random_return, self.random_return)
        return max(20 * (high - low) / 2, 1e-6 * max(1.0, abs(self.random_return)))


@dataclass(frozen=True)
class GapMetric(Metric):
    """Affine as the others, with the mean length of reference tours as the reference; it also knows each instance's.

    Attributes:
        references: Name of the stored reference tours, see :mod:`symbench.solvers.reference_sets`.
    """

    ranked_by = "gap"
    references: str = ""

    def gaps(self, seeds: Any, returns: Any) -> NDArray[np.float64]:
        """How much longer tours are than the reference of the same instance, in %.

        Args:
            seeds: Of the episodes, (E,).
            returns: Minus lengths, (..., E).

        Returns:
            The shape of the returns; 0 is the reference, below it a better tour than the stored one.

        Raises:
            SymbenchError: There is no reference for one of the seeds.
        """
        from symbench.solvers.reference_sets import reference_set

        lengths = reference_set(self.references).lengths_of(seeds)
        gaps: NDArray[np.float64] = 100.0 * (-np.asarray(returns, np.float64) / lengths - 1.0)
        return gaps
