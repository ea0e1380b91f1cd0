"""What a submission is, as validated data: its metadata, its columns and the versions of both.

A submission is two files of one name: ``NAME.json``, described by :class:`Card`, and ``NAME.csv`` with one line per
episode under the columns :data:`COLUMNS`. A format that was published is never edited: a change raises
:data:`FORMAT` and adds a step to :data:`UPGRADES`, so that files of every earlier version are still read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from symbench.errors import SymbenchError
from symbench.leaderboard.plain_text import check_text
from symbench.suites.suite import RESERVED

FORMAT: Final = 3
COLUMNS: Final = ("task", "perturbation", "severity", "run", "seed", "return", "length", "terminated")

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


def _several_machines(data: dict[str, Any]) -> dict[str, Any]:
    """Format 1 had one machine, that of the last call of the run, and in it the date of that call."""
    machine = data.get("machine")
    if not isinstance(machine, dict) or {"date", "machines"} & data.keys():
        # No good file of format 1: without these keys it is none of the present format either, which says so.
        return {key: value for key, value in data.items() if key not in ("date", "machines")}
    others = {key: value for key, value in data.items() if key != "machine"}
    facts = {key: value for key, value in machine.items() if key != "date"}
    return {**others, **({"date": machine["date"]} if "date" in machine else {}), "machines": [facts]}


def _no_tensors(data: dict[str, Any]) -> dict[str, Any]:
    """Format 2 hashed the files of a training run, not its tensors, which a reader of it does not know."""
    return data


UPGRADES: Final[dict[int, Upgrade]] = {1: _several_machines, 2: _no_tensors}
"""``{version: step}``: each step turns the metadata of a version into that of the next one."""

MAX_CSV_BYTES: Final = 10_000_000  # 20 training runs of a suite with 7 conditions and 1000 episodes
MAX_JSON_BYTES: Final = 200_000
MAX_RUNS: Final = 100  # training runs a task
MAX_MACHINES: Final = 100
MAX_SEED: Final = 2**64 - 1  # what generators take
MAX_COUNT: Final = 10**9
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

# Lower case, so that no file system takes two names for one; no leading or trailing dot, no slash, no space.
_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def check_name(name: str) -> str:
    """The name if files may be called so.

    Raises:
        ValueError: It may not.
    """
    if len(name) > 64 or not _NAME.fullmatch(name) or RESERVED.fullmatch(name):
        raise ValueError(f"a name holds a-z and 0-9 with single . _ - between, at most 64 in all; received {name!a}")
    return name


def check_key(key: Any) -> Any:
    """The key if it is written as it is read, so that no two keys of a file are one.

    Raises:
        ValueError: It is written with other accents or spaces.
    """
    if isinstance(key, str) and check_text(key) != key:
        raise ValueError("a key with plain spaces, none at its ends, and accents as one character (NFC) is expected")
    return key


def check_date(date: str) -> str:
    """The date if it is a moment.

    Raises:
        ValueError: It is not one of ISO 8601 with its offset from UTC.
    """
    try:
        _moment(date)
    except (ValueError, OverflowError) as error:
        raise ValueError("ISO 8601 with an offset from UTC is expected, as 2026-11-28T22:02:09+00:00") from error
    return date


def _moment(date: str) -> datetime:
    if not _DATE.fullmatch(date):
        raise ValueError(date)
    return datetime.fromisoformat(date.replace("Z", "+00:00")).astimezone(timezone.utc)


Name = Annotated[str, AfterValidator(check_name)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(check_text)]
Key = Annotated[Text, BeforeValidator(check_key)]
Date = Annotated[str, AfterValidator(check_date)]
Link = Annotated[
    str,
    StringConstraints(
        max_length=300, pattern=r"^https?://[A-Za-z0-9][A-Za-z0-9.-]+(:[0-9]+)?([/?#][A-Za-z0-9./:_~%#?=&+@,-]*)?$"
    ),
]
Licence = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .+()/-]{0,63}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
SuiteTag = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9+][A-Za-z0-9+._-]*@[1-9][0-9]*$")]


class _Model(BaseModel):
    # Strict: "1" is no number and 1 no text, so that every reader of the file understands the same.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TrainingRun(_Model):
    """One training run of the agent in one task.

    Attributes:
        seed: Seed it was trained with; ``None`` if it is not known.
        weights: SHA-256 of its files, as the runner records it; ``None`` for random play, which has none.
        tensors: SHA-256 of its tensors (:func:`symbench.zoo.tensor_digest`); ``None`` where there are none, in code and
            in random play, and where they are not known: in submissions of formats 1 and 2.
    """

    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None
    weights: Digest | None
    tensors: Digest | None = None


class TaskEntry(_Model):
    """What was submitted for one task.

    Attributes:
        runs: The training runs; the column ``run`` counts them from 0.
        parameters: Number of parameters of one network.
        cannot_act: Condition (``"add-noise-channels/+5"``) -> why the agent cannot act under it. It counts as a
            retention of 0.
    """

    runs: Annotated[list[TrainingRun], Field(min_length=1, max_length=MAX_RUNS)]
    parameters: Annotated[int, Field(ge=0, le=10**12)]
    cannot_act: dict[Key, Text] = {}

    @model_validator(mode="after")
    def _runs_differ(self) -> TaskEntry:
        for what in ("seed", "weights", "tensors"):
            known = [value for run in self.runs if (value := getattr(run, what)) is not None]
            if len(set(known)) < len(known):
                raise ValueError(f"runs: two training runs have the same {what}; the same agent counts once")
        return self

    @model_validator(mode="after")
    def _only_random_play_has_no_weights(self) -> TaskEntry:
        random_play = TrainingRun(seed=None, weights=None)
        if any(run.weights is None for run in self.runs) and (self.runs != [random_play] or self.parameters):
            raise ValueError(
                "runs: only random play has weights null, and is one run with seed null and 0 parameters; "
                "give the SHA-256 of every other agent's files, as symbench submit does"
            )
        if not self.parameters and any(run.tensors for run in self.runs):
            raise ValueError("parameters: at least 1 is expected of an agent with tensors, received 0")
        return self


class Machine(_Model):
    """What cells were computed with.

    Attributes:
        symbench: Version.
        commit: Of the source checkout, with ``+changes`` if files differ from it; ``None`` when installed otherwise.
        python: Version.
        packages: Package -> version.
        platform: Operating system.
        cpu: Processor.
        cores: Number of its cores.
        arithmetic: What decides the last bits on it: instructions, BLAS, C library, variables that choose others. Empty
            where it is not known: in submissions of format 1.
        cells: How many cells of the submission it computed; ``None`` where it is not known, likewise.
    """

    symbench: Text
    commit: Text | None
    python: Text
    packages: dict[Key, Text]
    platform: Text
    cpu: Text
    cores: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None
    arithmetic: dict[Key, Text] = {}
    cells: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = None


class Scope(_Model):
    """What must be known to check a table.

    Attributes:
        format: Version of this layout.
        name: Name of the submission and of its files.
        suite: Suite and version, e.g. ``"shuffle@2"``.
        severities: Version of the table of severities.
        tasks: Task -> what was submitted for it.
    """

    format: int
    name: Name
    suite: SuiteTag
    severities: Annotated[int, Field(ge=1)]
    tasks: Annotated[dict[Key, TaskEntry], Field(min_length=1)]


class Card(Scope):
    """The content of ``NAME.json``: the :class:`Scope` and everything a reader wants to know.

    Attributes:
        description: One line.
        authors: Who trained the agent.
        paper: Link.
        code: Link.
        licence: Of weights and code, e.g. ``"MIT"``.
        training_data: What the agent has learned from: environments, conditions, steps, demonstrations.
        tolerance: Not used any more: who verifies says what is allowed. Files that name it are still read.
        date: When it was made, ISO 8601 with its offset from UTC; of format 1, when the last call of its run began.
        machines: What the numbers were computed with: one entry for all cells that were computed alike.
    """

    description: Text
    authors: Annotated[list[Text], Field(min_length=1, max_length=50)]
    paper: Link | None = None
    code: Link | None = None
    licence: Licence
    training_data: Text
    tolerance: Annotated[float, Field(ge=0, le=0.05)] = 0.01
    date: Date
    machines: Annotated[list[Machine], Field(min_length=1, max_length=MAX_MACHINES)]

    @property
    def instant(self) -> datetime:
        """The date in UTC."""
        return _moment(self.date)


def upgrade(data: Any) -> dict[str, Any]:
    """Metadata of any version that was ever published as those of the present one.

    Args:
        data: What the JSON file holds.

    Raises:
        SymbenchError: It is no object, or of a version that does not exist here.
    """
    if not isinstance(data, dict):
        raise SymbenchError(f"an object is expected, received {type(data).__name__}")
    version, known = data.get("format"), sorted({FORMAT, *UPGRADES})
    if type(version) is not int or version not in known:
        text = repr(version)[:40]
        raise SymbenchError(f"format: {' or '.join(map(str, known))} is expected, received {text}")
    found: dict[str, Any] = data
    for step in range(version, FORMAT):
        found = {**UPGRADES[step](found), "format": step + 1}
    return found
