"""Agents that were trained inside Gymnasium wrappers, which become a part of the agent.

A wrapper stands around an environment. Here it stands around a stub, one for each environment of the batch: the stub
shows what the agent is given to see, and notes what the wrapper does in it.
"""

from __future__ import annotations

import copy
import warnings
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from symbench.errors import SymbenchError, one_line
from symbench.policies.spaces import form
from symbench.policies.wrapped_agent import WrappedAgent
from symbench.trees import copied, row, stacked

if TYPE_CHECKING:
    from collections.abc import Callable

    from gymnasium.spaces import Space
    from numpy.typing import NDArray

    from symbench.policies.agent import Agent

    Wrap = Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]]


class GymWrapped:
    """Gymnasium wrappers and what they need to know of the environment of the training.

    Attributes:
        wrap: Puts them around an environment.
        name: What they are, in words.
        spec: The registered environment of the training; ``None`` if nobody knows it.
    """

    def __init__(self, wrap: Wrap, name: str, spec: EnvSpec | None = None) -> None:
        """Remember them."""
        self.wrap, self.name, self.spec = wrap, name, spec

    def around(self, observation_space: Space[Any], action_space: Space[Any]) -> gym.Env[Any, Any]:
        """The wrappers around a stub for a task with these (single) spaces, for their own spaces; they are tried.

        Raises:
            SymbenchError: The wrappers cannot be a part of the agent.
        """
        try:
            _try(self, observation_space, action_space)
            return WrappedStub(self, observation_space, action_space).env
        except SymbenchError:
            raise
        except Exception as error:  # whatever a wrapper raises
            what = f"cannot be put around {form(observation_space)}"
            raise SymbenchError(f"{self.name} {what}: {type(error).__name__}: {one_line(error)}") from error


class WrappedStub:
    """Wrappers around the stub of one environment.

    Attributes:
        env: The outermost wrapper; its spaces are those of the agent inside.
    """

    def __init__(self, wrapped: GymWrapped, observation_space: Space[Any], action_space: Space[Any]) -> None:
        """Make it; wrappers may change the spaces of what they wrap in place, so the stub has its own."""
        self._name, self._stub = wrapped.name, _Stub(*copy.deepcopy((observation_space, action_space)), wrapped.spec)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the environment of the training, once for each stub
            self.env = wrapped.wrap(self._stub)
        self._last: Any = None
        parts = [part for layer in _layers(self.env) for part in vars(layer).values()]
        self._fixed = {id(part): part for part in parts if isinstance(part, (gym.Space, EnvSpec))}

    def begin(self, observation: Any, seed: int | None = None) -> Any:
        """What the agent is shown of an episode's first observation."""
        self._stub.shown = observation
        seen, _ = self.env.reset(seed=seed)
        self._check(self._stub, "reset")
        return seen

    def see(self, observation: Any) -> Any:
        """What it is shown of the next one, after :meth:`do`."""
        self._stub.shown = observation
        seen = self.env.step(self._last)[0]
        self._check(self._stub, "step")
        return seen

    def do(self, action: Any) -> Any:
        """What the wrappers make of the agent's action.

        They step when the next observation is there; until then a copy of them, with its own copy of all randomness,
        shows what they will do.
        """
        self._last = action
        ahead = copy.deepcopy(self.env, dict(self._fixed))
        ahead.step(copied(action))
        self._check(ahead.unwrapped, "step")
        return ahead.unwrapped.done  # type: ignore[attr-defined]

    def _check(self, stub: Any, expected: str) -> None:
        calls, stub.calls = stub.calls, []
        if calls != [expected]:
            raise SymbenchError(
                f"{self._name} cannot be a part of the agent: where it is to {expected} once it does "
                f"{', '.join(calls[:5]) or 'nothing'} (frame skips belong to the task)"
            )


class GymWrappedAgent(WrappedAgent):
    """Sees and acts through Gymnasium wrappers; batches only.

    Rewards and ends of episodes, which wrappers may change too, are those of the task.
    """

    def __init__(
        self, agent: Agent, wrapped: GymWrapped, observation_space: Space[Any], action_space: Space[Any]
    ) -> None:
        """Make the agent.

        Args:
            agent: The agent that acts, inside the wrappers.
            wrapped: The wrappers.
            observation_space: The task's (single) space.
            action_space: The task's (single) space.

        Raises:
            SymbenchError: The wrappers cannot be a part of the agent.
        """
        super().__init__(agent)
        self.observation_space, self.action_space, self._wrapped = observation_space, action_space, wrapped
        self.inner_space = wrapped.around(observation_space, action_space).observation_space
        self.preprocessing = (f"inside {wrapped.name}", *agent.preprocessing)
        self.reset()

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """See :meth:`Agent.reset`; each environment has wrappers of its own, with a seed of their own."""
        super().reset(num_envs, seed=seed)
        self._rows = [self._row() for _ in range(num_envs)]
        self._seeds: list[int | None] = [_derived(seed + i) for i in range(num_envs)]
        self._begins = np.ones(num_envs, bool)

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.restart`."""
        super().restart(mask)
        self._begins |= mask

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """See :meth:`Agent.keep`."""
        super().keep(mask)
        kept = np.flatnonzero(mask).tolist()
        self._rows, self._seeds = [self._rows[i] for i in kept], [self._seeds[i] for i in kept]
        self._begins = self._begins[mask]

    def act(self, observations: Any) -> NDArray[Any]:
        """See :meth:`Agent.act`; batches only."""
        actions = self.agent.act(
            stacked(self.inner_space, [self._see(i, observations) for i in range(len(self._rows))])
        )
        done = [stub.do(action) for stub, action in zip(self._rows, actions, strict=True)]
        played: NDArray[Any] = stacked(self.action_space, done)
        return played

    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`: before the wrappers change actions."""
        return self.agent.decisions(self._first(observations))

    def values(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.values`."""
        return self.agent.values(self._first(observations))

    def incompatibility(self, observation_space: Space[Any], action_space: Space[Any]) -> str | None:
        """See :meth:`Agent.incompatibility`; the wrappers are tried around these spaces."""
        try:
            env = self._wrapped.around(observation_space, action_space)
        except SymbenchError as error:
            return str(error)
        return self.agent.incompatibility(env.observation_space, env.action_space)

    def _row(self) -> WrappedStub:
        return WrappedStub(self._wrapped, self.observation_space, self.action_space)

    def _see(self, i: int, observations: Any) -> Any:
        observation = copied(row(self.observation_space, observations, i))
        if not self._begins[i]:
            return self._rows[i].see(observation)
        self._begins[i], seed, self._seeds[i] = False, self._seeds[i], None  # later episodes go on with the stream
        return self._rows[i].begin(observation, seed)

    def _first(self, observations: Any) -> Any:
        space = self.observation_space
        count = len(next(iter(observations.values()))) if isinstance(observations, dict) else len(observations)
        shown = [self._row().begin(copied(row(space, observations, i)), _derived(0)) for i in range(count)]
        return stacked(self.inner_space, shown)


class _Stub(gym.Env[Any, Any]):
    """Stands where the environment stood."""

    def __init__(self, observation_space: Space[Any], action_space: Space[Any], spec: EnvSpec | None) -> None:
        self.observation_space, self.action_space, self._spec = observation_space, action_space, spec
        self.shown: Any = None
        self.done: Any = None
        self.reward = 0.0
        self.calls: list[str] = []

    @property
    def spec(self) -> EnvSpec:  # type: ignore[override]
        """That of the training; a wrapper that asks is not given a guess."""
        if self._spec is None:
            raise SymbenchError(
                "a wrapper asks which environment it is around, and nothing beside the model says it: name it in "
                "args.yml (env: ID), as rl_zoo3 does"
            )
        return self._spec

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.calls.append("reset")
        return self.shown, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.calls.append("step")
        self.done = copied(action)
        return self.shown, self.reward, False, False, {}


def _layers(env: gym.Env[Any, Any]) -> list[gym.Env[Any, Any]]:
    """The wrappers, from the outermost, and what they are around."""
    return [env, *(_layers(env.env) if isinstance(env, gym.Wrapper) else [])]


def _try(wrapped: GymWrapped, observation_space: Space[Any], action_space: Space[Any]) -> None:
    """Play some steps twice, paid differently: what the agent sees must depend on nothing but what is seen and done."""
    before = _global_state()
    seen = [_tried(wrapped, observation_space, action_space, reward) for reward in (0.0, 1.0)]
    if before != _global_state():
        raise SymbenchError(f"{wrapped.name} draws from numpy's global generator: no episode could be played again")
    if not np.array_equal(*seen):
        raise SymbenchError(f"{wrapped.name} shows rewards, or what it draws from a generator that nobody seeds")


def _tried(wrapped: GymWrapped, observation_space: Space[Any], action_space: Space[Any], reward: float) -> Any:
    stub = WrappedStub(wrapped, observation_space, action_space)
    stub.env.unwrapped.reward = reward  # type: ignore[attr-defined]
    spaces = observations, actions = copy.deepcopy((observation_space, stub.env.action_space))
    for space in spaces:
        space.seed(0)
    seen = [stub.begin(copied(observations.sample()), 0)]
    for _ in range(3):
        stub.do(actions.sample())
        seen.append(stub.see(copied(observations.sample())))
    return np.array([gym.spaces.flatten(stub.env.observation_space, each) for each in seen])


def _global_state() -> Any:
    return str(np.random.get_state(legacy=False))  # noqa: NPY002  (is looked at, not drawn from)


def _derived(seed: int) -> int:
    """A seed for wrappers that has nothing in common with that of the environment."""
    return int(np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(1)[0])
