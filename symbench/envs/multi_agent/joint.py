"""PettingZoo's environments of like agents as Gymnasium environments: one policy moves all agents."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space

from symbench.errors import SymbenchError
from symbench.trees import map_tree, stacked

if TYPE_CHECKING:
    from numpy.typing import NDArray


class JointEnv(gym.Env[Any, Any]):
    """All agents of a ``ParallelEnv`` as one.

    Observations and actions have a row for each agent, in the order of ``possible_agents``: (n, F), ``MultiDiscrete``
    or ``Box`` (n, d). The reward is the sum of the agents' rewards. Agents that have ended show zeros and receive
    nothing; the episode is over when all have ended, terminated if the last ones were.

    Args:
        module: What has a function ``parallel_env``, e.g. ``"mpe2.simple_spread_v3"``.
        render_mode: ``None`` or ``"rgb_array"``.
        **kwargs: Arguments of ``parallel_env``.

    Raises:
        SymbenchError: The module has no such function, or its agents differ in what they see or do.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (Gymnasium declares it so)

    def __init__(self, module: str, render_mode: str | None = None, **kwargs: Any) -> None:
        make = getattr(import_module(module), "parallel_env", None)
        if make is None:
            raise SymbenchError(f"{module} has no function parallel_env, as PettingZoo's environments do")
        self.render_mode = render_mode
        self.env = make(**kwargs, **({} if render_mode is None else {"render_mode": render_mode}))
        self.agents: list[str] = list(self.env.possible_agents)
        self._one, action = (self._of_all(module, space) for space in ("observation_space", "action_space"))
        if not isinstance(action, (gym.spaces.Discrete, gym.spaces.Box)):
            raise SymbenchError(f"agents of {module} act on {action}; Discrete or Box is needed")
        self.observation_space = batch_space(self._one, len(self.agents))
        self.action_space = batch_space(action, len(self.agents))

    def _of_all(self, module: str, kind: str) -> gym.Space[Any]:
        spaces = {agent: getattr(self.env, kind)(agent) for agent in self.agents}
        first: gym.Space[Any] = spaces[self.agents[0]]
        unlike = next((agent for agent, space in spaces.items() if space != first), None)
        if unlike is not None:
            raise SymbenchError(
                f"{module} has unlike agents: the {kind} of {self.agents[0]} is {first}, of {unlike} {spaces[unlike]}; "
                "one policy can move like agents only"
            )
        return first

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; see :meth:`gymnasium.Env.reset`."""
        super().reset(seed=seed)
        seen, _ = self.env.reset(seed=seed, options=options)
        return self._rows(seen), {}

    def step(self, action: NDArray[Any]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Move all agents; see :meth:`gymnasium.Env.step`."""
        playing = set(self.env.agents)
        moves = {agent: move for agent, move in zip(self.agents, action, strict=True) if agent in playing}
        seen, rewards, terminated, _, _ = self.env.step(moves)
        over = not self.env.agents
        ended = over and all(terminated.values())
        return self._rows(seen), float(sum(rewards.values())), ended, over and not ended, {}

    def render(self) -> Any:
        """A picture of the scene; ``None`` without render mode."""
        return None if self.render_mode is None else self.env.render()

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def _rows(self, seen: dict[str, Any]) -> Any:
        blank = map_tree(np.zeros_like, next(iter(seen.values())))
        return stacked(self._one, [seen.get(agent, blank) for agent in self.agents])
