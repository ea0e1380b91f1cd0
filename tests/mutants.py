"""Mutation testing: which small faults, put into the code on purpose, no test notices.

``make mutants`` makes all mutants of the files named in ``pyproject.toml`` (``[tool.mutmut]``), tries a random sample
of them and prints a table; ``make mutants SAMPLE=0`` tries all, which takes many hours. Survivors are printed with
their change.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

MUTANTS = Path("mutants")
OUTCOMES = {0: "survived", 33: "no test", 36: "timeout", 24: "timeout", 152: "timeout", 255: "timeout", 5: "no test"}

CAUGHT = ("killed", "timeout")
COLUMNS = ["module", "mutants", "tried", "killed", "survived"]


def mutmut(*arguments: str) -> str:
    """Run mutmut; the text it prints."""
    return subprocess.run([sys.executable, "-m", "mutmut", *arguments], text=True, capture_output=True).stdout


def results() -> dict[str, int | None]:
    """Name of each mutant -> exit code of its tests; ``None`` if it was not tried."""
    files = sorted(MUTANTS.rglob("*.meta"))
    return {name: code for file in files for name, code in json.loads(file.read_text())["exit_code_by_key"].items()}


def module(name: str) -> str:
    """The module a mutant is in."""
    return name.rsplit(".", 1)[0]


def outcome(code: int) -> str:
    """What became of a mutant; mutmut's exit codes."""
    return OUTCOMES.get(code, "killed")


def main() -> None:
    """Make, choose, try, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=500, help="how many mutants are tried; 0: all")
    parser.add_argument("--seed", type=int, default=0, help="draws the sample")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--data", type=Path, help="write the table to this file, as docs/data/mutants.csv")
    options = parser.parse_args()
    children = ("--max-children", str(options.workers))
    said = mutmut("run", *children, "no.such.mutant")  # makes them all, and learns which test reaches which function
    if "failed to collect stats" in said:
        sys.exit("the tests fail without any mutant: run them in the folder mutants")
    names = sorted(results())
    chosen = np.random.default_rng(options.seed).permutation(names)[: options.sample or None].tolist()
    mutmut("run", *children, *chosen)
    found = results()
    tried = {name: outcome(code) for name in chosen if (code := found[name]) is not None}
    rows = count(names, tried)
    if options.data is not None:
        pd.DataFrame(rows, columns=COLUMNS).to_csv(options.data, index=False, lineterminator="\n")
    show(rows, tried)


def count(names: list[str], tried: dict[str, str]) -> list[tuple[str, int, int, int, int]]:
    """Of each module, then of all: its name, mutants, how many were tried, killed (in time or not), survived."""
    made, modules = Counter(map(module, names)), sorted(set(map(module, names)))
    caught, missed = (
        Counter(module(name) for name, what in tried.items() if (what in CAUGHT) == killed) for killed in (True, False)
    )
    rows = [(each, made[each], caught[each] + missed[each], caught[each], missed[each]) for each in modules]
    return [*rows, ("all", *(sum(row[column] for row in rows) for column in range(1, 5)))]  # type: ignore[list-item]


def show(rows: list[tuple[str, int, int, int, int]], tried: dict[str, str]) -> None:
    """A table of modules, then the survivors."""
    print(pd.DataFrame(rows, columns=COLUMNS).to_string(index=False))
    *_, killed, _ = rows[-1]
    print(f"\n{killed} of {len(tried)} tried mutants are killed, {killed / max(1, len(tried)):.1%}\n")
    for name, what in sorted(tried.items()):
        if what not in CAUGHT:
            print(f"### {what}: {name}\n{mutmut('show', name)}")


if __name__ == "__main__":
    main()
