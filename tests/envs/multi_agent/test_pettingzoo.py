"""Both ways between symbench's environments of several agents and PettingZoo's."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import symbench.envs
from symbench.envs.multi_agent import joint
from symbench.envs.multi_agent.joint import JointEnv
from symbench.errors import SymbenchError
from symbench.policies import RandomAgent
from symbench.runner.evaluate import play
from symbench.tasks import get_task

pytest.importorskip("pettingzoo")
NAMES = ["Wildlife", "Traffic", "ParticleSpread", "Pursuit", "NBodyControl"]
SPREAD = "pettingzoo:mpe2.simple_spread_v3"


@pytest.mark.filterwarnings("ignore:.*:UserWarning", "ignore:The old environment creation:DeprecationWarning")
@pytest.mark.parametrize("name", NAMES)
def test_the_test_of_pettingzoo_passes(name: str) -> None:
    from pettingzoo.test import parallel_api_test

    parallel_api_test(symbench.envs.parallel(name), num_cycles=150)


@pytest.mark.parametrize("name", NAMES)
def test_agents_play_the_joint_episode_from_their_own_rows(name: str) -> None:
    env, agents = gym.make(f"symbench/{name}-v0"), symbench.envs.parallel(name)
    seen, _ = env.reset(seed=3)
    of_each, _ = agents.reset(seed=3)
    env.action_space.seed(0)
    for _ in range(10):
        for i, agent in enumerate(agents.agents):
            for key, rows in seen.items():
                own = of_each[agent][key] if key == "images" else of_each[agent][key][0]
                np.testing.assert_array_equal(own, rows[i])
                assert agents.observation_space(agent)[key].contains(of_each[agent][key])  # type: ignore[index]
        action = env.action_space.sample()
        seen, reward, ended, *_ = env.step(action)
        of_each, rewards, terminated, *_ = agents.step(dict(zip(agents.agents, action, strict=True)))
        assert set(rewards.values()) == {reward} and set(terminated.values()) == {ended}
        if ended:
            assert not agents.agents
            break


def test_tasks_without_agents_are_refused() -> None:
    with pytest.raises(SymbenchError, match=r"unknown task 'Wildlive'.*did you mean 'Wildlife'"):
        symbench.envs.parallel("Wildlive")
    with pytest.raises(SymbenchError, match="has no agents"):
        symbench.envs.parallel("GridWorld")


def test_a_pettingzoo_environment_is_a_task() -> None:
    pytest.importorskip("mpe2")
    task = get_task(f"{SPREAD}?N=4&max_cycles=10")
    assert (task.name, task.observes) == (f"{SPREAD}?N=4&max_cycles=10", "entities")
    env = task.make()
    assert env.observation_space.shape == (4, 24) and env.action_space == gym.spaces.MultiDiscrete([5] * 4)
    from mpe2 import simple_spread_v3

    theirs = simple_spread_v3.parallel_env(N=4, max_cycles=10)
    seen, _ = env.reset(seed=5)
    expected, _ = theirs.reset(seed=5)
    env.action_space.seed(0)
    for step in range(10):
        np.testing.assert_array_equal(seen, np.stack(list(expected.values())))
        action = env.action_space.sample()
        expected, rewards, *_ = theirs.step(dict(zip(theirs.agents, action, strict=True)))
        seen, reward, terminated, truncated, _ = env.step(action)
        assert reward == pytest.approx(sum(rewards.values()))
        assert (terminated, truncated) == (False, step == 9)


def test_continuous_forces_are_rows_and_random_play_is_measured_as_for_any_task() -> None:
    pytest.importorskip("mpe2")
    task = get_task(f"{SPREAD}?continuous_actions=true")
    envs = task.make_vec(3)
    assert envs.single_action_space.shape == (3, 5)
    returns = play(envs, RandomAgent(envs.single_action_space), [0, 1, 2]).returns
    assert returns.shape == (3,) and (returns < 0).all()


def test_unlike_agents_are_refused_in_one_line() -> None:
    pytest.importorskip("mpe2")
    with pytest.raises(SymbenchError, match="simple_tag_v3 has unlike agents: the observation_space of") as refused:
        get_task("pettingzoo:mpe2.simple_tag_v3")
    assert "\n" not in str(refused.value)


def test_only_known_packages_are_imported_without_trust() -> None:
    with pytest.raises(SymbenchError, match="add --trust"):
        get_task("pettingzoo:my_games.tag_v0")
    with pytest.raises(SymbenchError, match="pip install 'symbench\\[multi-agent\\]'"):
        get_task("pettingzoo:mpe2.no_such_game_v0")
    with pytest.raises(SymbenchError, match="has no function parallel_env"):
        get_task("pettingzoo:pettingzoo.utils")


class Leaving:
    """Two agents, the second of which ends a step earlier."""

    possible_agents = ("a", "b")

    def observation_space(self, agent: str) -> gym.Space[Any]:
        return gym.spaces.Box(0, 1, (2,))

    def action_space(self, agent: str) -> gym.Space[Any]:
        return gym.spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        self.agents, self.moves = ["a", "b"], list[set[str]]()
        return {agent: np.ones(2, np.float32) for agent in self.agents}, {}

    def step(self, actions: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        self.moves.append(set(actions))
        ends = {agent: agent == "b" or len(self.moves) > 1 for agent in self.agents}
        seen = {agent: np.ones(2, np.float32) for agent in self.agents}
        rewards = dict.fromkeys(self.agents, 1.0)
        self.agents = [agent for agent in self.agents if not ends[agent]]
        return seen, rewards, ends, dict.fromkeys(ends, False), {}


def test_agents_that_have_ended_are_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Leaving()
    monkeypatch.setattr(joint, "import_module", lambda name: SimpleNamespace(parallel_env=lambda: inner))
    env = JointEnv("leaving")
    env.reset(seed=0)
    assert env.step(np.array([0, 0]))[1:4] == (2.0, False, False)
    seen, *said, _ = env.step(np.array([0, 0]))
    assert said == [1.0, True, False] and inner.moves == [{"a", "b"}, {"a"}]
    np.testing.assert_array_equal(seen, [[1, 1], [0, 0]])
