from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import pytest
import torch

from symbench.errors import SymbenchError
from symbench.policies.vision.patches import to_patches
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.wrappers import vector
from symbench.zoo import load_published
from symbench.zoo.published import PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbench.policies import NetworkAgent, PolicyNetwork


def published(reference: Path, name: str) -> NetworkAgent:
    file = {"puzzle_pong": "puzzle_pong_random.io.npz"}.get(name, f"{name}.weights.npz")  # random weights of Pong
    return load_published(name, reference / "attention_neuron" / file)


def recording(reference: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(reference / "attention_neuron" / f"{name}.io.npz") as arrays:
        return dict(arrays)


def as_an_agent(agent: NetworkAgent, observations: np.ndarray) -> np.ndarray:
    """Actions of an episode, before they are scaled to the bounds."""
    agent.reset()
    actions = np.stack([agent.act(observation) for observation in observations])
    return agent.network.action.scaled(torch.from_numpy(actions)).numpy()  # type: ignore[operator]


def cart_pole(reference: Path) -> tuple[np.ndarray, np.ndarray]:
    played = [recording(reference, f"cartpole_pi_{sensors}") for sensors in (5, 10, 15)]
    actions = [as_an_agent(published(reference, "cartpole_pi"), each["obs"]) for each in played]
    return np.concatenate(actions), np.concatenate([each["act"] for each in played])


def ant(reference: Path) -> tuple[np.ndarray, np.ndarray]:
    """Its first 16 steps: the recurrence is chaotic on noise, so rounding of float32 grows from step to step."""
    played = recording(reference, "ant_pi")
    return as_an_agent(published(reference, "ant_pi"), played["obs"][:16]), played["act"][:16]


def car_racing_rgb(reference: Path) -> tuple[np.ndarray, np.ndarray]:
    played = recording(reference, "carracing")
    return as_an_agent(published(reference, "carracing"), played["obs"]), played["act"]


def car_racing(reference: Path) -> tuple[np.ndarray, np.ndarray]:
    """Stacks of frames, so not through the agent, which stacks them itself."""
    network, played = published(reference, "carracing_pi").network, recording(reference, "carracing_pi")
    state, done, actions = network.head.initial_state(1), torch.zeros(1, 3), []
    with torch.inference_mode():
        for patches in stack_of_patches(played["obs"]):
            logits, state = network.head(network.layer(patches[None], done), state)
            done = torch.tanh(logits)
            state = network.head.update_memory(state, done)
            actions.append(done[0].numpy())
    return np.stack(actions), played["act"]


def pong(reference: Path) -> tuple[np.ndarray, np.ndarray]:
    """Logits of all patches, and of those that are kept. The weights are random: the published ones are not here."""
    network, played = published(reference, "puzzle_pong").network, recording(reference, "puzzle_pong_random")
    mask = torch.zeros(len(played["obs"]), 196)
    mask[:, played["keep"]] = 1
    with torch.inference_mode():
        patches = stack_of_patches(played["obs"])
        codes = [network.layer(patches, torch.zeros(len(patches), 6), seen) for seen in (None, mask)]
        logits = torch.cat([network.head(network.head.features(code), ())[0] for code in codes])
    return logits.numpy(), np.concatenate([played["logits"], played["logits_occluded"]])


def stack_of_patches(frames: np.ndarray) -> torch.Tensor:
    """Recorded stacks (T, 4, H, W) as patches, (T, N, 4, 36) uint8."""
    cut = to_patches(torch.as_tensor(frames).flatten(0, 1)[..., None], 6)
    return cut.reshape(*frames.shape[:2], -1, 36).transpose(1, 2).contiguous()


RECORDED: dict[str, Callable[[Path], tuple[np.ndarray, np.ndarray]]] = {
    "cartpole_pi": cart_pole,
    "ant_pi": ant,
    "carracing": car_racing_rgb,
    "carracing_pi": car_racing,
    "puzzle_pong": pong,
}
"""What our agent does where the authors' was recorded, and what theirs did."""

WITHOUT_SCORE = {
    "ant_pi": "PyBullet's Ant cannot be installed any more",
    "puzzle_pong": "the published weights are not among the reference data",
}


@pytest.mark.reference
@pytest.mark.parametrize("name", PUBLISHED)
def test_outputs_are_the_recorded_ones(reference: Path, name: str) -> None:
    outputs, recorded = RECORDED[name](reference)
    assert len(recorded) >= 12
    assert np.ptp(recorded) > 0.1
    assert outputs.shape == recorded.shape
    assert np.abs(outputs - recorded).max() < 1e-4


def test_every_published_agent_has_a_recording_and_a_score() -> None:
    assert RECORDED.keys() == PUBLISHED.keys()
    assert SCORES.keys() | WITHOUT_SCORE.keys() == PUBLISHED.keys()
    assert not SCORES.keys() & WITHOUT_SCORE.keys()


def patches_channel_first(network: PolicyNetwork) -> None:
    network.as_published = False


def scores_without_a_scale(network: PolicyNetwork) -> None:
    network.head.factor = 1.0


def centres_between_pixels(network: PolicyNetwork) -> None:
    network.head.places += 0.5 / network.size


@pytest.mark.reference
@pytest.mark.parametrize("fault", [patches_channel_first, scores_without_a_scale, centres_between_pixels])
def test_the_recording_tells_each_fault_of_the_first_version(
    reference: Path, fault: Callable[[PolicyNetwork], None]
) -> None:
    agent, played = published(reference, "carracing"), recording(reference, "carracing")
    fault(agent.network)
    assert np.abs(as_an_agent(agent, played["obs"]) - played["act"]).max() > 1e-3


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


def score_of_cart_pole(agent: NetworkAgent) -> float:
    envs = gym.make_vec("symbench/CartPoleSwingUp-v0", 1000, autoreset_mode="SameStep")
    return score(vector.ShuffleSensors(envs, resample="episode"), agent, range(1000))


def score_of_car_racing_rgb(agent: NetworkAgent) -> float:
    return score(get_task("CarRacingRGB").make_vec(2), agent, range(2))


def score_of_car_racing(agent: NetworkAgent) -> float:
    envs = vector.ShufflePatches(get_task("CarRacing").make_vec(2), resample="episode")
    return score(envs, agent, range(1_000_000, 1_000_002))


def score(envs: gym.vector.VectorEnv, agent: NetworkAgent, seeds: range) -> float:
    return float(play(envs, agent, list(seeds)).returns.mean())


SCORES: dict[str, tuple[Callable[[NetworkAgent], float], float, float]] = {
    "cartpole_pi": (score_of_cart_pole, 455, 545),
    "carracing": (score_of_car_racing_rgb, 850, 950),
    "carracing_pi": (score_of_car_racing, 400, 950),
}
"""How it is measured, and between what the published score lies."""


@pytest.mark.slow
@pytest.mark.reference
@pytest.mark.parametrize("name", SCORES)
def test_published_score_is_reached(reference: Path, name: str) -> None:
    measure, low, high = SCORES[name]
    assert low <= measure(published(reference, name)) <= high


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
