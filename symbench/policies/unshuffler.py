"""Find out which sensor is which, then ask a policy that needs its sensors in order.

The order is inferred and not learned away: a model of the dynamics, learned in order, says how each sensor should move
next, and what is received is assigned to what is expected. Noise channels move as no sensor should.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.attention_neuron import dense
from symbench.policies.equivariant import EquivariantMLPNetwork
from symbench.policies.policy_network import MLPNetwork, SensorNetwork
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gymnasium import spaces

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations

IN_ORDER: Final[dict[str, type[SensorNetwork]]] = {
    network.kind: network for network in (MLPNetwork, EquivariantMLPNetwork)
}
FORGETTING: Final = 0.95  # of evidence, a step
RARE: Final = 5.0  # minus the logarithm of how probable a reshuffle is in a step
PATIENCE: Final = 5  # steps between two reshuffles among other channels, which may fit any expectation by chance
DEGREES: Final = 4.0  # of freedom of Student's t: errors of the dynamics have heavy tails
MOST_CANDIDATES: Final = 1024
# What it costs to take a channel that shows what another one shows, likely a second one of the same sensor. It is paid
# where there is no other, as of two legs that are both in the air: such a channel has evidence of its own.
COPY: Final = 1e4
_UNLIKELY: Final = -20.0  # logarithm of the least density of channels that are no sensors
_VALUES_AT_ONCE: Final = 2**22  # of all candidates of a batch


class Dynamics(nn.Module):
    """How sensors begin and how they move, learned in order.

    Attributes:
        centre: Mean of each sensor, (K,); ``width``, its standard deviation.
        stride: Standard deviation of a sensor's change in a step, (K,).
        error: Root mean square error of the predicted change, (K,), on steps that were not learned from.
        first_mean: Mean of each sensor when an episode begins, (K,); ``first_std``, its standard deviation.
    """

    centre: Tensor
    width: Tensor
    stride: Tensor
    error: Tensor
    first_mean: Tensor
    first_std: Tensor

    def __init__(self, num_sensors: int, action_dim: int, widths: Sequence[int]) -> None:
        """Make K sensors' dynamics with fresh weights."""
        super().__init__()
        self.layers = dense((num_sensors + action_dim, *widths, num_sensors), "tanh")
        for name in ("centre", "first_mean"):
            self.register_buffer(name, torch.zeros(num_sensors))
        for name in ("width", "stride", "error", "first_std"):
            self.register_buffer(name, torch.ones(num_sensors))

    def forward(self, sensors: Tensor, actions: Tensor) -> Tensor:
        """The change of sensors (..., K) after actions (..., A), in units of ``stride``: (..., K)."""
        seen = (sensors - self.centre) / self.width
        return self.layers(torch.cat([seen, actions], dim=-1))  # type: ignore[no-any-return]

    def change(self, sensors: Tensor, actions: Tensor) -> Tensor:
        """The change of sensors (..., K) after actions (..., A): (..., K)."""
        change: Tensor = self.stride * self(sensors, actions)
        return change

    def likelihood(self, misses: Tensor) -> Tensor:
        """Logarithm of how probable it is to miss by so much, (..., K), 0 at most; Student's t."""
        squares = (misses / self.error).square()
        return -0.5 * (DEGREES + 1.0) * torch.log1p(squares / DEGREES)

    def first_likelihood(self, channels: Tensor) -> Tensor:
        """Logarithm of how much rather a channel, (B, N), is sensor k than none, when an episode begins: (B, N, K).

        Of what is none, all that is known is what most channels are like.
        """
        distances = (channels[:, :, None] - self.first_mean) / self.first_std
        as_sensor = -0.5 * distances.square() - self.first_std.log()
        middle = channels.median(dim=1, keepdim=True).values
        spread = 1.4826 * (channels - middle).abs().median(dim=1, keepdim=True).values + 1e-6
        as_other = -0.5 * ((channels - middle) / spread).square() - spread.log()
        return as_sensor - as_other.clamp_min(_UNLIKELY)[:, :, None]


class UnshufflerNetwork(SensorNetwork):
    """A filter over the order of sensors before a policy that needs them in order.

    Evidence that channel n is sensor k is the sum of how well its changes fit what the dynamics expect of sensor k; the
    assignment of sensors to channels with the greatest sum is taken (Kuhn 1955, "The Hungarian method"). Where nothing
    moves, changes tell nothing, so its values may count, too (``values``). After a
    step that no assignment explains, but another order of the sensors does, the evidence begins anew with that order.
    In the first step of an episode only the distribution of first observations is known: orders are drawn from it, the
    mean of the policy's answers is given, and the next step shows which of them was right.

    It acts on any number of channels, in any order, among which every sensor is at least once.
    """

    kind = "unshuffler"
    memory = "what all channels showed last, and the evidence which of them is which sensor"
    recurrent = True
    differentiable = False  # what is assigned has no gradient
    trained_by = "by a recipe with the algorithm dynamics, such as unshuffler"

    def __init__(
        self,
        num_sensors: int,
        action_space: ActionSpace,
        policy: Mapping[str, Any] | None = None,
        dynamics: Sequence[int] = (64, 64),
        candidates: int = 128,
        values: float = 0.0,
    ) -> None:
        """Make the network.

        Args:
            num_sensors: Number of sensors K that the policy needs.
            action_space: What it acts in; see :func:`~symbench.policies.actions.action_head`.
            policy: Policy in order: ``kind``, ``"mlp"`` or ``"equivariant-mlp"``, and its own arguments.
            dynamics: Widths of the dynamics' hidden layers.
            candidates: How many orders are drawn in the first step.
            values: How much a step's value of a channel, held against what a sensor should show now, may at most count
                against its being that sensor; 0 for its changes alone. What should be shown follows from the order that
                is believed, so keep it small beside what a wrong change costs (tens), or a wrong order is never left.

        Raises:
            SymbenchError: There is no such policy.
            ValueError: There are no candidates, or too many; ``values`` is negative.
        """
        if not 1 <= candidates <= MOST_CANDIDATES:
            raise ValueError(f"candidates must be from 1 to {MOST_CANDIDATES}, received {candidates}")
        if not values >= 0:
            raise ValueError(f"values must be at least 0, received {values}")
        kind, table = _policy_of(policy or {}, num_sensors)
        inner = IN_ORDER[kind](action_space=action_space, **table)
        shown = {key: value for key, value in inner.config().items() if key not in ("action_space", "num_sensors")}
        settings = {
            "policy": {"kind": kind, **shown},
            "dynamics": tuple(dynamics),
            "candidates": candidates,
            "values": values,
        }
        super().__init__(action_space, num_sensors=num_sensors, **settings)
        self.policy, self.sensors, self.candidates, self.values = inner, num_sensors, candidates, values
        self.dynamics = Dynamics(num_sensors, self.action.size, dynamics)
        self.features_dim, self.head = self.action.num_logits, nn.Identity()

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`PolicyNetwork.sizes`."""
        super().sizes(space, given, shown)
        return {"num_sensors": (space.shape or ())[0]}

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`PolicyNetwork.incompatibility`."""
        if reason := super().incompatibility(space):
            return reason
        channels = (space.shape or ())[0]
        return None if channels >= self.sensors else f"looks for {self.sensors} sensors in {form(space)}"

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`PolicyNetwork.micro_batch_size`; bounded by what all candidates take in the first step."""
        return max(1, _VALUES_AT_ONCE // (self.candidates * self.sensors * shape[0]))

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros: steps so far (B, 1), channels (B, N), evidence (B, N, K), sensors' places (B, K), actions (B, A)."""
        places = torch.zeros(batch, self.sensors, dtype=torch.int64, device=self.dynamics.error.device)
        channels, evidence = self._zeros(batch, *shape), self._zeros(batch, *shape, self.sensors)
        return self._zeros(batch, 1), channels, evidence, places, self._zeros(batch, self.action.size)

    @torch.no_grad()
    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """The policy's logits, (B, L), and the state in which the order has been found."""
        assert isinstance(observations, Tensor)
        steps, actions = state[0], state[-1]
        first = steps[:, 0] == 0
        steps, evidence, places = self._found(observations, state)
        logits, _ = self.policy.logits(observations.gather(1, places), ())
        if bool(first.any()):
            guesses = _picked(observations[first], self.drawn(observations[first]))
            meant = self.policy.logits(guesses.flatten(0, 1), ())[0]
            logits[first] = meant.reshape(*guesses.shape[:2], -1).mean(dim=1)
        return (logits,), ((steps + 1).clamp_max(PATIENCE), observations, evidence, places, actions)

    def update_memory(self, state: State, actions: Tensor) -> State:
        """The same, and what was done."""
        return (*state[:-1], actions)

    def drawn(self, channels: Tensor) -> Tensor:
        """Where the sensors of first observations, (B, N), may be: places (B, M, K), drawn by perturbed maximisation.

        The draws depend on the channels' values and not on their order (Papandreou & Yuille 2011, "Perturb-and-MAP").
        """
        values, order = channels.sort(dim=1)
        scores = self.dynamics.first_likelihood(values) - COPY * copies(values)
        generator = torch.Generator().manual_seed(0)
        uniform = torch.rand(self.candidates, *scores.shape[1:], generator=generator, dtype=torch.float64)
        noise = -torch.log(-torch.log(uniform.clamp(1e-12, 1 - 1e-12))).to(scores)
        places = assigned((scores[:, None] + noise).flatten(0, 1))
        return _picked(order, places.reshape(len(channels), self.candidates, -1))

    def _found(self, channels: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor]:
        """Steps since the order began (B, 1), evidence (B, N, K) and the places (B, K) of the greatest."""
        steps, before, evidence, places, actions = state
        first, second = steps[:, 0] == 0, steps[:, 0] == 1
        if bool(second.any()):
            places = places.clone()
            places[second] = self._best(before[second], actions[second], channels[second])
        order = (steps, before, FORGETTING * evidence, places, actions)
        steps, evidence, places = self._followed(channels, order)
        if bool(first.any()):
            evidence[first] = self.dynamics.first_likelihood(channels[first])
            places[first] = assigned(evidence[first] - COPY * copies(channels[first]))
        return steps, evidence, places

    def _best(self, before: Tensor, actions: Tensor, channels: Tensor) -> Tensor:
        """Of the orders that could be in the first step, the one that explains the second, (B, K)."""
        drawn = self.drawn(before)
        guesses, moved = _picked(before, drawn), _picked(channels - before, drawn)
        expected = self.dynamics.change(guesses, actions[:, None].expand(-1, self.candidates, -1))
        fits = self.dynamics.likelihood(moved - expected).sum(dim=2)
        return drawn[torch.arange(len(drawn)), fits.argmax(dim=1)]

    def _followed(self, channels: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor]:
        """The same after one more step, in the same order or, where that explains it better, in another."""
        steps, before, evidence, places, actions = state
        sensors = before.gather(1, places)
        expected = self.dynamics.change(sensors, actions)
        known = _total(evidence, places)
        evidence = evidence + self.dynamics.likelihood((channels - before)[:, :, None] - expected[:, None])
        if self.values:
            evidence += self._of_values(channels, sensors + expected).clamp_min(-self.values)
        copied = COPY * copies(channels)
        places = assigned(evidence - copied)
        gain = _total(evidence, places) - known
        price = RARE + self.sensors * math.log(channels.shape[1])
        others = channels.shape[1] > self.sensors
        settled = steps[:, 0] >= (PATIENCE if others else 2)
        odd = (settled & (gain < -price)).nonzero()[:, 0]
        if len(odd):
            other = self._of_values(channels[odd], (sensors + expected)[odd])
            elsewhere = assigned(other - copied[odd])
            fit = _total(other, elsewhere)
            better = fit - price > gain[odd]
            if others:
                better &= fit > -price
            odd = odd[better]
            steps, evidence[odd], places[odd] = steps.clone(), other[better], elsewhere[better]
            steps[odd] = 1.0
        return steps, evidence, places

    def _of_values(self, channels: Tensor, expected: Tensor) -> Tensor:
        """Logarithm of how probable channels (B, N) are where sensors should show (B, K): (B, N, K)."""
        return self.dynamics.likelihood(channels[:, :, None] - expected[:, None])


def _total(evidence: Tensor, places: Tensor) -> Tensor:
    """The sum of evidence (B, N, K) at the places (B, K): (B,)."""
    return evidence.gather(1, places[:, None]).sum(dim=(1, 2))


def assigned(scores: Tensor) -> Tensor:
    """A channel for each sensor, none for two, so that the sum of scores (B, N, K) is greatest: (B, K), int64."""
    places = scores.argmax(dim=1)
    clash = (places.sort(dim=1).values.diff(dim=1) == 0).any(dim=1)
    if bool(clash.any()):  # otherwise the greatest of each are the greatest of all
        from scipy.optimize import linear_sum_assignment  # late: it takes a fifth of a second to import

        tables = np.nan_to_num(scores[clash].transpose(1, 2).cpu().double().numpy())
        found = np.stack([linear_sum_assignment(table, maximize=True)[1] for table in tables])
        places[clash] = torch.from_numpy(found).to(places)
    return places


def copies(channels: Tensor) -> Tensor:
    """Which channels, (B, N), show exactly what one before them shows: (B, N, 1), bool."""
    values, order = channels.sort(dim=1, stable=True)
    same = torch.zeros_like(values, dtype=torch.bool)
    same[:, 1:] = values.diff(dim=1) == 0
    return torch.zeros_like(same).scatter(1, order, same)[:, :, None]


def _picked(channels: Tensor, places: Tensor) -> Tensor:
    """The channels, (B, N), at places (B, M, K): (B, M, K)."""
    return channels.gather(1, places.flatten(1)).view_as(places)


def _policy_of(policy: Mapping[str, Any], num_sensors: int) -> tuple[str, dict[str, Any]]:
    """Kind and arguments of the policy in order."""
    table = dict(policy)
    kind = table.pop("kind", MLPNetwork.kind)
    if kind not in IN_ORDER:
        raise unknown("policy in order", str(kind), IN_ORDER)
    return kind, {"num_sensors": num_sensors, **table} if kind == MLPNetwork.kind else table
