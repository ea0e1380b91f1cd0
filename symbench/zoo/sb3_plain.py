"""Models of Stable-Baselines3 rebuilt from the plain data in their files, without executing anything in these.

Most zip files hold code only where nobody needs it: schedules of the training, names of classes. Those that follow are
all that plays: numbers, the policy's class if it is one of SB3's or of symbench's own, its arguments, the spaces, and
tensors, which torch reads with ``weights_only``. Whatever else is pickled makes a file one that needs trust.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import pickle
import pickletools
import warnings
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces

from symbench.errors import one_line
from symbench.zoo.sb3_contents import described_space
from symbench.zoo.vecnormalize import Numbers

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from stable_baselines3.common.base_class import BaseAlgorithm

# Of the training only, beside what the loader replaces anyway.
_OF_TRAINING: Final = {
    *("ep_info_buffer", "ep_success_buffer", "action_noise", "train_freq", "_episode_storage", "_last_dones"),
    *("_last_episode_starts", "_last_lstm_states", "batch_norm_stats", "batch_norm_stats_target"),
    "weights",  # of ARS, whose policy has them too
}
_ARRAYS: Final = ("_last_obs", "_last_original_obs")
_SPACES: Final = ("observation_space", "action_space")
_CLASSES: Final = ("policy_class", "policy_kwargs")
_WORDS: Final = ("ent_coef",)  # settings that may be texts: "auto"

# Where classes that a policy is made of may be from; each must be defined there.
_ROOMS: Final = (
    "stable_baselines3.",
    "sb3_contrib.",
    "symbench.policies.",
    "torch.nn.modules.activation",
    "torch.optim.",
)
# What a pickle calls something with, or sets attributes with. Numbers, texts, containers and names need none of these.
_CALLS: Final = {"REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"}


class NeedsTrust(Exception):
    """A file holds code, or what cannot be told from it; the message says where."""


def rebuilt(
    model_class: type[BaseAlgorithm], content: bytes, saved: dict[str, Any], replaced: dict[str, Any]
) -> BaseAlgorithm:
    """The model in a zip file.

    Args:
        model_class: Its algorithm.
        content: The bytes of the file.
        saved: From :func:`symbench.zoo.sb3_contents.plain_data`.
        replaced: Attribute -> what stands for it, whatever the file says.

    Raises:
        NeedsTrust: It cannot be had without unpickling.
    """
    data = {**_data(saved, model_class, replaced), **{name: replaced[name] for name in replaced if name in saved}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the file is old
        try:
            return model_class.load(io.BytesIO(_with_names(content, data)), device="cpu", custom_objects=data)
        except Exception as error:  # what a stranger's numbers are made into can raise anything
            raise NeedsTrust(f"{type(error).__name__}: {one_line(error)[:200]}") from error


def _data(saved: dict[str, Any], model_class: type[BaseAlgorithm], replaced: Container[str]) -> dict[str, Any]:
    """The attributes of the model that play a part."""
    found: dict[str, Any] = {}
    for name, value in saved.items():
        if name in replaced or name in _OF_TRAINING or callable(getattr(model_class, name, None)):
            continue
        if name in _SPACES:
            found[name] = _space(saved, name)
        elif name in _CLASSES:
            found[name] = _classes(name, value)
        elif name in _ARRAYS:
            found[name] = _array(name, value)
        elif _pickled(value):
            raise NeedsTrust(f"{name} is a pickle")
        elif value is None or isinstance(value, (bool, int, float)) or name in _WORDS:
            found[name] = value
    return found


def _with_names(content: bytes, names: Iterable[str]) -> bytes:
    """The same file with the names of these attributes only: their values are given beside it."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(made, "w") as plain:
        for name in archive.namelist():
            plain.writestr(name, json.dumps(dict.fromkeys(names)) if name == "data" else archive.read(name))
    return made.getvalue()


def _pickled(value: Any) -> bytes | None:
    """The pickle of an attribute; ``None`` of a plain one."""
    if not isinstance(value, dict) or ":serialized:" not in value:
        return None
    try:
        return base64.b64decode(value[":serialized:"], validate=True)
    except (TypeError, ValueError) as error:
        raise NeedsTrust("an attribute is damaged") from error


def _classes(name: str, value: Any) -> Any:
    """A class, or a dict of settings with classes among them."""
    content = _pickled(value)
    found = value if content is None else _read(_Classes, name, content)
    if name == "policy_class" and not isinstance(found, type):
        raise NeedsTrust("policy_class is no class")
    return found


def _array(name: str, value: Any) -> Any:
    """An array or a dict of some; ``None`` if there is none."""
    content = _pickled(value)
    found = None if content is None else _read(Numbers, name, content)
    parts = found.values() if isinstance(found, dict) else [found]
    if found is not None and not all(isinstance(part, np.ndarray) for part in parts):
        raise NeedsTrust(f"{name} is no array")
    return found


def _space(saved: dict[str, Any], name: str) -> spaces.Space[Any]:
    """A space from the numbers in its pickle, whatever package it is of; else from its description."""
    content = _pickled(saved[name])
    try:
        if content is not None:
            return _space_of(vars(_read(Numbers, name, content)))
    except (NeedsTrust, KeyError, TypeError, ValueError, AssertionError):
        pass
    try:
        found = described_space(saved, name)
    except (TypeError, ValueError, AssertionError) as error:
        raise NeedsTrust(f"{name} cannot be read") from error
    if found is None:
        raise NeedsTrust(f"{name} cannot be read")
    return found


def _space_of(of: Mapping[str, Any]) -> spaces.Space[Any]:
    """The space of which these are the attributes."""
    if isinstance(parts := of.get("spaces"), dict):
        return spaces.Dict({key: _space_of(vars(part)) for key, part in parts.items()})
    if "low" in of:
        return spaces.Box(of["low"], of["high"], dtype=np.asarray(of["low"]).dtype.type)
    if "nvec" in of:
        return spaces.MultiDiscrete(of["nvec"])
    if of.get("_shape", of.get("shape")):
        return spaces.MultiBinary(int(of["n"]))
    return spaces.Discrete(int(of["n"]), start=int(of.get("start", 0)))


def _read(reader: type[pickle.Unpickler], name: str, content: bytes) -> Any:
    try:
        return reader(io.BytesIO(content)).load()
    except Exception as error:  # a pickle can raise anything
        raise NeedsTrust(f"{name}: {one_line(error)[:200]}") from error


class _Classes(pickle.Unpickler):
    """Reads numbers, texts, containers and classes of networks and optimizers that are SB3's, torch's or our own."""

    def __init__(self, file: io.BytesIO) -> None:
        """Look at all of the pickle first: it may call nothing."""
        for opcode, _, _ in pickletools.genops(file.getvalue()):
            if opcode.name in _CALLS:
                raise NeedsTrust(f"its pickle does more than to name classes ({opcode.name})")
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:
        """See :meth:`pickle.Unpickler.find_class`."""
        from torch import nn, optim

        found = getattr(importlib.import_module(module), name, None) if module.startswith(_ROOMS) else None
        known = isinstance(found, type) and issubclass(found, (nn.Module, optim.Optimizer))
        if found is None or not known or not found.__module__.startswith(_ROOMS):
            raise NeedsTrust(f"{module}.{name} is not among the classes of policies")
        return found
