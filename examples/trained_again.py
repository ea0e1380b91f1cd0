"""Do recipes still give what the bundled agents were trained by? ``python examples/trained_again.py OUT.csv``.

One training run of each small recipe of PPO with a new seed, beside the bundled runs of the same recipe; from a clean
commit. Some minutes of a core.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from symbench.training import load_recipe, train
from symbench.zoo import bundled, load_card

SEED = 11
RECIPES = (
    "cart-pole-mlp",
    "cart-pole-equivariant-mlp",
    "pendulum-mlp",
    "pendulum-equivariant-mlp",
    "acrobot-mlp",
    "grid-world-cnn",
)


def bundled_returns(name: str) -> list[float]:
    """The mean return in order of each bundled run of a recipe."""
    recipe = load_recipe(name)
    return [load_card(path)["in_order"]["mean"] for path in bundled(recipe.task)[recipe.agent]]


def main(out: Path) -> None:
    """Train, and write a line for each recipe."""
    lines = ["recipe,seed,mean,std,seconds,least_bundled,most_bundled"]
    for name in RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            story = json.loads((train(name, Path(folder), seed=SEED).parent / "train.json").read_text())
        measured, known = story["in_order"], bundled_returns(name)
        ends = f"{min(known)},{max(known)}"
        lines.append(f"{name},{SEED},{measured['mean']},{measured['std']},{story['training_seconds']},{ends}")
        print(lines[-1], flush=True)
    out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
