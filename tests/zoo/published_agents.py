"""What the authors' weights do here where theirs were recorded, and what they score: for tests, and for a table.

``SYMBENCH_REFERENCE=DIR python tests/zoo/published_agents.py`` writes ``docs/data/published-agents.csv``: the largest
difference from each recording, also with faults put in on purpose, parameters, and scores.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium as gym
import numpy as np
import torch

from symbench.policies import NetworkAgent, PolicyNetwork
from symbench.policies.vision.patches import to_patches
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.wrappers import vector
from symbench.zoo import load_published
from symbench.zoo.published import PUBLISHED

FILE = Path(__file__).parents[2] / "docs" / "data" / "published-agents.csv"


Outputs = tuple[np.ndarray, np.ndarray]
"""Ours and the recorded ones."""


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


def cart_pole(sensors: int, reference: Path) -> Outputs:
    played = recording(reference, f"cartpole_pi_{sensors}")
    return as_an_agent(published(reference, "cartpole_pi"), played["obs"]), played["act"]


def ant(reference: Path) -> Outputs:
    """Its first 16 steps: the recurrence is chaotic on noise, so rounding of float32 grows from step to step."""
    played = recording(reference, "ant_pi")
    return as_an_agent(published(reference, "ant_pi"), played["obs"][:16]), played["act"][:16]


def car_racing_rgb(reference: Path) -> Outputs:
    played = recording(reference, "carracing")
    return as_an_agent(published(reference, "carracing"), played["obs"]), played["act"]


def car_racing(reference: Path) -> Outputs:
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


def pong(occluded: bool, reference: Path) -> Outputs:
    """Logits of all patches, or of those that are kept. The weights are random: the published ones are not here."""
    network, played = published(reference, "puzzle_pong").network, recording(reference, "puzzle_pong_random")
    mask = torch.zeros(len(played["obs"]), 196)
    mask[:, played["keep"]] = 1
    with torch.inference_mode():
        patches = stack_of_patches(played["obs"])
        codes = network.layer(patches, torch.zeros(len(patches), 6), mask if occluded else None)
        logits = network.head(network.head.features(codes), ())[0]
    return logits.numpy(), played["logits_occluded" if occluded else "logits"]


def stack_of_patches(frames: np.ndarray) -> torch.Tensor:
    """Recorded stacks (T, 4, H, W) as patches, (T, N, 4, 36) uint8."""
    cut = to_patches(torch.as_tensor(frames).flatten(0, 1)[..., None], 6)
    return cut.reshape(*frames.shape[:2], -1, 36).transpose(1, 2).contiguous()


RECORDED: dict[str, Callable[[Path], Outputs]] = {
    **{f"cartpole_pi/{sensors} sensors": partial(cart_pole, sensors) for sensors in (5, 10, 15)},
    "ant_pi/16 steps": ant,
    "carracing/12 steps": car_racing_rgb,
    "carracing_pi/12 steps": car_racing,
    "puzzle_pong/whole frames": partial(pong, False),
    "puzzle_pong/occluded": partial(pong, True),
}
"""What our agent does where the authors' was recorded, and what theirs did; behind the slash, which recording."""


def difference(found: Outputs) -> float:
    """The largest one."""
    return float(np.abs(found[0] - found[1]).max())


def patches_channel_first(network: PolicyNetwork) -> None:
    network.as_published = False


def scores_without_a_scale(network: PolicyNetwork) -> None:
    network.head.factor = 1.0


def centres_between_pixels(network: PolicyNetwork) -> None:
    network.head.places += 0.5 / network.size


Fault = Callable[[PolicyNetwork], None]
FAULTS: tuple[Fault, ...] = (patches_channel_first, scores_without_a_scale, centres_between_pixels)
"""Of the first version."""


def faulty(fault: Fault, reference: Path) -> Outputs:
    """What the AttentionAgent of CarRacing would do with a fault, and what the authors' did."""
    agent, played = published(reference, "carracing"), recording(reference, "carracing")
    fault(agent.network)
    return as_an_agent(agent, played["obs"]), played["act"]


class Score(NamedTuple):
    """How a score is measured, and between what the published one lies."""

    play: Callable[[NetworkAgent, range], np.ndarray]
    seeds: range
    low: float
    high: float


def play_cart_pole(agent: NetworkAgent, seeds: range) -> np.ndarray:
    envs = gym.make_vec("symbench/CartPoleSwingUp-v0", len(seeds), autoreset_mode="SameStep")
    return play(vector.ShuffleSensors(envs, resample="episode"), agent, list(seeds)).returns


def play_car_racing_rgb(agent: NetworkAgent, seeds: range) -> np.ndarray:
    return play(get_task("CarRacingRGB").make_vec(len(seeds)), agent, list(seeds)).returns


def play_car_racing(agent: NetworkAgent, seeds: range) -> np.ndarray:
    envs = vector.ShufflePatches(get_task("CarRacing").make_vec(len(seeds)), resample="episode")
    return play(envs, agent, list(seeds)).returns


SCORES = {
    "cartpole_pi": Score(play_cart_pole, range(1000), 455, 545),
    "carracing": Score(play_car_racing_rgb, range(10), 850, 950),
    "carracing_pi": Score(play_car_racing, range(1_000_000, 1_000_020), 400, 950),
}


def main(reference: Path) -> None:
    """Everything that is measured, one row each: what, of which agent, the value and its standard deviation."""
    rows: list[tuple[str, str, float | int, float | str]] = []
    rows += [("difference", name, difference(outputs(reference)), "") for name, outputs in RECORDED.items()]
    rows += [(fault.__name__, "carracing/12 steps", difference(faulty(fault, reference)), "") for fault in FAULTS]
    for name in PUBLISHED:
        parameters = published(reference, name).network.parameters()
        rows.append(("parameters", name, sum(each.numel() for each in parameters), ""))
    for name, score in SCORES.items():
        returns = score.play(published(reference, name), score.seeds)
        rows.append(("score", name, round(float(returns.mean()), 2), round(float(returns.std()), 2)))
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("what", "agent", "measured", "std"))
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(os.environ["SYMBENCH_REFERENCE"]))
