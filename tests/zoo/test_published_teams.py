"""The authors' networks, from their weights: every layer, logits and values as their program computed them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from symbench.errors import SymbenchError
from symbench.policies import MultiAgentHomomorphicNetwork
from symbench.policies.equivariant.bases import invariants, map_basis
from symbench.policies.multi_agent.homomorphic import on_edges
from symbench.symmetry import trivial_representation
from symbench.zoo.published_teams import TEAMS, PublishedTeam, load_published_team

pytestmark = pytest.mark.reference


@pytest.fixture
def geometric(reference: Path) -> Path:
    return reference / "geometric"


def recording(folder: Path, name: str) -> tuple[dict[str, np.ndarray], PublishedTeam, torch.Tensor, torch.Tensor]:
    """A file, its team, and the pictures (B, n, C, H, W) and places (B, n, 2) that it saw."""
    path = folder / f"marl_{name}.npz"
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    agents = arrays["y/encoder"].shape[1]
    if name.startswith("wildlife"):
        images = arrays["in/image"][:, :, None].astype(np.float64)
        positions = arrays["in/state_row_col"][:, :agents].astype(np.float64)
    else:
        pixels = arrays["in/image_x10"]
        images = pixels.reshape(len(pixels), agents, -1, *pixels.shape[2:]) / 10
        positions = arrays["in/locs"][..., ::-1].astype(np.float64)  # the authors' are (column, row)
    team = load_published_team(name, path, agents, images.shape[-1])
    return arrays, team, torch.tensor(images), torch.tensor(positions.copy())


@pytest.mark.parametrize("name", TEAMS)
def test_every_layer_is_that_of_the_authors(name: str, geometric: Path) -> None:
    arrays, (network, value), images, positions = recording(geometric, name)
    with torch.no_grad():
        encoded, *layers = network.rounds(images, positions)
        logits = network.last(layers[-1]).reshape(*images.shape[:2], -1)
        found = {"encoder": encoded, "policy_logits": logits, "value": value.of_agents(layers[-1])}
    found |= {f"layer{i}": layer for i, layer in enumerate(layers)}
    assert {f"y/{key}" for key in found} == {key for key in arrays if key.startswith("y/")}
    for key, tensor in found.items():
        np.testing.assert_allclose(tensor.numpy(), arrays[f"y/{key}"], atol=1e-6, rtol=0)


def test_places_are_scaled_as_the_authors_did(geometric: Path) -> None:
    for name in TEAMS[:2]:
        arrays, (network, _), _, positions = recording(geometric, name)
        scaled = positions.numpy() * network.position_scale
        np.testing.assert_allclose(scaled, arrays["in/locs_normalised"], atol=1e-6)


@pytest.mark.parametrize("name", [name for name in TEAMS if name.endswith("equivariant")])
def test_bases_are_as_large_as_theirs(name: str, geometric: Path) -> None:
    arrays, (network, _), *_ = recording(geometric, name)
    assert isinstance(network, MultiAgentHomomorphicNetwork)
    rep, group = network.rep, network.rep.group
    reps: dict[str, Any] = {"policy": (rep, network.rep_out), "value": (rep, trivial_representation(group))}
    message = rep + on_edges(group, ["turn"]) + rep
    reps |= {f"message{i}": (message, rep) for i in range(len(network.layers))}
    ranks = {key: (len(map_basis(*pair)), len(invariants(pair[1]))) for key, pair in reps.items()}
    for i, layer in enumerate(list(network.encoder.conv)[::2]):
        ranks[f"conv{i}"] = (layer.coefficients.shape[2], layer.bias.shape[1])
    assert {f"rank/{key}": list(rank) for key, rank in ranks.items()} == {
        key: array.tolist() for key, array in arrays.items() if key.startswith("rank/")
    }


def test_junctions_of_the_published_standard_network_hear_nobody(geometric: Path) -> None:
    _, (network, _), _, positions = recording(geometric, "traffic_standard")
    assert not torch.triu(network.graph.links(network.edges(positions, positions)), 1).any()


def test_what_is_no_such_file_is_refused(geometric: Path, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="does not hold the weights of wildlife_standard"):
        load_published_team("wildlife_standard", geometric / "marl_wildlife_equivariant.npz", 3, 21)
    with pytest.raises(SymbenchError, match="does not hold the weights of traffic_equivariant"):
        load_published_team("traffic_equivariant", geometric / "marl_traffic_standard.npz", 4, 35)
    (tmp_path / "weights.npz").write_bytes(b"PK")
    with pytest.raises(SymbenchError, match=r"is not an \.npz file of weights"):
        load_published_team("traffic_standard", tmp_path / "weights.npz", 4, 35)
    with pytest.raises(SymbenchError, match="unknown published team"):
        load_published_team("ocean_standard", tmp_path / "weights.npz", 4, 35)
