"""Attack: numbers that nobody can have measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from attack_cases import BOARD, TASK, Files, board_of, complaints, copied, field_of, key, metadata, small_suite

from symbench.leaderboard.board import make_boards
from symbench.leaderboard.validate import validate
from symbench.tasks import TASKS

if TYPE_CHECKING:
    from pathlib import Path

RUN = ("tasks", TASK, "runs", 0)


@pytest.fixture
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", small_suite(tmp_path / "suites"))


def short(rows: list[list[str]]) -> list[list[str]]:
    """All episodes are cut after 10 steps."""
    return [[*row[:5], "10.0", "10", "0"] for row in rows]


def test_an_episode_that_nothing_ended_is_refused(tmp_path: Path) -> None:
    board = board_of(tmp_path / "board")
    copied(board, "sb3-ppo", "short", rows=short)
    found = complaints(board)
    assert found[0].endswith(
        "terminated: 1 after 10 steps, for the time limit is 500, is expected, received '0' [time-limit]"
    )
    assert found[-1].endswith("and 680 more [time-limit]") and len(found) == 21


@pytest.mark.usefixtures("_tiny_suite")
def test_an_episode_that_the_time_limit_ends_is_fine(tmp_path: Path) -> None:
    files = Files()
    field_of(3, "length", "1000")(files)
    field_of(3, "terminated", "0")(files)
    assert complaints(files.write(tmp_path / "s")) == []


@pytest.mark.parametrize(("task", "length", "fine"), [("TSP20", 19, False), ("TSP20", 20, True), ("CVRP20", 19, False)])
def test_a_tour_visits_every_city(task: str, length: int, fine: bool) -> None:
    limits = TASKS[task].limits
    assert limits is not None and (limits.least <= length <= limits.steps) == fine


def test_pong_may_be_cut_some_steps_before_its_limit() -> None:
    """Frames before the first step count."""
    limits = TASKS["Pong"].limits
    assert limits is not None
    assert limits.can_be_cut(np.array([10, 26_800, 26_995, 27_000])).tolist() == [False, False, True, True]


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("tasks", TASK, "parameters"), 0, "parameters: at least 1 is expected of an agent with tensors, received 0"),
        (("tasks", TASK, "parameters"), 10**13, "less than or equal to 1000000000000"),
        ((*RUN, "seed"), 10**4000, "seed: Input should be less than or equal to 18446744073709551615"),
        ((*RUN, "seed"), 2**64, "less than or equal to 18446744073709551615"),
        ((*RUN, "seed"), -1, "greater than or equal to 0"),
        ((*RUN, "weights"), None, "only random play has weights null"),
        (("machines", 0, "cores"), 10**4000, "less than or equal to 1000000000"),
        (("machines", 0, "cells"), 10**30, "less than or equal to 1000000000"),
        (("tolerance",), 1e308, "less than or equal to 0.05"),
    ],
)
def test_metadata_hold_numbers_that_can_be(
    tmp_path: Path, path: tuple[str | int, ...], value: Any, message: str
) -> None:
    files = Files()
    key(*path, to=value)(files)
    (line,) = complaints(files.write(tmp_path / "s"))
    assert message in line and len(line) < 700


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize("written", [f"{TASK} ", f"\u00a0{TASK}"])
@pytest.mark.parametrize("first", [True, False])
def test_two_keys_that_read_alike_are_not_one(tmp_path: Path, written: str, first: bool) -> None:
    """One reader of the file would see these parameters, another one those."""

    def doubled(files: Files) -> None:
        entry = {written: {**files.card["tasks"][TASK], "parameters": 1}}
        files.card["tasks"] = {**entry, **files.card["tasks"]} if first else {**files.card["tasks"], **entry}

    files = Files()
    doubled(files)
    (line,) = complaints(files.write(tmp_path / "s"))
    assert "a key with plain spaces, none at its ends" in line


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize("seed", [0, 2**32, 2**64 - 1, None])
def test_every_seed_that_a_generator_takes_is_fine(tmp_path: Path, seed: int | None) -> None:
    files = Files()
    key("tasks", TASK, "runs", 1, "seed", to=seed)(files)
    key(*RUN, "seed", to=7)(files)
    assert complaints(files.write(tmp_path / "s")) == []


def test_an_agent_of_an_earlier_format_has_parameters_too(tmp_path: Path) -> None:
    board = board_of(tmp_path / "board")
    copied(board, "sb3-ppo", "small", lambda card: card["tasks"]["CartPole-v1"].update(parameters=0))
    (line,) = complaints(board)
    assert "parameters: at least 1 is expected, received 0: only random play has none" in line


def test_weights_null_are_random_play_and_never_ranked(tmp_path: Path) -> None:
    def no_weights(card: dict[str, Any]) -> None:
        for of in card["tasks"][TASK]["runs"]:
            of["weights"] = None

    board = board_of(tmp_path / "board", "random")
    copied(board, "mlp", "nobody", no_weights)
    (line,) = complaints(board)
    assert "runs: only random play has weights null, and is one run with seed null and 0 parameters" in line
    (board / "nobody.csv").unlink()
    (board / "nobody.json").unlink()
    submissions, problems = validate([board])
    assert not problems
    (made,) = make_boards(submissions, {})
    assert [of.rank for of in made.lines] == [None]


@pytest.mark.slow
def test_the_submissions_of_the_repository_are_kept() -> None:
    submissions, problems = validate([BOARD])
    assert not problems and {each.card.name for each in submissions} >= {"mlp", "random", "sb3-ppo", "sb3-dqn"}
    noted = {each.card.name: len(each.notes) for each in submissions if each.notes}
    # CartPole turned round is CartPole, 500 for all; so it is shuffled, to who cannot mind; GridWorld: perfect play.
    perfect = ("attention-neuron-ppo-shuffle", "cnn-group-gridworld", "equivariant-cnn-group-gridworld")
    saturated = dict.fromkeys(("equivariant-mlp-group", "mlp-group", *perfect), 4)
    lost = {"equivariant-mlp-dropout": 4, "mlp-dropout": 1, "equivariant-mlp-delay": 2, "mlp-delay": 1}
    assert noted == saturated | lost, "dead or late sensors make CartPole's runs fall alike"
    assert metadata()["format"] == submissions[0].card.format
