"""A submission in BibTeX: what was measured, the paper of its method, and the software."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbench.leaderboard.submission_schema import Card

_SPECIAL = {
    **{character: f"\\{character}" for character in "{}%&#_$"},
    **{"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"},
}


# Of papers that are known; of others there is the address alone, and nothing is invented.
_TANG_HA = {
    "title": "The Sensory Neuron as a Transformer: Permutation-Invariant Neural Networks for Reinforcement Learning",
    "author": "Tang, Yujin and Ha, David",
    "year": "2021",
    "booktitle": "Advances in Neural Information Processing Systems",
}
_PAPERS = {"https://arxiv.org/abs/2109.02869": ("inproceedings", _TANG_HA)}
_SOFTWARE = {"title": "{symbench}", "author": "{The symbench authors}"}


def bibtex(card: Card) -> str:
    """The entries that cite a submission, the paper of its method if it names one, and symbench.

    Text of a stranger cannot end a field.

    Args:
        card: Its metadata.
    """
    submission = {
        "title": f"{{{_latex(card.name)}}}: {_latex(card.description)}",
        "author": " and ".join(map(_author, card.authors)),
        "year": _year(card.date),
        "howpublished": f"symbench leaderboard, {_latex(card.suite)}",
        "url": card.code or "",
    }
    entries = [_entry("misc", f"symbench-{card.name}", submission)]
    if card.paper:
        kind, known = _PAPERS.get(card.paper, ("misc", {"title": f"The paper of {{{_latex(card.name)}}}"}))
        entries.append(_entry(kind, f"{card.name}-paper", {**known, "url": card.paper}))
    return "\n\n".join([*entries, _entry("software", "symbench", _SOFTWARE)])


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{lines}}}"


def _latex(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _author(name: str) -> str:
    """A name that BibTeX takes for one author, although it may be that of a team."""
    return f"{{{_latex(name)}}}" if re.search(r"\band\b", name) else _latex(name)


def _year(date: str) -> str:
    found = re.match(r"(\d{4})-", date)
    return found[1] if found else ""
