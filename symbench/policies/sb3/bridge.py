"""Where Stable-Baselines3 meets a network: what trains is the network itself.

* :class:`NetworkPolicy` - what the policies of all algorithms share
* :class:`Unchanged` - the features extractor that they have: none
* :class:`Logits`, :class:`Latent`, :class:`Last` - parts of a network where SB3 expects layers
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.actions import action_head
from symbench.policies.critics import Critic
from symbench.policies.equivariant.symmetries import symmetry_data
from symbench.policies.registry import NETWORKS, make_network
from symbench.policies.spaces import channels_last

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stable_baselines3.common.type_aliases import Schedule

    from symbench.policies.policy_network import Observations, PolicyNetwork

STATE = "state"  # key of the true state, which only a critic reads

# Arguments of SB3's policies that say what a network here says by itself.
_SAID_BY_THE_NETWORK = (
    *("net_arch", "activation_fn", "ortho_init", "features_extractor_class", "features_extractor_kwargs"),
    *("normalize_images", "share_features_extractor", "use_sde", "full_std", "use_expln", "squash_output", "clip_mean"),
    *("lstm_hidden_size", "n_lstm_layers", "shared_lstm", "enable_critic_lstm", "lstm_kwargs"),
)


class Unchanged(BaseFeaturesExtractor):
    """Observations as they are: networks have their own encoders."""

    def __init__(self, observation_space: spaces.Space[Any]) -> None:
        """Make the extractor for any space."""
        super().__init__(observation_space, features_dim=1)  # of layers that are replaced

    def forward(self, observations: Observations) -> Observations:
        """The same object."""
        return observations


class NetworkPolicy:
    """What the policies here add to those of SB3; a mixin.

    Args of all of them, as ``policy_kwargs``:

    * ``network``: the network's kind, or a table of ``kind`` and its arguments; see
      :func:`~symbench.policies.registry.make_network`
    * ``critic``: widths of the critic's hidden layers behind the features
    * SB3's own that say nothing of networks: ``optimizer_class``, ``log_std_init``, ``n_critics``, ``n_quantiles``, ...
    """

    remembers: ClassVar[bool] = False  # whether the network's memory trains with it
    values_choices: ClassVar[bool] = False  # whether each choice has a value, so that there can be only one choice
    squash: ClassVar[str] = "clip"
    critic_widths: ClassVar[tuple[int, ...]] = (64, 64)

    observation_space: spaces.Space[Any]
    action_space: spaces.Space[Any]

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        lr_schedule: Schedule,
        network: str | Mapping[str, Any] = "mlp",
        critic: Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        """Make the policy; see the class.

        Raises:
            SymbenchError: The network does not fit the spaces or the algorithm, or an argument is the network's to say.
        """
        if begins := _first_actions(action_space):
            raise SymbenchError(
                f"Stable-Baselines3 numbers actions from 0, those of this environment begin at {begins}; wrap it in "
                "gymnasium.wrappers.TransformAction, or train by imitation or evolution"
            )
        if kwargs.pop("use_sde", False):
            raise SymbenchError("use_sde=True adds noise that these networks do not have; leave it out")
        if said := [name for name in _SAID_BY_THE_NETWORK if name in kwargs]:
            raise SymbenchError(f"{said[0]} is said by the network: policy_kwargs={{'network': {{...}}}}")
        if not isinstance(network, (str, Mapping)):
            raise SymbenchError(
                f"network must be a kind or a table, e.g. 'mlp' or {{'kind': 'mlp', 'hidden': (64,)}}, received "
                f"{getattr(network, '__name__', type(network).__name__)}"
            )
        self.table: dict[str, Any] = {"kind": network} if isinstance(network, str) else dict(network)
        if "symmetry" in self.table:  # data, not a name whose meaning may change
            self.table["symmetry"] = symmetry_data(self.table["symmetry"])
        if self.table.get("squash", self.squash) != self.squash:
            raise SymbenchError(f"this algorithm trains with squash = {self.squash!r}; leave squash out of the network")
        self.critic_hidden = self.critic_widths if critic is None else _widths(critic)
        self._own: dict[str, Any] = {"network": self.table, "critic": self.critic_hidden}
        made = {"features_extractor_class": Unchanged, "normalize_images": False, **self._fixed()}
        super().__init__(observation_space, action_space, lr_schedule, **made, **kwargs)  # type: ignore[call-arg]

    def _fixed(self) -> dict[str, Any]:
        """Arguments of SB3's policy that do not matter: layers that are replaced."""
        return {"net_arch": []}

    @property
    def network(self) -> PolicyNetwork:
        """The network that trains, acts, and can be saved; see :func:`symbench.zoo.save_agent`."""
        raise NotImplementedError

    def _make_network(self, quantiles: int = 1) -> PolicyNetwork:
        """The table's network with fresh weights."""
        self._require_trainable(NETWORKS.get(str(self.table.get("kind"))))
        head = action_head(self.action_space, squash=self.squash, quantiles=quantiles)
        space = seen_space(self.observation_space)
        plain = channels_last(space)
        network = make_network(self.table, plain if self.remembers else space, head, shown=not self.remembers)
        self._require_trainable(network)
        if (self.remembers or not network.shown_by) and (reason := network.incompatibility(plain)):
            raise SymbenchError(f"the network does not fit the observations: it {reason}")
        return network

    def _require_trainable(self, network: PolicyNetwork | type[PolicyNetwork] | None) -> None:
        if network is None:
            return
        if network.of_tours:
            raise SymbenchError(f"{network.kind!r} learns from whole tours; symbench train has recipes with reinforce")
        if not network.differentiable:
            raise SymbenchError(f"{network.kind} makes choices that have no gradient; train it {network.trained_by}")
        if network.of_team and self.values_choices:
            raise SymbenchError(
                f"{network.kind} chooses for several agents at once, which have no table of values; train it with PPO"
            )
        if network.recurrent and not self.remembers:
            raise SymbenchError(
                f"{network.kind} remembers more than a wrapper can show; train it with RecurrentPPO, by imitation or "
                "by evolution"
            )

    def _make_critic(self, outputs: int = 1) -> Critic:
        """A critic of observations and actions, with an encoder of its own."""
        return Critic(self._make_network(), self.critic_hidden, of_actions=True, outputs=outputs)

    def _get_constructor_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._get_constructor_parameters()  # type: ignore[misc]
        return {name: value for name, value in parameters.items() if name not in _SAID_BY_THE_NETWORK} | self._own


class Logits(nn.Module):
    """Observations to a network's logits."""

    def __init__(self, network: PolicyNetwork) -> None:
        """Take a network without a memory of its own."""
        super().__init__()
        self.network = network

    def forward(self, observations: Observations) -> Tensor:
        """(B, ...) -> (B, L)."""
        features = self.network.features(*self.network.remembered(seen(observations)))
        return self.network.decide(features, ())[0]


class Latent(Logits):
    """Observations to what a network's last layer reads."""

    def forward(self, observations: Observations) -> Tensor:
        """(B, ...) -> (B, ...)."""
        return self.network.latent(self.network.features(*self.network.remembered(seen(observations))))


class Last(nn.Module):
    """A network's last layer."""

    def __init__(self, network: PolicyNetwork) -> None:
        """Take the network of a :class:`Latent`."""
        super().__init__()
        self.network = network

    def forward(self, latent: Tensor) -> Tensor:
        """(B, ...) -> (B, L)."""
        return self.network.last(latent)


def seen_space(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """What the actor reads of an observation space: everything but the true state."""
    if not has_state(space):
        return space
    assert isinstance(space, spaces.Dict)
    rest = {key: part for key, part in space.spaces.items() if key != STATE}
    return rest["observation"] if rest.keys() == {"observation"} else spaces.Dict(rest)


def seen(observations: Observations) -> Observations:
    """The same of a batch."""
    if not isinstance(observations, dict) or STATE not in observations:
        return observations
    rest = {key: part for key, part in observations.items() if key != STATE}
    return rest["observation"] if rest.keys() == {"observation"} else rest


def has_state(space: spaces.Space[Any]) -> bool:
    """Whether observations show the true state, for a critic."""
    return isinstance(space, spaces.Dict) and STATE in space.spaces


def _first_actions(space: spaces.Space[Any]) -> int | list[int]:
    """The number of the first action, 0 of what is not numbered; of several choices those of all, if one is not 0."""
    if isinstance(space, spaces.Discrete):
        return int(space.start)
    if isinstance(space, spaces.MultiDiscrete) and space.start.any():
        return space.start.tolist()  # type: ignore[no-any-return]
    return 0


def _widths(given: Any) -> tuple[int, ...]:
    """Widths of layers.

    Raises:
        SymbenchError: They are no whole numbers from 1 on.
    """
    widths = tuple(given) if isinstance(given, (list, tuple)) else (None,)
    if not all(type(width) is int and width > 0 for width in widths):
        raise SymbenchError(f"critic must be a list of widths, each at least 1, e.g. [64, 64]; received {given!r}")
    return widths
