"""From what the user typed after ``--agent`` to something that acts."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError, unknown
from symbench.runner.cell import AgentSource, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium.spaces import Space

    from symbench.policies.agent import Agent

RANDOM = AgentSource(name="random", kind="random")

_NAMED = re.compile(r"(?P<name>[^/\\:=]*)=(?P<spec>.+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_SB3 = re.compile(r"(?P<algorithm>[A-Za-z0-9_]+):(?P<path>.+)")


def resolve(specs: Sequence[str], task: str, trust: bool = False) -> list[AgentSource]:
    """Find the agents that are to play a task.

    Args:
        specs: Each is the name of a bundled agent (all its training runs), ``random``, the path of a zoo file, or
            ``ALGO:FILE.zip`` for a model saved by Stable-Baselines3; ``NAME=`` in front names it, and the same name in
            front of several files makes them training runs of one agent. None: all bundled agents. ``random`` always
            plays too, last unless it is given.
        task: Name of the task.
        trust: Whether SB3 zips, which execute code when loaded, may be loaded.

    Raises:
        SymbenchError: There is no such agent or file, two agents have the same name, or one is called ``random``.

    Example:
        >>> [source.name for source in resolve(["random"], "CartPole-v1")]
        ['random']
    """
    from symbench.zoo import bundled

    sources: list[AgentSource] = []
    named: set[str] = set()
    for spec in specs or bundled(task):
        match = _NAMED.fullmatch(spec)
        if match:
            _check_name(match["name"])
        found = _find(match["spec"] if match else spec, task, trust)
        if match:
            first = sum(source.name == match["name"] for source in sources)
            found = [
                source.model_copy(update={"name": match["name"], "run": first + i}) for i, source in enumerate(found)
            ]
        # Only NAME= may extend a group, and only one that NAME= began.
        _check_names(found, {source.name for source in sources} - (named if match else set()), spec)
        named |= {source.name for source in found} if match else set()
        sources += found
    return sources if RANDOM in sources else [*sources, RANDOM]


def load(source: AgentSource, observation_space: Space[Any], action_space: Space[Any]) -> Agent:
    """Load an agent for a task with these (single) spaces, as the perturbations show them.

    Raises:
        SymbenchError: Its file is missing, corrupt, or not trusted.
    """
    from symbench import zoo
    from symbench.policies.agent import RandomAgent

    if source.kind == "random":
        return RandomAgent(action_space)
    if source.kind == "zoo":
        return zoo.load_agent(source.path or "")
    spec = f"{source.algorithm}:{source.path}"
    return zoo.load_sb3(spec, trust=source.trust, observation_space=observation_space, action_space=action_space)


def _find(spec: str, task: str, trust: bool) -> list[AgentSource]:
    from symbench.zoo import bundled

    if spec == "random":
        return [RANDOM]
    if match := _SB3.fullmatch(spec):
        return [_sb3(match["algorithm"], Path(match["path"]), trust)]
    if spec.endswith(".zip"):
        raise SymbenchError(f"agent {spec!r}: say which algorithm made the file, e.g. --agent ppo:{spec}")
    if "/" in spec or spec.endswith((".safetensors", ".json")):
        return [_zoo(Path(spec), _slug(_stem(spec).name), 0)]
    runs = bundled(task)
    if spec not in runs:
        hint = "; or give a file: --agent ppo:FILE.zip, --agent PATH.safetensors"
        raise SymbenchError(f"{unknown('agent', spec, [*runs, 'random'], f'for {task}')}{hint}")
    return [_zoo(path, spec, run) for run, path in enumerate(runs[spec])]


def _zoo(path: Path, name: str, run: int) -> AgentSource:
    from symbench.zoo import load_card

    stem = _stem(str(path))
    card = load_card(stem)
    weights = _digest(stem.with_name(stem.name + ".safetensors"))
    digest = digest_of({"kind": card["kind"], "config": card["config"], "weights": weights})
    return AgentSource(name=name, run=run, kind="zoo", digest=digest, path=str(stem))


def _sb3(algorithm: str, path: Path, trust: bool) -> AgentSource:
    name = _slug(path.name.removesuffix(".zip"))
    return AgentSource(
        name=name, kind="sb3", algorithm=algorithm.lower(), digest=_digest(path), path=str(path), trust=trust
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SymbenchError(
            f"agent name {name!r}: a name holds letters, digits and + . _ - only and begins with a letter or digit"
        )


def _check_names(found: list[AgentSource], taken: set[str], spec: str) -> None:
    if any(source.name == RANDOM.name and source != RANDOM for source in found):
        raise SymbenchError(f"'random' is the name of random play: name {spec!r} otherwise, e.g. --agent mine=...")
    clash = next((source.name for source in found if source.name in taken), None)
    if clash is not None:
        raise SymbenchError(f"two agents are called {clash!r}: name them, e.g. --agent mine={spec.split('=', 1)[-1]}")


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise SymbenchError(f"the agent's file {str(path)!r} does not exist") from error
    except OSError as error:
        raise SymbenchError(f"the agent's file {str(path)!r} cannot be read ({error.strerror})") from error


def _stem(path: str) -> Path:
    return Path(re.sub(r"\.(safetensors|json)$", "", path))


def _slug(name: str) -> str:
    """A name that can be part of a cell's id."""
    return re.sub(r"[^A-Za-z0-9+._-]+", "-", name).lstrip(".-").rstrip("-") or "agent"
