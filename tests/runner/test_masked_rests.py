"""Environments whose episode is over are stepped with actions that they allow."""

from __future__ import annotations

import numpy as np

from symbench.policies import RandomAgent
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.wrappers.vector import TransformByGroup


def test_episodes_of_different_lengths() -> None:
    envs = get_task("CVRP20").make_vec(40)
    episodes = play(envs, RandomAgent(envs.single_action_space), list(range(40)))
    assert len(set(episodes.lengths.tolist())) > 1 and episodes.terminated.all()
    assert (episodes.lengths >= 20).all() and (episodes.lengths <= 39).all() and (episodes.returns < -4).all()


def test_the_same_where_cities_have_other_labels() -> None:
    envs = TransformByGroup(get_task("CVRP20").make_vec(40), symmetry="CVRP20", variant="relabelling")
    episodes = play(envs, RandomAgent(envs.single_action_space), list(range(40)))
    assert np.isfinite(episodes.returns).all() and episodes.terminated.all()
