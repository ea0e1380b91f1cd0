"""What tells one object of Python from another as an agent, so that a run notices that it has changed."""

from __future__ import annotations

import hashlib
import inspect
import sys
import uuid
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

# A run records the versions of these.
_KNOWN = ("builtins", "abc", "typing", "torch", "symbench", "stable_baselines3", "sb3_contrib")
_PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device, spaces.Space)
_OF_TORCH = frozenset(vars(nn.Module()))


class _UnknownError(Exception):
    """Something determines what an object does of which nothing can be said."""


def digest_of(thing: Any) -> str:
    """SHA-256 over what determines how a network or a model plays; any other object is another agent each time.

    It covers weights and buffers, and of modules that do not come from a library whose version a run records, the
    source of their classes and their attributes. Where one of these cannot be told, as of a module with hooks or with
    an environment for an attribute, it is another agent each time, too: better played again than mistaken.
    """
    digest = hashlib.sha256(f"{type(thing).__module__}.{type(thing).__qualname__}".encode())
    try:
        for part in _parts(thing):
            digest.update(part)
    except (_UnknownError, OSError, TypeError):  # the latter two: the class was typed into a console
        return hashlib.sha256(uuid.uuid4().bytes).hexdigest()
    return digest.hexdigest()


def is_sb3_model(thing: Any) -> bool:
    """Whether it is a model of Stable-Baselines3, which need not be installed."""
    loaded = sys.modules.get("stable_baselines3.common.base_class")  # no model can be of what is not loaded
    return loaded is not None and isinstance(thing, loaded.BaseAlgorithm)


def _parts(thing: Any) -> Iterator[bytes]:
    from symbench.policies import NetworkAgent

    if is_sb3_model(thing):
        yield from _source(type(thing))
        yield from _statistics(thing)
        module = thing.policy
    elif isinstance(thing, NetworkAgent):
        module = thing.network
    else:
        module = None if callable(getattr(thing, "act", None)) else thing
    if not isinstance(module, nn.Module):
        raise _UnknownError
    yield repr(module).encode()
    for name, part in module.named_modules():
        yield name.encode()
        yield from _source(type(part))
        yield from () if _is_known(type(part)) else _attributes(part)
    for name, numbers in chain(module.named_parameters(), module.named_buffers()):
        yield f"{name} {numbers.dtype} {tuple(numbers.shape)}".encode()
        yield _bytes(numbers)


def _statistics(model: Any) -> Iterator[bytes]:
    """Those of the ``VecNormalize`` around a model's environment."""
    from symbench.zoo.vecnormalize import normalization_of

    env = model.get_vec_normalize_env()
    found = None if env is None else normalization_of(vars(env))
    if found is not None:
        yield f"{sorted(map(str, found.parts))} {found.clip} {found.epsilon}".encode()
        yield from (part.tobytes() for key in sorted(found.parts, key=str) for part in found.parts[key])


def _source(kind: type) -> Iterator[bytes]:
    """Of the modules that define a class and its bases; of a script or notebook, of these classes alone."""
    for each in kind.__mro__:
        if not _is_known(each):
            module = sys.modules.get(each.__module__)
            yield inspect.getsource(each if module is None or each.__module__ == "__main__" else module).encode()


def _is_known(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _KNOWN


def _attributes(module: nn.Module) -> Iterator[bytes]:
    for name, value in sorted(vars(module).items()):
        if name not in _OF_TORCH:
            yield f"{name} {_told(value)}".encode()
        elif "hooks" in name and value:
            raise _UnknownError


def _told(value: Any) -> str:
    """A value in words that are the same in every process."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        value = torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, torch.Tensor):
        return f"{value.dtype} {tuple(value.shape)} {hashlib.sha256(_bytes(value)).hexdigest()}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__} of {[_told(each) for each in value]}"
    if isinstance(value, dict):
        return f"dict of {[(_told(key), _told(each)) for key, each in value.items()]}"
    raise _UnknownError


def _bytes(numbers: Tensor) -> bytes:
    return numbers.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
