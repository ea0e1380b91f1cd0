"""Where conditions stand on a horizontal axis: severities of one perturbation in a line, others by themselves."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symbench.plot.style import QUIET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.plot.panels import Condition

_GAP: Final = 0.5  # between groups, in slots
_LETTERS: Final = 17  # of a tick label to an inch
_LEVEL, _SLANTED = 0, 35  # degrees


class Slot(NamedTuple):
    """A place of the axis, and the condition that is shown there."""

    x: float
    condition: Condition


class Group(NamedTuple):
    """Neighbours: one perturbation at rising severity if ``ordered``, else single conditions of one."""

    slots: list[Slot]
    ordered: bool

    @property
    def perturbation(self) -> str:
        """What is done."""
        return self.slots[-1].condition.perturbation

    @property
    def middle(self) -> float:
        """Where it is named."""
        return (self.slots[0].x + self.slots[-1].x) / 2


def severity_groups(conditions: Sequence[Condition]) -> list[Group]:
    """Groups for lines: every perturbation of several severities begins at the clean condition; others stand alone."""
    clean = [each for each in conditions if each.baseline]
    lines: list[list[Condition]] = []
    for each in conditions:
        if each.order > 1 and lines:
            lines[-1].append(each)
        elif not each.baseline:
            lines.append([each])
    return _placed([([*clean, *line], True) if len(line) > 1 else (line, False) for line in lines])


def condition_groups(conditions: Sequence[Condition]) -> list[Group]:
    """Groups for bars: the conditions of each perturbation."""
    by_name = [list(group) for _, group in groupby(conditions, key=lambda each: (each.perturbation, each.baseline))]
    return _placed([(group, len(group) > 1) for group in by_name])


def _placed(groups: Sequence[tuple[list[Condition], bool]]) -> list[Group]:
    placed: list[Group] = []
    x = 0.0
    for line, ordered in groups:
        if placed and (ordered or placed[-1].ordered):  # single conditions are neighbours without a gap
            x += _GAP
        placed.append(Group([Slot(x + place, each) for place, each in enumerate(line)], ordered))
        x += len(line)
    return placed


def label_axis(ax: Any, groups: Sequence[Group]) -> None:
    """Write severities below the axis and, if there are several, perturbations above."""
    slots = [slot for group in groups for slot in group.slots]
    texts = _ticks(groups)
    places = [slot.x for slot in slots]
    slanted = _would_touch(ax, places, texts)
    ax.set_xticks(places)
    ax.set_xticklabels(
        texts,
        rotation=_SLANTED if slanted else _LEVEL,
        ha="right" if slanted else "center",
        rotation_mode="anchor" if slanted else "default",
        linespacing=0.95,
    )
    ax.set_xlim(slots[0].x - 0.6, slots[-1].x + 0.6)
    if several(groups):
        _name_above(ax, [group for group in groups if group.ordered])
    else:
        ax.set_xlabel(groups[-1].perturbation)


def _would_touch(ax: Any, places: Sequence[float], texts: Sequence[str]) -> bool:
    """Whether level texts would come too near to each other."""
    letters = [max(map(len, text.split("\n"))) for text in texts]
    in_a_slot = _LETTERS * ax.get_position().width * ax.figure.get_figwidth() / (places[-1] - places[0] + 1.2)
    neighbours = zip(places, places[1:], letters, letters[1:], strict=False)
    return any((one + other) / 2 + 1.5 > (right - left) * in_a_slot for left, right, one, other in neighbours)


def several(groups: Sequence[Group]) -> bool:
    """Whether there are several perturbations to tell apart."""
    return len({group.perturbation for group in groups if not group.slots[-1].condition.baseline}) > 1


def _ticks(groups: Sequence[Group]) -> list[str]:
    """Severities; with the perturbation where nothing above says it."""
    above = {group.perturbation for group in groups if group.ordered}
    conditions = [slot.condition for group in groups for slot in group.slots]
    named = several(groups)
    return [
        f"{each.perturbation}\n{each.severity}"
        if named and not each.baseline and each.perturbation not in above
        else each.severity
        for each in conditions
    ]


def height_of_labels(ax: Any) -> float:
    """Inches that slanted severities take below the axis more than level ones do."""
    labels = [label for label in ax.get_xticklabels() if label.get_rotation()]
    longest = max((len(line) for label in labels for line in label.get_text().split("\n")), default=0)
    return longest / _LETTERS * math.sin(math.radians(_SLANTED))


def _name_above(ax: Any, groups: Sequence[Group]) -> None:
    if not groups:
        return
    above = ax.secondary_xaxis("top")
    above.set_xticks([group.middle for group in groups], [group.perturbation for group in groups])
    above.tick_params(length=0, pad=1, colors=QUIET, labelsize=6.5)
    above.spines["top"].set_visible(False)
