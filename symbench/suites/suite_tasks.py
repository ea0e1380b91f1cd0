"""The tasks of a suite: names, or tables that say what a task's scores refer to."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError, model_validator

from symbench.errors import SymbenchError
from symbench.tasks.names import TaskName

_PROBLEMS = {"extra_forbidden": "there is no such key", "missing": "this key is missing"}


class Constants(BaseModel):
    """What a suite says of the scores of a task.

    Attributes:
        random_return: Return that counts as 0; ``"measure"`` measures it once for each run; ``None`` takes the task's
            own, which is measured if it has none.
        reference_return: Return that counts as 1; ``None`` takes the task's own. Without any, scores are raw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    random_return: FiniteFloat | Literal["measure"] | None = None
    reference_return: FiniteFloat | None = None

    @model_validator(mode="after")
    def _apart(self) -> Constants:
        if self.random_return is not None and self.random_return == self.reference_return:
            raise ValueError("random_return and reference_return must differ")
        return self


class TaskTable(Constants):
    """A table of ``[[tasks]]``.

    Attributes:
        env_id: Name of a task, or ``[MODULE:]ID[?KEY=VALUE&...]``.
        kwargs: Further arguments of ``gymnasium.make``.
    """

    env_id: str
    kwargs: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """The task's name."""
        written = TaskName.parse(self.env_id)
        return canonical(str(written._replace(kwargs={**written.kwargs, **self.kwargs})))


def canonical(text: str) -> str:
    """A task's name as it is recorded.

    Raises:
        SymbenchError: It is none.
    """
    return str(TaskName.parse(text))


def split(data: dict[str, Any]) -> dict[str, Any]:
    """A suite's data with names only in ``tasks``, and what tables say in ``constants``.

    Raises:
        ValueError: A table is wrong; the message names place and key.
    """
    given = data.get("tasks")
    if not isinstance(given, (list, tuple)):
        return data
    tables = {place: _table(place, each) for place, each in enumerate(given) if isinstance(each, dict)}
    names = [tables[place].name if place in tables else each for place, each in enumerate(given)]
    own = {"env_id", "kwargs"}
    constants = {table.name: Constants(**table.model_dump(exclude=own)) for table in tables.values()}
    return {**data, "tasks": names, **({"constants": constants} if constants else {})}


def _table(place: int, table: dict[str, Any]) -> TaskTable:
    try:
        made = TaskTable.model_validate(table)
        canonical(made.name)
        return made
    except ValidationError as error:
        mistake = error.errors()[0]
        key = ".".join(map(str, (f"tasks.{place}", *mistake["loc"][:1])))
        problem = _PROBLEMS.get(mistake["type"], mistake["msg"].removeprefix("Value error, "))
        raise ValueError(f"{key}: {problem}, received {str(mistake['input'])[:80]!r}") from error
    except SymbenchError as error:
        raise ValueError(f"tasks.{place}.env_id: {error}") from error
