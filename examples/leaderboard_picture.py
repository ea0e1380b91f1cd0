"""Makes the README's picture of the board's site, in Chromium: ``python examples/leaderboard_picture.py``.

Needs Playwright and a Chromium; the path of one that is installed already may be given: ``... /usr/bin/chromium``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
SITE, PICTURE = ROOT / "leaderboards/site/index.html", ROOT / "docs/pictures/leaderboard.png"


def main(chromium: str | None = None) -> None:
    """Open the site from the disk, choose the suite of shuffled sensors, and take a picture of its upper part."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": 1360, "height": 900}, color_scheme="light")
        page.goto(SITE.as_uri() + "#suite=shuffle%403")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
