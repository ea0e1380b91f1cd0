"""A card says what code trained its agent: a training by code that no commit holds is refused, or says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from symbench.errors import SymbenchError
from symbench.training import train
from symbench.zoo import load_card

if TYPE_CHECKING:
    from tests.training.conftest import Commit, Interrupt, Tiny

CLEAN, DIRTY, NAME = "a" * 40, "a" * 40 + "+changes", "attention-neuron"


def test_a_dirty_checkout_does_not_train_and_deletes_nothing(tiny: Tiny, commit: Commit, tmp_path: Path) -> None:
    path = train(NAME, tmp_path, overrides=tiny(NAME))
    before = path.with_suffix(".safetensors").read_bytes()
    commit(DIRTY)
    with pytest.raises(SymbenchError, match=r"differ from its commit.*commit them, or take --allow-dirty"):
        train(NAME, tmp_path, overrides=tiny(NAME), resume=False)
    assert path.with_suffix(".safetensors").read_bytes() == before
    assert train(NAME, tmp_path, overrides=tiny(NAME)) == path  # finished: nothing is trained
    with pytest.raises(SymbenchError, match="--allow-dirty"):
        train(NAME, tmp_path, 1, overrides=tiny(NAME))
    assert not (tmp_path / NAME / "s1").exists()


@pytest.mark.parametrize("said", [CLEAN, None])  # None: no source checkout
def test_a_clean_card_does_not_speak_of_it(said: str | None, tiny: Tiny, commit: Commit, tmp_path: Path) -> None:
    commit(said)
    card = load_card(train(NAME, tmp_path, overrides=tiny(NAME), allow_dirty=True))
    assert card["commit"] == said
    assert "allow_dirty" not in card


def test_what_was_allowed_is_on_the_card(tiny: Tiny, commit: Commit, tmp_path: Path) -> None:
    commit(DIRTY)
    path = train(NAME, tmp_path, overrides=tiny(NAME), allow_dirty=True)
    story = json.loads((path.parent / "train.json").read_text())
    assert load_card(path)["commit"] == DIRTY
    assert load_card(path)["allow_dirty"] is story["allow_dirty"] is True


def test_a_commit_in_the_middle_does_not_make_a_training_clean(
    tiny: Tiny, commit: Commit, interrupt: Interrupt, tmp_path: Path
) -> None:
    commit(DIRTY)
    interrupt(3)
    with pytest.raises(KeyboardInterrupt):
        train(NAME, tmp_path, overrides=tiny(NAME), allow_dirty=True)
    commit(CLEAN)
    interrupt(0)
    card = load_card(train(NAME, tmp_path, overrides=tiny(NAME)))
    assert (card["commit"], card["allow_dirty"]) == (CLEAN, True)
