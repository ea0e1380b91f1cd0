"""What a number was computed with: versions, commit, machine, and how the machine computes."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import symbench

_PACKAGES = ("gymnasium", "numpy", "torch", "stable-baselines3", "sb3-contrib", "scipy", "pandas")

# Each chooses other instructions or kernels for the same arithmetic. The last bits differ then, and so do trajectories.
VARIABLES: Final = (
    "ATEN_CPU_CAPABILITY",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "GLIBC_TUNABLES",
)


def environment(workers: int) -> dict[str, Any]:
    """Versions, commit, hardware and threads of a call, as JSON data.

    Args:
        workers: Number of processes that evaluate; each uses one thread.
    """
    return {**machine(), "workers": workers, "threads_per_worker": 1}


@cache
def machine() -> dict[str, Any]:
    """What decides the last bits of a number in this process, as JSON data that is not to be changed.

    Equal for all processes that compute alike: no time, no threads, no paths.
    """
    return {
        "symbench": symbench.__version__,
        "commit": commit(),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "arithmetic": arithmetic(),
    }


def arithmetic() -> dict[str, str]:
    """The instructions that torch and numpy use, their BLAS, the C library, and the :data:`VARIABLES` that are set."""
    import numpy as np
    import torch

    build: Any = np.show_config(mode="dicts")
    blas, found = build["Build Dependencies"]["blas"], build["SIMD Extensions"]
    torch_blas = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    facts = {
        "torch": f"{torch.backends.cpu.get_cpu_capability()}, {torch_blas[1] if torch_blas else 'no BLAS'}",
        "numpy": " ".join([*found["baseline"], *found["found"]]),
        "numpy_blas": f"{blas['name']} {blas.get('version', '')}",
        "libc": " ".join(platform.libc_ver()),
        **{name: os.environ.get(name, "") for name in VARIABLES},
    }
    return {name: text for name, value in facts.items() if (text := " ".join(value.split())[:300])}


CHANGES: Final = "+changes"


def commit() -> str | None:
    """The commit of a source checkout, with ``+changes`` if files differ from it; ``None`` when installed otherwise."""
    root = Path(symbench.__file__).resolve().parents[1]
    # A package installed inside someone else's repository must not claim that repository's commit.
    if not (root / ".git").exists():
        return None
    head = _git(root, "rev-parse", "HEAD")
    return head and head + (CHANGES if _git(root, "status", "--porcelain", "--untracked-files=no") else "")


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
