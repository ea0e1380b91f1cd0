"""Backgrounds that lie on the ground: what a camera sees of them, the same in every kind of environment."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv

from symbench import wrappers
from symbench.envs.idle import IdleVectorEnv
from symbench.errors import SymbenchError
from symbench.wrappers import sb3, vector
from symbench.wrappers.camera import camera_of, on_the_ground

STILL = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
HEIGHT, WIDTH = 6, 8


class Panning(gym.Env[Any, Any]):
    """Black frames from a camera that turns and goes somewhere else at every step; an episode is some steps long."""

    observation_space = gym.spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.left = int(self.np_random.integers(2, 6))
        return self._frame(), self._info()

    def step(self, action: Any) -> Any:
        self.left -= 1
        return self._frame(), 0.0, self.left == 0, False, self._info()

    def _frame(self) -> np.ndarray:
        return np.zeros((HEIGHT, WIDTH, 3), np.uint8)

    def _info(self) -> dict[str, Any]:
        return {"camera": self.np_random.normal(0, 4, (2, 3))}


class Silent(Panning):
    """The same, which does not say where its camera is."""

    def _info(self) -> dict[str, Any]:
        return {}


class Reticent(Panning):
    """The same, which says it at resets only."""

    def step(self, action: Any) -> Any:
        return (*super().step(action)[:4], {})


def moved(rows: int, columns: int) -> np.ndarray:
    """A camera that stands so many pixels further down and to the right."""
    return STILL + np.array([[0, 0, rows], [0, 0, columns]])


PARAMETERS: dict[str, Any] = {"background": "noise", "anchor": "world"}


def episodes(env: gym.Env[Any, Any], seed: int, steps: int) -> list[list[np.ndarray]]:
    """What is seen in so many steps, by episode."""
    seen = [[env.reset(seed=seed)[0]]]
    for _ in range(steps):
        observation, _, terminated, _, _ = env.step(0)
        seen[-1].append(observation)
        if terminated:
            seen.append([env.reset()[0]])
    return seen


def test_a_camera_that_stands_still_sees_the_picture_itself() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
    assert np.array_equal(on_the_ground(pictures, np.stack([STILL, STILL])), pictures)


def test_beside_a_picture_lies_its_mirror_image_and_then_the_picture_again() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1, HEIGHT, WIDTH, 1), np.uint8)
    for rows, columns, expected in (
        (HEIGHT, 0, picture[:, ::-1]),
        (0, -WIDTH, picture[:, :, ::-1]),
        (-2 * HEIGHT, 4 * WIDTH, picture),
    ):
        camera = moved(rows, columns)
        assert np.array_equal(on_the_ground(picture, camera[None]), expected)


def test_what_lies_on_the_ground_moves_as_the_camera_says_and_on_the_screen_it_does_not() -> None:
    class Rolling(Panning):
        def _info(self) -> dict[str, Any]:
            return {"camera": moved(0, 6 - self.left)}

    def seen(anchor: str) -> np.ndarray:
        env = wrappers.SwapBackground(Rolling(), background="noise", anchor=anchor)
        return np.stack(episodes(env, 3, 3)[0][:3])

    on_screen, on_ground = seen("screen"), seen("world")
    assert (on_screen[1:] == on_screen[:-1]).all()
    assert np.array_equal(on_ground[1:, :, :-1], on_ground[:-1, :, 1:])


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_batches_show_what_single_environments_show(mode: AutoresetMode) -> None:
    alone = [episodes(wrappers.SwapBackground(Panning(), **PARAMETERS), seed, 16) for seed in (5, 6, 7)]
    envs = vector.SwapBackground(SyncVectorEnv([Panning] * 3, autoreset_mode=mode), **PARAMETERS)
    observations, _ = envs.reset(seed=5)
    seen, ended = [[[first]] for first in observations], np.zeros(3, bool)
    for _ in range(16):
        observations, _, terminated, _, infos = envs.step(np.zeros(3, np.int64))
        for i in range(3):
            if mode == AutoresetMode.NEXT_STEP and ended[i]:
                seen[i].append([observations[i]])
                continue
            same_step = mode == AutoresetMode.SAME_STEP and terminated[i]
            seen[i][-1].append(infos["final_obs"][i] if same_step else observations[i])
            if same_step:
                seen[i].append([observations[i]])
        ended = terminated
        if mode == AutoresetMode.DISABLED and ended.any():
            observations, _ = envs.reset(options={"reset_mask": ended})
            for i in np.flatnonzero(ended):
                seen[i].append([observations[i]])
    _assert_begin_alike(alone, seen)


def test_stable_baselines_vec_env_shows_what_single_environments_show() -> None:
    alone = [episodes(wrappers.SwapBackground(Panning(), **PARAMETERS), seed, 16) for seed in (5, 6, 7)]
    venv = sb3.SwapBackground(DummyVecEnv([Panning] * 3), **PARAMETERS)
    venv.seed(5)
    seen = [[[first]] for first in venv.reset()]
    for _ in range(16):
        observations, _, dones, infos = venv.step(np.zeros(3, np.int64))
        for i in range(3):
            seen[i][-1].append(infos[i]["terminal_observation"] if dones[i] else observations[i])
            if dones[i]:
                seen[i].append([observations[i]])
    _assert_begin_alike(alone, seen)


def test_environments_that_rest_after_their_end_disturb_no_other() -> None:
    alone = [episodes(wrappers.SwapBackground(Panning(), **PARAMETERS), seed, 8)[0] for seed in (5, 6, 7)]
    envs = vector.SwapBackground(IdleVectorEnv([Panning] * 3), **PARAMETERS)
    seen = [envs.reset(seed=5)[0], *(envs.step(np.zeros(3, np.int64))[0] for _ in range(5))]
    for i, episode in enumerate(alone):
        assert np.array_equal([step[i] for step in seen[: len(episode)]], episode)


@pytest.mark.parametrize("silent", [Silent, Reticent])
def test_without_a_camera_one_line_says_what_to_do(silent: type[Panning]) -> None:
    def play(reset: Any, step: Any) -> None:
        reset()
        step()

    single = wrappers.SwapBackground(silent(), **PARAMETERS)
    batch = vector.SwapBackground(SyncVectorEnv([silent] * 2), **PARAMETERS)
    venv = sb3.SwapBackground(DummyVecEnv([silent] * 2), **PARAMETERS)
    two = np.zeros(2, np.int64)
    for env, step in (
        (single, partial(single.step, 0)),
        (batch, partial(batch.step, two)),
        (venv, partial(venv.step, two)),
    ):
        with pytest.raises(SymbenchError, match=r'needs to know where the camera is.*anchor = "screen" is the same'):
            play(env.reset, step)


@pytest.mark.parametrize("value", [np.eye(3), [[1, 0, 0]], [[1, 0, np.nan], [0, 1, 0]]], ids=str)
def test_a_camera_is_six_finite_numbers(value: Any) -> None:
    with pytest.raises(SymbenchError, match=r'info\["camera"\] must hold 2 x 3 finite numbers, received'):
        camera_of(value)


def test_stacked_frames_were_seen_from_several_places_and_are_refused() -> None:
    env = gym.wrappers.FrameStackObservation(Panning(), 3)
    wrappers.SwapBackground(env, background="noise")
    with pytest.raises(SymbenchError, match='anchor = "world" needs single frames; put it before frame stacks'):
        wrappers.SwapBackground(env, **PARAMETERS)


@pytest.mark.parametrize("anchor", ["screen", "world"])
def test_a_flat_grey_is_the_same_everywhere(anchor: str) -> None:
    env = wrappers.SwapBackground(Panning(), background="grey", level=130, anchor=anchor)
    assert (np.stack(episodes(env, 0, 4)[0]) == 130).all()


def _assert_begin_alike(alone: list[Any], seen: list[Any]) -> None:
    """Episodes of environments, of which the last may have been played further alone."""
    for expected, found in zip(alone, seen, strict=True):
        assert len(found) > 2
        for episode, same in zip(found, expected, strict=False):
            assert np.array_equal(episode, same[: len(episode)])
