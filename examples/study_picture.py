"""Draw the learning curves of a study from its ``curves.csv``: the median over training runs with its quartiles.

python examples/study_picture.py docs/data/sensor-baselines-curves.csv docs/pictures/sensor-baselines-curves.png \
    --measured per-episode --title "CartPoleSwingUp, shuffled per episode" --threshold 450
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from symbench.training.study.learning_curves import Curves
from symbench.viz.draw_curves import draw_curves


def arms(table: pd.DataFrame, measured: str | None) -> list[Curves]:
    """The arms of a table; ``measured``: of a study of several conditions (arms ``NAME/CONDITION``) only this one."""
    if measured is not None:
        names = table["arm"].str.rsplit("/", n=1)
        table = table.assign(arm=names.str[0])[names.str[1] == measured]
    pivots = {str(arm): rows.pivot(index="run", columns="step", values="return") for arm, rows in table.groupby("arm")}
    return [Curves(arm, 0, pivot.columns.to_numpy(), pivot.to_numpy()) for arm, pivot in pivots.items()]


def main() -> None:
    """Read, choose, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--measured", metavar="CONDITION", help="e.g. per-episode")
    parser.add_argument("--title", default="")
    parser.add_argument("--threshold", type=float, default=0.0, help="return at which a thin line is drawn")
    options = parser.parse_args()
    found = arms(pd.read_csv(options.curves), options.measured)
    draw_curves(options.picture, found, options.title, options.threshold)


if __name__ == "__main__":
    main()
