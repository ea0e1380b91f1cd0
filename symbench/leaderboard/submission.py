"""Makes a submission of a run directory: the episodes of one agent and everything needed to judge and repeat them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from symbench.errors import SymbenchError, unknown
from symbench.files import write_atomically
from symbench.leaderboard.submission_schema import COLUMNS, FORMAT, Card, check_name
from symbench.leaderboard.validate import Submission, read_submission, without_board
from symbench.runner import Manifest, Record, Store, load_manifest
from symbench.runner.cell_id import CellId
from symbench.suites import load_suite
from symbench.wrappers.severity import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class About:
    """What no run directory knows about an agent.

    Attributes:
        description: One line.
        authors: Who trained it.
        licence: Of weights and code.
        training_data: What it has learned from.
        training_seeds: Seed of each training run; none if they are not known, or stand on the bundled agent's card.
        parameters: Number of parameters; ``None`` if it stands on the bundled agent's card.
        paper: Link.
        code: Link.
    """

    description: str
    authors: Sequence[str]
    licence: str
    training_data: str
    training_seeds: Sequence[int] = ()
    parameters: int | None = None
    paper: str | None = None
    code: str | None = None


def submit(run_dir: Path, name: str, out: Path, about: About, agent: str | None = None) -> Submission:
    """Write ``NAME.csv`` and ``NAME.json`` of one agent of a run.

    Args:
        run_dir: What ``symbench run`` wrote: the whole protocol of a bundled suite.
        name: Name of the submission.
        out: Folder of the two files; made if it is missing.
        about: What the run directory does not know.
        agent: The agent's name in the run; may be left out if one agent, beside random play, took part.

    Raises:
        SymbenchError: The run or what is said about it does not make a submission; nothing is left behind.
    """
    manifest = _manifest(run_dir)
    agent = agent or only_agent(manifest)
    records = _records(run_dir, manifest, agent)
    card = _card(manifest, records, check_submission_name(name), agent, about)
    out.mkdir(parents=True, exist_ok=True)
    files = {".csv": _table(records), ".json": json.dumps(card.model_dump(mode="json"), indent=2) + "\n"}
    paths = {suffix: out / f"{name}{suffix}" for suffix in files}
    if there := [str(path) for path in paths.values() if path.exists()]:
        raise SymbenchError(f"{there[0]} exists; delete it to replace it, or give another --name")
    try:
        for suffix, content in files.items():
            write_atomically(paths[suffix], content)
        return read_submission(paths[".csv"])
    except BaseException:
        for path in paths.values():
            path.unlink(missing_ok=True)
        raise


def check_submission_name(name: str) -> str:
    """The name if a submission may be called so.

    Raises:
        SymbenchError: It may not.
    """
    try:
        return check_name(name)
    except ValueError as error:
        raise SymbenchError(f"--name: {error}") from error


def _manifest(run_dir: Path) -> Manifest:
    manifest = load_manifest(run_dir)
    bundled = load_suite(manifest.suite.tag)
    if manifest.suite.protocol != bundled.protocol:
        raise SymbenchError(f"{run_dir} is a run of another {bundled.tag} than the bundled one; boards hold that only")
    return manifest


def only_agent(manifest: Manifest) -> str:
    """The one agent, beside random play, that took part.

    Raises:
        SymbenchError: There are several, or random play only.
    """
    agents = sorted({CellId.parse(id).agent for id in manifest.cells} - {"random"})
    if len(agents) != 1:
        raise SymbenchError(f"say which agent of the run: --agent {' or '.join(agents) or 'random'}")
    return agents[0]


def _records(run_dir: Path, manifest: Manifest, agent: str) -> list[Record]:
    """The agent's cells, all of them."""
    mine = {id: hash for id, hash in manifest.cells.items() if CellId.parse(id).agent == agent}
    if not mine:
        raise unknown("agent", agent, {CellId.parse(id).agent for id in manifest.cells}, f"in {run_dir}")
    _check_tasks(manifest, {CellId.parse(id).task for id in mine})
    records = Store(run_dir).records(mine)
    if len(records) < len(mine):
        done = {record.cell.id for record in records}
        first = next(id for id in mine if id not in done)
        raise SymbenchError(f"{len(mine) - len(done)} cells are missing, the first is {first}; finish the run first")
    for record in records:
        full = manifest.tasks[record.cell.task].episodes
        if record.cell.episodes != full:
            raise SymbenchError(f"{record.cell.id} has {record.cell.episodes} episodes; a submission has {full} a cell")
    return records


def _check_tasks(manifest: Manifest, played: set[str]) -> None:
    """Boards hold the tasks of their suite."""
    if custom := sorted(played - set(manifest.suite.tasks)):
        raise SymbenchError(
            f"{custom[0]} is a custom task, none of {manifest.suite.tag}'s: boards hold "
            f"{', '.join(manifest.suite.tasks)} only; play these in a run of their own (--out) to submit them"
        )
    for fault in filter(None, map(without_board, sorted(played))):
        raise SymbenchError(f"{fault}; play the others in a run of their own (--out) to submit them")


def _card(manifest: Manifest, records: Sequence[Record], name: str, agent: str, about: About) -> Card:
    tasks = dict.fromkeys(record.cell.task for record in records)
    data = {
        "format": FORMAT,
        "name": name,
        "description": about.description,
        "authors": list(about.authors),
        "paper": about.paper,
        "code": about.code,
        "licence": about.licence,
        "training_data": about.training_data,
        "suite": manifest.suite.tag,
        "severities": VERSION,
        "tasks": {task: _task(manifest, records, task, agent, about) for task in tasks},
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machines": _machines(manifest, records),
    }
    try:
        return Card.model_validate(data)
    except ValidationError as error:
        mistake = error.errors()[0]
        key, problem = ".".join(map(str, mistake["loc"])), mistake["msg"].removeprefix("Value error, ")
        raise SymbenchError(f"{key}: {problem}, received {str(mistake['input'])[:80]!r}") from error


def _task(manifest: Manifest, records: Sequence[Record], task: str, agent: str, about: About) -> dict[str, Any]:
    sources = {record.cell.run: record.cell.source for record in records if record.cell.task == task}
    digests = [sources[run].digest for run in sorted(sources)]
    cards = _bundled_cards(task, digests)
    if digests == [None]:  # random play, whatever was said of the run's other agents
        about = replace(about, training_seeds=(), parameters=None)
    seeds: list[int | None] = list(about.training_seeds)
    seeds = seeds or [card.get("seed") for card in cards] or [None] * len(digests)
    if len(seeds) != len(digests):
        raise SymbenchError(f"--training-seed: {len(digests)} are expected, one a training run, received {len(seeds)}")
    parameters = about.parameters if about.parameters is not None else max(_parameters(cards, digests))
    skipped = [(CellId.parse(id), reason) for id, reason in manifest.skipped.items()]
    return {
        "runs": [
            {"seed": seed, "weights": digest, "tensors": manifest.tensors.get(digest or "")}
            for seed, digest in zip(seeds, digests, strict=True)
        ],
        "parameters": parameters,
        "cannot_act": {
            id.condition: " ".join(reason.split())[:300]
            for id, reason in skipped
            if (id.task, id.agent) == (task, agent)
        },
    }


def _bundled_cards(task: str, digests: Iterable[str | None]) -> list[dict[str, Any]]:
    """The cards of the bundled agents with these files, one a training run; none if one is not bundled."""
    from symbench.runner.agents import resolve
    from symbench.zoo import bundled, load_card

    paths = {source.digest: source.path for agent in bundled(task) for source in resolve([agent], task)}
    found = [paths.get(digest) if digest else None for digest in digests]
    return [load_card(path) for path in found if path] if all(found) else []


def _parameters(cards: Sequence[dict[str, Any]], digests: Sequence[str | None]) -> list[int]:
    if digests == [None]:
        return [0]  # random play
    if not cards or not all("parameters" in card for card in cards):
        raise SymbenchError("say how many parameters the agent has: --parameters N")
    return [int(card["parameters"]) for card in cards]


def _machines(manifest: Manifest, records: Sequence[Record]) -> list[dict[str, Any]]:
    """What the cells were computed with, and how many with each; the most first."""
    of_cells = [_facts(record.machine or _of_the_calls(manifest, record)) for record in records]
    different = {json.dumps(facts, sort_keys=True): facts for facts in of_cells}.values()
    return sorted(({**facts, "cells": of_cells.count(facts)} for facts in different), key=lambda each: -each["cells"])


def _facts(machine: Mapping[str, Any]) -> dict[str, Any]:
    names = ("symbench", "commit", "python", "packages", "platform", "cpu", "cores")
    return {**{name: machine.get(name) for name in names}, "arithmetic": machine.get("arithmetic", {})}


def _of_the_calls(manifest: Manifest, record: Record) -> Mapping[str, Any]:
    """What a cell of an earlier version was computed with, if all calls that evaluated something agree."""
    calls = [call.environment for call in manifest.invocations if call.evaluated]
    if not calls or any(_facts(call) != _facts(calls[0]) for call in calls):
        raise SymbenchError(
            f"{record.cell.id} does not say what it was computed with, and the calls of this run differ: "
            "evaluate it again with --no-resume"
        )
    return calls[0]


def _table(records: Sequence[Record]) -> str:
    """One line per episode; floats survive the round trip bit for bit."""
    lines = [",".join(COLUMNS)]
    for record in records:
        cell, columns = record.cell, record.episodes.columns()
        where = f"{cell.task},{cell.perturbation},{cell.level},{cell.run}"
        for seed, value, length, ended in zip(*columns.values(), strict=True):
            lines.append(f"{where},{seed},{value!r},{length},{int(ended)}")
    return "\n".join(lines) + "\n"
