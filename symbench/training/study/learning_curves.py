"""What the learning curves of a study say: quantiles over training runs, area under the curve, steps to a threshold.

The unit of replication is the training run (Agarwal et al. 2021, arXiv 2108.13264). Intervals are over runs, those
of interquartile means as in :mod:`symbench.leaderboard.bootstrap`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binom

from symbench.errors import SymbenchError
from symbench.leaderboard.bootstrap import CONFIDENCE, UNDEFINED, Estimate, estimate_over_runs, iqm
from symbench.training.study.run_study import read_run

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.training.study.study_schema import Study

    Array = NDArray[np.float64]

QUANTILES = (0.25, 0.5, 0.75)
_SEED = 0  # of the resamples


@dataclass(frozen=True)
class Curves:
    """The learning curves of one arm.

    Attributes:
        arm: Its name.
        parameters: Of its network.
        steps: Environment steps at each measurement, (P,), from 0.
        returns: Mean return of each run at each measurement, (R, P).
    """

    arm: str
    parameters: int
    steps: NDArray[np.int64]
    returns: Array

    @property
    def quantiles(self) -> Array:
        """25%, 50% and 75% over runs, (3, P), as the published figures show them."""
        quantiles: Array = np.quantile(self.returns, QUANTILES, axis=0)
        return quantiles

    @property
    def areas(self) -> Array:
        """Area under each run's curve divided by its length, i.e. the mean return over training, (R,).

        Of a run that is over before it is measured again, what it began with.
        """
        if len(self.steps) == 1:
            return self.returns[:, 0]
        between = (self.returns[:, 1:] + self.returns[:, :-1]) / 2
        areas: Array = np.average(between, axis=1, weights=np.diff(self.steps))
        return areas

    def steps_to(self, threshold: float) -> Array:
        """Steps at the first measurement of each run that reaches ``threshold``, (R,); infinite if none does."""
        reached = self.returns >= threshold
        first = self.steps[reached.argmax(axis=1)].astype(np.float64)
        return np.where(reached.any(axis=1), first, np.inf)


@dataclass(frozen=True)
class Summary:
    """What a table says about one arm; intervals are 95%, none with fewer than five runs (six for medians).

    Attributes:
        arm: Its name.
        runs: Number of training runs.
        parameters: Of its network.
        area: Interquartile mean over runs of the mean return over training.
        last: The same of the last measurement.
        reached: Share of runs that reached the threshold.
        steps: Median steps to the threshold; a run that never reaches it counts with all its steps, so that this is a
            lower bound where ``reached`` is below 1.
        median_curve: Steps at which the median curve reaches the threshold, as the published figures are read.
    """

    arm: str
    runs: int
    parameters: int
    area: Estimate
    last: Estimate
    reached: float
    steps: Estimate
    median_curve: float


def read_curves(study: Study, out: Path) -> list[Curves]:
    """The curves of all arms that have runs in a study's folder, of the first ``study.seeds`` runs each.

    Raises:
        SymbenchError: There is no run, or one was made with other settings.
    """
    found = [curves for arm in study.arms if (curves := _curves_of(study, out, arm.name)) is not None]
    if not found:
        raise SymbenchError(f"{out} holds no runs of study {study.name}; train them first")
    return found


def _curves_of(study: Study, out: Path, arm: str) -> Curves | None:
    runs = runs_of(study, out, arm)
    if not runs:
        return None
    return Curves(arm, runs[0]["parameters"], np.array(runs[0]["steps"]), np.array([run["returns"] for run in runs]))


def runs_of(study: Study, out: Path, arm: str) -> list[dict[str, Any]]:
    """The data of an arm's runs in a study's folder, of the first ``study.seeds`` at most.

    Raises:
        SymbenchError: One was made with other settings.
    """
    paths = [path for seed in range(study.seeds) if (path := out / arm / f"s{seed}.json").exists()]
    runs = [read_run(path) for path in paths]
    for path, run in zip(paths, runs, strict=True):
        if run["digest"] != study.digest(study.arm(arm)):
            raise SymbenchError(f"{path} was made with other settings of study {study.name}; choose another --out")
    return runs


def summarise(curves: Curves, threshold: float) -> Summary:
    """The line of one arm."""
    steps = curves.steps_to(threshold)
    within = np.minimum(steps, curves.steps[-1])
    median = Curves(curves.arm, curves.parameters, curves.steps, curves.quantiles[1:2])
    return Summary(
        arm=curves.arm,
        runs=len(curves.returns),
        parameters=curves.parameters,
        area=estimate_over_runs(curves.areas, iqm, _SEED),
        last=estimate_over_runs(curves.returns[:, -1], iqm, _SEED),
        reached=float(np.isfinite(steps).mean()),
        steps=_median(within),
        median_curve=float(median.steps_to(threshold)[0]),
    )


def _median(values: Array) -> Estimate:
    """The median with its distribution-free 95% interval, whose ends are values; there is none below six runs."""
    ordered, runs = np.sort(values), len(values)
    outside = int(binom.ppf((1 - CONFIDENCE) / 2, runs, 0.5))  # fewer than so many values are below the true median
    ends = (ordered[outside - 1], ordered[runs - outside]) if outside else UNDEFINED[1:]
    return Estimate(float(np.median(values)), *map(float, ends))
