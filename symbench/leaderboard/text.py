"""How numbers, legends and notices read; shared by the terminal and markdown so that both say the same."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING

from symbench.leaderboard.bootstrap import RANKED_FROM
from symbench.leaderboard.published import published
from symbench.leaderboard.retention import STATISTICS
from symbench.leaderboard.rows import GapKind
from symbench.runner.measures import POLICY, VALUE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbench.leaderboard.bootstrap import Estimate
    from symbench.leaderboard.rows import Gap, Row, Summary
    from symbench.runner import Manifest
    from symbench.runner.manifest import Invocation

NOTHING = "–"  # noqa: RUF001  (a dash that reads as "no value", not as a minus)

_EMPTY = {GapKind.FAILED: "failed", GapKind.SKIPPED: NOTHING, GapKind.PENDING: "…"}


def mean_and_std(mean: float, std: float) -> str:
    """``612 ± 433``, with one decimal below 100; a mean alone where the deviation is not known (NaN)."""
    if math.isnan(mean):
        return NOTHING
    if math.isnan(std):
        return f"{mean:g}"
    digits = 0 if max(abs(mean), std) >= 100 else 1
    return f"{mean:.{digits}f} ± {std:.{digits}f}"


def return_of(row: Row) -> str:
    """Mean and standard deviation, with the number of games where some are repeated; or why there is none in a word."""
    if row.runs:
        return mean_and_std(row.mean, row.std) + (f", {_games(row)}" if row.games < row.episodes else "")
    return _EMPTY[row.gap.kind] if row.gap else NOTHING


def _games(row: Row) -> str:
    return f"{row.games} game{'' if row.games == 1 else 's'}"


def excess_of(row: Row) -> str:
    """Mean and standard deviation of the gap in %, ``0.34 ± 0.62``, and the share that changed, ``, 12%``.

    Where there is no gap, why in a word.
    """
    if math.isnan(row.excess):
        return NOTHING if row.runs else return_of(row)
    spread = "" if math.isnan(row.excess_std) else f" ± {row.excess_std:.2f}"
    return f"{round(row.excess, 2) + 0.0:.2f}{spread}" + (
        "" if math.isnan(row.excess_changed) else f", {row.excess_changed:.0%}"
    )


def has_references(rows: Sequence[Row]) -> bool:
    """Whether there is a gap to show."""
    return any(not math.isnan(row.excess) for row in rows)


def with_interval(estimate: Estimate, *, percent: bool = False) -> str:
    """``0.98 [0.97, 0.99]``, or ``98% [97, 99]``; the value alone where there is no interval."""
    if math.isnan(estimate.value):
        return NOTHING
    form, unit = ("{:.0%}", "%") if percent else ("{:.2f}", "")
    value, *ends = (_unsigned_zero(form.format(number).removesuffix("%")) for number in estimate)
    return value + unit if math.isnan(estimate.low) else f"{value}{unit} [{', '.join(ends)}]"


def _unsigned_zero(number: str) -> str:
    return number.removeprefix("-") if not number.strip("-0.") else number


def marked(heading: str, estimates: Iterable[Estimate]) -> str:
    """A heading with ``[95%]``; an interval is promised only where one is shown."""
    return heading if all(math.isnan(estimate.low) for estimate in estimates) else f"{heading} [95%]"


def agent_with_runs(row: Row) -> str:
    """``mlp (3 runs)``."""
    return f"{row.agent} ({row.runs} run{'' if row.runs == 1 else 's'})"


def scored(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of the table of scores, a list for each agent.

    Random play does not look at its sensors, so it has the same score everywhere and is listed once.
    """
    agents = dict.fromkeys(row.agent for row in rows)
    groups = ([row for row in rows if row.agent == agent and row.runs] for agent in agents)
    return [[row for row in group if row.agent != "random" or row.condition.baseline] for group in groups]


def compared_with(manifest: Manifest, rows: Sequence[Row]) -> str:
    """Heading of the column with the probability of improvement; empty if there is nothing to compare."""
    if all(math.isnan(row.improvement.value) for row in rows):
        return ""
    return f"P(better than {manifest.suite.compare_with})"


def score_headings(manifest: Manifest, rows: Sequence[Row]) -> list[str]:
    """Headings of score, retention and comparison; the last is empty if there is nothing to compare."""
    shown = [row for group in scored(rows) for row in group]
    return [
        marked(f"{manifest.tasks[rows[0].task].metric.scale} IQM", (row.iqm for row in shown)),
        marked("retention", (row.retention for row in shown)),
        compared_with(manifest, rows),
    ]


def score_title(manifest: Manifest, task: str) -> str:
    """What the table of scores shows."""
    metric = manifest.tasks[task].metric
    kind = f"{metric.scale} score" + ("" if metric.normalised else " (return)")
    return f"{kind}, and the share of it that a perturbation leaves"


def summary_table(summary: Sequence[Summary]) -> tuple[list[str], list[list[str]]]:
    """Heading and lines of the table over all tasks: a line for each condition, a column for each agent."""
    agents = list(dict.fromkeys(entry.agent for entry in summary))
    lines = [
        [condition.title, *(with_interval(entry.iqm) for entry in group)]
        for condition, group in groupby(summary, key=lambda entry: entry.condition)
    ]
    return ["perturbation", *agents], lines


def summary_legend(summary: Sequence[Summary]) -> str:
    """What the numbers of that table are."""
    return f"mean over tasks of the {marked('IQM', (entry.iqm for entry in summary))} over training runs"


def notices(manifest: Manifest, task: str, rows: Sequence[Row]) -> list[str]:
    """What a reader must know before believing the numbers, most important first."""
    return [
        notice
        for notice in (
            _quick(rows),
            _failed(rows),
            _pending(rows),
            _legend(manifest, task, rows),
            _references(rows),
            _intervals(rows),
            _repeated(rows),
            _comparison(manifest, rows),
            _equivariance(rows),
            _skipped(rows),
        )
        if notice
    ] + [f"(paper): {source}" for source in dict.fromkeys(entry.source for entry in published(task, manifest.suite))]


def _quick(rows: Sequence[Row]) -> str:
    quick = [row for row in rows if row.quick]
    if not quick:
        return ""
    fewest, most = (of(row.episodes for row in quick) for of in (min, max))
    few, full = _episodes(quick), quick[0].protocol_episodes
    text = f"REDUCED RUN: {few} episode{'' if few == '1' else 's'} a cell instead of {full}"
    if most < 2:
        return f"{text}, too few for any interval; look, but do not quote."
    wider = math.sqrt(full / fewest)
    return f"{text}, so what episodes leave open is {wider:.1f} times as wide; look, but do not quote."


def _episodes(rows: Sequence[Row]) -> str:
    """How many episodes a cell of these rows has."""
    fewest, most = (of(row.episodes for row in rows) for of in (min, max))
    return f"{fewest}" if fewest == most else f"{fewest} to {most}"


def _gaps(rows: Sequence[Row], kind: GapKind) -> list[tuple[Row, Gap]]:
    return [(row, row.gap) for row in rows if row.gap and row.gap.kind is kind]


def _failed(rows: Sequence[Row]) -> str:
    failed = _gaps(rows, GapKind.FAILED)
    if not failed:
        return ""
    (row, gap), cells = failed[0], sum(gap.runs for _, gap in failed)
    return f"FAILED: {cells} cells, the first {row.agent}, {row.condition.title}: {gap.reason}{_partial(failed)}"


def _pending(rows: Sequence[Row]) -> str:
    pending = _gaps(rows, GapKind.PENDING)
    return f"…: not evaluated yet; the same command goes on.{_partial(pending)}" if pending else ""


def _partial(gaps: Sequence[tuple[Row, Gap]]) -> str:
    """Which numbers of these rows are over some of their training runs only."""
    partial = [f"{row.agent}, {row.condition.title} ({row.runs} of {gap.of})" for row, gap in gaps if row.runs]
    return f" INCOMPLETE, over some of the training runs only: {'; '.join(partial)}." if partial else ""


def _legend(manifest: Manifest, task: str, rows: Sequence[Row]) -> str:
    metric, played = manifest.tasks[task].metric, [row for row in rows if row.runs]
    # Of a reduced run the first notice says how many.
    cell = f", {_episodes(played)} a cell" if played and not any(row.quick for row in rows) else ""
    iqm = f"return: mean ± standard deviation over episodes{cell}. IQM: interquartile mean over training runs"
    kept = "Retention: the same of what each run keeps of its own clean score"
    if metric.normalised:
        scale = (
            f"normalised: 0 = {metric.random_return:g} and 1 = {metric.reference_return:g} ({metric.source}). {kept}"
        )
    elif metric.random_return is not None:
        scale = f"raw returns, there is no reference. {kept}, counted from {metric.random_return:g} ({metric.source})"
    else:
        scale = f"raw returns. No retention: {metric.source}"
    return f"{iqm}, {scale}. Statistics: version {STATISTICS}."


def _references(rows: Sequence[Row]) -> str:
    if not has_references(rows):
        return ""
    text = "gap: how much longer a tour is than the stored one of the same instance, mean ± standard deviation, in %"
    changed = any(not math.isnan(row.excess_changed) for row in rows)
    return text + ("; behind it the share of instances whose gap the perturbation changed." if changed else ".")


def _intervals(rows: Sequence[Row]) -> str:
    over = {kind: [row for row in rows if row.interval_over == kind] for kind in ("runs and episodes", "episodes")}
    parts = []
    if over["runs and episodes"]:
        parts.append("[ ]: 95% interval over training runs and episodes")
    if over["episodes"]:
        few = ", ".join(sorted({row.agent for row in over["episodes"]}))
        words = f"over episodes only for {few}: of these training runs, not of the method"
        parts.append(words if parts else f"[ ]: 95% interval {words}")
    alone = any(row.episodes == 1 for row in rows)
    none = "No intervals: one episode a cell says nothing about others" if alone else "No intervals: nothing was played"
    text = "; ".join(parts) if parts else none
    few_runs = any(0 < row.runs < RANKED_FROM for row in rows)
    return text + (f". Fewer than {RANKED_FROM} training runs: shown, not ranked." if few_runs else ".")


def _repeated(rows: Sequence[Row]) -> str:
    if all(row.games == row.episodes for row in rows):
        return ""
    return "games: how many different ones the episodes are; scores, retention and intervals count each of them once."


def _comparison(manifest: Manifest, rows: Sequence[Row]) -> str:
    other = manifest.suite.compare_with
    if other is not None and all(row.agent != other for row in rows):
        return f"No comparison: {other}, which {manifest.suite.tag} compares with, does not play."
    if not compared_with(manifest, rows):
        return ""
    text = f"P(better than {other}): probability that a training run scores higher than one of {other}, ties count half"
    if any(row.improvement_over == "episodes" for row in rows):
        text += "; over paired episodes where one of the two has a single training run"
    if any(row.improvement_over == "runs" and math.isnan(row.improvement.low) for row in rows):
        text += f"; no interval where one of the two has fewer than {RANKED_FROM}"
    return text + "."


def _equivariance(rows: Sequence[Row]) -> str:
    """How far from equivariant each agent is, under the element and in the training run for which it is farthest."""
    agents = dict.fromkeys(row.agent for row in rows)
    found = [error for agent in agents if (error := _errors(agent, [row for row in rows if row.agent == agent]))]
    return f"Equivariance error of the policy: {', '.join(found)}. 0 is exactly equivariant." if found else ""


def _errors(agent: str, rows: Sequence[Row]) -> str:
    policy, value = ([row.measures[name] for row in rows if name in row.measures] for name in (POLICY, VALUE))
    if not policy:
        return ""
    return f"{agent} {max(policy):.1g}" + (f" (value: {max(value):.1g})" if value else "")


def _skipped(rows: Sequence[Row]) -> str:
    skipped = _gaps(rows, GapKind.SKIPPED)
    return f"{NOTHING}: cannot act there, e.g. {skipped[0][1].reason}.{_partial(skipped)}" if skipped else ""


def calls(manifest: Manifest) -> list[Invocation]:
    """The calls that made a run: not those that found everything there, and only printed the tables again."""
    # One that was killed may have written a cell that it could not count any more.
    return [call for call in manifest.invocations if call.evaluated or call.seconds is None]


def made_with(call: Invocation) -> str:
    """When a call began, what it did, and with which processor and versions."""
    facts = call.environment
    versions = {"symbench": facts["symbench"], "Python": facts["python"], **facts["packages"]}
    return (
        f"{call.started}: {call.evaluated} cells in "
        f"{'unknown time (it was stopped)' if call.seconds is None else f'{call.seconds:.0f} s'}, "
        f"{facts['workers']} worker(s) of one thread, {facts['cpu']}. "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + (f", commit {facts['commit']}." if facts["commit"] else ".")
    )
