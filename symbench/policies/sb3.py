"""AttentionNeuron for Stable-Baselines3, over the history that :class:`symbench.wrappers.SensorHistory` observes.

* :class:`AttentionNeuronExtractor` - a features extractor, for any SB3 algorithm with ``"MultiInputPolicy"``
* :class:`AttentionNeuronPolicy` - for PPO and A2C, with a critic that may see the true state
* :func:`mlp_network` - the actor of an ordinary ``"MlpPolicy"`` as an :class:`~symbench.policies.MLPNetwork`
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor, MlpExtractor
from torch import Tensor, nn

from symbench.policies.layers import ACTIVATIONS, AttentionNeuron
from symbench.policies.networks import AttentionNeuronNetwork, MLPNetwork

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.type_aliases import PyTorchObs, Schedule

STATE = "state"  # key of the true state, which only the critic reads


class AttentionNeuronExtractor(BaseFeaturesExtractor):
    """:class:`~symbench.policies.layers.AttentionNeuron` as an SB3 features extractor of ``M * d_v`` features.

    Its weights depend on the length of the history and of the actions, not on the number of sensors. Other keys of
    the observation are ignored.

    Example:
        >>> from stable_baselines3 import SAC
        >>> from symbench.wrappers import SensorHistory
        >>> policy_kwargs = {"features_extractor_class": AttentionNeuronExtractor}
        >>> env = SensorHistory(gym.make("Pendulum-v1"), length=8)  # doctest: +SKIP
        >>> model = SAC("MultiInputPolicy", env, policy_kwargs=policy_kwargs)  # doctest: +SKIP
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        num_codes: int = 16,
        value_dim: int = 8,
        key_widths: Sequence[int] = (64, 32),
        query_dim: int = 8,
        projection_dim: int = 32,
        activation: str = "tanh",
    ) -> None:
        """Make the extractor.

        Args:
            observation_space: ``Dict(sensors=Box(N, k), actions=Box(k, A), ...)``.
            num_codes: Rows M of the layer's output.
            value_dim: Columns d_v of the layer's output.
            key_widths: Widths of the key network.
            query_dim: Columns of the sinusoidal table Q.
            projection_dim: Width in which queries and keys are compared.
            activation: ``"tanh"`` or ``"relu"``, in the key network.

        Raises:
            ValueError: The observation space is not the one of ``SensorHistory``.
        """
        history, action_dim = _history_shape(observation_space)
        super().__init__(observation_space, num_codes * value_dim)
        self.layer_config: dict[str, Any] = {
            "history": history,
            "num_codes": num_codes,
            "value_dim": value_dim,
            "key_widths": tuple(key_widths),
            "query_dim": query_dim,
            "projection_dim": projection_dim,
        }
        self.activation = activation
        self.layer = AttentionNeuron(action_dim=action_dim, activation=activation, **self.layer_config)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Features of shape (B, M * d_v) of sensors (B, N, k) and actions (B, k, A)."""
        code: Tensor = self.layer(observations["sensors"], observations["actions"])
        return code


class TrueStateExtractor(FlattenExtractor):
    """Reads the key ``"state"`` of a Dict observation, flattened, and nothing else."""

    def __init__(self, observation_space: spaces.Dict) -> None:
        """Make the extractor for a Dict space with a key ``"state"``."""
        super().__init__(observation_space[STATE])

    def forward(self, observations: PyTorchObs) -> Tensor:
        """(B, ...) -> (B, D)."""
        assert isinstance(observations, dict)
        return super().forward(observations[STATE])


class AttentionNeuronPolicy(ActorCriticPolicy):
    """A permutation-invariant actor-critic for PPO and A2C.

    If the observation has a key ``"state"``, the value network reads that true state through its own MLP, and the
    actor never sees it ("asymmetric actor critic", Pinto et al. 2017, arXiv 1710.06542): a critic that knows which
    sensor is which learns much faster, and it is not needed to act.

    Two traps of SB3 are closed: orthogonal initialisation touches the head only, never the AttentionNeuron layer, and
    ``policy.save`` keeps ``share_features_extractor``.

    Example:
        >>> from stable_baselines3 import PPO
        >>> from symbench.wrappers import SensorHistory
        >>> env = SensorHistory(gym.make("CartPole-v1"), length=8)  # doctest: +SKIP
        >>> PPO(AttentionNeuronPolicy, env).learn(100_000)  # doctest: +SKIP
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
        self.privileged = isinstance(observation_space, spaces.Dict) and STATE in observation_space.spaces
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            {"pi": [64], "vf": [64, 64]} if net_arch is None else net_arch,
            activation_fn,
            ortho_init,
            features_extractor_class=features_extractor_class,
            share_features_extractor=share_features_extractor and not self.privileged,
            **kwargs,
        )

    def actor_network(self) -> AttentionNeuronNetwork:
        """The deterministic actor without SB3, with weights of its own: for the zoo, or for other sensors."""
        extractor = self.pi_features_extractor
        assert isinstance(extractor, AttentionNeuronExtractor)
        layer = {**extractor.layer_config, "key_activation": extractor.activation}
        network = AttentionNeuronNetwork(**layer, **head_config(self))
        network.layer.load_state_dict(extractor.layer.state_dict())
        copy_head(self, network.head)
        return network

    def _build_mlp_extractor(self) -> None:
        super()._build_mlp_extractor()
        if self.privileged:
            assert isinstance(self.observation_space, spaces.Dict)
            critic = TrueStateExtractor(self.observation_space)
            heads = MlpExtractor(critic.features_dim, self.net_arch, self.activation_fn, self.device)
            self.vf_features_extractor, self.mlp_extractor.value_net = critic, heads.value_net

    def _build(self, lr_schedule: Schedule) -> None:
        orthogonal, self.ortho_init = self.ortho_init, False
        super()._build(lr_schedule)
        self.ortho_init = orthogonal
        if orthogonal:
            for module, gain in ((self.mlp_extractor, np.sqrt(2)), (self.action_net, 0.01), (self.value_net, 1.0)):
                module.apply(partial(self.init_weights, gain=gain))

    def _get_constructor_parameters(self) -> dict[str, Any]:
        # Without this, a loaded policy shares its extractor and its actor silently gets the critic's weights.
        return {**super()._get_constructor_parameters(), "share_features_extractor": self.share_features_extractor}


def mlp_network(model: BaseAlgorithm) -> MLPNetwork:
    """The actor of a PPO or A2C model with ``"MlpPolicy"``; its actions are clipped to the space, as SB3 does.

    Raises:
        ValueError: The model has another policy, or reads something else than a vector.
    """
    policy, space = model.policy, model.observation_space
    if not isinstance(policy, ActorCriticPolicy) or not isinstance(policy.features_extractor, FlattenExtractor):
        raise ValueError(f"only PPO and A2C models with 'MlpPolicy' can be exported, received {type(policy).__name__}")
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise ValueError(f"only models that observe a vector can be exported, received {space}")
    network = MLPNetwork(space.shape[0], **head_config(policy))
    copy_head(policy, network.layers)
    return network


def head_config(policy: ActorCriticPolicy) -> dict[str, Any]:
    """The parameters of a :class:`~symbench.policies.PolicyNetwork` that describe an SB3 policy's head and actions.

    Raises:
        ValueError: The actions are neither a vector nor Discrete, or the head's activation is not supported.
    """
    names = [name for name, activation in ACTIVATIONS.items() if activation is policy.activation_fn]
    if not names:
        raise ValueError(f"activation_fn must be one of {tuple(ACTIVATIONS)}, received {policy.activation_fn.__name__}")
    hidden = [layer.out_features for layer in _linears([policy.mlp_extractor.policy_net])]
    return {"hidden": hidden, "activation": names[0], **_actions(policy)}


def copy_head(policy: ActorCriticPolicy, head: nn.Sequential) -> None:
    """Copy the weights of an SB3 policy's head into a head of :func:`head_config`'s shape."""
    sources = _linears([policy.mlp_extractor.policy_net, policy.action_net])
    for source, target in zip(sources, _linears([head]), strict=True):
        target.load_state_dict(source.state_dict())


def _actions(policy: ActorCriticPolicy) -> dict[str, Any]:
    space = policy.action_space
    if isinstance(space, spaces.Discrete):
        return {"action_dim": int(space.n), "output": "discrete"}
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise ValueError(f"only Discrete actions and vectors can be exported, received {space}")
    output = "tanh" if policy.squash_output else "clip"
    return {"action_dim": space.shape[0], "output": output, "low": space.low.tolist(), "high": space.high.tolist()}


def _linears(modules: Iterable[nn.Module]) -> list[nn.Linear]:
    return [layer for module in modules for layer in module.modules() if isinstance(layer, nn.Linear)]


def _history_shape(space: spaces.Space[Any]) -> tuple[int, int]:
    if isinstance(space, spaces.Dict) and {"sensors", "actions"} <= space.spaces.keys():
        sensors, actions = space["sensors"].shape, space["actions"].shape
        if sensors and actions and len(sensors) == len(actions) == 2 and sensors[1] == actions[0]:
            return actions
    raise ValueError(f"wrap the environment in SensorHistory: Dict(sensors, actions) is needed, received {space}")
