"""What a cell costs beside its episodes: ``python examples/cost_of_cells.py OUT.csv``.

Random play, one episode a cell of CartPole-v1, so that next to nothing is played; time by the clock, in milliseconds a
cell, and what files and folders take on the disk.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbench import leaderboard
from symbench.runner import Manifest, make_plan, run
from symbench.runner.shards import merge
from symbench.runner.store import Store
from symbench.suites.loader import parse_suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.suites import Suite

TASK, COUNTS = "CartPole-v1", (200, 2000)


def suite_of(cells: int) -> Suite:
    """One condition for each cell: noise of another size."""
    noisy = [
        {"name": "noise", "level": f"{i}", "apply": [{"wrapper": "SensorNoise", "sigma": i / 1000}]}
        for i in range(1, cells)
    ]
    return parse_suite(
        {
            "name": "cells",
            "version": 1,
            "description": "many cells",
            "seed": 0,
            "episodes": 1,
            "tasks": [TASK],
            "perturbations": [{"name": "none", "level": "in-order", "baseline": True}, *noisy],
        },
        "cells.toml",
    )


def measured(cells: int, folder: Path) -> dict[str, float]:
    """Milliseconds a cell, by what is done, and kB a cell."""
    suite, spent = suite_of(cells), Counter[str]()

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                spent[name] += time.perf_counter() - start

        return wrapped

    write, save = Store.write, Manifest.save
    Store.write, Manifest.save = timed("write", write), timed("manifest", save)  # type: ignore[method-assign]
    asked: dict[str, Any] = {"tasks": [TASK], "agents": ["random"]}
    timed("plan", make_plan)(suite, **asked)
    timed("run", run)(suite, folder / "whole", **asked)
    Store.write, Manifest.save = write, save  # type: ignore[method-assign]
    timed("resume", run)(suite, folder / "whole", **asked)
    timed("tables", leaderboard.write_report)(folder / "whole")
    timed("merge", merge)(folder / "merged", [folder / "whole"])
    kept = [512 * path.stat().st_blocks for path in (folder / "whole").rglob("*")]
    sizes = {"run.json": (folder / "whole" / "run.json").stat().st_size, "disk": sum(kept)}
    return {name: 1000 * spent[name] / cells for name in spent} | {
        f"{name} kB": size / 1000 / cells for name, size in sizes.items()
    }


def main(path: Path) -> None:
    """Measure, and write ``what, cells, value``: milliseconds a cell, or kB a cell."""
    lines = ["what,cells,value"]
    for cells in COUNTS:
        with tempfile.TemporaryDirectory() as folder:
            found = measured(cells, Path(folder))
        lines += [f"{what},{cells},{value:.2f}" for what, value in found.items()]
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
