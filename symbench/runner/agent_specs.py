"""Finds what the text after ``--agent`` stands for, without its name in front and the options behind."""

from __future__ import annotations

import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symbench import own_code
from symbench.errors import SymbenchError, unknown
from symbench.runner.cell import AgentSource
from symbench.runner.tour_solvers import SOLVERS, problem_of, solvers_of

if TYPE_CHECKING:
    from symbench.zoo.rl_zoo3 import LoggedModel

RANDOM: Final = AgentSource(name="random", kind="random")

ENTRY_POINTS: Final = "symbench.agents"
"""Group of the entry points by which an installed package adds agents: ``name = "module:Name"``."""

_PREFIXED: Final = re.compile(r"(?P<prefix>[A-Za-z0-9_]+):(?P<rest>.+)")
_WAYS: Final = "--agent ppo:FILE.zip, PATH.safetensors, onnx:FILE.onnx, torchscript:FILE.pt, zoo:FOLDER, module:Name"


def sources_of(spec: str, task: str, trust: bool) -> list[AgentSource]:
    """The agents that a text stands for, all training runs of a bundled one; without digests.

    Raises:
        SymbenchError: There is no such agent.
    """
    if spec == "random":
        return [RANDOM]
    if match := _PREFIXED.fullmatch(spec):
        return [_prefixed(spec, match["prefix"], match["rest"], trust)]
    if own_code.is_named(spec):
        return [_code(spec, spec.rpartition(":")[2], trust)]
    if spec.endswith(".zip"):
        raise SymbenchError(f"agent {spec!r}: say which algorithm made the file, e.g. ppo:{spec}")
    if "/" in spec or spec.endswith((".safetensors", ".json")):
        path = _stem(spec)
        return [AgentSource(name=_slug(path.name), kind="zoo", path=str(path))]
    return _named(spec, task)


def task_of(spec: str) -> str | None:
    """The environment of which an agent is, if the text says it: those of ``zoo:`` and ``hub:`` do.

    Raises:
        SymbenchError: There is no such folder or repository.
    """
    match = _PREFIXED.fullmatch(spec)
    return _logged(match["prefix"], match["rest"]).env_id if match and match["prefix"] in ("zoo", "hub") else None


def _prefixed(spec: str, prefix: str, rest: str, trust: bool) -> AgentSource:
    from symbench.zoo.exported_networks import FORMATS
    from symbench.zoo.sb3_zip import ALGORITHMS

    if prefix in ("zoo", "hub"):
        found = _logged(prefix, rest)
        name = _slug(f"{found.algorithm}-{found.env_id}")
        return AgentSource(name=name, kind="sb3", algorithm=found.algorithm, path=str(found.path), trust=trust)
    algorithm = prefix.lower()
    if algorithm in FORMATS:
        path = Path(rest).expanduser()
        return AgentSource(name=_slug(path.stem), kind="exported", algorithm=algorithm, path=str(path), trust=trust)
    if own_code.is_named(spec) and not rest.endswith(".zip") and algorithm not in ALGORITHMS:
        return _code(spec, rest, trust)
    path = Path(rest).expanduser()
    name = _slug(path.name.removesuffix(".zip"))
    return AgentSource(name=name, kind="sb3", algorithm=algorithm, path=str(path), trust=trust)


def _logged(prefix: str, rest: str) -> LoggedModel:
    from symbench.zoo.hub import hub_model
    from symbench.zoo.rl_zoo3 import logged_model

    return hub_model(rest) if prefix == "hub" else logged_model(Path(rest).expanduser())


def _code(spec: str, name: str, trust: bool) -> AgentSource:
    return AgentSource(name=_slug(name), kind="code", path=spec, trust=trust)


def _named(spec: str, task: str) -> list[AgentSource]:
    """A bundled agent, or one that an installed package adds."""
    from symbench.zoo import bundled, not_installed

    runs = bundled(task)
    if spec in runs:
        return [AgentSource(name=spec, run=run, kind="zoo", path=str(path)) for run, path in enumerate(runs[spec])]
    tours = solvers_of(task)
    if spec in tours or (spec in SOLVERS and problem_of(task)):  # whether it fits is said as of other agents
        return [AgentSource(name=spec, kind="solver", algorithm=spec)]
    added = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    if spec in added:
        return [_code(added[spec], spec, trust=True)]  # who installs a package lets its code run
    if missing := not_installed(task):
        raise SymbenchError(f"agent {spec!r} is not here; {missing}")
    error = unknown("agent", spec, [*runs, "random", *tours, *added], f"for {task}")
    raise SymbenchError(f"{error}; or give a file or code: {_WAYS}")


def _stem(path: str) -> Path:
    return Path(re.sub(r"\.(safetensors|json)$", "", path)).expanduser()


def _slug(name: str) -> str:
    """A name that can be part of a cell's id."""
    return re.sub(r"[^A-Za-z0-9+._-]+", "-", name).lstrip(".-").rstrip("-") or "agent"
