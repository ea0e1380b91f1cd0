"""How long, and in how many of the environments, a teacher acts in the student's place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.policies import MLPNetwork
from symbench.training import imitation as module
from symbench.training import load_recipe, train
from symbench.training.imitation import Player, _guided

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Tiny

ENVS = 20


@pytest.mark.parametrize(
    ("done", "share"), [(0, 0.8), (10, 0.68), (25, 0.5), (40, 0.32), (49, 0.212), (50, 0.2), (75, 0.2), (100, 0.2)]
)
def test_guidance_falls_linearly_over_half_of_the_steps(done: int, share: float) -> None:
    algorithm = load_recipe("pong-cnn").algorithm
    settings = algorithm.model_copy(update={"steps": 100, "guided": 0.8, "guided_at_last": 0.2})
    assert _guided(settings, done) == pytest.approx(share)


def test_a_training_is_guided_and_learns_as_its_recipe_says(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Of 8 segments; the learning rate falls linearly to a hundredth."""
    guided: list[float] = []
    explored: list[float] = []
    rates: list[float] = []
    play, descend = Player.play, module._descend

    def noted_play(player: Player, steps: int, exploration: float, share: float = 0.0) -> Any:
        guided.append(share)
        explored.append(exploration)
        return play(player, steps, exploration, share)

    def noted_descent(network: Any, optimizer: torch.optim.Optimizer, *others: Any) -> None:
        rates.append(optimizer.param_groups[0]["lr"])
        descend(network, optimizer, *others)

    monkeypatch.setattr(Player, "play", noted_play)
    monkeypatch.setattr(module, "_descend", noted_descent)
    changes = {"guided": 1.0, "guided_at_last": 0.25, "exploration": 0.3, "learning_rate": 0.01, "updates": 1}
    train("attention-neuron", tmp_path, overrides={**tiny("attention-neuron"), **changes})
    assert guided == pytest.approx([1, 0.8125, 0.625, 0.4375, 0.25, 0.25, 0.25, 0.25])
    assert explored == [0.3] * 8
    assert rates == pytest.approx([0.01 * (8 - i) / 8 for i in range(8)])


class Kept:
    """What a teacher sees."""

    def __init__(self, state: np.ndarray) -> None:
        self.state = state


class Constant(MLPNetwork):
    """Always does the same, whatever it sees."""

    def __init__(self, answer: float, output: str) -> None:
        super().__init__(5, spaces.Discrete(3) if output == "discrete" else spaces.Box(-1, 1, (1,)), hidden=())
        with torch.no_grad():
            self.head[0].weight.zero_()
            if output == "discrete":
                self.head[0].bias.copy_(torch.eye(3)[int(answer)])
            else:
                self.head[0].bias.fill_(answer)


class Envs:
    """Environments that tell nothing, end never and note what is done in them."""

    num_envs = ENVS

    def __init__(self) -> None:
        self.played: list[np.ndarray] = []

    def reset(self, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
        return np.zeros((ENVS, 5), np.float32), {}

    def step(self, actions: np.ndarray) -> tuple[Any, ...]:
        self.played.append(np.array(actions))
        return np.zeros((ENVS, 5), np.float32), np.zeros(ENVS), np.zeros(ENVS, bool), np.zeros(ENVS, bool), {}


@pytest.mark.parametrize("output", ["clip", "discrete"])
@pytest.mark.parametrize(("share", "led"), [(0.0, 0), (0.25, 5), (0.5, 10), (0.98, 20), (1.0, 20)])
def test_the_teacher_acts_in_that_share_of_the_environments(output: str, share: float, led: int) -> None:
    envs, student, teacher = Envs(), Constant(0.0, output), Constant(1.0, output)
    player = Player(envs, Kept(np.zeros((ENVS, 5))), student, teacher, np.random.default_rng(0))
    segment = player.play(3, 0.0, share)
    played = np.stack(envs.played).reshape(3, ENVS)
    assert set(np.unique(played)) <= {0, 1}
    assert (played.sum(axis=1) == led).all()
    assert (played == played[0]).all()  # the same environments throughout
    told = segment.actions.argmax(dim=2) if output == "discrete" else segment.actions[:, :, 0]
    assert np.array_equal(told.numpy(), played)  # the student remembers what was done, not what it would have done
    targets = segment.targets if output == "discrete" else segment.targets[:, :, 0]
    assert (targets == 1).all()  # the teacher's advice is learnt everywhere


def test_which_environments_are_led_is_drawn() -> None:
    """Exploration rises from the first environment to the last: the led ones must not be the quiet ones."""
    envs, student, teacher = Envs(), Constant(0.0, "clip"), Constant(1.0, "clip")
    player = Player(envs, Kept(np.zeros((ENVS, 5))), student, teacher, np.random.default_rng(0))
    player.play(1, 0.0, 0.5)
    led = np.flatnonzero(envs.played[0])
    assert led.min() < 5 and led.max() >= 15
    assert not np.array_equal(led, np.arange(10))


@pytest.mark.parametrize("output", ["clip", "discrete"])
def test_exploration_rises_from_nothing_in_the_first_environment(output: str) -> None:
    envs, student = Envs(), Constant(0.0, output)
    player = Player(envs, Kept(np.zeros((ENVS, 5))), student, student, np.random.default_rng(0))
    player.play(2000, 0.5)
    played = np.stack(envs.played).reshape(2000, ENVS)
    expected = np.linspace(0, 0.5, ENVS) * (2 / 3 if output == "discrete" else 1)  # of 3 random actions one is its own
    moved = (played != 0).mean(axis=0) if output == "discrete" else played.std(axis=0)
    assert moved[0] == 0
    np.testing.assert_allclose(moved, expected, atol=0.05)


def test_random_actions_are_those_of_the_task() -> None:
    """Also where it does not count from 0."""
    envs, student = Envs(), MLPNetwork(5, spaces.Discrete(3, start=5))
    player = Player(envs, Kept(np.zeros((ENVS, 5))), student, student, np.random.default_rng(0))
    segment = player.play(100, 1.0)
    played = np.stack(envs.played)
    assert set(np.unique(played)) == {5, 6, 7}
    assert np.array_equal(segment.actions.argmax(dim=2).numpy() + 5, played)
