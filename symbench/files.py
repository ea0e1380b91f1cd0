"""Files that are written whole or not at all, and where those are kept that can be made again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that no reader and no crash ever sees half of it.

    Raises:
        OSError: The file cannot be written; nothing is left behind and an older file stays as it was.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        # A name that is no Unicode, e.g. in a command line that is recorded, is no reason to lose a file.
        encoded = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
        with os.fdopen(handle, "wb") as file:
            file.write(encoded)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write arrays to a compressed ``.npz`` file, and its folder, so that other processes see all of it or nothing.

    Raises:
        OSError: The file cannot be written.
    """
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.stem}.{os.getpid()}.npz")
    try:
        np.savez_compressed(partial, **arrays)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def cache_folder() -> Path:
    """Where files are kept that can be made again: ``$XDG_CACHE_HOME/symbench`` or ``~/.cache/symbench``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "symbench"
