"""Networks that read frames: invariance, memory, what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from vision_cases import INVARIANT, network_of, permuted, pong

from symbench.policies import (
    AttentionAgentNetwork,
    NatureCNNNetwork,
    NetworkAgent,
    PolicyNetwork,
    SetTransformerNetwork,
    VisionAttentionNeuronNetwork,
)
from symbench.policies.vision.patches import to_patches

STEPS = 8
SIX, DRIVE = spaces.Discrete(6), spaces.Box(-1, 1, (3,))


def outputs_of(network: PolicyNetwork, frames: np.ndarray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """The last layer's outputs over an episode of one environment, (T, A)."""
    network = network.to(dtype)
    state, outputs = network.initial_state(1, *frames.shape[1:]), []
    with torch.no_grad():
        for frame in frames:
            logits, state = network.logits(network.read(frame), state)
            outputs.append(logits[0])
            done = network.action.encode(network.action.decode(logits))
            state = network.update_memory(state, done.to(dtype)) if state else state
    return torch.stack(outputs)


def played(network: PolicyNetwork, frames: np.ndarray, dtype: torch.dtype = torch.float32) -> np.ndarray:
    agent = NetworkAgent(network, "x", dtype)
    return np.stack([agent.act(frame) for frame in frames])


@pytest.mark.parametrize("name", INVARIANT)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_order_of_the_patches_does_not_matter(name: str, seed: int) -> None:
    frames = pong()[:STEPS]
    shuffled = permuted(frames, np.random.default_rng(seed).permutation(196))
    assert not np.array_equal(frames, shuffled)
    network = network_of(name)
    # In float32 rounding may exchange two of the most important codes: their places are what the driver acts on.
    if name != "attention-agent":
        assert (outputs_of(network, frames) - outputs_of(network, shuffled)).abs().max() < 1e-5
    exact = torch.float64
    assert (outputs_of(network, frames, exact) - outputs_of(network, shuffled, exact)).abs().max() < 1e-10
    np.testing.assert_array_equal(played(network, frames, exact), played(network, shuffled, exact))
    assert outputs_of(network, frames).std(dim=0).max() > 0


@pytest.mark.parametrize("make", [NatureCNNNetwork, AttentionAgentNetwork])
def test_baselines_notice_the_order(make: type[PolicyNetwork]) -> None:
    frames = pong()[:STEPS]
    network = make(SIX, size=84, channels=1).eval()
    shuffled = permuted(frames, np.random.default_rng(0).permutation(196))
    assert (outputs_of(network, frames) - outputs_of(network, shuffled)).abs().max() > 1e-3


@pytest.mark.parametrize("name", INVARIANT)
def test_what_is_under_the_mask_has_no_influence(name: str) -> None:
    frames = pong()[:STEPS]
    mask = (np.random.default_rng(0).random(196) < 0.5).astype(np.int8)
    hidden = np.kron(mask.reshape(14, 14), np.ones((6, 6)))[None, :, :, None] == 0
    other = np.where(hidden, np.random.default_rng(1).integers(0, 256, frames.shape), frames).astype(np.uint8)
    episodes = []
    for shown in (frames, other):
        agent = NetworkAgent(network_of(name), "x", torch.float64)
        episodes.append(np.stack([agent.act({"image": frame, "mask": mask}) for frame in shown]))
    np.testing.assert_array_equal(*episodes)


@pytest.mark.parametrize("name", ["conv", "set-transformer"])
def test_a_patch_that_comes_into_sight_has_not_moved(name: str) -> None:
    """Under masks that change, hidden pixels black as ``OccludePatches`` shows them."""
    frames, network, draw = pong()[:12], network_of(name), np.random.default_rng(0)
    masks = (draw.random((3, 196)) < 0.5).repeat(4, axis=0)  # of steps 0 to 3, 4 to 7, 8 to 11
    state = network.initial_state(1, 84, 84, 1)
    for t, (frame, mask) in enumerate(zip(frames, masks, strict=True)):
        shown = frame * np.kron(mask.reshape(14, 14), np.ones((6, 6), np.uint8))[:, :, None]
        seen = network.read({"image": shown, "mask": mask.astype(np.int8)})
        (history, _, _), state = network.perceive(seen, state)
        cut = to_patches(torch.from_numpy(frames), 6)
        for patch in np.flatnonzero(mask):
            hidden = np.flatnonzero(~masks[: t + 1, patch])
            first = hidden[-1] + 1 if hidden.size else 0  # of the frames since it came into sight
            expected = torch.stack([cut[max(first, t - 3 + i), patch] for i in range(4)])
            assert torch.equal(history[0, patch], expected), (t, patch)


def test_what_was_hidden_can_be_revealed_if_its_pixels_are_true() -> None:
    frames, network = pong()[:8], network_of("conv")
    mask = (np.random.default_rng(0).random(196) < 0.5).astype(np.int8)
    hidden, open_eyed = (network.initial_state(1, 84, 84, 1) for _ in range(2))
    assert not network.revealed(hidden)[0].any()  # nothing was seen yet
    for frame in frames:
        _, hidden = network.perceive(network.read({"image": frame, "mask": mask}), hidden)
        _, open_eyed = network.perceive(network.read(frame), open_eyed)
    assert not torch.equal(hidden[0], open_eyed[0])
    for part, expected in zip(network.revealed(hidden), open_eyed, strict=True):
        assert torch.equal(part, expected)


@pytest.mark.parametrize("positions", [False, True])
def test_positions_make_the_order_matter(positions: bool) -> None:
    frames, network = pong()[:STEPS], VisionAttentionNeuronNetwork(SIX, num_codes=100, positions=positions)
    with torch.no_grad():
        for parameter in network.layer.project_place.parameters() if positions else ():
            torch.nn.init.normal_(parameter, std=0.5)
    shuffled = permuted(frames, np.random.default_rng(0).permutation(196))
    exact = torch.float64
    change = (outputs_of(network, frames, exact) - outputs_of(network, shuffled, exact)).abs().max()
    assert (change > 1e-6) == positions


@pytest.mark.parametrize("name", INVARIANT)
def test_a_batch_plays_as_single_environments_do(name: str) -> None:
    episodes = [pong(seed=seed)[:STEPS] for seed in range(3)]
    batch = NetworkAgent(network_of(name), "x", torch.float64)
    batch.reset(3)
    together = np.stack([batch.act(np.stack(frames)) for frames in zip(*episodes, strict=True)], axis=1)
    for row, frames in enumerate(episodes):
        np.testing.assert_allclose(together[row], played(network_of(name), frames, torch.float64), atol=1e-6)


@pytest.mark.parametrize("name", INVARIANT)
def test_restarted_and_kept_environments_go_on_as_they_should(name: str) -> None:
    first, second = (pong(seed=seed)[:STEPS] for seed in range(2))
    agent = NetworkAgent(network_of(name), "x", torch.float64)
    agent.reset(2)
    for t in range(3):
        agent.act(np.stack([first[t], second[t]]))
    agent.restart(np.array([True, False]))
    fresh = [agent.act(np.stack([first[t], second[t]]))[0] for t in range(3, 5)]
    np.testing.assert_allclose(fresh, played(network_of(name), first[3:5], torch.float64), atol=1e-6)
    agent.keep(np.array([False, True]))
    last = agent.act(second[5:6])[0]
    np.testing.assert_allclose(last, played(network_of(name), second[:6], torch.float64)[-1], atol=1e-6)


@pytest.mark.parametrize("side", [6, 24, 120])
def test_frames_of_any_size_that_patches_tile(side: int) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, side, side, 1), dtype=np.uint8)
    for name in INVARIANT:
        assert np.isfinite(played(network_of(name), frames)).all()


def test_parameter_counts_are_the_published_ones() -> None:
    def count(network: PolicyNetwork) -> int:
        return sum(parameter.numel() for parameter in network.parameters())

    assert count(VisionAttentionNeuronNetwork(SIX)) == 1_687_726
    assert count(AttentionAgentNetwork(DRIVE)) == 3_667
    driver = {"num_codes": 1024, "code_dim": 16, "projection_dim": 16, "affine": False, "head": "attention-agent"}
    assert count(VisionAttentionNeuronNetwork(DRIVE, **driver)) == 7_212


@pytest.mark.parametrize("name", ["conv", "set-transformer"])
def test_networks_learn_from_their_actions(name: str) -> None:
    network = network_of(name).train()
    frames = torch.from_numpy(pong()[:4])
    logits, _ = network.logits(frames, network.initial_state(4, 84, 84, 1))
    logits.pow(2).sum().backward()
    assert all(parameter.grad is not None for parameter in network.head.parameters())
    assert network.layer.norm_code.weight.grad.abs().max() > 0 if name == "conv" else True


GREY = spaces.Box(0, 255, (84, 84, 1), np.uint8)


@pytest.mark.parametrize(
    ("network", "space", "message"),
    [
        (VisionAttentionNeuronNetwork(SIX), GREY, None),
        (VisionAttentionNeuronNetwork(SIX), spaces.Dict(image=GREY, mask=spaces.MultiBinary(196)), None),
        (
            VisionAttentionNeuronNetwork(SIX),
            spaces.Box(0, 255, (84, 80, 1), np.uint8),
            "reads patches of 6x6, which do not tile 84x80 frames",
        ),
        (
            SetTransformerNetwork(SIX),
            spaces.Box(0, 255, (84, 84, 3), np.uint8),
            "reads uint8 frames of shape (H, W, 1), the task gives Box(84, 84, 3)",
        ),
        (
            VisionAttentionNeuronNetwork(SIX),
            spaces.Box(-1, 1, (4,)),
            "reads uint8 frames of shape (H, W, 1), the task gives Box(4,) of float32",
        ),
        (
            AttentionAgentNetwork(DRIVE),
            spaces.Box(0, 255, (84, 84, 3), np.uint8),
            "reads 96x96 frames, received 84x84",
        ),
        (NatureCNNNetwork(SIX), spaces.Box(0, 255, (96, 96, 1), np.uint8), "reads 84x84 frames, received 96x96"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_said(network: PolicyNetwork, space: spaces.Space, message: str | None) -> None:
    assert network.incompatibility(space) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VisionAttentionNeuronNetwork(SIX, num_codes=10), "num_codes must be a square number"),
        (lambda: VisionAttentionNeuronNetwork(SIX, num_codes=4), "a kernel of 4 does not fit a picture of 2x2"),
        (lambda: VisionAttentionNeuronNetwork(SIX, head="lstm"), "head must be 'conv' or 'attention-agent'"),
        (lambda: SetTransformerNetwork(SIX, code_dim=32, heads=5), "code_dim must be a multiple of heads"),
        (lambda: NatureCNNNetwork(SIX, size=20), "a kernel of 8 does not fit|a kernel of . does not fit"),
    ],
)
def test_parts_that_do_not_fit_are_named(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
