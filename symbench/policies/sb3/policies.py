"""Permutation-invariant actor-critics.

* :class:`AttentionNeuronPolicy` - for SB3's PPO and A2C
* :class:`VisionAttentionNeuronPolicy` - the same for frames
* :class:`RecurrentAttentionNeuronPolicy` - for sb3-contrib's RecurrentPPO
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, MlpExtractor
from torch import nn

from symbench.policies.sb3.export import actor_network
from symbench.policies.sb3.layers import (
    STATE,
    AttentionNeuronExtractor,
    SensorLSTM,
    StepExtractor,
    TrueStateExtractor,
)
from symbench.policies.sb3.vision import VisionAttentionNeuronExtractor

if TYPE_CHECKING:
    from stable_baselines3.common.type_aliases import Schedule

    from symbench.policies.networks import PolicyNetwork


class _InvariantActorCritic(ActorCriticPolicy):
    """What both policies share: the critic of the true state, and two traps of SB3 closed."""

    def actor_network(self) -> PolicyNetwork:
        """The deterministic actor without SB3, with weights of its own: for the zoo, or for other sensors."""
        return actor_network(self)

    @property
    def privileged(self) -> bool:
        """Whether the critic reads the true state."""
        return _has_state(self.observation_space)

    def _build_mlp_extractor(self) -> None:
        super()._build_mlp_extractor()
        if isinstance(self.observation_space, spaces.Dict) and self.privileged:
            state = TrueStateExtractor(self.observation_space)
            heads = MlpExtractor(state.features_dim, self.net_arch, self.activation_fn, self.device)
            self.vf_features_extractor, self.mlp_extractor.value_net = state, heads.value_net

    def _build(self, lr_schedule: Schedule) -> None:
        # Orthogonal initialisation by SB3 would overwrite every Linear inside the invariant layer.
        orthogonal, self.ortho_init = self.ortho_init, False
        super()._build(lr_schedule)
        self.ortho_init = orthogonal
        if orthogonal:
            for module, gain in ((self.mlp_extractor, np.sqrt(2)), (self.action_net, 0.01), (self.value_net, 1.0)):
                module.apply(partial(self.init_weights, gain=gain))

    def _get_constructor_parameters(self) -> dict[str, Any]:
        # Without this, a loaded policy shares its extractor and its actor silently gets the critic's weights.
        return {**super()._get_constructor_parameters(), "share_features_extractor": self.share_features_extractor}


class AttentionNeuronPolicy(_InvariantActorCritic):
    """A permutation-invariant actor-critic for PPO and A2C, over :class:`symbench.wrappers.SensorHistory`.

    If the observation has a key ``"state"``, the value network reads that true state through its own MLP, and the
    actor never sees it ("asymmetric actor critic", Pinto et al. 2017, arXiv 1710.06542): a critic that knows which
    sensor is which learns more easily, and it is not needed to act.

    Two traps of SB3 are closed: orthogonal initialisation touches the heads only, never the AttentionNeuron layer,
    and ``policy.save`` keeps ``share_features_extractor``.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import PPO
        >>> from symbench.wrappers import SensorHistory
        >>> model = PPO(AttentionNeuronPolicy, SensorHistory(gym.make("CartPole-v1"), length=8))
        >>> model.policy.actor_network().num_sensors is None  # any number
        True
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: type[nn.Module] = nn.Tanh,
        ortho_init: bool = False,
        *,
        features_extractor_class: type[BaseFeaturesExtractor] = AttentionNeuronExtractor,
        share_features_extractor: bool = True,
        **kwargs: Any,
    ) -> None:
        """Make the policy; the parameters are those of SB3's ``ActorCriticPolicy`` with other defaults.

        Args:
            observation_space: ``Dict(sensors=Box(N, k), actions=Box(k, A))`` and perhaps ``state``.
            action_space: A Box or a Discrete space.
            lr_schedule: Learning rate as a function of the remaining progress.
            net_arch: Widths of the two heads; by default ``{"pi": [64], "vf": [64, 64]}``.
            activation_fn: Activation of the heads.
            ortho_init: Initialise the heads orthogonally (gains sqrt 2, .01 for actions and 1 for the value).
            features_extractor_class: The invariant layer.
            share_features_extractor: Whether the critic reads the actor's features; never with a ``"state"``.
            **kwargs: Further parameters of ``ActorCriticPolicy``, such as ``features_extractor_kwargs``.
        """
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            {"pi": [64], "vf": [64, 64]} if net_arch is None else net_arch,
            activation_fn,
            ortho_init,
            features_extractor_class=features_extractor_class,
            share_features_extractor=share_features_extractor and not _has_state(observation_space),
            **kwargs,
        )


class VisionAttentionNeuronPolicy(AttentionNeuronPolicy):
    """:class:`AttentionNeuronPolicy` for frames as unordered patches, over :class:`symbench.wrappers.FrameHistory`.

    Example:
        >>> import gymnasium as gym
        >>> import symbench.envs
        >>> from stable_baselines3 import PPO
        >>> from symbench.wrappers import FrameHistory
        >>> model = PPO(VisionAttentionNeuronPolicy, FrameHistory(gym.make("symbench/Pong-v0")), n_steps=128)
        >>> model.policy.actor_network().kind
        'vision-attention-neuron'
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        ortho_init: bool = False,
        *,
        features_extractor_class: type[BaseFeaturesExtractor] = VisionAttentionNeuronExtractor,
        **kwargs: Any,
    ) -> None:
        """Make the policy.

        Args:
            observation_space: ``Dict(frames=Box(k * C, H, W), previous_action=Box(A,))`` and perhaps ``mask``,
                ``state``.
            action_space: A Box or a Discrete space.
            lr_schedule: Learning rate as a function of the remaining progress.
            net_arch: Widths of the two heads; by default none, and ``[64, 64]`` for a critic of the true state.
            activation_fn: Activation of the heads; with another than ReLU a head with hidden layers cannot be exported.
            ortho_init: Initialise the heads orthogonally.
            features_extractor_class: The invariant layer, or
                :class:`~symbench.policies.sb3.vision.SetTransformerExtractor`.
            **kwargs: Further parameters of :class:`AttentionNeuronPolicy`.
        """
        default = {"pi": [], "vf": [64, 64] if _has_state(observation_space) else []}
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            default if net_arch is None else net_arch,
            activation_fn,
            ortho_init,
            features_extractor_class=features_extractor_class,
            **kwargs,
        )


class RecurrentAttentionNeuronPolicy(_InvariantActorCritic, RecurrentActorCriticPolicy):
    """The published layer in an actor-critic for RecurrentPPO, over :class:`symbench.wrappers.PreviousAction`.

    The LSTM states of the N sensors are stored as one state of N * 8 numbers. The critic has a layer of its own, or
    reads the true state if the observation has a key ``"state"``, as in :class:`AttentionNeuronPolicy`. Source of the
    layer: Tang & Ha 2021 (arXiv 2109.02869), section 3 and appendix A.

    Example:
        >>> import gymnasium as gym
        >>> from sb3_contrib import RecurrentPPO
        >>> from symbench.wrappers import PreviousAction
        >>> model = RecurrentPPO(RecurrentAttentionNeuronPolicy, PreviousAction(gym.make("CartPole-v1")))
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: type[nn.Module] = nn.Tanh,
        ortho_init: bool = False,
        *,
        layer_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the policy.

        Args:
            observation_space: ``Dict(observation=Box(N,), previous_action=Box(A,))`` and perhaps ``state``.
            action_space: A Box or a Discrete space.
            lr_schedule: Learning rate as a function of the remaining progress.
            net_arch: Widths of the two heads; by default ``{"pi": [32], "vf": [64, 64]}``. The published cart-pole
                agent has no hidden layer: ``{"pi": [], ...}``.
            activation_fn: Activation of the heads.
            ortho_init: Initialise the heads orthogonally.
            layer_kwargs: Parameters of :class:`~symbench.policies.layers.RecurrentAttentionNeuron`.
            **kwargs: Further parameters of SB3's ``ActorCriticPolicy``.
        """
        self.layer_kwargs = {"num_codes": 16, **(layer_kwargs or {})}
        privileged = _has_state(observation_space)
        kwargs = {
            "share_features_extractor": not privileged,
            "features_extractor_class": StepExtractor,
            "enable_critic_lstm": not privileged,
            **kwargs,
        }
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            {"pi": [32], "vf": [64, 64]} if net_arch is None else net_arch,
            activation_fn,
            ortho_init,
            lstm_hidden_size=self.layer_kwargs["num_codes"],
            **kwargs,
        )
        self._replace_lstms(lr_schedule)

    def _replace_lstms(self, lr_schedule: Schedule) -> None:
        step = self.pi_features_extractor
        assert isinstance(step, StepExtractor)
        make = partial(SensorLSTM, step.num_sensors, step.action_dim, **self.layer_kwargs)
        self.lstm_actor = make()  # type: ignore[assignment]  # it has the interface of the LSTM that sb3-contrib made
        if self.lstm_critic is not None:
            self.lstm_critic = make()  # type: ignore[assignment]
        if self.critic is not None:
            self.critic = nn.Identity()  # type: ignore[assignment]  # the true state goes to the head as it is
        self.lstm_hidden_state_shape = (1, 1, self.lstm_actor.hidden_size)
        optimizer_kwargs: dict[str, Any] = {**self.optimizer_kwargs, "lr": lr_schedule(1)}
        self.optimizer = self.optimizer_class(self.parameters(), **optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        return {**super()._get_constructor_parameters(), "layer_kwargs": self.layer_kwargs}


def _has_state(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Dict) and STATE in space.spaces
