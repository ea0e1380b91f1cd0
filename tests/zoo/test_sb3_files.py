from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from sb3_contrib import RecurrentPPO
from stable_baselines3 import A2C, DQN, PPO, SAC

from symbench.errors import SymbenchError
from symbench.policies import (
    Agent,
    NetworkActorCriticPolicy,
    NetworkAgent,
    NetworkRecurrentPolicy,
    NetworkSACPolicy,
    SB3Agent,
)
from symbench.wrappers import SensorHistory
from symbench.zoo import load_sb3

if TYPE_CHECKING:
    from pathlib import Path


def episode(agent: Agent, env: gym.Env) -> float:
    agent.reset()
    (observation, _), total, over = env.reset(seed=0), 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
        total, over = total + float(reward), terminated or truncated
    return total


@pytest.mark.reference
@pytest.mark.parametrize("algorithm", ["ppo", "dqn"])
def test_files_of_old_versions_load_and_keep_their_score(reference: Path, algorithm: str) -> None:
    env = gym.make("CartPole-v1")
    file = reference / "sb3_zoo" / f"{algorithm}-CartPole-v1.zip"
    agent = load_sb3(f"{algorithm}:{file}", True, env.observation_space, env.action_space)
    assert agent.name == f"{algorithm}-CartPole-v1"
    assert episode(agent, env) == 500


@pytest.mark.reference
def test_files_of_old_versions_say_that_they_do_not_fit(reference: Path) -> None:
    space, actions = spaces.Box(-1, 1, (9,)), spaces.Discrete(2)
    agent = load_sb3(f"ppo:{reference / 'sb3_zoo' / 'ppo-CartPole-v1.zip'}", True, space, actions)
    assert agent.incompatibility(space, actions) == "ppo-CartPole-v1 observes Box(4,), the task has Box(9,)"


def test_plain_models_predict_through_sb3(tmp_path: Path) -> None:
    env = gym.make("CartPole-v1")
    model = PPO("MlpPolicy", env, seed=0)
    model.save(tmp_path / "mine")
    agent = load_sb3(f"PPO:{tmp_path / 'mine.zip'}", trust=True)
    assert isinstance(agent, SB3Agent)
    assert agent.name == "mine"
    observations = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    agent.reset(20)
    np.testing.assert_array_equal(agent.act(observations), model.predict(observations, deterministic=True)[0])


@pytest.mark.parametrize("algorithm", ["ppo", "sac", "ppo_lstm"])
def test_set_models_read_plain_sensors_in_any_number(tmp_path: Path, algorithm: str) -> None:
    model: Any
    kwargs = {"network": "attention-neuron"}
    if algorithm == "ppo":
        model = PPO(NetworkActorCriticPolicy, SensorHistory(gym.make("CartPole-v1")), policy_kwargs=kwargs)
    elif algorithm == "sac":
        env = SensorHistory(gym.make("Pendulum-v1"))
        model = SAC(NetworkSACPolicy, env, policy_kwargs=kwargs, buffer_size=10)
    else:
        kwargs = {"network": "recurrent-attention-neuron"}
        model = RecurrentPPO(NetworkRecurrentPolicy, "CartPole-v1", policy_kwargs=kwargs)
    model.save(tmp_path / "set")
    agent = load_sb3(f"{algorithm}:{tmp_path / 'set.zip'}", True, spaces.Box(-1, 1, (4,)), model.action_space)
    assert isinstance(agent, NetworkAgent)
    for sensors in (4, 54):
        assert agent.incompatibility(spaces.Box(-1, 1, (sensors,)), model.action_space) is None
        agent.reset(3)
        assert model.action_space.contains(agent.act(np.ones((3, sensors)))[0])


def test_bad_specs_are_named(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="unknown algorithm 'pp0'; did you mean 'ppo'"):
        load_sb3("pp0:agent.zip", trust=True)
    with pytest.raises(SymbenchError, match=r"file 'nowhere\.zip' does not exist; ALGORITHM:FILE.zip was expected"):
        load_sb3("ppo:nowhere.zip", trust=True)
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(SymbenchError, match=r"a.zip is corrupt or was not saved by Stable-Baselines3"):
        load_sb3(f"ppo:{tmp_path / 'a.zip'}", trust=True)


def test_model_of_another_algorithm_is_named(tmp_path: Path) -> None:
    PPO("MlpPolicy", gym.make("CartPole-v1")).save(tmp_path / "a")
    with pytest.raises(SymbenchError, match=r"a.zip was saved by PPO, not DQN: ppo:.*a.zip"):
        load_sb3(f"dqn:{tmp_path / 'a.zip'}", trust=True)


@pytest.mark.parametrize("model_class", [PPO, A2C, DQN])
def test_every_algorithm_is_known_by_its_file(tmp_path: Path, model_class: Any) -> None:
    model_class("MlpPolicy", "CartPole-v1", device="cpu").save(tmp_path / "a")
    for algorithm in ("ppo", "a2c", "dqn"):
        if algorithm == model_class.__name__.lower():
            assert load_sb3(f"{algorithm}:{tmp_path / 'a.zip'}", trust=True).name == "a"
        else:
            with pytest.raises(SymbenchError, match=f"was saved by {model_class.__name__}, not {algorithm.upper()}"):
                load_sb3(f"{algorithm}:{tmp_path / 'a.zip'}", trust=True)


def test_an_old_model_of_another_task_does_not_fit_and_says_so(tmp_path: Path) -> None:
    PPO("MlpPolicy", "CartPole-v1", device="cpu").save(tmp_path / "a")
    agent = load_sb3(f"ppo:{tmp_path / 'a.zip'}", True, spaces.Box(-1, 1, (6,)), spaces.Discrete(3))
    assert (
        agent.incompatibility(spaces.Box(-1, 1, (6,)), spaces.Discrete(3)) == "a observes Box(4,), the task has Box(6,)"
    )
    assert (
        agent.incompatibility(spaces.Box(-1, 1, (4,)), spaces.Discrete(3))
        == "a acts in Discrete(2), the task has Discrete(3)"
    )


def make_old(new: Path, old: Path, **described: dict[str, str]) -> None:
    """As files of old versions: their pickled spaces belong to a package that is gone, but are described in words."""
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, "w") as target:
        for item in source.namelist():
            content = source.read(item)
            if item == "data":
                data = json.loads(content)
                for name in ("observation_space", "action_space"):
                    data[name][":serialized:"] = "Y2dvbmVfcGFja2FnZQpCb3gKLg=="  # the class gone_package.Box
                    data[name].update(described.get(name, {}))
                content = json.dumps(data).encode()
            target.writestr(item, content)


def test_unreadable_spaces_are_replaced(tmp_path: Path) -> None:
    env = gym.make("CartPole-v1")
    PPO("MlpPolicy", env).save(tmp_path / "new")
    make_old(tmp_path / "new.zip", tmp_path / "old.zip", observation_space={"shape": "[4]"})
    agent = load_sb3(f"ppo:{tmp_path / 'old.zip'}", True, env.observation_space, env.action_space)
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    wide = load_sb3(f"ppo:{tmp_path / 'old.zip'}", True, spaces.Box(-1, 1, (9,)), env.action_space)
    assert (
        wide.incompatibility(spaces.Box(-1, 1, (9,)), env.action_space) == "old observes Box(4,), the task has Box(9,)"
    )


class Anything(gym.Env):
    """Sensors, and actions of any space."""

    observation_space = spaces.Box(-1, 1, (3,))

    def __init__(self, action_space: spaces.Space) -> None:
        self.action_space = action_space


@pytest.mark.parametrize(
    ("own", "task"),
    [
        (spaces.Box(-1, 1, (1,)), spaces.Box(-2, 2, (1,))),
        (spaces.Box(np.float32([-0.1, -3]), np.float32([0.1, 1e30])), spaces.Box(-1, 1, (2,))),
        (spaces.MultiDiscrete([2, 2, 2]), spaces.MultiDiscrete([5, 5, 5])),
        (spaces.MultiBinary(3), spaces.MultiBinary(4)),
        (spaces.Discrete(3), spaces.Discrete(3, start=1)),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_whole_action_spaces_are_compared_also_where_only_words_are_left(
    tmp_path: Path, own: Any, task: Any, old: bool
) -> None:
    """The first version took the task's bounds for those of an old file."""
    env = Anything(own)
    PPO("MlpPolicy", env, device="cpu").save(tmp_path / "new")
    make_old(tmp_path / "new.zip", tmp_path / "old.zip")
    spec = f"ppo:{tmp_path / ('old.zip' if old else 'new.zip')}"
    for given, fits in ((own, True), (task, False)):
        agent = load_sb3(spec, True, env.observation_space, given)
        reason = agent.incompatibility(env.observation_space, given)
        assert (reason is None) is fits
        assert fits or "acts in" in str(reason)


def test_frames_of_another_range_are_refused_also_where_only_words_are_left(tmp_path: Path) -> None:
    class Film(gym.Env):
        observation_space = spaces.Box(0, 255, (40, 40, 1), np.uint8)
        action_space = spaces.Discrete(2)

    PPO("CnnPolicy", Film(), device="cpu").save(tmp_path / "new")
    make_old(tmp_path / "new.zip", tmp_path / "old.zip")
    for name in ("new", "old"):
        agent = load_sb3(f"ppo:{tmp_path / name}.zip", True, Film.observation_space, Film.action_space)
        assert agent.incompatibility(Film.observation_space, Film.action_space) is None
        assert agent.incompatibility(spaces.Box(0, 1, (40, 40, 1)), Film.action_space) is not None
