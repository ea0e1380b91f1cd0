from __future__ import annotations

import pytest
import torch
from gymnasium import spaces

from symbench.policies import NatureCNNNetwork
from symbench.policies.vision.netrand import NetRand


def test_it_is_the_identity_while_acting_and_random_while_training() -> None:
    frames = torch.rand(2, 6, 12, 12)
    layer = NetRand(3, clean=0.0)
    first, second = layer(frames), layer(frames)
    assert first.shape == frames.shape and not torch.allclose(first, second)
    assert layer.eval()(frames) is frames
    assert not list(layer.parameters()) and not layer.state_dict()


def test_every_frame_of_a_stack_passes_the_same_filter() -> None:
    frame = torch.rand(1, 3, 12, 12)
    first, second = NetRand(3, clean=0.0)(torch.cat([frame, frame], dim=1)).chunk(2, dim=1)
    assert torch.equal(first, second)


def test_some_batches_are_left_as_they_are() -> None:
    layer, frames = NetRand(1, clean=0.3), torch.rand(1, 1, 4, 4)
    share = sum(layer(frames) is frames for _ in range(500)) / 500
    assert share == pytest.approx(0.3, abs=0.08)


def test_filters_are_xavier_normal() -> None:
    layer, impulse = NetRand(3, clean=0.0), torch.zeros(1, 3, 3, 3)
    impulse[:, :, 1, 1] = 1
    weights = torch.stack([layer(impulse) for _ in range(400)])
    assert weights.mean() == pytest.approx(0, abs=0.05)
    assert weights.var() == pytest.approx(3 * 2 / (27 + 27), rel=0.1)  # a sum over three input channels


def test_a_generator_makes_it_reproducible() -> None:
    frames = torch.rand(1, 1, 8, 8)
    one, other = (NetRand(1, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    before = torch.get_rng_state()
    assert all(torch.equal(one(frames), other(frames)) for _ in range(10))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_cnn_with_it_acts_as_one_without() -> None:
    six = spaces.Discrete(6)
    network, plain = NatureCNNNetwork(six, netrand=True), NatureCNNNetwork(six)
    network.load_state_dict(plain.state_dict())
    frames = torch.randint(0, 256, (2, 84, 84, 1), dtype=torch.uint8)
    acting, _ = network.eval().logits(frames, network.initial_state(2, 84, 84, 1))
    assert torch.equal(acting, plain.logits(frames, plain.initial_state(2, 84, 84, 1))[0])
    training = [network.train().logits(frames, network.initial_state(2, 84, 84, 1))[0] for _ in range(5)]
    assert not all(torch.allclose(outputs, acting) for outputs in training)


def test_wrong_parameters_and_frames_are_named() -> None:
    with pytest.raises(ValueError, match="clean must be a probability"):
        NetRand(clean=1.5)
    with pytest.raises(ValueError, match="channels must be at least 1"):
        NetRand(0)
    with pytest.raises(ValueError, match="frames of 3 channels are expected, received 4"):
        NetRand(3)(torch.rand(1, 4, 8, 8))
