"""Where conditions stand on a horizontal axis: severities of one perturbation in a line, others by themselves."""

from __future__ import annotations

import math
import textwrap
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from symbench.plot.style import QUIET
from symbench.suites.titles import apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.plot.panels import Condition
    from symbench.suites.titles import Titles

_GAP: Final = 0.5  # between groups, in slots
_LETTERS: Final = 17  # of a tick label to an inch
_WIDEST: Final = 16  # letters of a line of a tick label
_LONGEST: Final = 48  # letters of a tick label; more would take more height than the figure has
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
    def titles(self) -> Titles:
        """What its perturbed conditions share in words, and what tells each apart; the clean one shares nothing."""
        perturbed = apart([slot.condition.title for slot in self.slots if not slot.condition.baseline])
        own = iter(perturbed.own)
        return perturbed._replace(
            own=[slot.condition.title if slot.condition.baseline else next(own) for slot in self.slots]
        )

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
    """Groups for bars: the conditions of each perturbation, severities that are in an order apart from others."""
    begins = accumulate(each.order == 1 for each in conditions)
    keys = [
        (each.perturbation, each.baseline, each.order > 0 and begun)
        for each, begun in zip(conditions, begins, strict=True)
    ]
    by_key = groupby(zip(keys, conditions, strict=True), key=lambda pair: pair[0])
    found = [[each for _, each in group] for _, group in by_key]
    return _placed([(group, len(group) > 1) for group in found])


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
    """Write what tells conditions apart below the axis, and what they share above, or below if it is one group."""
    slots = [slot for group in groups for slot in group.slots]
    texts = _ticks(groups)
    places = [slot.x for slot in slots]
    wrapped = [textwrap.fill(text, _WIDEST) for text in texts]
    slanted = _would_touch(ax, places, wrapped)
    ax.set_xticks(places)
    ax.set_xticklabels(
        texts if slanted else wrapped,
        rotation=_SLANTED if slanted else _LEVEL,
        ha="right" if slanted else "center",
        rotation_mode="anchor" if slanted else "default",
        linespacing=0.95,
    )
    ax.set_xlim(slots[0].x - 0.6, slots[-1].x + 0.6)
    if several(groups):
        _name_above(ax, [group for group in groups if group.ordered])
    else:
        ax.set_xlabel(groups[-1].titles.shared)


def _would_touch(ax: Any, places: Sequence[float], texts: Sequence[str]) -> bool:
    """Whether level texts would come too near to each other."""
    letters = [max(map(len, text.split("\n"))) for text in texts]
    in_a_slot = _LETTERS * ax.get_position().width * ax.figure.get_figwidth() / (places[-1] - places[0] + 1.2)
    neighbours = zip(places, places[1:], letters, letters[1:], strict=False)
    return any((one + other) / 2 + 1.5 > (right - left) * in_a_slot for left, right, one, other in neighbours)


def several(groups: Sequence[Group]) -> bool:
    """Whether there are several groups of perturbed conditions to tell apart."""
    return sum(not group.slots[-1].condition.baseline for group in groups) > 1


def _ticks(groups: Sequence[Group]) -> list[str]:
    """What tells conditions apart; whole titles where nothing says the rest."""
    return [
        text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
        for group in groups
        for text in (group.titles.own if group.ordered else [slot.condition.title for slot in group.slots])
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
    above.set_xticks([group.middle for group in groups], [group.titles.shared for group in groups])
    above.tick_params(length=0, pad=1, colors=QUIET, labelsize=6.5)
    above.spines["top"].set_visible(False)
