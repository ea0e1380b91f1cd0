"""A run as the Hugging Face Hub reads it: a model card with ``model-index``, and ``.eval_results``.

Formats: https://github.com/huggingface/hub-docs/blob/main/modelcard.md (``model-index``) and
https://huggingface.co/docs/hub/eval-results (``.eval_results/*.yaml``, for models on a benchmark dataset of the Hub).
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import symbench
from symbench.errors import SymbenchError, unknown
from symbench.extras import require
from symbench.files import write_atomically
from symbench.leaderboard import markdown
from symbench.leaderboard.bootstrap import UNDEFINED
from symbench.leaderboard.citation import software
from symbench.leaderboard.submission import only_agent
from symbench.leaderboard.tables import Report, make_report
from symbench.runner import Store, load_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from symbench.leaderboard.rows import Row
    from symbench.runner import Manifest, Record

CARD: Final = "README.md"
EVAL_RESULTS: Final = ".eval_results/symbench.yaml"

_TASK: Final = "reinforcement-learning"
_DATASET = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


def export_run(
    run_dir: Path, agent: str | None, out: Path | None, *, licence: str | None = None, benchmark: str | None = None
) -> list[Path]:
    """Write the files of :func:`hub_files`.

    Args:
        run_dir: What ``symbench run`` wrote, finished or not.
        agent: Its name in the run; may be left out if one agent, beside random play, took part.
        out: Folder of the files; ``hub/AGENT`` if none is given.
        licence: As of :func:`hub_files`.
        benchmark: The same.

    Returns:
        Where they are.

    Raises:
        SymbenchError: As :func:`hub_files`, a file is there already, or cannot be written.
    """
    manifest = load_manifest(run_dir)
    agent = agent or only_agent(manifest)
    records = Store(run_dir).records(manifest.cells)
    files = hub_files(manifest, records, agent, licence=licence, benchmark=benchmark)
    folder = out or Path("hub") / agent
    paths = {folder / path: content for path, content in files.items()}
    if there := [str(path) for path in paths if path.exists()]:
        raise SymbenchError(f"{there[0]} exists; delete it to replace it, or give another --out")
    for path, content in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return list(paths)


def hub_files(
    manifest: Manifest,
    records: Sequence[Record],
    agent: str,
    *,
    licence: str | None = None,
    benchmark: str | None = None,
) -> dict[str, str]:
    """Path in a repository of the Hub -> content.

    Args:
        manifest: What was run.
        records: Its cells that have been evaluated.
        agent: Whose results.
        licence: Identifier of the Hub, e.g. ``"mit"``.
        benchmark: ``"OWNER/DATASET"``, a benchmark dataset of the Hub; its ``eval.yaml`` names tasks as
            :func:`task_id` does.

    Raises:
        SymbenchError: The client of the Hub is not installed, a name is none, or nothing of the agent was evaluated.
    """
    report = make_report(manifest, records)
    rows = [row for row in report.rows if row.agent == agent]
    if not rows:
        raise unknown("agent", agent, {row.agent for row in report.rows}, "in this run")
    if not any(row.runs for row in rows):
        raise SymbenchError(f"nothing of {agent} was evaluated yet; run it first")
    mine = [record for record in records if record.cell.agent == agent]
    own = _alone(report, rows, agent)
    files = {CARD: f"---\n{_front_matter(rows, agent, licence)}\n---\n\n{_body(own, mine, agent)}"}
    return {**files, EVAL_RESULTS: _eval_results(manifest, rows, benchmark)} if benchmark else files


def task_id(suite: str, task: str) -> str:
    """What a benchmark dataset calls a task of a suite: ``shuffle-2-cartpole-v1``."""
    return re.sub(r"[^a-z0-9]+", "-", f"{suite}-{task}".lower()).strip("-")


def _front_matter(rows: Sequence[Row], agent: str, licence: str | None) -> str:
    if licence is not None and not _LICENCE.fullmatch(licence):
        raise SymbenchError(f"--licence: an identifier of the Hub is expected, e.g. mit, received {licence!r}")
    client = require("huggingface_hub", "model cards of the Hub")
    results = [client.EvalResult(**each) for row in rows if row.runs for each in _metrics(row)]
    tags = [_TASK, "symbench", rows[0].suite, *dict.fromkeys(row.task for row in rows)]
    data = client.ModelCardData(model_name=agent, eval_results=results, tags=tags, license=licence)
    return str(data.to_yaml(line_break="\n"))


def _alone(report: Report, rows: Sequence[Row], agent: str) -> Report:
    """What a report says of one agent, without comparisons with others."""
    manifest = report.manifest
    suite = manifest.suite.model_copy(update={"compare_with": None})
    return Report(
        manifest.model_copy(update={"suite": suite}),
        [replace(row, improvement=UNDEFINED, improvement_over="") for row in rows],
        [each for each in report.summary if each.agent == agent],
    )


def _metrics(row: Row) -> Iterable[dict[str, Any]]:
    """The numbers of a row as arguments of ``EvalResult``; what is not defined is left out."""
    part = " (REDUCED RUN)" if row.quick else " (INCOMPLETE)" if row.gap else ""
    place = {
        "task_type": _TASK,
        "task_name": _TASK,
        "dataset_type": row.task,
        "dataset_name": f"{row.task}, {row.suite}, {row.condition.title}{part}",
        "dataset_config": f"{row.suite}/{row.condition.id}",
        "dataset_args": {"training_runs": row.runs, "episodes": row.episodes},
    }
    std = "" if math.isnan(row.std) else f" +/- {row.std:.2f}"  # as other cards of this kind of task write it
    yield {**place, "metric_type": "mean_reward", "metric_name": "mean_reward", "metric_value": f"{row.mean:.2f}{std}"}
    for name, of in (("score", row.iqm), ("retention", row.retention)):
        if not math.isnan(of.value) and not (name == "retention" and row.condition.baseline):
            scale = f"{row.scale} " if name == "score" else ""
            ends = {} if math.isnan(of.low) else {"low": round(float(of.low), 4), "high": round(float(of.high), 4)}
            kind = {"metric_type": f"symbench_{name}", "metric_name": f"{scale}{name}, IQM over training runs"}
            yield {**place, **kind, "metric_value": round(float(of.value), 4), "metric_args": ends or None}


def _body(report: Report, records: Sequence[Record], agent: str) -> str:
    """The card for people: the tables of the run and how they were made, as ``leaderboard.md`` has them."""
    calls = [call.model_copy(update={"command": _code(call.command)}) for call in report.manifest.invocations]
    of_run = replace(report, manifest=report.manifest.model_copy(update={"invocations": calls}))
    rendered = _inert(markdown.render(of_run, records))
    intro = (
        "What this agent keeps of its return when its observations are perturbed, measured with symbench "
        f"{symbench.__version__} (`pip install symbench`). What it was trained on the run does not know: say it here."
    )
    citation = f"```bibtex\n{software(symbench.__version__)}\n```"
    return f"# {_inert(agent)}\n\n{intro}\n\n#{rendered}\n## Citation\n\n{citation}\n"


def _code(text: str) -> str:
    """A text that cannot end the block of code it stands in."""
    return " ".join(text.split()).replace("```", "'''")


def _inert(text: str) -> str:
    """Markdown whose HTML, links and pictures are text; blocks of code are as they were."""
    inside, lines = False, []
    for line in text.split("\n"):
        inside ^= line.startswith("```")
        lines.append(line if inside else re.sub(r"\](?=[(\[])", r"\\]", line.replace("<", "&lt;")))
    return "\n".join(lines)


def _eval_results(manifest: Manifest, rows: Sequence[Row], benchmark: str) -> str:
    if not _DATASET.fullmatch(benchmark):
        raise SymbenchError(f"--benchmark: OWNER/DATASET is expected, received {benchmark!r}")
    yaml = require("yaml", "results of the Hub")
    entries = [
        entry for task in manifest.tasks if (entry := _entry(manifest, [row for row in rows if row.task == task]))
    ]
    if not entries:
        raise SymbenchError("--benchmark: no task has a retention under all conditions; finish the run first")
    for entry in entries:
        entry["dataset"]["id"] = benchmark
    return str(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))


def _entry(manifest: Manifest, rows: Sequence[Row]) -> dict[str, Any] | None:
    """The retention in a task, in %, the mean over its perturbed conditions; nothing if one is missing."""
    kept = [row.retention.value for row in rows if not row.condition.baseline]
    if not kept or any(math.isnan(value) for value in kept):
        return None
    first = rows[0]
    reduced = " REDUCED RUN, not the protocol." if any(row.quick or row.gap for row in rows) else ""
    dates = [call.started for call in manifest.invocations if re.match(r"\d{4}-\d{2}-\d{2}T", call.started)]
    return {
        "dataset": {"id": "", "task_id": task_id(first.suite, first.task)},
        "value": round(100 * sum(kept) / len(kept), 2),
        **({"date": dates[-1]} if dates else {}),
        "notes": f"retention in %, mean of {len(kept)} perturbed conditions; {first.runs} training runs.{reduced}",
    }
