"""The documentation site: built strictly and without a network, whole, alone, and usable by everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from browser_cases import barriers
from docs_cases import ROOT
from site_links import dead, from_elsewhere, page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

LOOKED_AT = ("index", "gallery", "api/plot")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as ``make docs`` does; whoever asked for something elsewhere would be told that nobody is there."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install 'symbench[docs]'")
    out = tmp_path_factory.mktemp("documentation")
    nobody = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)]
    env = {**os.environ, **nobody, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def test_every_link_and_anchor_leads_somewhere(site: Path) -> None:
    assert dead(site) == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    assert from_elsewhere(site) == []


def test_what_leads_nowhere_or_elsewhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html">gone</a> <a href="#here">no such place</a> <a href="a.html#there" id="there">right</a>'
        '<a href="https://example.org">may be linked</a> <img src="https://example.org/x.png">'
        "<style>@import url(//example.org/x.css)</style>"
    )
    assert dead(tmp_path) == ["a.html: #here", "a.html: b.html"]
    assert from_elsewhere(tmp_path) == ["a.html: //example.org/x.css", "a.html: https://example.org/x.png"]


def test_the_gallery_shows_everything_and_leads_to_its_reference(site: Path) -> None:
    from symbench.tasks import TASKS, mujoco
    from symbench.wrappers.registry import PERTURBATIONS, is_bundled

    gallery = page(site / "gallery.html")
    bundled = {name: found for name, found in PERTURBATIONS.items() if is_bundled(found)}
    for name, found in bundled.items():
        assert any(link.endswith(f"#{found.__module__}.{name}") for link in gallery.links), name
        before, after = (site / "gallery" / f"{name}-{when}.png" for when in ("before", "after"))
        assert before.read_bytes() != after.read_bytes()
    missing = {name for name in TASKS if f"gallery/{name}.webp" not in gallery.loaded}
    assert missing <= {task.name for task in mujoco.TASKS}, "these alone need OpenGL, which a machine may not have"
    assert all(f"gallery/{name}.png" in gallery.loaded for name in TASKS.keys() - missing)


def test_what_is_public_is_described(site: Path) -> None:
    import symbench.plot
    import symbench.testing
    import symbench.wrappers

    described = {each for path in (site / "api").glob("*.html") for each in page(path).ids}
    public = [getattr(module, name) for module in (symbench.plot, symbench.testing) for name in module.__all__]
    assert {f"{found.__module__}.{found.__qualname__}" for found in public if callable(found)} <= described
    assert {"symbench.evaluation.evaluate", "symbench.loading.load", "symbench.tasks.TASKS"} <= described
    defined = {f"{found.__module__}.{name}" for name, found in symbench.wrappers.TRANSFORMS.items()}
    assert defined <= described


def opened(browser: Browser, address: str, width: int, scheme: str) -> Page:
    """A page; whatever it asks of another machine or complains of fails the test that looks at ``wrong``."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    view = context.new_page()
    view.wrong = []  # type: ignore[attr-defined]
    view.on("request", lambda asked: _is_local(asked.url) or view.wrong.append(asked.url))  # type: ignore[attr-defined]
    view.on("pageerror", lambda error: view.wrong.append(str(error)))  # type: ignore[attr-defined]
    view.goto(address)
    view.wait_for_function("!document.querySelector('pre > code:not([tabindex])')")  # site.js has looked at it
    return view


def _is_local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:", "http://127.0.0.1"))


@pytest.mark.browser
@pytest.mark.parametrize("name", LOOKED_AT)
def test_pages_have_no_barriers_at_any_size_in_light_and_dark(browser: Browser, site: Path, name: str) -> None:
    for scheme in ("light", "dark"):
        for width in (390, 1280, 1440):
            view = opened(browser, (site / f"{name}.html").as_uri(), width, scheme)
            assert barriers(view) == [], (scheme, width)
            assert view.evaluate("document.documentElement.scrollWidth") <= width, (scheme, width)
            assert view.wrong == []  # type: ignore[attr-defined]
            view.context.close()


@pytest.mark.browser
def test_the_search_finds_from_the_disk(browser: Browser, site: Path) -> None:
    view = opened(browser, (site / "index.html").as_uri(), 1280, "light")
    view.click("[data-md-component=search-query]")
    view.keyboard.type("OccludePatches")
    found = view.locator(".md-search-result__link").first
    found.wait_for(timeout=20_000)
    assert "wrappers" in (found.get_attribute("href") or "") and view.wrong == []  # type: ignore[attr-defined]
    view.context.close()


@pytest.mark.browser
def test_one_plays_in_the_browser(browser: Browser, site: Path) -> None:
    view = opened(browser, (site / "demo.html").as_uri(), 1280, "light")
    view.get_by_role("link", name="Play it here").click()
    view.wait_for_url("**/demo/play/index.html")
    assert view.locator("canvas").count() >= 2 and view.wrong == []  # type: ignore[attr-defined]
    view.context.close()
