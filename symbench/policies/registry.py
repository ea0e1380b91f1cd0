"""All networks by name, and how one is made for a task."""

from __future__ import annotations

import math
from inspect import Parameter, signature
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError, unknown
from symbench.policies.actions import ActionHead, action_head
from symbench.policies.attention_neuron_networks import AttentionNeuronNetwork, RecurrentAttentionNeuronNetwork
from symbench.policies.equivariant import EquivariantCNNNetwork, EquivariantMLPNetwork, symmetry_data
from symbench.policies.multi_agent import (
    CentralisedCNNNetwork,
    MultiAgentGraphNetwork,
    MultiAgentHomomorphicNetwork,
    StandardMultiAgentNetwork,
)
from symbench.policies.policy_network import MLPNetwork, PolicyNetwork
from symbench.policies.routing import AttentionModel, DistanceModel, EGNNModel, FramedModel, PomoModel
from symbench.policies.scenes import (
    EquivariantGraphNetwork,
    FrameAveragedNetwork,
    PlainGraphNetwork,
    ResidualPathwayNetwork,
    SceneMLPNetwork,
)
from symbench.policies.sensor_baselines import GRUNetwork, HistoryMLPNetwork, TransformerNetwork
from symbench.policies.unshuffler import UnshufflerNetwork
from symbench.policies.vision import (
    AttentionAgentNetwork,
    NatureCNNNetwork,
    PatchUnshufflerNetwork,
    SetTransformerNetwork,
    VisionAttentionNeuronNetwork,
)
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gymnasium import spaces

NETWORKS: Final[dict[str, type[PolicyNetwork]]] = {
    network.kind: network
    for network in (
        MLPNetwork,
        AttentionNeuronNetwork,
        RecurrentAttentionNeuronNetwork,
        UnshufflerNetwork,
        HistoryMLPNetwork,
        GRUNetwork,
        TransformerNetwork,
        VisionAttentionNeuronNetwork,
        SetTransformerNetwork,
        NatureCNNNetwork,
        AttentionAgentNetwork,
        PatchUnshufflerNetwork,
        EquivariantMLPNetwork,
        EquivariantCNNNetwork,
        MultiAgentHomomorphicNetwork,
        StandardMultiAgentNetwork,
        MultiAgentGraphNetwork,
        CentralisedCNNNetwork,
        EquivariantGraphNetwork,
        PlainGraphNetwork,
        SceneMLPNetwork,
        FrameAveragedNetwork,
        ResidualPathwayNetwork,
        AttentionModel,
        PomoModel,
        DistanceModel,
        EGNNModel,
        FramedModel,
    )
}


_NUMBERS: Final[dict[str, type]] = {"int": Integral, "float": Real}  # numpy's are such, too
"""Annotation of a setting -> what it may be."""


def make_network(
    network: str | Mapping[str, Any],
    observation_space: spaces.Space[Any],
    action_space: ActionHead | spaces.Space[Any],
    *,
    shown: bool = False,
) -> PolicyNetwork:
    """A network with fresh weights; the spaces say its sizes.

    Args:
        network: Its kind; or a table of ``kind`` and further arguments, which may be ``squash`` of the actions and, in
            place of ``group``, ``observation`` and ``action``, ``symmetry``: an environment of the catalogue, a
            declaration or plain data. With a symmetry the kind may be left out.
        observation_space: The (single) space of observations.
        action_space: The (single) space of actions, or the action head.
        shown: Whether a wrapper shows what the network would remember; see ``PolicyNetwork.sizes``.

    Raises:
        SymbenchError: The table describes no network, or one that does not fit the spaces.
    """
    table = {"kind": network} if isinstance(network, str) else dict(network)
    if "symmetry" in table:
        data = symmetry_data(table.pop("symmetry"))
        table = {"kind": "equivariant-cnn" if "moves" in data["observation"] else "equivariant-mlp", **data, **table}
    kind, squash = str(table.pop("kind", "")), table.pop("squash", "clip")
    if kind not in NETWORKS:
        raise unknown("network kind", kind, NETWORKS)
    try:
        _check_settings(NETWORKS[kind], table)
        head = action_space if isinstance(action_space, ActionHead) else action_head(action_space, squash=squash)
        sizes = NETWORKS[kind].sizes(observation_space, table, shown)
        if shown and "history" in sizes and table.get("history", sizes["history"]) != sizes["history"]:
            raise ValueError(f"history is {table['history']}, the environment shows {sizes['history']}")
        return NETWORKS[kind](action_space=head, **{**sizes, **table})
    except Exception as error:  # the table may be anything, and so may what it makes constructors do
        raise SymbenchError(f"this does not describe a {kind!r} network: {brief(error)}") from error


def _check_settings(network: type[PolicyNetwork], table: dict[str, Any]) -> None:
    """Refuse names that a constructor does not take, and values of plain numbers that are none.

    Raises:
        SymbenchError: A setting is unknown or of another type, or not finite; says which.
    """
    known = {name: each for name, each in signature(network).parameters.items() if name != "action_space"}
    for name, value in table.items():
        if name not in known and Parameter.VAR_KEYWORD not in {each.kind for each in known.values()}:
            raise unknown("setting", name, known)
        wanted = _NUMBERS.get(str(known[name].annotation)) if name in known else None
        number: Any = value
        if wanted and (isinstance(value, bool) or not isinstance(value, wanted) or not math.isfinite(number)):
            raise SymbenchError(f"{name}: a finite {known[name].annotation} is expected, received {value!r}")
