"""A page that needs nothing but itself, and in which names are names."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

import html5lib
import pytest

from symbench.exports import page
from symbench.leaderboard.text import return_of, with_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.leaderboard import Report

HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'"
COMMAND = "symbench run --agent 'x</pre><script src=//evil>'"


def parsed(content: str) -> html5lib.treebuilders.base.Node:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(content)


def test_it_is_valid_and_needs_no_network(report_of: Callable[..., Report]) -> None:
    content = page(report_of(tasks=("CartPole-v1", "CartPoleSwingUp")))
    tree = parsed(content)
    assert not list(tree.iter("script")) and not list(tree.iter("img"))
    references = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', content)
    assert all((link or url).startswith(("#", "data:,")) for link, url in references)
    assert "default-src 'none'" in content


def test_ids_of_two_figures_differ(report_of: Callable[..., Report]) -> None:
    content = page(report_of(tasks=("CartPole-v1", "CartPoleSwingUp")))
    ids = re.findall(r'\bid="([^"]*)"', content)
    assert content.count("<svg") == 2 and ids and len(ids) == len(set(ids))
    used = set(re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', content))
    assert {link or url for link, url in used} <= set(ids)


def test_it_says_what_the_report_says(report_of: Callable[..., Report]) -> None:
    report = report_of()
    text = unescape(page(report))
    for row in report.rows:
        assert return_of(row) in text
        if row.agent != "random" and not row.condition.baseline:
            assert with_interval(row.retention, percent=True) in text
    assert report.answer in text and "symbench run --suite tiny" in text


def test_everything_that_a_run_names_is_escaped(report_of: Callable[..., Report]) -> None:
    report = report_of(command=COMMAND, description=HOSTILE)
    rows = [
        replace(row, agent=HOSTILE, task=HOSTILE, condition=row.condition.model_copy(update={"label": HOSTILE}))
        for row in report.rows
        if row.agent == "mlp"
    ]
    tasks = {HOSTILE: next(iter(report.manifest.tasks.values()))}
    hostile = replace(report, rows=rows, manifest=report.manifest.model_copy(update={"tasks": tasks}), answer=HOSTILE)
    tree = parsed(page(hostile))
    assert not list(tree.iter("script")) and not list(tree.iter("img"))
    cells = ["".join(cell.itertext()) for cell in tree.iter("td")]
    assert HOSTILE in cells
    assert "".join(next(iter(tree.iter("pre"))).itertext()) == COMMAND


def test_it_is_light_and_dark(report_of: Callable[..., Report]) -> None:
    content = page(report_of())
    assert "@media (prefers-color-scheme: dark)" in content
    figure = content[content.index("<svg") : content.index("</svg>")]
    assert "currentColor" in figure and "var(--c0)" in figure
    assert not re.search(r"#(?:262626|ffffff|0072b2)\b", figure)


def test_the_same_run_gives_the_same_page(report_of: Callable[..., Report]) -> None:
    assert page(report_of()) == page(report_of())


def test_what_has_not_been_played_has_no_figure(report_of: Callable[..., Report]) -> None:
    report = report_of()
    nan = float("nan")
    empty = [
        replace(row, runs=0, iqm=type(row.iqm)(nan, nan, nan), retention=type(row.iqm)(nan, nan, nan))
        for row in report.rows
    ]
    assert "<svg" not in page(replace(report, rows=empty))


def test_without_jinja_one_line_says_what_to_install(
    report_of: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(ValueError, match=r"pip install 'symbench\[site\]'"):
        page(report_of())
