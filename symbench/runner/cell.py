"""The unit of a run: one agent in one task under one perturbation, played for a fixed list of episodes."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from symbench.runner.cell_id import CellId
from symbench.suites import Apply  # noqa: TC001  (pydantic reads the annotations)

# Part of every hash. Raised when the rules of evaluation change in a way that can change a number.
PROTOCOL = 1


class AgentOptions(BaseModel):
    """What an agent needs between the task and its network, as said on the command line after its file.

    Attributes:
        vecnormalize: File of the statistics of SB3's ``VecNormalize``, or ``"none"``; ``None`` looks beside the zip.
        wrappers: ``"none"`` if the wrappers of its training are not needed.
        flatten: Whether observations are flattened first.
        stack: How many observations are stacked; of an SB3 model ``None`` takes what rl_zoo3's ``config.yml`` says.
        rescale: Whether its actions are mapped from its own bounds to the task's.
        stochastic: Whether actions are drawn from its distribution, with a seeded generator of its own.
        decode: How whole tours are taken from a model that builds tours, see
            :mod:`symbench.policies.routing.whole_tours`; ``None`` plays it step by step. Edge scorers: ``"beam:N"``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vecnormalize: str | None = None
    wrappers: Literal["none"] | None = None
    flatten: bool = False
    stack: int | None = None
    rescale: bool = False
    stochastic: bool = False
    decode: str | None = None


class AgentSource(BaseModel):
    """Where an agent comes from, without loading it.

    Attributes:
        name: What tables call it; the fifth part of a cell's id.
        run: Which training run it is, from 0; the last part of a cell's id (``s0``).
        kind: ``"random"``, ``"zoo"`` (safetensors and card), ``"sb3"`` (zip), ``"exported"`` (TorchScript, ONNX),
            ``"code"`` (``module:Name``), ``"object"`` (of this process) or ``"solver"`` (of tours, by its name).
        algorithm: Of an SB3 zip, e.g. ``"ppo"``; of an exported network its format, ``"torchscript"`` or ``"onnx"``; of
            a solver its name.
        digest: SHA-256 of its files, and of those options that change what it does; ``None`` for the random agent. Of
            code it covers what :func:`symbench.own_code.source_files` finds, not what that reads; of objects see
            :class:`symbench.runner.agent_objects.Held`.
        path: Where the files are, in the form the loader of ``kind`` takes. Not recorded: a file may move.
        trust: Whether pickled code in the file may be executed. Not recorded.
        options: What it needs between the task and its network. Not recorded: ``digest`` covers it.
        held: The object, a :class:`symbench.runner.agent_objects.Held`. Not recorded.
        apart: Whether it acts from a process of its own, see :mod:`symbench.runner.agent_apart`. Not recorded: numbers
            are the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    run: int = 0
    kind: Literal["random", "zoo", "sb3", "exported", "code", "object", "solver"]
    algorithm: str | None = None
    digest: str | None = None
    path: str | None = Field(default=None, exclude=True)
    trust: bool = Field(default=False, exclude=True)
    options: AgentOptions = Field(default=AgentOptions(), exclude=True)
    held: Any = Field(default=None, exclude=True)
    apart: bool = Field(default=False, exclude=True)


class Cell(BaseModel):
    """Everything that determines the numbers of one cell.

    Attributes:
        suite: Name of the suite.
        version: Version of the suite.
        task: Name of the task.
        perturbation: What is done, e.g. ``"shuffle-sensors"``.
        level: How hard, e.g. ``"every-100"``.
        apply: The wrappers, from the environment outwards.
        source: The agent.
        episodes: How many episodes are played.
        seed: Environment seed of the first episode; episode ``e`` has ``seed + e``, unless there is a ``secret``.
        code: SHA-256 of the source of an environment of the user's own, see
            :func:`symbench.tasks.own_environments.code_of`. Left out of records and hashes where it is ``None``.
        trust: Whether the module that the task names may be imported. Not recorded.
        secret: Key that draws other seeds for the environments, and for the agent one that says nothing of them, see
            :mod:`symbench.runner.seeds`; ``None`` takes those of the suite. Not recorded: only whoever verifies a
            submission plays such cells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    suite: str
    version: int
    task: str
    perturbation: str
    level: str
    apply: tuple[Apply, ...]
    source: AgentSource
    episodes: int
    seed: int
    code: str | None = None
    trust: bool = Field(default=False, exclude=True)
    secret: str | None = Field(default=None, exclude=True)

    @model_serializer(mode="wrap")
    def _without_absent_code(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = serialize(self)
        return data if self.code else {key: value for key, value in data.items() if key != "code"}

    @property
    def agent(self) -> str:
        """Name of the agent."""
        return self.source.name

    @property
    def run(self) -> int:
        """Number of the agent's training run."""
        return self.source.run

    @property
    def id(self) -> str:
        """Readable and unique in a suite, e.g. ``shuffle@1/CartPole-v1/shuffle-sensors/every-100/mlp/s0``."""
        return str(self.key)

    @property
    def key(self) -> CellId:
        """The same in its parts."""
        return CellId(self.suite, self.version, self.task, self.perturbation, self.level, self.agent, self.run)

    @property
    def spec_hash(self) -> str:
        """SHA-256 over everything that determines the numbers; equal hashes mean equal numbers."""
        secret = {} if self.secret is None else {"secret": self.secret}
        return digest_of({"protocol": PROTOCOL, **self.model_dump(mode="json"), **secret})


def digest_of(data: Any) -> str:
    """SHA-256 (hex) of JSON data in its canonical form."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
