"""How a row of data reads in a cell: a template, or the name of one of :data:`FORMATS`.

In a template ``{parameters:,}`` is the value of a column, ``[area:.2f]`` that of ``area`` with its interval, whose ends
are the columns ``area_low`` and ``area_high``.
"""

from __future__ import annotations

import math
import re
import string
from typing import TYPE_CHECKING, Any

from symbench.leaderboard.bootstrap import Estimate
from symbench.leaderboard.text import NOTHING, mean_and_std, with_interval

if TYPE_CHECKING:
    from collections.abc import Callable

    Row = dict[str, Any]


def cell(form: str, row: Row) -> str:
    """A cell, by the name of a format or a template; quoted returns are in italics and as published."""
    if row.get("quoted") is True:
        alone = form == "mean" or math.isnan(row["std"])
        return f"*{row['mean']:g}*" if alone else f"*{row['mean']:g} ± {row['std']:g}*"
    if form in FORMATS:
        return FORMATS[form](row)
    return _TEMPLATE.format(_INTERVAL.sub(lambda found: _with_interval(row, found[1], found[2]), form), **row)


class _Template(string.Formatter):
    """``str.format``, but infinite numbers are never reached, missing ones nothing, and exponents short."""

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return "never" if math.isinf(value) else NOTHING
        text = super().format_field(value, format_spec)
        return text.replace("e-0", "e-") if format_spec.endswith(("e", "g")) else _unsigned_zero(text)


def _with_interval(row: Row, name: str, form: str) -> str:
    """``0.98 [0.97, 0.99]`` or ``98% [97, 99]``; the value alone where there is no interval."""
    if math.isnan(row[name]):
        return NOTHING
    keys = (name, _end(row, name, "low"), _end(row, name, "high"))
    value, low, high = (_TEMPLATE.format_field(row[key], form) for key in keys)
    return value if NOTHING in (low, high) else f"{value} [{low.removesuffix('%')}, {high.removesuffix('%')}]"


def _end(row: Row, name: str, end: str) -> str:
    """The column of an interval's end: ``area_low``; ``area_low_bright`` of ``area_bright``, which a join named so."""
    head, _, suffix = name.rpartition("_")
    return f"{name}_{end}" if f"{name}_{end}" in row else f"{head}_{end}_{suffix}"


def _unsigned_zero(text: str) -> str:
    return text.removeprefix("-") if text.startswith("-") and not text.strip("-0.%") else text


def _return(row: Row) -> str:
    """As the tables of a run show it."""
    if isinstance(row["mean"], float) and not math.isnan(row["mean"]):
        return mean_and_std(row["mean"], row["std"])
    return NOTHING if row["note"].startswith("skipped") else row["note"]


def _mean(row: Row) -> str:
    """One decimal below 100, as beside a deviation."""
    return mean_and_std(row["mean"], row["mean"]).split(" ")[0]


def _estimate(row: Row, name: str) -> Estimate:
    return Estimate(*(row[key] for key in (name, f"{name}_low", f"{name}_high")))


def _retention(row: Row) -> str:
    return "" if row["perturbation"] == "none" else with_interval(_estimate(row, "retention"), percent=True)


FORMATS: dict[str, Callable[[Row], str]] = {
    "return": _return,
    "mean": _mean,
    "iqm": lambda row: with_interval(_estimate(row, "iqm")),
    "retention": _retention,
    "improvement": lambda row: with_interval(_estimate(row, "improvement")),
    "agent with runs": lambda row: f"{row['agent']} ({row['training_runs']} run{'s' * (row['training_runs'] != 1)})",
}
_TEMPLATE = _Template()
_INTERVAL = re.compile(r"\[(\w+):([^\]]+)\]")
