"""A submission as a BibTeX entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbench.leaderboard.submission_schema import Card

_SPECIAL = {
    **{character: f"\\{character}" for character in "{}%&#_$"},
    **{"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"},
}


def bibtex(card: Card) -> str:
    """The entry that cites a submission, in which text of a stranger cannot end a field.

    Args:
        card: Its metadata.
    """
    fields = {
        "title": f"{{{_latex(card.name)}}}: {_latex(card.description)}",
        "author": " and ".join(map(_author, card.authors)),
        "year": _year(card.date),
        "howpublished": f"symbench leaderboard, {_latex(card.suite)}",
        "url": card.paper or card.code or "",
    }
    lines = "".join(f"  {key} = {{{value}}},\n" for key, value in fields.items() if value)
    return f"@misc{{symbench-{card.name},\n{lines}}}"


def _latex(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _author(name: str) -> str:
    """A name that BibTeX takes for one author, although it may be that of a team."""
    return f"{{{_latex(name)}}}" if re.search(r"\band\b", name) else _latex(name)


def _year(date: str) -> str:
    found = re.match(r"(\d{4})-", date)
    return found[1] if found else ""
