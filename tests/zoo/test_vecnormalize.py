"""Agents that were trained inside VecNormalize see what they saw in training, or are refused."""

from __future__ import annotations

import pickle
import shutil
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import A2C, PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from symbench.errors import SymbenchError
from symbench.policies import NetworkActorCriticPolicy
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.wrappers import SensorHistory
from symbench.zoo import load_sb3
from symbench.zoo.sb3_zip import agent_of_model
from symbench.zoo.vecnormalize import find_statistics, read_statistics

if TYPE_CHECKING:
    from pathlib import Path

TASK = "Pendulum-v1"


class Far(gym.Env):
    """Sensors far from 0, as float64, and a target, in a Dict."""

    def __init__(self, keys: bool = False, dtype: Any = np.float64, bound: float = np.inf) -> None:
        box = spaces.Box(-bound, bound, (3,), dtype)
        self.observation_space = spaces.Dict(sensors=box, target=spaces.Box(-9, 9, (2,), dtype)) if keys else box
        self.action_space = spaces.Box(-1, 1, (1,))

    def _observation(self) -> Any:
        sensors = self.np_random.normal(100.0, 5.0, 3)
        if not isinstance(self.observation_space, spaces.Dict):
            return sensors.astype(self.observation_space.dtype)
        return {"sensors": sensors, "target": self.np_random.normal(0.0, 1.0, 2).clip(-9, 9)}

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        return self._observation(), 0.0, bool(self.np_random.random() < 0.1), False, {}


def trained(folder: Path, made: Any = A2C, env: Any = lambda: gym.make(TASK), **normalize: Any) -> Any:
    """Train a little inside VecNormalize; model and statistics are saved in a folder."""
    venv = VecNormalize(DummyVecEnv([env]), **normalize)
    policy = "MultiInputPolicy" if isinstance(venv.observation_space, spaces.Dict) else "MlpPolicy"
    settings = {"buffer_size": 100, "learning_starts": 4} if made is SAC else {}
    model = made(policy, venv, seed=0, device="cpu", **settings).learn(40)
    folder.mkdir(exist_ok=True)
    model.save(folder / "mine.zip")
    venv.save(str(folder / "stats.pkl"))
    return model, venv


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An A2C of Pendulum and its statistics, which lie under a name that nobody looks for."""
    path = tmp_path_factory.mktemp("normalised")
    trained(path)
    return path


@pytest.fixture
def zip_file(folder: Path, tmp_path: Path) -> Path:
    """The same model alone."""
    shutil.copy(folder / "mine.zip", tmp_path / "mine.zip")
    return tmp_path / "mine.zip"


@pytest.mark.reference
def test_a_public_agent_reaches_its_score(reference: Path) -> None:
    """The first version: -1496, which is random play."""
    env = gym.make(TASK)
    spec = f"a2c:{reference}/sb3_zoo/logs/a2c/Pendulum-v1_1/Pendulum-v1.zip"
    seeds = list(range(100, 120))
    scores = {}
    for option in (None, "none"):
        agent = load_sb3(spec, True, env.observation_space, env.action_space, vecnormalize=option)
        scores[option] = play(get_task(TASK).make_vec(20), agent, seeds).returns.mean()
    assert scores[None] == pytest.approx(-211, abs=30)
    assert scores["none"] == pytest.approx(-1496, abs=100)


@pytest.mark.reference
def test_a_public_agent_plays_the_episodes_that_sb3_plays(reference: Path) -> None:
    """On the suites' first 20 seeds, where SB3's own VecNormalize and predict give -161.42."""
    env = gym.make(TASK)
    spec = f"a2c:{reference}/sb3_zoo/logs/a2c/Pendulum-v1_1/Pendulum-v1.zip"
    agent = load_sb3(spec, True, env.observation_space, env.action_space)
    returns = play(get_task(TASK).make_vec(20), agent, list(range(1_000_000, 1_000_020))).returns
    assert returns.mean() == pytest.approx(-161.4198, abs=0.01)


@pytest.mark.parametrize(
    "layout",
    [
        "vecnormalize.pkl",
        "vec_normalize.pkl",
        "mine_vecnormalize.pkl",
        "mine_vec_normalize.pkl",
        "mine/vecnormalize.pkl",
        "Pendulum-v1/vecnormalize.pkl",
    ],
)
def test_statistics_are_found_and_applied(folder: Path, zip_file: Path, layout: str) -> None:
    target = zip_file.parent / layout
    target.parent.mkdir(exist_ok=True)
    if layout.startswith("Pendulum"):
        (target.parent / "config.yml").write_text("policy: MlpPolicy\nnormalize: true\n")
    shutil.copy(folder / "stats.pkl", target)
    assert find_statistics(zip_file) == target
    agent = load_sb3(f"a2c:{zip_file}", trust=True)
    assert agent.preprocessing == ("observations normalised by VecNormalize, statistics of 41 steps, clipped to ±10",)
    model, venv = (
        A2C.load(zip_file, device="cpu"),
        VecNormalize.load(str(target), DummyVecEnv([lambda: gym.make(TASK)])),
    )
    observations = np.random.default_rng(0).normal(size=(50, 3), scale=3).astype(np.float32)
    agent.reset(50)
    expected = model.predict(venv.normalize_obs(observations), deterministic=True)[0]
    np.testing.assert_array_equal(agent.act(observations), expected)
    assert not np.array_equal(expected, model.predict(observations, deterministic=True)[0])


def test_a_checkpoint_has_its_own_statistics(tmp_path: Path) -> None:
    for name in (
        "rl_model_400_steps.zip",
        "rl_model_vecnormalize_400_steps.pkl",
        "rl_model_vecnormalize_800_steps.pkl",
    ):
        (tmp_path / name).touch()
    (tmp_path / "vecnormalize.pkl").touch()
    assert find_statistics(tmp_path / "rl_model_400_steps.zip") == tmp_path / "rl_model_vecnormalize_400_steps.pkl"
    assert find_statistics(tmp_path / "rl_model_900_steps.zip") == tmp_path / "vecnormalize.pkl"


def test_they_can_be_named(folder: Path, zip_file: Path) -> None:
    agent = load_sb3(f"a2c:{zip_file}", trust=True, vecnormalize=folder / "stats.pkl")
    assert agent.preprocessing
    with pytest.raises(SymbenchError, match=r"the file of VecNormalize's statistics 'nowhere.pkl' does not exist"):
        load_sb3(f"a2c:{zip_file}", trust=True, vecnormalize="nowhere.pkl")


def test_without_them_a_normalised_agent_is_refused(zip_file: Path) -> None:
    problem = (
        r"a2c:.*mine\.zip was trained inside VecNormalize, whose statistics are not beside it: "
        r"name their file, a2c:.*mine\.zip,vecnormalize=FILE\.pkl; or, if only rewards were normalised, "
        r"a2c:.*mine\.zip,vecnormalize=none"
    )
    with pytest.raises(SymbenchError, match=problem):
        load_sb3(f"a2c:{zip_file}", trust=True)
    assert load_sb3(f"a2c:{zip_file}", trust=True, vecnormalize="none").preprocessing == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "env",
    [lambda: Far(), lambda: Far(keys=True), lambda: Far(dtype=np.float32, bound=500.0)],
    ids=["float64", "dict", "float32"],
)
@pytest.mark.parametrize("made", [A2C, SAC])
def test_the_model_itself_tells(tmp_path: Path, made: Any, env: Any) -> None:
    name = made.__name__.lower()
    trained(tmp_path, made, env)
    certain = made is A2C or env().observation_space.dtype != np.float32
    if certain:
        with pytest.raises(SymbenchError, match="was trained inside VecNormalize, whose statistics are not beside it"):
            load_sb3(f"{name}:{tmp_path / 'mine.zip'}", trust=True)
    else:  # nothing in an off-policy model shows it; rl_zoo3's settings would
        assert load_sb3(f"{name}:{tmp_path / 'mine.zip'}", trust=True).preprocessing == ()
    (tmp_path / "stats.pkl").rename(tmp_path / "vecnormalize.pkl")
    assert load_sb3(f"{name}:{tmp_path / 'mine.zip'}", trust=True).preprocessing


def test_observations_outside_of_the_space_tell(tmp_path: Path) -> None:
    """Normalised sensors of mean 100 lie around 0."""

    class Narrow(Far):
        def __init__(self) -> None:
            super().__init__(dtype=np.float32)
            self.observation_space = spaces.Box(50, 150, (3,))

    trained(tmp_path, SAC, Narrow)
    with pytest.raises(SymbenchError, match="was trained inside VecNormalize"):
        load_sb3(f"sac:{tmp_path / 'mine.zip'}", trust=True)


@pytest.mark.parametrize("made", [A2C, SAC])
def test_models_without_are_not_suspected(tmp_path: Path, made: Any) -> None:
    settings = {"buffer_size": 100, "learning_starts": 4} if made is SAC else {}
    for name, env in (("float64", Far()), ("float32", gym.make(TASK))):
        made("MlpPolicy", env, device="cpu", **settings).learn(20).save(tmp_path / name)
        assert load_sb3(f"{made.__name__.lower()}:{tmp_path / name}.zip", trust=True).preprocessing == ()


class Drifting(gym.Env[Any, Any]):
    """Leaves the bounds that it declares, as many environments do."""

    observation_space, action_space = spaces.Box(-1, 1, (3,), np.float32), spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, **_: Any) -> Any:
        return np.full(3, 5, np.float32), {}

    def step(self, action: Any) -> Any:
        return np.full(3, 5, np.float32), 0.0, False, True, {}


def test_an_environment_that_leaves_its_bounds_is_no_sign_of_statistics(tmp_path: Path) -> None:
    model = SAC("MlpPolicy", Drifting(), device="cpu", buffer_size=100, learning_starts=4).learn(20)
    assert agent_of_model(model, "mine").preprocessing == ()
    model.save(tmp_path / "mine")
    assert load_sb3(f"sac:{tmp_path / 'mine'}.zip", trust=True).preprocessing == ()


def test_statistics_of_rewards_only_change_nothing(tmp_path: Path) -> None:
    trained(tmp_path, A2C, Far, norm_obs=False)
    assert load_sb3(f"a2c:{tmp_path / 'mine.zip'}", trust=True).preprocessing == ()  # float64 stayed float64
    (tmp_path / "stats.pkl").rename(tmp_path / "vecnormalize.pkl")
    assert load_sb3(f"a2c:{tmp_path / 'mine.zip'}", trust=True).preprocessing == ()


@pytest.mark.slow
def test_keys_of_a_dict_are_normalised_as_they_were(tmp_path: Path) -> None:
    model, venv = trained(tmp_path, PPO, lambda: Far(keys=True), norm_obs_keys=["sensors"], clip_obs=2.5)
    (tmp_path / "stats.pkl").rename(tmp_path / "vecnormalize.pkl")
    agent = load_sb3(f"ppo:{tmp_path / 'mine.zip'}", trust=True)
    assert agent.preprocessing[0].startswith("observations (sensors) normalised by VecNormalize")
    assert agent.preprocessing[0].endswith("clipped to ±2.5")
    rng = np.random.default_rng(0)
    observations = {"sensors": rng.normal(100, 20, (9, 3)), "target": rng.normal(size=(9, 2))}
    agent.reset(9)
    expected = model.predict(venv.normalize_obs(observations), deterministic=True)[0]
    np.testing.assert_array_equal(agent.act(observations), expected)


def test_decisions_and_values_are_of_normalised_observations(tmp_path: Path) -> None:
    _, venv = trained(tmp_path)
    agent = load_sb3(f"a2c:{tmp_path / 'mine.zip'}", trust=True, vecnormalize=tmp_path / "stats.pkl")
    plain = load_sb3(f"a2c:{tmp_path / 'mine.zip'}", trust=True, vecnormalize="none")
    observations = np.random.default_rng(0).normal(size=(9, 3), scale=3).astype(np.float32)
    for answer in ("decisions", "values"):
        expected = getattr(plain, answer)(venv.normalize_obs(observations))
        np.testing.assert_array_equal(getattr(agent, answer)(observations), expected)


def test_statistics_beside_a_model_that_had_none_are_not_applied_in_silence(folder: Path, tmp_path: Path) -> None:
    A2C("MlpPolicy", TASK, device="cpu").learn(10).save(tmp_path / "plain")
    shutil.copy(folder / "stats.pkl", tmp_path / "vecnormalize.pkl")
    spec = f"a2c:{tmp_path / 'plain.zip'}"
    with pytest.raises(
        SymbenchError, match=r"plain.zip was not trained inside VecNormalize, but .*vecnormalize.pkl lies"
    ):
        load_sb3(spec, trust=True)
    assert load_sb3(spec, trust=True, vecnormalize="none").preprocessing == ()
    assert load_sb3(spec, trust=True, vecnormalize=tmp_path / "vecnormalize.pkl").preprocessing  # asked for


def test_statistics_of_another_task_are_refused(folder: Path, zip_file: Path, tmp_path: Path) -> None:
    trained(tmp_path / "other", env=lambda: gym.make("MountainCarContinuous-v0"))
    with pytest.raises(
        SymbenchError, match=r"does not belong to a2c:.* \(statistics have shape \(2,\), observations \(3,\)\)"
    ):
        load_sb3(f"a2c:{zip_file}", trust=True, vecnormalize=tmp_path / "other" / "stats.pkl")


def test_a_set_of_sensors_has_no_places_for_statistics(tmp_path: Path) -> None:
    venv = VecNormalize(DummyVecEnv([lambda: SensorHistory(gym.make("CartPole-v1"))]))
    small = {"n_steps": 8, "batch_size": 8, "device": "cpu", "policy_kwargs": {"network": "attention-neuron"}}
    PPO(NetworkActorCriticPolicy, venv, **small).learn(8).save(tmp_path / "set")
    venv.save(str(tmp_path / "vecnormalize.pkl"))
    with pytest.raises(
        SymbenchError, match="statistics of VecNormalize, which know each by its place, cannot be applied"
    ):
        load_sb3(f"ppo:{tmp_path / 'set.zip'}", trust=True)


class Bomb:
    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('executed')",))


def test_only_numbers_are_read(folder: Path) -> None:
    file = folder / "stats.pkl"
    venv = VecNormalize.load(str(file), DummyVecEnv([lambda: gym.make(TASK)]))
    venv.bomb = Bomb()
    found = read_statistics(pickle.dumps(venv), file)
    assert found is not None
    np.testing.assert_array_equal(found.parts[None].mean, venv.obs_rms.mean)
    np.testing.assert_array_equal(found.parts[None].var, venv.obs_rms.var)


def test_statistics_of_old_versions_can_be_read(folder: Path) -> None:
    """Their spaces are gym's, their arrays numpy.core's; protocol 3 writes names as plain lines."""
    file = folder / "stats.pkl"
    venv = VecNormalize.load(str(file), DummyVecEnv([lambda: gym.make(TASK)]))
    old = pickle.dumps(venv, 3).replace(b"cgymnasium.", b"cgym.").replace(b"cnumpy._core", b"cnumpy.core")
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(old)
    found, new = read_statistics(old, file), read_statistics(file.read_bytes(), file)
    assert found is not None
    assert new is not None
    np.testing.assert_array_equal(found.parts[None], new.parts[None])


@pytest.mark.parametrize("content", [b"", b"no pickle", pickle.dumps({}), pickle.dumps([1]), pickle.dumps(Bomb())])
def test_other_files_are_named(folder: Path, content: bytes) -> None:
    with pytest.raises(SymbenchError, match=r"stats.pkl does not hold the statistics of a VecNormalize \("):
        read_statistics(content, folder / "stats.pkl")


def test_statistics_that_are_not_finite_are_refused(folder: Path) -> None:
    venv = VecNormalize.load(str(folder / "stats.pkl"), DummyVecEnv([lambda: gym.make(TASK)]))
    venv.obs_rms.var[1] = np.nan
    with pytest.raises(SymbenchError, match="numbers that are not finite"):
        read_statistics(pickle.dumps(venv), folder / "stats.pkl")
