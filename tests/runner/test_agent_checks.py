"""What an agent answers and what it is shown: nothing that is wrong becomes a score, and the message says where."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from symbench.errors import SymbenchError
from symbench.policies import Agent
from symbench.runner import Episodes
from symbench.runner.agents import load, resolve
from symbench.runner.evaluate import play
from symbench.runner.measures import _visited
from symbench.runner.pipeline import make_envs
from symbench.suites import Apply
from symbench.tasks import TASKS, get_task
from symbench.viz import replay
from symbench.zoo import bundled

COUNT = 20
NAN, INF = float("nan"), float("inf")


class Scripted(Agent):
    """Answers what a function of step and batch size says."""

    name = "scripted"

    def __init__(self, answer: Callable[[int, int], Any]) -> None:
        self.answer = answer

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        self.step, self.count = 0, num_envs

    def restart(self, mask: Any) -> None:
        pass

    def keep(self, mask: Any) -> None:
        self.count = int(mask.sum())

    def act(self, observations: Any) -> Any:
        self.step += 1
        return self.answer(self.step - 1, self.count)

    def incompatibility(self, observation_space: Any, action_space: Any) -> str | None:
        return None


class Show(gym.Env[Any, Any]):
    """Shows what a function of the step says, pays what another one says, and ends after five steps."""

    def __init__(
        self,
        space: spaces.Space[Any],
        show: Callable[[int], Any],
        pay: Callable[[int], float] = lambda step: 1.0,
        acts: spaces.Space[Any] | None = None,
    ) -> None:
        self.observation_space, self.action_space = space, acts or spaces.Discrete(2)
        self._show, self._pay = show, pay

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._step = 0
        return self._show(0), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._step += 1
        return self._show(self._step), self._pay(self._step), self._step == 5, False, {}


def show(*arguments: Any, count: int = 3, **options: Any) -> Any:
    make = partial(Show, *arguments, **options)
    return SyncVectorEnv([make] * count, autoreset_mode=AutoresetMode.DISABLED)


def zeros(step: int, count: int) -> Any:
    return np.zeros(count, np.int64)


def answering(task: str, answer: Callable[[int, int], Any]) -> Episodes:
    with closing(get_task(task).make_vec(COUNT)) as envs:
        return play(envs, Scripted(answer), list(range(100, 100 + COUNT)))


WRONG_IN_CARTPOLE: dict[str, Any] = {
    "nan": np.full(COUNT, NAN),
    "7": np.full(COUNT, 7),
    "-1": np.full(COUNT, -1),
    "0.7": np.full(COUNT, 0.7),
    "whole floats": np.ones(COUNT, np.float32),
    "booleans": np.ones(COUNT, bool),
    "objects": np.array([None] * COUNT),
    "text": ["left"] * COUNT,
    "nothing": None,
    "one for all": 1,
    "one for all, in a list": [1],
    "one too few": np.ones(COUNT - 1, np.int64),
    "a column": np.ones((COUNT, 1), np.int64),
    "ragged": [[1], [1, 0]] * (COUNT // 2),
    "needs gradients": torch.ones(COUNT, requires_grad=True),
}


@pytest.mark.parametrize("answer", WRONG_IN_CARTPOLE.values(), ids=WRONG_IN_CARTPOLE.keys())
def test_an_answer_that_is_no_action_for_each_is_refused(answer: Any) -> None:
    with pytest.raises(SymbenchError, match=r"^agent 'scripted' answered with .*at step 0 of the episodes? with seed"):
        answering("CartPole-v1", lambda step, count: answer)


WRONG_IN_SWING_UP: dict[str, Any] = {
    "nan": NAN,
    "inf": INF,
    "beyond the bounds": 1.5,
    "far beyond": -1e30,
}


@pytest.mark.parametrize("value", WRONG_IN_SWING_UP.values(), ids=WRONG_IN_SWING_UP.keys())
def test_a_number_that_is_no_action_is_refused(value: float) -> None:
    with pytest.raises(SymbenchError, match=r"answered with .*; an action of Box\(-1\.0, 1\.0, \(1,\), float32\)"):
        answering("CartPoleSwingUp", lambda step, count: np.full((count, 1), value))


@pytest.mark.parametrize("shape", [(), (1,), (COUNT,), (1, COUNT), (COUNT, 2)])
def test_actions_of_another_shape_are_refused_and_not_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(SymbenchError, match=r"of shape \(.*\) for 20 environments"):
        answering("CartPoleSwingUp", lambda step, count: np.zeros(shape))


def test_the_message_names_agent_step_and_seed() -> None:
    def third(step: int, count: int) -> Any:
        actions = np.zeros(count, np.int64)
        actions[7] = 2 if step == 3 else 0
        return actions

    with pytest.raises(SymbenchError) as caught:
        answering("CartPole-v1", third)
    assert str(caught.value) == (
        "agent 'scripted' answered with 2 at step 3 of the episode with seed 107; "
        "an action of Discrete(2) is expected for each"
    )


def test_seeds_are_those_of_the_episodes_that_still_go_on() -> None:
    """Cart-poles that are pushed to one side fall at different steps; the last of the others errs then."""

    def last_errs(step: int, count: int) -> Any:
        actions = np.zeros(count, np.int64)
        actions[-1] = 5 if count < COUNT else 0
        return actions

    lengths = answering("CartPole-v1", zeros).lengths
    first_end, last = lengths.min(), np.flatnonzero(lengths > lengths.min())[-1]
    with pytest.raises(SymbenchError, match=f"at step {first_end} of the episode with seed {100 + last};"):
        answering("CartPole-v1", last_errs)


@pytest.mark.parametrize(
    "answer",
    [lambda count: [0] * count, lambda count: np.zeros(count, np.int8), lambda count: torch.zeros(count).long()],
    ids=["list", "int8", "tensor"],
)
def test_what_is_an_action_in_any_form_is_played(answer: Callable[[int], Any]) -> None:
    assert (
        answering("CartPole-v1", lambda step, count: answer(count)).returns.tolist()
        == answering("CartPole-v1", zeros).returns.tolist()
    )


def test_rounding_at_the_bounds_is_no_mistake() -> None:
    edge = np.nextafter(np.float32(1), np.float32(2))
    assert answering("CartPoleSwingUp", lambda step, count: np.full((count, 1), edge)).lengths.min() > 0


OTHER_SPACES: dict[str, tuple[spaces.Space[Any], Any, Any]] = {
    "multi-discrete": (spaces.MultiDiscrete([2, 3]), [[1, 2]] * 3, [[2, 2]] * 3),
    "multi-discrete, 0.5": (spaces.MultiDiscrete([2, 3]), [[1, 0]] * 3, [[1, 0.5]] * 3),
    "multi-binary": (spaces.MultiBinary(2), np.ones((3, 2), np.float32), np.full((3, 2), 0.5)),
    "discrete from 1": (spaces.Discrete(2, start=1), [1, 2, 1], [0, 1, 2]),
    "whole numbers": (spaces.Box(0, 9, (1,), np.int64), [[3]] * 3, [[3.5]] * 3),
    "truths": (spaces.Box(0, 1, (2,), np.bool_), np.ones((3, 2), bool), np.full((3, 2), 0.5)),
    "unbounded": (spaces.Box(-INF, INF, (1,), np.float32), [[1e9]] * 3, [[INF]] * 3),
}


@pytest.mark.parametrize(("space", "right", "wrong"), OTHER_SPACES.values(), ids=OTHER_SPACES.keys())
def test_every_space_of_arrays_is_checked(space: spaces.Space[Any], right: Any, wrong: Any) -> None:
    def envs() -> Any:
        return show(spaces.Discrete(1), lambda step: 0, acts=space)

    assert play(envs(), Scripted(lambda step, count: right), [1, 2, 3]).lengths.tolist() == [5, 5, 5]
    with pytest.raises(SymbenchError, match=r"at step 0 of the episodes? with seed"):
        play(envs(), Scripted(lambda step, count: wrong), [1, 2, 3])


def test_actions_that_are_no_arrays_are_told_at_once() -> None:
    pair = spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)])
    with pytest.raises(SymbenchError, match=r"actions of Box, .* are played, not Tuple"):
        play(show(spaces.Discrete(1), lambda step: 0, acts=pair), Scripted(zeros), [1, 2, 3])


BOX = spaces.Box(-1, 1, (2,), np.float32)
DICT = spaces.Dict({"plain": BOX, "inner": spaces.Dict({"number": spaces.Discrete(3)})})


PAIR = spaces.Tuple((spaces.Discrete(3), spaces.Dict(plain=BOX)))


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
@pytest.mark.parametrize(
    "space", [BOX, DICT, PAIR, spaces.Box(-INF, INF, (2,), np.float32)], ids=["box", "dict", "tuple", "endless"]
)
def test_an_observation_that_is_no_number_ends_the_cell(space: spaces.Space[Any], bad: float) -> None:
    def at_two(step: int) -> Any:
        values = np.array([0.0, bad if step == 2 else 0.5], np.float32)
        shown = {"dict": {"plain": values, "inner": {"number": 1}}, "tuple": (1, {"plain": values})}
        return shown["dict"] if space is DICT else shown["tuple"] if space is PAIR else values

    with pytest.raises(
        SymbenchError, match=f"was shown an observation with {bad} at step 2 of the episode with seed 1"
    ):
        play(show(space, at_two), Scripted(zeros), [1, 2, 3])


def test_observations_outside_their_space_are_counted() -> None:
    """Steps 1 and 3 of the five, in three environments; what a last step shows nobody sees."""
    outside = play(
        show(BOX, lambda step: np.array([0, 3 if step in (1, 3, 5) else 1], np.float32)), Scripted(zeros), [1, 2, 3]
    ).outside
    assert outside == 6
    in_dict = play(
        show(DICT, lambda step: {"plain": np.ones(2, np.float32), "inner": {"number": step}}),
        Scripted(zeros),
        [1, 2, 3],
    ).outside
    assert in_dict == 6  # 3 and 4 of 0 to 4
    assert play(get_task("CartPole-v1").make_vec(2), Scripted(zeros), [1, 2]).outside == 0


@pytest.mark.parametrize("bad", [NAN, INF])
def test_a_reward_that_is_no_number_ends_the_cell(bad: float) -> None:
    envs = show(BOX, lambda step: np.zeros(2, np.float32), lambda step: bad if step == 4 else 1.0)
    with pytest.raises(SymbenchError, match=f"got a reward of {bad} at step 3 of the episode with seed 1"):
        play(envs, Scripted(zeros), [1, 2, 3])


def test_what_a_perturbation_makes_is_looked_at_too() -> None:
    """A standard deviation that float32 cannot hold."""
    noise, shown = Apply(wrapper="SensorNoise", sigma=1e39), r"was shown an observation with (nan|-?inf) at step 0"
    with np.errstate(all="ignore"), closing(make_envs("CartPole-v1", [noise], 2)) as envs:  # noqa: SIM117
        with pytest.raises(SymbenchError, match=shown):
            play(envs, Scripted(zeros), [1, 2])


def test_the_other_loops_that_play_look_too() -> None:
    def two(step: int, count: int) -> Any:
        return np.full(count, 2)

    envs = get_task("CartPole-v1").make_vec(3)
    with pytest.raises(SymbenchError, match="answered with 2 at step 0 of the episode with seed 11;"):
        _visited(envs, Scripted(two), 11)
    with closing(replay.Replay("CartPole-v1")) as alone:
        agent = Scripted(two)
        agent.reset()
        with pytest.raises(SymbenchError, match="answered with 2 at step 0 of the episode with seed 12"):
            list(replay.play(alone, agent, 12))


@pytest.mark.parametrize("task", [task for task in TASKS if bundled(task)])
def test_every_bundled_agent_acts_as_it_should(task: str) -> None:
    for source in resolve([], task):
        if source.run == 0:
            with closing(replay.Replay(task)) as alone:
                agent = load(source, alone.env.observation_space, alone.env.action_space)
                agent.reset()
                for moment in replay.play(alone, agent, 1, steps=8):
                    assert moment.action is not None or moment.step > 0  # the episode may end sooner
