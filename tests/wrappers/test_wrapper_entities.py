"""Rows of entities: what is shuffled together, whose action is whose, what is not seen."""

from __future__ import annotations

from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies import MultiAgentHomomorphicNetwork, NetworkAgent
from symbench.wrappers import DropEntities, ShuffleEntities

TEAMS = ("symbench/Wildlife-v0", "symbench/Traffic-v0", "symbench/ParticleSpread-v0", "symbench/Pursuit-v0")


def order_of(seen: dict[str, np.ndarray], plain: dict[str, np.ndarray], key: str) -> list[int]:
    """Which row of the plain observation each row of the other is; of like rows each is taken once."""
    left = list(range(len(plain[key])))
    return [
        left.pop(next(i for i, other in enumerate(left) if np.array_equal(row, plain[key][other]))) for row in seen[key]
    ]


@pytest.mark.parametrize("env_id", TEAMS)
def test_all_entries_come_in_one_order_and_actions_find_their_agents(env_id: str) -> None:
    plain, env = gym.make(env_id), ShuffleEntities(gym.make(env_id), resample="step")
    known, _ = plain.reset(seed=3)
    seen, _ = env.reset(seed=3)
    orders = set()
    for _ in range(8):
        order = order_of(seen, known, "positions")
        orders.add(tuple(order))
        assert sorted(order) == list(range(len(order)))
        for key in seen:
            np.testing.assert_array_equal(seen[key], known[key][order])
        agents = plain.action_space.shape[0]  # type: ignore[index]
        assert sorted(order[:agents]) == list(range(agents))
        own = np.asarray(env.action_space.sample())
        told = np.empty_like(own)
        told[order[:agents]] = own
        known, reward, *_ = plain.step(told)
        seen, same_reward, *_ = env.step(own)
        assert reward == same_reward
        assert env.observation_space.contains(seen)
    assert len(orders) > 1


def test_a_team_that_shares_weights_does_not_notice_and_one_of_other_weights_does() -> None:
    torch.manual_seed(0)
    like = MultiAgentHomomorphicNetwork(
        spaces.MultiDiscrete([5] * 3), 3, action={"maps": [[0, 2, 3, 4, 1]]}, position_scale=2 / 21, size=15
    ).double()

    def returns(env: gym.Env, first_stays: bool) -> list[tuple[float, ...]]:
        agent, played = NetworkAgent(like, "team"), []
        for seed in range(3):
            observation, _ = env.reset(seed=seed)
            agent.reset()
            rewards, over = [], False
            while not over:
                action = np.array(agent.act(observation))
                if first_stays:
                    action[0] = 0
                observation, reward, terminated, truncated, _ = env.step(action)
                rewards.append(float(reward))
                over = terminated or truncated
            played.append((*rewards, *env.unwrapped.state["cells"].ravel().tolist()))  # type: ignore[attr-defined]
        return played

    plain = gym.make("symbench/Wildlife-v0", width=5, height=5)
    shuffled = ShuffleEntities(gym.make("symbench/Wildlife-v0", width=5, height=5), resample="step")
    assert returns(plain, first_stays=False) == returns(shuffled, first_stays=False)
    assert returns(plain, first_stays=True) != returns(shuffled, first_stays=True)


def test_edges_are_reordered_in_both_axes() -> None:
    class Graph(gym.Env):
        observation_space = spaces.Dict(
            {"entities": spaces.Box(0, 9, (4, 1), np.float32), "edges": spaces.Box(0, 99, (4, 4), np.float32)}
        )
        action_space = spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):  # type: ignore[no-untyped-def]
            names = np.arange(4, dtype=np.float32)
            return {"entities": names[:, None], "edges": 10 * names[:, None] + names}, {}

    seen, _ = ShuffleEntities(Graph()).reset(seed=1)
    names = seen["entities"][:, 0]
    assert names.tolist() != [0, 1, 2, 3]
    np.testing.assert_array_equal(seen["edges"], 10 * names[:, None] + names)


@pytest.mark.parametrize("env_id", TEAMS)
def test_dropped_entities_are_zero_in_every_entry_for_the_episode(env_id: str) -> None:
    plain, env = gym.make(env_id), DropEntities(gym.make(env_id), ratio=0.5)
    known, _ = plain.reset(seed=3)
    seen, _ = env.reset(seed=3)
    unseen = []
    for _ in range(4):
        gone = ~np.array([row.any() for row in seen["positions"]])
        unseen.append(gone)
        for key in seen:
            np.testing.assert_array_equal(seen[key][~gone], known[key][~gone])
            assert not seen[key][gone].any()
        action = plain.action_space.sample()
        (known, *_), (seen, *_) = plain.step(action), env.step(action)
    assert 2 * unseen[0].sum() in (len(unseen[0]), len(unseen[0]) + 1)
    assert all(np.array_equal(one, other) for one, other in pairwise(unseen))


def test_observations_without_rows_are_refused() -> None:
    with pytest.raises(SymbenchError, match="ShuffleEntities needs rows of entities: a Box"):
        ShuffleEntities(gym.make("CartPole-v1"))


@pytest.mark.parametrize("wrapper", [ShuffleEntities, DropEntities])
def test_the_rows_of_a_picture_are_no_entities(wrapper: type) -> None:
    with pytest.raises(SymbenchError, match="needs rows of entities: a Box"):
        wrapper(gym.make("symbench/GridWorld-v0"))
