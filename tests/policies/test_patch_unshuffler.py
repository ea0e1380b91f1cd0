"""A shuffled picture is put together from its openings and seams, and again after a reshuffle that nobody tells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.policies import NatureCNNNetwork, NetworkAgent, PatchUnshufflerNetwork
from symbench.policies.vision.patch_order import motion, shifted
from symbench.policies.vision.patches import to_patches
from symbench.zoo import load_agent, save_agent

SIX = spaces.Discrete(6)
SIDE, PATCH, STEPS = 36, 6, 40
N = (SIDE // PATCH) ** 2
POLICY = {"conv": [[4, 8, 4]], "hidden": [8], "history": 3}


def game(seed: int = 0, noise: float = 1.0) -> Tensor:
    """A camera that moves over a landscape of its own, (STEPS, H, W, 1), uint8; every game has other noise."""
    rng = torch.Generator().manual_seed(seed)
    coarse = 255.0 * torch.rand(1, 1, 12, 24, generator=rng)
    land = nn.functional.interpolate(coarse, scale_factor=6, mode="bicubic")[0, 0]
    frames = torch.stack([land[t // 2 : t // 2 + SIDE, t : t + SIDE] for t in range(STEPS)])
    frames += noise * torch.randn(frames.shape, generator=torch.Generator().manual_seed(seed + 1))
    return frames.clamp(0, 255).round().to(torch.uint8)[..., None]


def network(seed: int = 0) -> PatchUnshufflerNetwork:
    """One that knows the landscape of ``seed``, as far as the first 10 steps show it."""
    torch.manual_seed(0)
    made = PatchUnshufflerNetwork(SIX, SIDE, 1, PATCH, opening=10, policy=POLICY)
    made.statistics.opening.copy_(game(seed, noise=0.0)[:10])
    for name, value in (("noise", 2.0), ("blur", 1.0), ("step", 10.0)):
        made.statistics.get_buffer(name).fill_(value)
    return made.eval()


def shuffled(frames: Tensor, every: int, seed: int = 0) -> Tensor:
    rng, patches = np.random.default_rng(seed), to_patches(frames, PATCH)
    orders = [torch.from_numpy(rng.permutation(N)) for _ in range(0, len(frames), every)]
    mixed = torch.stack([each[orders[t // every]] for t, each in enumerate(patches)])
    grid = mixed.reshape(len(frames), SIDE // PATCH, SIDE // PATCH, PATCH, PATCH)
    return grid.transpose(2, 3).reshape(frames.shape)


def together(made: PatchUnshufflerNetwork, frames: Tensor) -> tuple[Tensor, list[int]]:
    """What the policy is shown, (T, k, H, W), and the steps since the order began at each step."""
    state, seen, ages = made.initial_state(1, *frames.shape[1:]), [], []
    for each in frames:
        (stack,), state = made.perceive(each[None], state)
        assert stack is not None
        seen.append(stack[0])
        ages.append(int(state[0][0, 1]))
    return torch.stack(seen), ages


def share(made: PatchUnshufflerNetwork, frames: Tensor, truth: Tensor) -> list[float]:
    """The share of patches that show what they should, at each step."""
    newest = together(made, frames)[0][:, -1, :, :, None]
    right = (to_patches(newest, PATCH) == to_patches(truth, PATCH)).all(dim=2)
    return right.float().mean(dim=1).tolist()


@pytest.mark.parametrize(("every", "least"), [(STEPS, 1.0), (20, 1.0), (8, 0.9)])
def test_the_picture_is_put_together_and_again_after_a_reshuffle(every: int, least: float) -> None:
    truth = game()
    assert min(share(network(), shuffled(truth, every), truth)) >= least


def test_reshuffles_are_noticed_and_nothing_else_is() -> None:
    _, ages = together(network(), shuffled(game(), 20))
    assert [t for t in range(1, STEPS) if ages[t] <= ages[t - 1]] == [20]


def test_all_frames_that_the_policy_sees_are_in_order() -> None:
    truth = game()
    seen, _ = together(network(), shuffled(truth, 20))
    for t in range(2, STEPS):
        assert torch.equal(seen[t], truth[t - 2 : t + 1, :, :, 0])
    assert torch.equal(seen[0], truth[[0, 0, 0], :, :, 0])


def test_knowledge_of_another_game_does_not_help() -> None:
    truth = game()
    assert max(share(network(seed=7), shuffled(truth, STEPS), truth)) < 0.5


@pytest.mark.parametrize("every", [1, STEPS])
def test_it_acts_as_the_network_behind_it_would_in_order(every: int) -> None:
    made, truth, rng = network(), game(), torch.Generator().manual_seed(1)
    policy = NatureCNNNetwork(SIX, SIDE, 1, **POLICY)
    with torch.no_grad():
        for weights in made.policy.parameters():
            weights.copy_(torch.randn(weights.shape, generator=rng))
    policy.load_state_dict(made.policy.state_dict())
    behind, alone = NetworkAgent(made, "behind"), NetworkAgent(policy, "alone")
    frames = truth if every == 1 else shuffled(truth, every)
    acted = [(behind.act(each.numpy()), alone.act(right.numpy())) for each, right in zip(frames, truth, strict=True)]
    assert len({int(action) for action, _ in acted}) > 1
    assert all(action == expected for action, expected in acted)


def test_a_batch_acts_as_its_lanes_do_alone_and_always_the_same() -> None:
    frames = torch.stack([shuffled(game(), 15, seed) for seed in range(3)], dim=1)
    batch, again = (NetworkAgent(network(), "x") for _ in range(2))
    batch.reset(3)
    again.reset(3)
    singles = [NetworkAgent(network(), "x") for _ in range(3)]
    for t, each in enumerate(frames.numpy()):
        if t == 20:  # one of them begins again
            for agent in (batch, again):
                agent.restart(np.array([False, True, False]))
            singles[1].reset()
        actions = batch.act(each)
        np.testing.assert_array_equal(actions, again.act(each))
        np.testing.assert_array_equal(actions, [agent.act(one) for agent, one in zip(singles, each, strict=True)])
    evidence = torch.cat([agent._states[0][2] for agent in singles])
    assert torch.equal(torch.cat([state[2] for state in batch._states]), evidence)


def test_what_it_knows_is_saved(tmp_path: Path) -> None:
    truth = game()
    save_agent(network(), tmp_path / "agent", {})
    loaded = load_agent(tmp_path / "agent").network
    assert isinstance(loaded, PatchUnshufflerNetwork)
    assert min(share(loaded, shuffled(truth, 20), truth)) == 1.0


def test_motion_is_measured_where_there_is_any() -> None:
    land = 255.0 * np.random.default_rng(0).random((SIDE + 8, SIDE + 8, 1), np.float32)
    before, after = land[4:-4, 4:-4], land[6:-2, 3:-5]
    moved = motion(before, after, PATCH)
    assert (moved[1:-1, 1:-1] == (2, -1)).all()
    np.testing.assert_array_equal(shifted(before, moved, PATCH)[6:-6, 6:-6], after[6:-6, 6:-6])
    assert (motion(before, before, PATCH) == 0).all()


def test_patches_that_do_not_divide_the_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="patches must divide the frame"):
        PatchUnshufflerNetwork(SIX, 40, patch_size=6)
    assert "reads 36x36 frames" in str(network().incompatibility(spaces.Box(0, 255, (84, 84, 1), np.uint8)))
