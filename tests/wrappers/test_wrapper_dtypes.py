"""What comes out has the dtype that is declared; what comes in is converted if nothing is lost, and refused if not."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from stable_baselines3.common.vec_env import DummyVecEnv
from wrapper_cases import NEEDED

from symbench.envs.idle import IdleVectorEnv
from symbench.errors import SymbenchError
from symbench.testing.rollouts import same
from symbench.trees import declared
from symbench.wrappers import (
    TRANSFORMS,
    AddNoiseChannels,
    PreviousAction,
    SensorNoise,
    ShufflePatches,
    ShuffleSensors,
    sb3,
    vector,
    wrapper_of,
)

FRAMES = ("ShufflePatches", "OccludePatches", "SwapBackground", "FrameHistory")
DTYPES = [
    np.dtype(name)
    for name in ["bool", "uint8", "int8", "uint16", "int32", "uint64", "int64", "float16", "float32", "float64"]
]


class Values(gym.Env):
    """Shows samples of a space in a dtype of its own choice."""

    action_space = spaces.Discrete(2)

    def __init__(self, space, returned=None, values=None):
        self.observation_space, self.returned, self.values = space, np.dtype(returned or space.dtype), values

    def _observation(self):
        value = self.observation_space.sample() if self.values is None else np.array(self.values)
        return value.astype(self.returned)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        return self._observation(), {}

    def step(self, action):
        return self._observation(), 0.0, False, False, {}


def bounds(dtype):
    """The bounds of sensors, or all that the dtype can hold."""
    ends = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (0, 1)
    if dtype.kind == "f":
        return [(-3, 7), (-np.inf, np.inf), (0, min(float(np.finfo(dtype).max), 3e38))]
    return [(0, 1), tuple(int(end) for end in ends)]


def leaves(seen):
    return list(seen.items()) if isinstance(seen, dict) else [(None, seen)]


def space_of(env, key):
    return env.observation_space if key is None else env.observation_space[key]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_wrapper_stays_in_its_own_space_and_dtype_or_refuses(name, dtype):
    for low, high in bounds(dtype):
        space = spaces.Box(low, high, (12, 12, 3) if name in FRAMES else (4,), dtype)
        try:
            env = wrapper_of(name)(Values(space), **NEEDED.get(name, {}))
        except SymbenchError:
            continue
        seen = [env.reset(seed=seed)[0] for seed in range(8)] + [env.step(0)[0] for _ in range(8)]
        for observation in seen:
            assert env.observation_space.contains(observation)
            assert all(value.dtype == space_of(env, key).dtype for key, value in leaves(observation))


WIDER = {"uint8": "int64", "int8": "float32", "bool": "int32", "float16": "float32", "float32": "float64"}
NARROWER = {"int64": "int8", "float64": "float32"}


@pytest.mark.parametrize(("honest", "returned"), [*WIDER.items(), *NARROWER.items()])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_another_dtype_with_the_same_values_makes_no_difference(name, honest, returned):
    space = spaces.Box(0, 1, (12, 12, 3) if name in FRAMES else (4,), np.dtype(honest))
    exact = [space.sample().astype(returned).astype(honest)][0]
    try:
        expected = wrapper_of(name)(Values(space, values=exact), **NEEDED.get(name, {}))
    except SymbenchError:
        return
    found = wrapper_of(name)(Values(space, returned, exact), **NEEDED.get(name, {}))
    for seed in range(3):
        assert same(expected.reset(seed=seed)[0], found.reset(seed=seed)[0])
        assert same([expected.step(0)[0] for _ in range(3)], [found.step(0)[0] for _ in range(3)])


def test_pixels_of_another_dtype_are_not_cut_into_bytes():
    """200 was shown as {0, 200}."""
    space = spaces.Box(0, 255, (12, 12, 3), np.uint8)
    seen = ShufflePatches(Values(space, np.int64, np.full((12, 12, 3), 200))).reset(seed=0)[0]
    assert seen.dtype == np.uint8 and set(seen.ravel().tolist()) == {200}


LOSSY = [
    ("uint8", "int64", 300),
    ("uint8", "int64", -1),
    ("uint64", "int64", -1),
    ("uint8", "float32", 0.5),
    ("int32", "float64", np.nan),
    ("float32", "float64", 1e300),
    ("float64", "int64", 2**53 + 1),
    ("bool", "int64", 2),
]


@pytest.mark.parametrize(("promised", "returned", "value"), LOSSY)
def test_values_that_the_declared_dtype_cannot_hold_are_refused(promised, returned, value):
    space = spaces.Box(*bounds(np.dtype(promised))[1], (4,), np.dtype(promised))
    for wrapper in (ShuffleSensors, PreviousAction):
        env = wrapper(Values(space, returned, [0, 1, value, 0]))
        with pytest.raises(SymbenchError, match=f"of dtype {promised} and returned {returned} with ") as error:
            env.reset(seed=0)
        assert f"with {value!r}, which {promised} cannot hold" in str(error.value) and "\n" not in str(error.value)


def test_floating_point_is_rounded_as_gymnasiums_vector_environments_do():
    """An environment that declares float32 and computes in float64 is common."""
    space = spaces.Box(-1, 1, (4,), np.float32)
    for wrapper in (ShuffleSensors, PreviousAction):
        seen = wrapper(Values(space, np.float64, [0.1, 0.1, 0.1, 0.1])).reset(seed=0)[0]
        seen = seen["observation"] if isinstance(seen, dict) else seen
        assert seen.dtype == np.float32 and (seen == np.float32(0.1)).all()


BYTES = spaces.Box(0, 255, (4,), np.uint8)


class Later(Values):
    """Three steps of bytes in int64, of which the first, the second or the last observation is none."""

    def __init__(self, when):
        self.observation_space, self.when, self.steps = BYTES, when, 0

    def _seen(self):
        return np.full(4, 300 if self.steps == self.when else 3)

    def reset(self, *, seed=None, options=None):
        seen = self._seen()
        self.steps = 0
        return (np.full(4, 3) if self.when else seen), {}

    def step(self, action):
        self.steps += 1
        return self._seen(), 0.0, self.steps == 3, False, {}


class Native(gym.vector.VectorEnv):
    """A vector environment that does not convert what its environment returns."""

    num_envs, metadata = 1, {"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP}
    single_observation_space, single_action_space = BYTES, Values.action_space
    observation_space = gym.vector.utils.batch_space(BYTES, 1)
    action_space = gym.vector.utils.batch_space(Values.action_space, 1)

    def __init__(self, when):
        self.inner = Later(when)

    def reset(self, *, seed=None, options=None):
        return self.inner.reset()[0][None], {}

    def step(self, actions):
        seen, _, over, *_ = self.inner.step(0)
        infos = {"final_obs": np.array([None], object)} if over else {}
        if over:
            infos["final_obs"][0], (seen, _) = seen, self.inner.reset()
        return seen[None], np.zeros(1), np.array([over]), np.array([False]), infos


class NativeSB3(DummyVecEnv):
    """A VecEnv that does not convert, as SubprocVecEnv does not."""

    def _save_obs(self, env_idx, obs):
        self.latest = obs

    def _obs_from_buf(self):
        return np.array(self.latest)[None]


KINDS = {
    "single": lambda when: ShuffleSensors(Later(when)),
    "vector": lambda when: vector.ShuffleSensors(Native(when)),
    "sb3": lambda when: sb3.ShuffleSensors(NativeSB3([lambda: Later(when)])),
    "idle": lambda when: IdleVectorEnv([lambda: Later(when)]),
}


@pytest.mark.parametrize("when", [0, 1, 3], ids=["first", "second", "last"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_wrapper_looks_at_every_observation(kind, when):
    env, action = KINDS[kind](when), 0 if kind == "single" else np.zeros(1, np.int64)
    with pytest.raises(SymbenchError, match="dtype uint8 and returned int64 with 300"):
        env.reset()
        for _ in range(3):
            env.step(action)


def test_nested_observations_are_looked_at_in_every_part():
    class Nested(Values):
        def __init__(self, value):
            inner = spaces.Tuple([spaces.Discrete(9), spaces.Dict(b=spaces.Box(0, 9, (2,), np.int8))])
            self.observation_space, self.value = spaces.Dict(a=inner, t=spaces.Text(5)), value

        def _observation(self):
            return {"a": (np.int32(4), {"b": self.value}), "t": "hello"}

    env = PreviousAction(Nested(np.array([1, 2])))
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen) and seen["a"][1]["b"].dtype == np.int8 and seen["t"] == "hello"
    with pytest.raises(SymbenchError, match="dtype int8 and returned int64 with 300"):
        PreviousAction(Nested(np.array([1, 300]))).reset(seed=0)


def test_pythons_own_numbers_have_the_declared_precision():
    class Plain(Values):
        def _observation(self):
            return [0.1, 0.2, 0.3, 1]

    seen = ShuffleSensors(Plain(spaces.Box(0, 1, (4,), np.float32))).reset(seed=0)[0]
    assert seen.dtype == np.float32 and sorted(seen.tolist()) == np.float32([0.1, 0.2, 0.3, 1]).tolist()


def test_another_shape_than_declared_is_refused():
    """Four of six sensors were shown."""
    env = ShuffleSensors(Values(spaces.Box(0, 1, (4,), np.float32), values=np.zeros(6)))
    with pytest.raises(SymbenchError, match=r"declares observations of shape \(4,\) and returned \(6,\)"):
        env.reset(seed=0)


@given(data=st.data(), promised=st.sampled_from(DTYPES), returned=st.sampled_from(DTYPES))
def test_a_conversion_changes_no_value_or_is_refused(data, promised, returned):
    values = data.draw(arrays.arrays(returned, (1, 3)))
    space = spaces.Box(*bounds(promised)[1], (3,), promised)
    exact = [converts(value, promised) for value in values[0]]
    if all(exact):
        kept = declared(space, values)
        assert kept.dtype == promised
        with np.errstate(all="ignore"):
            expected = values[0].astype(promised) if returned.kind == promised.kind == "f" else values[0]
        assert [same_number(a, b) for a, b in zip(kept[0], expected, strict=True)] == [True] * 3
    else:
        with pytest.raises(SymbenchError, match=f"dtype {promised} and returned {returned}"):
            declared(space, values)


def same_number(a, b):
    """In Python's numbers, which are exact when whole numbers and floats are compared."""
    a, b = a.item(), b.item()
    return a == b or (a != a and b != b)


def converts(value, dtype):
    number = value.item()
    if dtype.kind == "b":
        return number in (0, 1)
    if dtype.kind in "iu":
        whole = number == number and abs(number) != np.inf and number == int(number)
        return whole and np.iinfo(dtype).min <= number <= np.iinfo(dtype).max
    with np.errstate(all="ignore"):
        if value.dtype.kind == "f":  # rounded; only what would become infinite is lost
            return bool(np.isfinite(value.astype(dtype)) or not np.isfinite(value))
        return same_number(value.astype(dtype), value)


@pytest.mark.parametrize("wrapper", [SensorNoise, AddNoiseChannels])
def test_noise_on_double_precision_has_sigma_in_double_precision(wrapper):
    space = spaces.Box(-1, 1, (4,), np.float64)
    tenth, whole = (wrapper(Values(space, values=np.zeros(4)), sigma=sigma).reset(seed=0)[0] for sigma in (0.1, 1.0))
    assert np.array_equal(tenth, 0.1 * whole) and tenth.any()


@pytest.mark.parametrize("wrapper", [SensorNoise, AddNoiseChannels])
def test_noise_on_half_precision_is_noise_of_that_size(wrapper):
    env = wrapper(Values(spaces.Box(-1, 1, (4,), np.float16), values=np.zeros(4)), sigma=0.5)
    noise = [env.reset(seed=0)[0], *(env.step(0)[0] for _ in range(500))]
    assert np.std(np.float64(noise)[:, -4:]) == pytest.approx(0.5, rel=0.1)
    huge = wrapper(Values(spaces.Box(-6e3, 6e3, (4,), np.float16), values=np.zeros(4)), sigma=1.0)
    assert not np.isnan(np.concatenate([huge.reset(seed=seed)[0] for seed in range(50)])).any()


def test_a_vector_environment_of_half_precision_shows_what_single_ones_show():
    make = lambda: Values(spaces.Box(-1, 1, (4,), np.float16))  # noqa: E731
    together = vector.SensorNoise(SyncVectorEnv([make])).reset(seed=3)[0]
    assert together.dtype == np.float16 and same(together[0], SensorNoise(make()).reset(seed=3)[0])
