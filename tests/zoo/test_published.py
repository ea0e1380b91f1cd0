from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pytest

import symbench.envs  # noqa: F401
from symbench.errors import SymbenchError
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
