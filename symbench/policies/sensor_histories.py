"""What networks share that read the last values of every sensor and the last actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from symbench.policies.attention_neuron import compress
from symbench.policies.policy_network import SensorNetwork
from symbench.policies.spaces import shapes_of

if TYPE_CHECKING:
    from gymnasium import spaces
    from torch import Tensor

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations


class SensorHistoryNetwork(SensorNetwork):
    """A network whose state is the last k values of every sensor (B, N, k) and the last k actions (B, k, A).

    Newest last, zeros before the start of the episode. :meth:`features` reads both. Trained on single steps it reads
    what :class:`symbench.wrappers.SensorHistory` shows.
    """

    shown_by = "SensorHistory"

    def __init__(self, action_space: ActionSpace, history: int, **architecture: Any) -> None:
        """Remember ``history`` steps, at least 1; ``architecture`` are the constructor's other arguments."""
        if history < 1:
            raise ValueError(f"history must be at least 1, received {history}")
        super().__init__(action_space, history=history, **architecture)
        self.history = history
        self.memory = f"the last {history} values of every sensor, the last {history} actions"

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`PolicyNetwork.sizes`."""
        if not shown:
            return super().sizes(space, given)
        (_, history), _ = shapes_of(space, "SensorHistory", ("sensors", 2), ("actions", 2))
        return {"history": history}

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros: sensor histories (B, N, k) and action history (B, k, A)."""
        return self._zeros(batch, *shape, self.history), self._zeros(batch, self.history, self.action.size)

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The histories; those of the sensors are shifted by one."""
        assert isinstance(observations, torch.Tensor)
        sensors, past_actions = state
        # The history is kept compressed, so that a value is compressed once and not in each of its k steps.
        sensors = torch.cat([sensors[:, :, 1:], compress(observations)[:, :, None]], dim=2)
        return (sensors, past_actions), (sensors, past_actions)

    def remembered(self, observations: Observations) -> Inputs:
        """The histories that :class:`symbench.wrappers.SensorHistory` shows."""
        assert isinstance(observations, dict)
        return compress(observations["sensors"]), observations["actions"]

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The action history shifted by one."""
        sensors, past_actions = state
        return sensors, torch.cat([past_actions[:, 1:], actions[:, None]], dim=1)
