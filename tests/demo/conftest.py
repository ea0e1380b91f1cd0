from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser_cases import BY_PLAYWRIGHT

from symbench.demo import write_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    Open = Callable[..., Page]

DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(tmp_path_factory.mktemp("page"))


@pytest.fixture
def visit(browser: Browser, page_file: Path) -> Iterator[Open]:
    """Opens the page, at rest unless ``running``; then nothing must have gone wrong, nothing else been asked for."""
    wrong: list[str] = []
    contexts = []

    def open_page(
        address: str | None = None,
        viewport: dict[str, int] | None = None,
        running: bool | None = False,
        **options: object,
    ) -> Page:
        context = browser.new_context(viewport=viewport or DESKTOP, **options)
        contexts.append(context)
        found = context.new_page()
        found.on("console", lambda message: wrong.append(message.text) if BY_PLAYWRIGHT not in message.text else None)
        found.on("pageerror", lambda error: wrong.append(str(error)))
        asked = address or page_file.as_uri()
        found.on("request", lambda request: None if request.url in (asked, "data:,") else wrong.append(request.url))
        found.goto(asked)
        if running is not None:
            found.evaluate(f"() => {{ setRunning({str(running).lower()}); begin(1); }}")
        return found

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
