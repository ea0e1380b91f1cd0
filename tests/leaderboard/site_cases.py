"""Boards for the tests of the site: ranked and unranked, verified and unverified ones, in two tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maintainer_keys import entry_of
from submission_cases import TASK, Files, metadata, table

from symbench.leaderboard.board import make_boards
from symbench.leaderboard.validate import read_submission

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.leaderboard.board import Board
    from symbench.leaderboard.validate import Submission

LONG = "attention over a history of eight steps of every sensor, trained in another order in every episode, " * 3
OTHER_TASK = "CartPole-v1"


def add(folder: Path, name: str, runs: int = 5, keep: float = 0.5, **changes: Any) -> Submission:
    """Writes a submission into ``folder/submissions``."""
    card = metadata(name, runs, **changes)
    return read_submission(Files(card, table(card, 0, keep), name).write(folder / "submissions"))


def some_boards(folder: Path) -> list[Board]:
    """Two boards, of five agents and of one."""
    last = metadata("deaf", 5)["tasks"]
    last[TASK]["cannot_act"] = {"add-noise-channels/+5": "reads <5> sensors"}
    submissions = [
        *(add(folder, "strong", keep=0.9), add(folder, "weak", keep=0.2), add(folder, "few", runs=2, keep=0.7)),
        *(add(folder, "single", runs=1, keep=0.4), add(folder, "deaf", tasks=last)),
        add(folder, "upright", task=OTHER_TASK, keep=0.3),
    ]
    seen = {each.card.name: entry_of(each) for each in submissions[:1]}
    return make_boards(submissions, seen)


def many_agents(folder: Path, count: int = 30) -> list[Board]:
    """One board with names and descriptions from short to very long, ranked and not, verified and not."""
    submissions = [
        add(
            folder,
            f"{'a-very-long-name-of-an-agent-with-many-parts-' * (number % 3 == 1)}agent-{number:02d}",
            runs=(5, 5, 2, 10)[number % 4],
            keep=0.95 - number / (count + 2),
            description=("short", LONG[:200].strip(), "an ordinary network")[number % 3],
        )
        for number in range(count)
    ]
    seen = {each.card.name: entry_of(each) for each in submissions[::4]}
    return make_boards(submissions, seen)
