"""Networks that were exported to a file: TorchScript, which is code, and ONNX, which is data."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError, one_line
from symbench.extras import require

if TYPE_CHECKING:
    from gymnasium.spaces import Space

    from symbench.policies.module_agent import ModuleAgent

FORMATS: Final = {"torchscript": "TorchScript", "onnx": "ONNX"}

_TYPES: Final = {
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}
"""ONNX's name of an input's type to NumPy's; all others are given float32."""


@dataclass(frozen=True)
class ExportedFile:
    """A file that was read, once: what is hashed is what is loaded.

    Attributes:
        path: The file.
        format: ``"torchscript"`` or ``"onnx"``.
        content: Its bytes.
    """

    path: Path
    format: str
    content: bytes


def read_exported(path: str | Path, form: str, trust: bool) -> ExportedFile:
    """Read an exported network. Nothing in it is executed.

    Args:
        path: The file.
        form: ``"torchscript"`` or ``"onnx"``.
        trust: Whether the file's origin is trusted; TorchScript needs it.

    Raises:
        SymbenchError: It is missing, cannot be read, or is not trusted; what plays it is not installed.
    """
    if form == "torchscript" and not trust:
        raise SymbenchError(f"{path} is TorchScript, which is code: if you trust where it comes from, add --trust")
    if form == "onnx":
        require("onnxruntime", "ONNX networks")
    try:
        return ExportedFile(Path(path), form, Path(path).read_bytes())
    except OSError as error:
        raise SymbenchError(f"the agent's file {str(path)!r} cannot be read ({error.strerror})") from error


def load_exported(
    file: ExportedFile, name: str, observation_space: Space[Any], action_space: Space[Any]
) -> ModuleAgent:
    """The agent of an exported network; it answers as :class:`~symbench.policies.module_agent.ModuleAgent` says.

    Args:
        file: From :func:`read_exported`.
        name: How tables call it.
        observation_space: The task's (single) space.
        action_space: The task's (single) space.

    Raises:
        SymbenchError: The file holds no such network, or there is no way from its answers to such actions.
    """
    from symbench.policies.module_agent import ModuleAgent

    try:
        network = _script(file.content) if file.format == "torchscript" else OnnxNetwork(file.content)
    except Exception as error:  # both runtimes raise errors of their own
        problem = f"{type(error).__name__}: {one_line(error)[:200]}"
        raise SymbenchError(
            f"{file.path} cannot be loaded as {FORMATS[file.format]} ({problem}); {_HINTS[file.format]}"
        ) from error
    return ModuleAgent(network, name, observation_space, action_space)


_HINTS: Final = {
    "torchscript": "torch.jit.save writes such a file; of weights alone make module:Name",
    "onnx": "torch.onnx.export(..., external_data=False) writes such a file, all weights in it",
}


class OnnxNetwork(nn.Module):
    """An ONNX graph as a torch module, on one thread. A Dict's parts go to inputs of their names.

    Its first output is the answer. A graph that was exported for batches of 1 is given one observation after the other.
    """

    def __init__(self, content: bytes) -> None:
        """Load the graph; anything in it may fail as ONNX Runtime says."""
        super().__init__()
        runtime = require("onnxruntime", "ONNX networks")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong is raised
        self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._inputs = {given.name: _TYPES.get(given.type, np.float32) for given in self._session.get_inputs()}
        self._singly = any(given.shape[:1] == [1] for given in self._session.get_inputs())

    def forward(self, observations: Tensor | dict[str, Tensor]) -> Tensor:
        """The first output, (B, ...)."""
        given = observations if isinstance(observations, dict) else dict.fromkeys(list(self._inputs)[:1], observations)
        arrays = {name: part.numpy().astype(self._inputs.get(name, np.float32)) for name, part in given.items()}
        count = len(next(iter(arrays.values())))
        places = [slice(i, i + 1) for i in range(count)] if self._singly else [slice(None)]
        rows = [self._session.run(None, {name: array[place] for name, array in arrays.items()})[0] for place in places]
        return torch.from_numpy(np.concatenate(rows))


def _script(content: bytes) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # files of this format stay
        network: nn.Module = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]
    return network
