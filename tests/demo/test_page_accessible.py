"""The page for everybody: widths, colours, axe, keyboard, sizes of what is pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser_cases import barriers

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    Open = Callable[..., Page]

pytestmark = pytest.mark.browser

ALL_SHOWN = """() => { document.querySelector("details").open = true;
  for (let i = 0; i < 150; i++) session.tick(); remember(); flip(); changed(""); }"""


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("width", [390, *(pytest.param(width, marks=pytest.mark.slow) for width in (1280, 1440))])
def test_axe_finds_no_barrier(visit: Open, width: int, scheme: str) -> None:
    page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.evaluate(ALL_SHOWN)
    assert barriers(page) == []
    page.get_by_role("switch").first.click()
    page.locator("#noise").fill("20")
    page.wait_for_timeout(200)
    assert barriers(page) == []


def test_axe_finds_a_barrier_that_is_there(visit: Open) -> None:
    page = visit()
    page.evaluate(
        "() => document.querySelector('#speed').closest('label').replaceWith(document.querySelector('#speed'))"
    )
    assert any(found.startswith("label") for found in barriers(page))


def test_it_never_scrolls_sideways(visit: Open) -> None:
    page = visit()
    page.evaluate(ALL_SHOWN)
    for noise in ("0", "20"):
        page.locator("#noise").fill(noise)
        for width in (320, 390, 600, 740, 900, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("() => document.documentElement.scrollWidth") <= width, (noise, width)


@pytest.mark.parametrize("width", [390, *(pytest.param(width, marks=pytest.mark.slow) for width in (1280, 1440))])
def test_what_is_pressed_is_large_enough_for_a_finger(visit: Open, width: int) -> None:
    page = visit(viewport={"width": width, "height": 900})
    for noise in ("0", "20"):
        page.locator("#noise").fill(noise)
        for target in page.locator("button, select, input:not([type=checkbox]), summary, label.check").all():
            box = target.bounding_box()
            assert box and box["height"] >= 44 and box["width"] >= 44, target.evaluate("(one) => one.outerHTML")


def test_everything_is_reached_by_keyboard_with_a_visible_focus(visit: Open) -> None:
    page = visit()
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, style, width = page.evaluate(
            """() => { const at = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(at);
               const name = at.id || at.ariaLabel || at.className || at.tagName;
               return [name, outlineStyle, parseFloat(outlineWidth)]; }"""
        )
        if name == "BODY":
            break
        assert style != "none" and width >= 1, name
        reached.append(name)
    assert reached[0] == "skip"
    assert {"position, place 1 of 5", "position is alive", "shuffle", "pause", "noise", "flip", "speed"} <= {*reached}


def test_on_a_phone_both_carts_and_the_shuffle_are_on_the_first_screen(visit: Open) -> None:
    page = visit(viewport={"width": 390, "height": 844})
    dock = page.locator(".dock").bounding_box()
    assert dock and dock["y"] + dock["height"] <= 844
    for scene in page.locator(".scene").all():
        box = scene.bounding_box()
        assert box and box["y"] + box["height"] <= dock["y"]
