"""What follows an agent after commas, e.g. ``ppo:mine.zip,rescale,stack=4``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from symbench.errors import SymbenchError, unknown
from symbench.runner.cell import AgentOptions

_OPTION: Final = re.compile(r"(?P<key>[a-z_]+)(?P<value>=.*)?")

# Option -> how its value is written, how it is explained, and the kinds of agents that it is for.
_OPTIONS: Final = {
    "vecnormalize": ("=.+", "vecnormalize=FILE.pkl or vecnormalize=none", ("sb3",)),
    "wrappers": ("=none", "wrappers=none", ("sb3",)),
    "stack": ("=[1-9][0-9]{0,2}", "stack=N, how many observations are stacked", ("sb3", "exported", "code", "zoo")),
    "flatten": ("", "flatten, without a value", ("sb3", "exported", "code", "zoo")),
    "rescale": ("", "rescale, without a value", ("sb3", "zoo")),
    "stochastic": ("", "stochastic, without a value", ("sb3",)),
    "decode": (
        "=(greedy|starts|x8|x8-starts|frames|(sample|beam):[1-9][0-9]{0,4})",
        "decode=greedy, sample:N, starts, x8, x8-starts, frames or beam:N",
        ("zoo", "solver"),
    ),
}
_KINDS: Final = {
    "random": "random play",
    "zoo": "safetensors files",
    "sb3": "Stable-Baselines3's models",
    "exported": "TorchScript and ONNX files",
    "code": "agents of your own code, which does that itself",
    "object": "objects",
    "solver": "solvers of tours",
}


def split(spec: str) -> tuple[str, dict[str, str]]:
    """The agent, and the options that follow it after commas; a comma may also be part of a path."""
    parts, given = spec.split(","), {}
    while len(parts) > 1 and (match := _OPTION.fullmatch(parts[-1])):
        given[match["key"]] = match["value"] or ""
        parts.pop()
    return ",".join(parts), given


def drawing(spec: str) -> str:
    """The same agent, which draws its actions if it is one of Stable-Baselines3's."""
    agent, given = split(spec)
    prefixed = re.match(r"([^/\\\\:=,]*=)?(\w+):", agent)
    return spec if prefixed is None or "stochastic" in given else f"{spec},stochastic"


def parse(given: dict[str, str], spec: str, kind: str) -> AgentOptions:
    """The options of an agent.

    Args:
        given: From :func:`split`.
        spec: The whole text, for messages.
        kind: Of the agent, as in :class:`~symbench.runner.cell.AgentSource`.

    Raises:
        SymbenchError: There is no such option, its value has another form, or it is not one of this kind of agent.
    """
    for key, value in given.items():
        if key not in _OPTIONS:
            raise unknown("option", key, _OPTIONS, f"of agent {spec!r}")
        form, explained, kinds = _OPTIONS[key]
        if kind not in kinds:
            raise SymbenchError(f"agent {spec!r}: {key} is no option of {_KINDS[kind]}")
        if not re.fullmatch(form, value):
            raise SymbenchError(f"agent {spec!r}: expected {explained}, received {key}{value}")
    values: dict[str, object] = {key: value[1:] or True for key, value in given.items()}
    if "vecnormalize" in values:
        values["vecnormalize"] = str(Path(str(values["vecnormalize"])).expanduser())
    return AgentOptions.model_validate(values)
