"""A cell's id is readable, its hash stands for everything that can change its numbers and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from symbench.runner import AgentSource, Cell
from symbench.suites import Apply

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_id_reads_from_suite_to_training_run(cell: Callable[..., Cell]) -> None:
    source = AgentSource(name="attention-neuron", run=2, kind="zoo", digest="0")
    made = cell(suite="shuffle", version=1, perturbation="shuffle-sensors", level="every-100", source=source)
    assert made.id == "shuffle@1/CartPole-v1/shuffle-sensors/every-100/attention-neuron/s2"


@pytest.mark.parametrize(
    "change",
    [
        {"task": "Acrobot-v1"},
        {"episodes": 6},
        {"seed": 1},
        {"version": 4},
        {"apply": (Apply(wrapper="ShuffleSensors"),)},
        {"source": AgentSource(name="a", kind="zoo", digest="1")},
    ],
)
def test_what_can_change_numbers_changes_the_hash(cell: Callable[..., Cell], change: dict[str, object]) -> None:
    assert cell().model_copy(update=change).spec_hash != cell().spec_hash


def test_the_order_of_perturbations_is_part_of_the_hash(cell: Callable[..., Cell]) -> None:
    noise, shuffle = {"wrapper": "AddNoiseChannels", "n": 5}, {"wrapper": "ShuffleSensors"}
    assert cell(apply=(noise, shuffle)).spec_hash != cell(apply=(shuffle, noise)).spec_hash


def test_where_the_files_are_does_not_matter(cell: Callable[..., Cell]) -> None:
    here = AgentSource(name="a", kind="sb3", algorithm="ppo", digest="1", path="here.zip", trust=True)
    there = here.model_copy(update={"path": "there.zip", "trust": False})
    assert cell(source=here).spec_hash == cell(source=there).spec_hash
    assert "here" not in cell(source=here).model_dump_json()


def test_hashes_do_not_change_between_releases(cell: Callable[..., Cell]) -> None:
    """If this fails on purpose, every published cell is computed again: raise PROTOCOL and say so in the changelog."""
    assert cell(apply=({"wrapper": "ShuffleSensors", "resample": 100},)).spec_hash[:16] == "0105bbdbd028dc3b"
