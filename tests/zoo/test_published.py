from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pytest
import torch

from symbench.envs.tasks import get_task
from symbench.errors import SymbenchError
from symbench.policies.vision.patches import to_patches
from symbench.runner.evaluate import play
from symbench.wrappers import vector
from symbench.zoo import load_published

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.policies import NetworkAgent


def cart_pole(reference: Path) -> NetworkAgent:
    return load_published("cartpole_pi", reference / "attention_neuron" / "cartpole_pi.weights.npz")


@pytest.mark.reference
@pytest.mark.parametrize("sensors", [5, 10, 15])
def test_outputs_are_the_recorded_ones(reference: Path, sensors: int) -> None:
    agent = cart_pole(reference)
    recorded = np.load(reference / "attention_neuron" / f"cartpole_pi_{sensors}.io.npz")
    agent.reset()
    actions = np.stack([agent.act(observation) for observation in recorded["obs"]])
    assert np.abs(actions - recorded["act"]).max() < 1e-4


@pytest.mark.reference
def test_ant_acts_on_any_order(reference: Path) -> None:
    agent = load_published("ant_pi", reference / "attention_neuron" / "ant_pi.weights.npz")
    agent.network.double()  # float32 rounding adds up over the steps
    rng = np.random.default_rng(0)
    observations, order = rng.normal(size=(20, 28)), rng.permutation(28)
    episodes = []
    for columns in (np.arange(28), order):
        agent.reset()
        episodes.append([agent.act(observation[columns]) for observation in observations])
    assert np.shape(episodes) == (2, 20, 8)
    np.testing.assert_allclose(episodes[0], episodes[1], atol=1e-4)
    assert np.std(episodes[0]) > 0.1


@pytest.mark.slow
@pytest.mark.reference
def test_published_score_over_shuffled_episodes(reference: Path) -> None:
    agent = cart_pole(reference)
    envs = gym.make_vec("symbench/CartPoleSwingUp-v0", 1000, autoreset_mode="SameStep")
    envs = vector.ShuffleSensors(envs, resample="episode")
    observations, _ = envs.reset(seed=0)
    agent.reset(1000)
    returns, playing = np.zeros(1000), np.ones(1000, dtype=bool)
    while playing.any():
        observations, rewards, terminated, truncated, _ = envs.step(agent.act(observations))
        returns += rewards * playing
        playing &= ~(terminated | truncated)
    assert returns.mean() == pytest.approx(500, abs=45)


def test_unknown_name_has_near_matches() -> None:
    with pytest.raises(SymbenchError, match="unknown published agent 'cartpole'; did you mean 'cartpole_pi'"):
        load_published("cartpole", "weights.npz")


def test_wrong_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    with pytest.raises(SymbenchError, match=r"weights.npz does not exist"):
        load_published("ant_pi", file)
    np.savez(file, params=np.zeros(913))
    with pytest.raises(SymbenchError, match="holds 913 parameters, ant_pi has 2504"):
        load_published("ant_pi", file)
    np.savez(file, weights=np.zeros(913))
    with pytest.raises(SymbenchError, match="holds weights; a vector 'params' was expected"):
        load_published("cartpole_pi", file)
    np.savez(file, params=np.array([object()]))
    with pytest.raises(SymbenchError, match=r"not an .npz file with a vector 'params' \(Object arrays"):
        load_published("cartpole_pi", file)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_corrupt_files_are_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "weights.npz"
    file.write_bytes(content)
    with pytest.raises(SymbenchError, match=r"weights.npz is not an .npz file with a vector 'params'"):
        load_published("cartpole_pi", file)


def test_a_plain_array_is_no_archive(tmp_path: Path) -> None:
    np.save(tmp_path / "weights.npy", np.zeros(913))
    with pytest.raises(SymbenchError, match=r"is not an \.npz file"):
        load_published("cartpole_pi", tmp_path / "weights.npy")


def test_order_of_the_flat_vector(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", params=np.arange(913))
    parameters = dict(load_published("cartpole_pi", tmp_path / "weights.npz").network.named_parameters())
    firsts = {name: int(parameter.flatten()[0]) for name, parameter in parameters.items()}
    assert firsts == {
        "layer.lstm.weight_ih": 0,
        "layer.lstm.weight_hh": 64,
        "layer.lstm.bias_ih": 320,
        "layer.lstm.bias_hh": 352,
        "layer.scores.project_query.weight": 384,
        "layer.scores.project_key.weight": 640,
        "head.0.weight": 896,
        "head.0.bias": 912,
    }


def stack_of_patches(frames: np.ndarray) -> torch.Tensor:
    """Recorded stacks (T, 4, H, W) as patches, (T, N, 4, 36) uint8."""
    cut = to_patches(torch.as_tensor(frames).flatten(0, 1)[..., None], 6)
    return cut.reshape(*frames.shape[:2], -1, 36).transpose(1, 2).contiguous()


@pytest.mark.reference
def test_driver_of_permuted_patches_gives_the_recorded_actions(reference: Path) -> None:
    folder = reference / "attention_neuron"
    network = load_published("carracing_pi", folder / "carracing_pi.weights.npz").network
    recorded = np.load(folder / "carracing_pi.io.npz")
    state, done, actions = network.head.initial_state(1), torch.zeros(1, 3), []
    with torch.inference_mode():
        for patches in stack_of_patches(recorded["obs"]):
            raw, state = network.head(network.layer(patches[None], done), state)
            done = torch.tanh(raw)
            state = network.head.remember(state, done)
            actions.append(done[0].numpy())
    assert np.abs(np.stack(actions) - recorded["act"]).max() < 1e-4


@pytest.mark.reference
@pytest.mark.parametrize("occluded", [False, True])
def test_pong_agent_gives_the_recorded_logits(reference: Path, occluded: bool) -> None:
    file = reference / "attention_neuron" / "puzzle_pong_random.io.npz"
    network = load_published("puzzle_pong", file).network
    recorded = np.load(file)
    mask = torch.zeros(len(recorded["obs"]), 196)
    mask[:, recorded["keep"]] = 1
    with torch.inference_mode():
        patches = stack_of_patches(recorded["obs"])
        codes = network.layer(patches, torch.zeros(len(patches), 6), mask if occluded else None)
        logits, _ = network.head(network.head.features(codes), ())
    assert np.abs(logits.numpy() - recorded["logits_occluded" if occluded else "logits"]).max() < 1e-4


@pytest.mark.slow
@pytest.mark.reference
def test_published_driver_drives_shuffled(reference: Path) -> None:
    agent = load_published("carracing_pi", reference / "attention_neuron" / "carracing_pi.weights.npz")
    envs = vector.ShufflePatches(get_task("CarRacing").make_vec(2), resample="episode")
    assert play(envs, agent, [1_000_000, 1_000_001]).returns.mean() > 400


@pytest.mark.parametrize(("name", "size"), [("carracing_pi", 7_212), ("carracing", 3_667), ("puzzle_pong", 1_687_726)])
def test_agents_that_see_patches_load_and_act(tmp_path: Path, name: str, size: int) -> None:
    file = tmp_path / "weights.npz"
    np.savez(file, params=np.random.default_rng(0).normal(size=size, scale=0.1))
    agent = load_published(name, file)
    side, channels = {"carracing_pi": (96, 1), "carracing": (96, 3), "puzzle_pong": (84, 1)}[name]
    action = agent.act(np.zeros((side, side, channels), dtype=np.uint8))
    assert np.shape(action) == (() if name == "puzzle_pong" else (3,))
    np.savez(file, params=np.zeros(size + 1))
    with pytest.raises(SymbenchError, match=f"holds {size + 1} parameters, {name} has {size}"):
        load_published(name, file)


def test_keys_of_the_driver_are_reordered_from_time_last(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", params=np.arange(7_212))
    agent = load_published("carracing_pi", tmp_path / "weights.npz")
    weight = agent.network.layer.project_key[0].weight[0].tolist()
    first = 8 * 16 + 16
    assert weight[:36] == [first + 3 * pixel for pixel in range(36)]  # first difference of every pixel
    assert weight[108:] == [first + 108 + i for i in range(3)]  # what the action does is not touched
