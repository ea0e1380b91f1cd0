"""What people and programs read: terminal, markdown, CSV."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from rich.console import Console

from symbench.errors import SymbenchError
from symbench.leaderboard import Report, make_report, markdown, terminal, write_report
from symbench.leaderboard.bootstrap import Estimate
from symbench.leaderboard.frame import leaderboard_frame
from symbench.leaderboard.published import published
from symbench.leaderboard.retention import STATISTICS
from symbench.leaderboard.text import with_interval
from symbench.runner import Manifest, Record, Store
from symbench.suites import Apply, bundled_suites, load_suite
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLEAN, SHUFFLED, OFTEN = "none/in-order", "shuffle-sensors/per-episode", "shuffle-sensors/every-25"
ISSUE_COLUMNS = [
    "suite",
    "task",
    "perturbation",
    "severity",
    "agent",
    "training_runs",
    "episodes",
    "mean",
    "std",
    "iqm",
    "iqm_low",
    "iqm_high",
    "retention",
    "retention_low",
    "retention_high",
]


@pytest.fixture
def records(manifest: Manifest, record: Callable[..., Record]) -> list[Record]:
    made = [
        record(agent, condition, [score, score + 100.0], run=run)
        for agent, scores in (("mlp", (560, 0)), ("attention-neuron", (500, 498)), ("random", (0, 0)))
        for condition, score in zip((CLEAN, SHUFFLED), scores, strict=True)
        for run in range(1 if agent == "random" else 3)
    ]
    for agent in ("attention-neuron", "random"):
        record(agent, OFTEN, [0.0])  # planned, not evaluated
    manifest.skipped[f"tiny@1/CartPoleSwingUp/{OFTEN}/mlp/s0"] = "mlp reads 5 sensors"
    return made


@pytest.fixture
def report(manifest: Manifest, records: list[Record]) -> Report:
    return make_report(manifest, records)


def printed(report: Report, width: int = 140) -> str:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(terminal.render(report, width))
    return screen.file.getvalue()  # type: ignore[attr-defined]


def line_with(text: str, *words: str) -> str:
    return next(line for line in text.splitlines() if all(word in line for word in words))


def test_returns_stand_beside_the_papers(report: Report) -> None:
    line = line_with(printed(report), "in order", "593 ± 433")
    assert line.split() == [
        "in",
        "order",
        "610",
        "±",
        "50",
        "550",
        "±",
        "50",
        "50.0",
        "±",
        "50.0",
        "593",
        "±",
        "433",
        "472",
        "±",
        "426",
    ]


@pytest.mark.parametrize("width", [99, 80, 60, 50])
def test_tables_are_stacked_on_a_narrow_terminal_and_nothing_is_cut(report: Report, width: int) -> None:
    wide, narrow = printed(report, 200), printed(report, width)
    assert max(map(len, narrow.splitlines())) <= width
    assert "610 ± 50" in narrow and "593 ± 433" in narrow and "P(better than mlp)" in narrow
    numbers = re.compile(r"-?\d+(?:\.\d+)?%? (?:± \d[\d.]*|\[[-\d., ]+\])")
    tables = [text.partition("•")[0] for text in (wide, narrow)]
    assert sorted(numbers.findall(tables[1])) == sorted(numbers.findall(tables[0])) != []


def test_the_papers_columns_and_footnotes_appear_together(report: Report) -> None:
    for width in (60, 80, 140):
        text = printed(report, width)
        assert "(paper)" in text.partition("•")[0] and "• (paper): " in text


def test_the_task_asked_for_comes_first(manifest: Manifest, record: Callable[..., Record]) -> None:
    manifest.add_task("CartPole-v1")
    records = [record("mlp", CLEAN, [1.0, 2.0]), record("mlp", CLEAN, [1.0, 2.0], task="CartPole-v1")]
    for tasks, first in (((), "CartPoleSwingUp"), (("CartPole-v1",), "CartPole-v1")):
        assert printed(make_report(manifest, records, tasks)).startswith(f"{first}  ·")


def test_the_answer_is_one_line(report: Report) -> None:
    assert report.answer == (
        "CartPoleSwingUp: attention-neuron keeps 100% [99, 100] of its clean score "
        "(mean of 1 of 2 perturbations, which all of them played); "
        "too few episodes, or too low a clean score, to tell what is left of it: mlp"  # 5% [-99, 108]
    )


def test_the_answer_is_the_mean_over_conditions_and_tasks(manifest: Manifest, record: Callable[..., Record]) -> None:
    manifest.add_task("CartPole-v1")
    tasks = {name: get_task(name) for name in manifest.tasks}

    def played(agent: str, name: str, condition: str, share: float) -> Record:
        metric = tasks[name].metric
        return record(
            agent,
            condition,
            [metric.random_return + share * (metric.reference_return - metric.random_return)],
            task=name,
        )

    shares = {"CartPoleSwingUp": (0.8, 0.4, 0.2), "CartPole-v1": (1.0, 0.5, 0.3)}
    records = [
        played(agent, name, condition, share * factor)
        for agent, factor in (("mlp", 1.0), ("mine", 0.5), ("nothing", 0.001))
        for name, three in shares.items()
        for condition, share in zip((CLEAN, SHUFFLED, OFTEN), three, strict=True)
    ]
    nothing = "too low a clean score to keep any of it: nothing"
    said = make_report(manifest, records).answer
    assert said == f"2 tasks: mine keeps 39% of its clean score, mlp 39% (mean of 4 perturbations); {nothing}"
    said = make_report(manifest, records, ["CartPole-v1"]).answer
    assert said == f"CartPole-v1: mine keeps 40% of its clean score, mlp 40% (mean of 2 perturbations); {nothing}"
    assert make_report(manifest, records[:3], ["CartPole-v1"]).answer == ""  # nothing of that task yet


def test_the_answer_is_about_agents_that_have_played(manifest: Manifest, record: Callable[..., Record]) -> None:
    """A task in which only random play was asked for, or an agent that failed, does not silence the others."""
    manifest.add_task("CartPole-v1")
    record("broken", CLEAN, [0.0])  # planned, not evaluated
    records = [record("random", condition, [9.0], task="CartPole-v1") for condition in (CLEAN, SHUFFLED, OFTEN)]
    records += [record("mlp", condition, [593.0]) for condition in (CLEAN, SHUFFLED, OFTEN)]
    assert make_report(manifest, records).answer == (
        "CartPoleSwingUp: mlp keeps 100% of its clean score (mean of 2 perturbations)"
    )
    records += [record("mine", condition, [500.0], task="CartPole-v1") for condition in (CLEAN, SHUFFLED, OFTEN)]
    assert [line.partition(" keeps")[0] for line in make_report(manifest, records).answer.splitlines()] == [
        "CartPoleSwingUp: mlp",
        "CartPole-v1: mine",
    ]


@pytest.mark.parametrize(("reference", "scale"), [(593.0, "normalised"), (None, "raw")])
def test_tables_say_whether_scores_are_raw(
    manifest: Manifest, record: Callable[..., Record], reference: float | None, scale: str
) -> None:
    facts = manifest.tasks["CartPoleSwingUp"]
    manifest.tasks["CartPoleSwingUp"] = facts.model_copy(update={"reference_return": reference})
    records = [record("mlp", condition, [400.0, 410.0]) for condition in (CLEAN, SHUFFLED, OFTEN)]
    made = make_report(manifest, records)
    assert set(leaderboard_frame(made.rows)["score"]) == {scale}
    other = {"raw": "normalised", "normalised": "raw"}[scale]
    for width in (60, 140):
        text = printed(made, width).partition("•")[0]
        assert f"{scale} score" in text and f"{scale} IQM [95%]" in text and other not in text
    assert f"{scale} IQM [95%]" in markdown.render(made, records)


@pytest.mark.parametrize("reference", [593.0, None])
def test_random_play_that_was_lucky_has_nothing_to_retain(
    manifest: Manifest, record: Callable[..., Record], reference: float | None
) -> None:
    facts = manifest.tasks["CartPoleSwingUp"]
    manifest.tasks["CartPoleSwingUp"] = facts.model_copy(update={"reference_return": reference})
    agents = ("random", "mine")
    records = [record(agent, condition, [400.0, 410.0]) for agent in agents for condition in (CLEAN, SHUFFLED, OFTEN)]
    kept = leaderboard_frame(make_report(manifest, records).rows).groupby("agent")["retention"]
    assert kept.count().to_dict() == {"mine": 3, "random": 0}


def test_retention_is_shown_with_its_interval_and_a_bar(report: Report) -> None:
    text = printed(report)
    assert "100% [99, 100]   ━━━━━━━━━━" in text
    task = get_task("CartPoleSwingUp")
    left = round(100 * task.metric.normalise(50) / task.metric.normalise(610))
    assert f"{left}% [-99, 108]   ╌╌╌╌╌╌╌╌╌╌" in text
    assert "━" not in text[text.index("random (1 run)") :]  # there is nothing to retain


def test_zero_has_no_sign() -> None:
    assert with_interval(Estimate(-0.001, -0.004, 0.001), percent=True) == "0% [0, 0]"
    assert with_interval(Estimate(-0.001, -0.004, 0.001)) == "0.00 [0.00, 0.00]"


def test_a_number_without_interval_is_alone() -> None:
    nan = float("nan")
    assert with_interval(Estimate(0.984, nan, nan), percent=True) == "98%"
    assert with_interval(Estimate(0.984, nan, nan)) == "0.98"
    assert with_interval(Estimate(nan, nan, nan)) == "–"  # noqa: RUF001
    assert with_interval(Estimate(0.984, -1.5, 1.239), percent=True) == "98% [-150, 124]"


def test_brackets_in_a_label_are_text_and_not_markup(report: Report) -> None:
    assert "shuffled [per episode]" in printed(report)


def test_gaps_say_what_they_are(report: Report) -> None:
    line = line_with(printed(report), "shuffle-sensors every-25")
    assert line.split()[2:5] == ["–", "…", "…"]  # noqa: RUF001
    assert "cannot act there, e.g. mlp reads 5 sensors" in printed(report)


def test_a_reduced_run_says_so_first(report: Report) -> None:
    for text in (printed(report), markdown.render(report, [])):
        notes = [line for line in text.splitlines() if line.startswith(("•", "*"))]
        assert "REDUCED RUN: 2 episodes a cell instead of 1000" in notes[0]


def test_few_training_runs_are_shown_and_not_ranked(report: Report) -> None:
    assert "Fewer than 5 training runs: shown, not ranked" in " ".join(printed(report).split())
    words = (
        "95% interval over episodes only for attention-neuron, mlp, random: of these training runs, not of the method"
    )
    assert words in " ".join(printed(report).split())


def test_the_csv_has_the_columns_of_the_submission_format_first(report: Report) -> None:
    frame = leaderboard_frame(report.rows)
    assert list(frame.columns[: len(ISSUE_COLUMNS)]) == ISSUE_COLUMNS
    assert {"interval_over", "note", "protocol_episodes"} <= set(frame.columns)
    assert len(frame) == len(frame.drop_duplicates(["task", "perturbation", "severity", "agent"])) == 9


def test_the_csv_says_what_the_rows_say(report: Report) -> None:
    frame = pd.read_csv(io.StringIO(leaderboard_frame(report.rows).to_csv(index=False)))
    line = frame.set_index(["severity", "agent"]).loc[("per-episode", "attention-neuron")]
    assert (line["suite"], line["mean"], line["training_runs"]) == ("tiny@1", 548.0, 3)
    assert line["retention_low"] <= line["retention"] <= line["retention_high"] < 1.01
    assert (line["interval_over"], line["statistics"]) == ("episodes", STATISTICS)


def test_markdown_tables_are_well_formed(report: Report, records: list[Record]) -> None:
    text = markdown.render(report, records)
    tables = [
        list(group) for is_table, group in itertools.groupby(text.splitlines(), lambda x: x.startswith("|")) if is_table
    ]
    assert len(tables) == 2
    for table in tables:
        assert len({line.count("|") for line in table}) == 1
        assert len({len(line) for line in table}) == 1


def test_a_bar_in_a_label_does_not_end_a_column_of_markdown(manifest: Manifest, records: list[Record]) -> None:
    conditions = (
        manifest.suite.perturbations[0].model_copy(update={"label": "a|b"}),
        *manifest.suite.perturbations[1:],
    )
    manifest.suite = manifest.suite.model_copy(update={"perturbations": conditions})
    assert r"| a\|b " in markdown.render(make_report(manifest, records), records)


def test_the_comparison_is_explained_or_its_absence_is(manifest: Manifest, records: list[Record]) -> None:
    assert "P(better than mlp): probability that" in " ".join(printed(make_report(manifest, records)).split())
    manifest.suite = manifest.suite.model_copy(update={"compare_with": "nobody"})
    text = printed(make_report(manifest, records))
    assert "No comparison: nobody, which tiny@1 compares with, does not play." in text and "P(better" not in text


def test_no_interval_is_promised_where_there_is_none(manifest: Manifest, record: Callable[..., Record]) -> None:
    manifest.add_task("CartPole-v1")
    records = [record("a", CLEAN, [500.0], task=task) for task in manifest.tasks]
    for text in (printed(make_report(manifest, records)), markdown.render(make_report(manifest, records), [])):
        assert "mean over tasks of the IQM over training runs" in text and "95%" not in text
        assert "No intervals: one episode a cell says nothing about others" in " ".join(text.split())
        assert "REDUCED RUN: 1 episode a cell instead of 1000, too few for any interval" in " ".join(text.split())
    records = [record("a", CLEAN, [400.0, 500.0], run=run, task=task) for task in manifest.tasks for run in range(5)]
    text = " ".join(printed(make_report(manifest, records)).split())
    assert "mean over tasks of the IQM [95%] over training runs" in text
    assert "[ ]: 95% interval over training runs and episodes." in text and "not ranked" not in text
    records += [record("b", CLEAN, [400.0, 500.0])]
    text = " ".join(printed(make_report(manifest, records)).split())
    assert "over training runs and episodes; over episodes only for b: of these training runs" in text


def test_a_comparison_of_few_runs_says_that_it_has_no_interval(
    manifest: Manifest, record: Callable[..., Record]
) -> None:
    records = [record(agent, CLEAN, [400.0, 500.0], run=run) for agent in ("mlp", "a") for run in range(5)]
    words = "no interval where one of the two has fewer than 5"
    assert words not in " ".join(printed(make_report(manifest, records)).split())
    text = " ".join(printed(make_report(manifest, records[:-1])).split())
    assert words in text and "Fewer than 5 training runs: shown, not ranked" in text


def test_a_reduced_run_says_how_little_it_knows(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [record("a", CLEAN, [400.0] * 10)]
    words = "REDUCED RUN: 10 episodes a cell instead of 1000, so what episodes leave open is 10.0 times as wide"
    assert words in " ".join(printed(make_report(manifest, records)).split())


@pytest.mark.parametrize("count", [10, 1000])
def test_every_table_says_once_how_many_episodes_a_cell_has(
    manifest: Manifest, record: Callable[..., Record], count: int
) -> None:
    records = [record("a", CLEAN, [400.0] * count)]
    made = make_report(manifest, records)
    for text in (printed(made), markdown.render(made, records)):
        words = " ".join(text.split())
        assert words.count("a cell") == 1
        assert ("standard deviation over episodes, 1000 a cell" in words) == (count == 1000)


def test_tables_name_the_version_of_their_statistics(report: Report) -> None:
    for text in (printed(report), markdown.render(report, [])):
        assert f"Statistics: version {STATISTICS}." in " ".join(text.split())


def test_markdown_shows_where_a_perturbation_sits(manifest: Manifest, records: list[Record]) -> None:
    perturbed = replace(
        records[-1], cell=records[-1].cell.model_copy(update={"apply": (Apply(wrapper="DropSensors"),)})
    )
    text = markdown.render(make_report(manifest, records), [*records[:-1], perturbed])
    assert f"Pipeline of `{perturbed.cell.id}`" in text


def test_markdown_holds_what_is_needed_to_repeat_it(report: Report, records: list[Record]) -> None:
    text = markdown.render(report, records)
    assert "symbench run --suite tiny" in text and "numpy 2.4" in text and "commit abc" in text
    assert "1. environment: an environment" in text
    assert "arXiv 2109.02869" in text


def test_published_numbers_belong_to_conditions_of_the_bundled_suites() -> None:
    for name in bundled_suites():
        suite = load_suite(name)
        for task in suite.tasks:
            quoted = published(task, suite)
            known = {p.id for other in ("shuffle", "noise", name) for p in load_suite(other).perturbations}
            assert {condition for entry in quoted for condition in entry.returns} <= known
    assert len(published("Pong", load_suite("occlusion"))) == 10
    (of_pong,) = published("Pong", load_suite("shuffle"))
    assert of_pong.returns["shuffle-patches/per-episode"] == (21, 0)
    assert published("Pong", load_suite("shuffle").model_copy(update={"name": "mine"})) == ()
    assert published("CartPoleSwingUp", load_suite("group")) == (), "without a number they only take up room"
    quoted = published("CartPoleSwingUp", load_suite("shuffle"))
    assert {entry.agent: entry.returns[CLEAN] for entry in quoted} == {
        "FNN (paper)": (593, 433),
        "AttentionNeuron (paper)": (472, 426),
    }
    assert published("CartPole-v1", load_suite("shuffle")) == ()


def write_run(directory: Path, manifest: Manifest, records: list[Record]) -> Store:
    store = Store(directory)
    store.prepare()
    for record in records:
        store.write(record)
    manifest.save(store)
    return store


def test_a_report_is_derived_from_the_files_alone(tmp_path: Path, report: Report, records: list[Record]) -> None:
    write_run(tmp_path, report.manifest, records)
    assert len(write_report(tmp_path).rows) == len(report.rows)
    first = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    assert {"leaderboard.csv", "leaderboard.md", "episodes.csv", "run.json"} <= first.keys()
    write_report(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == first
    episodes = pd.read_csv(tmp_path / "episodes.csv")
    assert len(episodes) == 2 * len(records)
    assert {"task", "severity", "agent", "run", "seed", "return", "length", "terminated"} <= set(episodes.columns)


def test_a_run_without_a_cell_yet_makes_empty_tables(tmp_path: Path, manifest: Manifest) -> None:
    write_run(tmp_path, manifest, [])
    assert write_report(tmp_path).rows == []
    assert (tmp_path / "episodes.csv").exists()


def test_a_damaged_cell_stops_the_report_and_is_named(
    tmp_path: Path, manifest: Manifest, records: list[Record]
) -> None:
    store = write_run(tmp_path, manifest, records)
    store.path(records[0].cell.id).write_text("{")
    with pytest.raises(SymbenchError, match=r"mlp/s0\.json is not the file of a cell"):
        write_report(tmp_path)


def test_cells_of_another_plan_are_in_no_table(tmp_path: Path, manifest: Manifest, records: list[Record]) -> None:
    stale = records[0].cell.id
    manifest.cells[stale] = "another hash"
    write_run(tmp_path, manifest, records)
    row = write_report(tmp_path).rows[0]
    assert (row.runs, str(row.gap)) == (2, "1 of 3 training runs not evaluated yet")
    episodes = pd.read_csv(tmp_path / "episodes.csv").query("agent == 'mlp' and severity == 'in-order'")
    assert set(episodes["run"]) == {1, 2}


def test_files_that_are_no_cells_of_the_run_do_no_harm(
    tmp_path: Path, manifest: Manifest, records: list[Record]
) -> None:
    write_run(tmp_path, manifest, records)
    (tmp_path / "cells" / "notes.json").write_text("{")
    assert len(write_report(tmp_path).rows) == 9


def test_missing_training_runs_are_named_below_the_table(manifest: Manifest, records: list[Record]) -> None:
    manifest.failed[records[0].cell.id] = "RuntimeError: x"
    text = " ".join(printed(make_report(manifest, records[1:])).split())
    assert "FAILED: 1 cells, the first mlp, in order: RuntimeError: x" in text
    assert "over some of the training runs only: mlp, in order (2 of 3)" in text


def test_the_papers_caveat_stands_below_its_numbers(report: Report) -> None:
    for text in (printed(report), markdown.render(report, [])):
        assert "scaled the layer's output by 0.5" in " ".join(text.split())


def test_a_call_that_was_killed_stays_in_the_story(manifest: Manifest) -> None:
    call = manifest.invocations[0].model_copy(update={"command": "killed", "evaluated": 0, "seconds": None})
    idle = call.model_copy(update={"command": "printed again", "seconds": 1.0})
    manifest.invocations += [call, idle]
    text = markdown.render(make_report(manifest, []), [])
    assert "killed" in text and "printed again" not in text


def test_a_directory_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=r"holds no run: there is no run\.json"):
        write_report(tmp_path)
