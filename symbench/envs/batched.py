"""What batched environments have in common: one generator each, seeds, time limit, all autoreset modes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from symbench.trees import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class BatchedEnv(gym.vector.VectorEnv[Any, np.ndarray, np.ndarray]):
    """``num_envs`` environments advanced by one array program.

    A subclass says how episodes begin, advance and look. Sub-environment ``i`` reset with seed ``s + i`` then plays
    exactly the episodes that a scalar environment of the same equations plays when reset with that seed, the automatic
    resets included: its draws come from its own generator.

    Attributes:
        steps: Steps of the running episodes, shape (B,), int64.
        ended: Whether the episode is over and the next call of ``step`` resets or refuses, shape (B,), bool.
        generators: One for each sub-environment.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium declares it so)

    def __init__(
        self,
        num_envs: int,
        observation_space: gym.spaces.Space[Any],
        action_space: gym.spaces.Space[Any],
        max_episode_steps: int,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        """Make a batch.

        Args:
            num_envs: Number of sub-environments B.
            observation_space: Of one of them.
            action_space: Of one of them.
            max_episode_steps: Steps after which an episode is truncated.
            autoreset_mode: Gymnasium's ``AutoresetMode`` or its value.
            render_mode: Only ``None``: render one scalar environment instead.

        Raises:
            ValueError: A render mode was asked for.
        """
        if render_mode is not None:
            raise ValueError(f"the vector environment does not render, received render_mode={render_mode!r}")
        self.num_envs = num_envs
        self.max_episode_steps = max_episode_steps
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self.generators: list[np.random.Generator] = [seeding.np_random()[0] for _ in range(num_envs)]
        self.steps: NDArray[np.int64] = np.zeros(num_envs, dtype=np.int64)
        self.ended: NDArray[np.bool_] = np.zeros(num_envs, dtype=bool)

    @abstractmethod
    def begin(self, i: int, generator: np.random.Generator) -> None:
        """Draw the first state of sub-environment ``i``'s next episode."""

    def begin_some(self, rows: NDArray[np.int64]) -> None:
        """The same of some sub-environments, (b,), one after the other: each draws from its own generator."""
        for i in rows.tolist():
            self.begin(i, self.generators[i])

    @abstractmethod
    def advance(self, actions: np.ndarray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """One step of all: rewards (B,) and whether a final state was reached (B,).

        Sub-environments that have ended may be advanced or left alone, but must not draw from their generators.
        """

    @abstractmethod
    def observe(self) -> Any:
        """Observations of all, (B, ...) arrays or a dict of such, in new memory."""

    def information(self) -> dict[str, NDArray[Any]]:
        """What infos say of the latest step of all: arrays of shape (B, ...)."""
        return {}

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start new episodes, in all sub-environments or in those of ``options["reset_mask"]`` ((B,) bool)."""
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        seeds = [int(seed) + i for i in range(self.num_envs)] if isinstance(seed, (int, np.integer)) else seed
        for i, given in enumerate(seeds or ()):
            if mask[i] and given is not None:
                self.generators[i] = seeding.np_random(given)[0]
        self._restart(mask)
        return self.observe(), {}

    def step(self, actions: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every sub-environment; see :meth:`gymnasium.vector.VectorEnv.step`."""
        resetting = self.ended
        if self.autoreset_mode == AutoresetMode.DISABLED and resetting.any():
            ended = np.flatnonzero(resetting).tolist()
            raise gym.error.ResetNeeded(f"sub-environments {ended} have ended: reset them with options['reset_mask']")
        rewards, terminated = self.advance(np.asarray(actions))
        self.steps += 1
        truncated = self.steps >= self.max_episode_steps
        infos = _marked(self.information(), ~resetting)
        if resetting.any():  # NEXT_STEP: this call is the reset of the episodes that ended in the last one
            self._restart(resetting)
            rewards = np.where(resetting, 0.0, rewards)
            terminated, truncated = terminated & ~resetting, truncated & ~resetting
        self.ended = terminated | truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and self.ended.any():
            infos = self._reset_within_step()
        return self.observe(), rewards, terminated, truncated, infos

    def _reset_within_step(self) -> dict[str, Any]:
        ended, last, information = self.ended, self.observe(), self.information()
        final = np.full(self.num_envs, None, dtype=object)
        for i in np.flatnonzero(ended).tolist():
            final[i] = row(self.single_observation_space, last, i)
        self._restart(ended)
        last_infos = _marked(information, ended)
        of_others = _marked(information, ~ended)
        return {**of_others, "final_obs": final, "_final_obs": ended, "final_info": last_infos, "_final_info": ended}

    def _restart(self, mask: NDArray[np.bool_]) -> None:
        self.begin_some(np.flatnonzero(mask))
        self.steps[mask] = 0
        self.ended = self.ended & ~mask


def _marked(information: dict[str, NDArray[Any]], mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Infos as Gymnasium's vector environments give them: beside each array which of its entries count."""
    return {name: value for key, array in information.items() for name, value in ((key, array), (f"_{key}", mask))}
