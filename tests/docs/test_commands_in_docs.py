"""Whatever README and docs say can be typed has the commands and options that there are."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer
from docs_cases import DOCS, PAGES, ROOT

from symbench.cli import app

if TYPE_CHECKING:
    from pathlib import Path

WITH_HISTORY = [*PAGES, ROOT / "SECURITY.md", DOCS / "first-steps.ipynb"]
_LINE = re.compile(r"^ *(?:\$ |[A-Z_]+=\S+ |srun )?symbench ((?:[^\n\\]|\\\n)*)$", re.MULTILINE)
_WITHIN = re.compile(r"`symbench ([a-z][^`]*)`")
_FENCED = re.compile(r"^```(?:sh|text)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """What follows ``symbench`` in blocks, and in code within a sentence."""
    text = page.read_text(encoding="utf-8").replace("\\n", "\n") if page.suffix == ".ipynb" else page.read_text("utf-8")
    in_blocks = [line for block in _FENCED.findall(text) for line in _LINE.findall(block)]
    sentences = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    within = [f"{each} X" if each.split()[-1].startswith("--") else each for each in _WITHIN.findall(sentences)]
    return [*in_blocks, *within]


@cache
def command_line() -> Any:
    """What ``symbench`` is; made once, since that takes most of the time."""
    return typer.main.get_command(app)


def parse(command: str) -> None:
    """Parse a command line without running it.

    Raises:
        typer's UsageError: There is no such command, option, or place for an argument.
    """
    words = shlex.split(command.replace("\\\n", " ").split(" | ")[0], comments=True)
    found = command_line()
    while hasattr(found, "commands"):
        name = words.pop(0)
        assert name in found.commands or name.startswith("-"), f"no command {name!r}"
        if name.startswith("-"):
            return
        found = found.commands[name]
    context = found.context_class(found, info_name=found.name)
    found.make_parser(context).parse_args(args=words)


@pytest.mark.parametrize("page", WITH_HISTORY, ids=lambda page: page.name)
def test_commands_parse(page: Path) -> None:
    wrong = {}
    for command in commands(page):
        try:
            parse(command)
        except Exception as error:
            wrong[command] = str(error) or repr(error)
    assert wrong == {}


def test_commands_are_found_and_mistakes_noticed() -> None:
    assert len([each for page in WITH_HISTORY for each in commands(page)]) > 150
    parse("run --suite shuffle --task CartPole-v1 --agent ppo:mine.zip --trust   # a comment")
    with pytest.raises(AssertionError, match="no command 'runn'"):
        parse("runn --suite shuffle")
    with pytest.raises(Exception, match="--tasks"):
        parse("run --suite shuffle --tasks CartPole-v1")
