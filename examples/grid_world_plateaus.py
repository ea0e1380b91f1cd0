"""Where learning curves of the GridWorld stand still, and why.

Prints the values of four kinds of policies as CSV, exactly, by dynamic programming; with an arm of a study, also how
often five of its networks choose each action after training (by default 300,000 steps: some minutes).

python examples/grid_world_plateaus.py > docs/data/grid-world-plateaus.csv
python examples/grid_world_plateaus.py cnn [STEPS]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar

from symbench.envs.grid_world import MAX_EPISODE_STEPS, MOVES, PREY_MOVES, REWARDS, SIZE
from symbench.training.study import load_study
from symbench.training.study.action_laws import sample
from symbench.training.study.learner import Learner, Measurement


def transitions() -> np.ndarray:
    """Probabilities (5, 49, 49) of where the prey is next, as the agent sees it; at 0 it is caught."""
    cells = np.array([(row, column) for row in range(SIZE) for column in range(SIZE)])
    found = np.zeros((len(MOVES), len(cells), len(cells)))
    for prey, chance in zip(MOVES, (1 - PREY_MOVES, *[PREY_MOVES / 4] * 4), strict=True):
        for action, move in enumerate(MOVES):
            row, column = ((cells - move + prey) % SIZE).T
            found[action, np.arange(len(cells)), row * SIZE + column] += chance
    return found


def value(choose: Any) -> float:
    """Mean return over all first states; ``choose`` makes of the actions' values (5, 49) those of the states (49,)."""
    after, values = transitions(), np.zeros(SIZE**2)
    for _ in range(MAX_EPISODE_STEPS):
        gain = values + REWARDS[0]
        gain[0] = REWARDS[1]
        values = choose(after @ gain)
    return float(values.mean())


def blindly(*chances: float) -> float:
    """The value of drawing actions with these probabilities whatever is seen."""
    return value(lambda actions: np.array(chances) @ actions)


def actions_after_training(arm: str, steps: int) -> np.ndarray:
    """Shares (5 runs, 5 actions) of a study's networks after so many steps."""
    study = load_study("grid-world")
    learner, measure = Learner(study, study.arm(arm), range(5)), Measurement(study, range(5))
    for _ in range(steps // study.algorithm.batch):
        learner.update()
    counts, rng = np.zeros((5, len(MOVES))), np.random.default_rng(0)

    def counting(observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores, values = learner.stack(observations)
        drawn = sample(torch.log_softmax(scores, dim=-1), rng.random(scores.shape[:2]))
        counts[:] += (drawn[..., None] == np.arange(len(MOVES))).sum(axis=1)
        return scores, values

    measure(counting, 0)
    return counts / counts.sum(axis=1, keepdims=True)


def main() -> None:
    """Print all of it."""
    best = minimize_scalar(lambda share: -blindly(0, share, 1 - share, 0, 0), bounds=(0, 0.5), method="bounded")
    print("policy,mean_return,share")
    print(f"blind in all directions,{blindly(0, 0.25, 0.25, 0.25, 0.25):.4f},0.25")
    print(f"blind in two directions,{-best.fun:.4f},{best.x:.4f}")
    print(f"seeing in two directions,{value(lambda actions: actions[[1, 2]].max(axis=0)):.4f},")
    print(f"seeing in all directions,{value(lambda actions: actions.max(axis=0)):.4f},")
    if sys.argv[1:]:
        arm, steps = [*sys.argv[1:], "300000"][:2]
        torch.set_num_threads(1)
        print(f"actions of five runs of {arm} after {int(steps):,} steps: stay, down, right, up, left")
        print(actions_after_training(arm, int(steps)).round(2))


if __name__ == "__main__":
    main()
