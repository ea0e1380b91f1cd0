"""A replay whose perturbations are changed while an episode goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbench.demo.changeable import Changeable, Step
from symbench.demo.chosen_sensors import ARRANGE
from symbench.viz.replay import Origins, Replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.viz.replay import Numbered


class LiveReplay(Replay):
    """See :class:`~symbench.viz.replay.Replay` and :class:`~symbench.demo.changeable.Changeable`."""

    env: Changeable
    origins: LiveOrigins | None

    def __init__(self, task: str, render: bool) -> None:
        """Without perturbations so far; arguments are those of a replay."""
        super().__init__(task, render=render)
        self.env = Changeable(self._tap)
        self.origins = LiveOrigins.of(self._tap.observation_space, ())

    @property
    def sensors(self) -> int:
        """How many sensors the unperturbed observation is a vector of; 0 if it is none."""
        shape = self._tap.observation_space.shape
        return shape[0] if self.origins is not None and shape is not None and len(shape) == 1 else 0

    @property
    def seen(self) -> Any:
        """What the agent sees now."""
        return self.env.seen

    def change(self, steps: Sequence[Step]) -> None:
        """See :meth:`Changeable.change`."""
        self.env.change(steps)
        if self.origins is not None:
            self.origins.change(steps)


class LiveOrigins(Origins):
    """Where everything that is seen comes from, when that changes."""

    _env: Changeable

    def __init__(self, count: Numbered, apply: Sequence[Any], moves: Sequence[str]) -> None:
        """See :meth:`Origins.of`."""
        super().__init__(count, (), (*moves, ARRANGE))
        self._env = Changeable(count)

    def change(self, steps: Sequence[Step]) -> None:
        """The same perturbations, as far as they move anything."""
        times = {step.apply.wrapper: step.redrawn for step in steps}
        moving = self._moving([step.apply for step in steps])
        self._env.change([Step(apply, times[apply.wrapper]) for apply in moving])
        self._latest = self._env.seen
