"""What all policies of teams share: what they read, and what one agent of the team does.

Observations are ``{"images": (B, n, C, H, W), "positions": (B, n, 2)}``, a square picture for each of n agents and
where it is: row and column, in cells or within [-1, 1]. The joint action is that of all agents in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from symbench.errors import SymbenchError
from symbench.policies.actions import ActionHead, MultiDiscreteHead, action_head
from symbench.policies.equivariant import fitting_convolutions
from symbench.policies.equivariant.bases import check_size
from symbench.policies.policy_network import PolicyNetwork
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

CELL: Final = 2 / 21
"""What a cell of a grid world is in the authors' program."""
_PIXELS_AT_ONCE: Final = 2**20


class TeamNetwork(PolicyNetwork):
    """A network that reads a picture and a place of each agent; it has no memory.

    Attributes:
        agents: Number n of agents.
        size: Height and width of a picture.
        channels: Channels C of a picture.
        one: The action head of one agent.
    """

    of_team = True
    conv: ClassVar[tuple[tuple[int, int, int], ...]]  # as published: channels, kernel size and stride of each

    def __init__(
        self,
        action_space: ActionSpace,
        agents: int,
        size: int,
        channels: int,
        pixel_max: float,
        position_scale: float,
        **architecture: Any,
    ) -> None:
        """Make the action heads.

        Args:
            action_space: That of the joint action; see :func:`~symbench.policies.actions.action_head`.
            agents: Number n of agents.
            size: Height and width of a picture.
            channels: Channels C of a picture.
            pixel_max: Pictures are divided by this.
            position_scale: Places are multiplied by this.
            **architecture: What else the configuration says.

        Raises:
            SymbenchError: There are no agents or no pixels, or too many, or the space is not of so many like agents.
        """
        config = {"agents": agents, "size": size, "channels": channels}
        super().__init__(action_space, **config, pixel_max=pixel_max, position_scale=position_scale, **architecture)
        for name, value in config.items():
            if type(value) is not int or value < 1:
                raise SymbenchError(f"{name} must be a whole number of at least 1, received {value!r}")
        check_size(agents * channels * size**2, f"an observation of {agents} pictures of {size}x{size}")
        if not 0 < pixel_max < float("inf"):
            raise SymbenchError(f"pixel_max must be a finite number above 0, received {pixel_max!r}")
        self.agents, self.size, self.channels = agents, size, channels
        self.pixel_max, self.position_scale = pixel_max, position_scale
        self.one = head_of_one(self.action, agents)

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`.

        Places beyond [-1, 1] are taken for cells, which are scaled as published.
        """
        images, positions = _boxes(space)
        if images is None or positions is None or images.shape[2] != images.shape[3]:
            raise ValueError(f"{cls.kind} reads {_wanted('n', 'C', 'S')}, received {form(space)}")
        agents, channels, size, _ = images.shape
        return {
            **{"agents": agents, "size": size, "channels": channels, "pixel_max": float(images.high.max())},
            "position_scale": CELL if positions.high.max() > 1 else 1.0,
            "conv": [list(each) for each in cls.conv] if _fit(cls.conv, size) else fitting_convolutions(size),
        }

    def read(self, observations: Any) -> Observations:
        """Pictures (B, n, C, H, W) or (n, C, H, W), and places (B, n, 2) or (n, 2), as batches."""
        # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
        parts = {key: torch.tensor(np.asarray(observations[key])) for key in ("images", "positions")}
        single = parts["images"].ndim == 4
        return {key: part[None] if single else part for key, part in parts.items()}

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.incompatibility`."""
        images, positions = _boxes(space)
        expected = (self.agents, self.channels, self.size, self.size)
        if images is not None and positions is not None and images.shape == expected:
            return None
        return f"reads {_wanted(self.agents, self.channels, self.size)}, the task gives {form(space)}"

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        return max(1, _PIXELS_AT_ONCE // int(np.prod(shape)))

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """Pictures and places."""
        return self.remembered(observations), state

    def remembered(self, observations: Observations) -> Inputs:
        """The same: there is nothing to remember."""
        assert isinstance(observations, dict)
        return observations["images"], observations["positions"]

    def _pixels(self, images: Tensor) -> Tensor:
        """Pictures in the precision of the weights, in new memory."""
        return images.to(self.dtype) / self.pixel_max


def head_of_one(action: ActionHead, agents: int) -> ActionHead:
    """What one of several like agents does of a joint action.

    Raises:
        SymbenchError: The joint action is not that of so many like agents.
    """
    space = action.space
    if isinstance(action, MultiDiscreteHead) and len(action.counts) == agents and _alike(space, "nvec", agents):
        starts = np.unique(space.start)  # type: ignore[attr-defined]
        if len(starts) == 1:
            return action_head(spaces.Discrete(action.counts[0], start=int(starts[0])))
    if agents == 1:
        return action
    if isinstance(space, spaces.MultiBinary) and action.size % agents == 0:
        return action_head(spaces.MultiBinary(action.size // agents))
    if isinstance(space, spaces.Box) and _alike(space, "low", agents) and _alike(space, "high", agents):
        low, high = (bound.reshape(agents, -1)[0] for bound in (space.low, space.high))
        return action_head(spaces.Box(low, high, dtype=np.float32), squash=action.data()["squash"])
    raise SymbenchError(f"{agents} like agents act in MultiDiscrete([k] * {agents}) or such a Box, received {space}")


def _alike(space: Any, name: str, agents: int) -> bool:
    values = np.ravel(getattr(space, name))
    return values.size % agents == 0 and bool((values.reshape(agents, -1) == values[: values.size // agents]).all())


def _fit(conv: Sequence[Sequence[int]], size: int) -> bool:
    """Whether the windows of some convolutions fill pictures of a side."""
    for _, kernel, stride in conv:
        if size < kernel or (size - kernel) % stride:
            return False
        size = (size - kernel) // stride + 1
    return True


def _boxes(space: spaces.Space[Any]) -> tuple[spaces.Box | None, spaces.Box | None]:
    """The spaces of pictures, with four axes, and places, with two, as far as they are there."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    images, positions = parts.get("images"), parts.get("positions")
    if not isinstance(images, spaces.Box) or len(images.shape) != 4:
        images = None
    fits = isinstance(positions, spaces.Box) and images is not None and positions.shape == (images.shape[0], 2)
    return images, positions if fits else None  # type: ignore[return-value]


def _wanted(agents: int | str, channels: int | str, size: int | str) -> str:
    return f"Dict(images: Box({agents}, {channels}, {size}, {size}), positions: Box({agents}, 2))"
