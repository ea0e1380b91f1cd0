"""What a suite is: tasks, the perturbations they are played under, and the protocol, as validated data."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveFloat, PrivateAttr, model_validator

from symbench.suites.redundancy import redundant
from symbench.suites.suite_tasks import Constants, canonical, split

if TYPE_CHECKING:
    from symbench.tasks import Metric, Task

if TYPE_CHECKING:
    from symbench import wrappers

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices of Windows
NEAR_THE_BEST: Final = 0.9
"""Share of the best known clean score from which on boards show retention without a mark."""

_LONGEST = 100  # characters of a name: file systems take 143 and more, tables far fewer


def check_file_name(name: str) -> str:
    """The name if directories may be called so on every system.

    Raises:
        ValueError: They may not.
    """
    if len(name) > _LONGEST:
        raise ValueError(f"a name has at most {_LONGEST} characters, received {len(name)}: '{name[:20]}...'")
    if RESERVED.fullmatch(name) or name.endswith("."):
        raise ValueError(f"Windows allows no file called {name!r}")
    return name


# Names become parts of cell ids and of file names, so they hold no slash, no space and no leading dot.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9+][A-Za-z0-9+._-]*$"), AfterValidator(check_file_name)]

TaskText = Annotated[str, AfterValidator(canonical)]


class Apply(BaseModel):
    """One wrapper and its parameters, as in ``{ wrapper = "ShuffleSensors", resample = 100 }``.

    Attributes:
        wrapper: Name of a perturbation, or ``"module:Name"`` of one of the user's own.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    wrapper: str
    _trust: bool = PrivateAttr(default=False)  # of whoever runs it, so no file can say it

    def trusting(self, trust: bool) -> Apply:
        """The same, whose wrapper may (not) be ``"module:Name"`` of the user's own code."""
        copy = self.model_copy()
        copy._trust = trust
        return copy

    def perturbation(self) -> type[wrappers.Perturbation]:
        """The class that ``wrapper`` names.

        Raises:
            SymbenchError: There is none, or it is code of the user's own and not trusted, or not the one it was.
        """
        from symbench.wrappers.registry import perturbation_of

        return perturbation_of(self.wrapper, self._trust)

    def explicit(self, parameters: dict[str, Any]) -> Apply:
        """The same wrapper, pinned to the present content of its source file, with all its parameters.

        Raises:
            SymbenchError: As :meth:`perturbation`.
        """
        from symbench.wrappers.registry import pinned

        return Apply(wrapper=pinned(self.wrapper, self._trust), **parameters).trusting(self._trust)

    @property
    def parameters(self) -> dict[str, Any]:
        """The keyword arguments of the wrapper: every key but ``wrapper``."""
        return dict(self.model_extra or {})

    def __str__(self) -> str:
        """The call that it stands for, e.g. ``ShuffleSensors(resample=100)``."""
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.parameters.items())
        name, pin, digest = self.wrapper.partition("#sha256=")
        return f"{name}{pin}{digest[:12]}({arguments})"


class Kind(Protocol):
    """What decides which conditions are meant for a task."""

    @property
    def observes(self) -> str:
        """``"sensors"`` or ``"frames"``."""

    @property
    def group(self) -> str | None:
        """Name of its symmetry group, e.g. ``"C2"``; ``None`` if it has none."""

    @property
    def max_episode_steps(self) -> int | None:
        """The longest episode there is; ``None`` if there is no limit."""

    @property
    def camera(self) -> str:
        """``"moves"`` if what is on the ground moves on the screen; else ``"still"``."""


class Perturbation(BaseModel):
    """One condition: a perturbation at one level.

    Attributes:
        name: What is done, e.g. ``"shuffle-sensors"``; the third part of a cell's id.
        level: How hard, e.g. ``"every-100"``; the fourth part of a cell's id and the column ``severity``.
        label: The same in words, for tables; made of name and level when not given.
        baseline: Whether retention is measured against this condition. One of a suite has it.
        observes: ``"sensors"``, ``"frames"`` or ``"entities"`` if it is meant for tasks with such observations only.
        group: Name of a symmetry group, e.g. ``"D4"``, if it is meant for tasks with this symmetry only.
        camera: ``"moves"`` if it is meant for tasks whose camera does only.
        apply: The wrappers from the environment outwards; none leaves the task as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    level: Name
    label: str = ""
    baseline: bool = False
    observes: Literal["sensors", "frames", "entities"] | None = None
    group: str | None = None
    camera: Literal["moves"] | None = None
    apply: tuple[Apply, ...] = ()

    @property
    def id(self) -> str:
        """Name and level, e.g. ``"shuffle-sensors/every-100"``."""
        return f"{self.name}/{self.level}"

    def trusting(self, trust: bool) -> Perturbation:
        """The same with steps that are :meth:`Apply.trusting`."""
        return self.model_copy(update={"apply": tuple(step.trusting(trust) for step in self.apply)})

    @property
    def title(self) -> str:
        """What tables call it."""
        return self.label or f"{self.name} {self.level}"


class Suite(BaseModel):
    """A list of conditions and the protocol under which agents are compared.

    A suite is never edited once numbers made with it are published: a change gets a new ``version``. Only what no
    number depends on may change: ``description``, ``played``, ``best_clean``, tasks that join ``tasks``, and conditions
    for kinds of tasks that none had before.

    Attributes:
        name: The first part of a cell's id.
        version: Printed with the name everywhere, as in ``shuffle@1``.
        description: One line for ``symbench list suites``.
        tasks: Names of tasks that the suite is meant for; any other task can be played, too, off the boards.
        constants: What the tables of ``[[tasks]]`` say of scores, by name of the task.
        played: Those of them that are played when none is asked for; none given, those with bundled agents.
        best_clean: Name of a task -> the best clean score that is known, normalised.
        seed: Episode ``e`` of every cell is played with environment seed ``seed + e``.
        episodes: Episodes a cell; ``None`` takes each task's own number.
        compare_with: The agent that the probability of improvement refers to, if it takes part.
        perturbations: The conditions, in the order of the tables.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    version: int = Field(ge=1)
    description: str
    tasks: tuple[TaskText, ...] = Field(min_length=1)
    constants: dict[str, Constants] = Field(default_factory=dict)
    played: tuple[TaskText, ...] = ()
    best_clean: dict[TaskText, PositiveFloat] = Field(default_factory=dict)
    seed: int = Field(ge=0)
    episodes: int | None = Field(default=None, ge=1)
    compare_with: str | None = None
    perturbations: tuple[Perturbation, ...] = Field(min_length=1)

    @property
    def tag(self) -> str:
        """Name and version, e.g. ``"shuffle@1"``."""
        return f"{self.name}@{self.version}"

    @property
    def protocol(self) -> Suite:
        """The suite without what no number depends on."""
        return self.model_copy(update={"description": "", "played": (), "best_clean": {}, "tasks": ()})

    def trusting(self, trust: bool) -> Suite:
        """The same with conditions whose steps are :meth:`Apply.trusting`."""
        return self.model_copy(update={"perturbations": tuple(each.trusting(trust) for each in self.perturbations)})

    def metric_of(self, task: Task) -> Metric:
        """From returns of a task to scores: the task's own constants unless the suite gives others."""
        given = self.constants.get(task.name) or self.constants.get(task.spelling) or Constants()
        metric = task.metric
        if given.reference_return is not None:
            metric = replace(metric, reference_return=given.reference_return, source=_source(metric, reference=True))
        if given.random_return == "measure":
            return replace(metric, random_return=None)
        if given.random_return is not None:
            return replace(metric, random_return=given.random_return, source=_source(metric, reference=False))
        return metric

    def bar(self, task: str) -> float:
        """The clean score, near the best known, from which on retention says something; 1 is the best if none is."""
        return NEAR_THE_BEST * self.best_clean.get(task, 1.0)

    def conditions(self, task: Kind) -> tuple[Perturbation, ...]:
        """The perturbations that are meant for a task of this kind."""
        return tuple(
            each
            for each in self.perturbations
            if each.observes in (None, task.observes)
            and each.group in (None, task.group)
            and each.camera in (None, task.camera)
        )

    def redundant(self, task: Kind) -> dict[str, str]:
        """Those of its :meth:`conditions` that are another one again in this task: id -> why."""
        return redundant(self.conditions(task), task.max_episode_steps)

    def distinct(self, task: Kind) -> tuple[Perturbation, ...]:
        """What is played in a task of this kind: its :meth:`conditions` without the redundant ones."""
        again = self.redundant(task)
        return tuple(each for each in self.conditions(task) if each.id not in again)

    @property
    def baseline(self) -> Perturbation:
        """The condition that retention refers to."""
        return next(perturbation for perturbation in self.perturbations if perturbation.baseline)

    @model_validator(mode="before")
    @classmethod
    def _tables_of_tasks(cls, data: Any) -> Any:
        return split(data) if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _conditions_are_distinct(self) -> Suite:
        repeated = [id for id, count in Counter(p.id for p in self.perturbations).items() if count > 1]
        if repeated:
            raise ValueError(f"name and level must be unique, received {', '.join(repeated)} more than once")
        return self

    @model_validator(mode="after")
    def _played_tasks_are_of_the_suite(self) -> Suite:
        strange = [task for task in self.played if task not in self.tasks]
        if strange:
            raise ValueError(f"played must name tasks of the suite, received {', '.join(strange)}")
        return self

    @model_validator(mode="after")
    def _one_baseline(self) -> Suite:
        baselines = [perturbation.id for perturbation in self.perturbations if perturbation.baseline]
        if len(baselines) != 1:
            received = ", ".join(baselines) or "none"
            raise ValueError(f"exactly one perturbation must have baseline = true, received {received}")
        return self


def _source(metric: Metric, reference: bool) -> str:
    """The source of constants of which the suite gives one."""
    random, _, other = metric.source.partition("; reference: ")
    return f"{random}; reference: the suite" if reference else f"random: the suite; reference: {other or 'none'}"
