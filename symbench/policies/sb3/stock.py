"""The network of a model of Stable-Baselines3: its own, or one made of SB3's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import FlattenExtractor, NatureCNN
from stable_baselines3.dqn.policies import DQNPolicy
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch import nn

from symbench.policies.actions import action_head
from symbench.policies.attention_neuron import ACTIVATIONS
from symbench.policies.policy_network import MLPNetwork, PolicyNetwork
from symbench.policies.sb3.bridge import NetworkPolicy
from symbench.policies.spaces import form
from symbench.policies.vision import NatureCNNNetwork

if TYPE_CHECKING:
    from collections.abc import Iterable


def actor_network(model: BaseAlgorithm | BasePolicy) -> PolicyNetwork:
    """The deterministic policy of a model, without SB3: for the zoo, or for other numbers of sensors.

    Of a policy of :mod:`symbench.policies.sb3` it is the very network that trains. The ``"MlpPolicy"`` and
    ``"CnnPolicy"`` of PPO, A2C, DQN, SAC and TD3 are copied; stacked frames are then remembered. A stack of 3, 6, 9,
    ... channels is taken for RGB frames, any other for grey ones.

    Raises:
        ValueError: The policy is none of these; the message says which part.
    """
    policy: Any = model.policy if isinstance(model, BaseAlgorithm) else model
    if isinstance(policy, NetworkPolicy):
        return policy.network
    extractor, head, squash = _actor(policy)
    action = action_head(policy.action_space, squash=squash)
    names = [name for name, activation in ACTIVATIONS.items() if activation is policy.activation_fn]
    if not names:
        raise ValueError(f"activation_fn must be one of {tuple(ACTIVATIONS)}, received {policy.activation_fn.__name__}")
    hidden = [layer.out_features for layer in head[:-1]]
    if isinstance(extractor, NatureCNN):
        return _convolutional(extractor, head, hidden, names[0], action)
    read = policy.observation_space
    if not isinstance(extractor, FlattenExtractor) or hasattr(policy, "lstm_actor") or len(read.shape or ()) != 1:
        raise ValueError(f"only vectors and stacked frames can be taken over, received {form(read)}")
    network = MLPNetwork(extractor.features_dim, action, hidden, names[0])
    _copy(head, network.head)
    return network


def _convolutional(
    extractor: NatureCNN, head: list[nn.Linear], hidden: list[int], activation: str, action: Any
) -> NatureCNNNetwork:
    planes, height, width = extractor._observation_space.shape or ()
    if height != width:
        raise ValueError(f"only square frames can be taken over, received {height}x{width}")
    if hidden and activation != "relu":
        raise ValueError("behind convolutions only ReLU can be taken over: train with net_arch=[] or torch.nn.ReLU")
    channels = 1 if planes % 3 else 3
    sizes: dict[str, Any] = {"size": height, "channels": channels, "history": planes // channels, "blank_start": True}
    network = NatureCNNNetwork(action, hidden=(extractor.features_dim, *hidden), **sizes)
    network.conv.load_state_dict(extractor.cnn.state_dict())
    _copy([*_linears([extractor.linear]), *head], network.head)
    return network


def _actor(policy: nn.Module) -> tuple[nn.Module, list[nn.Linear], str]:
    """The features extractor, the linear layers behind it, and what becomes of a continuous output."""
    if isinstance(policy, ActorCriticPolicy):
        head = [policy.mlp_extractor.policy_net, policy.action_net]
        return policy.pi_features_extractor, _linears(head), "tanh" if policy.squash_output else "clip"
    if isinstance(policy, DQNPolicy):
        return policy.q_net.features_extractor, _linears([policy.q_net.q_net]), "clip"
    if isinstance(policy, SACPolicy) and not policy.actor.use_sde:
        return policy.actor.features_extractor, _linears([policy.actor.latent_pi, policy.actor.mu]), "tanh"
    if isinstance(policy, TD3Policy):
        return policy.actor.features_extractor, _linears([policy.actor.mu]), "tanh"
    raise ValueError(
        f"policies of PPO, A2C, DQN, SAC (without gSDE) and TD3 can be taken over, received {type(policy).__name__}"
    )


def _copy(layers: Iterable[nn.Linear], target: nn.Module) -> None:
    for source, layer in zip(layers, _linears([target]), strict=True):
        layer.load_state_dict(source.state_dict())


def _linears(modules: Iterable[nn.Module]) -> list[nn.Linear]:
    return [layer for module in modules for layer in module.modules() if isinstance(layer, nn.Linear)]
