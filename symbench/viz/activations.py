"""Listens to a network while it plays: the code of its layer, the memory of its head, where it looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.policies.agent import NetworkAgent
from symbench.policies.vision.heads import AttentionAgentHead
from symbench.policies.vision.patch_networks import PatchNetwork
from symbench.policies.vision.picture_networks import AttentionAgentNetwork

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from symbench.policies.agent import Agent

    Array = NDArray[Any]


@dataclass(frozen=True)
class Attended:
    """Square patches of the seen frame.

    Attributes:
        corners: Row and column of the upper left pixel of each, (n, 2).
        side: Pixels.
        important: Which of them stand behind the codes that the head acts on, (n,) bool.
    """

    corners: NDArray[np.int64]
    side: int
    important: NDArray[np.bool_]

    def mask(self, height: int, width: int, important: bool = False) -> NDArray[np.bool_]:
        """The pixels of these patches, (H, W); of the important ones only, if asked for."""
        mask = np.zeros((height, width), dtype=bool)
        for row, column in self.corners[self.important] if important else self.corners:
            mask[row : row + self.side, column : column + self.side] = True
        return mask


class Activations:
    """What a network made of the latest observation of a single environment.

    Everything is empty until the network has played, and for agents that are no networks.
    """

    def __init__(self, agent: Agent) -> None:
        """Listen to an agent until it is forgotten."""
        self._network = agent.network if isinstance(agent, NetworkAgent) else None
        self._layer_inputs: tuple[Any, ...] = ()
        self._ranked: Tensor | None = None  # the codes among which the head chose the important ones
        self.code: Array | None = None
        """The layer's output, flattened, (D,)."""
        self.hidden: Array | None = None
        """The hidden state of the head's LSTM, (H,)."""
        layer, head = getattr(self._network, "layer", None), getattr(self._network, "head", None)
        if layer is not None:
            layer.register_forward_hook(self._layer_has_run)
        if head is not None:
            head.register_forward_hook(self._head_has_run)
        if isinstance(head, AttentionAgentHead):
            head.project_query.register_forward_pre_hook(self._head_ranks)

    def weights(self) -> Array | None:
        """How much every code takes of every patch or sensor, (M, N); ``None`` without attention over them."""
        layer: Any = getattr(self._network, "layer", None)
        if not hasattr(layer, "weights") or not self._layer_inputs:
            return None
        with torch.inference_mode():
            weights: Array = layer.weights(*self._layer_inputs)[0].numpy()
        return weights

    def attended(self, width: int) -> Attended | None:
        """The patches looked at, each once: for each code the one of the greatest weight, or the most important ones.

        Args:
            width: Of the frame, in pixels.
        """
        network = self._network
        if isinstance(network, AttentionAgentNetwork) and self._ranked is not None:
            side = (network.size - network.patch_size) // network.stride + 1
            patches = self._important()
            corners = np.stack(np.divmod(patches, side), axis=1) * network.stride
            return Attended(corners, network.patch_size, np.ones(len(patches), dtype=bool))
        weights = self.weights()
        if weights is None or not isinstance(network, PatchNetwork):
            return None
        best = weights.argmax(axis=1)
        patches = np.unique(best)
        important = np.isin(patches, best[self._important()]) if self._ranked is not None else np.zeros(0, bool)
        corners = np.stack(np.divmod(patches, width // network.patch_size), axis=1) * network.patch_size
        return Attended(corners, network.patch_size, important if important.size else np.zeros(len(patches), bool))

    def _important(self) -> NDArray[np.int64]:
        head = getattr(self._network, "head", None)
        assert isinstance(head, AttentionAgentHead) and self._ranked is not None
        with torch.inference_mode():
            chosen: NDArray[np.int64] = head.important(self._ranked)[0].numpy()
        return chosen

    def _layer_has_run(self, _: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        code = output[0] if isinstance(output, tuple) else output
        self._layer_inputs, self.code = inputs, code[0].flatten().numpy()

    def _head_has_run(self, _: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, tuple) and output[1]:
            self.hidden = output[1][0][0].numpy()

    def _head_ranks(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._ranked = inputs[0]
