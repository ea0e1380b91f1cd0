"""All predictors of N-body systems beside what was published of them: what ``symbench study nbody`` does."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import unknown
from symbench.files import write_atomically
from symbench.training.nbody.predictor_training import train_predictor
from symbench.training.nbody.predictors import PREDICTORS
from symbench.training.session import STORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from symbench.training.nbody.systems import Splits

COLUMNS: Final = (
    *("predictor", "seed", "parameters", "learning_rate", "epochs", "best_epoch", "valid_mse", "test_mse"),
    *("seconds", "cpu", "commit", "command"),
)
PUBLISHED: Final = {
    "linear": 0.0819,
    "se3-transformer": 0.0244,
    "tfn": 0.0155,
    "gnn": 0.0107,
    "radial-field": 0.0104,
    "egnn": 0.0071,
    "segnn": 0.0043,
    "steerable-linear": 0.0116,
}
"""Test errors after 10,000 epochs: Satorras et al. 2021 (arXiv 2102.09844), table 2; the steerable ones after 1000:
Brandstetter et al. 2022 (arXiv 2110.02905), table 1."""
TABLE: Final = ("predictor", "runs", "parameters", "epochs", "test MSE", "worst run", "published", "seconds a run")


def run_nbody_study(
    splits: Splits, out: Path, names: Sequence[str], seeds: int, epochs: int, *, resume: bool = True, command: str = ""
) -> None:
    """Train runs of some predictors, which are kept in ``out``; see :func:`~.predictor_training.train_predictor`.

    Raises:
        SymbenchError: There is no such predictor, or one diverged.
    """
    for name in names:
        if name not in PREDICTORS:
            raise unknown("predictor", name, PREDICTORS)
    for name in names:
        for seed in range(seeds):
            train_predictor(name, splits, out, seed, epochs=epochs, resume=resume, command=command)
            write_results(out)


def stories(out: Path) -> list[dict[str, Any]]:
    """What all finished runs in a folder say of themselves."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob(f"*/s*/{STORY}"))]


def write_results(out: Path) -> None:
    """Write a line for each finished run in ``out`` to ``out/results.csv``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(stories(out))
    write_atomically(out / "results.csv", text.getvalue())


def summary(out: Path) -> list[tuple[str, ...]]:
    """A line of :data:`TABLE` for each predictor with finished runs, the worst first; means over runs."""
    found: dict[str, list[dict[str, Any]]] = {}
    for story in stories(out):
        found.setdefault(story["predictor"], []).append(story)
    errors = {name: np.array([run["test_mse"] for run in runs]) for name, runs in found.items()}
    return [_line(name, found[name], errors[name]) for name in sorted(found, key=lambda name: -errors[name].mean())]


def _line(name: str, runs: list[dict[str, Any]], errors: np.ndarray) -> tuple[str, ...]:
    published = f"{PUBLISHED[name]:.4f}" if name in PUBLISHED else "-"
    epochs = "/".join(sorted({str(run["epochs"]) for run in runs}))
    seconds = np.mean([run["seconds"] for run in runs])
    sizes = (name, str(len(runs)), f"{runs[0]['parameters']:,}", epochs)
    return (*sizes, f"{errors.mean():.4f}", f"{errors.max():.4f}", published, f"{seconds:.0f}")
