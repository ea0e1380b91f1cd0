"""Published agents: those of "The Sensory Neuron as a Transformer" (Tang & Ha 2021), and routing models."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn.utils import vector_to_parameters

from symbench.errors import SymbenchError, unknown
from symbench.policies import (
    AttentionAgentNetwork,
    NetworkAgent,
    RecurrentAttentionNeuronNetwork,
    VisionAttentionNeuronNetwork,
)
from symbench.policies.vision import VisionAttentionNeuron
from symbench.reading import brief, read
from symbench.zoo.published_routing import PUBLISHED_ROUTING, load_published_routing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.policies import PolicyNetwork

_ARCHIVE_BYTES: Final = 2**26
_NUMBER_BYTES: Final = 16  # the widest of numpy's real numbers
_HEADER_BYTES: Final = 2**16


def _squashed(size: int) -> dict[str, Any]:
    return {"low": [-1.0] * size, "high": [1.0] * size, "squash": "tanh"}


_DRIVER: Final = {"action_space": {"low": [-1.0, 0.0, 0.0], "high": [1.0, 1.0, 1.0], "squash": "tanh"}}
_DRIVER_CODES: Final = {"num_codes": 1024, "code_dim": 16, "projection_dim": 16, "affine": False}

# Architectures: appendix A of arXiv 2109.02869; which of them has biases and a scale is a fact of the published code.
PUBLISHED: Final[dict[str, tuple[type[PolicyNetwork], dict[str, Any]]]] = {
    "cartpole_pi": (
        RecurrentAttentionNeuronNetwork,
        {"action_space": _squashed(1), "num_codes": 16, "bias": False, "scale": False, "hidden": ()},
    ),
    "ant_pi": (
        RecurrentAttentionNeuronNetwork,
        {"action_space": _squashed(8), "num_codes": 32, "bias": True, "scale": True, "hidden": (32,)},
    ),
    "carracing_pi": (VisionAttentionNeuronNetwork, {**_DRIVER, **_DRIVER_CODES, "head": "attention-agent"}),
    "carracing": (AttentionAgentNetwork, _DRIVER),
    "puzzle_pong": (VisionAttentionNeuronNetwork, {"action_space": {"discrete": 6}}),
}


def load_published(name: str, path: str | Path) -> NetworkAgent:
    """Read weights as the authors published them: an ``.npz`` file with one flat vector ``params``.

    Files of attention models hold named arrays: see :func:`~symbench.zoo.published_routing.load_published_routing`.

    The vector holds the parameters in the order of the authors' modules, of each its weights, then its biases where
    there are any. Agents with sensors: LSTMCell (input weights, hidden weights, input biases, hidden biases), W_q, W_k,
    the head's layers. Agents with patches: W_q, W_k, W_v, for Pong the LayerNorms of patches and codes, then the head:
    convolutions and dense layers, or W_q, W_k, LSTMCell, the last layer and the two mixing layers of AttentionAgent.

    Args:
        name: ``"cartpole_pi"`` (CartPoleSwingUp, 913 parameters), ``"ant_pi"`` (PyBullet's Ant, 2,504),
            ``"carracing_pi"`` (CarRacing, 7,212), ``"carracing"`` (AttentionAgent on CarRacingRGB, 3,667),
            ``"puzzle_pong"`` (Pong, 1,687,726), or an attention model: ``"tsp_20"``, ``"tsp_50"``, ``"tsp_100"``
            (708,608), ``"cvrp_20"``, ``"cvrp_50"``.
        path: The file.

    Returns:
        An agent that acts on any number of sensors, patches or cities (AttentionAgent: on 96x96 frames).

    Raises:
        SymbenchError: The name is unknown, or the file is missing, corrupt or of another size.

    Example:
        >>> agent = load_published("cartpole_pi", "cartpole_pi.npz")  # doctest: +SKIP
        >>> agent.reset()  # doctest: +SKIP
        >>> agent.act(np.zeros(5))  # doctest: +SKIP
    """
    if name in PUBLISHED_ROUTING:
        return load_published_routing(name, path)
    if name not in PUBLISHED:
        raise unknown("published agent", name, [*PUBLISHED, *PUBLISHED_ROUTING])
    architecture, config = PUBLISHED[name]
    network = architecture(**config)
    expected = sum(parameter.numel() for parameter in network.parameters())
    flat = _read_vector(Path(path), expected)
    if flat.size != expected:
        raise SymbenchError(f"{path} holds {flat.size} parameters, {name} has {expected}")
    vector_to_parameters(torch.from_numpy(flat), network.parameters())
    if name == "carracing_pi":
        _time_first(network)
    return NetworkAgent(network, name)


@torch.no_grad()
def _time_first(network: PolicyNetwork) -> None:
    """Reorder the inputs of CarRacing's keys, which the authors flatten row, column, time, to time, row, column."""
    assert isinstance(network, VisionAttentionNeuronNetwork)
    layer = network.layer
    assert isinstance(layer, VisionAttentionNeuron)
    weight, differences = next(layer.project_key.parameters()), network.history - 1
    pixels = weight[:, : layer.key_dim].reshape(len(weight), -1, differences)
    weight[:, : layer.key_dim] = pixels.transpose(1, 2).flatten(1)


def _read_vector(file: Path, expected: int) -> NDArray[np.float32]:
    """The vector ``params`` of an archive that should hold so many numbers, as float32."""
    content = read(file, str(file), _ARCHIVE_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            array = np.lib.format.read_array(io.BytesIO(_params(archive, file, expected)), allow_pickle=False)
    except SymbenchError:
        raise
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged files
        raise SymbenchError(f"{file} is not an .npz file with a vector 'params' ({brief(error)})") from error
    if array.dtype.kind not in "fiu":
        raise SymbenchError(f"{file}: 'params' holds {array.dtype}; real numbers were expected")
    with np.errstate(over="ignore"):
        flat: NDArray[np.float32] = array.ravel().astype(np.float32)
    if not np.isfinite(flat).all():
        raise SymbenchError(f"{file}: 'params' holds numbers that are not finite")
    return flat


def _params(archive: zipfile.ZipFile, file: Path, expected: int) -> bytes:
    """The file in the archive; what it takes is in the archive's directory, so it is unpacked only if it may fit."""
    members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    if "params" not in members:
        raise SymbenchError(f"{file} holds {brief(', '.join(members)) or 'nothing'}; a vector 'params' was expected")
    size, limit = members["params"].file_size, _HEADER_BYTES + _NUMBER_BYTES * expected
    if size > limit:
        raise SymbenchError(f"{file}: 'params' takes {size:,} bytes, {expected} parameters take at most {limit:,}")
    return archive.read(members["params"])
