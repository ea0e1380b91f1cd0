"""What to cite, in BibTeX: the paper of a method, the software, a submission; each an entry of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from symbench.leaderboard.submission_schema import Card

_SPECIAL = {
    **{character: f"\\{character}" for character in "{}%&#_$"},
    **{"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"},
}

_NEURIPS: Final = "Advances in Neural Information Processing Systems"

# Papers that are known, by their numbers on arXiv; of others there is the address alone, and nothing is invented.
# They are those of CITATION.cff.
PAPERS: Final = {
    "2109.02869": {
        "key": "tang2021sensory",
        "title": "The Sensory Neuron as a Transformer: "
        "Permutation-Invariant Neural Networks for Reinforcement Learning",
        "author": "Tang, Yujin and Ha, David",
        "booktitle": _NEURIPS,
        "volume": "34",
        "year": "2021",
    },
    "2006.16908": {
        "key": "vanderpol2020mdp",
        "title": "{MDP} Homomorphic Networks: Group Symmetries in Reinforcement Learning",
        "author": "van der Pol, Elise and Worrall, Daniel E. and van Hoof, Herke and Oliehoek, Frans A. "
        "and Welling, Max",
        "booktitle": _NEURIPS,
        "volume": "33",
        "year": "2020",
    },
}
_ARXIV = re.compile(r"https?://(?:www\.)?arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})(?:v\d+)?(?:\.pdf)?/?", re.IGNORECASE)
_SOFTWARE: Final = {
    "title": "symbench: what happens to a reinforcement-learning agent when its sensors are shuffled, noised, occluded "
    "or transformed",
    "author": "{The symbench authors}",
    "year": "2026",
}


def citations(card: Card) -> dict[str, str]:
    """The entries that cite the paper of a submission's method if it names one, symbench, and the submission.

    Text of a stranger cannot end a field.

    Args:
        card: Its metadata.

    Returns:
        What is cited, in words -> its entry.
    """
    paper = {"The paper of the method": _paper(card.name, card.paper)} if card.paper else {}
    return {**paper, "The software": software(), "This submission": _submission(card)}


def software(version: str = "") -> str:
    """The entry of symbench, and of a version of it if one is given."""
    return _entry("software", "symbench", {**_SOFTWARE, "version": version})


def _paper(name: str, address: str) -> str:
    found = _ARXIV.fullmatch(address)
    if found is None or found[1] not in PAPERS:
        return _entry("misc", f"{name}-paper", {"note": "Title and authors stand at the address", "url": address})
    fields = PAPERS[found[1]]
    rest = {field: value for field, value in fields.items() if field != "key"}
    return _entry("inproceedings", fields["key"], {**rest, "url": f"https://arxiv.org/abs/{found[1]}"})


def _submission(card: Card) -> str:
    fields = {
        "title": f"{{{_latex(card.name)}}}: {_latex(card.description)}",
        "author": " and ".join(map(_author, card.authors)),
        "year": _year(card.date),
        "howpublished": f"symbench leaderboard, {_latex(card.suite)}",
        "url": card.code or "",
    }
    return _entry("misc", f"symbench-{card.name}", fields)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
    return f"@{kind}{{{key},\n{lines}\n}}"


def _latex(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _author(name: str) -> str:
    """A name that BibTeX takes for one author, and that of a team for one without a first name."""
    team = re.search(r"\band\b", name) or name.lower().startswith("the ")
    return f"{{{_latex(name)}}}" if team else _latex(name)


def _year(date: str) -> str:
    found = re.match(r"(\d{4})-", date)
    return found[1] if found else ""
