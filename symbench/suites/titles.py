"""How the conditions of one perturbation read beside each other: what they share is said once."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Titles(NamedTuple):
    """Titles of conditions, taken apart.

    Attributes:
        shared: The words that all of them begin and end with, "…" for what is between; empty without any.
        own: What is left of each.
    """

    shared: str
    own: list[str]


def apart(titles: Sequence[str]) -> Titles:
    """What titles share, and what tells each from the others.

    Example:
        >>> apart(["shuffled per episode", "shuffled every 25 steps"])
        Titles(shared='shuffled …', own=['per episode', 'every 25 steps'])
        >>> apart(["+5 noise channels, shuffled", "+50 noise channels, shuffled"])
        Titles(shared='… noise channels, shuffled', own=['+5', '+50'])
    """
    words = [title.split() for title in titles]
    start = _in_common(words)
    rests = [each[start:] for each in words]
    end = _in_common([rest[::-1] for rest in rests])
    own = [rest[: len(rest) - end] for rest in rests]
    if not all(own):  # one of them is all that is shared, so there is nothing to tell it by
        return Titles("", list(titles))
    shared = [*words[0][:start], "…", *rests[0][len(own[0]) :]] if start or end else []
    return Titles(" ".join(shared), [" ".join(each) for each in own])


def _in_common(words: Sequence[Sequence[str]]) -> int:
    """With how many words all begin; a single one has nothing in common with others."""
    if len(words) < 2:
        return 0
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False)))
