"""What symbench says when the user's input is wrong: one line, what was received, what would be right."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class SymbenchError(ValueError):
    """The input is wrong. The command line prints the message and exits with code 2."""


NOTHING_KEPT = "nothing is kept"  # the message of an interrupt that came before there was anything to keep

LONGEST = 1000  # characters of a message: what others raise can hold whole arrays


def one_line(text: object) -> str:
    """A message, or an error that anyone raised, as one line of at most 1000 characters that every file can hold."""
    try:
        line = " ".join(str(text).split()).encode("utf-8", "backslashreplace").decode()
    except Exception as error:  # an exception's own method raises
        line = f"a message that cannot be read: {type(error).__name__}"
    return line if len(line) <= LONGEST else line[: LONGEST - 4] + " ..."


_FEW, _MANY = 8, 20  # fewer names than this are always listed; more than this never all of them


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> SymbenchError:
    """An error for a name that does not exist, with the names that look like it, or those that exist.

    Args:
        kind: What was asked for, e.g. ``"suite"``.
        name: The name received.
        known: All names that exist.
        where: What they are names in, e.g. ``"of suite shuffle@1"``.
    """
    names = sorted(known)
    lowered = {candidate.lower(): candidate for candidate in names}
    near = [lowered[match] for match in difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)]
    hints = [f"did you mean {' or '.join(map(repr, near))}?"] if near else []
    if not near or len(names) < _FEW:
        more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
        hints.append(f"known: {', '.join(names[:_MANY]) or 'none'}{more}")
    return SymbenchError(f"unknown {kind} {name!r}{where and ' ' + where}; {' '.join(hints)}")
