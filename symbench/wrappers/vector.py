"""The transforms as wrappers of a Gymnasium vector environment: one array program for the whole batch.

Sub-environment i sees exactly what :mod:`symbench.wrappers.single` shows for the same seed, in all three autoreset
modes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from symbench.trees import copied, declared, declared_value, row, with_rows
from symbench.wrappers.adapters import Adapter, adapter_named, adapter_of
from symbench.wrappers.masks import masks_of, shown_infos
from symbench.wrappers.registry import TRANSFORMS, transform_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from symbench.wrappers.generated.vector import *  # noqa: F403  (what __getattr__ answers, with its parameters)


class VectorAdapter(Adapter, VectorWrapper[Any, Any, Any, Any, Any]):
    """A transform around a vector environment."""

    def __init__(self, envs: VectorEnv[Any, Any, Any], **parameters: Any) -> None:
        """Wrap ``envs``.

        Args:
            envs: The vector environment; one that does not declare its autoreset mode is taken to be ``NEXT_STEP``.
            **parameters: The transform's; a perturbation also takes ``severity``.

        Raises:
            TypeError: A parameter is unknown or of a wrong type.
            SymbenchError: A value is out of range, or the environment's spaces do not fit.
        """
        self.transform = self.transform_class.make(**parameters)
        super().__init__(envs)
        self._mode = AutoresetMode(envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._ended = np.zeros(envs.num_envs, dtype=bool)
        self._inner, actions = envs.single_observation_space, envs.single_action_space
        self._seen = self.transform.bind(self._inner, actions, envs.num_envs, self.take_place(envs))
        self._identity = self.transform.identity  # asked at every step
        self._moves_actions = self.transform.changes_actions and not self._identity
        self._reads = self.transform.reads
        if not self._identity:
            self.single_observation_space = self._seen
            self.observation_space = batch_space(self._seen, envs.num_envs)

    @property
    def action_masks(self) -> Callable[[], NDArray[Any]]:
        """What tells which actions each sub-environment allows, () -> (B, n); missing if they do not say."""
        below, rows = masks_of(self.env), range(self.num_envs)
        return (lambda: self.transform.allowed(rows, below())) if self._moves_actions else below

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episodes, in all sub-environments or in those of ``options["reset_mask"]`` ((B,) bool).

        Args:
            seed: An int s seeds sub-environment i with s + i; a list holds one seed (or ``None``) for each.
            options: Forwarded.
        """
        # Read before it is forwarded: Gymnasium's vector environments take the mask out of the caller's dict.
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        observations, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # lists are taken
        self._ended = self._ended & ~mask
        if self._identity:
            return copied(observations), infos
        observations = declared(self._inner, observations)
        self._tell(infos, mask)
        return self.transform.reset(observations, mask, _seeds(seed, self.num_envs)), self._shown(infos)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one step everywhere; see :meth:`gymnasium.vector.VectorEnv.step`."""
        if self._identity:
            observations, *rest = self.env.step(actions)
            return copied(observations), *rest
        observations, rewards, terminations, truncations, infos = self.env.step(self.transform.act(actions))
        observations = declared(self._inner, observations)
        ended, self._ended = self._ended, terminations | truncations
        if self._mode == AutoresetMode.SAME_STEP and self._ended.any():
            observations, infos = self._end_within_step(observations, actions, infos)
            return observations, rewards, terminations, truncations, infos
        self._tell(infos)
        seen = self.transform.step(observations, actions)
        if self._mode == AutoresetMode.NEXT_STEP and ended.any():
            seen = self.transform.reset(observations, ended, None)
        return seen, rewards, terminations, truncations, self._shown(infos)

    def _end_within_step(self, observations: Any, actions: Any, infos: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Show the last observations of ended episodes, as far as they are known, and the first of the next ones."""
        given = infos.get("final_obs", [None] * self.num_envs)
        known = [i for i in np.flatnonzero(self._ended).tolist() if given[i] is not None]
        last = with_rows(self._inner, observations, {i: declared_value(self._inner, given[i]) for i in known})
        self._tell(infos, ~self._ended)
        self._tell(infos.get("final_info", {}), self._ended)
        seen = self.transform.step(last, actions)
        final = np.full(self.num_envs, None, dtype=object)
        for i in known:
            final[i] = row(self._seen, seen, i)
        infos = {**infos, "final_obs": final} if known else infos
        if "final_info" in infos:
            infos = {**infos, "final_info": self._shown(infos["final_info"])}
        self._tell(infos, self._ended)
        return self.transform.reset(observations, self._ended, None), self._shown(infos)

    def _tell(self, infos: dict[str, Any], rows: NDArray[np.bool_] | None = None) -> None:
        """Tell the transform what the infos of some environments say; without ``rows``, of those that say something."""
        if self._reads is None:
            return
        given = np.broadcast_to(infos.get(f"_{self._reads}", self._reads in infos), self.num_envs)
        asked = rows if rows is not None else given if given.any() else ~given  # in a rest nothing is said
        for i in np.flatnonzero(asked).tolist():
            self.transform.tell(i, infos[self._reads][i] if given[i] else None)

    def _shown(self, infos: dict[str, Any]) -> dict[str, Any]:
        return shown_infos(self.transform, infos, self.num_envs) if self._moves_actions else infos


def _seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> Sequence[int | None] | None:
    return [int(seed) + i for i in range(num_envs)] if isinstance(seed, (int, np.integer)) else seed


def vector_wrapper_of(name: str) -> type[VectorAdapter]:
    """The wrapper of a vector environment with this name, or with that of a transform of one's own: ``"module:Name"``.

    Raises:
        SymbenchError: There is no such wrapper.
    """
    return adapter_of(VectorAdapter, transform_of(name))


if not TYPE_CHECKING:

    def __getattr__(name: str) -> type[VectorAdapter]:
        return adapter_named(VectorAdapter, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *TRANSFORMS})
