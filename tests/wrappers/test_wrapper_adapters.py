"""The wrappers where users put them: Gymnasium, vector environments, SB3, rl_zoo3 files, specs, documentation."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from wrapper_cases import SENSOR_ENVS, Frames

import symbench.envs
import symbench.testing
from symbench import wrappers
from symbench.errors import SymbenchError
from symbench.testing.rollouts import play, same
from symbench.wrappers import AddNoiseChannels, SensorHistory, ShufflePatches, ShuffleSensors, sb3, vector

DOCUMENT = Path(__file__).parents[2] / "docs" / "wrappers.md"
SWINGUP = "symbench/CartPoleSwingUp-v0"


def test_wrappers_import_neither_torch_nor_sb3():
    code = "import sys, symbench.wrappers; print(*{'torch', 'stable_baselines3', 'pandas', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("name", ["ShuffleSensors", "AddNoiseChannels", "SensorHistory"])
def test_a_native_vector_environment_shows_what_single_environments_show(name, mode):
    options = {"max_episode_steps": 9}
    native = gym.make_vec(SWINGUP, 4, vectorization_mode="vector_entry_point", autoreset_mode=mode, **options)
    at_once = wrappers.vector_wrapper_of(name)(native)
    makers = [lambda: wrappers.wrapper_of(name)(gym.make(SWINGUP, **options))] * 4
    one_by_one = gym.vector.SyncVectorEnv(makers, autoreset_mode=mode)
    actions = np.random.default_rng(0).uniform(-1, 1, (25, 4, 1)).astype(np.float32)
    assert same(at_once.reset(seed=5)[0], one_by_one.reset(seed=5)[0])
    for action in actions:
        (one, *_, info), (other, _, terminated, truncated, other_info) = at_once.step(action), one_by_one.step(action)
        ended = terminated | truncated
        assert same(one, other)
        if mode == AutoresetMode.SAME_STEP:
            assert all(same(info["final_obs"][i], other_info["final_obs"][i]) for i in np.flatnonzero(ended))
        if mode == AutoresetMode.DISABLED and ended.any():
            assert same(*(envs.reset(options={"reset_mask": ended})[0] for envs in (at_once, one_by_one)))


def test_a_reset_mask_reaches_the_environment_and_other_options_too():
    class Options(gym.Wrapper):
        received = None

        def reset(self, *, seed=None, options=None):
            self.received = options
            return self.env.reset(seed=seed, options=options)

    inner = [Options(make()) for make in SENSOR_ENVS[:1] * 2]
    envs = vector.ShuffleSensors(gym.vector.SyncVectorEnv([lambda: inner[0], lambda: inner[1]]))
    envs.reset(seed=0)
    envs.reset(options={"reset_mask": np.array([False, True]), "low": -0.01})
    assert inner[0].received is None and inner[1].received == {"low": -0.01}


def test_a_vector_environment_without_a_declared_mode_is_taken_as_next_step():
    envs = gym.make_vec("CartPole-v1", 2, vectorization_mode="sync")
    envs.metadata = {}
    assert vector.ShuffleSensors(envs).reset(seed=0)[0].shape == (2, 4)


def test_severity_zero_shows_equal_observations_in_the_same_space():
    env = gym.make("CartPole-v1")
    wrapped = ShuffleSensors(env, severity=0)
    assert wrapped.observation_space is env.observation_space
    given = env.reset(seed=0)
    env.reset = lambda **_: given
    assert same(wrapped.reset()[0], given[0]) and wrapped.reset()[0] is not given[0]


@pytest.mark.parametrize("severity", [0, 3, 5])
def test_a_spec_keeps_explicit_parameters_so_that_later_tables_cannot_change_it(severity):
    env = AddNoiseChannels(ShuffleSensors(gym.make("CartPole-v1"), severity=severity), n=2)
    inner, outer = env.spec.additional_wrappers
    assert inner.kwargs == ({"resample": {3: 100, 5: 25}[severity]} if severity else {"severity": 0})
    assert outer.kwargs == {"n": 2, "sigma": 0.1, "vary": False}
    rebuilt = gym.make(EnvSpec.from_json(json.dumps(json.loads(env.spec.to_json()))))
    assert same(play(env), play(rebuilt))


def test_a_task_can_be_registered_with_wrappers():
    spec = gym.spec("CartPole-v1")
    gym.register(
        "symbench-tests/ShuffledCartPole-v0",
        entry_point=spec.entry_point,
        additional_wrappers=(AddNoiseChannels.wrapper_spec(n=3), ShuffleSensors.wrapper_spec()),
    )
    by_id = gym.make_vec("symbench-tests/ShuffledCartPole-v0", 2, vectorization_mode="sync")
    by_hand = gym.make_vec(
        "CartPole-v1",
        2,
        vectorization_mode="sync",
        wrappers=(lambda env: AddNoiseChannels(env, n=3), ShuffleSensors),
    )
    assert np.array_equal(by_id.reset(seed=0)[0], by_hand.reset(seed=0)[0])


def test_wrappers_need_an_environment_of_their_kind():
    with pytest.raises(TypeError, match="VecEnv, received <class 'str'>"):
        sb3.ShuffleSensors("CartPole-v1")
    with pytest.raises(TypeError, match="VectorEnv"):
        vector.ShuffleSensors(gym.make("CartPole-v1"))
    with pytest.raises(TypeError, match="Env"):
        ShuffleSensors("CartPole-v1")


def test_unknown_wrappers_are_answered_with_near_matches():
    for find in (wrappers.wrapper_of, wrappers.vector_wrapper_of):
        with pytest.raises(SymbenchError, match="unknown wrapper 'ShuffleSensor'; did you mean 'ShuffleSensors'"):
            find("ShuffleSensor")


RL_ZOO3 = """
CartPole-v1:
  env_wrapper:
    - symbench.wrappers.AddNoiseChannels:
        n: 5
        sigma: 0.1
    - symbench.wrappers.ShuffleSensors:
        resample: "every: 100"
    - symbench.wrappers.SensorHistory:
        length: 4
  vec_env_wrapper:
    - symbench.wrappers.sb3.DropSensors:
        ratio: 0.2
"""


def build(entries, env):
    """Apply an rl_zoo3 list: dotted paths with keyword arguments, the first innermost."""
    for entry in entries:
        (path, parameters), *_ = entry.items()
        module, name = path.rsplit(".", 1)
        env = getattr(importlib.import_module(module), name)(env, **parameters)
    return env


def test_an_rl_zoo3_file_builds_the_wrappers():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    from stable_baselines3.common.vec_env import DummyVecEnv

    parsed = yaml.safe_load(RL_ZOO3)["CartPole-v1"]
    env = build(parsed["env_wrapper"], gym.make("CartPole-v1"))
    assert env.observation_space["sensors"].shape == (9, 4)
    assert env.get_wrapper_attr("env").transform.interval == 100
    venv = build(parsed["vec_env_wrapper"], DummyVecEnv([lambda: gym.make("CartPole-v1")]))
    assert np.count_nonzero(venv.reset() == 0) == 1


@pytest.mark.parametrize("kind", ["gym", "vec_env", "vector"])
def test_ppo_learns_through_every_kind(kind):
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    from symbench.envs.vec_env import VectorToVecEnv

    env = {
        "gym": lambda: ShuffleSensors(gym.make("CartPole-v1"), resample="episode"),
        "vec_env": lambda: sb3.ShuffleSensors(make_vec_env("CartPole-v1", 2, seed=0), resample=25),
        "vector": lambda: VectorToVecEnv(
            vector.ShuffleSensors(gym.make_vec(SWINGUP, 2, autoreset_mode=AutoresetMode.SAME_STEP))
        ),
    }[kind]()
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, n_epochs=1, seed=0, device="cpu")
    model.learn(128)
    assert model.num_timesteps >= 128


def test_ppo_sees_shuffled_frames():
    from stable_baselines3 import PPO

    env = ShufflePatches(Frames((36, 36, 3)), patch_size=6)
    model = PPO("CnnPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=0, device="cpu")
    assert model.predict(env.reset(seed=0)[0])[0] in range(3)


def test_sb3_seeds_reach_the_wrapper_whether_given_before_or_after_wrapping():
    from stable_baselines3.common.env_util import make_vec_env

    before = sb3.ShuffleSensors(make_vec_env("CartPole-v1", 2, seed=7))
    after = sb3.ShuffleSensors(make_vec_env("CartPole-v1", 2))
    after.seed(7)
    single = [ShuffleSensors(gym.make("CartPole-v1")).reset(seed=7 + i)[0] for i in range(2)]
    assert same(before.reset(), after.reset())
    before.seed(7)
    assert same(list(before.reset()), single)


def test_the_history_works_with_sb3_dict_policies():
    from stable_baselines3 import PPO

    env = SensorHistory(ShuffleSensors(gym.make("Pendulum-v1")))
    model = PPO("MultiInputPolicy", env, n_steps=32, batch_size=32, n_epochs=1, device="cpu")
    assert model.predict(env.reset(seed=0)[0])[0].shape == (1,)


MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (wrappers, symbench.testing)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", ["symbench.wrappers", "symbench.testing", *MODULES])
def test_the_examples_in_the_documentation_of_the_code_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_guide_names_every_wrapper_and_level():
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, levels in wrappers.SEVERITIES[1].items():
        values = [json.dumps(next(iter(level.values()))).strip('"') for level in levels]
        assert f"| `{name}` | `{next(iter(levels[0]))}` | {' | '.join(values)} |" in text
    assert all(f"`{name}`" in text for name in wrappers.AGENT_SIDE)
