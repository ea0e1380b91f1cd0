"""The replay plays the episodes of the runner, and knows where everything that is seen comes from."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.policies.random_agent import RandomAgent
from symbench.runner.evaluate import play as play_batch
from symbench.runner.pipeline import make_envs
from symbench.suites import Apply
from symbench.viz.replay import Replay, play
from symbench.viz.video import moved_back

SHUFFLE = Apply(wrapper="ShufflePatches", patch_size=6, resample=2)
OCCLUDE = Apply(wrapper="OccludePatches", ratio=0.3, patch_mask=True)


@pytest.mark.parametrize("apply", [(SHUFFLE,), (SHUFFLE, SHUFFLE)])
def test_every_seen_pixel_is_the_original_pixel_of_its_number(apply: tuple[Apply, ...]) -> None:
    with closing(Replay("Pong", apply)) as replay:
        seen = replay.reset(3)
        for _ in range(5):
            assert replay.origins is not None
            assert (replay.original.reshape(-1)[replay.origins.index] == seen[:, :, 0]).all()
            seen, _, _ = replay.step(2)
        assert (replay.origins.index != np.arange(84 * 84).reshape(84, 84)).any()


def test_occlusion_hides_but_moves_nothing() -> None:
    with closing(Replay("Pong", (SHUFFLE, OCCLUDE))) as replay:
        seen = replay.reset(0)
        assert replay.origins is not None
        visible = seen["image"][:, :, 0] != 0
        assert (replay.original.reshape(-1)[replay.origins.index][visible] == seen["image"][:, :, 0][visible]).all()


def test_sensors_are_traced_through_noise_and_shuffling() -> None:
    apply = (Apply(wrapper="AddNoiseChannels", n=3), Apply(wrapper="ShuffleSensors", resample="step"))
    with closing(Replay("CartPole-v1", apply)) as replay:
        seen = replay.reset(0)
        for action in (0, 1, 0):
            assert replay.origins is not None
            index = replay.origins.index
            assert sorted(index) == [-1, -1, -1, 0, 1, 2, 3]
            assert (seen[index >= 0] == replay.original[index[index >= 0]]).all()
            seen, _, _ = replay.step(action)


def test_an_episode_is_the_one_of_the_runner() -> None:
    apply = (Apply(wrapper="ShuffleSensors", resample=3),)
    with closing(make_envs("CartPole-v1", apply, 1)) as envs:
        expected = play_batch(envs, RandomAgent(envs.single_action_space), [7])
    with closing(Replay("CartPole-v1", apply)) as replay:
        agent = RandomAgent(replay.env.action_space)
        agent.reset(1, seed=7)
        *_, last = play(replay, agent, 7)
    assert (last.total, last.step, last.action) == (expected.returns[0], expected.lengths[0], None)


def test_a_mask_is_moved_back_to_where_its_pixels_came_from() -> None:
    mask = np.array([[True, False], [False, False]])
    index = np.array([[3, 2], [1, 0]])
    assert moved_back(mask, index).tolist() == [[False, False], [False, True]]


def test_a_wrapper_that_does_not_fit_is_named() -> None:
    with pytest.raises(SymbenchError, match=r"ShufflePatches.* cannot be applied to CartPole-v1"):
        Replay("CartPole-v1", (SHUFFLE,))
