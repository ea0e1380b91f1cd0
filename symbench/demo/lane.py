"""One of the agents that play an episode beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbench.demo.changeable import Step, shapes
from symbench.demo.live_replay import LiveReplay
from symbench.errors import SymbenchError, one_line
from symbench.runner.agents import load
from symbench.viz.activations import Activations
from symbench.viz.replay import play

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from symbench.runner import AgentSource
    from symbench.viz.replay import Moment

KEPT = 150  # steps of which the page is told what was seen


class Lane:
    """An agent and the environment in which it plays.

    Whatever goes wrong in it is :attr:`problem`: the other lane goes on.

    Attributes:
        source: The agent.
        replay: The environment.
        steps: Taken in the episode.
        total: The return so far.
        over: Whether the episode is over.
        problem: Why the agent cannot act; empty if it can.
        broken: Whether agent or environment has raised an error, so that nothing goes on before the next episode.
        activations: What its network made of what it sees now; ``None`` if it has not acted on that.
        fixed_order: Whether its network reads sensors in the order in which it was trained.
        no_picture: Why there is no picture of the scene; empty if there is one.
        fresh: What was seen since :meth:`told`, the latest last.
    """

    def __init__(self, task: str, source: AgentSource, render: bool) -> None:
        """Make the environment.

        Raises:
            SymbenchError: It cannot be made.
        """
        self.source, self.replay = source, LiveReplay(task, render)
        self.activations: Activations | None = None
        self.no_picture = "" if render else "The simulator of this task draws no picture."
        self.fixed_order = False
        self._listens: Activations | None = None
        self._moments: Iterator[Moment] | None = None
        self._shapes: Any = None  # of what the agent was loaded for

    def begin(self, seed: int, steps: Sequence[Step]) -> None:
        """Begin the episode of a seed, under some perturbations.

        Raises:
            SymbenchError: One of them cannot be applied.
        """
        self.seed, self.steps, self.total, self.over, self.problem = seed, 0, 0.0, False, ""
        self.fresh: list[Any] = []
        self.broken = False
        self.replay.change(())  # as in a run all begin anew, around the spaces of now
        self.replay.change(steps)
        try:
            self.replay.reset(seed)
        except Exception as error:  # whatever somebody's environment raises
            self._break(error)
            return
        self._enter()

    def change(self, steps: Sequence[Step]) -> None:
        """Go on under other perturbations; an agent that is shown other shapes begins its memory anew.

        Raises:
            SymbenchError: One of them cannot be applied; then nothing has changed.
        """
        self.replay.change(steps)
        self.activations = None
        self._saw(self.replay.seen)
        if not (self.over or self.broken) and shapes(self.replay.env.observation_space) != self._shapes:
            self._enter()

    @property
    def can_go_on(self) -> bool:
        """Whether there is something left to play."""
        return not (self.over or self.problem)

    def step(self) -> None:
        """The agent acts, once."""
        assert self._moments is not None
        try:
            self._arrive(next(self._moments))
        except Exception as error:  # whatever somebody's agent or environment raises
            self._break(error)

    def picture(self) -> NDArray[Any] | None:
        """The scene, (H, W, 3), uint8; ``None`` if there is none, which :attr:`no_picture` explains."""
        if self.no_picture:
            return None
        try:
            return self.replay.picture()
        except Exception as error:  # whatever somebody's simulator raises
            self.no_picture = f"No picture: {one_line(error)}"
            return None

    def told(self) -> list[Any]:
        """What was seen since this was asked last."""
        fresh, self.fresh = self.fresh, []
        return fresh

    def close(self) -> None:
        """Close the environment."""
        self.replay.close()

    def _enter(self) -> None:
        """The agent takes its seat, and decides what to do first."""
        env = self.replay.env
        self._shapes, self.problem, self.activations = shapes(env.observation_space), "", None
        self._before = (self.steps, self.total)
        try:
            agent = load(self.source, env.observation_space, env.action_space)
            if reason := agent.incompatibility(env.observation_space, env.action_space):
                raise SymbenchError(reason)
            agent.reset(1, seed=self.seed)
            self._listens = Activations(agent)
            self.fixed_order = getattr(getattr(agent, "network", None), "num_sensors", None) is not None
            self._moments = play(self.replay, agent, self.seed, begin=lambda _: self.replay.env.look())
            self._arrive(next(self._moments))
        except Exception as error:  # whatever somebody's agent raises
            self._fail(error)

    def _arrive(self, moment: Moment) -> None:
        steps, total = self._before
        self.steps, self.total = steps + moment.step, total + moment.total
        self.over = moment.action is None
        self.activations = None if self.over else self._listens
        self._saw(moment.seen)

    def _saw(self, seen: Any) -> None:
        self.fresh = [*self.fresh[1 - KEPT :], seen]

    def _break(self, error: Exception) -> None:
        self.broken = True
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.problem, self._moments, self.activations = one_line(error) or type(error).__name__, None, None
        self._saw(self.replay.seen)
