"""What orientation costs the bundled teams, and agents that share only what they send beside one network for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
import torch

from symbench.policies import NetworkAgent
from symbench.runner.agents import resolve
from symbench.runner.evaluate import play
from symbench.runner.orientations import EQUAL, SEED, returns_under
from symbench.runner.transformed_starts import TransformedStarts, transformable
from symbench.tasks import get_task
from symbench.viz.analyse import analyse
from symbench.zoo import bundled, load_agent

if TYPE_CHECKING:
    from pathlib import Path

EPISODES = 12


def test_trained_in_one_orientation_an_equivariant_team_plays_the_same_in_all(tmp_path: Path) -> None:
    source = resolve(["marl-equivariant"], "Wildlife")[0]
    lines = analyse(source, "Wildlife", tmp_path, ["orientations"], EPISODES)
    table = pd.read_csv(tmp_path / "orientations.csv")
    assert len(table) == 8  # of D4; drones keep their order
    assert table.largest_change.max() <= EQUAL
    assert f"returns of 0 of {EPISODES} episodes change" in lines["orientations"]


def test_greedy_play_takes_the_first_of_equally_good_actions_which_does_not_turn() -> None:
    """Control: without lots the same team plays other episodes, and fewer are won."""
    declaration, seeds = transformable("symbench/Wildlife-v0"), list(range(SEED, SEED + 40))
    assert declaration is not None
    network = load_agent(str(bundled("Wildlife")["marl-equivariant"][0])).network
    agent = NetworkAgent(network, "greedy", torch.float64)
    as_it_is, turned = (
        play(TransformedStarts(get_task("Wildlife").make_vec(40), declaration, g), agent, seeds).returns for g in (0, 6)
    )
    assert (as_it_is != turned).any()
    assert returns_under(network, "Wildlife", declaration, 6, 40).mean() > max(as_it_is.mean(), turned.mean())


def test_a_standard_team_plays_other_episodes(tmp_path: Path) -> None:
    source = resolve(["marl-standard"], "Wildlife")[0]
    analyse(source, "Wildlife", tmp_path, ["orientations"], EPISODES)
    table = pd.read_csv(tmp_path / "orientations.csv")
    assert table.largest_change[0] == 0
    assert (table.largest_change[1:] > 0.01).all()


@pytest.mark.parametrize("agent", ["marl-equivariant", "marl-standard"])
def test_agents_on_their_own_act_as_one_network_in_every_step(tmp_path: Path, agent: str) -> None:
    analyse(resolve([agent], "Wildlife")[0], "Wildlife", tmp_path, ["distributed"], EPISODES)
    row = pd.read_csv(tmp_path / "distributed.csv").iloc[0]
    assert row.equal_joint_actions == row.steps >= EPISODES
    assert row.bytes_per_step > 8 * 2 * 3 * 2  # places alone


def test_what_does_not_fit_is_left_out(tmp_path: Path) -> None:
    cart = resolve(["mlp"], "CartPole-v1")[0]
    assert "left out" in analyse(cart, "CartPole-v1", tmp_path, ["orientations"])["orientations"]
    assert "sees all at once" in analyse(cart, "CartPole-v1", tmp_path, ["distributed"])["distributed"]
