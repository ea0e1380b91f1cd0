"""Pong: the episodes of Gymnasium's Atari pipeline pixel for pixel, without the score."""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import DependencyNotInstalled
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import AtariPreprocessing
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import symbench.envs  # noqa: F401
from symbench.envs.pong import (
    FRAME_SKIP,
    MAX_NOOPS,
    MAX_RANDOM_ACTIONS,
    SCORE_ROWS,
    STICKINESS,
    PongEnv,
    PongPlayfieldEnv,
    PongStickyEnv,
)
from symbench.tasks import get_task
from symbench.training.controllers.pong import BALL_Y, PADDLE

ale_py = pytest.importorskip("ale_py")
pytest.importorskip("cv2")
gym.register_envs(ale_py)


def reference(rgb: bool) -> gym.Env:
    game = gym.make("ALE/Pong-v5", frameskip=1, repeat_action_probability=0.0, full_action_space=False)
    return AtariPreprocessing(
        game, noop_max=30, frame_skip=4, screen_size=84, grayscale_obs=not rgb, terminal_on_life_loss=False
    )


def without_score(observation: np.ndarray) -> np.ndarray:
    masked = observation.reshape(84, 84, -1).copy()
    masked[:SCORE_ROWS] = 0
    return masked


@pytest.mark.slow
@pytest.mark.parametrize(("rgb", "seeds", "steps"), [(False, (0, 1, 2, 3), 350), (True, (4, 5), 300)])
def test_episodes_are_those_of_gymnasiums_pipeline(rgb: bool, seeds: tuple[int, ...], steps: int) -> None:
    ours, theirs = PongEnv(rgb=rgb), reference(rgb)
    for seed in seeds:
        actions = np.random.default_rng(seed).integers(6, size=steps).tolist()
        seen, expected = ours.reset(seed=seed)[0], theirs.reset(seed=seed)[0]
        np.testing.assert_array_equal(seen, without_score(expected))
        for action in actions:
            (seen, *ours_said, _), (expected, *they_said, _) = ours.step(action), theirs.step(action)
            np.testing.assert_array_equal(seen, without_score(expected))
            assert ours_said == they_said


def test_a_console_that_was_played_on_is_as_new() -> None:
    fresh, used = PongEnv(), PongEnv()
    used.reset(seed=3)
    for action in (2, 3, 1) * 100:
        used.step(action)
    console = used.ale
    used.close(), used.close()
    again = PongEnv(rgb=True)
    assert again.ale is console
    again.close()
    again, another = PongEnv(), PongEnv()
    assert again.ale is console and another.ale is not console
    for env in (again, fresh):
        env.np_random = np.random.default_rng(1)
    np.testing.assert_array_equal(again.reset()[0], fresh.reset()[0])  # from the state of a game just switched on
    for action in (2, 0, 3, 3) * 20:
        np.testing.assert_array_equal(again.step(action)[0], fresh.step(action)[0])
    with pytest.raises(AttributeError):
        used.step(0)


def test_the_end_and_the_next_unseeded_episode_are_those_of_gymnasiums_pipeline() -> None:
    ours, theirs = PongEnv(), reference(rgb=False)
    ours.reset(seed=9), theirs.reset(seed=9)
    ended, points = False, 0.0
    while not ended:
        (seen, reward, ended, *_), (expected, *they_said, _) = ours.step(0), theirs.step(0)
        points += reward
        assert [reward, ended] == they_said[:2]
    assert points == -21.0
    np.testing.assert_array_equal(seen, without_score(expected))
    np.testing.assert_array_equal(ours.reset()[0], without_score(theirs.reset()[0]))
    for action in [2, 3] * 20:
        np.testing.assert_array_equal(ours.step(action)[0], without_score(theirs.step(action)[0]))


def test_noops_before_an_episode_differ_from_seed_to_seed() -> None:
    env = PongEnv()
    frames = set()
    for seed in range(40):
        env.reset(seed=seed)
        frames.add(env.ale.getEpisodeFrameNumber())
    assert 20 < len(frames) <= 30


def test_long_games_are_truncated_as_the_emulator_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.envs.pong.MAX_FRAMES", 100)
    env = PongEnv()
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(30)]
    assert ends[0] == (False, False)
    assert ends[-1] == (False, True)
    assert env.ale.getEpisodeFrameNumber() == 100


def test_only_the_score_is_hidden_and_observations_are_fresh() -> None:
    env = gym.make("symbench/Pong-v0", render_mode="rgb_array")
    first, _ = env.reset(seed=0)
    kept = first.copy()
    second, *_ = env.step(2)
    assert not first[:SCORE_ROWS].any()
    assert first[SCORE_ROWS:].min() > 0
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, second)
    assert env.render().shape == (210, 160, 3)
    assert env.unwrapped.ram.shape == (128,)


@pytest.mark.parametrize(
    "name", ["symbench/Pong-v0", "symbench/PongSticky-v0", "symbench/PongRGB-v0", "symbench/PongPlayfield-v0"]
)
@pytest.mark.filterwarnings("ignore:.*render:UserWarning")
def test_passes_the_checks_of_gymnasium_and_sb3(name: str) -> None:
    check_env(gym.make(name).unwrapped)
    check_env_sb3(gym.make(name))


def test_what_is_missing_is_said_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "cv2", None)
        with pytest.raises(DependencyNotInstalled, match=r"cv2.*symbench\[atari\]"):
            PongEnv()
    monkeypatch.setattr("symbench.envs.pong._spare", [])  # consoles of other tests have loaded theirs
    monkeypatch.setenv("ALE_ROMS_DIR", str(tmp_path))
    with pytest.raises(DependencyNotInstalled, match=r"ROM .* reinstall ale-py or unset ALE_ROMS_DIR"):
        PongEnv()


FLIPPED = np.array([0, 1, 3, 2, 5, 4])


def test_the_playfield_is_the_court_of_the_same_game_at_half_size() -> None:
    whole, court = PongEnv(), PongPlayfieldEnv()
    whole.reset(seed=3), court.reset(seed=3)
    for action in np.random.default_rng(3).integers(6, size=200).tolist():
        _, *said, _ = whole.step(action)
        seen, *also_said, _ = court.step(action)
        assert said == also_said
        pixels = whole._last[34:194].reshape(80, 2, 80, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(seen[..., 0], pixels, atol=0.51)
    assert (seen.shape, seen.dtype) == ((80, 80, 1), np.uint8)


def paddle_row(env: gym.Env, column: int) -> float:
    """Middle of what is not background in a column of the picture, in rows from the picture's middle."""
    rows = np.flatnonzero(env.step(0)[0][:, column, 0] != 87)
    return float(rows.mean() - 39.5)


def test_the_playfield_is_nearly_symmetric_under_a_flip_of_rows() -> None:
    """Our paddle, driven to both ends by mirrored actions, is at mirrored places; unmirrored it is not."""
    ends = {}
    for action in (2, 3):
        env = PongPlayfieldEnv()
        env.reset(seed=0)
        for _ in range(15):
            env.step(action)
        ends[action] = paddle_row(env, 70)
    assert FLIPPED[2] == 3
    assert abs(ends[2] + ends[3]) < 2.0
    assert abs(ends[2] - ends[3]) > 40.0


def played(name: str, seed: int, steps: int) -> bytes:
    """What the console remembers after each step of a paddle that chases the ball, from where all games are in step."""
    env, memories = gym.make(name).unwrapped, {}
    env.reset(seed=seed)
    for _ in range(steps):
        memories[env.ale.getEpisodeFrameNumber()] = env.ram.tobytes()
        env.step(chase(env.ram))
    env.close()
    return b"".join(memory for frame, memory in memories.items() if 300 <= frame < 600)


def chase(ram: np.ndarray) -> int:
    """Up or down, wherever the ball is."""
    return 2 if ram[BALL_Y] < ram[PADDLE] else 3


@pytest.mark.slow
def test_no_two_sticky_games_are_the_same_and_plain_ones_are_four() -> None:
    """Of an agent without memory: plain games are shifted in time by their no-ops, by whole steps in a quarter."""
    assert len({played("symbench/PongSticky-v0", seed, 150) for seed in range(100)}) == 100
    assert len({played("symbench/Pong-v0", seed, 150) for seed in range(100)}) == 4


def test_the_opening_of_a_sticky_game_is_drawn_from_the_seed_alone() -> None:
    first, second = PongStickyEnv(), PongStickyEnv()
    second.reset(seed=5)
    for action in (2, 3) * 20:
        second.step(action)
    openings = {}
    for seed in range(40):
        seen, again = first.reset(seed=seed)[0], second.reset(seed=seed)[0]
        np.testing.assert_array_equal(seen, again)
        openings[seed] = first.ale.getEpisodeFrameNumber()
    np.testing.assert_array_equal(first.step(3)[0], second.step(3)[0])
    assert min(openings.values()) < 40 and 200 < max(openings.values()) <= MAX_NOOPS + FRAME_SKIP * MAX_RANDOM_ACTIONS
    env = PongEnv()
    env.reset(seed=0)
    assert (openings[0] - env.ale.getEpisodeFrameNumber()) % FRAME_SKIP == 0  # the no-ops of the same seed


def test_a_quarter_of_the_frames_repeats_what_was_pressed() -> None:
    env = PongStickyEnv()
    env.reset(seed=0)
    pressed = [env._pressed(code) for code in [3, 4] * 5000]
    repeated = np.mean([now != asked for now, asked in zip(pressed, [3, 4] * 5000, strict=True)])
    # An action that was not taken is asked for again two frames later, so half of a run of repeats is as asked.
    assert repeated == pytest.approx(STICKINESS / (1 + STICKINESS), abs=0.01)


@pytest.mark.parametrize("name", ["Pong", "PongRGB", "PongPlayfield"])
def test_a_plain_game_says_in_which_frame_it_ends(name: str) -> None:
    env = get_task(name).make().unwrapped
    for seed in range(5):
        env.reset(seed=seed)
        for _ in range(7):
            env.step(0)
        assert get_task(name).ends_at(seed, 7) == env.ale.getEpisodeFrameNumber()


def test_a_batch_plays_the_sticky_games_of_single_environments() -> None:
    envs, task = get_task("PongSticky").make_vec(3), get_task("PongSticky")
    batch = [envs.reset(seed=[7, 8, 9])[0], *(envs.step(np.array([2, 3, 1]))[0] for _ in range(30))]
    for place, action in enumerate((2, 3, 1)):
        env = task.make()
        single = [env.reset(seed=7 + place)[0], *(env.step(action)[0] for _ in range(30))]
        np.testing.assert_array_equal([seen[place] for seen in batch], single)
