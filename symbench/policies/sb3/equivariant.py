"""Equivariant policies for Stable-Baselines3: what a group does to observations, they do to actions.

* :class:`EquivariantActorCriticPolicy` - for PPO and A2C
* :class:`EquivariantQPolicy` - for DQN
* :class:`EquivariantSACPolicy` - for SAC

Each takes ``symmetry``: an environment's id, to look it up in the catalogue, a
:class:`~symbench.symmetry.SymmetryPair`, or plain data as :mod:`symbench.policies.equivariant.symmetries` has them. A
name is looked up again when a model is loaded; data mean the same for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stable_baselines3.common.distributions import DiagGaussianDistribution
from stable_baselines3.common.policies import ActorCriticPolicy, ContinuousCritic
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from stable_baselines3.sac.policies import Actor, SACPolicy
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.equivariant.bodies import EquivariantMLP, Vector
from symbench.policies.equivariant.symmetries import symmetry_data
from symbench.policies.sb3.equivariant_layers import (
    Heads,
    LogStd,
    TiedLogStd,
    Together,
    acting_on,
    actor_of,
    copy_actor,
    extractor_for,
    reader_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gymnasium import spaces
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
    from stable_baselines3.common.type_aliases import PyTorchObs, Schedule

    from symbench.policies.networks import PolicyNetwork
    from symbench.symmetry import SymmetryPair

    Symmetry = SymmetryPair | str | Mapping[str, Any]

_ACTIVATIONS: dict[type[nn.Module], str] = {nn.ReLU: "relu", nn.Tanh: "tanh"}


class EquivariantActorCriticPolicy(ActorCriticPolicy):
    """An actor-critic for PPO and A2C with K_g pi(s) = pi(L_g s) and V(L_g s) = V(s), whatever its weights.

    The deviation of continuous actions is one number for all that the group mixes. Pictures are read by group
    convolutions. Source: van der Pol et al. 2020 (arXiv 2006.16908).

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import PPO
        >>> env = gym.make("CartPole-v1")
        >>> model = PPO(EquivariantActorCriticPolicy, env, policy_kwargs={"symmetry": "CartPole-v1"})
        >>> model.policy.actor_network().kind
        'equivariant-mlp'
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        *,
        symmetry: Symmetry,
        layer_kwargs: dict[str, Any] | None = None,
        features_extractor_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the policy; the parameters that are not listed are those of SB3's ``ActorCriticPolicy``.

        Args:
            observation_space: A Box: a vector, or pictures (C, H, W).
            action_space: A Box that the group maps to itself, or a Discrete space.
            lr_schedule: Learning rate as a function of the remaining progress.
            net_arch: Channels of the hidden layers of actor and critic; a channel is |G| numbers. By default
                ``{"pi": [64, 64], "vf": [64, 64]}``.
            activation_fn: ``nn.ReLU`` or ``nn.Tanh``.
            symmetry: See the module.
            layer_kwargs: ``basis``, ``init`` and ``bias_init`` of
                :class:`~symbench.policies.equivariant.BasisLinear`.
            features_extractor_kwargs: ``conv`` and ``pool`` of the convolutions that read pictures.
            **kwargs: Further parameters of ``ActorCriticPolicy``; ``ortho_init`` has no effect, and gSDE is refused.

        Raises:
            SymbenchError: The symmetry is unknown or does not fit the spaces, or an option would break it.
        """
        self.symmetry, self.layer_kwargs = symmetry_data(symmetry), layer_kwargs or {}
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            {"pi": [64, 64], "vf": [64, 64]} if net_arch is None else net_arch,
            activation_fn,
            **_prepared(self.symmetry, features_extractor_kwargs, {**kwargs, "ortho_init": False}),
        )

    mlp_extractor: Heads  # type: ignore[assignment]  # it has the interface of SB3's

    @property
    def log_std(self) -> Tensor:  # type: ignore[override]  # SB3 only reads it
        """Logarithms of the actions' deviations, (A,)."""
        if not hasattr(self, "tied_log_std"):
            raise AttributeError("discrete actions have no log_std")
        return self.tied_log_std()  # type: ignore[no-any-return]

    def actor_network(self) -> PolicyNetwork:
        """The deterministic actor without SB3, with weights of its own: for the zoo."""
        hidden, activation = self.mlp_extractor.arch["pi"], _activation(self.activation_fn)
        network = actor_of(self, reader_of(self), hidden, activation, "clip", self.layer_kwargs)
        return copy_actor(network, reader_of(self), self.mlp_extractor.policy_net, self.action_net)

    def _build_mlp_extractor(self) -> None:
        activation = _activation(self.activation_fn)
        self.mlp_extractor = Heads(reader_of(self), self.net_arch, activation, self.layer_kwargs)

    def _build(self, lr_schedule: Schedule) -> None:
        self._build_mlp_extractor()
        rep = acting_on(self.symmetry, self.action_space)
        heads = self.mlp_extractor
        self.action_net = Vector(heads.latent_dim_pi, heads.policy_net.rep, rep, **self.layer_kwargs)
        value_net = Vector(heads.latent_dim_vf, heads.value_net.rep, heads.invariant, **self.layer_kwargs)
        self.value_net = value_net  # type: ignore[assignment]
        if isinstance(self.action_dist, DiagGaussianDistribution):
            self.tied_log_std = TiedLogStd(rep, self.log_std_init)
        optimizer_kwargs: dict[str, Any] = {**self.optimizer_kwargs, "lr": lr_schedule(1)}
        self.optimizer = self.optimizer_class(self.parameters(), **optimizer_kwargs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters = super()._get_constructor_parameters()
        parameters |= {"symmetry": self.symmetry, "layer_kwargs": self.layer_kwargs}
        return _saved(parameters, share_features_extractor=self.share_features_extractor)


class EquivariantQNetwork(QNetwork):
    """Action values with Q(L_g s) = K_g Q(s)."""

    def __init__(self, *args: Any, symmetry: dict[str, Any], layer_kwargs: dict[str, Any], **kwargs: Any) -> None:
        """Make the network; further parameters are those of SB3's ``QNetwork``."""
        super().__init__(*args, **kwargs)
        reader, rep = reader_of(self), acting_on(symmetry, self.action_space)
        body = EquivariantMLP(
            reader.rep, self.net_arch, _activation(self.activation_fn), reader.channels, **layer_kwargs
        )
        self.q_net = nn.Sequential(body, Vector(body.channels, body.rep, rep, **layer_kwargs))


class EquivariantQPolicy(DQNPolicy):
    """Action values for DQN with Q(L_g s) = K_g Q(s), whatever the weights.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import DQN
        >>> env = gym.make("CartPole-v1")
        >>> model = DQN(EquivariantQPolicy, env, policy_kwargs={"symmetry": "CartPole-v1"}, buffer_size=100)
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        net_arch: list[int] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        *,
        symmetry: Symmetry,
        layer_kwargs: dict[str, Any] | None = None,
        features_extractor_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the policy; the parameters are those of :class:`EquivariantActorCriticPolicy` and SB3's ``DQNPolicy``.

        Raises:
            SymbenchError: The symmetry is unknown or does not fit the spaces.
        """
        self.symmetry, self.layer_kwargs = symmetry_data(symmetry), layer_kwargs or {}
        prepared = _prepared(self.symmetry, features_extractor_kwargs, kwargs)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            [64, 64] if net_arch is None else net_arch,
            activation_fn,
            **prepared,
        )

    def make_q_net(self) -> QNetwork:
        """A network with weights of its own."""
        net_args = self._update_features_extractor(self.net_args, features_extractor=None)
        return EquivariantQNetwork(**net_args, symmetry=self.symmetry, layer_kwargs=self.layer_kwargs).to(self.device)

    def actor_network(self) -> PolicyNetwork:
        """The greedy actor without SB3, with weights of its own: for the zoo."""
        reader, activation = reader_of(self.q_net), _activation(self.activation_fn)
        network = actor_of(self, reader, self.net_arch, activation, "discrete", self.layer_kwargs)
        return copy_actor(network, reader, *self.q_net.q_net)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters = super()._get_constructor_parameters()
        return _saved({**parameters, "symmetry": self.symmetry, "layer_kwargs": self.layer_kwargs})


class EquivariantActor(Actor):
    """SAC's actor: the mean moves with the action, the deviation with its size."""

    def __init__(self, *args: Any, symmetry: dict[str, Any], layer_kwargs: dict[str, Any], **kwargs: Any) -> None:
        """Make the network; further parameters are those of SB3's ``Actor``."""
        super().__init__(*args, **kwargs)
        reader, rep = reader_of(self), acting_on(symmetry, self.action_space)
        body = EquivariantMLP(
            reader.rep, self.net_arch, _activation(self.activation_fn), reader.channels, **layer_kwargs
        )
        self.latent_pi = body
        self.mu = Vector(body.channels, body.rep, rep, **layer_kwargs)
        self.log_std = LogStd(body.channels, body.rep, rep, **layer_kwargs)  # type: ignore[assignment]


class EquivariantCritic(ContinuousCritic):
    """SAC's critics: Q(L_g s, K_g a) = Q(s, a)."""

    def __init__(self, *args: Any, symmetry: dict[str, Any], layer_kwargs: dict[str, Any], **kwargs: Any) -> None:
        """Make the networks; further parameters are those of SB3's ``ContinuousCritic``."""
        super().__init__(*args, **kwargs)
        rep = acting_on(symmetry, self.action_space)
        widths = kwargs["net_arch"]
        for i in range(self.n_critics):
            activation = _activation(kwargs["activation_fn"])
            self.q_networks[i] = Together(reader_of(self), rep, widths, activation, layer_kwargs)
            self.add_module(f"qf{i}", self.q_networks[i])

    def forward(self, obs: PyTorchObs, actions: Tensor) -> tuple[Tensor, ...]:
        """Values of all critics, (B, 1) each."""
        features = self.extract_features(obs, self.features_extractor)
        if self.share_features_extractor:
            features = features.detach()
        return tuple(q_network(features, actions) for q_network in self.q_networks)

    def q1_forward(self, obs: PyTorchObs, actions: Tensor) -> Tensor:
        """Values of the first critic, (B, 1)."""
        features = self.extract_features(obs, self.features_extractor).detach()
        return self.q_networks[0](features, actions)  # type: ignore[no-any-return]


class EquivariantSACPolicy(SACPolicy):
    """Actor and critics for SAC: K_g pi(s) = pi(L_g s), deviations included, and Q(L_g s, K_g a) = Q(s, a).

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import SAC
        >>> env = gym.make("Pendulum-v1")
        >>> model = SAC(EquivariantSACPolicy, env, policy_kwargs={"symmetry": "Pendulum-v1"}, buffer_size=100)
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Box,
        lr_schedule: Schedule,
        net_arch: list[int] | dict[str, list[int]] | None = None,
        activation_fn: type[nn.Module] = nn.ReLU,
        *,
        symmetry: Symmetry,
        layer_kwargs: dict[str, Any] | None = None,
        features_extractor_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the policy; the parameters are those of :class:`EquivariantActorCriticPolicy` and SB3's ``SACPolicy``.

        Args:
            observation_space: A Box: a vector, or pictures (C, H, W).
            action_space: A Box that the group maps to itself.
            lr_schedule: Learning rate as a function of the remaining progress.
            net_arch: Channels of the hidden layers; by default ``[128, 128]``.
            activation_fn: ``nn.ReLU`` or ``nn.Tanh``.
            symmetry: See the module.
            layer_kwargs: See :class:`EquivariantActorCriticPolicy`.
            features_extractor_kwargs: The same.
            **kwargs: Further parameters of ``SACPolicy``; gSDE is refused.

        Raises:
            SymbenchError: The symmetry is unknown or does not fit the spaces, or an option would break it.
        """
        self.symmetry, self.layer_kwargs = symmetry_data(symmetry), layer_kwargs or {}
        prepared = _prepared(self.symmetry, features_extractor_kwargs, kwargs)
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            [128, 128] if net_arch is None else net_arch,
            activation_fn,
            **prepared,
        )

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> Actor:
        """An actor with weights of its own."""
        actor_kwargs = self._update_features_extractor(self.actor_kwargs, features_extractor)
        return EquivariantActor(**actor_kwargs, symmetry=self.symmetry, layer_kwargs=self.layer_kwargs).to(self.device)

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> ContinuousCritic:
        """Critics with weights of their own."""
        critic_kwargs = self._update_features_extractor(self.critic_kwargs, features_extractor)
        return EquivariantCritic(**critic_kwargs, symmetry=self.symmetry, layer_kwargs=self.layer_kwargs).to(
            self.device
        )

    def actor_network(self) -> PolicyNetwork:
        """The deterministic actor without SB3, with weights of its own: for the zoo."""
        actor, activation = self.actor, _activation(self.activation_fn)
        network = actor_of(self, reader_of(actor), actor.net_arch, activation, "tanh", self.layer_kwargs)
        return copy_actor(network, reader_of(actor), actor.latent_pi, actor.mu)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters = super()._get_constructor_parameters()
        parameters |= {"symmetry": self.symmetry, "layer_kwargs": self.layer_kwargs}
        return _saved(parameters, share_features_extractor=self.share_features_extractor)


def _prepared(symmetry: dict[str, Any], extractor: dict[str, Any] | None, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments for SB3: the extractor that reads what the group acts on, and no gSDE."""
    if kwargs.get("use_sde"):
        raise SymbenchError("use_sde=True is not equivariant: its noise is a plain linear map of the features")
    made = {"features_extractor_class": extractor_for(symmetry)}
    return {**kwargs, **made, "features_extractor_kwargs": {**(extractor or {}), "symmetry": symmetry}}


def _saved(parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What the constructors here take: they choose the extractor themselves."""
    own = dict(parameters["features_extractor_kwargs"])
    own.pop("symmetry", None)
    dropped = ("features_extractor_class", "ortho_init")
    kept = {name: value for name, value in parameters.items() if name not in dropped}
    return {**kept, "features_extractor_kwargs": own, **more}


def _activation(activation_fn: type[nn.Module]) -> str:
    if activation_fn not in _ACTIVATIONS:
        raise SymbenchError(f"activation_fn must be nn.ReLU or nn.Tanh, received {activation_fn.__name__}")
    return _ACTIVATIONS[activation_fn]
