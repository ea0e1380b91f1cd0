"""What a page may ask of a session."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from symbench.errors import SymbenchError, one_line

LONGEST: Final = 4096  # characters of a message
SLOWEST, FASTEST = 0.1, 16.0  # times real time


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Play(_Message):
    """Go on by itself, or stand still."""

    do: Literal["play"]
    on: bool


class OneStep(_Message):
    """Stand still, and take one step."""

    do: Literal["step"]


class Begin(_Message):
    """Begin the episode of a seed."""

    do: Literal["begin"]
    seed: int = Field(ge=0, le=2**31 - 1)


class Speed(_Message):
    """So many times real time; beyond what is possible it is the most or the least that is."""

    do: Literal["speed"]
    times: float = Field(allow_inf_nan=False)


class Perturb(_Message):
    """A perturbation at a severity; 0 takes it off."""

    do: Literal["perturb"]
    name: str
    severity: int = Field(ge=0)


class Redraw(_Message):
    """A perturbation draws again, now."""

    do: Literal["redraw"]
    name: str


class Arrange(_Message):
    """The sensors come in an order of one's own: entry j is the sensor at place j."""

    do: Literal["arrange"]
    order: list[int]


class Kill(_Message):
    """A sensor is dead, or alive again."""

    do: Literal["kill"]
    sensor: int
    dead: bool


class Choose(_Message):
    """Another agent plays on one side; nobody on the right."""

    do: Literal["choose"]
    side: int = Field(ge=0, le=1)
    agent: str | None


Message = Play | OneStep | Begin | Speed | Perturb | Redraw | Arrange | Kill | Choose

_MESSAGES: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="do")])


def read(text: str) -> Message:
    """A message from its JSON.

    Raises:
        SymbenchError: It is none.
    """
    if len(text) > LONGEST:
        raise SymbenchError(f"a message has {LONGEST} characters at most, received {len(text)}")
    try:
        return _MESSAGES.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SymbenchError(one_line(f"no message: {where and where + ': '}{first['msg']}")) from error
