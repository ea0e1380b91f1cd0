"""How soon the command answers. Run with ``make bench``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture


def test_help(benchmark: BenchmarkFixture) -> None:
    command = [sys.executable, "-m", "symbench", "--help"]
    benchmark.pedantic(subprocess.run, args=(command,), kwargs={"check": True, "capture_output": True}, rounds=10)
    if benchmark.stats is not None:
        benchmark.extra_info.update(measured=f"{benchmark.stats.stats.min:.2f} s", aim="< .5 s")
