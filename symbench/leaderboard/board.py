"""Boards: the submissions to one suite and one task, ranked where they can be."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from symbench.envs.tasks import get_task
from symbench.errors import SymbenchError
from symbench.leaderboard import board_text
from symbench.leaderboard.board_statistics import REPETITIONS, estimate, iqm_draws, ranks, retention_matrix
from symbench.leaderboard.statistics import UNDEFINED, Estimate, iqm
from symbench.leaderboard.text import RANKED_FROM
from symbench.leaderboard.validate import Submission, validate
from symbench.runner.store import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from symbench.leaderboard.schema import Card, TaskEntry

    Array = NDArray[np.float64]

SUBMISSIONS, VERIFIED = "submissions", "verified.json"


class Verified(BaseModel):
    """That a maintainer has played cells of a submission again, and got the same.

    Attributes:
        digest: SHA-256 of the submission's files; another submission of that name is not verified.
        date: When.
        cells: Which.
        difference: Largest difference of a cell's mean normalised score.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    date: str
    cells: list[str]
    difference: float


@dataclass(frozen=True)
class Line:
    """One submission in one task.

    Attributes:
        submission: What was submitted.
        entry: Of its metadata, the task's.
        episodes: Episodes a cell.
        clean_return: Mean return without perturbation.
        clean: Normalised score without perturbation, IQM over training runs.
        retention: Share of it that is left, IQM over training runs and perturbed conditions.
        kept: Condition -> the same for one condition.
        verified: Whether cells of it were played again by a maintainer.
        rank: From 1; tied agents share one; ``None`` if it is not ranked.
    """

    submission: Submission
    entry: TaskEntry
    episodes: int
    clean_return: float
    clean: Estimate
    retention: Estimate
    kept: Mapping[str, float]
    verified: bool
    rank: int | None = None

    @property
    def card(self) -> Card:
        """Its metadata."""
        return self.submission.card

    @property
    def runs(self) -> int:
        """Number of training runs."""
        return len(self.entry.runs)


@dataclass(frozen=True)
class Board:
    """Lines of one suite and task, verified ones first, each part from best to worst, unranked last."""

    suite: str
    task: str
    lines: Sequence[Line]


def make_boards(
    submissions: Sequence[Submission], verified: Mapping[str, Verified], repetitions: int = REPETITIONS
) -> list[Board]:
    """One board for each suite and task, in the order of their names.

    Args:
        submissions: Any number.
        verified: Name of a submission -> what is known about its verification.
        repetitions: Of every bootstrap.
    """
    places = sorted({(each.card.suite, task) for each in submissions for task in each.card.tasks})
    return [_board(suite, task, submissions, verified, repetitions) for suite, task in places]


def read_boards(folder: Path, repetitions: int = REPETITIONS) -> list[Board]:
    """The boards of a folder with ``submissions/`` and ``verified.json``.

    Raises:
        SymbenchError: A submission breaks a rule, or a file cannot be read.
    """
    if not (folder / SUBMISSIONS).is_dir():
        raise SymbenchError(f"{str(folder)!r} holds no leaderboard: there is no folder {SUBMISSIONS!r}")
    submissions, problems = validate([folder / SUBMISSIONS])
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise SymbenchError(f"{problems[0]}{more}; see symbench validate {folder / SUBMISSIONS}")
    return make_boards(submissions, read_verified(folder / VERIFIED), repetitions)


def read_verified(file: Path) -> dict[str, Verified]:
    """What maintainers have verified; nothing if there is no file.

    Raises:
        SymbenchError: The file is damaged.
    """
    if not file.exists():
        return {}
    try:
        return TypeAdapter(dict[str, Verified]).validate_python(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        raise SymbenchError(f"{file} is damaged ({' '.join(str(error).split())[:120]})") from error


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


def run_scores(submission: Submission, task: str, condition: str) -> Array:
    """Mean normalised score of each training run, (R,); 0, i.e. random play, where the agent cannot act."""
    if condition in submission.card.tasks[task].cannot_act:
        return np.zeros(len(submission.card.tasks[task].runs))
    scores: Array = get_task(task).normalise(submission.returns(task, condition)).mean(axis=1)
    return scores


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _board(
    suite: str, task: str, submissions: Sequence[Submission], verified: Mapping[str, Verified], repetitions: int
) -> Board:
    lines: list[Line] = []
    mine = [each for each in submissions if each.card.suite == suite and task in each.card.tasks]
    for of in (True, False):
        part = [each for each in mine if _is_verified(each, verified) == of]
        lines += _ranked([_line(each, task, of, repetitions) for each in part])
    return Board(suite, task, lines)


def _is_verified(submission: Submission, verified: Mapping[str, Verified]) -> bool:
    known = verified.get(submission.card.name)
    return known is not None and known.digest == submission.digest


def _ranked(lines: Sequence[tuple[Line, Array]]) -> list[Line]:
    """Lines in order and with ranks."""
    ordered = sorted(lines, key=lambda pair: _order(pair[0]))
    ranked = [pair for pair in ordered if _can_be_ranked(pair[0])]
    places = ranks([draws for _, draws in ranked])
    with_rank = [replace(line, rank=place) for (line, _), place in zip(ranked, places, strict=True)]
    return [*with_rank, *(line for line, _ in ordered if not _can_be_ranked(line))]


def _can_be_ranked(line: Line) -> bool:
    return line.runs >= RANKED_FROM and not math.isnan(line.retention.value)


def _order(line: Line) -> tuple[bool, float, float, str]:
    """Best retention first; the clean score, then the name decide between equals; undefined ones last."""
    undefined = math.isnan(line.retention.value)
    return undefined, 0 if undefined else -line.retention.value, -line.clean.value, line.card.name


def _line(submission: Submission, task: str, verified: bool, repetitions: int) -> tuple[Line, Array]:
    """A line without rank, and the bootstrap distribution of its retention."""
    suite, entry = submission.suite, submission.card.tasks[task]
    conditions = [each.id for each in suite.distinct(get_task(task)) if not each.baseline]
    scores = {condition: run_scores(submission, task, condition) for condition in (suite.baseline.id, *conditions)}
    clean, returns = scores[suite.baseline.id], submission.returns(task, suite.baseline.id)
    rng = np.random.default_rng([suite.seed, *submission.card.name.encode()])
    shares = retention_matrix(clean, np.stack([scores[condition] for condition in conditions], axis=1))
    draws = iqm_draws(clean[:, None], rng, repetitions)
    line = Line(
        submission=submission,
        entry=entry,
        episodes=returns.shape[1],
        clean_return=float(returns.mean()),
        clean=estimate(clean[:, None], draws),
        retention=UNDEFINED,
        kept={},
        verified=verified,
    )
    if shares is None:
        return line, draws
    draws = iqm_draws(shares, rng, repetitions)
    kept = {condition: float(iqm(shares[:, column])) for column, condition in enumerate(conditions)}
    return replace(line, retention=estimate(shares, draws), kept=kept), draws
