"""The page of ``symbench demo`` is part of the site: one plays in the browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File

from symbench.demo import page as page_to_play

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PLAY: Final = "demo/play/index.html"
_BUTTON: Final = f"[Play it here, in the browser]({PLAY}){{ .md-button .md-button--primary }}"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the page, as ``symbench demo --out`` writes it."""
    files.append(File.generated(config, PLAY, content=page_to_play()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The page about it leads to it."""
    if page.file.src_uri != "demo.md":
        return markdown
    return re.sub(r"^(# .*)$", rf"\1\n\n{_BUTTON}", markdown, count=1, flags=re.MULTILINE)
