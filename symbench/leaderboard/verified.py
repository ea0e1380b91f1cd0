"""What maintainers have played again and found to be the same: the entries of ``verified.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from symbench.errors import SymbenchError
from symbench.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from symbench.leaderboard.validate import Submission

VERIFIED = "verified.json"


class Verified(BaseModel):
    """That a maintainer has played cells of a submission again, and got the same.

    Attributes:
        digest: SHA-256 of the submission's files; another submission of that name is not verified.
        date: When.
        cells: Which.
        difference: Largest difference of a cell's mean normalised score.
        signature: Of a maintainer, over everything else and the submission's name; see
            :mod:`symbench.leaderboard.signatures`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    date: str
    cells: list[str]
    difference: float
    signature: str | None = None


def is_verified(submission: Submission, entries: Mapping[str, Verified]) -> bool:
    """Whether one of the entries, by names of submissions, is for exactly these files."""
    known = entries.get(submission.card.name)
    return known is not None and known.digest == submission.digest


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
