"""Attack: episodes are invented where the agent cannot act, or left out where it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from verify_cases import NOISY, SHUFFLED, doctored, networks, small_suite, submitted, tasks

from symbench.errors import SymbenchError
from symbench.leaderboard.validate import read_submission
from symbench.leaderboard.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

    from verify_cases import Row


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    small_suite(tmp_path, monkeypatch)
    return networks(tmp_path)


def test_the_honest_submission_passes(tmp_path: Path, agents: list[str]) -> None:
    honest = read_submission(submitted(tmp_path, agents))
    assert list(honest.card.tasks["CartPole-v1"].cannot_act) == [NOISY]
    assert verify(honest, agents).problems == []


def test_invented_episodes_where_the_agent_cannot_act_are_refused(tmp_path: Path, agents: list[str]) -> None:
    table = submitted(tmp_path, agents)

    def invented(rows: list[Row]) -> list[Row]:
        noisy = [[row[0], *NOISY.split("/"), *row[3:]] for row in rows if row[1] == "none"]
        return rows + noisy

    lies = doctored(table, invented, tasks=tasks(table, cannot_act={}))
    with pytest.raises(SymbenchError, match=r"noise.*: episodes were submitted, but the agent cannot act there"):
        verify(lies, agents, cells=1)  # whichever cell is drawn


def test_a_bad_condition_is_not_left_out_by_saying_that_the_agent_cannot_act(tmp_path: Path, agents: list[str]) -> None:
    table = submitted(tmp_path, agents)
    cannot = {NOISY: "reads 4 sensors", SHUFFLED: "does not like it"}
    lies = doctored(
        table, lambda rows: [row for row in rows if row[1] == "none"], tasks=tasks(table, cannot_act=cannot)
    )
    with pytest.raises(SymbenchError, match=r"shuffle-sensors.*: cannot_act says .* but it can"):
        verify(lies, agents, cells=1)
