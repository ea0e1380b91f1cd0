"""Playing a cell: paired seeds, whole episodes, and numbers that depend on the cell alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from symbench.runner import Cell, Episodes, evaluate
from symbench.runner.evaluate import batches, single_thread
from symbench.tasks import TASKS, get_task
from symbench.zoo import load_agent

if TYPE_CHECKING:
    from collections.abc import Callable

SHUFFLE = ({"wrapper": "ShuffleSensors", "resample": 10},)


def assert_equal(ours: Episodes, theirs: Episodes) -> None:
    assert ours.columns() == theirs.columns()


def test_episodes_are_those_of_single_environments(cell: Callable[..., Cell]) -> None:
    """Every episode is counted from its seed to its own end, also while others of the batch go on."""
    asked = cell("mlp", episodes=6)
    batched = evaluate(asked)
    agent, env = load_agent(asked.source.path or ""), get_task(asked.task).make()
    for episode in range(6):
        observation, _ = env.reset(seed=100 + episode)
        agent.reset()
        total, steps, over, terminated = 0.0, 0, False, False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(agent.act(observation))
            total, steps, over = total + float(reward), steps + 1, terminated or truncated
        assert (batched.seeds[episode], batched.returns[episode]) == (100 + episode, total)
        assert (batched.lengths[episode], batched.terminated[episode]) == (steps, terminated)


def test_lengths_differ_so_that_the_test_above_means_something(cell: Callable[..., Cell]) -> None:
    assert len(set(evaluate(cell("mlp", episodes=6)).lengths.tolist())) > 1


def test_the_time_limit_is_not_termination(cell: Callable[..., Cell]) -> None:
    episodes = evaluate(cell(task="Pendulum-v1", episodes=2))
    assert episodes.lengths.tolist() == [200, 200] and not episodes.terminated.any()


def test_the_same_cell_gives_the_same_numbers(cell: Callable[..., Cell]) -> None:
    assert_equal(evaluate(cell("set", SHUFFLE)), evaluate(cell("set", SHUFFLE)))


def test_perturbations_leave_the_environments_episodes_alone(cell: Callable[..., Cell]) -> None:
    """Random actions do not depend on observations, so a perturbation must not change a single return: paired seeds."""
    noise = ({"wrapper": "AddNoiseChannels", "n": 4}, *SHUFFLE)
    clean = evaluate(cell(task="CartPoleSwingUp"))
    assert_equal(clean, evaluate(cell(task="CartPoleSwingUp", apply=SHUFFLE)))
    assert_equal(clean, evaluate(cell(task="CartPoleSwingUp", apply=noise)))


def test_shuffling_changes_what_a_fixed_order_agent_does(cell: Callable[..., Cell]) -> None:
    assert evaluate(cell("mlp")).returns.tolist() != evaluate(cell("mlp", SHUFFLE)).returns.tolist()


def test_many_episodes_are_played_in_batches(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    whole_cell = cell("mlp", episodes=7)
    whole = evaluate(whole_cell)
    task = TASKS[whole_cell.task]
    assert batches(whole_cell) == [range(100, 107)]
    monkeypatch.setitem(TASKS, task.name, replace(task, batch=3))
    assert batches(whole_cell) == [range(100, 103), range(103, 105), range(105, 107)]
    assert_equal(evaluate(whole_cell), whole)


def test_columns_survive_the_round_trip_bit_for_bit(cell: Callable[..., Cell]) -> None:
    episodes = evaluate(cell(task="CartPoleSwingUp"))
    again = Episodes.from_columns(episodes.columns())
    assert_equal(again, episodes)
    assert again.returns.dtype == np.float64


def test_torch_has_one_thread_inside_and_what_it_had_outside() -> None:
    torch.set_num_threads(2)
    try:
        with single_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
