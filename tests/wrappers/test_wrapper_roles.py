"""Observations with parts: entries of a Dict, rows of entities, frames that are stacked or channels first."""

from __future__ import annotations

from functools import partial

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from stable_baselines3 import DQN, PPO, HerReplayBuffer
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecTransposeImage
from wrapper_cases import Frames

from symbench import wrappers
from symbench.errors import SymbenchError
from symbench.observations import FrameLayout, ObservationSpec
from symbench.testing import check_wrapper
from symbench.testing.rollouts import play, same
from symbench.wrappers import PERTURBATIONS, DropSensors, ShuffleSensors, wrapper_of

SENSORS = ("ShuffleSensors", "AddNoiseChannels", "DuplicateSensors", "DropSensors", "SensorNoise")
OF_FRAMES = ("ShufflePatches", "OccludePatches", "SwapBackground")


class Samples(gym.Env):
    """Samples of a space, in episodes of six steps."""

    action_space = spaces.Discrete(2)

    def __init__(self, space):
        self.observation_space = space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.left = 6
        return self.observation_space.sample(), {}

    def step(self, action):
        self.left -= 1
        return self.observation_space.sample(), 1.0, self.left == 0, False, {}


def entry(space, key):
    """The environment that shows one entry of the samples of a Dict only."""
    return gym.wrappers.TransformObservation(Samples(space), lambda seen: seen[key], space[key])


def box(*shape, dtype=np.float32):
    return spaces.Box(-1, 1, shape, dtype)


def film(*shape):
    return spaces.Box(0, 255, shape, np.uint8)


def goal(size=5):
    return lambda: spaces.Dict(observation=box(size), achieved_goal=box(2), desired_goal=box(2))


MIXED = partial(spaces.Dict, camera=film(36, 36, 3), speed=box(4), gear=spaces.Discrete(3))


# Entries of a Dict


@pytest.mark.parametrize("name", [*SENSORS, *OF_FRAMES])
def test_the_only_fitting_entry_is_changed_and_others_pass_through(name):
    key = "camera" if name in OF_FRAMES else "speed"
    env, alone, bare = wrapper_of(name)(Samples(MIXED())), wrapper_of(name)(entry(MIXED(), key)), Samples(MIXED())
    assert env.observation_space[key] == alone.observation_space
    assert env.spec is None and env.transform.key is None
    for seen, part, plain in zip(*(play(each, lengths=(6, 6)) for each in (env, alone, bare)), strict=True):
        assert env.observation_space.contains(seen.observation) and same(seen.observation[key], part.observation)
        rest = {other: value for other, value in plain.observation.items() if other != key}
        assert all(same(seen.observation[other], value) for other, value in rest.items())


@pytest.mark.parametrize("name", ["ShuffleSensors", "SensorNoise", "DropSensors"])
def test_every_promise_holds_for_an_entry(name):
    check_wrapper(wrapper_of(name), lambda: Samples(goal()()), key="observation")


def test_where_several_entries_fit_one_must_be_named():
    with pytest.raises(SymbenchError, match=r"say which, key='observation' or key='achieved_goal' or"):
        ShuffleSensors(Samples(goal()()))
    with pytest.raises(SymbenchError, match=r"unknown key 'observations' of the observation; did you mean"):
        ShuffleSensors(Samples(goal()()), key="observations")
    with pytest.raises(SymbenchError, match=r"ShuffleSensors needs sensors.* received Discrete"):
        ShuffleSensors(Samples(MIXED()), key="gear")
    with pytest.raises(SymbenchError, match="needs Dict observations to have a key 'speed', received Box"):
        ShuffleSensors(Samples(box(3)), key="speed")
    with pytest.raises(TypeError, match="key must be the name of an entry, received 3"):
        ShuffleSensors(Samples(MIXED()), key=3)


@pytest.mark.parametrize("name", [*SENSORS, *OF_FRAMES])
@pytest.mark.parametrize(
    "space",
    [
        spaces.Tuple([box(3), film(12, 12)]),
        spaces.Dict(a=spaces.Dict(b=box(3), c=film(12, 12))),
        spaces.Dict(a=spaces.Tuple([box(3), film(12, 12)])),
    ],
    ids=["tuple", "dict in dict", "tuple in dict"],
)
def test_nested_observations_are_refused_in_one_line(name, space):
    with pytest.raises(SymbenchError, match=f"^{name} needs [^\n]* received [^\n]*$"):
        wrapper_of(name)(Samples(space))


def test_the_key_is_recorded_only_where_it_was_given():
    assert PERTURBATIONS["ShuffleSensors"].make(key="a").parameters() == {"resample": "episode", "key": "a"}
    assert PERTURBATIONS["ShuffleSensors"].make(severity=0, key="a").parameters() == {"severity": 0, "key": "a"}
    assert PERTURBATIONS["ShuffleSensors"].make().parameters() == {"resample": "episode"}
    assert "key" not in PERTURBATIONS["TransformByGroup"].signature().parameters


class Reach(gym.Env):
    """Goals as in gymnasium-robotics: walk to a place on a line."""

    observation_space = goal(3)()
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.goal, self.left = np.zeros(2), self.np_random.uniform(-1, 1, 2), 8
        return self._seen(), {}

    def step(self, action):
        self.at, self.left = np.clip(self.at + 0.2 * (2 * action - 1), -1, 1), self.left - 1
        reward = self.compute_reward(self.at, self.goal, {})
        return self._seen(), float(reward), False, self.left == 0, {}

    def compute_reward(self, achieved, desired, info):
        return -np.linalg.norm(achieved - desired, axis=-1)

    def _seen(self):
        seen = {"observation": [*self.at, 1.0], "achieved_goal": self.at, "desired_goal": self.goal}
        return {key: np.array(value, np.float32) for key, value in seen.items()}


def test_hindsight_replay_works_on_a_perturbed_entry():
    env = DropSensors(Reach(), key="observation", ratio=0.5)
    model = DQN(
        "MultiInputPolicy", env, replay_buffer_class=HerReplayBuffer, learning_starts=20, buffer_size=200, device="cpu"
    )
    assert model.learn(60).num_timesteps >= 60
    seen, _ = env.reset(seed=0)
    assert same(seen["desired_goal"], Reach().reset(seed=0)[0]["desired_goal"])


def test_dict_policies_work_in_all_kinds_of_wrappers():
    venv = wrappers.sb3.SensorNoise(DummyVecEnv([lambda: Samples(MIXED())] * 2), sigma=0.3)
    PPO("MultiInputPolicy", venv, n_steps=8, batch_size=8, n_epochs=1, device="cpu").learn(16)
    envs = wrappers.vector.OccludePatches(SyncVectorEnv([lambda: Samples(MIXED())] * 2), ratio=0.5)
    assert envs.observation_space.contains(envs.reset(seed=0)[0])
    with pytest.raises(SymbenchError, match="OccludePatches makes a Dict of plain frames, not of those that are"):
        wrapper_of("OccludePatches")(Samples(MIXED()), patch_mask=True)


# Entities


@pytest.mark.parametrize("name", SENSORS)
def test_every_promise_holds_for_rows(name):
    check_wrapper(wrapper_of(name), lambda: Samples(box(5, 3)))


def rows(seen):
    return sorted(map(tuple, seen.tolist()))


def moments(name, space=None, **parameters):
    env = wrapper_of(name)(Samples(space or box(5, 3)), **parameters)
    seen, plain = play(env, lengths=(6, 6)), play(Samples(space or box(5, 3)), lengths=(6, 6))
    assert all(env.observation_space.contains(moment.observation) for moment in seen)
    return [(before.observation, after.observation) for before, after in zip(plain, seen, strict=True)]


def test_rows_are_shuffled_as_rows():
    pairs = moments("ShuffleSensors")
    assert all(rows(before) == rows(after) for before, after in pairs)
    assert any(not same(before, after) for before, after in pairs)
    space = spaces.Box(np.float32([[0, -9], [1, -8]]), np.float32([[2, 5], [3, 6]]))
    shown = ShuffleSensors(Samples(space)).observation_space
    assert shown.low.tolist() == [[0, -9]] * 2 and shown.high.tolist() == [[3, 6]] * 2


def test_rows_are_dropped_repeated_and_added_as_rows():
    for before, after in moments("DropSensors", ratio=0.4):
        dead = ~after.any(axis=1)
        assert dead.sum() == 2 and same(after[~dead], before[~dead])
    assert all(same(after, np.tile(before, (3, 1))) for before, after in moments("DuplicateSensors", copies=2))
    for before, after in moments("AddNoiseChannels", n=2, sigma=9.0):
        assert after.shape == (7, 3) and same(after[:5], before) and after[5:].any()


def test_rows_are_noised_by_feature():
    noise = np.concatenate([after - before for before, after in moments("SensorNoise", sigma=1.0, scale=[0, 1, 10])])
    assert not noise[:, 0].any() and 0.5 < noise[:, 1].std() < 2 and 5 < noise[:, 2].std() < 20
    with pytest.raises(SymbenchError, match=r"scale must hold one number for each of 3 features, received .1.0, 2.0."):
        wrapper_of("SensorNoise")(Samples(box(5, 3)), scale=[1, 2])


# Frames


LAYOUTS = {
    "channels first": (film(3, 12, 18), lambda one: one.transpose(2, 0, 1)),
    "stack of channels last": (film(4, 12, 18, 3), lambda one: np.stack([one] * 4)),
    "stack of channels first": (film(4, 3, 12, 18), lambda one: np.stack([one.transpose(2, 0, 1)] * 4)),
}
GREY = {
    "stack": (film(4, 12, 18), lambda one: np.stack([one] * 4)),
    "stack last": (film(12, 18, 5), lambda one: np.stack([one] * 5, axis=-1)),
    "one channel first": (film(1, 12, 18), lambda one: one[None]),
}
CASES = [(layout, (12, 18, 3)) for layout in LAYOUTS] + [(layout, (12, 18)) for layout in GREY]


@pytest.mark.parametrize("name", OF_FRAMES)
@pytest.mark.parametrize(("layout", "shape"), CASES, ids=[layout for layout, _ in CASES])
def test_frames_of_every_layout_are_changed_as_plain_ones(name, layout, shape):
    """Of a stack of one frame again and again, every one looks as the plain frame does."""
    space, arranged = {**LAYOUTS, **GREY}[layout]
    parameters = {"background": "moving"} if name == "SwapBackground" else {"patch_size": 3, "resample": 2}
    plain = wrapper_of(name)(Frames(shape), **parameters)
    env = wrapper_of(name)(gym.wrappers.TransformObservation(Frames(shape), arranged, space), **parameters)
    assert env.observation_space.shape == space.shape
    for one, other in zip(play(plain), play(env), strict=True):
        assert same(arranged(one.observation), other.observation)
        assert env.observation_space.contains(other.observation) and other.observation.flags.c_contiguous


@pytest.mark.parametrize("name", OF_FRAMES)
def test_every_promise_holds_for_a_stack(name):
    check_wrapper(wrapper_of(name), lambda: gym.wrappers.FrameStackObservation(Frames((12, 12, 3)), 4))


def test_the_colours_tell_a_stack_of_three_grey_frames_from_a_picture():
    space = film(3, 6, 6)
    assert FrameLayout.of(space).stack == 1 and FrameLayout.of(space, channels=1).stack == 3
    assert FrameLayout.of(film(4, 6, 6)).stack == 4 and FrameLayout.of(film(4, 6, 6), channels=4).stack == 1
    black = np.zeros((3, 6, 6), np.uint8)
    black[1] = 9
    env = gym.wrappers.TransformObservation(Samples(space), lambda _: black, space)
    unchanged = wrapper_of("SwapBackground")(env, background="noise")  # no pixel is black in all colours
    assert same(unchanged.reset(seed=0)[0], black)
    seen, _ = wrapper_of("SwapBackground")(env, background="noise", colors=[[0]]).reset(seed=0)
    assert same(seen[1], black[1]) and seen[0].any() and same(seen[0], seen[2])


def test_ale_vector_environments_are_perturbed():
    ale = pytest.importorskip("ale_py", reason="ale-py is not installed")
    made = partial(ale.vector_env.AtariVectorEnv, "pong", num_envs=2)
    bare, envs = made(), wrappers.vector.ShufflePatches(made(), patch_size=42)
    assert envs.observation_space.shape == (2, 4, 84, 84)
    plain, seen = bare.reset(seed=0)[0], envs.reset(seed=0)[0]
    for _ in range(6):
        plain, seen = (each.step(np.zeros(2, np.int64))[0] for each in (bare, envs))
    assert envs.observation_space.contains(seen) and not same(plain, seen)
    for before, after in zip(plain, seen, strict=True):
        tiles, shuffled = (
            [stack[:, i : i + 42, j : j + 42] for i in (0, 42) for j in (0, 42)] for stack in (before, after)
        )
        assert all(any(same(tile, other) for other in shuffled) for tile in tiles)  # whole columns of the stack
    for each in (bare, envs):
        each.close()


def test_sb3_stacks_and_transposes_are_perturbed():
    inside = DummyVecEnv([lambda: Frames((12, 12, 3))] * 2)
    venv = wrappers.sb3.ShufflePatches(VecFrameStack(VecTransposeImage(inside), 2, "first"), patch_size=3)
    assert venv.reset().shape == (2, 6, 12, 12)
    plain = wrappers.sb3.ShufflePatches(DummyVecEnv([lambda: Frames((12, 12, 3))] * 2), patch_size=3)
    for each in (venv, plain):
        each.seed(0)
    assert same(venv.reset()[:, 3:], plain.reset().transpose(0, 3, 1, 2))


# Roles


def test_roles_follow_from_names_and_spaces_or_are_declared():
    space = spaces.Dict(
        a=box(4),
        b=film(6, 6),
        c=box(5, 3),
        positions=box(5, 3),
        velocities=box(5, 2),
        action_mask=spaces.MultiBinary(3),
    )
    roles = ObservationSpec.of(space).roles
    named = {"positions": "positions", "velocities": "velocities", "action_mask": "action_mask"}
    assert roles == {"a": "sensors", "b": "frame", "c": "entities", **named}
    declared = ObservationSpec.of(space, {"c": "positions", "a": "edges"})
    assert declared.roles["c"] == "positions" and declared.having(["positions"]) == ["c", "positions"]
    assert ObservationSpec.of(box(4)).roles == {None: "sensors"}
    assert ObservationSpec.of(spaces.Discrete(3)).roles == {None: None}
    with pytest.raises(SymbenchError, match="unknown key 'd' of the observation"):
        ObservationSpec.of(space, {"d": "sensors"})


# Delay


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_observations_come_late_and_the_first_is_repeated(steps):
    plain, late = (play(env, lengths=(6, 6)) for env in (Samples(box(3)), late_env(box(3), steps)))
    for first in (0, 7):  # where the episodes begin
        for step in range(7):
            assert same(late[first + step].observation, plain[first + max(step - steps, 0)].observation)
            assert late[first + step].reward == plain[first + step].reward


def late_env(space, steps):
    return wrapper_of("DelayObservations")(Samples(space), steps=steps)


def test_masks_of_actions_come_in_time():
    space = partial(spaces.Dict, seen=film(6, 6), part=spaces.Tuple([box(2)]), action_mask=spaces.MultiBinary(3))
    plain, late = (play(env, lengths=(6,)) for env in (Samples(space()), late_env(space(), 2)))
    for step in range(2, 7):
        assert same(late[step].observation["action_mask"], plain[step].observation["action_mask"])
        assert same(late[step].observation["seen"], plain[step - 2].observation["seen"])
        assert same(late[step].observation["part"], plain[step - 2].observation["part"])
    with pytest.raises(SymbenchError, match="DelayObservations needs observations of a fixed shape, received Text"):
        late_env(spaces.Text(5), 1)
