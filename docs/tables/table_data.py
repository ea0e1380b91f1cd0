"""Where the rows of tables come from: data files, the cards of bundled agents, numbers quoted from papers."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pandas as pd

from symbench.leaderboard.published import published
from symbench.suites import Suite, load_suite
from symbench.tasks import registry

ROOT = Path(__file__).parents[2]
CARDS = "symbench/zoo/weights"
QUOTED = "symbench/leaderboard/published.toml"
TASKS = "symbench/tasks"


def path_of(name: str) -> Path:
    """The file of a data source: ``noise.csv`` lies in ``docs/data``, a name with a folder below the repository."""
    return ROOT / name if "/" in name else ROOT / "docs" / "data" / name


def read_all(names: str | list[str], *, quoted: bool = False) -> pd.DataFrame:
    """The rows of one or several data sources, as :func:`read` gives them; what is quoted beside several comes once."""
    several = [names] if isinstance(names, str) else names
    frame = pd.concat([read(name, quoted=quoted) for name in several], ignore_index=True)
    if not quoted:
        return frame
    again = frame.duplicated(["task", "perturbation", "severity", "agent"]) & frame["quoted"].eq(True)
    return frame[~again].reset_index(drop=True)


@cache
def read(name: str, *, quoted: bool = False) -> pd.DataFrame:
    """The rows of a data source; those of runs with the column ``condition``, its title in words.

    Args:
        name: A CSV file as :func:`path_of` takes it, :data:`CARDS`, the cards of all bundled agents, or
            :data:`TASKS`, what normalises the returns of each task.
        quoted: Whether to add what papers report of the same tasks under the same conditions.
    """
    if name in _MADE:
        return _MADE[name]()
    frame = pd.read_csv(path_of(name), dtype={"severity": str, "note": str})
    if not {"suite", "perturbation", "severity"} <= set(frame.columns):
        return frame
    frame["note"] = frame["note"].fillna("") if "note" in frame else ""
    if quoted:
        frame = pd.concat([frame.assign(quoted=False), _quoted(frame)], ignore_index=True)
    pairs = zip(frame["suite"], frame["perturbation"] + "/" + frame["severity"], strict=True)
    return frame.assign(condition=[_titles(suite).get(condition, condition) for suite, condition in pairs])


@cache
def _suite(tag: str) -> Suite:
    return load_suite(tag)


@cache
def _titles(tag: str) -> dict[str, str]:
    return {perturbation.id: perturbation.title for perturbation in _suite(tag).perturbations}


def _quoted(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (tag, task, *condition.split("/"), entry.agent, mean, std, "", True)
        for tag, task in frame[["suite", "task"]].drop_duplicates().itertuples(index=False)
        for entry in published(task, _suite(tag))
        for condition, (mean, std) in entry.returns.items()
        if condition in _titles(tag)
    ]
    columns = ["suite", "task", "perturbation", "severity", "agent", "mean", "std", "note", "quoted"]
    return pd.DataFrame(rows, columns=columns)


def _cards() -> pd.DataFrame:
    """A row for each card: ``in_order_mean``, ``in_order_std``, ``shuffled_mean`` ... beside what trained it."""
    rows = []
    for path in sorted(path_of(CARDS).rglob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        facts = {key: card.get(key) for key in ("task", "agent", "seed", "parameters", "commit")}
        measured = {name: card.get(name) or {} for name in ("in_order", "shuffled")}
        rows.append({**facts, **{f"{name}_{key}": value for name, of in measured.items() for key, value in of.items()}})
    return pd.DataFrame(rows)


def _tasks() -> pd.DataFrame:
    """A row for each task: the returns that count as 0 and 1, and what the latter is."""
    metrics = {name: task.metric for name, task in registry.TASKS.items()}
    return pd.DataFrame(
        (name, *metric.constants, metric.source.partition("reference: ")[2] or metric.source)
        for name, metric in metrics.items()
    ).set_axis(["task", "random", "reference", "one_is"], axis="columns")


_MADE = {CARDS: _cards, TASKS: _tasks}
