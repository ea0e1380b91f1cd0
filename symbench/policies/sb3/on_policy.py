"""Actor-critics for PPO, A2C, TRPO and MaskablePPO over any network without a memory of its own.

* :class:`NetworkActorCriticPolicy` - for PPO, A2C, TRPO
* :class:`EquivariantGraphPolicy` - the same, for scenes of bodies unless told otherwise
* :class:`NetworkMaskablePolicy` - for sb3-contrib's MaskablePPO
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from gymnasium import spaces
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor, nn

from symbench.policies.critics import Critic, StateValue
from symbench.policies.sb3.bridge import STATE, NetworkPolicy, has_state, seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stable_baselines3.common.type_aliases import Schedule

    from symbench.policies.policy_network import Observations, PolicyNetwork


class Heads(nn.Module):
    """A network's logits and values, with the interface of SB3's ``MlpExtractor``.

    Values are of the network's own features, of the features of an encoder of their own, or of the true state if
    observations show it.
    """

    def __init__(self, network: PolicyNetwork, value: nn.Module) -> None:
        """Join both."""
        super().__init__()
        self.network, self.value = network, value

    def forward(self, observations: Observations) -> tuple[Tensor, Tensor]:
        """Logits (B, L) and values (B, 1)."""
        features = self._features(observations)
        return self.network.decide(features, ())[0], self._values(observations, features)

    def forward_actor(self, observations: Observations) -> Tensor:
        """Logits (B, L)."""
        return self.network.decide(self._features(observations), ())[0]

    def forward_critic(self, observations: Observations) -> Tensor:
        """Values (B, 1)."""
        own = isinstance(self.value, (Critic, StateValue))
        return self._values(observations, None if own else self._features(observations))

    def _features(self, observations: Observations) -> Tensor:
        return self.network.features(*self.network.remembered(seen(observations)))

    def _values(self, observations: Observations, features: Tensor | None) -> Tensor:
        if isinstance(self.value, StateValue):
            assert isinstance(observations, dict)
            return self.value(observations[STATE])  # type: ignore[no-any-return]
        return self.value(seen(observations) if isinstance(self.value, Critic) else features)  # type: ignore[no-any-return]


class ActorCritic(NetworkPolicy):
    """What the actor-critics here add to those of SB3; a mixin.

    Further ``policy_kwargs``: ``share_encoder``, whether the critic reads the network's features (the default) or has
    an encoder of its own. If the observation is a Dict with a key ``"state"``, the critic reads that true state, and
    the actor never sees it; see :class:`~symbench.policies.critics.StateValue`.
    """

    mlp_extractor: Heads

    def __init__(self, *args: Any, share_encoder: bool = True, **kwargs: Any) -> None:
        """Make the policy; see the class and :class:`~symbench.policies.sb3.bridge.NetworkPolicy`."""
        self.share_encoder = share_encoder
        super().__init__(*args, **kwargs)
        self._own = {**self._own, "share_encoder": share_encoder}

    @property
    def network(self) -> PolicyNetwork:
        """See :attr:`NetworkPolicy.network`."""
        return self.mlp_extractor.network

    @property
    def log_std(self) -> Tensor:
        """Logarithms of the actions' deviations, (A,)."""
        if not hasattr(self, "deviations"):
            raise AttributeError("discrete actions have no log_std")
        return self.deviations()  # type: ignore[no-any-return]

    def _build(self, lr_schedule: Schedule) -> None:
        policy: Any = self  # one of SB3's
        network = self._make_network()
        policy.mlp_extractor = Heads(network, self._make_value(network))
        policy.action_net, policy.value_net = nn.Identity(), nn.Identity()  # the heads have said all
        if isinstance(self.action_space, spaces.Box):
            policy.deviations = network.log_std(policy.log_std_init)
        if network.ortho_init:
            orthogonal(network.head, 0.01)
            orthogonal(self.mlp_extractor.value, 1.0)
        policy.optimizer = policy.optimizer_class(policy.parameters(), lr=lr_schedule(1), **policy.optimizer_kwargs)

    def _make_value(self, network: PolicyNetwork) -> nn.Module:
        if has_state(self.observation_space):
            assert isinstance(self.observation_space, spaces.Dict)
            return StateValue(spaces.flatdim(self.observation_space[STATE]), self.critic_hidden)
        if self.share_encoder:
            return network.value_head(self.critic_hidden)
        return Critic(self._make_network(), self.critic_hidden, of_actions=False)


# SB3 declares heads of its own, and a parameter where there is a property here.
class NetworkActorCriticPolicy(ActorCritic, ActorCriticPolicy):  # type: ignore[misc]
    """An actor-critic for PPO, A2C and TRPO; ``policy_kwargs`` are those of :class:`ActorCritic`.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import PPO
        >>> from symbench.wrappers import SensorHistory
        >>> env = SensorHistory(gym.make("CartPole-v1"), length=8)
        >>> model = PPO(NetworkActorCriticPolicy, env, policy_kwargs={"network": "attention-neuron"})
        >>> model.policy.network.num_sensors is None  # any number
        True
    """

    def named_parameters(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, nn.Parameter]]:
        """TRPO's step of the policy leaves out what has "value" in its name, which must be the critic alone."""
        for name, parameter in super().named_parameters(*args, **kwargs):
            of_critic = name.startswith("mlp_extractor.value.")
            yield name if of_critic else name.replace("value", "content"), parameter


class EquivariantGraphPolicy(NetworkActorCriticPolicy):
    """:class:`NetworkActorCriticPolicy` whose network, unless another is named, is ``"equivariant-graph"``.

    The mean action turns with the scene, and so does its noise, one deviation for all: the policy is equivariant while
    it explores, up to the bounds of each force's coordinates, to which SB3 cuts what it drew. SAC trains the same
    network with ``NetworkSACPolicy, policy_kwargs={"network": "equivariant-graph"}``, but squashes each coordinate by a
    tanh, which is no ball: then only what permutes axes or changes their signs remains of the rotations.

    Example:
        >>> from stable_baselines3 import PPO
        >>> model = PPO(EquivariantGraphPolicy, "symbench/ParticleSpread-v0", n_steps=64, device="cpu")
        >>> model.policy.network.agents
        3
    """

    def __init__(self, *args: Any, network: str | Mapping[str, Any] = "equivariant-graph", **kwargs: Any) -> None:
        """Make the policy; see :class:`NetworkActorCriticPolicy`."""
        super().__init__(*args, network=network, **kwargs)


class NetworkMaskablePolicy(ActorCritic, MaskableActorCriticPolicy):  # type: ignore[misc]
    """The same for sb3-contrib's MaskablePPO, whose environments say by ``action_masks()`` what is allowed."""


def orthogonal(layers: nn.Module, last: float) -> None:
    """Orthogonal weights, with gain sqrt 2 and, in the last layer, another one; biases are 0."""
    linears = [layer for layer in layers.modules() if isinstance(layer, nn.Linear)]
    for layer in linears:
        nn.init.orthogonal_(layer.weight, last if layer is linears[-1] else 2.0**0.5)
        if layer.bias is not None:
            torch.nn.init.zeros_(layer.bias)
