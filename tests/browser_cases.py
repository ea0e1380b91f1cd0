"""What tests of pages in a real browser share; the fixture ``browser`` is in ``conftest.py``."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Playwright evaluates strings while it waits; pages' own scripts do not, which their policy holds them to.
BY_PLAYWRIGHT = "Evaluating a string as JavaScript violates"


def middle(locator: Locator) -> tuple[float, float]:
    """Where one would click."""
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def barriers(page: Page) -> list[str]:
    """What axe finds, as rule and place."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    # Without preload it asks for no file a second time, which the page would refuse.
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found["violations"] for node in rule["nodes"]]
