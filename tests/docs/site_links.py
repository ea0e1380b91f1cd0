"""What the pages of a folder link to and load."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {"script": ("src",), "img": ("src", "srcset"), "source": ("src", "srcset"), "iframe": ("src",)}
_LOADED |= {"video": ("src", "poster"), "audio": ("src",), "embed": ("src",), "object": ("data",)}
_RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch", "manifest"}


@dataclass
class Page:
    """Places that can be linked to, links, and what a browser loads without being asked."""

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page, self._style = Page(), False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.ids |= {given[name] for name in ("id", "name") if name in given}
        self._style = tag == "style"
        if tag == "a" and given.get("href"):
            self.page.links.add(given["href"])
        if tag == "link" and _RELATIONS & set(given.get("rel", "").split()):
            self.page.loaded.add(given["href"])
        self.page.loaded |= {given[name].split()[0] for name in _LOADED.get(tag, ()) if given.get(name)}
        self.page.loaded |= in_style(given.get("style", ""))

    def handle_data(self, data: str) -> None:
        if self._style:
            self.page.loaded |= in_style(data)
            self._style = False


def in_style(css: str) -> set[str]:
    """What a style loads."""
    return set(re.findall(r"""(?:url\(|@import )\s*["']?([^"')\s]+)""", css))


@cache
def page(path: Path) -> Page:
    """A page of HTML."""
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def from_elsewhere(folder: Path) -> list[str]:
    """What pages and styles load from other machines."""
    pages = {path: page(path).loaded for path in folder.rglob("*.html")}
    styles = {path: in_style(path.read_text(encoding="utf-8")) for path in folder.rglob("*.css")}
    return [
        f"{path.relative_to(folder)}: {each}"
        for path, loaded in {**pages, **styles}.items()
        for each in sorted(loaded)
        if not each.startswith("data:") and (urlsplit(each).scheme or each.startswith("//"))
    ]


def dead(folder: Path) -> list[str]:
    """Links, and what is loaded, within the folder that lead nowhere."""
    return [
        f"{path.relative_to(folder)}: {link}"
        for path in sorted(folder.rglob("*.html"))
        for link in sorted(page(path).links | page(path).loaded)
        if not _leads(path, link)
    ]


def _leads(path: Path, link: str) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target.suffix != ".html" or anchor in page(target).ids
