"""Perturbations that change in the middle of an episode: what is seen, where it comes from, what an action does."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.demo.changeable import Step
from symbench.demo.live_replay import LiveReplay
from symbench.errors import SymbenchError
from symbench.runner.pipeline import explicit
from symbench.suites import Apply
from symbench.viz.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK = "CartPoleSwingUp"
PUSH = np.array([0.5], np.float32)


def applied(wrapper: str, task: str = TASK, **parameters: Any) -> Apply:
    return explicit(Apply(wrapper=wrapper, **parameters), task)


SHUFFLE = Step(applied("ShuffleSensors"))
NOISE = Step(applied("AddNoiseChannels", n=3))
FLIP = Step(applied("TransformByGroup", element=1))


@pytest.fixture
def replay() -> Iterator[LiveReplay]:
    with closing(LiveReplay(TASK, render=False)) as found:
        yield found


@pytest.mark.parametrize(
    ("task", "wrappers"),
    [
        (TASK, ["SensorNoise", "AddNoiseChannels", "ShuffleSensors"]),
        (TASK, ["TransformByGroup", "DelayObservations", "DropSensors"]),
        ("GridWorld", ["SwapBackground", "ShufflePatches"]),
        ("Pursuit", ["ShuffleEntities"]),
    ],
)
def test_switched_on_before_the_episode_they_draw_what_a_run_draws(task: str, wrappers: list[str]) -> None:
    extra = {"patch_size": 3} if task == "GridWorld" else {}
    apply = [applied(name, task, **(extra if "Patches" in name else {})) for name in wrappers]
    with closing(Replay(task, apply)) as fixed, closing(LiveReplay(task, render=False)) as live:
        live.change([Step(each) for each in apply])
        assert live.env.observation_space == fixed.env.observation_space
        live.env.action_space.seed(0)
        for seed in (3, 4):
            pairs = [(fixed.reset(seed), live.reset(seed))]
            for _ in range(5):
                action = live.env.action_space.sample()
                pairs.append((fixed.step(action)[0], live.step(action)[0]))
            for expected, seen in pairs:
                np.testing.assert_equal(seen, expected)
            if fixed.origins is not None and live.origins is not None:
                np.testing.assert_array_equal(live.origins.index, fixed.origins.index)


def test_a_shuffle_in_the_middle_moves_what_is_there_and_a_redraw_moves_it_again(replay: LiveReplay) -> None:
    replay.reset(0)
    replay.step(PUSH)
    orders = []
    for times in range(6):
        replay.change([Step(SHUFFLE.apply, times)])
        assert replay.origins is not None
        orders.append(tuple(replay.origins.index))
        np.testing.assert_array_equal(replay.seen, replay.original[list(orders[-1])])
        replay.step(PUSH)
        assert tuple(replay.origins.index) == orders[-1], "it lasts"
        np.testing.assert_array_equal(replay.seen, replay.original[list(orders[-1])])
    assert len(set(orders)) > 3
    replay.change([])
    np.testing.assert_array_equal(replay.seen, replay.original)


def test_what_is_the_same_goes_on_with_its_draws(replay: LiveReplay) -> None:
    often = Step(applied("ShuffleSensors", resample=2))
    replay.change([often])
    replay.reset(1)
    for _ in range(5):
        replay.step(PUSH)
    assert replay.origins is not None
    before = replay.origins.index.tolist()
    replay.change([often, NOISE])
    assert replay.origins.index.tolist() == [*before, -1, -1, -1]
    replay.change([NOISE, often])  # around other sensors it begins anew
    assert sorted(replay.origins.index) == [-1, -1, -1, 0, 1, 2, 3, 4]


@pytest.fixture
def told(replay: LiveReplay, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the environment is told to do."""
    found: list[float] = []
    inner = replay._tap.step
    monkeypatch.setattr(replay._tap, "step", lambda action: (found.append(float(action[0])), inner(action))[1])
    return found


def test_an_action_goes_through_what_the_agent_saw_when_it_decided(replay: LiveReplay, told: list[float]) -> None:
    seen = replay.reset(0)
    replay.change([FLIP])
    assert not np.array_equal(replay.seen, seen), "it is shown mirrored at once"
    replay.step(PUSH)
    replay.step(PUSH)
    replay.change([])
    replay.step(PUSH)
    replay.step(PUSH)
    assert told == [0.5, -0.5, -0.5, 0.5]


def test_the_action_of_an_agent_that_decides_anew_goes_through_what_it_sees_now(
    replay: LiveReplay, told: list[float]
) -> None:
    replay.reset(0)
    replay.change([FLIP])
    np.testing.assert_array_equal(replay.env.look(), replay.seen)
    replay.step(PUSH)
    assert told == [-0.5]


def test_what_cannot_be_applied_changes_nothing(replay: LiveReplay) -> None:
    replay.change([NOISE])
    seen = replay.reset(0)
    with pytest.raises(SymbenchError, match=r"ShufflePatches.* cannot be applied: .*needs frames"):
        replay.change([NOISE, Step(Apply(wrapper="ShufflePatches"))])
    np.testing.assert_array_equal(replay.seen, seen)
    assert replay.env.observation_space.shape == (8,) == replay.step(PUSH)[0].shape
