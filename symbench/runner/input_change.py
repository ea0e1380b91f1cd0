"""How far perturbations move what an agent sees: a perturbation that changes nothing must not look like one.

* :class:`TaskView` - keeps what the task shows, below all perturbations
* :class:`Watch` - compares it with what the agent sees
* :class:`InputChange` - what came out
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium.vector import VectorWrapper

from symbench.wrappers.vector import VectorAdapter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gymnasium.vector import VectorEnv
    from numpy.typing import NDArray

WINDOW: Final = 100  # steps of each episode that are compared


class TaskView(VectorWrapper[Any, Any, Any, Any, Any]):
    """Keeps the latest observations that no perturbation has touched.

    Attributes:
        latest: A batch, (B, ...).
    """

    latest: Any = None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset and keep the observations."""
        self.latest, infos = self.env.reset(**kwargs)
        return self.latest, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step and keep the observations."""
        self.latest, *others = self.env.step(actions)
        return (self.latest, *others)


@dataclass(frozen=True)
class InputChange:
    """How far what an agent saw was from what its task showed, over the first 100 steps of its episodes.

    Numbers are compared place by place. Those that the task does not show (noise channels, repeated sensors) count as
    changed, by their size. A mask beside an image says what was hidden and is not counted.

    Attributes:
        entries: Numbers compared.
        changed: Share of them that differ.
        distance: Mean absolute difference, in the unit of the observations.
        draws: Draws begun: one for each episode, and one whenever a perturbation draws again within it.
        draws_in_effect: Draws under which at least one number differed.
    """

    entries: int
    changed: float
    distance: float
    draws: int
    draws_in_effect: int

    def __str__(self) -> str:
        """For example ``71.2% of the numbers changed, by 0.35 on average; 97 of 100 draws took effect``."""
        return (
            f"{self.changed:.1%} of the numbers changed, by {self.distance:.3g} on average; "
            f"{self.draws_in_effect} of {self.draws} draws took effect"
        )

    @classmethod
    def join(cls, parts: Sequence[InputChange | None]) -> InputChange | None:
        """The change over all batches of a cell; ``None`` without perturbation."""
        there = [part for part in parts if part is not None]
        if not there:
            return None
        entries = sum(part.entries for part in there)
        changed, distance = (
            sum(getattr(part, name) * part.entries for part in there) / entries for name in ("changed", "distance")
        )
        draws = (sum(getattr(part, name) for part in there) for name in ("draws", "draws_in_effect"))
        return cls(entries, changed, distance, *draws)


class Watch:
    """Compares what the task shows with what the agent sees, while one episode is played in each environment.

    Attributes:
        view: Where the task's observations are; ``None`` if there are no perturbations.
    """

    def __init__(self, envs: VectorEnv[Any, Any, Any]) -> None:
        """Watch B environments made by :func:`symbench.runner.pipeline.make_envs`."""
        self._intervals, layer = [], envs
        while isinstance(layer, VectorAdapter):
            if not layer.transform.identity:
                self._intervals.append(getattr(layer.transform, "interval", None))
            layer = layer.env
        self.view = layer if isinstance(layer, TaskView) else None
        self._effect = np.zeros(envs.num_envs, dtype=bool)  # of the draw that lasts
        self._entries = self._changed = self._draws = self._effects = 0
        self._distance = 0.0

    def compare(self, step: int, shown: Any, seen: Any, playing: NDArray[np.int64]) -> None:
        """Compare one step; nothing to do after the first 100.

        Args:
            step: From 0.
            shown: What the task shows, a batch for the environments ``playing``.
            seen: What the agent sees, likewise.
            playing: Which environments play, (b,) places among the B.
        """
        if step >= WINDOW:
            return
        if step == 0 or any(interval is not None and step % interval == 0 for interval in self._intervals):
            self._end_draws()
            self._draws += len(playing)
        with np.errstate(over="ignore"):
            for before, after in _pairs(shown, seen):
                self._add(before.reshape(len(playing), -1), after.reshape(len(playing), -1), playing)

    def result(self) -> InputChange | None:
        """What came out; ``None`` without perturbations."""
        if self.view is None:
            return None
        self._end_draws()
        entries = max(1, self._entries)
        distance = min(self._distance / entries, sys.float_info.max)  # JSON has no infinity
        return InputChange(entries, self._changed / entries, distance, self._draws, self._effects)

    def _add(self, before: NDArray[Any], after: NDArray[Any], playing: NDArray[np.int64]) -> None:
        """Compare numbers, (b, N) and (b, M)."""
        both, most = sorted((before.shape[1], after.shape[1]))
        difference = after[:, :both].astype(np.float64)
        difference -= before[:, :both]
        self._entries += len(playing) * most
        self._changed += int(np.count_nonzero(difference)) + len(playing) * (most - both)
        self._distance += float(np.abs(difference, out=difference).sum())
        for beyond in (before[:, both:], after[:, both:]) if most > both else ():
            self._distance += float(np.abs(beyond, dtype=np.float64).sum())
        if not self._effect[playing].all():
            self._effect[playing] |= difference.any(axis=1) | (most > both)

    def _end_draws(self) -> None:
        self._effects += int(self._effect.sum())
        self._effect[:] = False


def _pairs(shown: Any, seen: Any) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Arrays of the task and what the agent sees in their place."""
    if isinstance(shown, dict):
        for key, part in shown.items():
            if isinstance(seen, dict) and key in seen:
                yield from _pairs(part, seen[key])
    elif isinstance(shown, tuple):
        for part, seen_part in zip(shown, seen, strict=True):
            yield from _pairs(part, seen_part)
    elif isinstance(seen, dict):
        parts = list(seen.values())
        yield from _pairs(shown, next((part for part in parts if np.shape(part) == shown.shape), parts[0]))
    else:
        yield shown, seen
