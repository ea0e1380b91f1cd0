"""Where episodes begin: in all orientations, or in one, so that agents can be tested in those they never began in."""

from __future__ import annotations

from typing import Final

from symbench.errors import unknown

STARTS: Final = ("anywhere", "west")
"""``"west"``: agents begin in the west, and what they are after in the east; see each environment."""


def checked_starts(starts: str) -> str:
    """One of :data:`STARTS`.

    Raises:
        SymbenchError: It is none of them.
    """
    if starts not in STARTS:
        raise unknown("starts", str(starts), STARTS)
    return starts
