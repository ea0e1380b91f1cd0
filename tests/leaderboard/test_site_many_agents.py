"""A board of thirty agents in a real browser and on paper: still read at a glance."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_cases import barriers
from site_cases import many_agents
from submission_cases import SUITE

from symbench.leaderboard.site import write_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

AGENTS, DESKTOP = 30, (1280, 900)
BOX = "element => element.getBoundingClientRect().toJSON()"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    (folder / "suites").mkdir()
    (folder / "suites" / "tiny.toml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symbench.suites.loader._BUNDLED", folder / "suites")
        write_site(many_agents(folder, AGENTS), folder / "site")
    return folder / "site"


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator[Open]:
    contexts = []

    def open_page(width: int = DESKTOP[0], height: int = DESKTOP[1], path: str = "index.html") -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        page = contexts[-1].new_page()
        page.goto((site / path).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


def sheets(page: Page) -> int:
    """Sheets of A4 that a printer needs."""
    return len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", print_background=True)))


@pytest.mark.parametrize(("width", "highest"), [(1280, 130), (390, 260)])
def test_a_line_is_short_whatever_its_description(visit: Open, width: int, highest: int) -> None:
    page = visit(width)
    heights = [line.evaluate(BOX)["height"] for line in page.locator(".line").all()]
    assert len(heights) == AGENTS and max(heights) <= highest
    page.fill("input[name=search]", "history of eight steps")
    assert page.locator(".line:visible").count() == AGENTS // 3, "what is cut off is searched, too"


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1920])
def test_nothing_is_wider_than_the_page(visit: Open, width: int) -> None:
    page = visit(width)
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    right = page.locator(".board table").evaluate(BOX)["right"]
    assert right <= page.locator(".board").evaluate(BOX)["right"]


def test_the_chart_stays_beside_the_last_agent(visit: Open) -> None:
    page = visit()
    last = page.locator(".line").last
    last.evaluate("element => element.scrollIntoView({ block: 'end' })")
    chart, line = page.locator(".board figure svg").first.evaluate(BOX), last.evaluate(BOX)
    assert page.evaluate("scrollY") > DESKTOP[1], "there are more agents than fit on a screen"
    assert 0 <= chart["top"] and chart["bottom"] <= DESKTOP[1] and chart["left"] >= line["right"]
    last.hover()
    assert page.locator(".curve.lit").first.get_attribute("data-agent") == last.get_attribute("data-agent")


def test_a_chart_of_few_conditions_is_not_blown_up(visit: Open) -> None:
    for path in ("index.html", "agents/agent-00.html"):
        chart = visit(path=path).locator(".chart svg").first
        assert chart.evaluate(BOX)["width"] <= float(str(chart.get_attribute("width"))) + 1


def test_filters_are_there_and_the_legend_says_how_many_are_grey(visit: Open) -> None:
    page = visit()
    assert page.locator("#filters").is_visible()
    assert page.locator(".legend li").last.inner_text().strip() == f"{AGENTS - 8} more"
    page.select_option("select[name=verified]", "yes")
    page.locator("#found", has_text=f"{len(range(0, AGENTS, 4))} agents on 1 board").wait_for()


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_barrier_among_many(visit: Open, width: int) -> None:
    assert barriers(visit(width)) == []


def test_many_agents_fill_their_sheets_and_no_line_is_cut_in_two(visit: Open) -> None:
    page = visit()
    assert sheets(page) <= 4
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4 in CSS pixels
    broken = "element => getComputedStyle(element).breakInside"
    assert page.locator(".board").evaluate(broken) == "auto"
    assert {line.evaluate(broken) for line in page.locator(".line, thead").all()} == {"avoid"}
    hidden = ["form", "nav", "#theme", ".submit", "#submission", "summary"]
    assert not any(part.is_visible() for name in hidden for part in page.locator(name).all())
    assert page.locator("td.wide:visible").count() == 3 * AGENTS, "worst, clean score and runs"


def test_an_agents_sheet_has_its_chart_table_and_citations(visit: Open) -> None:
    page = visit(path="agents/agent-00.html")
    assert sheets(page) <= 2
    page.emulate_media(media="print")
    for part in (".chart svg", "table", "#citation-1", "#citation-3"):
        assert page.locator(part).first.is_visible()
    assert not page.get_by_role("button", name="Copy BibTeX").first.is_visible()
