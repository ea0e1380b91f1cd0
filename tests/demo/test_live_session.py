"""Two agents in one episode, and what one can do to them."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest

from symbench.demo.choices import choices_of
from symbench.demo.lane import Lane
from symbench.demo.messages import FASTEST, SLOWEST, read
from symbench.demo.session import Session
from symbench.demo.setting import Setting, setting_of
from symbench.errors import SymbenchError
from symbench.rollout import Callback, rollout
from symbench.runner.agents import load
from symbench.runner.pipeline import make_envs
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAIR = ("mlp", "attention-neuron")


@pytest.fixture(scope="module")
def setting() -> Setting:
    return setting_of("CartPoleSwingUp", PAIR)


@pytest.fixture
def session(setting: Setting) -> Iterator[Session]:
    with closing(Session(setting)) as found:
        yield found


def ask(session: Session, do: str, **more: Any) -> None:
    session.obey(read(json.dumps({"do": do, **more})))


def ticks(session: Session, count: int) -> None:
    for _ in range(count):
        session.tick()


def returns(session: Session) -> list[float]:
    return [lane.total for lane in session.lanes]


def test_shuffled_the_mlp_falls_and_the_attention_neuron_does_not(session: Session) -> None:
    after = []
    for seed in (0, 9, 10, 11, 16):  # in these both have swung up by then
        ask(session, "perturb", name="ShuffleSensors", severity=0)
        ask(session, "begin", seed=seed)
        ticks(session, 300)
        before = returns(session)
        assert min(before) > 200
        ask(session, "perturb", name="ShuffleSensors", severity=1)
        ticks(session, 200)
        after.append([now - then for now, then in zip(returns(session), before, strict=True)])
    mlp, attention_neuron = np.mean(after, axis=0)
    assert mlp < 130 and attention_neuron > 180, (mlp, attention_neuron)


@pytest.mark.parametrize("severity", [0, 1, 5])
def test_it_is_the_episode_of_a_run(session: Session, severity: int) -> None:
    ask(session, "perturb", name="ShuffleSensors", severity=severity)
    ask(session, "begin", seed=5)
    ticks(session, 60)
    paid = _Paid()
    apply = [step.apply for step in session.steps.values()]
    with closing(make_envs("CartPoleSwingUp", apply, 1)) as envs:
        source = session.setting.agents["attention-neuron"]
        agent = load(source, envs.single_observation_space, envs.single_action_space)
        rollout(envs, agent, [5], [paid], steps=60)
    assert session.lanes[1].total == sum(paid.rewards_of) and session.lanes[1].steps == len(paid.rewards_of)


class _Paid(Callback):
    def __init__(self) -> None:
        self.rewards_of: list[float] = []

    def rewards(self, rewards: Any, playing: Any) -> None:
        self.rewards_of.append(float(rewards[0]))


def test_both_are_shown_the_same_draws(setting: Setting) -> None:
    twice = Setting(setting.task, setting.agents, ("mlp", "mlp"), setting.choices, False)
    with closing(Session(twice)) as session:
        ask(session, "perturb", name="ShuffleSensors", severity=5)
        ask(session, "perturb", name="SensorNoise", severity=2)
        ticks(session, 40)
        ask(session, "redraw", name="ShuffleSensors")
        ticks(session, 40)
        left, right = session.lanes
        np.testing.assert_array_equal(left.replay.seen, right.replay.seen)
        assert left.total == right.total and left.steps == 80
        assert session.changes == [0, 0, 40]


def test_who_cannot_act_stands_still_says_why_and_goes_on_afterwards(session: Session) -> None:
    ticks(session, 10)
    ask(session, "perturb", name="AddNoiseChannels", severity=1)
    mlp, attention_neuron = session.lanes
    assert mlp.problem == "mlp reads 5 sensors in a fixed order, received 10" and not attention_neuron.problem
    ticks(session, 10)
    assert (mlp.steps, attention_neuron.steps) == (10, 20)
    ask(session, "perturb", name="AddNoiseChannels", severity=0)
    ticks(session, 10)
    assert (mlp.steps, attention_neuron.steps, mlp.problem) == (20, 30, "")
    assert not session.stuck


def test_where_nobody_can_act_nothing_goes_on(session: Session) -> None:
    ask(session, "choose", side=1, agent="mlp")
    ask(session, "perturb", name="AddNoiseChannels", severity=5)
    assert session.stuck and session.over
    seed = session.seed
    ask(session, "step")
    assert session.seed == seed


def test_a_redraw_of_a_seed_is_always_the_same(session: Session) -> None:
    def orders() -> list[list[int]]:
        ask(session, "begin", seed=9)
        found = []
        for _ in range(3):
            ask(session, "redraw", name="ShuffleSensors")
            origins = session.lanes[0].replay.origins
            assert origins is not None
            found.append(origins.index.tolist())
        return found

    ask(session, "perturb", name="ShuffleSensors", severity=1)
    first = orders()
    assert orders() == first and len({tuple(order) for order in first}) > 1


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"do": "perturb", "name": "ShufflePatches", "severity": 1}, "ShufflePatches does not fit this task: .*frames"),
        ({"do": "perturb", "name": "ShufleSensors", "severity": 1}, "did you mean 'ShuffleSensors'"),
        (
            {"do": "perturb", "name": "ShuffleSensors", "severity": 6},
            "severity of ShuffleSensors is 0 to 5, received 6",
        ),
        ({"do": "redraw", "name": "ShuffleSensors"}, "ShuffleSensors is not switched on"),
        ({"do": "choose", "side": 0, "agent": None}, "somebody must play on the left"),
        ({"do": "choose", "side": 0, "agent": "nobody-knows"}, "unknown agent 'nobody-knows'"),
    ],
)
def test_what_cannot_be_done_changes_nothing(session: Session, message: dict[str, Any], error: str) -> None:
    before = session.state()
    with pytest.raises(SymbenchError, match=error):
        ask(session, **message)
    after = session.state()
    for state in (before, after):
        for lane in state["lanes"]:
            lane.pop("numbers")  # what was seen since it was asked last
    assert after == before


@pytest.mark.parametrize(("asked", "speed"), [(1e300, FASTEST), (-5.0, SLOWEST), (2.0, 2.0)])
def test_a_huge_speed_is_the_most_there_is(session: Session, asked: float, speed: float) -> None:
    ask(session, "speed", times=asked)
    assert session.speed == speed == session.state()["speed"]


def test_noise_that_draws_at_every_step_cannot_be_drawn_again(session: Session) -> None:
    ask(session, "perturb", name="SensorNoise", severity=1)
    with pytest.raises(SymbenchError, match="SensorNoise draws nothing that lasts"):
        ask(session, "redraw", name="SensorNoise")


def test_the_right_side_may_be_empty(session: Session) -> None:
    ask(session, "choose", side=1, agent=None)
    ticks(session, 3)
    assert [lane["agent"] for lane in session.state()["lanes"]] == ["mlp"]
    ask(session, "choose", side=1, agent="random")
    assert [lane["agent"] for lane in session.state()["lanes"]] == ["mlp", "random"]
    assert [lane.steps for lane in session.lanes] == [0, 0], "both begin"


def test_an_agent_that_breaks_is_a_problem_of_its_own_lane(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks(session, 5)

    def broken() -> None:
        raise ZeroDivisionError("no luck\nat all")

    monkeypatch.setattr(session.lanes[0], "_moments", iter(broken, None))
    ticks(session, 5)
    assert [lane.problem for lane in session.lanes] == ["no luck at all", ""]
    assert [lane.steps for lane in session.lanes] == [5, 10]


def test_attention_is_shown_of_each_place_to_each_code_and_what_an_mlp_takes_it_for(session: Session) -> None:
    ask(session, "perturb", name="ShuffleSensors", severity=1)
    ticks(session, 2)
    mlp, attention_neuron = (lane["numbers"] for lane in session.state()["lanes"])
    names = ["x (m)", "v (m/s)", "cos(angle)", "sin(angle)", "spin (rad/s)"]
    assert sorted(mlp["names"]) == sorted(names) and mlp["names"] == attention_neuron["names"]
    assert [each["name"] for each in mlp["taken"]] == names and "attention" not in mlp
    assert [each["right"] for each in mlp["taken"]] == [a == b for a, b in zip(mlp["names"], names, strict=True)]
    assert np.shape(attention_neuron["attention"]) == (5, 24) and "taken" not in attention_neuron
    np.testing.assert_allclose(attention_neuron["rows"][-1], session.lanes[1].replay.seen, rtol=1e-3)


def test_frames_are_shown_with_what_is_looked_at() -> None:
    with closing(Session(setting_of("Pong", ["cnn", "vision-attention-neuron"]))) as session:
        ask(session, "perturb", name="ShufflePatches", severity=1)
        ticks(session, 2)
        cnn, attention = (lane["pictures"] for lane in session.state()["lanes"])
        assert [title for title, _ in cnn] == ["observation", "what the agent sees"]
        assert [title for title, _ in attention][1] == "what the agent sees, where it looks"
        assert all(address.startswith("data:image/png;base64,") for _, address in (*cnn, *attention))


class Numbers(gym.Env[Any, Any]):
    """Without a picture, and without the argument for one; breaks where it is told to."""

    observation_space, action_space = gym.spaces.Box(-1, 1, (3,)), gym.spaces.Discrete(2)
    breaks = ""

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if self.breaks == "reset":
            raise RuntimeError("no world")
        return np.zeros(3, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if self.breaks == "step":
            raise RuntimeError("the end of the world")
        return np.ones(3, np.float32), float("nan") if self.breaks == "reward" else 1.0, False, False, {}


@pytest.fixture
def numbers() -> Iterator[Session]:
    gym.register("Unseen-v0", entry_point=Numbers, max_episode_steps=20)
    try:
        with closing(Session(setting_of("Unseen-v0", ["random"]))) as found:
            yield found
    finally:
        gym.registry.pop("Unseen-v0")


def test_a_task_without_a_picture_says_so_and_still_shows_the_inputs(numbers: Session) -> None:
    assert not numbers.setting.renders and numbers.setting.playing == ("random", None)
    ticks(numbers, 25)
    (lane,) = numbers.state()["lanes"]
    assert lane["scene"] is None and lane["no_picture"] == "The simulator of this task draws no picture."
    assert lane["numbers"]["rows"][-1] == [1.0] * 3 and lane["over"] and lane["return"] == 20.0


@pytest.mark.parametrize(
    ("breaks", "problem"), [("reset", "no world"), ("step", "the end of the world"), ("reward", "got a reward of nan")]
)
def test_an_environment_that_breaks_is_told_until_another_episode_begins(
    numbers: Session, monkeypatch: pytest.MonkeyPatch, breaks: str, problem: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Numbers, "breaks", breaks)
        ask(numbers, "begin", seed=1)
        ticks(numbers, 18)
        (lane,) = numbers.lanes
        steps = lane.steps
        assert problem in lane.problem and numbers.stuck
        json.dumps(numbers.state(), allow_nan=False)  # NaN is none of JSON's numbers
        ask(numbers, "perturb", name="AddNoiseChannels", severity=1)
        ticks(numbers, 3)
        assert problem in lane.problem and lane.steps == steps
    ask(numbers, "begin", seed=1)
    ticks(numbers, 3)
    assert lane.steps == 3 and not lane.problem


def test_every_perturbation_is_offered_or_refused_with_a_reason() -> None:
    from symbench.wrappers.registry import PERTURBATIONS

    for task, fits, shuffle in (
        ("CartPoleSwingUp", {"ShuffleSensors", "AddNoiseChannels", "TransformByGroup"}, "ShuffleSensors"),
        ("GridWorld", {"ShufflePatches", "OccludePatches"}, "ShufflePatches"),  # 21 pixels: patches of 3
        ("Pursuit", {"ShuffleEntities", "DropEntities"}, "ShuffleEntities"),
    ):
        with closing(get_task(task).make()) as env:
            choices = choices_of(task, env)
        assert {*choices} == {*PERTURBATIONS}
        assert fits <= {name for name, choice in choices.items() if not choice.reason}
        assert next(iter(choices)) == shuffle
        for choice in choices.values():
            assert bool(choice.levels) != bool(choice.reason) and len(choice.labels) == len(choice.levels)
    assert "needs frames" in choices["ShufflePatches"].reason


@pytest.fixture(scope="module")
def bounded() -> Setting:
    """A task whose sensors have bounds, which differ, so that spaces change with their order."""
    return setting_of("CartPole-v1", ["random"])


def test_chosen_sensors_are_moved_and_killed_and_what_is_drawn_goes_on(bounded: Setting) -> None:
    with closing(Session(bounded)) as session:
        lane = session.lanes[0]
        ask(session, "perturb", name="ShuffleSensors", severity=5)
        every = session.steps["ShuffleSensors"].apply.parameters["resample"]
        lane.replay.env.env.unwrapped.theta_threshold_radians = lane.replay.env.env.unwrapped.x_threshold = np.inf
        ticks(session, 2 * every + 3)
        shuffled = lane.replay.origins.index.tolist()
        ask(session, "arrange", order=[3, 1, 2, 0])
        ask(session, "kill", sensor=2, dead=True)
        swapped = {0: 3, 3: 0}
        assert lane.replay.origins.index.tolist() == [swapped.get(sensor, sensor) for sensor in shuffled]
        for _ in range(every + 2):
            raw = np.where(np.arange(4) == 2, 0, lane.replay.original)
            np.testing.assert_array_equal(lane.replay.seen, raw[lane.replay.origins.index])
            session.tick()
        told = session.state()
        assert told["sensors"]["dead"] == [2] and told["sensors"]["order"] == [3, 1, 2, 0]
        assert told["pipeline"][:2] == ["KillSensors(sensors=[2])", "ArrangeSensors(order=[3, 1, 2, 0])"]
        ask(session, "begin", seed=7)
        assert session.state()["sensors"] == told["sensors"], "the next episode has them, too"


def test_no_order_and_no_sensor_are_refused_and_change_nothing(session: Session) -> None:
    ask(session, "kill", sensor=1, dead=True)
    before = session.state()["sensors"]
    for message, asked in (
        ("an order of 5 sensors", {"do": "arrange", "order": [0, 0, 1, 2, 3]}),
        ("an order of 5 sensors", {"do": "arrange", "order": [1, 0]}),
        ("there are 5 sensors", {"do": "kill", "sensor": 5, "dead": True}),
        ("there are 5 sensors", {"do": "kill", "sensor": -1, "dead": True}),
    ):
        with pytest.raises(SymbenchError, match=message):
            ask(session, **asked)  # type: ignore[arg-type]
    assert session.state()["sensors"] == before and before["dead"] == [1]


def test_an_episode_is_that_of_a_run_whatever_was_switched_on_before(bounded: Setting) -> None:
    seen = []
    for earlier in (False, True):
        with closing(Session(bounded)) as session:
            for severity in (1, 0) if earlier else ():
                ask(session, "perturb", name="ShuffleSensors", severity=severity)
                ask(
                    session, "perturb", name="SensorNoise", severity=1
                )  # bound to what is shuffled, then to what is not
            ask(session, "perturb", name="SensorNoise", severity=1)
            ask(session, "begin", seed=3)
            ticks(session, 2)
            seen.append(session.lanes[0].replay.seen)
    np.testing.assert_array_equal(*seen)


def test_frames_have_no_sensors_to_choose() -> None:
    with closing(Session(setting_of("Pong", ["random"]))) as session:
        assert session.state()["sensors"] is None
        with pytest.raises(SymbenchError, match="an order of 0 sensors"):
            ask(session, "arrange", order=[1, 0])


OWN = '''
import gymnasium as gym
from symbench.wrappers import Perturbation, ShuffleSensors

class Upside(Perturbation):
    """All is negative where it was positive."""
    def __init__(self, breaks=False): self.breaks = breaks
    @classmethod
    def severities(cls): return [{"breaks": False}, {"breaks": True}]
    def magnitude(self): return 1.0
    def perturbed_space(self, space): return space
    def apply(self, observations, drawn): return observations[99] if self.breaks else -observations
'''


def test_a_perturbation_of_ones_own_is_there_and_may_break(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> None:
    (tmp_path / "upside.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SymbenchError, match="add --trust"):
        setting_of("CartPoleSwingUp", PAIR, perturbations=["upside:Upside"])
    own = setting_of("CartPoleSwingUp", PAIR, True, ["upside:Upside"])
    assert own.choices["upside:Upside"].labels == ("breaks False", "breaks True")
    with closing(Session(own)) as session:
        ticks(session, 5)
        ask(session, "perturb", name="upside:Upside", severity=1)
        (mlp, _), seen = session.lanes, session.lanes[0].replay.seen.copy()
        np.testing.assert_array_equal(seen, -mlp.replay.original)
        with pytest.raises(SymbenchError, match=r"Upside.*: index 99 is out of bounds"):
            ask(session, "perturb", name="upside:Upside", severity=2)
        np.testing.assert_array_equal(mlp.replay.seen, seen)
        ticks(session, 5)
        assert [lane.steps for lane in session.lanes] == [10, 10]
        assert session.state()["severities"] == {"upside:Upside": 1}


def test_the_picture_of_a_simulator_that_breaks_is_told_once(setting: Setting) -> None:
    with closing(Lane("CartPoleSwingUp", setting.agents["mlp"], render=True)) as lane:
        lane.begin(0, [])
        lane.replay.picture = lambda: 1 / 0  # type: ignore[method-assign,assignment,return-value]
        assert lane.picture() is None and lane.no_picture == "No picture: division by zero"
