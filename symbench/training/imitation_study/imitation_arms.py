"""What a study of imitation says: the arms, each a recipe, and the conditions that they are measured under."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from symbench.errors import SymbenchError, unknown
from symbench.reading import TEXT_BYTES, brief, parse_toml, read
from symbench.suites.loader import load_suite
from symbench.suites.suite import Apply, Name, Perturbation  # noqa: TC001  (pydantic reads them)
from symbench.tasks import get_task
from symbench.training.recipe import Recipe


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImitationArm(_Data):
    """One of the students.

    Attributes:
        name: What figures, files and the agent's card call it.
        description: One line for the card.
        network: ``kind`` and parameters of the student.
        perturbations: Wrappers between task and student in training.
        algorithm: Settings of imitation that are this arm's own.
    """

    name: Name
    description: str
    network: dict[str, Any]
    perturbations: tuple[Apply, ...] = ()
    algorithm: dict[str, Any] = {}


class ImitationStudy(_Data):
    """What ``symbench study`` reads, of students of one teacher.

    Attributes:
        name: Name of the study.
        description: One line for ``symbench study --list``.
        task: Name of the task.
        suite: The suite whose conditions and episodes are measured.
        levels: Levels of its conditions, e.g. ``"every-100"``; the first is the one that training is shown by.
        points: Measurements of a training run, equally far apart; the last is at its end.
        episodes: Episodes of a measurement under each condition, from the suite's first seed on.
        last_episodes: Those of the last one.
        seeds: Training runs of each arm; run k learns from the teacher's run k.
        threshold: The return that "steps to threshold" asks for.
        algorithm: Settings of :class:`~symbench.training.recipe.Imitation` for all arms.
        arms: What is compared.
    """

    name: Name
    description: str
    task: str
    suite: str
    levels: tuple[str, ...] = Field(min_length=1)
    points: int = Field(default=16, ge=1)
    episodes: int = Field(default=100, ge=1)
    last_episodes: int = Field(default=1000, ge=1)
    seeds: int = Field(default=5, ge=1)
    threshold: float
    algorithm: dict[str, Any]
    arms: tuple[ImitationArm, ...] = Field(min_length=1)

    @property
    def steps(self) -> int:
        """Environment steps of one training run."""
        return int(self.algorithm["steps"])

    def recipe(self, name: str) -> Recipe:
        """What trains the arm of this name.

        Raises:
            SymbenchError: There is none, or its settings are not those of imitation.
        """
        arm = next((arm for arm in self.arms if arm.name == name), None)
        if arm is None:
            raise unknown("arm", name, [arm.name for arm in self.arms], f"of study {self.name}")
        said = arm.model_dump(exclude={"algorithm"}) | {"agent": name, "task": self.task}
        algorithm = {**self.algorithm, **arm.algorithm, "name": "imitation"}
        try:
            return Recipe.model_validate({**said, "algorithm": algorithm})
        except ValidationError as error:
            raise SymbenchError(f"study {self.name}, arm {name}: {_first_mistake(error)}") from error

    def conditions(self) -> dict[str, Perturbation]:
        """The suite's conditions by level, in the order of ``levels``.

        Raises:
            SymbenchError: The suite has none of that level for the task.
        """
        meant = (None, get_task(self.task).observes)
        found = {each.level: each for each in load_suite(self.suite).perturbations if each.observes in meant}
        for level in self.levels:
            if level not in found:
                raise unknown("level", level, found, f"of suite {self.suite}")
        return {level: found[level] for level in self.levels}

    def digest(self, name: str) -> str:
        """SHA-256 of all that the numbers of an arm's runs depend on."""
        measured = (self.recipe(name).digest, load_suite(self.suite).tag, self.levels)
        return hashlib.sha256(repr((*measured, self.points, self.episodes, self.last_episodes)).encode()).hexdigest()


def imitation_studies() -> dict[str, Path]:
    """The studies of imitation that come with the package, by name."""
    folder = Path(str(resources.files("symbench.training.imitation_study")))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_imitation_study(
    name: str, seeds: int | None = None, steps: int | None = None, task: str | None = None
) -> ImitationStudy:
    """Read a bundled study.

    Args:
        name: Its name.
        seeds: Training runs of each arm, in place of what it says.
        steps: Steps of a training run, in place of what it says.
        task: Another task of the same teacher, in place of what it says.

    Raises:
        SymbenchError: There is no such study, or it is not valid.
    """
    if name not in imitation_studies():
        raise unknown("study of imitation", name, imitation_studies())
    path = imitation_studies()[name]
    data: dict[str, Any] = parse_toml(read(path, f"study {name}", TEXT_BYTES), f"study {name}")
    data["algorithm"] = data.get("algorithm", {}) | ({} if steps is None else {"steps": steps})
    given = {key: value for key, value in (("seeds", seeds), ("task", task)) if value is not None}
    try:
        return ImitationStudy.model_validate({"name": name, **data, **given})
    except ValidationError as error:
        raise SymbenchError(f"study {name}: {_first_mistake(error)}") from error


def _first_mistake(error: ValidationError) -> str:
    mistake = error.errors()[0]
    return f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}, received {brief(repr(mistake['input']))}"
