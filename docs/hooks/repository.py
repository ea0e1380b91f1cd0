"""What lies outside of docs/ and is linked from it becomes part of the site, at the path it has in the repository.

The README is the first page. Links that are right on GitHub are right on the site; to folders and code, which are no
part of it, they become plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Callable

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).parents[2]
HOME: Final = "index.md"
BOARD: Final = "leaderboards/site"
"""The leaderboard's own pages, which the site holds as they are."""

_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?!https?:|#|<)([^)\s#]+)(#[^)\s]*)?\)")
_FENCED: Final = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_SHOWN: Final = {".md", ".csv", ".toml", ".cff", ".jsonl", ".png", ".svg", ".html", ""}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add every file that a page links to, and what those link to in turn."""
    _add(files, config, HOME)
    linked = [file.src_uri for file in files.documentation_pages()]
    for page in linked:
        for target in _targets(page, files):
            if files.get_file_from_path(target) is None:
                _add(files, config, target)
                linked += [target] if target.endswith(".md") else []
    for path in sorted((ROOT / BOARD).rglob("*.*")):
        _add(files, config, path.relative_to(ROOT).as_posix())
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links in the repository into links of the site."""
    here = page.file.src_uri
    if here == HOME:
        page.meta["hide"] = ["navigation"]  # it has no neighbours

    def moved(found: re.Match[str]) -> str:
        image, text, link, anchor = found.groups(default="")
        target = _target(here, link)
        if files.get_file_from_path(target) is not None:
            return f"{image}[{text}]({posixpath.relpath(target, posixpath.dirname(here) or '.')}{anchor})"
        return text if (ROOT / _origin(here)).parent.joinpath(link).exists() else found[0]

    return _comments_apart(_outside_code(_LINK, moved, markdown))


def _comments_apart(markdown: str) -> str:
    """A comment of HTML and a table below it are one block for Python-Markdown, two for GitHub."""
    return re.sub(r"^(<!-- .* -->)$", r"\n\1\n", markdown, flags=re.MULTILINE)


def _outside_code(pattern: re.Pattern[str], replaced: Callable[[re.Match[str]], str], markdown: str) -> str:
    parts = _FENCED.split(markdown)
    return "".join(part if i % 2 else pattern.sub(replaced, part) for i, part in enumerate(parts))


def _add(files: Files, config: MkDocsConfig, uri: str) -> None:
    file = File.generated(config, uri, abs_src_path=str(ROOT / _origin(uri)))
    files.append(file)


def _targets(page: str, files: Files) -> list[str]:
    origin = ROOT / _origin(page)
    if not origin.is_file():
        return []  # made by another hook
    found = [_target(page, link) for _, _, link, _ in _LINK.findall(origin.read_text(encoding="utf-8"))]
    return [each for each in found if (ROOT / _origin(each)).is_file() and Path(each).suffix in _SHOWN]


def _target(page: str, link: str) -> str:
    """The place on the site of what a page links to."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(_origin(page)), link))
    return HOME if path == "README.md" else path.removeprefix("docs/")


def _origin(uri: str) -> str:
    """The path in the repository of what has this place on the site."""
    if uri == HOME:
        return "README.md"
    return f"docs/{uri}" if (ROOT / "docs" / uri).exists() else uri
