"""From what the user typed after ``--agent`` to something that acts."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError, unknown
from symbench.runner.cell import AgentOptions, AgentSource, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium.spaces import Space

    from symbench.policies.agent import Agent
    from symbench.zoo import AgentFiles, SB3Files

RANDOM = AgentSource(name="random", kind="random")

_NAMED = re.compile(r"(?P<name>[^/\\:=,]*)=(?P<spec>.+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")
_SB3 = re.compile(r"(?P<algorithm>[A-Za-z0-9_]+):(?P<path>.+)")
_OPTION = re.compile(r"(?P<key>[a-z_]+)(?P<value>=.*)?")

# Option -> how its value is written, how it is explained, and the kinds of agents that it is for.
_OPTIONS = {
    "vecnormalize": ("=.+", "vecnormalize=FILE.pkl or vecnormalize=none", ("sb3",)),
    "wrappers": ("=none", "wrappers=none", ("sb3",)),
    "rescale": ("", "rescale, without a value", ("sb3", "zoo")),
}
_KINDS = {"random": "random play", "zoo": "safetensors files", "sb3": "Stable-Baselines3's models"}


def resolve(specs: Sequence[str], task: str, trust: bool = False) -> list[AgentSource]:
    """Find the agents that are to play a task.

    Args:
        specs: Each is the name of a bundled agent (all its training runs), ``random``, the path of a zoo file, or
            ``ALGO:FILE.zip`` for a model saved by Stable-Baselines3; ``NAME=`` in front names it, and the same name in
            front of several files makes them training runs of one agent. Options follow after commas: ``,rescale``,
            ``,vecnormalize=FILE``; see :class:`symbench.runner.cell.AgentOptions`. None: all bundled agents.
            ``random`` always plays too, last unless it is given.
        task: Name of the task.
        trust: Whether SB3 zips, which execute code when loaded, may be loaded.

    Raises:
        SymbenchError: There is no such agent, file or option, two agents have the same name, or one is called
            ``random``.

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

    Its files are read once; what is loaded is what was hashed.

    Raises:
        SymbenchError: Its files are missing, corrupt, not trusted, or not those of ``source.digest``.
    """
    from symbench.policies import RandomAgent, RescaledAgent

    if source.kind == "random":
        return RandomAgent(action_space)
    files = _read(source)
    if source.digest not in (None, _digest(files, source.options)):
        raise SymbenchError(
            f"the files of agent {source.name!r} ({source.path}) have changed since the run was planned: start it again"
        )
    agent = _load(source, files, observation_space, action_space)
    return RescaledAgent(agent, action_space) if source.options.rescale else agent


def _load(source: AgentSource, files: AgentFiles | SB3Files, observations: Space[Any], actions: Space[Any]) -> Agent:
    from symbench import zoo

    if isinstance(files, zoo.AgentFiles):
        return zoo.load_agent(source.path or "", files)
    spec, options = f"{source.algorithm}:{source.path}", source.options
    chosen = {"vecnormalize": options.vecnormalize, "wrappers": options.wrappers}
    return zoo.load_sb3(spec, source.trust, observations, actions, **chosen, files=files)


def _read(source: AgentSource) -> AgentFiles | SB3Files:
    from symbench import zoo

    path = source.path or ""
    return zoo.read_agent(path) if source.kind == "zoo" else zoo.read_sb3(path, source.options.vecnormalize)


def _digest(files: AgentFiles | SB3Files, options: AgentOptions) -> str:
    """SHA-256 over everything that determines what the agent does."""
    from symbench import zoo

    if isinstance(files, zoo.AgentFiles):
        card = {"kind": files.card["kind"], "config": files.card["config"]}
        digest = digest_of({**card, "weights": _sha256(files.weights)})
    else:
        digest = _sha256(files.model)
        if files.statistics is not None:
            digest = digest_of({"model": digest, "vecnormalize": _sha256(files.statistics)})
    return digest_of({"agent": digest, "rescale": True}) if options.rescale else digest


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _find(spec: str, task: str, trust: bool) -> list[AgentSource]:
    """The agents that a spec without ``NAME=`` stands for, with the digests of their files."""
    agent, given = _split(spec)
    found = _sources(agent, task, trust)
    options = _options(given, spec, found[0].kind)
    return [_with(source, options) for source in found]


def _with(source: AgentSource, options: AgentOptions) -> AgentSource:
    if source.kind == "random":
        return source
    source = source.model_copy(update={"options": options})
    return source.model_copy(update={"digest": _digest(_read(source), options)})


def _split(spec: str) -> tuple[str, dict[str, str]]:
    """The agent, and the options that follow it after commas; a comma may also be part of a path."""
    parts, given = spec.split(","), {}
    while len(parts) > 1 and (match := _OPTION.fullmatch(parts[-1])):
        given[match["key"]] = match["value"] or ""
        parts.pop()
    return ",".join(parts), given


def _options(given: dict[str, str], spec: str, kind: str) -> AgentOptions:
    for key, value in given.items():
        if key not in _OPTIONS:
            raise unknown("option", key, _OPTIONS, f"of agent {spec!r}")
        form, explained, kinds = _OPTIONS[key]
        if kind not in kinds:
            raise SymbenchError(f"agent {spec!r}: {key} is no option of {_KINDS[kind]}")
        if not re.fullmatch(form, value):
            raise SymbenchError(f"agent {spec!r}: expected {explained}, received {key}{value}")
    return AgentOptions.model_validate({key: value[1:] or True for key, value in given.items()})


def _sources(spec: str, task: str, trust: bool) -> list[AgentSource]:
    from symbench.zoo import bundled

    if spec == "random":
        return [RANDOM]
    if match := _SB3.fullmatch(spec):
        name = _slug(Path(match["path"]).name.removesuffix(".zip"))
        algorithm = match["algorithm"].lower()
        return [AgentSource(name=name, kind="sb3", algorithm=algorithm, path=match["path"], trust=trust)]
    if spec.endswith(".zip"):
        raise SymbenchError(f"agent {spec!r}: say which algorithm made the file, e.g. --agent ppo:{spec}")
    if "/" in spec or spec.endswith((".safetensors", ".json")):
        return [AgentSource(name=_slug(_stem(spec).name), kind="zoo", path=str(_stem(spec)))]
    runs = bundled(task)
    if spec not in runs:
        hint = "; or give a file: --agent ppo:FILE.zip, --agent PATH.safetensors"
        raise SymbenchError(f"{unknown('agent', spec, [*runs, 'random'], f'for {task}')}{hint}")
    return [AgentSource(name=spec, run=run, kind="zoo", path=str(path)) for run, path in enumerate(runs[spec])]


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


def _stem(path: str) -> Path:
    return Path(re.sub(r"\.(safetensors|json)$", "", path))


def _slug(name: str) -> str:
    """A name that can be part of a cell's id."""
    return re.sub(r"[^A-Za-z0-9+._-]+", "-", name).lstrip(".-").rstrip("-") or "agent"
