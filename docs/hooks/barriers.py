"""Mends what the theme leaves out for people who do not see the page, or use no mouse; the rest is in ``site.js``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

_EMPTY_HEADER: Final = re.compile(r"<th( style=\"[^\"]*\")?></th>")
_SEARCH: Final = 'data-md-component="search" role="dialog"'


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Name the dialog of the search; a cell of a table that heads nothing is no header."""
    return _EMPTY_HEADER.sub(r"<td\1></td>", output.replace(_SEARCH, f'{_SEARCH} aria-label="Search"'))
