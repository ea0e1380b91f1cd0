"""The decoder of the attention model: a query of where tours stand, a glimpse at the nodes left, a clipped pointer.

Source: Kool et al. 2019 (arXiv 1803.08475, section 3.2); Kwon et al. 2020 (arXiv 2010.16011).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from symbench.errors import SymbenchError
from symbench.policies.routing.attention_encoder import check_heads, split_heads

if TYPE_CHECKING:
    from collections.abc import Sequence


class Prepared(NamedTuple):
    """What a decoder needs of B instances, computed once for all steps of all tours.

    Attributes:
        whole: The query's part of the graph, (B, 1, d); ``None`` without graph context.
        slots: The query's parts of every node (B, m, d) in each slot of the context; a last row is "none yet".
        keys: The glimpse's, (B, heads, n, d / heads).
        values: The glimpse's, of the same shape.
        pointers: What the glimpse's heads are compared with, (B, n, d): keys of the pointer behind the output layer.
        offsets: What is added to that, (B, 1, n); ``None`` if the output layer has no bias.
    """

    whole: Tensor | None
    slots: tuple[Tensor, ...]
    keys: Tensor
    values: Tensor
    pointers: Tensor
    offsets: Tensor | None

    def tensors(self) -> list[Tensor]:
        """All of it in a row, the batch first; :meth:`PointerDecoder.restored` is the way back."""
        parts = (self.whole, *self.slots, self.keys, self.values, self.pointers, self.offsets)
        return [part for part in parts if part is not None]


class PointerDecoder(nn.Module):
    """Says how likely each node comes next, for Q partial tours of each of B instances at once."""

    def __init__(
        self,
        slots: int,
        numbers: int = 0,
        width: int = 128,
        heads: int = 8,
        *,
        clip: float = 10.0,
        graph_context: bool = True,
        own_pointer: bool = True,
        bias: bool = False,
        placeholder: bool = True,
    ) -> None:
        """Make the layers.

        Args:
            slots: Number s of nodes in the context.
            numbers: Further numbers f in the context.
            width: Size d of an embedding.
            heads: Heads of the glimpse.
            clip: Logits are between -clip and clip.
            graph_context: Whether the query has a part of the graph's embedding.
            own_pointer: Whether the pointer compares with projected nodes, or with the embeddings themselves.
            bias: Whether the glimpse's output layer has one.
            placeholder: Whether there are learned embeddings for "no node yet"; without, tours need a given start.

        Raises:
            SymbenchError: The heads do not divide the width.
        """
        super().__init__()
        check_heads(width, heads)
        self.slots, self.width, self.heads, self.clip = slots, width, heads, clip
        self.step = nn.Linear(slots * width + numbers, width, bias=False)
        self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(2))
        self.out = nn.Linear(width, width, bias=bias)
        self.pointer = nn.Linear(width, width, bias=False) if own_pointer else None
        self.whole = nn.Linear(width, width, bias=False) if graph_context else None
        self.placeholder = nn.Parameter(torch.empty(slots, width).uniform_(-1, 1)) if placeholder else None

    def prepare(self, nodes: Tensor, graph: Tensor) -> Prepared:
        """From embeddings of nodes, (B, n, d), and of the graph, (B, d)."""
        pointer = nodes if self.pointer is None else self.pointer(nodes)
        # (W x + b) . p = x . (W^T p) + b . p: one product for each node in place of one for each step.
        offsets = None if self.out.bias is None else (pointer @ self.out.bias)[:, None]
        return Prepared(
            None if self.whole is None else self.whole(graph)[:, None],
            tuple(self._slot(nodes, i) for i in range(self.slots)),
            split_heads(self.key(nodes), self.heads),
            split_heads(self.value(nodes), self.heads),
            pointer @ self.out.weight,
            offsets,
        )

    def shapes(self, nodes: int) -> list[tuple[int, ...]]:
        """Of what :meth:`Prepared.tensors` gives for an instance."""
        whole = [] if self.whole is None else [(1, self.width)]
        slots = [(nodes if self.placeholder is None else nodes + 1, self.width)] * self.slots
        heads = [(self.heads, nodes, self.width // self.heads)] * 2
        return [*whole, *slots, *heads, (nodes, self.width), *([] if self.out.bias is None else [(1, nodes)])]

    def restored(self, tensors: Sequence[Tensor]) -> Prepared:
        """What :meth:`prepare` gave, of its :meth:`~Prepared.tensors`."""
        parts = list(tensors)
        whole = None if self.whole is None else parts.pop(0)
        offsets = None if self.out.bias is None else parts.pop()
        keys, values, pointers = parts[self.slots :]
        return Prepared(whole, tuple(parts[: self.slots]), keys, values, pointers, offsets)

    def query(self, prepared: Prepared, context: Tensor, told: Tensor) -> Tensor:
        """The query of tours whose context is (B, Q, s) int64 and (B, Q, f): (B, Q, d).

        Raises:
            SymbenchError: A tour has not begun, and there is no placeholder.
        """
        parts = [_rows(slot, context[..., i]) for i, slot in enumerate(prepared.slots)]
        query: Tensor = sum(parts[1:], parts[0])
        if told.shape[-1]:
            query = query + F.linear(told, self.step.weight[:, self.slots * self.width :])
        return query if prepared.whole is None else query + prepared.whole

    def attend(self, prepared: Prepared, query: Tensor, allowed: Tensor) -> Tensor:
        """The glimpse's heads in a row, before the output layer: (B, Q, d); ``allowed`` is (B, Q, n)."""
        queries = split_heads(query, self.heads)
        mixed = F.scaled_dot_product_attention(queries, prepared.keys, prepared.values, allowed[:, None])
        return mixed.transpose(1, 2).flatten(2)

    def logits(self, prepared: Prepared, context: Tensor, told: Tensor, allowed: Tensor) -> Tensor:
        """Clipped logits, (B, Q, n); minus infinity where a node is not allowed."""
        glimpse = self.attend(prepared, self.query(prepared, context, told), allowed)
        compared = glimpse @ prepared.pointers.transpose(1, 2)
        if prepared.offsets is not None:
            compared = compared + prepared.offsets
        logits = self.clip * torch.tanh(compared / self.width**0.5)
        return logits.masked_fill(~allowed, -torch.inf)

    def _slot(self, nodes: Tensor, i: int) -> Tensor:
        weight = self.step.weight[:, i * self.width : (i + 1) * self.width]
        of_nodes = F.linear(nodes, weight)
        if self.placeholder is None:
            return of_nodes
        none_yet = F.linear(self.placeholder[i], weight)
        return torch.cat([of_nodes, none_yet.expand(len(nodes), 1, -1)], dim=1)


def _rows(table: Tensor, places: Tensor) -> Tensor:
    """Rows of each instance's table: (B, m, d) at (B, Q) -> (B, Q, d)."""
    batch, rows, width = table.shape
    if int(places.max()) >= rows:
        raise SymbenchError("a model without a placeholder cannot choose where tours begin; give starts (multi_start)")
    offsets = rows * torch.arange(batch, device=table.device)[:, None]
    return table.flatten(0, 1).index_select(0, (places + offsets).flatten()).reshape(*places.shape, width)
