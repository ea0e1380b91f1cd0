from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from published_agents import FAULTS, RECORDED, SCORES, Fault, difference, faulty, published

from symbench.errors import SymbenchError
from symbench.zoo import load_published
from symbench.zoo.published import PUBLISHED

WITHOUT_SCORE = {
    "ant_pi": "PyBullet's Ant cannot be installed any more",
    "puzzle_pong": "the published weights are not among the reference data",
}


@pytest.mark.reference
@pytest.mark.parametrize("name", RECORDED)
def test_outputs_are_the_recorded_ones(reference: Path, name: str) -> None:
    outputs, recorded = RECORDED[name](reference)
    assert len(recorded) >= (8 if name.startswith("puzzle_pong") else 12)
    assert np.ptp(recorded) > 0.1
    assert outputs.shape == recorded.shape
    assert difference((outputs, recorded)) < 1e-4


def test_every_published_agent_has_a_recording_and_a_score() -> None:
    assert {name.partition("/")[0] for name in RECORDED} == PUBLISHED.keys()
    assert SCORES.keys() | WITHOUT_SCORE.keys() == PUBLISHED.keys()
    assert not SCORES.keys() & WITHOUT_SCORE.keys()


@pytest.mark.reference
@pytest.mark.parametrize("fault", FAULTS)
def test_the_recording_tells_each_fault_of_the_first_version(reference: Path, fault: Fault) -> None:
    assert difference(faulty(fault, reference)) > 1e-3


@pytest.mark.reference
def test_ant_acts_on_any_order(reference: Path) -> None:
    agent = published(reference, "ant_pi")
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
@pytest.mark.parametrize("name", SCORES)
def test_published_score_is_reached(reference: Path, name: str) -> None:
    score = SCORES[name]
    seeds = score.seeds if name == "cartpole_pi" else score.seeds[:2]  # frames take a minute an episode
    assert score.low <= score.play(published(reference, name), seeds).mean() <= score.high


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
