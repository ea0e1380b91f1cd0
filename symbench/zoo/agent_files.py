"""Agents as files: weights in ``PATH.safetensors``, everything else in ``PATH.json``. Neither can execute anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from safetensors.torch import load, save
from torch.nn.modules.module import register_module_parameter_registration_hook

from symbench.errors import SymbenchError, unknown
from symbench.policies import NETWORKS, NetworkAgent, PolicyNetwork
from symbench.policies.routing import EdgeScorer
from symbench.reading import TEXT_BYTES, brief, parse_json, read
from symbench.tasks import TASKS
from symbench.zoo.card_formats import FORMAT, upgrade
from symbench.zoo.companion import agents_folder, how_to_get

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS: Final = Path(__file__).parent / "weights"

Network = PolicyNetwork | EdgeScorer
KINDS: Final[dict[str, type[Network]]] = {**NETWORKS, EdgeScorer.kind: EdgeScorer}
"""Name of an architecture in a card -> its class: all networks that play, and what guides a solver of tours."""

_SUFFIXES = (".safetensors", ".json")
_WEIGHT_BYTES: Final = 2**30
_SOME_MISSING: Final = 100  # parameters, which are then named
_NAME_LENGTH: Final = 200
_DTYPES: Final = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


def save_agent(network: Network, path: str | Path, card: dict[str, Any]) -> None:
    """Write a network's weights and its card.

    Args:
        network: The actor, or an edge scorer.
        path: Where to write, without suffix; missing folders are made.
        card: What is worth knowing about it, JSON values. ``"agent"`` is the name that tables show.

    Raises:
        OSError: The files cannot be written. An older agent of that name is then still whole.
    """
    stem = _stem(path)
    stem.parent.mkdir(parents=True, exist_ok=True)
    complete = {"format": FORMAT, "kind": network.kind, "config": network.config(), **card}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    card_text = json.dumps(complete, indent=2) + "\n"
    _write_all({_file(stem, ".safetensors"): save(tensors), _file(stem, ".json"): card_text.encode()})


@dataclass(frozen=True)
class AgentFiles:
    """What an agent's files held when they were read, once: what is hashed is what is loaded.

    Attributes:
        card: The content of the card.
        weights: The bytes of the weights.
    """

    card: dict[str, Any]
    weights: bytes


def read_agent(path: str | Path) -> AgentFiles:
    """Read an agent's files without building it; arguments and errors as of :func:`load_agent`."""
    return AgentFiles(load_card(path), _read(_file(_stem(path), ".safetensors"), _WEIGHT_BYTES))


def load_agent(path: str | Path, files: AgentFiles | None = None) -> NetworkAgent:
    """Read an agent that :func:`save_agent` wrote. Each of its two files is read once.

    Args:
        path: The path given to :func:`save_agent`; a suffix ``.safetensors`` or ``.json`` may be added.
        files: What :func:`read_agent` read; otherwise the files are read now.

    Raises:
        SymbenchError: A file is missing, corrupt, or its weights do not fit its card; or it is an edge scorer, which
            plays as part of a solver only.
    """
    files = files or read_agent(path)
    network = load_network(path, files)
    if isinstance(network, EdgeScorer):
        raise SymbenchError(f"{path} is an edge scorer, which guides DPDP: --agent {path} plays its tours")
    return NetworkAgent(network, files.card.get("agent", _stem(path).name))


def load_network(path: str | Path, files: AgentFiles | None = None) -> Network:
    """The network alone, in evaluation mode; arguments and errors as of :func:`load_agent`."""
    stem, files = _stem(path), files or read_agent(path)
    file = _file(stem, ".safetensors")
    tensors = _weights(files.weights, file)
    network = _build(files.card, _file(stem, ".json"), tensors, file)
    network.load_state_dict(tensors)
    return network.eval()


def load_card(path: str | Path) -> dict[str, Any]:
    """Read an agent's card: what was given to :func:`save_agent`, and ``format``, ``kind`` and ``config``.

    Raises:
        SymbenchError: The file is missing, is not JSON, or is not a card.
    """
    file = _file(_stem(path), ".json")
    card = parse_json(_read(file, TEXT_BYTES), str(file), "an agent's card")
    if not isinstance(card, dict) or not {"kind", "config"} <= card.keys():
        raise SymbenchError(f"{file} is not an agent's card: it must hold an object with 'kind' and 'config'")
    if type(card.get("format")) is not int or not 1 <= card["format"] <= FORMAT:
        found = brief(repr(card.get("format")))
        raise SymbenchError(f"{file} has format {found}; this version of symbench reads formats 1 to {FORMAT}")
    kind, name = card["kind"], card.get("agent", "")
    if not isinstance(kind, str) or kind not in KINDS:
        raise SymbenchError(f"{file}: {unknown('architecture', brief(kind), KINDS)}")
    if not isinstance(card["config"], dict):
        raise SymbenchError(_bad_config(file, kind, f"an object was expected, received {brief(repr(card['config']))}"))
    if not isinstance(name, str) or not name.isprintable() or len(name) > _NAME_LENGTH:
        problem = f"a printable name of at most {_NAME_LENGTH} characters was expected"
        raise SymbenchError(f"{file}: 'agent': {problem}, received {brief(repr(name))}")
    return card


def bundled(task: str) -> dict[str, list[Path]]:
    """The agents shipped for a task: name -> one path (without suffix) per training run, in order.

    Those of symbench-zoo are among them where it is installed; :func:`not_installed` tells.
    """
    runs = sorted(agents_folder(WEIGHTS, _player(task)).glob("*/s*.json"), key=lambda file: int(file.stem[1:]))
    agents = sorted({file.parent.name for file in runs})
    return {agent: [file.with_suffix("") for file in runs if file.parent.name == agent] for agent in agents}


def not_installed(task: str) -> str:
    """How to get the agents shipped for a task, in one line, if they are not here; otherwise empty."""
    return how_to_get(WEIGHTS, _player(task))


def _player(task: str) -> str:
    """The task whose agents play it."""
    return (task in TASKS and TASKS[task].agents_of) or task


def _weights(content: bytes, file: Path) -> dict[str, Tensor]:
    """Named tensors of finite numbers; what they take in memory is what the file has."""
    try:
        tensors = load(content)
    except Exception as error:  # also what the library does not foresee, such as a dtype that torch lacks
        raise SymbenchError(f"{file} is corrupt or not a safetensors file ({brief(error)})") from error
    for name, tensor in tensors.items():
        if tensor.dtype not in _DTYPES:
            known = ", ".join(str(dtype).removeprefix("torch.") for dtype in _DTYPES)
            raise SymbenchError(f"{file}: {brief(repr(name))} holds {tensor.dtype}; weights are one of {known}")
    broken = [brief(name) for name, tensor in tensors.items() if not tensor.float().isfinite().all()]
    if broken:
        raise SymbenchError(f"{file} is corrupt: {brief(', '.join(broken))} hold numbers that are not finite")
    return tensors


def _build(card: dict[str, Any], card_file: Path, tensors: dict[str, Tensor], file: Path) -> Network:
    """The card's network. A few words of it can ask for any amount of memory, so it is compared with the weights first.

    Tensors on torch's meta device have a shape and take no memory.
    """
    with torch.device("meta"), _at_most(len(tensors)):
        plan = _make(card, card_file)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    needed = {name: tuple(tensor.shape) for name, tensor in plan.state_dict().items()}
    for name in sorted(found.keys() | needed.keys()):
        if found.get(name) != needed.get(name):
            has = f"has shape {found[name]}" if name in found else "is missing"
            wants = needed.get(name, "no such tensor")
            raise SymbenchError(f"{file} does not fit its card: {brief(repr(name))} {has}, the card asks for {wants}")
    if any(0 in shape for shape in needed.values()):
        raise SymbenchError(_bad_config(card_file, card["kind"], "it asks for a layer without weights"))
    return _make(card, card_file)


def _make(card: dict[str, Any], file: Path) -> Network:
    kind = card["kind"]
    try:
        config = upgrade(kind, card["config"], card["format"])
        _check_types(kind, config)
        return KINDS[kind](**config)
    except Exception as error:  # the config may be anything, and so may what it makes constructors do
        raise SymbenchError(_bad_config(file, kind, brief(error))) from error


def _check_types(kind: str, config: dict[str, Any]) -> None:
    """Python would take ``"false"`` for true, and true for 1."""
    types = _types(kind)
    for name, value in config.items():
        if name not in types:
            raise unknown("setting", brief(name), types)
        try:
            types[name].validate_python(value)
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise ValueError(f"{name}: {problem}, received {brief(repr(value))}") from error


@cache
def _types(kind: str) -> dict[str, TypeAdapter[Any]]:
    """Of the constructor's arguments."""
    hints = get_type_hints(
        KINDS[kind].__init__, localns={"Sequence": Sequence, "Mapping": Mapping, "ActionSpace": Mapping[str, Any]}
    )
    del hints["return"]
    return {name: TypeAdapter(hint, config=ConfigDict(strict=True)) for name, hint in hints.items()}


def _bad_config(file: Path, kind: str, problem: str) -> str:
    return f"{file}: 'config' does not describe a network of kind {kind!r} ({problem})"


@contextmanager
def _at_most(tensors: int) -> Iterator[None]:
    """Modules may have few parameters more than this together: a card can ask for a million layers in a few bytes."""
    made = 0

    def count(*_: object) -> None:
        nonlocal made
        made += 1
        if made > tensors + _SOME_MISSING:
            raise ValueError(f"it asks for many more than the {tensors} tensors of the weights")

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()


def _stem(path: str | Path) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix in _SUFFIXES else path


def _file(stem: Path, suffix: str) -> Path:
    # Not with_suffix: a name may contain a dot.
    return stem.with_name(stem.name + suffix)


def _read(file: Path, limit: int) -> bytes:
    return read(file, str(file), limit, "does not exist; an agent is a pair of files, .safetensors and .json")


def _write_all(contents: dict[Path, bytes]) -> None:
    """Write files; none of them is replaced before all of them are on the disk."""
    partials = {_file(file, ".part"): file for file in contents}
    try:
        for partial, content in zip(partials, contents.values(), strict=True):
            partial.write_bytes(content)
        for partial, file in partials.items():
            partial.replace(file)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)
