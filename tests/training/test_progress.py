"""Every training says how far it is and how long it will take."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from symbench.training import train
from symbench.training.progress import Meter
from tests.training.conftest import Tiny
from tests.training.test_scalar_logs import RECIPES


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [*RECIPES, "patch-unshuffler"])
def test_every_algorithm_ends_with_nothing_left(
    recipe: str, tiny: Tiny, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    train(recipe, tmp_path, overrides=tiny(recipe))
    lines = capsys.readouterr().err.splitlines()
    shown = [re.fullmatch(rf"{recipe}/s0: (\d+)% \([\d,]+ of [\d,]+\), .+, \d+ s, (\S+) left", line) for line in lines]
    assert all(shown) and shown[-1], lines
    assert shown[-1].groups() == ("100", "0:00:00")


def test_the_time_left_is_in_proportion_to_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with Meter("mine/s0") as meter:
        meter.show(10, 100, 1.0, 600.0)
        meter.show(50, 100, 1.0, 1000.0)
    assert [line.split(", ")[-1] for line in capsys.readouterr().err.splitlines()] == ["1:30:00 left", "0:16:40 left"]


def test_a_terminal_shows_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, clock = Terminal(), iter(range(0, 10**6, 60))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr("sys.stderr", screen)
    with Meter("mine/s0") as meter:
        meter._bar.get_time = lambda: float(next(clock))  # a minute between two looks: more than rich's own window
        for done in (10, 20, 30):
            meter.show(done, 100, 1.5, 60.0 * done)
    shown = re.sub(r"\x1b\[[\d;?]*\w", "", screen.getvalue())
    assert "return 1.5" in shown and "30/100" in shown
    assert re.search(r"\d:\d\d:\d\d left", shown), shown
