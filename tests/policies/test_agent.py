from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.policies import (
    Agent,
    AttentionNeuronNetwork,
    MLPNetwork,
    NetworkAgent,
    RandomAgent,
    VisionAttentionNeuronNetwork,
)
from symbench.policies import policy_network as networks_module

BOX, ONE = spaces.Box(np.float32([-1, 0]), np.float32([1, 5])), spaces.Box(-1, 1, (1,))
SENSORS = spaces.Box(-1, 1, (5,))


def play(agent: Agent, num_envs: int, steps: int = 100, seed: int = 0) -> np.ndarray:
    agent.reset(num_envs, seed=seed)
    return np.stack([agent.act(np.zeros((num_envs, 5))) for _ in range(steps)])


WHOLE = [spaces.Box(0, 3, (2,), np.int64), spaces.Box(-2, 2, (3,), np.int8), spaces.Box(0, 255, (1,), np.uint8)]


@pytest.mark.parametrize(
    "space",
    [BOX, spaces.Discrete(3), spaces.Discrete(4, start=2), spaces.MultiDiscrete([2, 9]), spaces.MultiBinary(3), *WHOLE],
    ids=str,
)
def test_random_actions_fill_the_space(space: spaces.Space) -> None:
    actions = play(RandomAgent(space), 20)
    assert all(space.contains(action) for step in actions for action in step)
    if isinstance(space, spaces.Discrete):
        assert set(actions.ravel()) == set(range(int(space.start), int(space.start + space.n)))


@pytest.mark.parametrize("space", [*WHOLE[:2], spaces.MultiBinary(3)], ids=str)
def test_whole_numbers_are_equally_likely(space: spaces.Space) -> None:
    """Also the ends of a Box, and its zero: random play is where scores begin."""
    values, counts = np.unique(play(RandomAgent(space), 20, steps=500), return_counts=True)
    low, high = (space.low.min(), space.high.max()) if isinstance(space, spaces.Box) else (0, 1)
    assert values.tolist() == list(range(low, high + 1))
    assert counts / counts.sum() == pytest.approx(1 / len(values), abs=0.01)


def test_random_actions_are_what_their_streams_say_step_by_step() -> None:
    actions = play(RandomAgent(spaces.Discrete(7)), 3, steps=150, seed=5)
    for place in range(3):
        stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(5, spawn_key=(place,))))
        drawn = np.concatenate([stream.random(64) for _ in range(3)])[:150]
        assert actions[:, place].tolist() == (drawn * 7).astype(int).tolist()


def test_random_actions_depend_on_seed_and_place_only() -> None:
    few, many = play(RandomAgent(BOX), 2), play(RandomAgent(BOX), 7)
    assert np.array_equal(few, many[:, :2])
    assert not np.array_equal(many[:, 0], many[:, 1])
    assert not np.array_equal(few, play(RandomAgent(BOX), 2, seed=1))


def test_random_agent_needs_bounds() -> None:
    with pytest.raises(ValueError, match="bounded Box, received"):
        RandomAgent(spaces.Box(-np.inf, np.inf, (2,)))


def test_random_agent_fits_its_own_actions_only() -> None:
    agent = RandomAgent(BOX)
    assert agent.incompatibility(SENSORS, BOX) is None
    assert "the task has Discrete(2)" in str(agent.incompatibility(SENSORS, spaces.Discrete(2)))


@pytest.mark.parametrize("shape", [(5,), (96, 96, 3)])
def test_single_observation_gives_single_action(shape: tuple[int, ...]) -> None:
    agent = RandomAgent(BOX)
    agent.reset()
    assert agent.act(np.zeros(shape)).shape == (2,)
    assert agent.act(np.zeros((1, *shape))).shape == (1, 2)
    assert agent.act({"image": np.zeros((1, *shape))}).shape == (1, 2)


def test_batch_is_many_single_agents() -> None:
    network = AttentionNeuronNetwork(spaces.Box(-0.01, 0.02, (2,)))
    observations = np.random.default_rng(0).normal(size=(6, 4, 5))
    batch = NetworkAgent(network, "batch")
    batch.reset(4)
    together = np.stack([batch.act(step) for step in observations])
    assert together.dtype == np.float32
    for i in range(4):
        single = NetworkAgent(network, "single")
        single.reset()
        alone = np.stack([single.act(step[i]) for step in observations])
        np.testing.assert_allclose(alone, together[:, i], atol=1e-6)


@pytest.mark.parametrize("micro_batch_size", [1, 10, 15, 1000])
def test_batch_may_be_computed_in_parts(micro_batch_size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    observations = np.random.default_rng(0).normal(size=(4, 7, 5))
    network, mask = AttentionNeuronNetwork(ONE), np.arange(7) % 3 == 0
    played = []
    for limit in (networks_module._SENSORS_AT_ONCE, micro_batch_size):
        monkeypatch.setattr(networks_module, "_SENSORS_AT_ONCE", limit)
        agent = NetworkAgent(network, "x")
        agent.reset(7)
        played.append([])
        for step in observations:
            played[-1].append(agent.act(step))
            agent.restart(mask)
    np.testing.assert_allclose(played[0], played[1], atol=1e-6)


def test_restart_forgets_only_where_asked() -> None:
    observations = np.random.default_rng(0).normal(size=(8, 3, 5))
    agent, fresh = (NetworkAgent(AttentionNeuronNetwork(ONE), "x") for _ in range(2))
    fresh.network.load_state_dict(agent.network.state_dict())
    agent.reset(3)
    undisturbed = np.stack([agent.act(step) for step in observations])
    agent.reset(3)
    for step in observations[:4]:
        agent.act(step)
    agent.restart(np.array([False, True, False]))
    fresh.reset(3)
    for t, step in enumerate(observations[4:], 4):
        actions, new = agent.act(step), fresh.act(step)
        np.testing.assert_array_equal(actions[[0, 2]], undisturbed[t, [0, 2]])
        np.testing.assert_allclose(actions[1], new[1], atol=1e-6)


def test_reset_forgets_everything() -> None:
    agent = NetworkAgent(AttentionNeuronNetwork(ONE), "x")
    agent.restart(np.array([True]))  # nothing to forget yet
    agent.reset()
    first = agent.act(np.ones(5))
    agent.act(np.zeros(5))
    agent.reset()
    assert np.array_equal(agent.act(np.ones(5)), first)


def test_discrete_networks_play_the_greatest_score() -> None:
    network = MLPNetwork(5, spaces.Discrete(4))
    agent = NetworkAgent(network, "x")
    agent.reset(6)
    observations = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    scores, _ = network.logits(torch.as_tensor(observations), ())
    actions = agent.act(observations)
    assert actions.dtype == np.int64
    assert np.array_equal(actions, scores.argmax(1).numpy())


@pytest.mark.parametrize("micro_batch_size", [2, 1000])
def test_networks_choose_the_greatest_score_of_what_is_allowed(
    micro_batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = MLPNetwork(5, spaces.Discrete(4))
    monkeypatch.setattr(MLPNetwork, "micro_batch_size", lambda *_: micro_batch_size)
    agent, rng = NetworkAgent(network, "x"), np.random.default_rng(0)
    agent.reset(6)
    observations, masks = rng.normal(size=(6, 5)).astype(np.float32), rng.random((6, 4)) < 0.5
    masks[0] = False  # where nothing is allowed, all is
    scores = network.logits(torch.as_tensor(observations), ())[0].detach().numpy()
    agent.allow(masks)
    allowed = np.where(masks | ~masks.any(axis=1, keepdims=True), scores, -np.inf)
    assert np.array_equal(agent.act(observations), allowed.argmax(1))
    agent.allow(None)
    assert np.array_equal(agent.act(observations), scores.argmax(1))
    assert not np.array_equal(allowed.argmax(1), scores.argmax(1))


def test_sensors_cannot_appear_within_an_episode() -> None:
    agent = NetworkAgent(AttentionNeuronNetwork(ONE), "x")
    agent.reset(2)
    agent.act(np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"shape \(2, 5\) until reset\(\), received \(2, 6\)"):
        agent.act(np.zeros((2, 6)))


def test_incompatibility_says_why() -> None:
    mlp = NetworkAgent(MLPNetwork(5, BOX), "mlp")
    assert mlp.incompatibility(SENSORS, BOX) is None
    assert mlp.incompatibility(spaces.Box(-1, 1, (10,)), BOX) == "mlp reads 5 sensors in a fixed order, received 10"
    assert mlp.incompatibility(SENSORS, spaces.Discrete(2)) == (
        "mlp acts in Box(2,) from [-1, 0] to [1, 5], the task has Discrete(2)"
    )
    assert mlp.incompatibility(spaces.Box(0, 255, (84, 84, 1), np.uint8), BOX) == (
        "mlp reads a vector of sensors, the task gives Box(84, 84, 1)"
    )


def test_set_networks_fit_any_number_of_sensors() -> None:
    agent = NetworkAgent(AttentionNeuronNetwork(spaces.Discrete(3)), "x")
    for sensors in (1, 5, 500):
        assert agent.incompatibility(spaces.Box(-1, 1, (sensors,)), spaces.Discrete(3)) is None
    assert agent.incompatibility(SENSORS, spaces.Discrete(2)) == "x acts in Discrete(3), the task has Discrete(2)"


@pytest.mark.parametrize(
    ("shape", "dtype", "received"),
    [
        ((85, 84, 1), np.uint8, "85x84"),
        ((84, 84, 3), np.uint8, r"\(84, 84, 3\)"),
        ((84, 84, 1), np.float32, "float32"),
        ((8,), np.float32, r"\(2, 8\)"),
    ],
)
def test_what_a_network_cannot_read_is_refused_with_what_it_reads(shape: Any, dtype: Any, received: str) -> None:
    agent = NetworkAgent(VisionAttentionNeuronNetwork(spaces.Discrete(6), num_codes=16, conv=[], hidden=[8]), "mine")
    agent.reset(2)
    with pytest.raises(ValueError, match=f"mine .*{received}"):
        agent.act(np.zeros((2, *shape), dtype))
    assert agent.act(np.zeros((2, 84, 84, 1), np.uint8)).shape == (2,)
