"""What the teams of a study lose where the world is turned by 90, 180 or 270 degrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.bootstrap import Estimate, estimate_over_runs, mean
from symbench.runner.orientations import EQUAL
from symbench.training.study.learning_curves import runs_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.training.study.study_schema import Study

    Array = NDArray[np.float64]

DEGREES: Final = (0, 90, 180, 270)
_SEED: Final = 0  # of the resamples


@dataclass(frozen=True)
class Turned:
    """What the runs of one arm got in turned worlds.

    Attributes:
        arm: Its name.
        returns: Of each run in each orientation in each episode, (R, 4, E); every run and orientation has the same
            episodes, but for the turn.
        degrees: The orientations.
    """

    arm: str
    returns: Array
    degrees: tuple[int, ...] = DEGREES

    @property
    def means(self) -> Array:
        """Over episodes, (R, 4)."""
        means: Array = self.returns.mean(axis=2)
        return means

    @property
    def changes(self) -> Array:
        """How far each return is from that of the same episode as it was trained, (R, 4, E)."""
        changes: Array = np.abs(self.returns - self.returns[:, :1])
        return changes

    @property
    def trained(self) -> Estimate:
        """Return in the orientation of training: mean over runs, with its 95% interval from five runs on."""
        return estimate_over_runs(self.means[:, 0], mean, _SEED)

    @property
    def turned(self) -> Estimate:
        """The same in the three other orientations."""
        return estimate_over_runs(self.means[:, 1:].mean(axis=1), mean, _SEED)

    @property
    def loss(self) -> Estimate:
        """What each run has less in the others than in that of training: the same of the differences."""
        return estimate_over_runs(self.means[:, 0] - self.means[:, 1:].mean(axis=1), mean, _SEED)

    @property
    def changed(self) -> Array:
        """Share of the episodes of each run in each orientation that end with another return, (R, 4)."""
        changed: Array = (self.changes > EQUAL).mean(axis=2)
        return changed


def read_orientations(study: Study, out: Path) -> list[Turned]:
    """What the arms that have runs in a study's folder got, of the first ``study.seeds`` runs each.

    Raises:
        SymbenchError: The file of a run does not say it, or was made with other settings.
    """
    runs = {arm.name: runs_of(study, out, arm.name) for arm in study.arms}
    return [_turned(arm, found, study.orientation_episodes) for arm, found in runs.items() if found]


def _turned(arm: str, runs: list[dict[str, Any]], episodes: int) -> Turned:
    returns = [run.get("returns_by_orientation", []) for run in runs]
    if any(np.shape(each) != (len(DEGREES), episodes) for each in returns):
        raise SymbenchError(f"runs of arm {arm!r} lack returns by orientation; train them again with --no-resume")
    return Turned(arm, np.array(returns, np.float64))
