"""A plain policy of scenes is asked for turns by a loss over elements drawn from a continuous group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from symbench.errors import SymbenchError
from symbench.policies import NetworkActorCriticPolicy, SymmetricPPO
from symbench.policies.sb3.moves import SampledMoves, moves_of
from symbench.symmetry import symmetry_of

SPREAD = "symbench/ParticleSpread-v0"
ASKED = {"symmetry": "ParticleSpread", "symmetry_loss": "mirror"}
SMALL: dict[str, Any] = {"n_steps": 32, "batch_size": 32, "n_epochs": 1, "device": "cpu", "seed": 0}


def scenes(count: int = 64) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    attributes = torch.eye(2).repeat_interleave(3, dim=0).expand(count, -1, -1)
    moving = {key: torch.randn(count, 6, 2, generator=generator) for key in ("positions", "velocities")}
    return {**moving, "attributes": attributes}


def model(network: str = "scene-mlp", **changes: Any) -> SymmetricPPO:
    kwargs = {**ASKED, **SMALL, **changes}
    return SymmetricPPO(NetworkActorCriticPolicy, SPREAD, policy_kwargs={"network": network}, **kwargs)


def test_drawn_elements_act_as_the_declaration_says_with_gradients() -> None:
    pair = symmetry_of("ParticleSpread")
    env = gym.make(SPREAD)
    moves = moves_of("ParticleSpread", env.observation_space, env.action_space)
    assert isinstance(moves, SampledMoves)
    elements, seen = moves.drawn(8), scenes(8)
    moved: Any = moves.observations(elements, seen)
    expected = pair.observation.apply(elements, {key: part.numpy() for key, part in seen.items()})
    assert all(np.array_equal(moved[key].numpy(), expected[key]) for key in seen)
    actions = torch.randn(8, 6, dtype=torch.float64, requires_grad=True)
    back = moves.undo(elements, actions)
    undone = pair.action.undo(elements, actions.detach().numpy().reshape(8, 3, 2))
    np.testing.assert_allclose(back.detach().numpy().reshape(8, 3, 2), undone, atol=1e-12)
    back.square().sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(actions.grad, 2 * actions.detach())


def test_the_loss_measures_what_is_broken_and_mends_it() -> None:
    plain, exact, seen = model(), model("equivariant-graph"), scenes()
    for layer in plain.policy.modules():
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.orthogonal_(layer.weight, 1.0)
    before = plain._asymmetry(seen).detach()
    assert exact._asymmetry(seen) < 1e-6 < 1e-2 < before
    optimizer = torch.optim.Adam(plain.policy.parameters(), 3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        plain._asymmetry(seen).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert plain._asymmetry(seen) < 0.3 * before


def test_it_trains_and_comes_back(tmp_path: Path) -> None:
    trained = model().learn(64)
    trained.save(tmp_path / "model")
    loaded = SymmetricPPO.load(tmp_path / "model", env=gym.make(SPREAD), device="cpu")
    loaded.learn(32)
    assert loaded.symmetry == "ParticleSpread"
    first, again = (list(model().learn(64).policy.parameters()) for _ in range(2))
    assert all(map(torch.equal, first, again)), "what is drawn depends on the seed alone"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SymbenchError, match=r"O\(2\) x S3 x S3 turns actions: ask by symmetry_loss='mirror'"):
        model(symmetry_loss="drac")
    with pytest.raises(SymbenchError, match="the symmetry does not fit the spaces"):
        model(symmetry="Pursuit")
