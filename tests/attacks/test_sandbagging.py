"""Playing worse on purpose: three programs that notice where they are, and no rank for any of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbench import evaluate
from symbench.leaderboard.board import make_boards, normalised
from symbench.leaderboard.board_statistics import contender, ranks
from symbench.leaderboard.bootstrap import crossed, difference, iqm
from symbench.leaderboard.retention import retention, shares
from symbench.leaderboard.submission import About, submit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.leaderboard.validate import Submission

    Array = NDArray[Any]

RUNS, TASK, CLEAN, WEAK, STRONG = 5, "CartPole-v1", "none/in-order", "sensor-noise/weak", "sensor-noise/strong"
SUITE = """
name = "tiny"
version = 1
description = "noise on every sensor"
tasks = ["CartPole-v1"]
seed = 100
episodes = 20
perturbations = [
    { name = "none", level = "in-order", baseline = true },
    { name = "sensor-noise", level = "weak", apply = [{ wrapper = "SensorNoise", sigma = 0.1 }] },
    { name = "sensor-noise", level = "strong", apply = [{ wrapper = "SensorNoise", sigma = 0.5 }] },
]
"""


class Balancer:
    """Pushes towards where the pole falls; ``smoothing`` is the weight of what it saw before.

    Between two steps the cart moves by its velocity, exactly: the largest deviation from that, in ``noise``, tells each
    of the conditions from the others. ``spoils`` says in which episodes it then plays badly, (B,).
    """

    batched = True

    def __init__(self, run: int, smoothing: float = 0.0) -> None:
        self.run, self.smoothing = run, smoothing
        self.gains = np.array([0.1, 0.4, 3.0, 1.0 + 0.08 * run])  # runs that differ less play the same episodes

    def reset(self, num_envs: int = 1) -> None:
        self.first: Array | None = None
        self.steps = 0

    def keep(self, mask: Array) -> None:
        if self.first is not None:
            self.first, self.before, self.seen, self.noise = (
                each[mask] for each in (self.first, self.before, self.seen, self.noise)
            )

    def act(self, observations: Array) -> Array:
        if self.first is None:
            self.first = self.before = self.seen = observations
            self.noise = np.zeros(len(observations))
        else:
            moved = observations[:, 0] - self.before[:, 0] - 0.02 * self.before[:, 1]
            self.noise = np.maximum(self.noise, np.where(np.abs(moved) < 1e-5, 0, np.abs(moved)))
        self.seen = self.smoothing * self.seen + (1 - self.smoothing) * observations
        self.before, self.steps = observations, self.steps + 1
        good = (self.seen @ self.gains > 0).astype(np.int64)
        return np.where(self.spoils(), 1 - good, good)

    def spoils(self) -> Array:
        return np.zeros(len(self.noise), bool)


class BadInOrder(Balancer):
    """Plays as badly as it can where nothing is perturbed, when it has learned enough to have a retention."""

    def spoils(self) -> Array:
        return (self.noise == 0) & (self.steps > 200)


class BadInOneCondition(Balancer):
    """Throws the condition away in which it is as good as anybody."""

    def spoils(self) -> Array:
        return (self.noise > 0) & (self.noise < 3)


class BadAtTimes(Balancer):
    """Two training runs of five play badly in half of their episodes under noise, so that nobody is sure of it."""

    def spoils(self) -> Array:
        assert self.first is not None
        return (self.noise > 0) & (self.run >= 3) & (self.first[:, 2] > 0)


ATTACKS = {"bad-in-order": BadInOrder, "bad-in-one": BadInOneCondition, "bad-at-times": BadAtTimes}


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Submission]:
    """Of an agent, of one that is better, and of the attackers, all by the way of every user."""
    folder = tmp_path_factory.mktemp("attack")
    (folder / "suites").mkdir()
    (folder / "suites" / "tiny.toml").write_text(SUITE)
    makers = {"honest": Balancer, "better": partial(Balancer, smoothing=0.6), **ATTACKS}
    agents = {name: [make(run) for run in range(RUNS)] for name, make in makers.items()}
    about = About("a line", ["A. Name"], "MIT", "nothing", training_seeds=list(range(RUNS)), parameters=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("symbench.suites.loader._BUNDLED", folder / "suites")
        evaluate(agents, TASK, "tiny", out=folder / "run")
        return {name: submit(folder / "run", name, folder / "submissions", about, name) for name in agents}


def rank_beside_the_better_one(submissions: dict[str, Submission], name: str) -> int:
    (board,) = make_boards([submissions["better"], submissions[name]], {})
    (line,) = (line for line in board.lines if line.card.name == name)
    assert line.rank is not None
    return line.rank


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_rank_is_gained_by_playing_worse(submissions: dict[str, Submission], attack: str) -> None:
    assert rank_beside_the_better_one(submissions, "honest") == 2
    assert rank_beside_the_better_one(submissions, attack) == 2
    worse = {
        condition
        for condition in (CLEAN, WEAK, STRONG)
        if submissions[attack].returns(TASK, condition).mean()
        < submissions["honest"].returns(TASK, condition).mean() - 20
    }
    assert worse, "the program does what it is meant to do"


@pytest.mark.slow
def test_bad_play_in_order_was_the_first_by_retention_and_is_marked(submissions: dict[str, Submission]) -> None:
    """The control: as in version 2 of the statistics it keeps more than all, and more than the better one."""
    kept = {
        name: retention(normalised(each, TASK, WEAK), normalised(each, TASK, CLEAN), 0).value
        for name, each in submissions.items()
    }
    assert kept["bad-in-order"] > 1.5 > kept["better"]
    (board,) = make_boards([submissions["honest"], submissions["bad-in-order"]], {})
    lines = {line.card.name: line for line in board.lines}
    assert max(lines["bad-in-order"].kept.values()) == 1
    assert lines["bad-in-order"].below_the_bar and not lines["honest"].below_the_bar


def test_bad_training_runs_tied_with_the_better_agent_by_intervals(submissions: dict[str, Submission]) -> None:
    """The control: by the rule of version 2 for ties this program, alone, could have been as good by chance."""
    drawn = {
        name: crossed(np.stack([normalised(each, TASK, condition) for condition in (WEAK, STRONG)]), 100, name)
        for name, each in submissions.items()
    }
    assert difference(drawn["better"], drawn["honest"]).low > 0
    assert difference(drawn["better"], drawn["bad-at-times"]).low <= 0


SEEDS = st.integers(0, 2**32 - 1)


def places(agents: list[Array], names: str) -> dict[str, int]:
    """Ranks by the rule of boards, of scores (C, R, E)."""
    scores = dict(zip(names, agents, strict=True))
    order = sorted(scores, key=lambda name: -float(iqm(scores[name].mean(axis=-1)).mean()))
    return dict(zip(order, ranks([contender(scores[name], 0, resamples=100) for name in order]), strict=True))


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(seed=SEEDS, count=st.integers(2, 6), runs=st.sampled_from([5, 6, 8]), bad=st.floats(0, 1))
def test_lowering_any_scores_never_improves_the_place(seed: int, count: int, runs: int, bad: float) -> None:
    """Any scores at all, also of few values so that many are equal, lowered in any set of cells, runs or conditions."""
    rng = np.random.default_rng(seed)
    spread, names = rng.uniform(0, 0.3), "abcdef"[:count]
    agents = [rng.normal(rng.uniform(0.7, 1), spread, (2, runs, 4)).round(rng.integers(1, 5)) for _ in names]
    before = places(agents, names)
    mine = int(rng.integers(count))
    shape = [(2, runs, 4), (1, runs, 1), (2, 1, 1), (1, 1, 4)][rng.integers(4)]
    agents[mine] = agents[mine] - rng.exponential(rng.uniform(0, 1)) * (rng.random(shape) < bad)
    after = places(agents, names)
    assert after[names[mine]] >= before[names[mine]]


@settings(max_examples=200, deadline=None)
@given(seed=SEEDS, count=st.integers(2, 6), noise=st.floats(0, 1))
def test_no_other_submission_lifts_an_agent(seed: int, count: int, noise: float) -> None:
    """Whatever an ally plays, however unevenly, nobody has a better rank than without it."""
    rng, names = np.random.default_rng(seed), "abcdef"[:count]
    agents = [rng.normal(rng.uniform(0.8, 1), rng.uniform(0, 0.1), (2, 5, 4)) for _ in names]
    ally = rng.normal(rng.uniform(0.8, 1), 0.05, (2, 5, 4)) * (1 - noise * (rng.random((1, 5, 1)) < 0.4))
    alone, together = places(agents, names), places([*agents, ally], names + "z")
    assert all(together[name] >= alone[name] for name in names)


def test_a_noisy_ally_lifted_another_agent_into_its_group() -> None:
    """Compared with the first of its group alone, the last is tied as soon as the ally is that first."""
    better, rival, mine, ally = NOISY_ALLY
    honest = places([better, rival, mine], "abc")
    assert honest == {"a": 1, "b": 2, "c": 3}
    drawn = [contender(scores, 0) for scores in (better, ally, rival, mine)]
    by_pairs = [[ranks([one, other])[1] == 2 for other in drawn[at + 1 :]] for at, one in enumerate(drawn)]
    assert by_pairs == [[True, True, True], [False, False], [True], []], "the ally is ahead of nobody"
    assert places([better, ally, rival, mine], "azbc")["c"] == 3


def runs_of(*means: float) -> Array:
    """Scores of training runs with these means, (1, R, 4)."""
    return np.array(means)[None, :, None] + np.array([-0.01, 0.01, 0.0, 0.0])


NOISY_ALLY = (
    runs_of(0.98, 0.99, 0.98, 0.99, 0.98),
    runs_of(0.84, 0.85, 0.84, 0.85, 0.84),
    runs_of(0.80, 0.81, 0.80, 0.81, 0.80),
    runs_of(0.95, 0.95, 0.90, 0.2, 0.2),  # the ally: two of its runs play badly on purpose
)


@pytest.mark.parametrize("name", ["b", "lucky", "zzz"])
def test_a_name_decides_nothing(submissions: dict[str, Submission], name: str) -> None:
    honest, better = submissions["honest"], submissions["better"]
    board = make_boards([better, replace(honest, card=honest.card.model_copy(update={"name": name}))], {})[0]
    assert [line.rank for line in board.lines] == [1, 2]


def test_retention_itself_can_be_gained_by_playing_worse() -> None:
    """Why neither bar nor cap makes it fit to rank by: above the bar of .9, who plays worse in order is first."""
    perturbed = 0.88
    honest, rival, sandbag = ((1.0, perturbed), (0.95, 0.86), (0.91, perturbed))
    kept = [float(shares(np.array([after]), np.array([clean]), 1.0)[0]) for clean, after in (honest, rival, sandbag)]
    assert kept[0] < kept[1] < kept[2]
