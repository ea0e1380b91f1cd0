"""Boards: the submissions to one suite and one task, ranked where they can be."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.leaderboard import board_text
from symbench.leaderboard.board_statistics import Contender, contender, ranks
from symbench.leaderboard.bootstrap import (
    RANKED_FROM,
    UNDEFINED,
    Estimate,
    crossed,
    estimate,
    interval_over,
    iqm,
)
from symbench.leaderboard.gaps import gap_draws, mean_gap, ranked_by_gap, submitted_gaps
from symbench.leaderboard.retention import ALL_OF_IT, has_learned, retention_on_a_board, score, shares
from symbench.leaderboard.signatures import SIGNERS, signed
from symbench.leaderboard.validate import Submission, validate
from symbench.leaderboard.verified import VERIFIED, is_verified, read_verified
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.leaderboard.submission_schema import Card, TaskEntry
    from symbench.leaderboard.verified import Verified
    from symbench.suites import Perturbation, Suite

    Array = NDArray[np.float64]

SUBMISSIONS = "submissions"


@dataclass(frozen=True)
class Line:
    """One submission in one task.

    Attributes:
        submission: What was submitted.
        entry: Of its metadata, the task's.
        episodes: Episodes a cell.
        clean_return: Mean return without perturbation.
        clean: Normalised score without perturbation, IQM over training runs.
        score: The same under perturbation, mean over perturbed conditions of the IQM over training runs.
        scores: Condition -> the IQM over training runs, whose mean that is.
        retention: Share of the clean score that is left, the same mean; all of it at most.
        kept: Condition -> the IQM over training runs, whose mean that is.
        bar: The clean score near the best known, see :meth:`symbench.suites.Suite.bar`.
        verified: Whether cells of it were played again by a maintainer.
        rank: From 1; tied agents share one; ``None`` if it is not ranked.
        gap: Mean over all conditions of the gap in %, of tasks that are ranked by it, see
            :mod:`symbench.leaderboard.gaps`.
        gaps: Condition -> the IQM over training runs, whose mean that is; empty in other tasks.
    """

    submission: Submission
    entry: TaskEntry
    episodes: int
    clean_return: float
    clean: Estimate
    score: Estimate
    scores: Mapping[str, float]
    retention: Estimate
    kept: Mapping[str, float]
    bar: float
    verified: bool
    rank: int | None = None
    gap: Estimate = UNDEFINED
    gaps: Mapping[str, float] = field(default_factory=dict)

    @property
    def card(self) -> Card:
        """Its metadata."""
        return self.submission.card

    @property
    def runs(self) -> int:
        """Number of training runs."""
        return len(self.entry.runs)

    @property
    def interval_over(self) -> str:
        """What its intervals are over, see :func:`~symbench.leaderboard.bootstrap.interval_over`."""
        return interval_over(self.runs, self.episodes)

    @property
    def below_the_bar(self) -> bool:
        """Whether it has a retention that is a share of too little: it is not near the best without perturbation."""
        return bool(self.kept) and self.clean.value < self.bar

    @property
    def worst(self) -> str:
        """The condition of the largest gap, or of the lowest score."""
        if self.gaps:
            return max(self.gaps, key=lambda condition: self.gaps[condition])
        return min(self.scores, key=lambda condition: self.scores[condition])

    @property
    def ranked_by(self) -> float:
        """What it is ranked by, more is better; it does not rise where one of its returns falls."""
        return -self.gap.value if self.gaps else self.score.value


@dataclass(frozen=True)
class Board:
    """Lines of one suite and task, verified ones first, each part from best to worst, unranked last."""

    suite: str
    task: str
    lines: Sequence[Line]

    @property
    def by_gap(self) -> bool:
        """Whether it ranks by the gap to references, less is better, instead of by the score under perturbation."""
        return ranked_by_gap(self.task)


def make_boards(submissions: Sequence[Submission], verified: Mapping[str, Verified]) -> list[Board]:
    """One board for each suite and task, in the order of their names.

    Args:
        submissions: Any number.
        verified: Name of a submission -> what is known about its verification.
    """
    places = sorted({(each.card.suite, task) for each in submissions for task in each.card.tasks})
    return [_board(suite, task, submissions, verified) for suite, task in places]


def read_boards(folder: Path) -> list[Board]:
    """The boards of a folder with ``submissions/``, ``verified.json`` and ``allowed_signers``.

    Raises:
        SymbenchError: A submission breaks a rule, a file cannot be read, or signatures cannot be checked here.
    """
    if not (folder / SUBMISSIONS).is_dir():
        raise SymbenchError(f"{str(folder)!r} holds no leaderboard: there is no folder {SUBMISSIONS!r}")
    submissions, problems = validate([folder / SUBMISSIONS])
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise SymbenchError(f"{problems[0]}{more}; see symbench validate {folder / SUBMISSIONS}")
    return make_boards(submissions, signed(read_verified(folder / VERIFIED), folder / SIGNERS))


def tables(boards: Sequence[Board]) -> dict[str, str]:
    """File name -> content of the tables made of boards."""
    return {"LEADERBOARD.md": board_text.markdown(boards), "leaderboard.csv": board_text.csv(boards)}


def write_tables(folder: Path) -> list[Board]:
    """Make the tables of a folder again.

    Raises:
        SymbenchError: As :func:`read_boards`, or a file cannot be written.
    """
    boards = read_boards(folder)
    for name, content in tables(boards).items():
        try:
            write_atomically(folder / name, content)
        except OSError as error:
            raise SymbenchError(f"cannot write {folder / name} ({error.strerror})") from error
    return boards


def stale_tables(folder: Path) -> list[str]:
    """Names of the tables that are missing or are not those of the submissions.

    Raises:
        SymbenchError: As :func:`read_boards`.
    """
    contents = tables(read_boards(folder)).items()
    return [name for name, content in contents if _content(folder / name) != content]


def conditions_of(suite: Suite, task: str) -> tuple[Perturbation, ...]:
    """The conditions that count on the board of a task, the one without perturbation among them."""
    return suite.distinct(get_task(task))


def normalised(submission: Submission, task: str, condition: str) -> Array:
    """Normalised returns, (R, E); 0, i.e. random play, where the agent cannot act."""
    if condition in submission.card.tasks[task].cannot_act:
        return np.zeros_like(submission.returns(task, submission.suite.baseline.id))
    scores: Array = get_task(task).metric.normalise(submission.returns(task, condition))
    return scores


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _board(suite: str, task: str, submissions: Sequence[Submission], verified: Mapping[str, Verified]) -> Board:
    lines: list[Line] = []
    mine = [each for each in submissions if each.card.suite == suite and task in each.card.tasks]
    for of in (True, False):
        part = [each for each in mine if is_verified(each, verified) == of]
        lines += _ranked([_line(each, task, of) for each in part])
    return Board(suite, task, lines)


def _ranked(lines: Sequence[tuple[Line, Contender]]) -> list[Line]:
    """Lines in order and with ranks; the clean score, then the name decide between equals."""
    ordered = sorted(lines, key=lambda pair: (-pair[0].ranked_by, -pair[0].clean.value, pair[0].card.name))
    ranked = [(line, drawn) for line, drawn in ordered if line.runs >= RANKED_FROM]
    places = ranks([drawn for _, drawn in ranked])
    with_rank = [replace(line, rank=place) for (line, _), place in zip(ranked, places, strict=True)]
    return [*with_rank, *(line for line, _ in ordered if line.runs < RANKED_FROM)]


def _line(submission: Submission, task: str, verified: bool) -> tuple[Line, Contender]:
    """A line without rank, and draws of what it is ranked by."""
    suite, name = submission.suite, submission.card.name
    conditions = [each.id for each in conditions_of(suite, task) if not each.baseline]
    clean = normalised(submission, task, suite.baseline.id)
    perturbed = np.stack([normalised(submission, task, condition) for condition in conditions])
    of_runs = perturbed.mean(axis=-1)
    kept = iqm(shares(of_runs, clean.mean(axis=-1), ALL_OF_IT)).tolist() if has_learned(clean) else []
    line = Line(
        submission=submission,
        entry=submission.card.tasks[task],
        episodes=clean.shape[1],
        clean_return=float(submission.returns(task, suite.baseline.id).mean()),
        clean=score(clean, suite.seed, name),
        score=estimate(crossed(perturbed, suite.seed, name)),
        scores=dict(zip(conditions, iqm(of_runs).tolist(), strict=True)),
        retention=retention_on_a_board(perturbed, clean, suite.seed, name),
        kept=dict(zip(conditions, kept, strict=False)),
        bar=suite.bar(task),
        verified=verified,
    )
    return _with_gap(line, task) if ranked_by_gap(task) else (line, contender(perturbed, suite.seed))


def _with_gap(line: Line, task: str) -> tuple[Line, Contender]:
    """The line of a task that is ranked by gaps: all conditions count equally, that without perturbation too."""
    submission = line.submission
    conditions = [each.id for each in conditions_of(submission.suite, task)]
    gaps = submitted_gaps(submission, task, conditions)
    gap = mean_gap(gap_draws(gaps, submission.suite.seed, line.card.name))
    of_conditions = dict(zip(conditions, iqm(gaps.mean(axis=-1)).tolist(), strict=True))
    return replace(line, gap=gap, gaps=of_conditions), contender(-gaps, submission.suite.seed)
