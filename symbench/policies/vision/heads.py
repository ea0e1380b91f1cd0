"""From codes to an action: what stands behind a layer that reads patches.

* :class:`ConvHead` - codes as a small picture, convolutions, dense layers, perhaps an LSTM (Tang & Ha's Pong agent)
* :class:`AttentionAgentHead` - the places of the K most important codes, an LSTM (their CarRacing agent)

A head keeps a state between steps: a tuple of tensors whose first axis is the batch, zeros at the start of an episode.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from symbench.policies.attention_neuron import dense, lstm_step, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionHead
    from symbench.policies.memory import State

_QUERIES_AT_ONCE: Final = 128


class ConvHead(nn.Module):
    """Codes on a square grid, convolutions, dense layers; with ``lstm_dim`` an LSTM that knows the previous action."""

    def __init__(
        self,
        num_codes: int,
        code_dim: int,
        action: ActionHead,
        conv: Sequence[Sequence[int]] = ((64, 4, 2), (64, 3, 1)),
        hidden: Sequence[int] = (512,),
        lstm_dim: int = 0,
    ) -> None:
        """Make the head.

        Args:
            num_codes: Number of codes M, a square number.
            code_dim: Length d_v of a code.
            action: Says the sizes of an action and of the last layer.
            conv: Channels, kernel size and stride of each convolution.
            hidden: Widths of the hidden dense layers behind them.
            lstm_dim: Size of the LSTM in front of the last layer; 0 for none, then the head has no state.

        Raises:
            ValueError: ``num_codes`` is not a square number, or the convolutions do not fit the grid.
        """
        super().__init__()
        self.grid, self.action_dim = math.isqrt(num_codes), action.size
        if self.grid**2 != num_codes:
            raise ValueError(f"num_codes must be a square number for convolutions, received {num_codes}")
        self.conv = convolutions(code_dim, conv)
        flat = _flat_size(conv, self.grid) if conv else code_dim * num_codes
        self.features_dim = (flat, *hidden)[-1]
        self.dense = dense((flat, *hidden, lstm_dim or action.num_logits), "relu")
        self.lstm = nn.LSTMCell(lstm_dim + action.size, lstm_dim) if lstm_dim else None
        self.out = nn.Linear(lstm_dim, action.num_logits) if lstm_dim else None

    def initial_state(self, batch: int) -> State:
        """Hidden and cell state (B, H) and the previous action (B, A), if there is an LSTM."""
        if self.lstm is None:
            return ()
        zeros = self.lstm.weight_hh.new_zeros(batch, self.lstm.hidden_size)
        return zeros, zeros.clone(), zeros.new_zeros(batch, self.action_dim)

    def features(self, codes: Tensor) -> Tensor:
        """What can be computed without the state, all but the last dense layer: codes (B, M, d_v) to (B, D)."""
        picture = torch.relu(codes).transpose(1, 2).reshape(len(codes), -1, self.grid, self.grid)
        features: Tensor = self.dense[:-1](self.conv(picture).flatten(1))
        return features

    def forward(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """Features (B, D) to the last layer's output (B, L), and the next state."""
        outputs = self.dense[-1](features)
        if self.lstm is None or self.out is None:
            return outputs, state
        hidden, cell, previous = state
        hidden, cell = lstm_step(self.lstm, torch.cat([torch.relu(outputs), previous], dim=1), hidden, cell)
        return self.out(hidden), (hidden, cell, previous)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state that knows what was done."""
        return (*state[:2], actions) if state else ()


class AttentionAgentHead(nn.Module):
    """Where the K most important codes are, on a grid, is all that an LSTM sees.

    Importance is how much attention a code receives from all others: the column sums of ``softmax(Q K^T)``, with
    ``scale`` of ``softmax(Q K^T / sqrt(d))`` as Tang et al. 2020 have it (behind a layer the paper has none). Choosing
    the greatest has no gradient, so the paper trains it by evolution. With ``sort_temperature`` gradients are those of
    a soft sort instead (Grover et al. 2019, arXiv 1903.08850); what the LSTM sees is the same. With ``mix`` the codes
    are a rolling average, ``m_t = (1 - a) m_t + a m_{t-1}``, whose ``a`` depends on what the LSTM knows and on what was
    done; the first codes of an episode are taken as they are.
    Source: Tang et al. 2020 (arXiv 2003.08165), section 3; Tang & Ha 2021, appendix A.
    """

    places: Tensor

    def __init__(
        self,
        grid: Tensor,
        code_dim: int,
        action: ActionHead,
        projection_dim: int = 4,
        top: int = 10,
        lstm_dim: int = 16,
        mix: bool = True,
        scale: bool = False,
        sort_temperature: float = 0.0,
    ) -> None:
        """Make the head.

        Args:
            grid: Coordinates of the codes in [0, 1], shape (M, 2).
            code_dim: Length d_v of a code.
            action: Says the sizes of an action and of the last layer.
            projection_dim: Width in which codes are compared.
            top: How many codes K the LSTM is told about.
            lstm_dim: Size of the LSTM.
            mix: Whether the codes are averaged over time.
            scale: Whether scores are divided by ``sqrt(projection_dim)``.
            sort_temperature: How soft the sort is that gradients go through; 0 for no gradients, as published.

        Raises:
            ValueError: There are fewer codes than ``top``, or ``sort_temperature`` is negative.
        """
        super().__init__()
        if top > len(grid):
            raise ValueError(f"top must be at most the number of codes, {len(grid)}, received {top}")
        if not sort_temperature >= 0:
            raise ValueError(f"sort_temperature must be at least 0, received {sort_temperature}")
        self.sort_temperature = sort_temperature
        self.factor = 1.0 / math.sqrt(projection_dim) if scale else 1.0
        self.top, self.action_dim, self.code_dim, self.mix = top, action.size, code_dim, mix
        self.features_dim = len(grid) * code_dim
        self.register_buffer("places", grid, persistent=False)
        self.project_query, self.project_key = (nn.Linear(code_dim, projection_dim) for _ in range(2))
        self.lstm = nn.LSTMCell(2 * top, lstm_dim)
        self.out = nn.Linear(lstm_dim, action.num_logits)
        self.gate = dense((lstm_dim + action.size, 16, 1), "tanh") if mix else None

    def initial_state(self, batch: int) -> State:
        """Hidden and cell state (B, H), previous action (B, A), and with ``mix`` the codes so far.

        These are whether there are any (B, 1) and their rolling average (B, M, d_v).
        """
        new = self.out.weight.new_zeros
        state = (*(new(batch, self.lstm.hidden_size) for _ in range(2)), new(batch, self.action_dim))
        return (*state, new(batch, 1), new(batch, len(self.places), self.code_dim)) if self.mix else state

    def features(self, codes: Tensor) -> Tensor:
        """The codes: everything else depends on the state."""
        return codes

    @torch.no_grad()
    def important(self, codes: Tensor) -> Tensor:
        """Indices of the K most important codes, most important first: (B, M, d_v) -> (B, K)."""
        importance = codes.new_empty(codes.shape[:2])
        queries = self.project_query(codes) * self.factor
        for i, pair in enumerate(zip(queries, self.project_key(codes), strict=True)):
            importance[i] = _received(*pair)
        # Stable: while nothing moves all codes are alike, and which come first must not be a matter of chance.
        return importance.argsort(dim=1, descending=True, stable=True)[:, : self.top]

    def softly_important(self, codes: Tensor) -> Tensor:
        """About where the K most important codes are, (B, M, d_v) -> (B, K, 2), with a gradient.

        Row k of a soft sort (NeuralSort: Grover et al. 2019, arXiv 1903.08850, equation 5) is how much each code is
        the k-th; the colder it is, the nearer to the true one.
        """
        scores = self.factor * self.project_query(codes) @ self.project_key(codes).transpose(1, 2)
        received = scores.softmax(dim=2).sum(dim=1)
        gaps = (received[:, :, None] - received[:, None]).abs().sum(dim=2)
        ranks = len(self.places) - 1 - 2 * torch.arange(self.top, device=codes.device).to(codes)
        rows = (ranks[:, None] * received[:, None] - gaps[:, None]) / self.sort_temperature
        soft: Tensor = rows.softmax(dim=2) @ self.places.to(codes.dtype)
        return soft

    def forward(self, codes: Tensor, state: State) -> tuple[Tensor, State]:
        """Codes (B, M, d_v) to the last layer's output (B, A), and the next state."""
        hidden, cell, previous, *average = state
        if self.gate is not None:
            begun, before = average
            share = (begun * torch.sigmoid(self.gate(torch.cat([hidden, previous], dim=1))))[:, :, None]
            codes = (1.0 - share) * codes + share * before
            average = [torch.ones_like(begun), codes]
        seen = self.places[self.important(codes)].to(hidden.dtype)
        if self.sort_temperature and torch.is_grad_enabled():
            soft = self.softly_important(codes)
            seen = seen + soft - soft.detach()  # the gradient alone (Bengio et al. 2013, "straight-through")
        hidden, cell = lstm_step(self.lstm, seen.flatten(1), hidden, cell)
        return self.out(hidden), (hidden, cell, previous, *average)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The state that knows what was done."""
        hidden, cell, _, *average = state
        return (hidden, cell, actions, *average)


def _received(queries: Tensor, keys: Tensor) -> Tensor:
    """How much attention each code receives: (M, d) and (M, d) to (M,). Pieces stay in the cache: 2.6 times as fast."""
    parts = [torch.softmax(part @ keys.t(), dim=1).sum(dim=0) for part in torch.split(queries, _QUERIES_AT_ONCE)]
    return torch.stack(parts).sum(dim=0)


def square_grid(num_codes: int) -> Tensor:
    """Coordinates (row, column) / side of M codes on a square grid, shape (M, 2).

    Raises:
        ValueError: M is not a square number.
    """
    side = math.isqrt(num_codes)
    if side**2 != num_codes:
        raise ValueError(f"num_codes must be a square number, received {num_codes}")
    index = places(num_codes)
    return torch.stack([index // side, index % side], dim=1) / side


def convolutions(channels: int, conv: Sequence[Sequence[int]]) -> nn.Sequential:
    """Convolutions (channels, kernel, stride) with a ReLU behind each."""
    widths = [channels, *(layer[0] for layer in conv)]
    layers: list[nn.Module] = []
    for (inputs, outputs), (_, kernel, stride) in zip(pairwise(widths), conv, strict=True):
        layers += [nn.Conv2d(inputs, outputs, kernel, stride), nn.ReLU()]
    return nn.Sequential(*layers)


def conv_side(conv: Sequence[Sequence[int]], side: int) -> int:
    """Side of a square picture after convolutions.

    Raises:
        ValueError: A kernel is larger than the picture it reads, or kernel or stride is less than 1.
    """
    for _, kernel, stride in conv:
        if kernel < 1 or stride < 1:
            raise ValueError(f"kernels and strides are at least 1, received {kernel} and {stride}")
        if kernel > side:
            raise ValueError(f"a kernel of {kernel} does not fit a picture of {side}x{side}")
        side = (side - kernel) // stride + 1
    return side


def _flat_size(conv: Sequence[Sequence[int]], side: int) -> int:
    return int(conv[-1][0]) * conv_side(conv, side) ** 2
