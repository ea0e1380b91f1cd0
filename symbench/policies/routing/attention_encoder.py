"""The encoder of the attention model: multi-head attention among all nodes of an instance, without positions in a row.

Source: Kool et al. 2019 (arXiv 1803.08475, section 3.1); Kwon et al. 2020 (arXiv 2010.16011) with instance norm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbench.errors import SymbenchError, unknown
from symbench.policies.scenes.scene_network import check_sizes

if TYPE_CHECKING:
    from symbench.policies.routing.tour_states import Instances


class NodeBatchNorm(nn.Module):
    """Batch normalisation over all nodes of all instances, (B, n, d) -> (B, n, d).

    It is torch's without the count of batches, so that all of its state are real numbers, as in an agent's files.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, width: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        """Begin with scale 1 and shift 0."""
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))

    def forward(self, nodes: Tensor) -> Tensor:
        """(B, n, d) -> (B, n, d)."""
        state = self.running_mean, self.running_var, self.weight, self.bias
        flat = F.batch_norm(nodes.flatten(0, 1), *state, self.training, self.momentum, self.eps)
        return flat.reshape(nodes.shape)


class NodeInstanceNorm(nn.Module):
    """Instance normalisation over the nodes of each instance, (B, n, d) -> (B, n, d)."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        """Begin with scale 1 and shift 0."""
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, nodes: Tensor) -> Tensor:
        """(B, n, d) -> (B, n, d)."""
        variance, mean = torch.var_mean(nodes, dim=1, correction=0, keepdim=True)
        return torch.addcmul(self.bias, nodes - mean, self.weight * (variance + self.eps).rsqrt())


NORMS: Final = {"batch": NodeBatchNorm, "instance": NodeInstanceNorm, "layer": nn.LayerNorm}


def check_heads(width: int, heads: int) -> None:
    """Refuse a number of heads that does not divide the width.

    Raises:
        SymbenchError: It does not, or one of them is no size.
    """
    check_sizes(width=width, heads=heads)
    if width % heads:
        raise SymbenchError(f"width must be a multiple of heads, received width {width}, heads {heads}")


def split_heads(values: Tensor, heads: int) -> Tensor:
    """(B, n, d) -> (B, heads, n, d / heads)."""
    batch, nodes, width = values.shape
    return values.reshape(batch, nodes, heads, width // heads).transpose(1, 2)


class SelfAttention(nn.Module):
    """Multi-head attention among nodes, (B, n, d) -> (B, n, d); queries, keys and values have no biases."""

    def __init__(self, width: int, heads: int, bias: bool) -> None:
        """``bias``: whether the output has one."""
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.out = nn.Linear(width, width, bias=bias)

    def forward(self, nodes: Tensor, shift: Tensor | None = None) -> Tensor:
        """(B, n, d) -> (B, n, d); ``shift`` is added to the scores, (B, heads, n, n)."""
        query, key, value = (split_heads(layer(nodes), self.heads) for layer in (self.query, self.key, self.value))
        mixed = F.scaled_dot_product_attention(query, key, value, shift)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class AttentionLayer(nn.Module):
    """Attention and a feed-forward network, each with a skip connection and a normalisation behind it."""

    def __init__(self, width: int, heads: int, hidden: int, norm: str, bias: bool) -> None:
        """Make the layers.

        Raises:
            SymbenchError: The norm is unknown, or the heads do not divide the width.
        """
        super().__init__()
        if norm not in NORMS:
            raise unknown("norm", norm, NORMS)
        check_heads(width, heads)
        self.attention = SelfAttention(width, heads, bias)
        self.norm0 = NORMS[norm](width)
        self.feed_forward = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(inplace=True), nn.Linear(hidden, width))
        self.norm1 = NORMS[norm](width)

    def forward(self, nodes: Tensor, shift: Tensor | None = None) -> Tensor:
        """(B, n, d) -> (B, n, d); ``shift`` is added to the scores of attention, (B, heads, n, n)."""
        # In place, as is the ReLU: fresh memory took a sixth of the time of large batches.
        nodes = self.norm0(self.attention(nodes, shift).add_(nodes))
        return self.norm1(self.feed_forward(nodes).add_(nodes))  # type: ignore[no-any-return]


class AttentionEncoder(nn.Module):
    """Instances to embeddings of their nodes and of the whole.

    Relabelling nodes relabels their embeddings; turning or moving the instance changes them.

    Attributes:
        width: Size d of an embedding.
    """

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        heads: int = 8,
        layers: int = 3,
        hidden: int = 512,
        norm: str = "batch",
        bias: bool = False,
    ) -> None:
        """Make the layers.

        Args:
            problem: ``"tsp"``, or ``"cvrp"``, whose depot has an embedding of its own.
            width: Size d of an embedding.
            heads: Heads of attention; they divide ``width``.
            layers: Number of layers.
            hidden: Width of the feed-forward networks.
            norm: ``"batch"``, ``"instance"`` or ``"layer"``.
            bias: Whether attention's output has one.

        Raises:
            SymbenchError: The norm is unknown, a size is none, or the heads do not divide the width.
        """
        super().__init__()
        check_sizes(width=width, heads=heads, layers=layers, hidden=hidden)
        self.width = width
        self.embed = nn.Linear(3 if problem == "cvrp" else 2, width)
        self.embed_depot = nn.Linear(2, width) if problem == "cvrp" else None
        self.layers = nn.Sequential(*(AttentionLayer(width, heads, hidden, norm, bias) for _ in range(layers)))

    def forward(self, instances: Instances) -> tuple[Tensor, Tensor]:
        """Embeddings of the nodes, (B, n, d), and of the graph, (B, d), their mean."""
        nodes: Tensor = self.layers(self.embedded(instances))
        return nodes, nodes.mean(dim=1)

    def embedded(self, instances: Instances) -> Tensor:
        """What the first layer reads, (B, n, d)."""
        cities = instances["cities"]
        if self.embed_depot is None:
            return self.embed(cities)  # type: ignore[no-any-return]
        customers = torch.cat([cities, instances["demands"][..., None]], dim=-1)[:, 1:]
        return torch.cat([self.embed_depot(cities[:, :1]), self.embed(customers)], dim=1)
