"""Makes the documentation's picture of ``symbench demo --task CarRacing``: ``python examples/demo_picture.py``.

Needs Playwright and a Chromium; the path of one that is installed already may be given: ``... /usr/bin/chromium``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from symbench.demo.live_server import serving
from symbench.demo.setting import setting_of

PICTURE = Path(__file__).resolve().parents[1] / "docs/pictures/demo-car-racing.png"
IN_ORDER, SHUFFLED = 120, 180  # steps
TAKEN = "(steps) => { for (let i = 0; i < steps; i++) ask({ do: 'step' }); }"
SHOWN = "(steps) => live.state?.lanes.every((lane) => lane.steps === steps)"


def main(chromium: str | None = None) -> None:
    """Let two agents drive, shuffle their patches, let them drive on, and take a picture."""
    with serving(setting_of("CarRacing")) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": 1280, "height": 915}, reduced_motion="reduce")
        page.goto(address)
        page.wait_for_function(SHOWN, arg=0)
        page.evaluate(TAKEN, IN_ORDER)
        page.wait_for_function(SHOWN, arg=IN_ORDER, timeout=120_000)
        page.keyboard.press("s")
        page.evaluate(TAKEN, SHUFFLED)
        page.wait_for_function(SHOWN, arg=IN_ORDER + SHUFFLED, timeout=120_000)
        page.wait_for_timeout(500)
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
