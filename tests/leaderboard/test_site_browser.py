"""The site in a real browser, opened from the disk as anybody would who was sent a folder."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser_cases import BY_PLAYWRIGHT, barriers
from site_cases import some_boards
from submission_cases import SUITE, TASK

from symbench.leaderboard.site import write_site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Locator, Page

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PAGES = [
    "index.html",
    "agents/strong.html",
    *(pytest.param(f"agents/{name}.html", marks=pytest.mark.slow) for name in ("deaf", "single")),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boards")
    (folder / "suites").mkdir()
    (folder / "suites" / "tiny.toml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symbench.suites.loader._BUNDLED", folder / "suites")
        write_site(some_boards(folder), folder / "site")
    return folder / "site"


@pytest.fixture
def visit(browser: Browser, site: Path) -> Iterator[Open]:
    """Opens pages; afterwards nothing must have gone wrong in them, and nothing been asked of a network."""
    wrong: list[str] = []
    contexts = []

    def open_page(path: str = "index.html", viewport: dict[str, int] = DESKTOP, **options: object) -> Page:
        context = browser.new_context(viewport=viewport, permissions=["clipboard-read", "clipboard-write"], **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text) if BY_PLAYWRIGHT not in message.text else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
        page.on("request", lambda request: wrong.append(request.url) if not _is_local(request.url, site) else None)
        page.goto((site / path.partition("#")[0]).as_uri() + "".join(path.partition("#")[1:]))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def _is_local(url: str, site: Path) -> bool:
    return url.startswith((site.as_uri(), "data:,"))


def names(board: Locator) -> list[str]:
    """The agents that a reader sees, from above."""
    return board.locator(".line:visible .agent a").all_inner_texts()


def swing_up(page: Page) -> Locator:
    return page.locator(f'.board[data-task="{TASK}"]')


def sort_by(board: Locator, column: str) -> str | None:
    """Press the button of a column; the order that the header then announces."""
    header = board.locator("thead th", has_text=re.compile(f"^{column}"))
    header.get_by_role("button").click()
    return header.get_attribute("aria-sort")


def test_columns_are_sorted_within_their_part_and_say_so(visit: Open) -> None:
    board = swing_up(visit())
    parts = [["strong"], ["deaf", "weak"], ["few", "single"]]
    as_given = names(board)
    assert [set(as_given[:1]), set(as_given[1:3]), set(as_given[3:])] == [set(part) for part in parts]
    assert sort_by(board, "agent") == "ascending" and names(board) == [name for part in parts for name in part]
    assert sort_by(board, "agent") == "descending" and names(board) == ["strong", "weak", "deaf", "single", "few"]
    assert sort_by(board, "runs") == "descending" and names(board)[-2:] == ["few", "single"]
    assert sort_by(board, "runs") == "ascending" and names(board)[-2:] == ["single", "few"]
    assert board.locator("thead [aria-sort]").count() == 1


@pytest.mark.parametrize(
    ("choice", "value", "left"),
    [
        ("task", "CartPole-v1", {"upright"}),
        ("runs", "2", {"strong", "weak", "deaf", "few", "upright"}),
        ("runs", "10", set()),
        ("verified", "yes", {"strong"}),
        ("verified", "no", {"weak", "deaf", "few", "single", "upright"}),
        ("ranked", "yes", {"strong", "weak", "deaf", "upright"}),
        ("ranked", "no", {"few", "single"}),
    ],
)
def test_filters_leave_what_was_asked_for(visit: Open, choice: str, value: str, left: set[str]) -> None:
    page = visit()
    page.select_option(f"select[name={choice}]", value)
    page.locator("#found", has_text=f"{len(left)} agent{'' if len(left) == 1 else 's'} on ").wait_for()
    assert set(names(page.locator("main"))) == left
    page.get_by_role("button", name="Clear").click()
    page.locator("#found", has_text="6 agents on 2 boards").wait_for()
    assert len(names(page.locator("main"))) == 6


def test_a_search_looks_for_all_words(visit: Open) -> None:
    page = visit()
    page.fill("input[name=search]", "AN  sing")
    assert names(page.locator("main")) == ["single"]
    assert page.locator(".board:visible").count() == 1


def test_a_severity_shows_and_orders_its_own_scores(visit: Open) -> None:
    page = visit()
    board = swing_up(page)
    assert names(board)[1:3] == ["weak", "deaf"] or names(board)[1:3] == ["deaf", "weak"]
    page.select_option("select[name=severity]", "add-noise-channels/+5")
    assert names(board)[1:3] == ["weak", "deaf"], "one who cannot act keeps nothing"
    deaf = board.locator('.line[data-agent="deaf"] .figure:visible')
    assert deaf.all_inner_texts() == ["0.00 [0.00, 0.00]"]
    assert board.locator('.line[data-agent="deaf"]').get_by_text("retention 0% [0, 0] †").is_visible()
    assert ", under add-noise-channels/+5" in page.locator("#found").inner_text()
    page.select_option("select[name=severity]", "shuffle-sensors/per-episode")
    assert names(board)[1:3] == ["deaf", "weak"]
    assert deaf.count() == 1 and deaf.inner_text() != "0.00 [0.00, 0.00]"


def test_a_choice_can_be_sent_to_somebody(visit: Open) -> None:
    page = visit()
    page.select_option("select[name=verified]", "yes")
    page.select_option("select[name=severity]", "add-noise-channels/+5")
    address = page.evaluate("location.hash")
    other = visit(f"index.html{address}")
    assert names(other.locator("main")) == ["strong"]
    assert other.locator("select[name=severity]").input_value() == "add-noise-channels/+5"


def test_curves_follow_filters_and_pointer(visit: Open) -> None:
    page = visit()
    board = swing_up(page)
    assert board.locator(".curve:visible").count() == 5
    board.get_by_text("Performance profile").click()
    assert board.locator(".curve:visible").count() == 10, "one for each agent in both charts"
    board.locator('.line[data-agent="weak"]').hover()
    lit = board.locator(".curve.lit")
    assert [curve.get_attribute("data-agent") for curve in lit.all()] == ["weak", "weak"]
    assert board.locator(".curve.dim").count() == 8
    page.select_option("select[name=verified]", "yes")
    assert board.locator(".curve:visible").count() == 2


def test_an_agent_has_one_colour_in_the_table_and_in_both_charts(visit: Open) -> None:
    page = visit()
    board = swing_up(page)
    board.get_by_text("Performance profile").click()
    colour = "element => getComputedStyle(element).stroke"
    for name in names(board):
        swatch = board.locator(f'.line[data-agent="{name}"] .swatch line').evaluate(colour)
        lines = board.locator(f'.curve[data-agent="{name}"]').locator("polyline").all()
        assert {line.evaluate(colour) for line in lines} == {swatch}
    assert board.locator("details polygon").count() == 3, "a band for each agent with five training runs"


def test_the_first_ranked_agent_stands_above_the_fold_beside_its_chart(visit: Open) -> None:
    board = visit(viewport={"width": 1280, "height": 800}).locator(".board").first
    first, chart = board.locator(".line").first.bounding_box(), board.locator(".chart svg").first.bounding_box()
    table = board.locator("table").bounding_box()
    assert first and chart and table
    assert first["y"] + first["height"] <= 800 and chart["y"] < 800
    assert chart["x"] >= table["x"] + table["width"], "side by side"


def test_a_chart_has_a_legend_and_bands_that_follow_filters(visit: Open) -> None:
    page = visit()
    board = swing_up(page)
    drawn = {curve.get_attribute("data-agent") for curve in board.locator("figure").first.locator(".curve").all()}
    legend = [line.get_attribute("data-agent") for line in board.locator(".legend li:visible").all()]
    assert set(legend) == drawn
    assert board.locator("figure").first.locator("polygon:visible").count() > 0
    page.select_option("select[name=verified]", "yes")
    assert board.locator(".legend li:visible").all_text_contents() == [" strong"]


def test_a_phone_shows_clean_score_worst_and_runs(visit: Open) -> None:
    brief = re.compile(r"clean -?[\d.]+, worst -?[\d.]+, 5 runs")
    phone = visit(viewport={"width": 390, "height": 844})
    assert phone.locator('.line[data-agent="strong"] .brief', has_text=brief).is_visible()
    desktop = visit()
    assert not desktop.locator(".brief").first.is_visible() and desktop.locator("td.wide").first.is_visible()


@pytest.mark.parametrize("width", [1000, 1280, 1440])
def test_columns_stand_at_the_same_places_on_all_boards(visit: Open, width: int) -> None:
    page = visit(viewport={"width": width, "height": 800})
    left = "heads => heads.map(head => Math.round(head.getBoundingClientRect().left))"
    places = [board.locator("thead th:visible").evaluate_all(left) for board in page.locator(".board").all()]
    assert len(places) == 2 and places[0] == places[1] and len(set(places[0])) == 7


def test_an_empty_search_says_what_to_do(visit: Open) -> None:
    page = visit()
    page.fill("input[name=search]", "nobody")
    assert "press Clear" in page.locator("#nothing").inner_text()
    page.get_by_role("button", name="Clear").click()
    page.locator("#nothing").wait_for(state="hidden")
    assert len(names(page.locator("main"))) == 6


def test_only_filters_that_can_tell_agents_apart_are_there(visit: Open) -> None:
    page = visit()
    assert page.locator("select[name=task]").count() == 1
    assert page.locator("select[name=suite]").count() == 0, "there is one suite"


def test_boards_are_one_click_away(visit: Open) -> None:
    page = visit()
    page.get_by_role("navigation", name="Boards").get_by_role("link", name="CartPole-v1").click()
    assert page.locator('.board[data-task="CartPole-v1"] h2').evaluate("it => it.matches(':target')")


def test_a_performance_profile_is_opened_by_keyboard_and_has_words(visit: Open) -> None:
    page = visit()
    board = swing_up(page)
    picture = board.get_by_role("img", name=re.compile("Performance profile"))
    assert picture.count() == 0
    board.locator("summary").press("Enter")
    assert picture.is_visible()
    assert "strong: 100% of training runs and conditions keep more than half" in str(
        picture.get_attribute("aria-label")
    )


def test_an_agents_page_is_one_click_away_and_leads_back(visit: Open) -> None:
    page = visit()
    page.get_by_role("link", name="strong").click()
    page.wait_for_url("**/agents/strong.html")
    assert page.locator("h1").inner_text() == "strong"
    assert page.locator(".chart svg").is_visible() and page.locator(".run").count() == 10
    weights = page.locator(".runs code")
    assert not weights.first.is_visible()
    page.locator("summary").click()
    assert weights.count() == 5 and weights.first.is_visible()
    page.get_by_role("link", name="All boards").click()
    page.wait_for_url("**/index.html")
    assert page.locator(".board").count() == 2


def test_each_citation_is_copied_by_its_button(visit: Open) -> None:
    page = visit("agents/strong.html")
    for number, begins in enumerate(("@misc{strong-paper,", "@software{symbench,", "@misc{symbench-strong,"), start=1):
        button = page.get_by_role("button", name="Copy BibTeX").nth(number - 1)
        button.click()
        button.locator("xpath=following-sibling::*").get_by_text("Copied.").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(f"#citation-{number}").text_content() and copied.startswith(begins)
    assert page.get_by_text("Copied.").count() == 1, "the others are not in the clipboard any more"


def test_the_citation_is_copied_where_there_is_no_clipboard_interface(visit: Open) -> None:
    page = visit("agents/strong.html")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.get_by_role("button", name="Copy BibTeX").last.click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("getSelection().toString()").startswith("@misc{symbench-strong,")


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_colours_follow_the_system_until_somebody_chooses(visit: Open) -> None:
    dark, light = visit(color_scheme="dark"), visit(color_scheme="light")
    assert background(dark) != background(light)
    button = light.get_by_role("button", name="Dark theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true" and background(light) == background(dark)
    light.reload()
    assert background(light) == background(dark), "the choice is remembered"
    light.get_by_role("button", name="Dark theme").click()
    assert background(light) != background(dark)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_scrolls_sideways(visit: Open, path: str) -> None:
    page = visit(path)
    for details in page.locator("summary").all():
        details.click()
    for width in (320, 360, 740, 768, 1000, 1200, 1320, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for table in page.locator("table:visible").all():
            right = "element => element.getBoundingClientRect().right"
            assert table.evaluate(right) <= table.locator("..").evaluate(right) + 1, width


def test_everything_is_reached_by_keyboard_with_a_visible_focus(visit: Open) -> None:
    page = visit()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => { const at = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(at);
               return [at.tagName, at.name || at.innerText.trim(), outlineStyle, parseFloat(outlineWidth)]; }"""
        )
        if focus[0] == "BODY":
            break
        assert focus[2] != "none" and focus[3] >= 1, focus
        reached.add((focus[0], focus[1]))
    assert {("A", "strong"), ("BUTTON", "agent"), ("SELECT", "severity"), ("BUTTON", "Dark theme")} <= reached
    header = swing_up(page).get_by_role("button", name="agent")
    for key, order in (("Enter", "ascending"), ("Space", "descending")):
        header.press(key)
        assert swing_up(page).locator("th[aria-sort]").get_attribute("aria-sort") == order


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_no_barrier(visit: Open, path: str) -> None:
    page = visit(path)
    for details in page.locator("summary").all():
        details.click()
    for scheme, viewport in (("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(viewport)
        assert barriers(page) == []


def test_axe_finds_a_barrier_that_is_there(visit: Open) -> None:
    page = visit()
    page.evaluate("document.querySelector('select').closest('label').replaceWith(document.querySelector('select'))")
    assert any(found.startswith("select-name") for found in barriers(page))


def test_paper_gets_the_tables_without_the_controls(visit: Open) -> None:
    page = visit(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator("form").is_visible() and not page.locator("#theme").is_visible()
    assert len(names(page.locator("main"))) == 6
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 200, "dark on white"


def test_without_scripts_everything_is_there(visit: Open) -> None:
    page = visit(java_script_enabled=False)
    assert len(names(page.locator("main"))) == 6
    assert not page.locator("form").is_visible() and not page.locator("#theme").is_visible()
    assert page.locator(".figure:visible").count() == 6
