"""The controller of Pong wins, recovers, and looks at nothing but the memory."""

from __future__ import annotations

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("ale_py")
pytest.importorskip("cv2")

from symbench.envs.pong import PongEnv
from symbench.training.controllers.blinkered_pong import SIDE, BlinkeredPongController
from symbench.training.controllers.pong import BALL_Y, LEVEL, PADDLE, PongController, ball_path


class Blind(gym.Wrapper):
    """No pictures: the controller sees the memory only, and so much quicker."""

    def __init__(self) -> None:
        super().__init__(PongEnv())
        self.unwrapped._observe = lambda: np.zeros((84, 84, 1), np.uint8)


def play(
    seed: int, steps: int = 3000, noise: float = 0.0, controller: PongController | None = None
) -> tuple[list[int], float, np.ndarray]:
    """The actions, the return, and the memory after each step."""
    env, controller, draw = Blind(), controller or PongController(), np.random.default_rng(seed)
    env.reset(seed=seed)
    actions, total, memories = [], 0.0, [env.unwrapped.ram]
    for _ in range(steps):
        actions.append(controller(env))
        done = actions[-1] if draw.random() >= noise else int(draw.integers(6))
        _, reward, terminated, *_ = env.step(done)
        total += reward
        memories.append(env.unwrapped.ram)
        if terminated:
            break
    return actions, total, np.array(memories)


# Starts differ by their number of no-ops modulo 4 (the frames of a step) only: here 2, 1 and 3.
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_wins_every_point_while_it_stays_level_with_the_ball(seed: int) -> None:
    actions, total, memories = play(seed)
    assert total == 21.0
    assert len(actions) < 1900
    assert set(actions) == {1, 4, 5}
    ball, paddle = memories[:, BALL_Y].astype(int), memories[:, PADDLE].astype(int)
    level = np.abs(ball - paddle - LEVEL)[ball > 0] <= 7
    assert level.mean() > 0.85


@pytest.mark.slow
def test_a_game_played_is_the_game_of_that_seed() -> None:
    controller = PongController()
    assert [controller.play(Blind(), seed) for seed in (0, 1)] == [play(seed)[1] for seed in (0, 1)]
    assert PongController(temperature=4.0).play(Blind(), 0) == controller.play(Blind(), 0)


def test_recovers_from_actions_that_were_not_its_own() -> None:
    _, total, _ = play(2, noise=0.05)
    assert total >= 16


def test_equal_seeds_give_equal_games_also_after_a_reset() -> None:
    first, _, _ = play(3, steps=150)
    again, _, _ = play(3, steps=150)
    assert first == again
    controller, (_, _, memories) = PongController(), play(3, steps=40)
    once = [controller.act(ram) for ram in memories]
    controller.reset()
    assert [controller.act(ram) for ram in memories] == once == first[: len(once)]


def test_a_calm_one_repeats_itself_and_still_wins_every_point() -> None:
    actions, total, _ = play(1, controller=PongController(move=2.0, switch=4.0))
    assert total == 21.0
    assert repeated(actions) > 0.5 > 2 * repeated(play(1, steps=400)[0]) - 0.1


def repeated(actions: list[int]) -> float:
    return float(np.mean(np.diff(actions) == 0))


def test_probabilities_are_those_of_costs() -> None:
    """The likeliest is what it would do; the colder, the surer; actions without fire are none of its own."""
    _, _, memories = play(2, steps=60)
    sure = [PongController(switch=2.0), PongController(switch=2.0, temperature=1e-3)]
    hot, warm = (PongController(switch=2.0, temperature=t) for t in (50.0, 2.0))
    for ram in memories:
        action, almost, likely, flat = sure[0].act(ram), sure[1].act(ram), warm.act(ram), hot.act(ram)
        assert action == almost.argmax() == likely.argmax() == flat.argmax()
        assert almost.max() >= likely.max() >= flat.max()
        assert likely.sum() == pytest.approx(1.0) and not likely[[0, 2, 3]].any()
    with pytest.raises(ValueError, match="at least 0"):
        PongController(temperature=-1.0)


def test_reads_the_memory_only() -> None:
    _, _, memories = play(4, steps=30)
    env = SimpleNamespace(unwrapped=SimpleNamespace(ram=memories[-1]))
    assert PongController()(env) == PongController().act(memories[-1])


def test_ball_is_predicted_frame_by_frame_also_at_the_walls() -> None:
    env = Blind()
    env.reset(seed=0)
    turns = 0
    for _ in range(120):
        before = env.unwrapped.ram
        env.step(0)
        after = env.unwrapped.ram
        _, expected = ball_path(before, 4)
        if before[BALL_Y] and after[BALL_Y] and 80 < after[49] < 180:
            assert after[BALL_Y] == expected[-1]
            turns += before[56] != after[56]
    assert turns > 0


def test_told_of_every_ball_the_blinkered_one_plays_the_same_and_told_of_none_it_stays() -> None:
    whole, nothing = np.ones((SIDE, SIDE), bool), np.zeros((SIDE, SIDE), bool)
    plain = play(0, steps=400)[0]
    told = play(0, steps=400, controller=BlinkeredPongController(whole, memory=0))[0]
    serves = 60  # before the first ball the plain one goes to the middle; the blinkered one stays
    assert np.mean(np.array(told[serves:]) == np.array(plain[serves:])) > 0.8
    assert set(play(0, steps=400, controller=BlinkeredPongController(nothing, memory=3))[0]) == {1}


class Glimpses(BlinkeredPongController):
    """Sees the ball in every fourth step."""

    def reset(self) -> None:
        super().reset()
        self.count = 0

    def act(self, ram: np.ndarray) -> object:
        self.visible = np.full((SIDE, SIDE), self.count % 4 == 0)
        self.count += 1
        return super().act(ram)


def test_a_ball_that_is_out_of_sight_for_three_steps_is_hit_by_who_remembers_three() -> None:
    nothing = np.zeros((SIDE, SIDE), bool)
    remembers, forgets = (play(0, 800, controller=Glimpses(nothing, memory))[1] for memory in (3, 0))
    assert remembers >= 4
    assert forgets <= 0
