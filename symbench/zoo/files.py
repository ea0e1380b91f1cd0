"""Agents as files: weights in ``PATH.safetensors``, everything else in ``PATH.json``. Neither can execute anything."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load, save

from symbench.errors import SymbenchError, unknown
from symbench.policies import NETWORKS, NetworkAgent, PolicyNetwork

WEIGHTS: Final = Path(__file__).parent / "weights"
FORMAT: Final = 1

_SUFFIXES = (".safetensors", ".json")


def save_agent(network: PolicyNetwork, path: str | Path, card: dict[str, Any]) -> None:
    """Write a network's weights and its card.

    Args:
        network: The actor.
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
    return AgentFiles(load_card(path), _read(_file(_stem(path), ".safetensors")))


def load_agent(path: str | Path, files: AgentFiles | None = None) -> NetworkAgent:
    """Read an agent that :func:`save_agent` wrote.

    Args:
        path: The path given to :func:`save_agent`; a suffix ``.safetensors`` or ``.json`` may be added.
        files: What :func:`read_agent` read; otherwise the files are read now.

    Raises:
        SymbenchError: A file is missing, corrupt, or its weights do not fit its card.
    """
    stem, files = _stem(path), files or read_agent(path)
    network = _build(files.card, _file(stem, ".json"))
    _load_weights(network, _file(stem, ".safetensors"), files.weights)
    return NetworkAgent(network, str(files.card.get("agent", stem.name)))


def load_card(path: str | Path) -> dict[str, Any]:
    """Read an agent's card: what was given to :func:`save_agent`, and ``format``, ``kind`` and ``config``.

    Raises:
        SymbenchError: The file is missing, is not JSON, or is not a card.
    """
    file = _file(_stem(path), ".json")
    try:
        card = json.loads(_read(file))
    except ValueError as error:
        if isinstance(error, SymbenchError):
            raise
        raise SymbenchError(f"{file} is not a JSON file ({error}); an agent's card was expected") from error
    if not isinstance(card, dict) or not {"kind", "config"} <= card.keys():
        raise SymbenchError(f"{file} is not an agent's card: it must hold an object with 'kind' and 'config'")
    if card.get("format") != FORMAT:
        raise SymbenchError(f"{file} has format {card.get('format')!r}; this version of symbench reads format {FORMAT}")
    return card


def bundled(task: str) -> dict[str, list[Path]]:
    """The agents shipped for a task: name -> one path (without suffix) per training run, in order."""
    runs = sorted((WEIGHTS / task).glob("*/s*.json"), key=lambda file: int(file.stem[1:]))
    agents = sorted({file.parent.name for file in runs})
    return {agent: [file.with_suffix("") for file in runs if file.parent.name == agent] for agent in agents}


def _build(card: dict[str, Any], file: Path) -> PolicyNetwork:
    kind, config = card["kind"], card["config"]
    if kind not in NETWORKS:
        raise SymbenchError(f"{file}: {unknown('architecture', str(kind), NETWORKS)}")
    try:
        return NETWORKS[kind](**config)
    except (TypeError, ValueError, LookupError, RuntimeError) as error:
        raise SymbenchError(f"{file}: 'config' does not describe a network of kind {kind!r} ({error})") from error


def _load_weights(network: PolicyNetwork, file: Path, content: bytes) -> None:
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise SymbenchError(f"{file} is corrupt or not a safetensors file ({error})") from error
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    needed = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for name in sorted(found.keys() | needed.keys()):
        if found.get(name) != needed.get(name):
            has = f"has shape {found[name]}" if name in found else "is missing"
            wants = needed.get(name, "no such tensor")
            raise SymbenchError(f"{file} does not fit its card: {name!r} {has}, the card asks for {wants}")
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise SymbenchError(f"{file} is corrupt: {', '.join(broken)} hold numbers that are not finite")
    network.load_state_dict(tensors)


def _stem(path: str | Path) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix in _SUFFIXES else path


def _file(stem: Path, suffix: str) -> Path:
    # Not with_suffix: a name may contain a dot.
    return stem.with_name(stem.name + suffix)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise SymbenchError(f"{file} does not exist; an agent is a pair of files, .safetensors and .json") from error


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
