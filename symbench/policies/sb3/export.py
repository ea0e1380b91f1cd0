"""Trained SB3 actors as torch modules without SB3, which act on other numbers of sensors and can be saved safely.

* :func:`actor_network` - the actor of any model with an AttentionNeuron layer, a layer that reads patches, an
  equivariant policy, ``"MlpPolicy"`` or ``"CnnPolicy"``
* :func:`mlp_network` - the same, for ``"MlpPolicy"`` only
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.torch_layers import FlattenExtractor, NatureCNN
from stable_baselines3.dqn.policies import DQNPolicy
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch import nn

from symbench.policies.attention_networks import AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork
from symbench.policies.layers import ACTIVATIONS
from symbench.policies.networks import MLPNetwork, PolicyNetwork, SensorNetwork
from symbench.policies.sb3.equivariant import (
    EquivariantActorCriticPolicy,
    EquivariantQPolicy,
    EquivariantSACPolicy,
)
from symbench.policies.sb3.layers import AttentionNeuronExtractor, SensorLSTM
from symbench.policies.sb3.vision import PatchExtractor
from symbench.policies.spaces import form
from symbench.policies.vision import NatureCNNNetwork
from symbench.policies.vision.heads import ConvHead

if TYPE_CHECKING:
    from collections.abc import Iterable


def actor_network(model: BaseAlgorithm | BasePolicy) -> PolicyNetwork:
    """The deterministic actor of a model of PPO, A2C, DQN, SAC, TD3 or RecurrentPPO, with weights of its own.

    It gives the actions of ``model.predict(..., deterministic=True)``. Networks with an AttentionNeuron layer read
    plain sensors and remember by themselves what ``SensorHistory`` or ``PreviousAction`` showed to the model; those
    that read frames remember what ``FrameHistory`` or ``VecFrameStack`` showed. A stack of 3, 6, 9, ... channels under
    ``"CnnPolicy"`` is taken for RGB frames, any other for grey ones.

    Raises:
        ValueError: The policy is none of those that can be exported; the message says which part.
    """
    policy = model.policy if isinstance(model, BaseAlgorithm) else model
    if isinstance(policy, (EquivariantActorCriticPolicy, EquivariantQPolicy, EquivariantSACPolicy)):
        return policy.actor_network()
    extractor, head, output = _actor(policy)
    action = _action_config(policy, output)
    if not hasattr(policy, "lstm_actor") and isinstance(extractor, PatchExtractor):
        return _patch_network(extractor, head, {**action, **_relu_config(policy, head, extractor.features_dim)})
    if not hasattr(policy, "lstm_actor") and isinstance(extractor, NatureCNN):
        return _nature_cnn(extractor, head, {**action, **_relu_config(policy, head, extractor.features_dim)})
    return _sensor_network(policy, extractor, head, {**_head_config(policy, head), **action})


def _sensor_network(policy: Any, extractor: nn.Module, head: list[nn.Linear], config: dict[str, Any]) -> PolicyNetwork:
    lstm = getattr(policy, "lstm_actor", None)
    network: SensorNetwork
    if isinstance(lstm, SensorLSTM):
        network = RecurrentAttentionNeuronNetwork(**lstm.config, **config)
        network.layer.load_state_dict(lstm.layer.state_dict())
    elif isinstance(extractor, AttentionNeuronExtractor):
        network = AttentionNeuronNetwork(**extractor.config, key_activation=extractor.activation, **config)
        network.layer.load_state_dict(extractor.layer.state_dict())
    elif isinstance(extractor, FlattenExtractor) and lstm is None and len(policy.observation_space.shape or ()) == 1:
        network = MLPNetwork(extractor.features_dim, **config)
    else:
        read = f"{form(policy.observation_space)} through {type(extractor).__name__}"
        raise ValueError(
            "only an AttentionNeuron layer or a vector read by an MLP, patches or stacked frames can be exported, "
            f"received {read}"
        )
    _copy(head, [network.head])
    return network


def _patch_network(extractor: PatchExtractor, head: list[nn.Linear], config: dict[str, Any]) -> PolicyNetwork:
    network = extractor.network_class(**extractor.config, **config)
    assert isinstance(network.head, ConvHead)
    network.layer.load_state_dict(extractor.layer.state_dict())
    network.head.conv.load_state_dict(extractor.head.conv.state_dict())
    _copy([*_linears([extractor.head.dense]), *head], [network.head.dense])
    return network


def _nature_cnn(extractor: NatureCNN, head: list[nn.Linear], config: dict[str, Any]) -> PolicyNetwork:
    planes, height, width = extractor._observation_space.shape or ()
    if height != width:
        raise ValueError(f"only square frames can be exported, received {height}x{width}")
    channels = 1 if planes % 3 else 3
    network = NatureCNNNetwork(size=height, channels=channels, history=planes // channels, blank_start=True, **config)
    network.conv.load_state_dict(extractor.cnn.state_dict())
    _copy([*_linears([extractor.linear]), *head], [network.head])
    return network


def _copy(layers: Iterable[nn.Linear], targets: Iterable[nn.Module]) -> None:
    for source, target in zip(layers, _linears(targets), strict=True):
        target.load_state_dict(source.state_dict())


def mlp_network(model: BaseAlgorithm) -> MLPNetwork:
    """The actor of a model with ``"MlpPolicy"``; its actions are clipped or squashed to the space, as SB3 does.

    Raises:
        ValueError: The model has another policy, or reads something else than a vector.
    """
    network = actor_network(model)
    if not isinstance(network, MLPNetwork):
        raise ValueError(f"a model with 'MlpPolicy' is needed, received {type(model.policy).__name__}")
    return network


def _actor(policy: nn.Module) -> tuple[nn.Module, list[nn.Linear], str]:
    """The features extractor, the linear layers behind it, and what makes an action of a continuous output."""
    if isinstance(policy, ActorCriticPolicy):
        head = [policy.mlp_extractor.policy_net, policy.action_net]
        return policy.pi_features_extractor, _linears(head), "tanh" if policy.squash_output else "clip"
    if isinstance(policy, DQNPolicy):
        return policy.q_net.features_extractor, _linears([policy.q_net.q_net]), "discrete"
    if isinstance(policy, SACPolicy) and not policy.actor.use_sde:
        return policy.actor.features_extractor, _linears([policy.actor.latent_pi, policy.actor.mu]), "tanh"
    if isinstance(policy, TD3Policy):
        return policy.actor.features_extractor, _linears([policy.actor.mu]), "tanh"
    raise ValueError(
        f"policies of PPO, A2C, DQN, SAC (without gSDE) and TD3 can be exported, received {type(policy).__name__}"
    )


def _head_config(policy: Any, head: list[nn.Linear]) -> dict[str, Any]:
    names = [name for name, activation in ACTIVATIONS.items() if activation is policy.activation_fn]
    if not names:
        raise ValueError(f"activation_fn must be one of {tuple(ACTIVATIONS)}, received {policy.activation_fn.__name__}")
    return {"hidden": [layer.out_features for layer in head[:-1]], "activation": names[0]}


def _relu_config(policy: Any, head: list[nn.Linear], features: int) -> dict[str, Any]:
    """Hidden layers of a network whose dense layers all have a ReLU between them."""
    if len(head) > 1 and policy.activation_fn is not nn.ReLU:
        raise ValueError(
            "behind convolutions only ReLU can be exported, received "
            f"{policy.activation_fn.__name__}: train with policy_kwargs net_arch=[] or activation_fn=torch.nn.ReLU"
        )
    return {"hidden": [features, *(layer.out_features for layer in head[:-1])]}


def _action_config(policy: Any, output: str) -> dict[str, Any]:
    space = policy.action_space
    if isinstance(space, spaces.Discrete):
        return {"action_dim": int(space.n), "output": "discrete"}
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise ValueError(f"only Discrete actions and vectors can be exported, received {form(space)}")
    return {"action_dim": space.shape[0], "output": output, "low": space.low.tolist(), "high": space.high.tolist()}


def _linears(modules: Iterable[nn.Module]) -> list[nn.Linear]:
    return [layer for module in modules for layer in module.modules() if isinstance(layer, nn.Linear)]
