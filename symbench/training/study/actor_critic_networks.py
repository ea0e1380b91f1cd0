"""The networks that studies compare: actors and critics on the same features.

* :class:`PlainMLP`, :class:`PlainCNN` - the published baselines
* the kinds of :mod:`symbench.policies.equivariant` - with a critic on the same features
* :class:`Team` - those of :mod:`symbench.policies.multi_agent` and :mod:`symbench.policies.scenes`, the same

All map observations to scores of the actions, (B, A), and values, (B,). Of forces, scores are means and logarithms of
deviations, (B, 2 A).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.actions import BoxHead
from symbench.policies.equivariant import ActorCritic, EquivariantCNNNetwork, EquivariantMLPNetwork
from symbench.policies.multi_agent import (
    CentralisedCNNNetwork,
    MultiAgentGraphNetwork,
    MultiAgentHomomorphicNetwork,
    StandardMultiAgentNetwork,
)
from symbench.policies.scenes import (
    EquivariantGraphNetwork,
    FrameAveragedNetwork,
    PlainGraphNetwork,
    ResidualPathwayNetwork,
    SceneMLPNetwork,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from symbench.policies.policy_network import PolicyNetwork

_POOLS: Final = ("max", "mean")


class _Plain(nn.Module):
    """Features, and a linear actor and critic on them."""

    def __init__(self, body: nn.Module, width: int, action_dim: int) -> None:
        super().__init__()
        self.body = body
        self.actor, self.critic = nn.Linear(width, action_dim), nn.Linear(width, 1)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, A) and values (B,)."""
        features = self.body(observations)
        return self.actor(features), self.critic(features)[:, 0]


class PlainMLP(_Plain):
    """The plain network for CartPole: ReLU layers, weights drawn by Xavier's rule.

    Source: van der Pol et al. 2020 (arXiv 2006.16908), appendix B.2: 64 and 128 wide it has 9,027 parameters.
    """

    def __init__(self, num_sensors: int, action_dim: int, hidden: Sequence[int] = (64, 128)) -> None:
        """Make the network for N sensors and A actions, with hidden layers of these widths."""
        layers: list[nn.Module] = []
        for before, after in zip((num_sensors, *hidden[:-1]), hidden, strict=True):
            layers += [nn.Linear(before, after), nn.ReLU()]
        super().__init__(nn.Sequential(*layers), hidden[-1], action_dim)
        self.apply(_draw(nn.init.xavier_normal_))


class PlainCNN(_Plain):
    """The plain network for GridWorld: two convolutions, pooling over places, one dense layer; weights by He's rule.

    Source: van der Pol et al. 2020 (arXiv 2006.16908), appendix B.3; 33,606 parameters. The appendix says max pooling,
    the authors' code of this network pools by the mean.
    """

    def __init__(
        self,
        action_dim: int,
        channels: int = 1,
        conv: Sequence[Sequence[int]] = ((16, 7, 2), (32, 5, 1)),
        hidden: int = 512,
        pool: str = "max",
    ) -> None:
        """Make the network.

        Args:
            action_dim: Number A of actions.
            channels: Channels C of a frame.
            conv: Channels, kernel size and stride of each convolution.
            hidden: Width of the dense layer.
            pool: ``"max"`` or ``"mean"`` over places.

        Raises:
            SymbenchError: The pooling is unknown.
        """
        if pool not in _POOLS:
            raise unknown("pooling", pool, _POOLS)
        layers: list[nn.Module] = []
        for width, kernel, stride in conv:
            layers += [nn.Conv2d(channels, width, kernel, stride), nn.ReLU()]
            channels = width
        layers += [_Pool(pool), nn.Linear(channels, hidden), nn.ReLU()]
        super().__init__(nn.Sequential(*layers), hidden, action_dim)
        self.apply(_draw(nn.init.kaiming_normal_))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B, A) and values (B,) of frames (B, C, H, W), uint8."""
        return super().forward(observations.to(self.actor.weight.dtype) / 255.0)


class Team(nn.Module):
    """A policy of a team and a critic that share all layers but the last, as published.

    Forces have deviations beside, which learn too and depend on nothing that is seen.

    Source: van der Pol et al. 2022 (arXiv 2110.04495); 28,835 and 26,694 parameters for Wildlife, 29,522 and 28,067 for
    Traffic.
    """

    def __init__(self, network: PolicyNetwork, critic: Sequence[int] = (), log_std: float = -0.5) -> None:
        """Add a critic with fresh weights, with hidden layers of these widths; deviations begin with ``log_std``."""
        super().__init__()
        self.network, self.value_head = network, network.value_head(list(critic))
        self.deviations = network.log_std(log_std) if isinstance(network.action, BoxHead) else None

    def forward(self, observations: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Scores of all agents' actions, (B, n * A), and values (B,)."""
        features = self.network.features(*self.network.remembered(observations))
        scores = self.network.last(self.network.latent(features))
        if self.deviations is not None:
            scores = torch.cat([scores, self.deviations().expand_as(scores)], dim=-1)
        return scores, self.value_head(features)[:, 0]


class _Pool(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    def forward(self, features: Tensor) -> Tensor:
        return features.amax(dim=(2, 3)) if self.how == "max" else features.mean(dim=(2, 3))


def _draw(rule: Callable[[Tensor], Tensor]) -> Callable[[nn.Module], None]:
    def draw(module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            rule(module.weight)

    return draw


def _equivariant(network: Callable[..., Any], action_dim: int, **config: Any) -> nn.Module:
    return ActorCritic(network({"discrete": action_dim}, **config))


def _team(network: Callable[..., Any], action_dim: int, agents: int, **config: Any) -> nn.Module:
    return Team(network({"multi_discrete": [action_dim] * agents}, agents, **config))


def _scene(
    network: Callable[..., Any],
    /,  # a wrapped network is called so, too
    agents: int,
    dim: int = 2,
    critic: Sequence[int] = (64,),
    log_std: float = -0.5,
    **config: Any,
) -> nn.Module:
    return Team(network(spaces.Box(-1, 1, (agents, dim)), dim=dim, **config), critic, log_std)


_SCENES: Final = (
    EquivariantGraphNetwork,
    ResidualPathwayNetwork,
    FrameAveragedNetwork,
    PlainGraphNetwork,
    SceneMLPNetwork,
)
_TEAMS: Final = (
    MultiAgentHomomorphicNetwork,
    StandardMultiAgentNetwork,
    MultiAgentGraphNetwork,
    CentralisedCNNNetwork,
)
KINDS: Final[dict[str, Callable[..., nn.Module]]] = {
    "plain-mlp": PlainMLP,
    "plain-cnn": PlainCNN,
    "equivariant-mlp": partial(_equivariant, EquivariantMLPNetwork),
    "equivariant-cnn": partial(_equivariant, EquivariantCNNNetwork),
    **{network.kind: partial(_team, network) for network in _TEAMS},
    **{network.kind: partial(_scene, network) for network in _SCENES},
}


def make_actor_critic(network: dict[str, Any], seed: int) -> nn.Module:
    """A network with fresh weights, which depend on the seed alone.

    Args:
        network: ``kind`` and parameters.
        seed: Of the weights.

    Raises:
        SymbenchError: The kind is unknown, or the parameters do not describe such a network.
    """
    config = dict(network)
    kind = str(config.pop("kind", ""))
    if kind not in KINDS:
        raise unknown("network kind", kind, KINDS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return KINDS[kind](**config)
        except (TypeError, ValueError, LookupError) as error:
            raise SymbenchError(f"network {network} does not describe a {kind!r} network: {error}") from error
