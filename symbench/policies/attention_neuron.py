"""The AttentionNeuron layer of Tang & Ha 2021 (arXiv 2109.02869): one neuron per sensor, any number, any order.

Every sensor is read by a copy of the same small network that does not know which sensor it reads. It makes a key
from what the sensor does and what the agent did; fixed queries attend to the keys and mix the sensors' values:

    m = sigma(Q W_q (K W_k)^T) V          (M x d_v), independent of the number and the order of the sensors

* :class:`RecurrentAttentionNeuron` - the published layer: a key is the hidden state of an LSTM
* :class:`AttentionNeuron` - a key is computed from a short history, so that it trains like any feed-forward layer
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.policies.sensor_gate import SensorGate, jumps

if TYPE_CHECKING:
    from collections.abc import Sequence

NORMALISATIONS = ("none", "softmax", "gate")
ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}

_LARGEST_TABLE = 2**22  # numbers; those of published agents have some thousand


def places(n: int, columns: int = 1, dtype: torch.dtype = torch.int64) -> Tensor:
    """0 to n - 1, the rows of a table. They are numbers also where a network is only planned, on torch's meta device.

    Raises:
        ValueError: The table is too large to be made.
    """
    if n * columns > _LARGEST_TABLE:
        raise ValueError(f"a table of {n}x{columns} numbers is too large, at most {_LARGEST_TABLE:,} are possible")
    return torch.arange(n, dtype=dtype, device="cpu")


def sinusoidal_table(rows: int, dim: int) -> Tensor:
    """The fixed queries Q: one row per position, as in "Attention Is All You Need" (Vaswani et al. 2017, section 3.5).

    ``angle(x, j) = x / 10000^(2 floor(j/2) / dim)``; sines in even columns, cosines in odd ones.

    Args:
        rows: Number of queries M.
        dim: Length of a query.

    Returns:
        Shape (rows, dim), float32.

    Raises:
        ValueError: The table is too large to be made.
    """
    columns = places(dim, dtype=torch.float64)
    angles = places(rows, dim, torch.float64)[:, None] / 10000.0 ** (2.0 * (columns // 2) / dim)
    return torch.where(columns % 2 == 0, angles.sin(), angles.cos()).float()


def _layers(widths: Sequence[int], activation: str) -> list[nn.Module]:
    return [layer for sizes in pairwise(widths) for layer in (nn.Linear(*sizes), ACTIVATIONS[activation]())]


def dense(widths: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers of these widths, the first being the input's, with an activation between them (none at the end)."""
    return nn.Sequential(*_layers(widths, activation)[:-1])


def compress(values: Tensor) -> Tensor:
    """``asinh``: sensors come in all scales and nothing tells them apart; large values stay within reach, 0 stays 0."""
    return torch.asinh(values)


def lstm_step(lstm: nn.LSTMCell, inputs: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """What ``lstm(inputs, (hidden, cell))`` computes, in operations that ``torch.vmap`` can batch over weights.

    Args:
        lstm: Holds the weights.
        inputs: Shape (B, I).
        hidden: Shape (B, H).
        cell: Shape (B, H).

    Returns:
        The new hidden and cell states, shape (B, H) each.
    """
    gates = nn.functional.linear(inputs, lstm.weight_ih, lstm.bias_ih)
    gates = gates + nn.functional.linear(hidden, lstm.weight_hh, lstm.bias_hh)
    enter, forget, candidate, leave = gates.chunk(4, dim=-1)
    cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
    return torch.sigmoid(leave) * torch.tanh(cell), cell


class QueryKeyScores(nn.Module):
    """``Q W_q (K W_k)^T``, transposed, with fixed sinusoidal queries Q (Tang & Ha 2021, equation 2).

    The queries do not depend on the input, so both projections fold into one matrix and a key costs one product with
    it: ``K (Q W_q W_k^T)^T``.
    """

    queries: Tensor

    def __init__(
        self, num_codes: int, query_dim: int, key_dim: int, projection_dim: int, *, bias: bool, scale: bool
    ) -> None:
        """Make the projections.

        Args:
            num_codes: Rows of Q, M.
            query_dim: Columns of Q.
            key_dim: Length of a key.
            projection_dim: d_q, the width in which queries and keys are compared.
            bias: Whether the two projections have a bias.
            scale: Whether the scores are divided by ``sqrt(projection_dim)``.
        """
        super().__init__()
        self.register_buffer("queries", sinusoidal_table(num_codes, query_dim), persistent=False)
        self.project_query = nn.Linear(query_dim, projection_dim, bias=bias)
        self.project_key = nn.Linear(key_dim, projection_dim, bias=bias)
        self.factor = 1.0 / math.sqrt(projection_dim) if scale else 1.0

    def forward(self, keys: Tensor) -> Tensor:
        """Scores of each key against each query: (..., N, key_dim) -> (..., N, M)."""
        queries = self.project_query(self.queries) * self.factor
        bias = None if self.project_key.bias is None else queries @ self.project_key.bias
        return nn.functional.linear(keys, queries @ self.project_key.weight, bias)


class RecurrentAttentionNeuron(nn.Module):
    """The published layer for state-based tasks: ``m = tanh(tanh(Q W_q (K W_k)^T) o)``, keys from a shared LSTM.

    Source: Tang & Ha 2021, section 3 and appendix A; with ``bias=False, scale=False`` the layer of their cart-pole
    agent, with ``bias=True, scale=True`` the one of their Ant agent.
    """

    def __init__(
        self,
        action_dim: int,
        num_codes: int = 16,
        hidden_dim: int = 8,
        query_dim: int = 8,
        projection_dim: int = 32,
        bias: bool = False,
        scale: bool = False,
    ) -> None:
        """Make the layer.

        Args:
            action_dim: Length A of the previous action.
            num_codes: Length M of the output.
            hidden_dim: Size H of the LSTM, which is the length of a key.
            query_dim: Columns of the sinusoidal table.
            projection_dim: Width in which queries and keys are compared.
            bias: Whether the projections of queries and keys have a bias.
            scale: Whether scores are divided by ``sqrt(projection_dim)``.
        """
        super().__init__()
        self.num_codes, self.hidden_dim = num_codes, hidden_dim
        self.lstm = nn.LSTMCell(1 + action_dim, hidden_dim)
        self.scores = QueryKeyScores(num_codes, query_dim, hidden_dim, projection_dim, bias=bias, scale=scale)

    def forward(
        self, observations: Tensor, previous_actions: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One time step.

        Args:
            observations: Sensor values, shape (B, N).
            previous_actions: What the agent did last, shape (B, A).
            hidden: Hidden state of each sensor's LSTM, shape (B, N, H).
            cell: Cell state of each sensor's LSTM, shape (B, N, H).

        Returns:
            The code m, shape (B, M), and the new hidden and cell states, shape (B, N, H) each.
        """
        hidden, cell = self._remember(observations, previous_actions, hidden, cell)
        weights = torch.tanh(self.scores(hidden))
        return torch.tanh(torch.einsum("bnm,bn->bm", weights, observations)), hidden, cell

    def weights(self, observations: Tensor, previous_actions: Tensor, hidden: Tensor, cell: Tensor) -> Tensor:
        """How much every code takes of every sensor, with its sign, (B, M, N); arguments as in :meth:`forward`."""
        hidden, _ = self._remember(observations, previous_actions, hidden, cell)
        return torch.tanh(self.scores(hidden)).transpose(1, 2)

    def _remember(
        self, observations: Tensor, previous_actions: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The new states of the sensors' LSTMs."""
        batch, sensors = observations.shape
        told = previous_actions[:, None].expand(batch, sensors, -1)
        inputs = torch.cat([observations[..., None], told], dim=-1).flatten(0, 1)
        hidden, cell = lstm_step(self.lstm, inputs, hidden.flatten(0, 1), cell.flatten(0, 1))
        return hidden.view(batch, sensors, -1), cell.view(batch, sensors, -1)


class AttentionNeuron(nn.Module):
    """The layer without recurrence: keys and values from the last k values of each sensor and the last k actions.

    ``m = tanh(Q W_q (K W_k)^T) V``. A key comes from a small network over one sensor's history and the
    actions; a value is a linear map of the history without a bias, so a sensor that is constantly zero contributes
    exactly nothing. The construction follows the paper's vision layer, which also stacks the last frames (Tang & Ha
    2021, section 3).

    Layers can be stacked, which the paper's are not: each reads the same sensors again, and its keys are told the code
    of the layer below, so what a sensor is can be judged by what the others do.
    """

    def __init__(
        self,
        history: int,
        action_dim: int,
        num_codes: int = 16,
        value_dim: int = 8,
        key_widths: Sequence[int] = (64, 32),
        query_dim: int = 8,
        projection_dim: int = 32,
        activation: str = "tanh",
        normalisation: str = "none",
        differences: float = 0.0,
        code_below: int = 0,
    ) -> None:
        """Make the layer.

        Args:
            history: Number k of time steps it sees.
            action_dim: Length A of an action (one-hot for Discrete actions).
            num_codes: Rows M of the output.
            value_dim: Columns d_v of the output.
            key_widths: Widths of the key network; the last is the length of a key.
            query_dim: Columns of the sinusoidal table.
            projection_dim: Width d_q in which queries and keys are compared.
            activation: ``"tanh"`` or ``"relu"``, in the key network.
            normalisation: Over the sensors: ``"none"``, the sum as published; ``"softmax"``, of the scores in place of
                their tanh; ``"gate"``, the mean over those that a :class:`SensorGate` lets through. With the latter
                two, sensors that all come twice change nothing.
            differences: Keys and values are also computed from how far a compressed value moves from step to step,
                this many times enlarged; with 0 from the history alone, in which small steps are hard to see.
            code_below: Length of the code of a layer below, 0 if there is none. What the lowest layer's gate lets
                through is given to the layers above it, which have none of their own.

        Raises:
            ValueError: The normalisation is unknown, ``differences`` are negative or infinite, or the history is a
                single value, which has none.
        """
        super().__init__()
        if not 0 <= differences < math.inf or (differences and history < 2):
            raise ValueError(f"differences of {differences} over {history} steps: at least 0, and any need 2 steps")
        if normalisation not in NORMALISATIONS:
            raise ValueError(f"normalisation must be one of {NORMALISATIONS}, received {normalisation!r}")
        self.normalisation, self.differences = normalisation, differences
        self.output_dim = num_codes * value_dim
        first, key_dim = key_widths[0], key_widths[-1]
        num_read = 2 * history - 1 if differences else history
        self.key_of_values = nn.Linear(num_read, first, bias=False)
        self.key_of_actions = nn.Linear(history * action_dim, first)
        self.key_of_code = dense((code_below, first, first), "relu") if code_below else None
        self.key_network = nn.Sequential(ACTIVATIONS[activation](), *_layers(key_widths, activation))
        self.scores = QueryKeyScores(num_codes, query_dim, key_dim, projection_dim, bias=False, scale=False)
        self.values = nn.Linear(num_read, value_dim, bias=False)
        self.gate = SensorGate(history, action_dim) if normalisation == "gate" and not code_below else None

    def forward(
        self, sensors: Tensor, actions: Tensor, below: Tensor | None = None, passed: Tensor | None = None
    ) -> Tensor:
        """Mix the sensors.

        Args:
            sensors: Last k values of each sensor, newest last, through :func:`compress`, shape (B, N, k).
            actions: Last k actions, newest last, shape (B, k, A).
            below: The code of the layer below, shape (B, C); for a layer that has one.
            passed: How far each sensor is let through, shape (B, N, 1); without it the gate says so, if there is one.

        Returns:
            The code m, flattened, shape (B, M * d_v).
        """
        code: Tensor = self.weights(sensors, actions, below, passed) @ self.values(self.read(sensors))
        return code.flatten(1)

    def read(self, sensors: Tensor) -> Tensor:
        """What keys and values are computed from: the history, and its enlarged differences behind it.

        Args:
            sensors: See :meth:`forward`.

        Returns:
            Shape (B, N, k), with differences (B, N, 2k - 1); zeros for a sensor that is constantly zero.
        """
        if not self.differences:
            return sensors
        return torch.cat([sensors, compress(self.differences * jumps(sensors))], dim=2)

    def weights(
        self, sensors: Tensor, actions: Tensor, below: Tensor | None = None, passed: Tensor | None = None
    ) -> Tensor:
        """How much every code takes of every sensor, (B, M, N), with its sign where there is no softmax.

        Arguments are those of :meth:`forward`.
        """
        # What is the same for all sensors of an environment: its part of the first layer is computed once.
        told = self.key_of_actions(actions.flatten(1))
        if self.key_of_code is not None:
            told = told + self.key_of_code(below)
        keys = self.key_network(self.key_of_values(self.read(sensors)) + told[:, None])
        scores = self.scores(keys)
        weights = torch.softmax(scores, dim=1) if self.normalisation == "softmax" else torch.tanh(scores)
        if passed is None and self.gate is not None:
            passed = self.gate(sensors, actions)
        return (weights if passed is None else weights * passed).transpose(1, 2)
