"""How often an agent gains a rank by playing worse, under four rules to rank by. Prints CSV; 3 minutes of one core.

Boards of random agents; on each, one of them plays worse on purpose in one of six ways, all others as before. Scores
are normalised, of 5 training runs, 20 episodes and 3 perturbed conditions.

python examples/ranks_by_playing_worse.py > docs/data/playing-worse.csv
"""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from symbench.leaderboard.board_statistics import contender, ranks
from symbench.leaderboard.bootstrap import Draws, crossed, difference, iqm
from symbench.leaderboard.retention import shares
from symbench.suites.suite import NEAR_THE_BEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Board = dict[str, Array]  # name -> scores, (conditions, runs, episodes), those without perturbation first

BOARDS, AGENTS, CONDITIONS, RUNS, EPISODES, RESAMPLES = 1000, 5, 3, 5, 20, 400
SEED: Final = 0  # of the resamples, as that of a suite
BAR: Final = NEAR_THE_BEST * 1.0


def some_board(rng: np.random.Generator) -> Board:
    """Agents near the best known clean score, 1, and others; what they keep differs by agent and condition."""
    board = {}
    for name in map(str, range(AGENTS)):
        clean, kept = rng.uniform(0.75, 1.02), rng.uniform(0.4, 1.0) + rng.normal(0, 0.05, CONDITIONS)
        level = clean * np.array([1, *kept])[:, None, None]
        noise = rng.normal(0, 0.03, (1, RUNS, 1)) + rng.normal(0, 0.1, (1 + CONDITIONS, RUNS, EPISODES))
        board[name] = np.clip(level + noise, 0, 1.05)
    return board


def clean(scores: Array, rng: np.random.Generator) -> Array:
    """In order, by up to a half."""
    return np.concatenate([scores[:1] * rng.uniform(0.5, 1), scores[1:]])


def to_the_bar(scores: Array, _: np.random.Generator) -> Array:
    """In order, down to the bar, of an agent that is above it."""
    return np.concatenate([scores[:1] * min(1, 1.0001 * BAR / iqm(scores[0].mean(axis=-1))), scores[1:]])


def condition(scores: Array, rng: np.random.Generator) -> Array:
    """Under one perturbed condition, by up to all."""
    factor = np.ones((len(scores), 1, 1))
    factor[rng.integers(1, len(scores))] = rng.uniform(0, 1)
    return scores * factor


def runs(scores: Array, rng: np.random.Generator) -> Array:
    """In one or two training runs, by up to all, under all conditions but in order."""
    factor = np.ones((len(scores), RUNS, 1))
    factor[1:, rng.permutation(RUNS)[: rng.integers(1, 3)]] = rng.uniform(0, 1)
    return scores * factor


def episodes(scores: Array, rng: np.random.Generator) -> Array:
    """In some episodes, by up to all."""
    hit = rng.random((1, 1, EPISODES)) < rng.uniform(0, 0.5)
    return scores * np.where(hit, rng.uniform(0, 1), 1.0)


def anywhere(scores: Array, rng: np.random.Generator) -> Array:
    """By another share in every cell of every condition, run and episode, and not at all in most."""
    return scores * np.where(rng.random(scores.shape) < 0.3, rng.random(scores.shape), 1.0)


def by_retention(board: Board, most: float = np.inf) -> dict[str, int]:
    """Version 2 of the statistics."""

    def units(means: Array) -> Array:
        return shares(means[1:], means[0], most)

    drawn = {name: crossed(each, SEED, name, units=units, resamples=RESAMPLES) for name, each in board.items()}
    return _ranked(drawn, _ranks_by_intervals)


def by_retention_above_a_bar(board: Board) -> dict[str, int]:
    """By retention of 100% at most above a clean score near the best known; behind them all others by score."""
    above = {name: each for name, each in board.items() if iqm(each[0].mean(axis=-1)) >= BAR}
    others = _ranked(_scores({name: board[name] for name in board.keys() - above.keys()}), _ranks_by_intervals)
    return by_retention(above, 1.0) | {name: len(above) + rank for name, rank in others.items()}


def by_score_and_intervals(board: Board) -> dict[str, int]:
    """By perturbed score, tied where the 95% interval of the difference holds 0."""
    return _ranked(_scores(board), _ranks_by_intervals)


def by_score(board: Board) -> dict[str, int]:
    """The rule of boards: by perturbed score, tied unless ahead in nearly all draws."""
    order = sorted(board, key=lambda name: -float(iqm(board[name][1:].mean(axis=-1)).mean()))
    drawn = [contender(board[name][1:], SEED, RESAMPLES) for name in order]
    return dict(zip(order, ranks(drawn), strict=True))


def _scores(board: Board) -> dict[str, Draws]:
    return {name: crossed(each[1:], SEED, name, resamples=RESAMPLES) for name, each in board.items()}


def _ranks_by_intervals(agents: Sequence[Draws]) -> list[int]:
    found: list[int] = []
    for place, own in enumerate(agents):
        group = found[-1] if found else 1
        found.append(group if difference(agents[group - 1], own).low <= 1e-9 else place + 1)
    return found


def _ranked(drawn: dict[str, Draws], rule: Callable[[Sequence[Draws]], list[int]]) -> dict[str, int]:
    order = sorted(drawn, key=lambda name: -drawn[name].value)
    return dict(zip(order, rule([drawn[name] for name in order]), strict=True))


RULES: Final = {
    "retention": by_retention,
    "retention above a bar": by_retention_above_a_bar,
    "perturbed score, ties by interval": by_score_and_intervals,
    "perturbed score": by_score,
}
WAYS: Final = {way.__name__: way for way in (clean, to_the_bar, condition, runs, episodes, anywhere)}


def main(boards: int = BOARDS) -> None:
    """Print, for each rule and way to play worse, on how many boards that gained a rank, and how many at most."""
    gains: dict[tuple[str, str], list[int]] = {(rule, way): [] for rule in RULES for way in WAYS}
    for number in range(boards):
        rng = np.random.default_rng(number)
        board, mine = some_board(rng), str(rng.integers(AGENTS))
        worse = {name: {**board, mine: way(board[mine], rng)} for name, way in WAYS.items()}
        for rule, ranked in RULES.items():
            honest = ranked(board)[mine]
            for way, attacked in worse.items():
                gains[rule, way].append(honest - ranked(attacked)[mine])
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("rule", "worse", "boards", "gained", "most_ranks"))
    table.writerows((*key, boards, sum(gain > 0 for gain in each), max(each)) for key, each in gains.items())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
