"""What maintainers have played again and found to be the same: the entries of ``verified.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from symbench.errors import SymbenchError
from symbench.files import write_atomically
from symbench.leaderboard.submission_problems import shown
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from symbench.leaderboard.validate import Submission

VERIFIED = "verified.json"

LEAST_CONFIDENCE: Final = 0.95
"""A submission counts as verified from this confidence on that 5% doctored cells would have been found."""


class Verified(BaseModel):
    """That a maintainer has played cells of a submission again, and got the same.

    Attributes:
        digest: SHA-256 of the submission's files; another submission of that name is not verified.
        date: When.
        cells: Which were played again.
        of: How many there are; 0 in entries from before 0.2, which did not say.
        confidence: How likely a doctored cell is among those played, if 5% of a task's, at least one, are doctored, in
            the task where that is least (in entries until 2026-11-29, 5% of all tasks' together). Below
            :data:`LEAST_CONFIDENCE`, as in entries from before 0.2, the submission is not verified.
        difference: Largest difference of a cell's mean normalised score.
        identical: Smallest share of a cell's episodes that were the same to the last bit.
        fresh_cells: Which were played with fresh seeds too, and had scores of the same distribution.
        fresh_key: Key of these seeds, which was secret until then; see :mod:`symbench.runner.seeds`.
        fresh_seed: The first of these seeds, in entries that have no key: they followed one another.
        signature: Of a maintainer, over everything else and the submission's name; see
            :mod:`symbench.leaderboard.signatures`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    date: str
    cells: list[str]
    of: int = 0
    confidence: float = 0.0
    difference: float
    identical: float = 0.0
    fresh_cells: list[str] = []
    fresh_key: str | None = None
    fresh_seed: int | None = None
    signature: str | None = None


def is_verified(submission: Submission, entries: Mapping[str, Verified]) -> bool:
    """Whether one of the entries, by names of submissions, is for exactly these files and of enough cells."""
    known = entries.get(submission.card.name)
    return known is not None and known.digest == submission.digest and doubt(known, submission) is None


def too_little(entry: Verified) -> str | None:
    """Why an entry does not count although nothing was found; ``None`` if it does."""
    if entry.confidence >= LEAST_CONFIDENCE:
        return None
    return (
        f"{len(entry.cells)} cells were played again, which find 5% doctored ones with a confidence of "
        f"{entry.confidence:.2f}; {LEAST_CONFIDENCE:g} is asked for: verify it anew, without --cells"
    )


def doubt(entry: Verified, submission: Submission) -> str | None:
    """Why an entry of these files does not count; ``None`` if it does."""
    return too_little(entry) or _contradiction(entry, submission)


def _contradiction(entry: Verified, submission: Submission) -> str | None:
    """What an entry says that cannot be of a submission; ``None`` if nothing does.

    It may come from a machine where the code of an agent ran, which could have written it.
    """
    from symbench.leaderboard.verify_draw import least_confidence

    there = cells_of(submission)
    if strange := [cell for cell in (*entry.cells, *entry.fresh_cells) if cell not in there]:
        return f"{shown(strange[0], 200)} is no cell of the submission"
    if len(set(entry.cells)) < len(entry.cells):
        return "a cell is there twice"
    if entry.of != len(there):
        return f"the submission has {len(there)} cells, not {entry.of}"
    if entry.confidence > (found := round(least_confidence(entry.cells, there), 4)):
        return f"{len(entry.cells)} of {entry.of} cells give a confidence of {found:g}, not of {entry.confidence:g}"
    return None


def cells_of(submission: Submission) -> set[str]:
    """Ids of the cells that can be played again; a condition that is another one again never is."""
    card, suite = submission.card, submission.suite
    played = {(task, condition.id) for task in card.tasks for condition in suite.distinct(get_task(task))}
    return {
        f"{card.suite}/{task}/{name}/{level}/{card.name}/s{run}"
        for task, name, level, run in submission.cells
        if (task, f"{name}/{level}") in played
    }


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


def write_verified(file: Path, entries: Mapping[str, Verified]) -> None:
    """Write all entries, in the order of their names.

    Raises:
        SymbenchError: The file cannot be written.
    """
    content = TypeAdapter(dict[str, Verified]).dump_json(dict(sorted(entries.items())), indent=2).decode()
    try:
        write_atomically(file, content + "\n")
    except OSError as error:
        raise SymbenchError(f"cannot write {file} ({error.strerror})") from error
