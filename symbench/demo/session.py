"""Agents that play one episode beside each other while somebody disturbs them."""

from __future__ import annotations

import math
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any

from symbench.demo import messages
from symbench.demo.changeable import Step
from symbench.demo.chosen_sensors import ARRANGE, KILL, OWN, chosen
from symbench.demo.lane import Lane
from symbench.demo.shown import inputs, scene
from symbench.errors import SymbenchError, unknown
from symbench.viz.ground_truth import sensor_names

if TYPE_CHECKING:
    from symbench.demo.choices import Choice
    from symbench.demo.setting import Setting
    from symbench.runner import AgentSource


class Session:
    """What one open page plays: one or two lanes, always at the same episode under the same perturbations.

    Attributes:
        running: Whether it goes on by itself.
        speed: Times real time.
        seed: Of the episode.
        episode: Counts episodes and restarts.
        changes: Steps at which something was changed.
    """

    def __init__(self, setting: Setting) -> None:
        """Begin the first episode, at rest.

        Raises:
            SymbenchError: The environment cannot be made.
        """
        self.setting = setting
        self.running, self.speed, self.seed, self.episode = False, 1.0, 0, 0
        self.steps: dict[str, Step] = {}
        self._severities: dict[str, int] = {}
        self.lanes: list[Lane] = []
        for name in filter(None, setting.playing):
            self.lanes.append(self._lane(setting.agents[name]))
        self._order, self._dead = [*range(self.lanes[0].replay.sensors)], set[int]()
        self.begin(self.seed)

    @property
    def over(self) -> bool:
        """Whether nobody has anything left to play."""
        return not any(lane.can_go_on for lane in self.lanes)

    @property
    def stuck(self) -> bool:
        """Whether nobody can act, whatever the episode."""
        return all(lane.problem for lane in self.lanes)

    @property
    def steps_per_second(self) -> float:
        """At this speed."""
        return self.lanes[0].replay.fps * self.speed

    def begin(self, seed: int) -> None:
        """Begin an episode; what was drawn again is drawn as the seed says."""
        self.seed, self.episode, self.changes = seed, self.episode + 1, list[int]()
        self.steps = {name: Step(step.apply) for name, step in self.steps.items()}
        for lane in self.lanes:
            lane.begin(seed, [*self.steps.values()])

    def next(self) -> None:
        """Begin the next episode."""
        self.begin((self.seed + 1) % 2**31)

    def tick(self) -> None:
        """One step of all who can go on."""
        for lane in self.lanes:
            if lane.can_go_on:
                lane.step()

    def close(self) -> None:
        """Close the environments."""
        for lane in self.lanes:
            lane.close()

    @singledispatchmethod
    def obey(self, message: Any) -> None:
        """Do what the page asks.

        Raises:
            SymbenchError: It cannot be done; then nothing has changed.
        """
        raise NotImplementedError(type(message))

    @obey.register
    def _(self, message: messages.Play) -> None:
        self.running = message.on

    @obey.register
    def _(self, message: messages.OneStep) -> None:
        self.running = False
        if not self.over:
            self.tick()
        elif not self.stuck:
            self.next()

    @obey.register
    def _(self, message: messages.Begin) -> None:
        self.begin(message.seed)

    @obey.register
    def _(self, message: messages.Speed) -> None:
        self.speed = min(max(message.times, messages.SLOWEST), messages.FASTEST)

    @obey.register
    def _(self, message: messages.Perturb) -> None:
        choice = self._choice(message.name)
        if message.severity > len(choice.levels):
            raise SymbenchError(f"severity of {choice.name} is 0 to {len(choice.levels)}, received {message.severity}")
        steps = {name: step for name, step in self.steps.items() if message.severity or name != choice.name}
        if message.severity:
            steps[choice.name] = Step(choice.levels[message.severity - 1])
        self._change(steps)
        self._severities[choice.name] = message.severity

    @obey.register
    def _(self, message: messages.Redraw) -> None:
        choice = self._choice(message.name)
        old = self.steps.get(choice.name)
        if old is None or not choice.redraws:
            raise SymbenchError(f"{choice.name} {'draws nothing that lasts' if old else 'is not switched on'}")
        self._change({**self.steps, choice.name: Step(old.apply, old.redrawn + 1)})

    @obey.register
    def _(self, message: messages.Arrange) -> None:
        self._choose_sensors(message.order, self._dead)

    @obey.register
    def _(self, message: messages.Kill) -> None:
        one = {message.sensor}
        self._choose_sensors(self._order, self._dead | one if message.dead else self._dead - one)

    @obey.register
    def _(self, message: messages.Choose) -> None:
        if message.agent is None:
            if message.side != 1:
                raise SymbenchError("somebody must play on the left")
            for lane in self.lanes[1:]:
                lane.close()
            self.lanes = self.lanes[:1]
            return
        if message.agent not in self.setting.agents:
            raise unknown("agent", message.agent, self.setting.agents)
        source = self.setting.agents[message.agent]
        if message.side < len(self.lanes):
            self.lanes[message.side].source = source
        else:
            self.lanes.append(self._lane(source))
        self.begin(self.seed)

    def state(self) -> dict[str, Any]:
        """What the page shows now, as JSON values."""
        return {
            "type": "state",
            "seed": self.seed,
            "episode": self.episode,
            "running": self.running,
            "speed": self.speed,
            "over": self.over,
            "changes": self.changes,
            "severities": {name: severity for name, severity in self._severities.items() if severity},
            "pipeline": [str(step.apply).removeprefix(f"{OWN}:") for step in self.steps.values()],
            "sensors": self._sensors(),
            "lanes": [self._shown(lane) for lane in self.lanes],
        }

    def _shown(self, lane: Lane) -> dict[str, Any]:
        names = {id(source): name for name, source in self.setting.agents.items()}
        return {
            "agent": names[id(lane.source)],
            "steps": lane.steps,
            "return": lane.total if math.isfinite(lane.total) else None,
            "over": lane.over,
            "problem": lane.problem,
            "broken": lane.broken,
            "scene": scene(lane),
            "no_picture": lane.no_picture,
            **inputs(lane),
        }

    def _choose_sensors(self, order: list[int], dead: set[int]) -> None:
        """What is done to chosen sensors comes first: whatever is drawn is drawn of what it leaves."""
        first = chosen(self.lanes[0].replay.sensors, order, dead)
        rest = {name: step for name, step in self.steps.items() if name not in (KILL, ARRANGE)}
        self._change({**{name: Step(apply) for name, apply in first.items()}, **rest})
        self._order, self._dead = order, dead

    def _sensors(self) -> dict[str, Any] | None:
        """The names of the sensors, their order, and which are dead; ``None`` where there are none to choose."""
        replay = self.lanes[0].replay
        if not replay.sensors or replay.original is None:
            return None
        return {"names": sensor_names(replay), "order": self._order, "dead": sorted(self._dead)}

    def _lane(self, source: AgentSource) -> Lane:
        return Lane(self.setting.task.name, source, self.setting.renders)

    def _choice(self, name: str) -> Choice:
        if name not in self.setting.choices:
            raise unknown("perturbation", name, self.setting.choices)
        if reason := self.setting.choices[name].reason:
            raise SymbenchError(f"{name} does not fit this task: {reason}")
        return self.setting.choices[name]

    def _change(self, steps: dict[str, Step]) -> None:
        """All lanes go on under these perturbations, or none."""
        changed = []
        try:
            for lane in self.lanes:
                lane.change([*steps.values()])
                changed.append(lane)
        except SymbenchError:
            for lane in changed:
                lane.change([*self.steps.values()])
            raise
        self.steps = steps
        self.changes.append(max(lane.steps for lane in self.lanes))
