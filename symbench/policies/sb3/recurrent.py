"""Any network with its own memory in sb3-contrib's RecurrentPPO.

The state of the network, with what it was told of its actions, is stored as one row of numbers, so that sequences of
steps are unrolled as they were played. The environment needs no wrapper.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import torch
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.common.recurrent.type_aliases import RNNStates
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.actions import BoxHead
from symbench.policies.batches import first
from symbench.policies.memory import started
from symbench.policies.sb3.bridge import seen, seen_space
from symbench.policies.sb3.on_policy import ActorCritic
from symbench.policies.spaces import channels_last
from symbench.trees import map_tree

if TYPE_CHECKING:
    from gymnasium import spaces
    from stable_baselines3.common.distributions import Distribution

    from symbench.policies.memory import State
    from symbench.policies.policy_network import Observations

    Rows = tuple[Tensor, ...]  # two halves of the states, (1, B, H) each


class StateRows(nn.Module):
    """A network's state as two halves of a row, (1, B, H) each, where sb3-contrib expects an LSTM's.

    Attributes:
        num_layers: 1.
        hidden_size: Length H of a half.
    """

    num_layers = 1

    def __init__(self, state: State) -> None:
        """Take the form of a state of one environment."""
        super().__init__()
        self.forms = [(part.shape[1:], part.dtype) for part in state]
        self.lengths = [prod(shape) for shape, _ in self.forms]
        self.hidden_size = max(1, -(-sum(self.lengths) // 2))

    def rows(self, state: State, batch: int) -> Rows:
        """The halves."""
        parts = [part.reshape(batch, -1).float() for part in state] or [torch.zeros(batch, 0)]
        missing = 2 * self.hidden_size - sum(self.lengths)
        one, other = nn.functional.pad(torch.cat(parts, dim=1), (0, missing))[None].chunk(2, dim=2)
        return one, other

    def state(self, rows: Rows) -> State:
        """The state."""
        whole = torch.cat(tuple(rows), dim=2)[0]
        parts = torch.split(whole[:, : sum(self.lengths)], self.lengths, dim=1)
        return tuple(part.reshape(-1, *shape).to(dtype) for part, (shape, dtype) in zip(parts, self.forms, strict=True))


class NetworkRecurrentPolicy(ActorCritic, RecurrentActorCriticPolicy):  # type: ignore[misc]
    """An actor-critic for RecurrentPPO; ``policy_kwargs`` are those of :class:`ActorCritic`, without ``share_encoder``.

    Example:
        >>> from sb3_contrib import RecurrentPPO
        >>> kwargs = {"network": "recurrent-attention-neuron"}
        >>> model = RecurrentPPO(NetworkRecurrentPolicy, "CartPole-v1", policy_kwargs=kwargs, n_steps=128)
        >>> model.policy.network.memory
        'a state for every sensor'
    """

    remembers = True

    def __init__(self, observation_space: spaces.Space[Any], *args: Any, **kwargs: Any) -> None:
        """Make the policy; see the class."""
        if kwargs.get("share_encoder") is False:
            raise SymbenchError("the critic of a network with a memory reads its features; leave share_encoder out")
        super().__init__(observation_space, *args, **kwargs)
        space: Any = channels_last(seen_space(observation_space))
        shape = first(dict(space.spaces) if hasattr(space, "spaces") else space).shape
        del self.lstm_actor
        self.lstm_actor: Any = StateRows(self.network.initial_state(1, *shape))
        self.critic = self.lstm_critic = None
        self.lstm_hidden_state_shape = (1, 1, self.lstm_actor.hidden_size)
        made: dict[str, Any] = {**self.optimizer_kwargs, "lr": self.optimizer.param_groups[0]["lr"]}
        self.optimizer = self.optimizer_class(self.parameters(), **made)

    def forward(  # type: ignore[override]
        self, obs: Observations, lstm_states: RNNStates, episode_starts: Tensor, deterministic: bool = False
    ) -> tuple[Tensor, Tensor, Tensor, RNNStates]:
        """Actions, values (B, 1), log probabilities (B,) and the states that know what was done."""
        features, logits, state = self._step(obs, lstm_states.pi, episode_starts)
        values = self.mlp_extractor._values(obs, features)
        distribution = self._get_action_dist_from_latent(logits)
        drawn = distribution.get_actions(deterministic=deterministic)
        actions = drawn.reshape(-1, *(self.action_space.shape or ()))
        rows = self._told(state, actions)
        return actions, values, distribution.log_prob(drawn), RNNStates(rows, rows)

    def get_distribution(  # type: ignore[override]
        self, obs: Observations, lstm_states: Rows, episode_starts: Tensor
    ) -> tuple[Distribution, Rows]:
        """The distribution of actions, and the states that do not know yet what is done."""
        _, logits, state = self._step(obs, lstm_states, episode_starts)
        return self._get_action_dist_from_latent(logits), self.lstm_actor.rows(state, len(logits))

    def predict_values(  # type: ignore[override]
        self, obs: Observations, lstm_states: Rows, episode_starts: Tensor
    ) -> Tensor:
        """Values, (B, 1)."""
        features, _, _ = self._step(obs, lstm_states, episode_starts)
        return self.mlp_extractor._values(obs, features)

    def evaluate_actions(  # type: ignore[override]
        self, obs: Observations, actions: Tensor, lstm_states: RNNStates, episode_starts: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Values, log probabilities and entropies of sequences that were played, one after the other."""
        sequences = lstm_states.pi[0].shape[1]

        def in_time(rows: Tensor) -> Tensor:
            return rows.reshape(sequences, -1, *rows.shape[1:]).transpose(0, 1)

        shown = map_tree(in_time, self._shown(obs))
        told, starts = in_time(self._encoded(actions)), in_time(episode_starts)
        features, logits = self.network.unroll(shown, starts, told, self.lstm_actor.state(lstm_states.pi))
        features, logits = (part.transpose(0, 1).flatten(0, 1) for part in (features, logits))
        distribution = self._get_action_dist_from_latent(logits)
        log_prob = distribution.log_prob(actions.float())  # MultiBinary's are stored as bytes
        return self.mlp_extractor._values(obs, features), log_prob, distribution.entropy()

    def _predict(  # type: ignore[override]
        self, observation: Observations, lstm_states: Rows, episode_starts: Tensor, deterministic: bool = False
    ) -> tuple[Tensor, Rows]:
        _, logits, state = self._step(observation, lstm_states, episode_starts)
        actions = self._get_action_dist_from_latent(logits).get_actions(deterministic=deterministic)
        return actions, self._told(state, actions)

    def _step(self, obs: Observations, rows: Rows, starts: Tensor) -> tuple[Tensor, Tensor, State]:
        """Features, logits, and the state that does not know yet what is done."""
        state = started(self.lstm_actor.state(rows), starts)
        inputs, state = self.network.perceive(self._shown(obs), state)
        features = self.network.features(*inputs)
        return features, *self.network.decide(features, state)

    def _shown(self, obs: Observations) -> Observations:
        """Observations as the network perceives them: frames as bytes, with their channels last."""
        shown = map_tree(_frames_last, seen(map_tree(lambda part: part.float(), obs)))
        if isinstance(shown, dict) and "mask" in shown:  # zeros fill sequences up: as if all were hidden
            shown["mask"] = torch.where(shown["mask"].any(dim=1, keepdim=True), shown["mask"], 1.0)
        return shown  # type: ignore[no-any-return]

    def _encoded(self, actions: Tensor) -> Tensor:
        """What memories are told: actions as the environment gets them, cut to their bounds."""
        head, shape = self.network.action, self.action_space.shape or ()
        if isinstance(head, BoxHead):
            return head.encode(actions.reshape(-1, *shape)).clamp(head.low, head.high)
        return head.encode(actions.long().reshape(-1, *shape)).to(self.network.dtype)

    def _told(self, state: State, actions: Tensor) -> Rows:
        told = self.network.update_memory(state, self._encoded(actions))
        return self.lstm_actor.rows(told, len(actions))  # type: ignore[no-any-return]


def _frames_last(part: Tensor) -> Tensor:
    return part.permute(0, 2, 3, 1).to(torch.uint8) if part.ndim == 4 else part
