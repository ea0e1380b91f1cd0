"""``run.json``: what a run directory holds and how it came about."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from symbench.errors import SymbenchError, one_line
from symbench.files import write_atomically
from symbench.runner.cell import digest_of
from symbench.runner.cell_id import CellId
from symbench.runner.store import DAMAGE, Store
from symbench.suites import Suite  # noqa: TC001  (pydantic reads the annotations)
from symbench.tasks import GapMetric, Metric, Task, get_task
from symbench.tasks.own_environments import code_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.runner.cell import Cell
    from symbench.runner.random_return import RandomReturn
    from symbench.runner.store import Record


def _is_cell_id(text: str) -> str:
    CellId.parse(text)
    return text


Id = Annotated[str, AfterValidator(_is_cell_id)]


class TaskFacts(BaseModel):
    """What a table needs to know about a task.

    Attributes:
        env_id: Gymnasium id.
        preprocessing: The task's own steps.
        random_return: Return that counts as 0 after normalisation; ``None`` if it could not be measured.
        reference_return: Return that counts as 1; ``None`` if none is known: scores are raw.
        source: Where both come from.
        episodes: Episodes a cell in the published protocol.
        kwargs: Arguments of ``gymnasium.make``.
        random_interval: 95% interval of the random return where it was measured for this run.
        observes: ``"sensors"``, ``"frames"`` or ``"entities"``: which conditions of the suite are meant for it.
        group: Name of its symmetry group, which decides the same; ``None`` if it has none.
        max_episode_steps: The longest episode, which decides what is redundant; ``None`` if not known or not limited.
        camera: ``"moves"`` if it does, which decides the same as ``group``.
        references: Name of the stored references of its instances, see :class:`~symbench.tasks.GapMetric`; or empty.
        code: What its environment's source was, see :func:`symbench.tasks.own_environments.code_of`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    env_id: str
    preprocessing: tuple[str, ...]
    random_return: float | None
    reference_return: float | None
    source: str
    episodes: int
    kwargs: dict[str, Any] = Field(default_factory=dict)
    random_interval: tuple[float, float] | None = None
    observes: str = "sensors"
    group: str | None = None
    max_episode_steps: int | None = None
    camera: str = "still"
    references: str = ""
    code: str | None = None

    @classmethod
    def of(cls, task: Task, suite: Suite, random: RandomReturn | SymbenchError | None = None) -> TaskFacts:
        """The facts of a task under the protocol of a suite.

        Args:
            task: The task.
            suite: The suite.
            random: What was measured for this run, or why it could not be.
        """
        metric = suite.metric_of(task)
        if isinstance(random, SymbenchError):
            metric = replace(metric, source=str(random))
        elif random is not None:
            metric = random.within(metric)
        return cls(
            env_id=task.env_id,
            kwargs=task.kwargs,
            code=code_of(task),
            camera=task.camera,
            preprocessing=task.preprocessing,
            random_return=metric.random_return,
            reference_return=metric.reference_return,
            random_interval=metric.random_interval,
            source=metric.source,
            episodes=suite.episodes or task.episodes,
            observes=task.observes,
            group=task.group,
            max_episode_steps=task.max_episode_steps,
            references=getattr(task.metric, "references", ""),
        )

    @property
    def metric(self) -> Metric:
        """From returns to scores."""
        constants = self.random_return, self.reference_return, self.source, self.random_interval
        return GapMetric(*constants, self.references) if self.references else Metric(*constants)


class Invocation(BaseModel):
    """One call of ``symbench run`` on this directory.

    Attributes:
        command: As typed.
        started: Local time with offset, ISO 8601.
        seconds: Wall time; ``None`` while it runs or when it was killed.
        evaluated: Cells evaluated by this call so far; the others were there.
        tasks: What it was to play.
        environment: Versions, commit, hardware, threads.
    """

    command: str
    started: str
    seconds: float | None = None
    evaluated: int = 0
    tasks: tuple[str, ...] = ()
    environment: dict[str, Any]


class Manifest(BaseModel):
    """The content of ``run.json``.

    Attributes:
        format: Version of this layout.
        suite: The suite, whole.
        tasks: Facts of each task that was played.
        cells: Cell id -> spec hash, in the order of the tables.
        skipped: Cell id -> why it makes no sense.
        redundant: ``TASK/PERTURBATION/LEVEL`` -> why nobody plays it there.
        outside: Cell id -> how many observations of the task were outside the space that it declares.
        failed: Cell id -> what went wrong when it was tried last.
        tensors: Digest of an agent's files -> that of the tensors in them, see :func:`symbench.zoo.tensor_digest`.
        invocations: The calls that made this directory.
    """

    format: Literal["symbench.run/1"] = "symbench.run/1"
    suite: Suite
    tasks: dict[str, TaskFacts] = Field(default_factory=dict)
    cells: dict[Id, str] = Field(default_factory=dict)
    skipped: dict[Id, str] = Field(default_factory=dict)
    redundant: dict[str, str] = Field(default_factory=dict)
    outside: dict[Id, int] = Field(default_factory=dict)
    failed: dict[Id, str] = Field(default_factory=dict)
    tensors: dict[str, str] = Field(default_factory=dict)
    invocations: list[Invocation] = Field(default_factory=list)

    @model_validator(mode="after")
    def _tasks_are_known(self) -> Manifest:
        strange = {_player(id)[0] for id in (*self.cells, *self.skipped)} - self.tasks.keys()
        if strange:
            raise ValueError(f"tasks: the facts of {', '.join(sorted(strange))} are missing")
        return self

    def add_task(self, name: str, random: RandomReturn | SymbenchError | None = None) -> None:
        """Record the facts of a task; ``random`` is what was measured, or why it could not be."""
        self.tasks[name] = TaskFacts.of(get_task(name), self.suite, random)

    def add_outside(self, record: Record) -> None:
        """Record whether the task of a cell left the space that it declares."""
        self.outside.pop(record.cell.id, None)
        if record.episodes.outside:
            self.outside[record.cell.id] = record.episodes.outside

    def forget_changed(self, cells: Sequence[Cell]) -> None:
        """Drop everything about agents that are no longer what they were, so that no table mixes old and new.

        Args:
            cells: What is to be evaluated. If the hash of one differs from the one here, its agent has changed in that
                task.
        """
        changed = {_player(cell.id) for cell in cells if self.cells.get(cell.id, cell.spec_hash) != cell.spec_hash}
        for ids in (self.cells, self.skipped, self.failed, self.outside):
            for id in [id for id in ids if _player(id) in changed]:
                del ids[id]

    def notes(self) -> list[str]:
        """What a user should know beside the tables, a line for each subject."""
        notes = []
        if self.redundant:
            levels = defaultdict[tuple[str, str], list[str]](list)
            for condition, reason in self.redundant.items():
                name, _, level = condition.rpartition("/")
                levels[name, reason].append(level)
            left_out = (f"{name}/{', '.join(of_name)}: {reason}" for (name, reason), of_name in levels.items())
            notes.append(f"left out: {'; '.join(left_out)}")
        if self.outside:
            worst = max(self.outside, key=lambda id: self.outside[id])
            notes.append(
                f"observations outside the space that the task declares were counted in {len(self.outside)} cells, "
                f"most in {worst}: {self.outside[worst]}"
            )
        return notes

    def save(self, store: Store) -> None:
        """Write the file, with a checksum.

        Raises:
            SymbenchError: It cannot be written.
        """
        data = self.model_dump(mode="json")
        text = json.dumps(data | {"checksum": digest_of(data)}, indent=2, ensure_ascii=False)
        try:
            write_atomically(store.manifest, text + "\n")
        except OSError as error:
            raise SymbenchError(f"cannot write {store.manifest} ({error.strerror})") from error


def _player(cell_id: str) -> tuple[str, str]:
    """Task and agent of a cell."""
    parsed = CellId.parse(cell_id)
    return parsed.task, parsed.agent


def load_manifest(directory: Path) -> Manifest:
    """Read ``run.json``.

    Raises:
        SymbenchError: The directory holds no run, or the file is damaged.
    """
    path = Store(directory).manifest
    try:
        return Manifest.model_validate(_unchanged(json.loads(path.read_text(encoding="utf-8"))))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SymbenchError(f"{str(directory)!r} holds no run: there is no run.json{_near(directory)}") from error
    except OSError as error:
        raise SymbenchError(f"{path} cannot be read ({error.strerror}); give another directory") from error
    except DAMAGE as error:
        raise SymbenchError(
            f"{path} is damaged ({one_line(error)[:120]}); delete it and run again, which finds the cells, "
            "or give another directory"
        ) from error


def _near(directory: Path) -> str:
    """Runs inside it, or beside it with names like its own; ``--quick`` writes into ``NAME-quick``."""
    if inside := sorted(path.parent for path in directory.glob("*/run.json")):
        return f"; it holds {', '.join(repr(str(each)) for each in inside[:3])}{', ...' if len(inside) > 3 else ''}"
    beside = {path.parent.name: path.parent for path in directory.parent.glob("*/run.json")}
    longer = [name for name in sorted(beside) if name.startswith(directory.name)]
    near = longer[:3] or get_close_matches(directory.name, beside, n=3)
    return f"; did you mean {' or '.join(repr(str(beside[name])) for name in near)}?" if near else ""


def _unchanged(data: Any) -> Any:
    """The data without their checksum; ValueError if it is not theirs. Earlier versions of symbench wrote none."""
    checksum = data.pop("checksum", None)
    if checksum not in (None, digest_of(data)):
        raise ValueError("changed after it was written")
    return data
