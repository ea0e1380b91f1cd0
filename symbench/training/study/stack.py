"""Several networks of one architecture as one: trained at once, each exactly as if it were alone.

Networks of studies are so small, and batches so short, that a step costs the same for one network as for ten.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.utils import parameters_to_vector

from symbench.policies.equivariant import free_part
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.policy_network import Observations


class Stack:
    """S actor-critics whose parameters are the rows of one matrix.

    Attributes:
        size: Number of networks S.
        parameters: All of them, shape (S, D), in the order of ``network.parameters()``.
    """

    def __init__(self, networks: Sequence[nn.Module], learning_rate: float, max_grad_norm: float) -> None:
        """Stack networks and give each its own Adam.

        Args:
            networks: Of the same architecture; they are left as they are.
            learning_rate: Adam's.
            max_grad_norm: The gradient of each network is cut to this norm.
        """
        self.size, self._network, self._max_norm = len(networks), networks[0], max_grad_norm
        self.parameters = torch.stack([parameters_to_vector(net.parameters()).detach() for net in networks])
        self.parameters.requires_grad_()
        self._optimizer = torch.optim.Adam([self.parameters], learning_rate)  # elementwise, so one serves all rows
        self._shapes = {name: parameter.shape for name, parameter in networks[0].named_parameters()}
        self._lengths = [parameter.numel() for parameter in networks[0].parameters()]
        with torch.no_grad():
            self._views = self._split()  # of the same memory, so always up to date
        self._free = vmap(partial(functional_call, _FreePart(networks[0])))
        self._call = vmap(lambda parameters, inputs: functional_call(self._network, parameters, (inputs,)))

    def __call__(self, observations: Observations) -> tuple[Tensor, Tensor]:
        """Scores (S, B, A) and values (S, B) of each network for its observations (S, B, ...), or dicts of such."""
        parameters = self._split() if torch.is_grad_enabled() else self._views
        if self.size == 1:  # the same without the detour
            alone = {name: value[0] for name, value in parameters.items()}
            scores, values = functional_call(self._network, alone, (map_tree(itemgetter(0), observations),))
            return scores[None], values[None]
        scores, values = self._call(parameters, observations)
        return scores, values

    def free_part(self) -> Tensor:
        """Of each network, (S,); see :func:`~symbench.policies.equivariant.free_part`."""
        return self._free({f"network.{name}": part for name, part in self._split().items()}, ())  # type: ignore[no-any-return]

    def descend(self, losses: Tensor) -> None:
        """One step of Adam for each network.

        Args:
            losses: One for each network, shape (S,); each depends on its own parameters only.
        """
        self._optimizer.zero_grad()
        torch.autograd.backward(losses.sum())
        gradient = self.parameters.grad
        assert gradient is not None
        norms = torch.linalg.vector_norm(gradient, dim=1, keepdim=True)
        gradient.mul_(torch.clamp(self._max_norm / (norms + 1e-6), max=1.0))
        self._optimizer.step()

    def _split(self) -> dict[str, Tensor]:
        parts = torch.split(self.parameters, self._lengths, dim=1)
        named = zip(self._shapes.items(), parts, strict=True)
        return {name: part.view(self.size, *shape) for (name, shape), part in named}


class _FreePart(nn.Module):
    """What is not equivariant in a network, as a module that can be called with other weights."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self) -> Tensor:
        return free_part(self.network)
