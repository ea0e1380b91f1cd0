"""What a number was computed with: versions, commit, machine."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import symbench

_PACKAGES = ("gymnasium", "numpy", "torch", "stable-baselines3", "sb3-contrib", "scipy", "pandas")


def environment(workers: int) -> dict[str, Any]:
    """Versions, commit, hardware and threads, as JSON data.

    Args:
        workers: Number of processes that evaluate; each uses one thread.
    """
    return {
        "symbench": symbench.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "workers": workers,
        "threads_per_worker": 1,
    }


def commit() -> str | None:
    """The commit of a source checkout, with ``+changes`` if files differ from it; ``None`` when installed otherwise."""
    root = Path(symbench.__file__).resolve().parents[1]
    # A package installed inside someone else's repository must not claim that repository's commit.
    if not (root / ".git").exists():
        return None
    head = _git(root, "rev-parse", "HEAD")
    return head and head + ("+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
