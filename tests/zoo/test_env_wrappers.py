"""Models that were trained inside Gymnasium wrappers play as they did there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import yaml
from sb3_contrib.common.wrappers import TimeFeatureWrapper
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.atari_wrappers import MaxAndSkipEnv
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecNormalize

from symbench.errors import SymbenchError
from symbench.rollout import Callback, rollout
from symbench.runner.agents import load, resolve
from symbench.runner.pipeline import describe, make_envs
from symbench.runner.run_suite import make_plan
from symbench.suites import load_suite

TIME = "sb3_contrib.common.wrappers.TimeFeatureWrapper"
MINE = Path(__file__).with_name("env_wrapper_cases.py").read_text()


@pytest.fixture(autouse=True)
def my_wrappers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of wrappers beside the model."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "my_env_wrappers.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(folder))
    import my_env_wrappers  # type: ignore[import-not-found]

    yield my_env_wrappers
    del sys.modules["my_env_wrappers"]


def logged(folder: Path, model: Any, task: str, env_wrapper: Any, **config: Any) -> str:
    """The folder that rl_zoo3 would write, as ``--agent`` takes it."""
    settings = folder / "logs" / task
    settings.mkdir(exist_ok=True)
    if not (file := folder / "logs" / "best_model.zip").exists():
        model.save(file)
    (settings / "config.yml").write_text(yaml.safe_dump({"policy": "MlpPolicy", "env_wrapper": env_wrapper, **config}))
    (settings / "args.yml").write_text(f"env: {task}\n")
    return f"zoo:{folder}/logs"


def agent_of(spec: str, task: str) -> Any:
    env = gym.make(task)
    agent = load(resolve([spec], task, trust=True)[0], env.observation_space, env.action_space)
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    return agent


class Recorder(Callback):
    def __init__(self, count: int) -> None:
        self.actions_of: list[list[Any]] = [[] for _ in range(count)]

    def actions(self, answer: Any, playing: Any) -> Any:
        for place, action in zip(playing, answer, strict=True):
            self.actions_of[place].append(np.asarray(action))
        return answer


def played(agent: Any, task: str, seeds: list[int]) -> list[Any]:
    envs, recorder = make_envs(task, (), len(seeds)), Recorder(len(seeds))
    rollout(envs, agent, seeds, [recorder])
    envs.close()
    return [np.array(actions) for actions in recorder.actions_of]


class Noting(gym.ActionWrapper[Any, Any, Any]):
    """What reaches the environment."""

    def action(self, action: Any) -> Any:
        self.noted.append(np.array(action))
        return action


def expected(model: Any, task: str, wrap: Any, seeds: list[int]) -> list[Any]:
    """What reaches the environment where SB3 plays in it, wrapped as in training, one episode after the other."""
    inner = Noting(gym.make(task))
    env, found = wrap(inner), []
    for seed in seeds:
        inner.noted = []
        seen, _ = env.reset(seed=seed)
        done = False
        while not done:
            action, _ = model.predict(seen, deterministic=True)
            seen, _, terminated, truncated, _ = env.step(action)
            done = terminated or truncated
        found.append(np.array(inner.noted))
    return found


def agree(one: list[Any], other: list[Any]) -> None:
    assert [len(actions) for actions in one] == [len(actions) for actions in other]
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


def ppo(env: Any) -> PPO:
    return PPO("MlpPolicy", env, device="cpu", n_steps=64, batch_size=64, seed=0).learn(128)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["CartPole-v1", "Pendulum-v1"])  # episodes of unequal lengths, and long ones
@pytest.mark.parametrize("entry", [TIME, {TIME: {"test_mode": False}}, [TIME], [{TIME: {"max_steps": 7}}]])
def test_the_time_feature_is_a_part_of_the_agent(tmp_path: Path, task: str, entry: Any) -> None:
    """It takes the length of an episode from the environment's specification, before its own argument."""
    seeds = [3, 4, 5, 6]
    model = ppo(TimeFeatureWrapper(gym.make(task)))
    agent = agent_of(logged(tmp_path, model, task, entry), task)
    assert agent.preprocessing[0].startswith(f"inside {TIME}(")
    theirs = expected(model, task, TimeFeatureWrapper, seeds)
    batched = played(agent, task, seeds)
    agree(batched, theirs)
    agree([played(agent, task, [seed])[0] for seed in seeds], theirs)
    if task == "Pendulum-v1":
        standing = expected(model, task, lambda env: TimeFeatureWrapper(env, test_mode=True), seeds)
        assert all(np.abs(mine - other).max() > 1e-3 for mine, other in zip(batched, standing, strict=True))


def test_episodes_that_follow_begin_anew(tmp_path: Path) -> None:
    model = ppo(TimeFeatureWrapper(gym.make("CartPole-v1")))
    agent = agent_of(logged(tmp_path, model, "CartPole-v1", TIME), "CartPole-v1")
    seen = np.random.default_rng(0).normal(size=(6, 2, 4)).astype(np.float32)
    agent.reset(2)
    inner = agent.agent
    times: list[Any] = []
    act = inner.act
    inner.act = lambda shown: times.append(shown[:, 4].copy()) or act(shown)
    for step in range(3):
        agent.act(seen[step])
    agent.restart(np.array([False, True]))
    agent.act(seen[3])
    agent.keep(np.array([False, True]))
    agent.act(seen[4][1:])
    for time, steps in zip(times, ([0, 0], [1, 1], [2, 2], [3, 0], [1]), strict=True):
        np.testing.assert_allclose(time, 1 - np.array(steps) / 500, rtol=1e-6)


def test_wrappers_of_actions_and_of_both_play_as_in_training(tmp_path: Path, my_wrappers: Any) -> None:
    task, seeds = "Pendulum-v1", [7, 8]

    def wrap(env: Any) -> Any:
        scaled = gym.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))
        return TimeFeatureWrapper(my_wrappers.Smooth(scaled, share=0.7))

    model = A2C("MlpPolicy", wrap(gym.make(task)), device="cpu", seed=0).learn(20)
    listed = [
        {"gymnasium.wrappers.RescaleAction": {"min_action": -1.0, "max_action": 1.0}},
        {"my_env_wrappers.Smooth": {"share": 0.7}},
        TIME,
    ]
    agent = agent_of(logged(tmp_path, model, task, listed), task)
    theirs = expected(model, task, wrap, seeds)
    agree(played(agent, task, seeds), theirs)
    agree([played(agent, task, [seed])[0] for seed in seeds], theirs)


def test_statistics_and_stacks_come_after_the_wrappers(tmp_path: Path) -> None:
    """The order of rl_zoo3."""
    task = "Pendulum-v1"
    venv = VecNormalize(DummyVecEnv([lambda: TimeFeatureWrapper(gym.make(task))]))
    stacked = VecFrameStack(venv, 2)
    model = A2C("MlpPolicy", stacked, device="cpu", seed=0).learn(40)
    spec = logged(tmp_path, model, task, TIME, normalize=True, frame_stack=2)
    venv.save(str(tmp_path / "logs" / task / "vecnormalize.pkl"))
    agent = agent_of(spec, task)
    assert [step.split()[0] for step in agent.preprocessing] == ["inside", "observations", "the"]
    env, frames = TimeFeatureWrapper(gym.make(task)), np.zeros((1, 8), np.float32)
    seen, _ = env.reset(seed=0)
    actions = []
    for _ in range(20):
        frames = np.concatenate([frames[:, 4:], venv.normalize_obs(seen)[None]], axis=1)
        action, _ = model.predict(frames, deterministic=True)
        actions.append(action[0])
        seen = env.step(action[0])[0]
    np.testing.assert_allclose(played(agent, task, [0])[0][:20], actions, rtol=1e-4, atol=1e-5)


def test_draws_of_wrappers_are_those_of_the_episode(tmp_path: Path, my_wrappers: Any) -> None:
    task = "Pendulum-v1"
    model = A2C("MlpPolicy", my_wrappers.Noisy(gym.make(task)), device="cpu", seed=0)
    agent = agent_of(logged(tmp_path, model, task, "my_env_wrappers.Noisy"), task)
    batch = played(agent, task, [7, 8])
    agree(batch, played(agent, task, [7, 8]))
    agree(batch, [played(agent, task, [seed])[0] for seed in (7, 8)])
    assert np.abs(batch[0] - played(agent, task, [9])[0]).max() > 0.1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Twice", r"Twice\(\) cannot be a part of the agent: where it is to step once it does step, step"),
        ("Unseeded", r"Unseeded\(\) draws from numpy's global generator"),
        ("Paid", r"Paid\(\) shows rewards"),
        ("Broken", r"Broken\(\) cannot be put around Box\(3,\): RuntimeError: not today"),
        ("Missing", r"was trained in my_env_wrappers\.Missing: unknown name 'Missing' in my_env_wrappers"),
    ],
)
def test_what_cannot_be_a_part_of_the_agent_is_refused_with_the_way_out(
    tmp_path: Path, name: str, problem: str
) -> None:
    model = A2C("MlpPolicy", "Pendulum-v1", device="cpu", seed=0)
    spec = logged(tmp_path, model, "Pendulum-v1", f"my_env_wrappers.{name}")
    with pytest.raises(
        SymbenchError, match=problem + r".*; if it needs none of its wrappers: .*,wrappers=none"
    ) as told:
        agent_of(spec, "Pendulum-v1")
    assert "\n" not in str(told.value)
    assert agent_of(f"{spec},wrappers=none", "Pendulum-v1").preprocessing == ()


def test_frame_skips_are_refused(tmp_path: Path) -> None:
    model = A2C("MlpPolicy", "Pendulum-v1", device="cpu", seed=0)
    names = [f"stable_baselines3.common.atari_wrappers.{name}" for name in ("MaxAndSkipEnv", "AtariWrapper")]
    assert MaxAndSkipEnv.__name__ in names[0]
    for name in names:
        spec = logged(tmp_path, model, "Pendulum-v1", name)
        with pytest.raises(SymbenchError, match=r"steps the environment several times|cannot be (put|a part)"):
            agent_of(spec, "Pendulum-v1")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rl_zoo3", None)
    model = A2C("MlpPolicy", "Pendulum-v1", device="cpu", seed=0)
    spec = logged(tmp_path, model, "Pendulum-v1", "rl_zoo3.wrappers.HistoryWrapper")
    with pytest.raises(SymbenchError, match=r"there is no module 'rl_zoo3\.wrappers'.*; pip install rl_zoo3; if it"):
        agent_of(spec, "Pendulum-v1")


def test_a_wrapper_that_asks_for_an_unknown_environment_is_told_so(tmp_path: Path) -> None:
    model = A2C("MlpPolicy", TimeFeatureWrapper(gym.make("Pendulum-v1")), device="cpu", seed=0)
    model.save(tmp_path / "mine.zip")
    (tmp_path / "config.yml").write_text(f"policy: MlpPolicy\nenv_wrapper: {TIME}\n")
    with pytest.raises(SymbenchError, match=r"asks which environment it is around, .*args\.yml \(env: ID\)"):
        agent_of(f"a2c:{tmp_path}/mine.zip", "Pendulum-v1")
    (tmp_path / "args.yml").write_text("env: Pendulum-v1\n")
    agent_of(f"a2c:{tmp_path}/mine.zip", "Pendulum-v1")


def test_wrappers_are_part_of_the_hash_and_of_the_pipeline(tmp_path: Path) -> None:
    task = "CartPole-v1"
    model = ppo(TimeFeatureWrapper(gym.make(task)))
    digests = []
    for entry in (TIME, {TIME: {"test_mode": True}}, None):
        spec = logged(tmp_path, model, task, entry)
        digests.append(resolve([spec], task, trust=True)[0].digest)
    assert len(set(digests)) == 3
    spec = logged(tmp_path, model, task, TIME)
    assert resolve([f"{spec},wrappers=none"], task, trust=True)[0].digest == digests[2]
    cell = next(cell for cell in make_plan(load_suite("shuffle"), agents=[spec], trust=True, episodes=1).cells)
    assert dict(describe(cell))["agent's own"].startswith(f"inside {TIME}()")


def test_without_trust_nothing_is_imported(tmp_path: Path) -> None:
    marker = tmp_path / "was-here"
    (tmp_path / "logs" / "evil_wrapper.py").write_text(f"open({str(marker)!r}, 'w')\n")
    model = A2C("MlpPolicy", "Pendulum-v1", device="cpu", seed=0)
    spec = logged(tmp_path, model, "Pendulum-v1", "evil_wrapper.Wrapper")
    env = gym.make("Pendulum-v1")
    with pytest.raises(SymbenchError, match="add --trust"):
        load(resolve([spec], "Pendulum-v1")[0], env.observation_space, env.action_space)
    assert not marker.exists()
