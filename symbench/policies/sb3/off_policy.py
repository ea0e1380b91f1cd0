"""Values and actors for DQN, QRDQN, SAC, TQC, TD3 and DDPG over any network without a memory of its own.

* :class:`NetworkDQNPolicy`, :class:`NetworkQRDQNPolicy` - action values, and their quantiles
* :class:`NetworkSACPolicy`, :class:`NetworkTQCPolicy` - actors with deviations, and critics
* :class:`NetworkTD3Policy` - deterministic actors and critics, for TD3 and DDPG
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from sb3_contrib.qrdqn.policies import QRDQNPolicy, QuantileNetwork
from sb3_contrib.tqc.policies import Critic as TQCCritic
from sb3_contrib.tqc.policies import TQCPolicy
from stable_baselines3.common.policies import ContinuousCritic
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch import Tensor, nn

from symbench.policies.sb3.bridge import Last, Latent, Logits, NetworkPolicy, seen

if TYPE_CHECKING:
    from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
    from stable_baselines3.common.type_aliases import PyTorchObs

    from symbench.policies.policy_network import PolicyNetwork


class NetworkDQNPolicy(NetworkPolicy, DQNPolicy):
    """Action values for DQN; ``policy_kwargs`` are those of :class:`NetworkPolicy`.

    Example:
        >>> from stable_baselines3 import DQN
        >>> mirror = {"network": {"symmetry": "CartPole-v1"}}
        >>> model = DQN(NetworkDQNPolicy, "CartPole-v1", policy_kwargs=mirror, buffer_size=100)
        >>> model.policy.network.kind
        'equivariant-mlp'
    """

    values_choices = True

    @property
    def network(self) -> PolicyNetwork:
        """See :attr:`NetworkPolicy.network`."""
        return self.q_net.q_net.network  # type: ignore[return-value]

    def make_q_net(self) -> QNetwork:
        """A network with weights of its own."""
        made = super().make_q_net()
        made.q_net = Logits(self._make_network()).to(self.device)  # type: ignore[assignment]
        return made


class NetworkQRDQNPolicy(NetworkPolicy, QRDQNPolicy):
    """Quantiles of action values for sb3-contrib's QRDQN; ``n_quantiles`` may be given, too."""

    values_choices = True

    @property
    def network(self) -> PolicyNetwork:
        """See :attr:`NetworkPolicy.network`."""
        return self.quantile_net.quantile_net.network  # type: ignore[return-value]

    def make_quantile_net(self) -> QuantileNetwork:
        """A network with weights of its own."""
        made = super().make_quantile_net()
        made.quantile_net = Logits(self._make_network(made.n_quantiles)).to(self.device)  # type: ignore[assignment]
        return made


class Critics(ContinuousCritic):
    """Critics of observations and actions, each with an encoder of its own."""

    def forward(self, obs: PyTorchObs, actions: Tensor) -> tuple[Tensor, ...]:
        """Values of all critics, (B, 1) each."""
        observations = seen(self.extract_features(obs, self.features_extractor))
        return tuple(critic(observations, actions) for critic in self.q_networks)

    def q1_forward(self, obs: PyTorchObs, actions: Tensor) -> Tensor:
        """Values of the first critic, (B, 1)."""
        return self.q_networks[0](seen(self.extract_features(obs, self.features_extractor)), actions)  # type: ignore[no-any-return]


class QuantileCritics(TQCCritic):
    """Critics that say quantiles."""

    def forward(self, obs: PyTorchObs, action: Tensor) -> Tensor:
        """Quantiles of all critics, (B, critics, quantiles)."""
        observations = seen(self.extract_features(obs, self.features_extractor))
        return torch.stack([critic(observations, action) for critic in self.q_networks], dim=1)


class _Continuous(NetworkPolicy):
    """Actors and critics of continuous actions; SB3's, whose layers are replaced."""

    squash = "tanh"
    critic_widths = (256, 256)

    def _with_critics(self, made: Any, outputs: int = 1) -> Any:
        for i in range(made.n_critics):
            made.q_networks[i] = self._make_critic(outputs).to(self.device)  # type: ignore[attr-defined]
            made.add_module(f"qf{i}", made.q_networks[i])
        return made

    def _with_deviations(self, made: Any) -> Any:
        network = self._make_network()
        made.latent_pi, made.mu, made.log_std = Latent(network), Last(network), network.log_std_head()
        return made.to(self.device)  # type: ignore[attr-defined]


class NetworkSACPolicy(_Continuous, SACPolicy):
    """Actor and critics for SAC; ``policy_kwargs`` are those of :class:`NetworkPolicy`.

    Actions are squashed by a tanh of each number. That is no ball: forces of ``"equivariant-graph"`` then turn with the
    scene by what permutes axes or changes their signs only.

    Example:
        >>> from stable_baselines3 import SAC
        >>> mirror = {"network": {"symmetry": "Pendulum-v1"}}
        >>> model = SAC(NetworkSACPolicy, "Pendulum-v1", policy_kwargs=mirror, buffer_size=100)
    """

    @property
    def network(self) -> PolicyNetwork:
        """See :attr:`NetworkPolicy.network`."""
        return self.actor.latent_pi.network  # type: ignore[return-value]

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> Any:
        """An actor with weights of its own."""
        return self._with_deviations(super().make_actor(features_extractor))

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> Critics:
        """Critics with weights of their own."""
        made = Critics(**self._update_features_extractor(self.critic_kwargs, features_extractor)).to(self.device)
        return self._with_critics(made)  # type: ignore[no-any-return]


class NetworkTQCPolicy(_Continuous, TQCPolicy):
    """The same for sb3-contrib's TQC, whose critics say quantiles."""

    @property
    def network(self) -> PolicyNetwork:
        """See :attr:`NetworkPolicy.network`."""
        return self.actor.latent_pi.network  # type: ignore[return-value]

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> Any:
        """An actor with weights of its own."""
        return self._with_deviations(super().make_actor(features_extractor))

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> QuantileCritics:
        """Critics with weights of their own."""
        kwargs = self._update_features_extractor(self.critic_kwargs, features_extractor)
        made = QuantileCritics(**kwargs).to(self.device)
        return self._with_critics(made, made.n_quantiles)  # type: ignore[no-any-return]


class NetworkTD3Policy(_Continuous, TD3Policy):
    """A deterministic actor and critics for TD3 and DDPG; ``policy_kwargs`` are those of :class:`NetworkPolicy`."""

    @property
    def network(self) -> PolicyNetwork:
        """See :attr:`NetworkPolicy.network`."""
        return self.actor.mu[0].network  # type: ignore[return-value]

    def make_actor(self, features_extractor: BaseFeaturesExtractor | None = None) -> Any:
        """An actor with weights of its own."""
        made = super().make_actor(features_extractor)
        made.mu = nn.Sequential(Logits(self._make_network()), nn.Tanh()).to(self.device)
        return made

    def make_critic(self, features_extractor: BaseFeaturesExtractor | None = None) -> Critics:
        """Critics with weights of their own."""
        made = Critics(**self._update_features_extractor(self.critic_kwargs, features_extractor)).to(self.device)
        return self._with_critics(made)  # type: ignore[no-any-return]
