"""The one loop in which an agent plays episodes; what else is done at each step is said by callbacks.

* :func:`rollout` - play to the end
* :func:`moments` - the same, step by step
* :class:`Callback` - what is done at each step
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from symbench.action_masks import ActionMasks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gymnasium.spaces import Space
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent

    Places = NDArray[np.int64]  # which environments play, (b,) places among the B


class Envs(Protocol):
    """The part of a Gymnasium vector environment with ``AutoresetMode.DISABLED`` that a rollout needs."""

    metadata: dict[str, Any]

    @property
    def single_action_space(self) -> Space[Any]:
        """The actions of one environment."""

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin episodes, in all environments or in those of ``options["reset_mask"]``."""

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """One step in all environments."""


class Callback:
    """What is done at each step; every method is called once a step, in this order, and does nothing by itself.

    ``playing`` is always which environments play, (b,) places among the B.
    """

    def observations(self, seen: Any, playing: Places) -> None:
        """The agent is shown ``seen``, a batch of b observations that nobody changes afterwards."""

    def actions(self, answer: Any, playing: Places) -> Any:
        """The agent has answered; what is returned is done, e.g. the same after it was checked."""
        return answer

    def rewards(self, rewards: NDArray[Any], playing: Places) -> None:
        """The environments have paid ``rewards``, (b,)."""

    def ends(self, terminated: NDArray[np.bool_], truncated: NDArray[np.bool_], playing: Places) -> None:
        """Which episodes have ended by themselves or by a time limit, (b,) each; called if any has."""


@dataclass(frozen=True)
class Moment:
    """One step of a batch: the agent has chosen what to do, the environments have not done it yet.

    Attributes:
        step: From 0.
        playing: Which environments play, (b,) places among the B.
        seen: What the agent sees, a batch of b observations.
        actions: What it is about to do, (b, ...).
    """

    step: int
    playing: Places
    seen: Any
    actions: Any


def rollout(
    envs: Envs,
    agent: Agent,
    seeds: Sequence[int],
    callbacks: Sequence[Callback] = (),
    *,
    steps: int | None = None,
    restart: bool = False,
    agent_seed: int | None = None,
) -> None:
    """Play one episode in every environment, all at once, or a number of steps.

    Args:
        envs: B environments.
        agent: Acts on batches of observations; it is reset.
        seeds: One seed for each environment, (B,).
        callbacks: What else is done at each step.
        steps: Stop after so many; ``None`` plays all episodes to their ends.
        restart: Whether another episode follows one that has ended, so that all environments play all the time.
        agent_seed: What the agent draws from; ``None`` is the first of ``seeds``, which tells it what will happen.
    """
    deque(moments(envs, agent, seeds, callbacks, steps=steps, restart=restart, agent_seed=agent_seed), maxlen=0)


def moments(
    envs: Envs,
    agent: Agent,
    seeds: Sequence[int],
    callbacks: Sequence[Callback] = (),
    *,
    steps: int | None = None,
    restart: bool = False,
    reset: bool = True,
    agent_seed: int | None = None,
) -> Iterator[Moment]:
    """The same as :func:`rollout`, step by step: between two moments, environments and agent are at that of the first.

    Args:
        envs: As of :func:`rollout`, and so are the others.
        agent: The same.
        seeds: The same.
        callbacks: The same.
        steps: The same.
        restart: The same.
        reset: Whether the agent is reset, or begins in the state that it is in.
        agent_seed: The same.

    Yields:
        The moments in which the agent has chosen. Whoever stops asking stops the play.
    """
    count, space, step = len(seeds), envs.single_action_space, 0
    playing = np.arange(count)  # the environments whose episode goes on: the agent acts in these only
    masks = ActionMasks(envs)
    observations, infos = envs.reset(seed=list(seeds))
    masks.update(infos)
    actions = np.zeros((count, *(space.shape or ())), space.dtype)
    if reset:
        agent.reset(count, seed=seeds[0] if agent_seed is None else agent_seed)
    while playing.size and step != steps:
        seen = rows_of(observations, playing)
        for callback in callbacks:
            callback.observations(seen, playing)
        agent.allow(masks.of(seen, playing))
        answer = agent.act(seen)
        for callback in callbacks:
            answer = callback.actions(answer, playing)
        yield Moment(step, playing, seen, answer)
        actions[playing if playing.size < count else ...] = answer
        masks.obey(actions, observations, playing)
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        masks.update(infos)
        rewards, step = rows_of(rewards, playing), step + 1
        for callback in callbacks:
            callback.rewards(rewards, playing)
        ended = terminated | truncated
        if not ended.any():
            continue
        for callback in callbacks:
            callback.ends(terminated[playing], truncated[playing], playing)
        if restart:
            agent.restart(ended)
        else:
            agent.keep(~ended[playing])
            playing = playing[~ended[playing]]
        if restart or not envs.metadata.get("idle", False):
            # What an environment plays after its episode is not counted; it is reset because it must be.
            observations, infos = envs.reset(options={"reset_mask": ended})
            masks.update(infos)


def rows_of(observations: Any, rows: Places) -> Any:
    """Some rows of a batch of observations, of a dict of them too, in their order and in new memory."""
    if isinstance(observations, dict):
        return {key: rows_of(part, rows) for key, part in observations.items()}
    if isinstance(observations, tuple):  # of the parts of a Tuple, or of what numpy cannot hold, such as texts
        whole = [isinstance(part, (np.ndarray, dict, tuple)) for part in observations]
        return tuple(rows_of(part, rows) for part in observations) if all(whole) else [observations[i] for i in rows]
    return observations.copy() if len(rows) == len(observations) else observations[rows]
