"""What symbench says when the user's input is wrong: one line, what was received, what would be right."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SymbenchError(ValueError):
    """The input is wrong. The command line prints the message and exits with code 2."""


def unknown(kind: str, name: str, known: Iterable[str]) -> SymbenchError:
    """An error for a name that does not exist, with the names that look like it.

    Args:
        kind: What was asked for, e.g. ``"suite"``.
        name: The name received.
        known: All names that exist.
    """
    names = sorted(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "known: " + (", ".join(names) or "none")
    return SymbenchError(f"unknown {kind} {name!r}; {hint}")
