"""Reads the two files of a submission as text. Nothing is followed, waited for or unpacked."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from symbench.leaderboard.spreadsheet_habits import decoded
from symbench.leaderboard.submission_schema import MAX_CSV_BYTES, MAX_JSON_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.leaderboard.submission_problems import Problems

LIMITS = {".csv": MAX_CSV_BYTES, ".json": MAX_JSON_BYTES}

# First bytes of gzip, bzip2, xz, zstandard, zip and 7z.
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PK\x05\x06", b"7z\xbc\xaf")


class Broken(Exception):
    """Nothing more can be found out about a file."""


def read_bytes(file: Path, problems: Problems) -> bytes | None:
    """The content of a regular file that is not too large; a link is never followed, a pipe never waited for."""
    try:
        mode = file.lstat().st_mode
        if not stat.S_ISREG(mode):
            problems.add("file-kind", "a regular file is expected, received a link, a folder or a device")
            return None
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(file, flags), "rb") as opened:
            content = opened.read(LIMITS[file.suffix] + 1)
    except FileNotFoundError:
        problems.add("file-pair", "this file is missing; a submission is NAME.csv and NAME.json")
        return None
    except OSError as error:
        problems.add("file-kind", f"the file cannot be read ({error.strerror})")
        return None
    return content


def decode(content: bytes | None, problems: Problems) -> str:
    """The content of a file that was read as text.

    Raises:
        Broken: It cannot be, or was not read; why is among the problems.
    """
    if content is None:
        raise Broken
    limit = LIMITS[".json" if problems.file.endswith(".json") else ".csv"]
    if content.startswith(_COMPRESSED):
        problems.add("compressed", "plain text is expected, received a compressed file; it was not opened")
    elif len(content) > limit:
        problems.add("file-size", f"the file is larger than {limit:,} bytes")
    elif (place := (content := decoded(content, problems)).find(b"\0")) >= 0:
        problems.add("encoding", "received a NUL byte", *_place(content, place))
    else:
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError as error:
            received = f"UTF-8 is expected, received the byte 0x{content[error.start]:02x} ({error.reason})"
            problems.add("encoding", received, *_place(content, error.start))
    raise Broken


def _place(content: bytes, position: int) -> tuple[int, int]:
    """Line and column of a byte, from 1."""
    return content.count(b"\n", 0, position) + 1, position - content.rfind(b"\n", 0, position)
