"""Weights of the authors' multi-agent networks, in the layout of their program, for the networks here.

Source: van der Pol et al. 2022 (arXiv 2110.04495). The authors published no trained weights; files in this layout are
made by their program.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError, unknown
from symbench.policies.equivariant.bases import invariants, map_basis
from symbench.policies.multi_agent import MultiAgentHomomorphicNetwork, StandardMultiAgentNetwork
from symbench.policies.multi_agent.homomorphic import on_edges
from symbench.policies.multi_agent.team_network import CELL
from symbench.reading import brief, read
from symbench.symmetry import trivial_representation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from symbench.policies.multi_agent import MessagePassingNetwork
    from symbench.policies.multi_agent.message_passing import TeamValue
    from symbench.symmetry import Representation

    Floats = NDArray[np.float64]
    Arrays = Mapping[str, Floats]

_LARGEST: Final = 2**26  # bytes, packed and unpacked
_STRIDES: Final = (2, 1)
_TURNS: Final = {"wildlife": [[0, 2, 3, 4, 1]], "traffic": [[1, 0]]}
TEAMS: Final = ("wildlife_equivariant", "wildlife_standard", "traffic_equivariant", "traffic_standard")


class PublishedTeam(NamedTuple):
    """A policy and what was trained beside it.

    Attributes:
        network: The policy.
        value: Its critic, of ``network.features``.
    """

    network: MessagePassingNetwork
    value: TeamValue


def load_published_team(name: str, path: str | Path, agents: int, size: int) -> PublishedTeam:
    """Read an ``.npz`` file of weights as the authors' program holds them.

    ``conv{i}.weight`` (c_out, c_in, k, k), ``message{l}.weight``, ``policy.weight``, ``value.weight`` and their biases,
    each perhaps behind ``w/``; equivariant ones are expanded: channel 4 c + g of convolutions, messages
    (c_out, 4, c_in, 10), heads (1, d, c, 4). Places are (row, column) here; in the authors' Traffic (column, row).

    Args:
        name: One of :data:`TEAMS`.
        path: The file.
        agents: Number n of agents.
        size: Height and width of a picture.

    Raises:
        SymbenchError: The name is unknown, the file is missing or corrupt, or its weights are not such a network's.
    """
    if name not in TEAMS:
        raise unknown("published team", name, TEAMS)
    task, arm = name.split("_")
    arrays = _read(Path(path))
    try:
        if task == "traffic":
            edges = [key for key in arrays if key.startswith("message") and key.endswith(".weight")]
            arrays = {**arrays, **{key: _rows_first(arrays[key]) for key in edges}}
        make = _equivariant if arm == "equivariant" else _standard
        return make(task, arrays, agents, size)
    except (LookupError, ValueError) as error:
        raise SymbenchError(f"{path} does not hold the weights of {name} ({brief(error)})") from error


@torch.no_grad()
def _equivariant(task: str, arrays: Arrays, agents: int, size: int) -> PublishedTeam:
    sizes = _sizes(task, arrays, agents, size, 4)
    network = MultiAgentHomomorphicNetwork(action={"maps": _TURNS[task]}, norm_weighted=True, **sizes)
    value: Any = network.value_head([])
    for i, convolution in enumerate(list(network.encoder.conv)[::2]):
        _fill_convolution(convolution, *_layer(arrays, f"conv{i}"))
    rep, one = network.rep, trivial_representation(network.rep.group)
    message = rep + on_edges(rep.group, ["turn"]) + rep
    for i, layer in enumerate(network.layers):
        _fill_linear(layer.linear, message, rep, *_layer(arrays, f"message{i}"))
    _fill_linear(network.head.linear, rep, network.rep_out, *_layer(arrays, "policy"))
    _fill_linear(value.of_one.head.linear, rep, one, *_layer(arrays, "value"))
    return PublishedTeam(network, value)


@torch.no_grad()
def _standard(task: str, arrays: Arrays, agents: int, size: int) -> PublishedTeam:
    reach = {"reach": 3 * 2**0.5 * CELL} if task == "wildlife" else {"published_graph": True}
    network = StandardMultiAgentNetwork(**_sizes(task, arrays, agents, size, 1), **reach)
    value: Any = network.value_head([])
    layers: dict[str, Any] = {f"conv{i}": layer for i, layer in enumerate(list(network.encoder)[::2])}
    layers |= {f"message{i}": layer.linear for i, layer in enumerate(network.layers)}
    for name, layer in {**layers, "policy": network.head, "value": value.of_one.layers[0]}.items():
        weight, bias = _layer(arrays, name)
        _set(layer.weight, weight)
        _set(layer.bias, bias)
    return PublishedTeam(network, value)


def _sizes(task: str, arrays: Arrays, agents: int, size: int, order: int) -> dict[str, Any]:
    """What the shapes of weights say of the architecture; a channel is ``order`` pictures."""
    shapes = [arrays[f"conv{i}.weight"].shape for i in range(len(_STRIDES))]
    count = sum(name.startswith("message") and name.endswith(".weight") for name in arrays)
    return {
        "action_space": spaces.MultiDiscrete([arrays["policy.bias"].size] * agents),
        **{"agents": agents, "size": size, "channels": shapes[0][1]},
        "conv": [[shape[0] // order, shape[2], stride] for shape, stride in zip(shapes, _STRIDES, strict=True)],
        "messages": [len(arrays[f"message{i}.weight"]) for i in range(count)],
        "position_scale": CELL if task == "wildlife" else 1.0,
    }


def _fill_convolution(layer: Any, weight: Floats, bias: Floats) -> None:
    """The kernel for the first element, of which the others are moved copies; a basis element has length 1."""
    length = layer.order**0.5
    kernels = weight.reshape(layer.out_channels, layer.order, layer.in_channels, -1)[:, 0]
    _set(layer.coefficients, length * kernels)
    _set(layer.bias, length * bias.reshape(layer.out_channels, layer.order)[:, :1])


def _fill_linear(layer: Any, rep_in: Representation, rep_out: Representation, weight: Floats, bias: Floats) -> None:
    """Coefficients are the products of weights with each element of the basis."""
    _set(layer.coefficients, np.einsum("rde,odce->roc", map_basis(rep_in, rep_out), weight))
    _set(layer.bias, np.einsum("rd,od->ro", invariants(rep_out), bias))


def _layer(arrays: Arrays, name: str) -> tuple[Floats, Floats]:
    return arrays[f"{name}.weight"], arrays[f"{name}.bias"]


def _rows_first(array: Floats) -> Floats:
    """Weights of messages with the two columns in the middle, which meet an edge, exchanged."""
    swapped: Floats = array.copy()
    middle = array.shape[-1] // 2
    swapped[..., [middle - 1, middle]] = array[..., [middle, middle - 1]]
    return swapped


def _set(parameter: torch.Tensor, values: Floats) -> None:
    if tuple(parameter.shape) != values.shape:
        raise ValueError(f"weights of shape {values.shape} where {tuple(parameter.shape)} was expected")
    parameter.data = torch.from_numpy(np.ascontiguousarray(values))


def _read(file: Path) -> Arrays:
    """The weights of an archive by name, float64."""
    content = read(file, str(file), _LARGEST)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > _LARGEST:
            raise ValueError(f"unpacked it takes {unpacked:,} bytes, at most {_LARGEST:,} are read")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            names = [name for name in arrays.files if name.endswith((".weight", ".bias"))]
            return {name.removeprefix("w/"): arrays[name].astype(np.float64) for name in names}
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds on damaged files
        raise SymbenchError(f"{file} is not an .npz file of weights ({brief(error)})") from error
