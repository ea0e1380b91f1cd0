"""Perturbations that are changed in the middle of an episode, which goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gymnasium as gym
import numpy as np

from symbench.errors import SymbenchError, one_line
from symbench.trees import batch_of_one, declared_one, map_tree, row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gymnasium.spaces import Space

    from symbench.suites import Apply
    from symbench.wrappers.core import Transform

_BEGINS: Final = np.ones(1, dtype=bool)
_GOES_ON: Final = np.zeros(1, dtype=bool)


@dataclass(frozen=True)
class Step:
    """One perturbation.

    Attributes:
        apply: The perturbation with all its parameters.
        redrawn: How many times it was drawn again within the episode.
    """

    apply: Apply
    redrawn: int = 0

    def seed(self, episode: int) -> int:
        """Of its draws: that of the episode, so that its first draws are those of ``symbench run``."""
        mixed = np.random.SeedSequence((episode, self.redrawn)).generate_state(1)[0]
        return int(mixed) if self.redrawn else episode


@dataclass(frozen=True, eq=False)
class _Layer:
    """A perturbation that is bound to what is inside of it."""

    step: Step
    inner: Space[Any]
    seen: Space[Any]
    transform: Transform

    @classmethod
    def around(cls, inner: Space[Any], actions: Space[Any], step: Step) -> _Layer:
        try:
            transform = step.apply.perturbation().make(**step.apply.parameters)
            return cls(step, inner, transform.bind(inner, actions, 1, 0), transform)
        except Exception as error:  # whatever somebody's perturbation raises
            raise SymbenchError(f"{step.apply} cannot be applied: {one_line(error)}") from error

    def show(self, observation: Any, info: dict[str, Any], how: Callable[[Any], Any]) -> Any:
        """What is seen of an observation; ``how`` takes and gives a batch of one."""
        if self.transform.reads is not None:
            self.transform.tell(0, info.get(self.transform.reads))
        return row(self.seen, how(declared_one(self.inner, observation)), 0)


class Changeable(gym.Wrapper[Any, Any, Any, Any]):
    """An environment behind perturbations, each there once at most, that can be changed while an episode goes on.

    Until then it plays as behind the wrappers of :mod:`symbench.wrappers`, with the same draws.

    Attributes:
        seen: The latest observation as the agent sees it; ``None`` before the first.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Without perturbations so far."""
        super().__init__(env)
        self.seen: Any = None
        self._layers: list[_Layer] = []
        self._decided: list[_Layer] = []  # those through which the agent saw what it acts on
        self._seed = 0
        self._latest: Any = None
        self._info: dict[str, Any] = {}

    def change(self, steps: Sequence[Step]) -> None:
        """From now on these, from the environment outwards; what they show of the latest observation is :attr:`seen`.

        One that is the same, around a space of the same shapes, goes on with what it has drawn; others begin.

        Raises:
            SymbenchError: One cannot be applied; then nothing has changed.
        """
        old = {layer.step.apply.wrapper: layer for layer in self._layers}
        layers: list[_Layer] = []
        space = self.env.observation_space
        for step in steps:
            same = old.get(step.apply.wrapper)
            kept = same is not None and same.step == step and shapes(same.inner) == shapes(space)
            layers.append(same if kept and same else _Layer.around(space, self.action_space, step))
            space = layers[-1].seen
        before, seen = self._layers, self.seen
        self._layers = layers
        try:
            if self._latest is not None:
                self._show(lambda layer: lambda batch: self._again(layer, batch, layer in before))
        except Exception as error:  # whatever somebody's perturbation raises
            self._layers, self.seen = before, seen
            raise SymbenchError(f"{' and '.join(str(step.apply) for step in steps)}: {one_line(error)}") from error
        self.observation_space = space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the episode of a seed."""
        self._seed = seed or 0
        self._latest, self._info = self.env.reset(seed=seed, options=options)
        self._show(lambda layer: lambda batch: self._again(layer, batch, False))
        self._decided = self._layers
        return self.seen, self._info

    def look(self) -> Any:
        """What is seen now, for an agent that decides anew; its action goes through the perturbations of now."""
        self._decided = self._layers
        return self.seen

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One step: the agent acts on what it saw, through the perturbations of that moment."""
        acted: dict[_Layer, Any] = {}
        actions = batch_of_one(self.action_space, action)
        for layer in reversed(self._decided):
            acted[layer] = actions
            actions = layer.transform.act(actions)
        told = row(self.action_space, actions, 0) if self._decided else action
        self._latest, reward, terminated, truncated, self._info = self.env.step(told)
        self._show(lambda layer: lambda batch: layer.transform.step(batch, acted.get(layer, actions)))
        self._decided = self._layers
        return self.seen, reward, terminated, truncated, self._info

    def _again(self, layer: _Layer, batch: Any, begun: bool) -> Any:
        """What a perturbation shows of an observation at which no time passes; it begins unless it has."""
        return layer.transform.reset(batch, _GOES_ON if begun else _BEGINS, [layer.step.seed(self._seed)])

    def _show(self, how: Callable[[_Layer], Callable[[Any], Any]]) -> None:
        self.seen = self._latest
        for layer in self._layers:
            self.seen = layer.show(self.seen, self._info, how(layer))


def shapes(space: Space[Any]) -> Any:
    """What tells two spaces apart for an agent: how much there is of what, not between which bounds."""
    return map_tree(lambda part: (type(part), part.shape, part.dtype), space)
