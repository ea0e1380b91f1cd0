"""Environments of several agents as PettingZoo's ``ParallelEnv``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from pettingzoo import ParallelEnv

from symbench.errors import SymbenchError, unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OWN = ("images",)  # entries of which an agent sees its own row only


class AgentsEnv(ParallelEnv[str, Any, Any]):  # type: ignore[misc]  # it has no types
    """Each agent sees the joint observation from its own row on, and receives the team's reward.

    Of ``images`` it sees its own; of other entries its own row first, then the others in their order. So agents are
    alike: what one of them learns, all can play.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Take an environment whose actions have a row for each agent.

        Args:
            env: Its observations are a dict of arrays whose first rows are the agents'.

        Raises:
            SymbenchError: It has no such actions or observations.
        """
        joint = env.action_space
        rows = isinstance(joint, gym.spaces.MultiDiscrete) or (
            isinstance(joint, gym.spaces.Box) and len(joint.shape) == 2
        )
        if not rows or not isinstance(env.observation_space, gym.spaces.Dict):
            raise SymbenchError(f"{env.unwrapped} has no agents: one action row for each and a Dict are needed")
        self.env, self.render_mode = env, env.render_mode
        self.metadata = {**env.metadata, "name": getattr(env.spec, "id", type(env.unwrapped).__name__)}
        self.possible_agents = [f"agent_{i}" for i in range((joint.shape or (0,))[0])]
        self.agents: list[str] = []
        one = joint.nvec[0] if isinstance(joint, gym.spaces.MultiDiscrete) else None
        self._action = gym.spaces.Discrete(int(one)) if one is not None else _rows(joint, 0)
        entries = env.observation_space.items()
        self._observation = gym.spaces.Dict({key: _rows(part, 0) if key in _OWN else part for key, part in entries})

    def observation_space(self, agent: str) -> gym.Space[Any]:
        """The same for all."""
        return self._observation

    def action_space(self, agent: str) -> gym.Space[Any]:
        """The same for all."""
        return self._action

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begin an episode; see PettingZoo's ``ParallelEnv.reset``."""
        seen, info = self.env.reset(seed=seed, options=options)
        self.agents = list(self.possible_agents)
        return self._seen_by_each(seen), self._same(info)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Move all agents; see PettingZoo's ``ParallelEnv.step``."""
        joint = np.stack([actions[agent] for agent in self.possible_agents])
        seen, reward, terminated, truncated, info = self.env.step(joint)
        outcome = (
            self._seen_by_each(seen),
            self._same(float(reward)),
            self._same(terminated),
            self._same(truncated),
            self._same(info),
        )
        if terminated or truncated:
            self.agents = []
        return outcome

    def render(self) -> Any:
        """As the environment."""
        return self.env.render()

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def _seen_by_each(self, seen: dict[str, NDArray[Any]]) -> dict[str, dict[str, NDArray[Any]]]:
        return {
            agent: {key: part[i] if key in _OWN else _own_first(part, i) for key, part in seen.items()}
            for i, agent in enumerate(self.possible_agents)
        }

    def _same(self, value: Any) -> dict[str, Any]:
        return {agent: dict(value) if isinstance(value, dict) else value for agent in self.possible_agents}


def make_parallel(name: str, **kwargs: Any) -> AgentsEnv:
    """A task of several agents as a PettingZoo environment.

    Args:
        name: ``"Wildlife"``, ``"Traffic"``, ``"ParticleSpread"``, ``"Pursuit"`` or ``"NBodyControl"``.
        **kwargs: Arguments of ``gymnasium.make``.

    Raises:
        SymbenchError: There is no such task, or it has no several agents.
    """
    env_id = f"symbench/{name}-v0"
    if env_id not in gym.registry:
        ours = [each.removeprefix("symbench/").removesuffix("-v0") for each in gym.registry if "symbench/" in each]
        raise unknown("task", name, ours)
    return AgentsEnv(gym.make(env_id, **kwargs))


def _own_first(rows: NDArray[Any], i: int) -> NDArray[Any]:
    return np.concatenate([rows[i : i + 1], rows[:i], rows[i + 1 :]])


def _rows(space: Any, i: int) -> gym.spaces.Box:
    """The space of row i."""
    return gym.spaces.Box(space.low[i], space.high[i], dtype=space.dtype.type)
