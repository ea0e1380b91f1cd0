"""The site of the repository's own board, with all its suites, as a reader meets it in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

INDEX = Path(__file__).parents[2] / "leaderboards" / "site" / "index.html"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(INDEX.as_uri())
    yield page
    context.close()


def test_the_filter_of_suites_leaves_the_boards_of_one(page: Page) -> None:
    boards = page.locator(".board:visible")
    every = boards.count()
    suites = [suite for suite in page.locator("select[name=suite] option").all_inner_texts() if suite != "all"]
    assert len(suites) > 1
    left = 0
    for suite in suites:
        page.select_option("select[name=suite]", suite)
        page.wait_for_function("boards => document.querySelectorAll('.board:not([hidden])').length < boards", arg=every)
        assert {board.get_attribute("data-suite") for board in boards.all()} == {suite}
        left += boards.count()
    assert left == every, "each board is of one suite"
    page.get_by_role("button", name="Clear").click()
    page.locator("#found", has_text=re.compile(f"on {every} boards")).wait_for()
    assert boards.count() == every


def test_the_first_ranked_agent_stands_above_the_fold(page: Page) -> None:
    first = page.locator(".board .line").first.bounding_box()
    assert first and first["y"] + first["height"] <= 800
