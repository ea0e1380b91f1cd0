"""The files of a model of Stable-Baselines3, read once: what is hashed is what is loaded. Nothing is executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from symbench.errors import SymbenchError
from symbench.zoo.env_wrappers import env_wrappers
from symbench.zoo.vecnormalize import find_statistics

if TYPE_CHECKING:
    from symbench.zoo.env_wrappers import Named

NONE: Final = "none"  # the value of an option that says: it needs none


@dataclass(frozen=True)
class SB3Files:
    """What a model's files held when they were read, once: what is hashed is what is loaded.

    Attributes:
        path: The zip file.
        model: Its bytes.
        statistics_path: File of the statistics of ``VecNormalize``; ``None`` if there is none.
        statistics: Its bytes.
        env_wrappers: Names and arguments of the wrappers that rl_zoo3's ``config.yml`` says.
    """

    path: Path
    model: bytes
    statistics_path: Path | None = None
    statistics: bytes | None = None
    env_wrappers: tuple[Named, ...] = ()


def read_sb3(path: str | Path, vecnormalize: str | Path | None = None, wrappers: str | None = None) -> SB3Files:
    """Read a model's zip file, and the statistics and settings that belong to it. Nothing in them is executed.

    Args:
        path: The zip file.
        vecnormalize: See :func:`symbench.zoo.load_sb3`.
        wrappers: See :func:`symbench.zoo.load_sb3`.

    Raises:
        SymbenchError: A file is missing or cannot be read.
    """
    path = Path(path)
    model = _bytes_of(path, "the agent's file", "; ALGORITHM:FILE.zip was expected")
    named = () if wrappers == NONE else tuple(env_wrappers(path))
    statistics = find_statistics(path) if vecnormalize is None else Path(vecnormalize)
    if statistics is None or vecnormalize == NONE:
        return SB3Files(path, model, env_wrappers=named)
    return SB3Files(path, model, statistics, _bytes_of(statistics, "the file of VecNormalize's statistics"), named)


def _bytes_of(path: Path, what: str, hint: str = "") -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise SymbenchError(f"{what} {str(path)!r} does not exist{hint}") from error
    except OSError as error:
        raise SymbenchError(f"{what} {str(path)!r} cannot be read ({error.strerror})") from error
