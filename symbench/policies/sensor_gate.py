"""A gate that shuts out channels of noise before sensors are summed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

NOMINAL = 5.0  # sensors of which a mean has the size of a sum, so that both begin alike
SMALLEST = 1e-4  # size in units of which a gate sees a sensor's values


class SensorGate(nn.Module):
    """How far each sensor is let through, so that a sum over hundreds of noisy channels stays one over a few sensors.

    A small network, the same for all sensors, reads a sensor's last values in units of their size, that size, how far
    they jump from step to step, and the last actions. The gate closes entirely: a small weight would be a large one in
    a sum over hundreds. What is let through is divided by its sum, so that sensors that all come twice change nothing.
    """

    def __init__(self, history: int, action_dim: int, hidden: int = 64) -> None:
        """Begin nearly open. A gate that is quite open, or quite shut, has no gradient."""
        super().__init__()
        self.of_values = nn.Linear(history + 2, hidden, bias=False)
        self.of_actions = nn.Linear(history * action_dim, hidden)
        last = nn.Linear(hidden // 2, 1)
        nn.init.constant_(last.bias, 2.0)
        self.network = nn.Sequential(nn.ReLU(), nn.Linear(hidden, hidden // 2), nn.ReLU(), last)

    def forward(self, sensors: Tensor, actions: Tensor) -> Tensor:
        """(B, N, k), (B, k, A) -> (B, N, 1); the sum is :data:`NOMINAL`, less where not even one is let through."""
        opened = self.opened(sensors, actions)
        return opened * (NOMINAL / opened.sum(dim=1, keepdim=True).clamp(min=1.0))

    def opened(self, sensors: Tensor, actions: Tensor) -> Tensor:
        """The same before it is divided, each from 0 to 1; 0 for a sensor that is constantly zero."""
        showing = (sensors != 0).any(dim=2, keepdim=True)
        return nn.functional.hardsigmoid(self.logits(sensors, actions)) * showing

    def logits(self, sensors: Tensor, actions: Tensor) -> Tensor:
        """The same before it is squashed: open from 3 on, shut from -3 down."""
        size = _root_mean_square(sensors).clamp(min=SMALLEST)
        described = torch.cat([sensors / size, size.log(), _root_mean_square(jumps(sensors)) / size], dim=2)
        told = self.of_actions(actions.flatten(1))[:, None]
        return self.network(self.of_values(described) + told)  # type: ignore[no-any-return]


def jumps(sensors: Tensor) -> Tensor:
    """From each value to the next, (..., k) -> (..., k - 1). From a zero, as before an episode, there is none."""
    return sensors.diff(dim=-1) * (sensors[..., :-1] != 0)


def most_open(sensors: Tensor, passed: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` sensors that are let through furthest, and how far: (B, N, k), (B, N, 1) -> (B, count, ...)."""
    places = passed.topk(count, dim=1).indices
    return sensors.gather(1, places.expand(-1, -1, sensors.shape[2])), passed.gather(1, places)


def _root_mean_square(values: Tensor) -> Tensor:
    return values.square().mean(dim=2, keepdim=True).sqrt()
