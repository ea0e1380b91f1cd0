"""From what the user typed after ``--agent`` to something that acts."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from symbench import own_code
from symbench.errors import SymbenchError
from symbench.runner import agent_options
from symbench.runner.agent_objects import agent_of
from symbench.runner.agent_specs import RANDOM, sources_of, task_of
from symbench.runner.cell import AgentOptions, AgentSource, digest_of
from symbench.runner.tour_solvers import planning_agent, read_solver, solver_agent
from symbench.tasks import TASKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gymnasium.spaces import Space

    from symbench.policies.agent import Agent
    from symbench.zoo import AgentFiles, SB3Files
    from symbench.zoo.exported_networks import ExportedFile

    # Files that were read; of code and of solvers a SHA-256 of each.
    Files: TypeAlias = AgentFiles | SB3Files | ExportedFile | dict[str, str]

__all__ = ["RANDOM", "load", "resolve", "tasks_of", "tensors_of"]

_NAMED: Final = re.compile(r"(?P<name>[^/\\:=,]*)=(?P<spec>.+)")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


def resolve(specs: Sequence[str | AgentSource], task: str, trust: bool = False) -> list[AgentSource]:
    """Find the agents that are to play a task.

    Args:
        specs: Each is the name of a bundled agent (all its training runs), ``random``, the path of a zoo file, or
            ``ALGO:FILE.zip`` for a model saved by Stable-Baselines3, ``zoo:FOLDER`` for one that rl_zoo3 logged,
            ``hub:OWNER/ALGO-ENV`` for one of the Hugging Face Hub, ``torchscript:FILE.pt`` or ``onnx:FILE.onnx`` for
            an exported network, ``module:Name`` for code, or a solver of tours, of which see
            :mod:`symbench.runner.tour_solvers`; ``NAME=`` in front names it, and the same name in front of
            several files makes them training runs of one agent. Options follow after commas: ``,rescale``,
            ``,vecnormalize=FILE``; see :class:`symbench.runner.cell.AgentOptions`. None: the bundled agents but
            those that play on request. ``random`` always plays too, last unless it is given. A source is taken as it
            is.
        task: Name of the task.
        trust: Whether code may be executed: ``module:Name``, TorchScript, and SB3 zips, which execute code when loaded.

    Raises:
        SymbenchError: There is no such agent, file or option, two agents have the same name, or one is called
            ``random``.

    Example:
        >>> [source.name for source in resolve(["random"], "CartPole-v1")]
        ['random']
    """
    from symbench.zoo import not_installed

    if not specs and (missing := not_installed(task)):
        raise SymbenchError(missing)
    sources: list[AgentSource] = []
    named: set[str] = set()
    for spec in specs or unasked(task):
        if isinstance(spec, AgentSource):
            _check_name(spec.name)
            _check_names([spec], {source.name for source in sources if source.run == spec.run}, f"{spec.name}=...")
            sources.append(spec)
            continue
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


def unasked(task: str) -> list[str]:
    """Names of the bundled agents that play a task if none is named."""
    from symbench.zoo import bundled

    on_request = TASKS[task].on_request if task in TASKS else ()
    return [name for name in bundled(task) if name not in on_request]


def load(source: AgentSource, observation_space: Space[Any], action_space: Space[Any]) -> Agent:
    """Load an agent for a task with these (single) spaces, as the perturbations show them.

    Its files are read once; what is loaded is what was hashed. Its own preprocessing is put around it: observations are
    flattened, then stacked, then read; actions are rescaled.

    Raises:
        SymbenchError: Its files are missing, corrupt, not trusted, or not those of ``source.digest``; its module cannot
            be imported, or holds no agent.
    """
    from symbench.policies import RandomAgent, RescaledAgent
    from symbench.policies.preprocessed import FlattenedAgent, StackedAgent

    if source.kind == "random":
        return RandomAgent(action_space)
    if source.apart:
        from symbench.runner.agent_apart import AgentApart

        return AgentApart(source, observation_space, action_space)
    options = source.options
    flat = FlattenedAgent.seen_space(observation_space) if options.flatten else observation_space
    stacks = _stacks(options) and source.kind != "sb3"  # those of SB3 are stacked with their statistics
    agent = _load(source, StackedAgent.seen_space(flat, options.stack) if stacks else flat, action_space)
    agent.name = source.name  # a file calls it by its own
    agent = StackedAgent(agent, flat, options.stack or 1) if stacks else agent
    agent = FlattenedAgent(agent, observation_space) if options.flatten else agent
    return RescaledAgent(agent, action_space) if options.rescale else agent


def tasks_of(specs: Iterable[str | AgentSource]) -> list[str]:
    """The environments for which agents were trained, where what the user typed says it, each once."""
    texts = [spec for spec in specs if isinstance(spec, str)]
    plain = [match["spec"] if (match := _NAMED.fullmatch(text)) else text for text in texts]
    found = [task_of(agent_options.split(text)[0]) for text in plain]
    return list(dict.fromkeys(task for task in found if task))


def tensors_of(source: AgentSource) -> str | None:
    """SHA-256 of the tensors in its file; ``None`` for what has no file of tensors: code, solvers, random play.

    Raises:
        SymbenchError: The file is missing or corrupt.
    """
    if source.path is None or source.kind not in ("zoo", "sb3", "exported"):
        return None
    from symbench.zoo import tensor_digest

    return tensor_digest(source.path)


def _load(source: AgentSource, observations: Space[Any], actions: Space[Any]) -> Agent:
    from symbench import zoo
    from symbench.policies import NetworkAgent, PolicyNetwork
    from symbench.zoo.exported_networks import ExportedFile, load_exported

    if source.held is not None:
        return agent_of(source.held.thing, source.name, observations, actions)
    files, path, options = _read(source), source.path or "", source.options
    if source.digest not in (None, _digest(source, files)):
        raise SymbenchError(
            f"the files of agent {source.name!r} ({source.path}) have changed since the run was planned: start it again"
        )
    if source.kind == "solver":
        return solver_agent(source.algorithm or "", options.decode, actions, source.name)
    if isinstance(files, zoo.AgentFiles):
        network = zoo.load_network(path, files)
        if isinstance(network, PolicyNetwork) and options.decode is None:
            return NetworkAgent(network, files.card.get("agent", Path(path).name))
        return planning_agent(network, source.name, options.decode, actions)
    if isinstance(files, ExportedFile):
        return load_exported(files, source.name, observations, actions)
    if isinstance(files, dict):
        return agent_of(own_code.load_named(path, source.trust), source.name, observations, actions)
    return zoo.load_sb3(
        f"{source.algorithm}:{path}",
        source.trust,
        observations,
        actions,
        vecnormalize=options.vecnormalize,
        wrappers=options.wrappers,
        stochastic=options.stochastic,
        stack=options.stack or 1,
        files=files,
    )


def _read(source: AgentSource) -> Files:
    from symbench import zoo
    from symbench.zoo.exported_networks import read_exported

    path = source.path or ""
    if source.kind == "solver":
        return read_solver(source.algorithm or "")
    if source.kind == "code":
        files = own_code.source_files(path, source.trust)
        return {name: _sha256(file.read_bytes()) for name, file in files.items()}
    if source.kind == "zoo":
        return zoo.read_agent(path)
    if source.kind == "exported":
        return read_exported(path, source.algorithm or "", source.trust)
    return zoo.read_sb3(path, source.options.vecnormalize, source.options.wrappers)


def _digest(source: AgentSource, files: Files) -> str:
    """SHA-256 over everything that determines what the agent does."""
    from symbench import zoo
    from symbench.zoo.env_wrappers import described
    from symbench.zoo.exported_networks import ExportedFile

    if source.kind == "solver":
        digest = digest_of({"solver": source.algorithm, "files": files})
    elif isinstance(files, ExportedFile):
        digest = digest_of({"format": files.format, "content": _sha256(files.content)})
    elif isinstance(files, dict):
        digest = digest_of({"code": source.path, "files": files})
    elif isinstance(files, zoo.AgentFiles):
        card = {"kind": files.card["kind"], "config": files.card["config"]}
        digest = digest_of({**card, "weights": _sha256(files.weights)})
    else:
        parts = {"model": _sha256(files.model)}
        if files.statistics is not None:
            parts["vecnormalize"] = _sha256(files.statistics)
        if files.env_wrappers:
            parts["env_wrapper"] = ", ".join(described(files.env_wrappers))
        digest = digest_of(parts) if len(parts) > 1 else parts["model"]
    # The other options are in the files that they choose; what is not used is left out.
    used = source.options.model_dump(exclude_defaults=True, exclude={"vecnormalize", "wrappers"})
    used = used if _stacks(source.options) else {key: value for key, value in used.items() if key != "stack"}
    return digest_of({"agent": digest, **used}) if used else digest


def _stacks(options: AgentOptions) -> bool:
    return (options.stack or 1) > 1


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _find(spec: str, task: str, trust: bool) -> list[AgentSource]:
    """The agents that a spec without ``NAME=`` stands for, with the digests of their files."""
    agent, given = agent_options.split(spec)
    found = sources_of(agent, task, trust)
    options = agent_options.parse(given, spec, found[0].kind)
    return [_with(source, options) for source in found]


def _with(source: AgentSource, options: AgentOptions) -> AgentSource:
    from symbench.zoo.rl_zoo3 import frame_stack

    if source.kind == "random":
        return source
    source = source.model_copy(update={"options": options})
    files = _read(source)  # what is no file is refused before anything is looked for beside it
    if source.kind == "sb3" and options.stack is None:
        options = options.model_copy(update={"stack": frame_stack(Path(source.path or ""))})
        source = source.model_copy(update={"options": options})
    return source.model_copy(update={"digest": _digest(source, files)})


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
