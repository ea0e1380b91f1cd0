"""Finds training runs that stand on a board twice: clones in one submission, copies under another name.

Three things give a run away: the hash of its files, the hash of its tensors, and its episodes, which no change of a
file's bytes, of their order or of a weight's last digits makes others. Where a task saturates, or agents play as well
as anybody can, equal episodes prove nothing: they are noted then, not refused.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from symbench.errors import SymbenchError
from symbench.leaderboard.gaps import ranked_by_gap
from symbench.leaderboard.plain_text import reads_as
from symbench.leaderboard.submission_problems import Problem
from symbench.runner.agents import tensors_of
from symbench.tasks import GapMetric, get_task

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from symbench.leaderboard.submission_schema import Scope, TrainingRun
    from symbench.leaderboard.validate import Submission
    from symbench.runner import AgentSource

_CLOSE: Final = 1e-3  # of a return: what weights that differ in their last digits come to in an episode
_SAME_TOUR: Final = 1e-9  # of a length: another order of the same sum
# Of the telling episodes. On CartPoleSwingUp, runs of bundled agents that were trained apart share up to a third;
# the attention neuron with noise of 1e-9 of its weights has 89% of its own, with 1e-6 84%, with 1e-4 73%, for episodes
# are chaotic; the MLP has 100%, 100% and 98%. Simple controllers with other gains may share more than half.
_SAME_SHARE: Final = 0.85  # refused
_ALIKE_SHARE: Final = 0.6  # noted, for somebody to look at
_OUTCOMES: Final = 5  # that episodes, of a condition and in all, must have at least to tell anything
_SATURATED: Final = "have the same episodes; the task saturates, so these do not tell runs apart"
_BEST: Final = 0.99  # of the best clean score that is known: all agents that play so choose the same, GridWorld's say
_FEW_OUTCOMES: Final = 0.5  # of the episodes; where nearly each has a return of its own, equal ones are no choice
_OPTIMAL: Final = 1e-3  # % above the reference


_Runs: TypeAlias = "Mapping[tuple[str, str], Sequence[PlayedRun]]"  # suite without version, task -> training runs


@dataclass(frozen=True)
class PlayedRun:
    """One training run of a submission in one task.

    Attributes:
        name: Of the submission.
        run: Its number.
        of: What the metadata say of it.
        episodes: Condition -> returns and lengths, (2, E), of the perturbed ones, or of all if it cannot act in these.
        telling: Condition -> which of them tell something about the run, (E,), see :func:`_alike`.
        close: How far returns of the same episode may be apart, as a share of them.
        first: Seed of the first episode of each condition.
    """

    name: str
    run: int
    of: TrainingRun
    episodes: Mapping[str, NDArray[np.float64]]
    telling: Mapping[str, NDArray[np.bool_]]
    close: float
    first: int


def clones(submission: Submission) -> tuple[list[str], list[str]]:
    """Training runs of one submission that are one: what is wrong, and what is to be noted."""
    wrong, notes = [], []
    for task in submission.card.tasks:
        runs = played_runs(submission, task)
        for other in runs:
            for one in runs[: other.run]:
                pair = f"{task}, runs {one.run} and {other.run}"
                match how := _alike(one, other):
                    case "same":
                        wrong.append(f"{pair} have the same episodes; one training run counts once, so leave one out")
                    case "alike":
                        notes.append(f"{pair} have most of their episodes in common: are they one training run?")
                    case "saturated":
                        notes.append(f"{pair} {_SATURATED}")
                if how:
                    break
    return wrong, notes


def copies(
    submissions: Mapping[str, Submission], asked: Container[str], newest: Container[str] = ()
) -> list[tuple[str, Problem]]:
    """Submissions that have a training run, or a name, of another one.

    The same agent in another task or another suite is no copy, nor is one in another version of the suite by the same
    authors.

    Args:
        submissions: Path without suffix -> the submission, of all on a board.
        asked: Which are asked about; what is wrong between others is not said.
        newest: Which came after all others, whatever their dates say.

    Returns:
        Path and problem for each submission and each one it copies; it is about the younger of the two.
    """
    problems = []
    runs = {path: _runs(of) for path, of in submissions.items()}
    by_age = sorted(
        submissions, key=lambda path: (path in newest, submissions[path].card.instant, submissions[path].card.name)
    )
    for first, second in combinations(by_age, 2):
        if first not in asked and second not in asked:
            continue
        old, new, file = submissions[first], submissions[second], f"{second}.json"
        if old.card.name == new.card.name:
            continue  # the same one in another folder
        if reads_as(old.card.name) == reads_as(new.card.name):
            text = f"name: {new.card.name!r} reads as {old.card.name!r}, which is on the board; choose another"
            problems.append((second, Problem("look-alike", file, text)))
        if not _is_own_again(old, new):
            problems += [(second, Problem("copy", file, text)) for text in _copied(runs[first], runs[second])]
    return problems


def _runs(submission: Submission) -> _Runs:
    return {(submission.suite.name, task): played_runs(submission, task) for task in submission.card.tasks}


def _is_own_again(old: Submission, new: Submission) -> bool:
    """Whether authors submit to a new version of a suite what they, or random play, which is nobody's, did before."""
    if old.card.suite == new.card.suite:
        return False
    return set(old.card.authors) == set(new.card.authors) or _is_random(new)


def _is_random(submission: Submission) -> bool:
    return all(run.weights is None for entry in submission.card.tasks.values() for run in entry.runs)


def check_tensors(card: Scope, task: str, sources: Sequence[AgentSource]) -> None:
    """Compare the tensors in files with those that a submission names, which nobody can tell from its own two files.

    Args:
        card: The metadata.
        task: One of its tasks.
        sources: Where the files are, in the order of its training runs.

    Raises:
        SymbenchError: They are others, or those of two training runs are the same.
    """
    seen: dict[str, int] = {}
    for run, (of, source) in enumerate(zip(card.tasks[task].runs, sources, strict=True)):
        tensors = tensors_of(source)
        if of.tensors not in (None, tensors):
            expected = f"{str(of.tensors)[:12]}... is expected, received {str(tensors)[:12]}..."
            raise SymbenchError(f"the tensors of training run {run} of {card.name!r} in {task}: SHA-256 {expected}")
        if tensors is not None and seen.setdefault(tensors, run) != run:
            text = f"training runs {seen[tensors]} and {run} of {card.name!r} in {task} have the same tensors"
            raise SymbenchError(f"{text}; one training run counts once")


def _copied(old: _Runs, new: _Runs) -> list[str]:
    """What the newer has of the older, a line for each suite and task."""
    found = []
    for suite, task in [place for place in new if place in old]:
        for mine, theirs in product(new[suite, task], old[suite, task]):
            if what := _in_common(task, mine, theirs):
                other = f"run {theirs.run} of {theirs.name!r}, which is on the board"
                found.append(f"{task}, run {mine.run} has the {what} of {other}; one training run stands there once")
                break
    return found


def _in_common(task: str, one: PlayedRun, other: PlayedRun) -> str:
    # One network may build tours in several ways, which are methods of their own.
    for what in ("weights",) if ranked_by_gap(task) else ("weights", "tensors"):
        if (value := getattr(one.of, what)) is not None and value == getattr(other.of, what):
            return what
    return "episodes" if _alike(one, other) == "same" else ""


def _alike(one: PlayedRun, other: PlayedRun) -> Literal["same", "alike", "saturated", ""]:
    """What the episodes of two runs have in common.

    Telling are episodes that do not end as most of the run do (at the most or the least the task gives) and that are
    not optimal. If they have fewer than five outcomes, the task saturates.
    """
    shared = [condition for condition in one.episodes if condition in other.episodes]
    if not shared or one.first != other.first:
        return ""
    # Versions of a suite may differ in their number of episodes; what both have are those of the same seeds.
    count = min(run.episodes[each].shape[1] for run in (one, other) for each in shared)
    a, b = (np.concatenate([run.episodes[each][:, :count] for each in shared], axis=1) for run in (one, other))
    telling = np.concatenate([one.telling[each][:count] | other.telling[each][:count] for each in shared])
    equal = (a[1] == b[1]) & (np.abs(a[0] - b[0]) <= one.close * np.maximum(1, np.abs(a[0])))
    if len(np.unique(_outcomes(a[:, telling]))) < _OUTCOMES:
        return "saturated" if equal.mean() >= _SAME_SHARE else ""
    share = equal[telling].mean()
    return "same" if share >= _SAME_SHARE else "alike" if share >= _ALIKE_SHARE else ""


def played_runs(submission: Submission, task: str) -> list[PlayedRun]:
    """The training runs of a submission in a task."""
    of_runs: dict[int, dict[str, NDArray[np.float64]]] = defaultdict(dict)
    for condition, run, episodes in _episodes(submission, task):
        of_runs[run][condition] = episodes
    close = _SAME_TOUR if ranked_by_gap(task) else _CLOSE
    return [
        PlayedRun(
            submission.card.name,
            run,
            of,
            of_runs[run],
            _telling(submission, task, of_runs[run]),
            close,
            submission.suite.seed,
        )
        for run, of in enumerate(submission.card.tasks[task].runs)
    ]


def _episodes(submission: Submission, task: str) -> Iterator[tuple[str, int, NDArray[np.float64]]]:
    # A condition that is another one again is never played again: what stands there could be invented.
    played = {condition.id for condition in submission.suite.distinct(get_task(task))}
    found = [
        (f"{name}/{level}", int(run), np.stack([cell.returns, cell.lengths.astype(np.float64)]))
        for (of, name, level, run), cell in submission.cells.items()
        if of == task and f"{name}/{level}" in played
    ]
    perturbed = [each for each in found if each[0] != submission.suite.baseline.id]
    yield from perturbed or found


def _telling(
    submission: Submission, task: str, episodes: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.bool_]]:
    """Which episodes have another outcome than the commonest of the run, (E,) each, and are not optimal.

    Tours that are as short as the stored ones are built by all good agents, and so it is where a run is as good as the
    best known and few outcomes are possible. A condition with hardly any outcomes, such as a pole that everybody loses
    within 8 to 10 steps, is the same for all.
    """
    if not episodes:
        return {}
    outcomes = {condition: _outcomes(of) for condition, of in episodes.items()}
    values, counts = np.unique(np.concatenate(list(outcomes.values())), return_counts=True)
    common = values[counts.argmax()] if counts.max() > 1 else np.nan
    telling = {condition: (of != common) & _varied(of) for condition, of in outcomes.items()}
    metric, first = get_task(task).metric, submission.suite.seed
    if isinstance(metric, GapMetric):
        for condition, of in episodes.items():
            telling[condition] &= metric.gaps(first + np.arange(of.shape[1]), of[0]) > _OPTIMAL
    else:
        for condition, of in episodes.items():
            telling[condition] &= not _is_best(submission, task, of)
    return telling


def _varied(outcomes: NDArray[np.complex128]) -> bool:
    return len(np.unique(outcomes)) >= min(_OUTCOMES, outcomes.size)


def _is_best(submission: Submission, task: str, episodes: NDArray[np.float64]) -> bool:
    """Whether a run plays a condition, (2, E), as well as the best known, and the same could come of other choices."""
    score = float(get_task(task).metric.score(episodes[0]).mean())
    few = len(np.unique(_outcomes(episodes))) < _FEW_OUTCOMES * episodes.shape[1]
    return few and score >= _BEST * submission.suite.best_clean.get(task, 1.0)


def _outcomes(episodes: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return and length of each of the episodes, (2, N), in one number, (N,)."""
    together: NDArray[np.complex128] = episodes[0] + 1j * episodes[1]
    return together
