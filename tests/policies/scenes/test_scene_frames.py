"""Plain policies in frames turn with the scene: exactly by principal axes, the better the more frames are sampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from scene_cases import AGENTS, BODIES, MLP, PLAIN, Motion, error, exchange, logits, motions, network, rough, scene
from stable_baselines3 import PPO, SAC

from symbench.errors import SymbenchError
from symbench.policies import FrameAveragedPolicy, NetworkAgent
from symbench.policies.scenes import EquivariantGraphNetwork, FrameAveragedNetwork
from symbench.policies.scenes.scene_frames import canonical_frame, frames_named, principal_frames, sampled_frames

EXACT = 1e-10
FRAMED = "frame-averaged"
INNER: dict[str, dict[str, Any]] = {
    PLAIN: {"kind": PLAIN, "hidden": 16},
    MLP: {"kind": MLP, "hidden": [16, 16]},
}


def framed(inner: str = PLAIN, frames: str | int = "principal", dim: int = 2, **options: Any) -> Any:
    sizes: dict[str, Any] = {"bodies": BODIES, "dim": dim, "attributes": 2}
    torch.manual_seed(0)
    space = spaces.Box(-1, 1, (AGENTS, dim))
    return rough(
        FrameAveragedNetwork(options.pop("space", space), **sizes, network=INNER[inner], frames=frames, **options)
    )


def in_order(motion: Motion) -> Motion:
    """The same without exchanges of bodies, which an MLP knows by their places."""
    return Motion(motion.turn, motion.shift, torch.arange(BODIES))


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("frames", ["principal", "canonical"])
@pytest.mark.parametrize("inner", INNER)
def test_forces_and_values_in_principal_axes_move_with_the_scene(inner: str, frames: str, dim: int) -> None:
    net, seen = framed(inner, frames, dim), scene(dim)
    values, of_actions = rough(net.value_head([8])), rough(net.value_head([8], of_actions=True, outputs=3))
    deviations, actions = rough(net.log_std_head()), torch.randn(7, AGENTS * dim, dtype=torch.float64)
    with torch.no_grad():
        before = net.features(*net.remembered(seen))
        for motion in motions(dim):
            moved = motion if inner == PLAIN else in_order(motion)
            after = net.features(*net.remembered(moved.scene(seen)))
            assert error(net.last(net.latent(after)), moved.vectors(net.last(net.latent(before)))) < EXACT
            assert error(values(after), values(before)) < EXACT
            assert error(of_actions(after, moved.vectors(actions)), of_actions(before, actions)) < EXACT
            assert error(deviations(net.latent(after)), moved.numbers(deviations(net.latent(before)))) < EXACT
    assert error(net.last(net.latent(before))[0], net.last(net.latent(before))[1]) > 1e-3  # it does look


def test_the_plain_networks_do_not_and_an_mlp_in_frames_still_knows_bodies_by_their_places() -> None:
    seen = scene()
    for kind in INNER:
        plain = network(kind)
        for motion in map(in_order, motions()):
            assert error(logits(plain, motion.scene(seen)), motion.vectors(logits(plain, seen))) > 1e-2
    other, net = exchange(torch.tensor([2, 0, 1, 3, 4])), framed(MLP)
    assert error(logits(net, other.scene(seen)), other.vectors(logits(net, seen))) > 1e-2


@pytest.mark.parametrize("dim", [2, 3])
def test_the_more_frames_are_sampled_the_smaller_is_the_error(dim: int) -> None:
    seen = scene(dim, batch=32)
    moved = list(map(in_order, motions(dim)))

    def of(count: int, seed: int) -> float:
        net = framed(MLP, count, dim, seed=seed)
        before = logits(net, seen)
        return float(np.mean([float((logits(net, m.scene(seen)) - m.vectors(before)).square().mean()) for m in moved]))

    errors = [np.sqrt(np.mean([of(count, seed) for seed in range(5)])) for count in (1, 8, 64, 512)]
    assert errors == sorted(errors, reverse=True)
    assert errors[3] < errors[1] / 4  # as 1 / sqrt(k) it would be an eighth
    shifted = Motion(torch.eye(dim, dtype=torch.float64), torch.ones(dim, dtype=torch.float64), torch.arange(BODIES))
    assert error(logits(framed(MLP, 3, dim), shifted.scene(seen)), logits(framed(MLP, 3, dim), seen)) < EXACT


def test_a_network_in_frames_that_is_equivariant_says_the_same() -> None:
    net, seen = network(), scene()
    frames = principal_frames(seen["positions"])
    inside = net.features(*frames.seen(seen["positions"], seen["velocities"], seen["attributes"]))
    back = frames.taken_back(net.last(net.latent(inside)).detach())
    assert error(back.flatten(1), logits(net, seen)) < EXACT


DEGENERATE = {
    "the origin": torch.zeros(4, 3),
    "one place": torch.full((7, 3), 0.1),
    "one body": torch.ones(1, 3),
    "a line": torch.outer(torch.arange(4.0), torch.ones(3)),
    "a cross": torch.cat([torch.eye(3), -torch.eye(3)]),
}


@pytest.mark.parametrize("which", DEGENERATE)
def test_where_axes_are_not_determined_those_of_space_are_taken(which: str) -> None:
    single = principal_frames(DEGENERATE[which][None])  # in float32 the mean of like numbers is another
    assert torch.equal(single.axes.abs(), torch.eye(3).expand_as(single.axes))
    positions = DEGENERATE[which].double()[None].requires_grad_()
    for frames in (principal_frames(positions), canonical_frame(positions)):
        assert torch.equal(frames.axes.abs(), torch.eye(3).double().expand_as(frames.axes))
        shown = frames.seen(positions, positions, None)[0]
        shown.square().sum().backward()  # type: ignore[no-untyped-call]
        assert shown.isfinite().all() and positions.grad is not None and positions.grad.isfinite().all()


def test_networks_say_finite_things_of_bodies_in_one_place() -> None:
    seen = {key: torch.zeros_like(part, requires_grad=True) for key, part in scene().items()}
    for frames in ("principal", "canonical", 4):
        net = framed(PLAIN, frames)
        out = net.last(net.latent(net.features(*net.remembered(seen))))
        out.sum().backward()
        assert out.isfinite().all()
        assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())


def test_a_trained_network_keeps_its_weights_and_forces_stay_within_the_ball() -> None:
    plain = network(PLAIN)
    net = FrameAveragedNetwork.of(plain)
    assert net.dtype == torch.float64 and net.config()["network"]["hidden"] == 16
    one = FrameAveragedNetwork.of(plain, frames=1)
    turn = one.frames_of(torch.zeros(1, BODIES, 2).double()).axes[0, 0]
    still = Motion(turn.T, torch.zeros(2).double(), torch.arange(BODIES))
    seen = {**scene(), "positions": scene()["positions"] - scene()["positions"].mean(dim=1, keepdim=True)}
    expected = logits(plain, still.scene(seen)).reshape(7, AGENTS, 2) @ turn.T
    scale = expected.norm(dim=-1, keepdim=True).clamp(min=1.0)
    assert error(logits(one, seen), (expected / scale).flatten(1)) < EXACT
    for weight in net.inner.head[0].parameters():
        weight.data *= 100
    lengths = logits(net, scene()).reshape(7, AGENTS, 2).norm(dim=-1)
    assert lengths.max() <= 1 + 1e-12 and lengths.max() > 0.99


def test_it_plays_as_an_agent_also_directions() -> None:
    seen = {key: part.numpy() for key, part in scene().items()}
    for space in (spaces.Box(-1, 1, (AGENTS, 2)), spaces.MultiDiscrete([5] * AGENTS)):
        agent = NetworkAgent(framed(space=space), "framed", dtype=torch.float64)
        agent.reset(7)
        actions = agent.act(seen)
        assert all(space.contains(np.asarray(action, space.dtype)) for action in actions)
        agent.reset(1)
        np.testing.assert_array_equal(agent.act({key: part[:1] for key, part in seen.items()}), actions[:1])


@pytest.mark.parametrize(("algorithm", "settings"), [(PPO, {"n_steps": 64}), (SAC, {"buffer_size": 10})])
@pytest.mark.parametrize("deterministic", [True, False])
def test_any_model_of_sb3_turns_with_the_scene(algorithm: Any, settings: dict[str, Any], deterministic: bool) -> None:
    model = algorithm("MultiInputPolicy", "symbench/ParticleSpread-v0", device="cpu", seed=0, **settings)
    seen = model.env.observation_space.sample()
    seen = {key: np.stack([part] * 3) for key, part in seen.items()}
    turn = np.array([[0.6, -0.8], [0.8, 0.6]], np.float32)
    moved = {**seen, "positions": seen["positions"] @ turn.T + 1, "velocities": seen["velocities"] @ turn.T}

    def play(policy: Any, observations: Any) -> Any:
        torch.manual_seed(1)
        return policy.predict(observations, deterministic=deterministic)[0]

    framed_policy = FrameAveragedPolicy(model)
    before = play(framed_policy, seen)
    assert before.shape == (3, 3, 2)
    if deterministic:
        np.testing.assert_allclose(play(framed_policy, moved), before @ turn.T, atol=1e-4)
        assert np.abs(play(model, moved) - play(model, seen) @ turn.T).max() > 1e-3
    else:  # other signs of axes are drawn
        assert np.linalg.norm(before, axis=-1).max() <= 1 + 1e-6


def test_mistakes_are_said_in_a_line() -> None:
    for wrong in ("principle", 0, 2000, True, 1.5):
        with pytest.raises(SymbenchError, match="frames are 'principal' or 'canonical', or a number of 1 to 1024"):
            frames_named(wrong, 2)  # type: ignore[arg-type]
    with pytest.raises(SymbenchError, match="unknown plain network of scenes"):
        FrameAveragedNetwork(spaces.Box(-1, 1, (3, 2)), 5, 2, network="equivariant-graph")
    with pytest.raises(SymbenchError, match="frames turn forces in a Box of plain-graph or scene-mlp"):
        FrameAveragedNetwork.of(EquivariantGraphNetwork(spaces.Box(-1, 1, (3, 2)), 5, 2))
    with pytest.raises(SymbenchError, match="frames are of scenes"):
        FrameAveragedPolicy(PPO("MlpPolicy", "Pendulum-v1", device="cpu"))
    assert sampled_frames(2, 3)(torch.zeros(4, 5, 3)).axes.shape == (4, 2, 3, 3)


def test_nearly_undetermined_axes_are_those_of_space_too() -> None:
    cross = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    near = cross + 1e-6 * torch.randn(cross.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert torch.equal(principal_frames(near[None]).axes, principal_frames(cross[None]).axes)
    far = cross * torch.tensor([1.0, 1.1, 1.2]).double()
    turn = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)).double())[0]
    assert not torch.allclose(principal_frames((far @ turn)[None]).axes.abs(), torch.eye(3).double())
