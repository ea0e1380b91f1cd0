"""An agent in a process of its own: here are the environments and the numbers, there is whatever code it brings.

What goes there are spaces, observations and the paths of the agent's files; what comes back are actions, as plain
arrays. Nothing of the agent is imported or unpickled here, and no episode changes by what it does there but act.

The process begins in an empty folder, with few environment variables, and is told nothing of what its numbers are
compared with. It runs as the same user on the same machine: it can read files that it knows of, or look at other
processes. Against code that does so only the operating system helps: a container or a user of its own, without network
and without the submissions.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import weakref
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from symbench import own_code
from symbench.errors import SymbenchError, one_line
from symbench.policies.agent import Agent
from symbench.runner.provenance import VARIABLES

if TYPE_CHECKING:
    from gymnasium.spaces import Space
    from numpy.typing import NDArray

    from symbench.runner.cell import AgentSource

PROGRAM: Final = "symbench.runner.agent_apart_process"
LONGEST: Final = 2**26  # bytes of an answer

# What an agent may need to start and to compute as it does here, and nothing that says where it is used.
_KEPT: Final = (
    *("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "SDL_VIDEODRIVER", "PYTHONDONTWRITEBYTECODE"),
    *VARIABLES,
)


class AgentApart(Agent):
    """Asks an agent in another process for its actions."""

    def __init__(self, source: AgentSource, observation_space: Space[Any], action_space: Space[Any]) -> None:
        """Load the agent there.

        Args:
            source: Where its files are.
            observation_space: The task's (single) space.
            action_space: The task's (single) space.

        Raises:
            SymbenchError: It cannot be loaded, as of :func:`symbench.runner.agents.load`.
        """
        self.name, self.action_space = source.name, action_space
        self._process, self._number = _process(), next(_NUMBERS)
        self.preprocessing = self._process.load(self._number, _absolute(source), observation_space, action_space)
        weakref.finalize(self, self._process.forget, self._number)
        self._masked = False

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """See :meth:`Agent.reset`."""
        self._ask("reset", num_envs, seed=seed)

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.restart`."""
        self._ask("restart", mask)

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.keep`."""
        self._ask("keep", mask)

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """See :meth:`Agent.allow`; that everything is allowed, as in most tasks, is said once."""
        if masks is not None or self._masked:
            self._ask("allow", masks)
        self._masked = masks is not None

    def act(self, observations: Any) -> NDArray[Any]:
        """See :meth:`Agent.act`.

        Raises:
            SymbenchError: The agent raised something, or its answer is no array of numbers.
        """
        answer = self._ask("act", observations)
        if not isinstance(answer, np.ndarray):
            raise SymbenchError(f"agent {self.name!r} answered with no array of actions")
        return answer

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`."""
        return self._array("decisions", observations)

    def values(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.values`."""
        return self._array("values", observations)

    def incompatibility(self, observation_space: Space[Any], action_space: Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`; the reason is the agent's own."""
        reason = self._ask("incompatibility", observation_space, action_space)
        return None if reason is None else _printable(reason)

    def _array(self, method: str, observations: Any) -> NDArray[Any] | None:
        answer = self._ask(method, observations)
        return answer if isinstance(answer, np.ndarray) else None

    def _ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        return self._process.ask(self._number, method, arguments, options)


_NUMBERS = count()


class _Process:
    """The other process and the two pipes."""

    def __init__(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="symbench-agent-")
        command = [sys.executable, "-m", PROGRAM]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, cwd=folder.name, env=_environment(folder.name), **pipes)
        self.end = weakref.finalize(self, _end, self._process, folder)

    @property
    def has_ended(self) -> bool:
        """Whether an agent has brought it down."""
        return self._process.poll() is not None

    def load(self, number: int, source: AgentSource, *of: Space[Any]) -> tuple[str, ...]:
        """Load an agent under a number; its preprocessing in words."""
        where = own_code.importable() if source.kind == "code" else []
        words = self.ask(number, "load", (where, source, *of), {})
        return tuple(map(_printable, words)) if isinstance(words, list) else ()

    def forget(self, number: int) -> None:
        """Drop an agent."""
        with contextlib.suppress(SymbenchError):
            self.ask(number, "forget", (), {})

    def ask(self, *question: Any) -> Any:
        """One question, one answer.

        Raises:
            SymbenchError: The agent raised an error, its process is gone, or its answer is none.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            send(self._process.stdin, pickle.dumps(question))
            kind, content = receive(self._process.stdout)
        except (OSError, EOFError, ValueError) as error:
            raise SymbenchError(f"the process of the agent is gone ({one_line(error) or 'it has ended'})") from error
        if kind == ERROR:
            raise SymbenchError(_printable(content.decode("utf-8", "replace")))
        return _read(kind, content)


def _process() -> _Process:
    """The one process for all agents of this one: they were given by the same person. If it has ended, a new one."""
    if not _PROCESSES or _PROCESSES[-1].has_ended:
        _PROCESSES[:] = [_Process()]
    return _PROCESSES[-1]


_PROCESSES: list[_Process] = []


def end() -> None:
    """End the process of this one's agents, as far as there is one; they cannot act any more."""
    while _PROCESSES:
        _PROCESSES.pop().end()


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            assert pipe is not None
            pipe.close()
    folder.cleanup()


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(own_code.importable()), "OMP_NUM_THREADS": "1", "HOME": folder}


def _absolute(source: AgentSource) -> AgentSource:
    """The same for a process in another folder, where it is not apart any more."""
    statistics = source.options.vecnormalize
    if statistics not in (None, "none"):
        options = source.options.model_copy(update={"vecnormalize": str(Path(str(statistics)).absolute())})
        source = source.model_copy(update={"options": options})
    path = source.path if source.kind == "code" or source.path is None else str(Path(source.path).absolute())
    return source.model_copy(update={"path": path, "apart": False})


def _printable(text: object) -> str:
    """Words of the agent as one line that cannot steer a terminal."""
    return "".join(each if each.isprintable() else "?" for each in one_line(text))


# How answers are written. They are never unpickled.
NOTHING, ARRAY, TEXT, ERROR = b"n", b"a", b"t", b"e"


def send(pipe: IO[bytes], content: bytes, kind: bytes = NOTHING) -> None:
    """Write a message."""
    pipe.write(kind + struct.pack("<Q", len(content)))
    pipe.write(content)
    pipe.flush()


def receive(pipe: IO[bytes], longest: int = LONGEST) -> tuple[bytes, bytes]:
    """Read a message: its kind and its content.

    Raises:
        EOFError: There is none any more.
        ValueError: It is too long.
    """
    head = pipe.read(9)
    if len(head) < 9:
        raise EOFError
    (length,) = struct.unpack("<Q", head[1:])
    if length > longest:
        raise ValueError(f"a message of {length:,} bytes")
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return head[:1], content


def _read(kind: bytes, content: bytes) -> Any:
    """An answer: nothing, JSON, or an array of numbers."""
    if kind == NOTHING:
        return None
    try:
        if kind == TEXT:
            return json.loads(content)
        if kind != ARRAY:
            raise ValueError(f"of kind {kind!r}")
        found: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except (ValueError, RecursionError, MemoryError, EOFError) as error:
        raise SymbenchError(f"the agent's answer cannot be read ({one_line(error)[:200]})") from error
    if found.dtype.kind not in "biuf":
        raise SymbenchError(f"the agent answered with an array of {one_line(found.dtype)[:100]}")
    return found
