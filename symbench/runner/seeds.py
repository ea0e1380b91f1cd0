"""With which seeds the episodes of a cell begin, and which seed its agent is told.

The cells of a suite have the suite's seeds, and their agents are told the first of a batch: these seeds are public. A
cell with a secret key has others, a keyed hash of its id and the number of the episode: whoever has the key plays the
same episodes again, with any number of processes. They have nothing to do with one another, from one episode or cell
to the next, so that an agent gains nothing by remembering another cell, and what the agent is told has nothing to do
with any of them: no code can make its environments anew.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.runner.cell import Cell

ENVIRONMENT_BITS: Final = 63
"""Bits of a secret seed: what int64 holds. Every task of a suite takes so many, and plays other episodes by each."""
AGENT_BITS: Final = 31
"""Bits of what an agent is told: every library that draws numbers takes so many."""

_SECRET: Final = re.compile("[0-9a-f]{32}")


def new_secret() -> str:
    """A key of 128 bits from the operating system, in hexadecimal digits."""
    return secrets.token_hex(16)


def check_secret(secret: str) -> str:
    """The key, if it has the form of one.

    Raises:
        SymbenchError: It has not.
    """
    if not _SECRET.fullmatch(secret):
        raise SymbenchError(f"a key of fresh seeds has 32 digits 0-9 and a-f, received {secret!r}")
    return secret


def environment_seeds(cell: Cell, seeds: Sequence[int]) -> list[int]:
    """What the environments of these episodes are reset with.

    Args:
        cell: Which.
        seeds: The episodes, by the seeds that they have in the suite.
    """
    if cell.secret is None:
        return list(seeds)
    return [keyed(cell.secret, f"environment {cell.id} {seed - cell.seed}", ENVIRONMENT_BITS) for seed in seeds]


def agent_seed(cell: Cell, seeds: Sequence[int]) -> int:
    """What the agent is told when these episodes begin, all at once; arguments as of :func:`environment_seeds`."""
    if cell.secret is None:
        return seeds[0]
    return keyed(cell.secret, f"agent {cell.id} {seeds[0] - cell.seed}", AGENT_BITS)


def keyed(secret: str, text: str, bits: int) -> int:
    """A number of so many bits, at most 512, that nobody without the key can tell from chance (keyed BLAKE2b).

    Example:
        >>> keyed("00" * 16, "a", 8), keyed("00" * 16, "b", 8)
        (136, 2)
    """
    drawn = hashlib.blake2b(text.encode(), key=bytes.fromhex(secret)).digest()
    return int.from_bytes(drawn, "little") % (1 << bits)
