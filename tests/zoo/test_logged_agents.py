"""Agents by where they lie: a folder that rl_zoo3 wrote, and a repository of the Hugging Face Hub in its cache."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack, VecNormalize

from symbench.errors import SymbenchError
from symbench.policies.sb3 import SB3Agent
from symbench.runner.agents import load, resolve, tasks_of
from symbench.runner.run_suite import make_plan
from symbench.suites import load_suite

if TYPE_CHECKING:
    from pathlib import Path

TASK = "CartPole-v1"


def logged(folder: Path, model: Any, name: str, config: str = "policy: MlpPolicy\n") -> Path:
    """A folder as rl_zoo3 writes it."""
    settings = folder / name
    settings.mkdir(parents=True)
    model.save(folder / f"{name}.zip")
    (settings / "config.yml").write_text(config)
    return folder


def ppo(**arguments: Any) -> PPO:
    return PPO("MlpPolicy", arguments.pop("env", TASK), device="cpu", n_steps=32, batch_size=32, **arguments)


def played(spec: str, task: str = TASK) -> Any:
    env = gym.make(task)
    agent = load(resolve([spec], task, trust=True)[0], env.observation_space, env.action_space)
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    return agent


def test_the_best_model_of_a_folder_plays_and_the_last_one_where_there_is_none(tmp_path: Path) -> None:
    folder = logged(tmp_path / "logs" / "ppo" / f"{TASK}_1", ppo(seed=0), TASK)
    source = resolve([f"zoo:{folder}"], TASK, trust=True)[0]
    assert (source.name, source.kind, source.algorithm) == ("ppo-CartPole-v1", "sb3", "ppo")
    assert source.path == str(folder / f"{TASK}.zip")
    ppo(seed=1).save(folder / "best_model.zip")
    best = resolve([f"mine=zoo:{folder}"], TASK, trust=True)[0]
    assert (best.name, best.path) == ("mine", str(folder / "best_model.zip"))
    assert best.digest != source.digest


def test_the_task_is_that_of_the_folder(tmp_path: Path) -> None:
    folder = logged(tmp_path / f"{TASK}_12", ppo(seed=0), TASK)
    assert tasks_of([f"mine=zoo:{folder},wrappers=none", "random"]) == [TASK]
    suite = load_suite("shuffle")
    planned = make_plan(suite, agents=[f"zoo:{folder}"], trust=True, episodes=1)
    assert {cell.task for cell in planned.cells} == {TASK}
    (folder / TASK / "args.yml").write_text("env: Pendulum-v1\n")
    assert tasks_of([f"zoo:{folder}"]) == ["Pendulum-v1"]


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("zoo:nowhere", r"there is no folder 'nowhere'; one that rl_zoo3 wrote is expected, logs/ALGO/ENV_1"),
        ("zoo:.", r"\. holds no model: best_model\.zip or .*\.zip is expected"),
        ("hub:CartPole", r"hub:OWNER/ALGO-ENV is expected, e\.g\. hub:sb3/ppo-CartPole-v1, received hub:CartPole"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, problem: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SymbenchError, match=problem):
        resolve([spec], TASK, trust=True)


def test_wrappers_that_are_not_there_are_refused_with_the_way_out(tmp_path: Path) -> None:
    config = "policy: MlpPolicy\nenv_wrapper: my_package.MyWrapper\n"
    folder = logged(tmp_path / f"{TASK}_1", ppo(seed=0), TASK, config)
    with pytest.raises(SymbenchError, match=r"in my_package\.MyWrapper: .*; if it needs none .*,wrappers=none"):
        played(f"zoo:{folder}")
    played(f"zoo:{folder},wrappers=none")


def test_the_statistics_and_the_stack_of_a_folder_are_applied(tmp_path: Path) -> None:
    """As rl_zoo3 does: what VecNormalize shows is stacked."""
    venv = VecFrameStack(VecNormalize(DummyVecEnv([lambda: gym.make("Pendulum-v1")])), 3)
    model = A2C("MlpPolicy", venv, device="cpu", seed=0).learn(50)
    config = "policy: MlpPolicy\nnormalize: true\nframe_stack: 3\n"
    folder = logged(tmp_path / "Pendulum-v1_1", model, "Pendulum-v1", config)
    venv.venv.save(str(folder / "Pendulum-v1" / "vecnormalize.pkl"))
    venv.venv.training = False
    agent = played(f"zoo:{folder}", "Pendulum-v1")
    assert agent.preprocessing[0].startswith("observations normalised by VecNormalize, statistics of ")
    assert agent.preprocessing[1] == "the latest 3 observations are stacked"
    shown = np.random.default_rng(0).normal(size=(6, 1, 3)).astype(np.float32)
    agent.reset(1)
    stack = np.zeros((1, 9), np.float32)
    for observation in shown:
        stack = np.concatenate([stack[:, 3:], venv.venv.normalize_obs(observation)], axis=1)
        expected, _ = model.predict(stack, deterministic=True)
        np.testing.assert_allclose(agent.act(observation), expected, rtol=1e-6)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The client's cache with ``sb3/ppo-CartPole-v1`` in it, as it lies after a download; the Hub is not asked."""
    constants = pytest.importorskip("huggingface_hub.constants")
    repository, revision = tmp_path / "models--sb3--ppo-CartPole-v1", "0" * 40
    snapshot = repository / "snapshots" / revision
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    ppo(seed=0).save(snapshot / "ppo-CartPole-v1.zip")
    (snapshot / "config.yml").write_text("policy: MlpPolicy\n")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return snapshot


def test_a_model_of_the_hub_plays_from_the_cache(hub: Path) -> None:
    source = resolve(["hub:sb3/ppo-CartPole-v1"], TASK, trust=True)[0]
    assert (source.name, source.algorithm) == ("ppo-CartPole-v1", "ppo")
    assert source.path == str(hub / "ppo-CartPole-v1.zip")
    assert tasks_of(["hub:sb3/ppo-CartPole-v1"]) == [TASK]
    agent = played("hub:sb3/ppo-CartPole-v1")
    seen = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    agent.reset(20)
    expected, _ = PPO.load(hub / "ppo-CartPole-v1.zip", device="cpu").predict(seen, deterministic=True)
    np.testing.assert_array_equal(agent.act(seen), expected)


def test_what_the_cache_lacks_is_named(hub: Path) -> None:
    with pytest.raises(SymbenchError, match=r"hub:sb3/dqn-CartPole-v1 is neither reached nor in the cache: "):
        resolve(["hub:sb3/dqn-CartPole-v1"], TASK, trust=True)
    with pytest.raises(SymbenchError, match=r"holds no file other\.zip; name it: hub:OWNER/NAME/FILE\.zip"):
        resolve(["hub:sb3/ppo-CartPole-v1/other.zip"], TASK, trust=True)


def test_a_missing_client_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SymbenchError, match=r"pip install 'symbench\[hub\]'"):
        resolve(["hub:sb3/ppo-CartPole-v1"], TASK, trust=True)


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = logged(tmp_path / f"{TASK}_1", ppo(seed=0), TASK)
    path = str(folder / f"{TASK}.zip")
    for spec in (f"ppo:~/{TASK}_1/{TASK}.zip", f"zoo:~/{TASK}_1"):
        assert resolve([spec], TASK, trust=True)[0].path == path
    source = resolve([f"ppo:{path},vecnormalize=none"], TASK, trust=True)[0]
    assert source.options.vecnormalize == "none"
    with pytest.raises(SymbenchError, match=rf"'{tmp_path}/stats\.pkl' does not exist"):
        resolve([f"ppo:{path},vecnormalize=~/stats.pkl"], TASK, trust=True)


def test_a_policy_of_a_module_beside_the_zip_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from stable_baselines3.common.policies import ActorCriticPolicy\nclass Mine(ActorCriticPolicy):\n    pass\n"
    (tmp_path / "my_policy_module.py").write_text(code)
    with monkeypatch.context() as there:
        there.syspath_prepend(str(tmp_path))
        from my_policy_module import Mine  # type: ignore[import-not-found]

        PPO(Mine, TASK, device="cpu", seed=0).save(tmp_path / "mine.zip")
    del sys.modules["my_policy_module"]
    monkeypatch.setattr(sys, "path", list(sys.path))
    agent = played(f"ppo:{tmp_path}/mine.zip")
    assert isinstance(agent, SB3Agent)
    assert type(agent.model.policy).__name__ == "Mine"
    del sys.modules["my_policy_module"]
    (tmp_path / "my_policy_module.py").unlink()
    with pytest.raises(
        SymbenchError, match=r"No module named 'my_policy_module'\); its modules are looked for in .*too"
    ):
        played(f"ppo:{tmp_path}/mine.zip")


class Reach(gym.Env[Any, Any]):
    """A goal that HER can relabel."""

    observation_space = spaces.Dict(
        {key: spaces.Box(-1, 1, (2,)) for key in ("observation", "achieved_goal", "desired_goal")}
    )
    action_space = spaces.Box(-1, 1, (2,))

    def reset(self, **kwargs: Any) -> Any:
        super().reset(**kwargs)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        return self.observation_space.sample(), 0.0, False, True, {}

    def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
        return -np.linalg.norm(np.asarray(achieved) - desired, axis=-1)


def test_a_replay_buffer_that_only_training_needs_does_not_stop_loading(tmp_path: Path) -> None:
    from stable_baselines3 import HerReplayBuffer

    model = SAC("MultiInputPolicy", Reach(), replay_buffer_class=HerReplayBuffer, device="cpu", seed=0, buffer_size=100)
    model.save(tmp_path / "her.zip")
    from symbench.zoo import load_sb3

    agent = load_sb3(f"sac:{tmp_path}/her.zip", trust=True)
    observation = {key: np.zeros((1, 2), np.float32) for key in Reach.observation_space}
    np.testing.assert_array_equal(agent.act(observation), model.predict(observation, deterministic=True)[0])


def test_drawn_actions_are_those_of_the_agents_own_seed(tmp_path: Path) -> None:
    import torch

    ppo(seed=0).save(tmp_path / "mine.zip")
    agent = played(f"ppo:{tmp_path}/mine.zip,stochastic")
    assert agent.preprocessing == ("actions are drawn from its distribution",)
    seen = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)

    def drawn(seed: int) -> list[list[int]]:
        agent.reset(50, seed=seed)
        return [agent.act(seen).tolist() for _ in range(3)]

    torch.manual_seed(1)
    before, state = drawn(3), torch.get_rng_state()
    torch.manual_seed(2)
    torch.rand(5)
    assert drawn(3) == before
    assert drawn(4) != before
    assert before[0] != before[1]
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)  # the global generator is left alone
    plain, stochastic = (resolve([f"ppo:{tmp_path}/mine.zip{end}"], TASK, trust=True)[0] for end in ("", ",stochastic"))
    assert plain.digest != stochastic.digest
    DQN("MlpPolicy", TASK, device="cpu", seed=0, buffer_size=10).save(tmp_path / "dqn.zip")
    with pytest.raises(SymbenchError, match="dqn has nothing to draw from: DQN acts deterministically"):
        played(f"dqn:{tmp_path}/dqn.zip,stochastic")


@pytest.mark.reference
@pytest.mark.parametrize(("algorithm", "task"), [("qrdqn", TASK), ("a2c", "Pendulum-v1")])
def test_public_folders_load(reference: Path, algorithm: str, task: str) -> None:
    folder = reference / "sb3_zoo" / "logs" / algorithm / f"{task}_1"
    assert tasks_of([f"zoo:{folder}"]) == [task]
    agent = played(f"zoo:{folder}", task)
    assert bool(agent.preprocessing) == (algorithm == "a2c")
