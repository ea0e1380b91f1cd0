"""SHA-256 of what an agent's file holds: its tensors, not its bytes. A comment in a header makes no other agent."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from safetensors.torch import load

from symbench.errors import SymbenchError
from symbench.reading import brief
from symbench.zoo.agent_files import read_agent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_LARGEST: Final = 2**30  # bytes, unpacked
_DEBUGGING: Final = ".debug_pkl"  # TorchScript's line numbers


def tensor_digest(path: str | Path) -> str:
    """SHA-256 of the tensors in an agent's file; two files with equal tensors have the same, whatever else differs.

    Tensors are taken in the order of their names, as numbers: that ``float32`` was written as ``float64`` changes
    nothing. Nothing in the file is executed. Of TorchScript, which is code, and of
    policies that are not plain tensors it is that of the files in the archive, of ONNX that of the bytes.

    Args:
        path: ``PATH``, ``PATH.safetensors`` or ``PATH.json`` of an agent of the zoo, a zip of Stable-Baselines3, or an
            exported network.

    Returns:
        64 hexadecimal digits.

    Raises:
        SymbenchError: The file is missing or corrupt.
    """
    path = Path(path)
    if path.suffix == ".onnx":
        return hashlib.sha256(_bytes(path)).hexdigest()
    if path.suffix in (".safetensors", ".json") or not path.is_file():
        return _of_tensors(_loaded(path, read_agent(path).weights))
    members = _members(path, _bytes(path))
    policy = _unpickled(members["policy.pth"]) if "policy.pth" in members else None
    return _of_tensors(policy) if policy else _of_members(members)


def _of_tensors(tensors: Mapping[str, Tensor]) -> str:
    sha = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        wide = tensor.detach().to(torch.complex128 if tensor.is_complex() else torch.float64)
        numbers = (wide + 0).contiguous().numpy()  # plus 0: minus zero is zero
        sha.update(json.dumps([name, list(tensor.shape)]).encode() + b"\0" + numbers.tobytes())
    return sha.hexdigest()


def _of_members(members: Mapping[str, bytes]) -> str:
    sha = hashlib.sha256()
    for name, content in sorted(members.items()):
        # The first folder is called as the file was when it was written.
        sha.update(json.dumps([name.partition("/")[2], len(content)]).encode() + b"\0" + content)
    return sha.hexdigest()


def _loaded(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        return load(content)
    except Exception as error:  # the library raises what it likes on damaged files
        raise SymbenchError(f"{path} is corrupt or not a safetensors file ({brief(error)})") from error


def _unpickled(content: bytes) -> dict[str, Tensor]:
    """The policy of a zip of Stable-Baselines3; empty if it holds what torch's unpickler of tensors does not know."""
    try:
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        return {str(name): tensor for name, tensor in found.items() if isinstance(tensor, torch.Tensor)}
    except Exception:  # likewise
        return {}


def _members(path: Path, content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _LARGEST:
                raise ValueError(f"unpacked it takes more than {_LARGEST:,} bytes")
            return {name: archive.read(name) for name in archive.namelist() if not name.endswith(_DEBUGGING)}
    except Exception as error:  # zipfile and zlib raise a dozen kinds on damaged files
        raise SymbenchError(f"{path} is corrupt or no agent's file ({brief(error)})") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SymbenchError(f"the agent's file {str(path)!r} cannot be read ({error.strerror})") from error
