"""Each kind looks as it did. Made again by ``GOLDEN=write pytest tests/plot/test_golden.py``; look at them then."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import symbench
from symbench import plot
from symbench.plot.style import context

if TYPE_CHECKING:
    from tests.plot.conftest import Make

GOLDEN = Path(__file__).parent / "golden"
TOLERANCE = 8.0  # root mean square, of 255; another font renderer moves edges of letters, a lost line is more


def drawn(kind: str, make_run: Make) -> Any:
    if kind == "training":
        steps, rng = np.arange(0, 1001, 50), np.random.default_rng(0)
        lines = [
            (arm, run, step, 500 * (1 - np.exp(-step / scale)) + 15 * rng.normal())
            for arm, scale, runs in (("fast", 150, 5), ("slow", 500, 3))
            for run in range(runs)
            for step in steps
        ]
        return plot.figure(pd.DataFrame(lines, columns=["arm", "run", "step", "return"]), kind)
    if kind == "panels":
        return plot.figure(symbench.load(make_run(tasks=("CartPole-v1", "CartPoleSwingUp"))), width="double")
    return plot.figure(symbench.load(make_run(), per="run" if kind == "profile" else "agent"), kind)


def pixels(figure: Any) -> np.ndarray:
    from matplotlib.image import imread

    with io.BytesIO() as memory, context():
        figure.savefig(memory, format="png", dpi=80, metadata={"Software": None})
        memory.seek(0)
        return np.asarray(imread(memory))[..., :3] * 255


@pytest.mark.parametrize("kind", ["retention", "bars", "profile", "training", "panels"])
def test_figures_look_as_they_did(kind: str, make_run: Make) -> None:
    from matplotlib.image import imread, imsave

    made, path = pixels(drawn(kind, make_run)), GOLDEN / f"{kind}.png"
    if os.environ.get("GOLDEN") == "write":
        imsave(path, made.round().astype(np.uint8), metadata={"Software": None})
    golden = np.asarray(imread(path))[..., :3] * 255
    assert made.shape == golden.shape
    assert np.sqrt(np.mean((made - golden) ** 2)) < TOLERANCE
    blank = np.full_like(golden, 255)
    assert np.sqrt(np.mean((blank - golden) ** 2)) > 2 * TOLERANCE  # or an empty figure would pass
