"""An encoder of instances and a decoder of tours; the attention model and POMO's are two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from torch import nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.routing.attention_encoder import AttentionEncoder
from symbench.policies.routing.pointer_decoder import PointerDecoder, Prepared
from symbench.policies.routing.tour_states import PROBLEMS, TourState
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symbench.policies.routing.tour_states import Instances


class RoutingModel(nn.Module):
    """Builds tours of a problem node by node.

    Attributes:
        problem: One of :data:`~symbench.policies.routing.tour_states.PROBLEMS`.
        encoder: A module from instances to embeddings of nodes, (B, n, d), and of the graph, (B, d).
        decoder: Reads these embeddings only.
    """

    def __init__(self, problem: str, encoder: nn.Module, decoder: PointerDecoder) -> None:
        """Put the parts together.

        Raises:
            SymbenchError: The problem is unknown.
        """
        super().__init__()
        if problem not in PROBLEMS:
            raise unknown("routing problem", problem, PROBLEMS)
        self.problem, self.encoder, self.decoder = problem, encoder, decoder

    def prepare(self, instances: Instances) -> Prepared:
        """Encode instances, once for all steps of all tours."""
        return self.decoder.prepare(*self.encoder(instances))

    @property
    def needs_start(self) -> bool:
        """Whether it cannot choose the first node of a tour."""
        return self.problem == "tsp" and self.decoder.placeholder is None

    def begin(self, instances: Instances, tours: int) -> TourState:
        """The state in which ``tours`` of each instance begin."""
        return PROBLEMS[self.problem](instances, tours)


def attention_model(
    problem: str = "tsp", width: int = 128, heads: int = 8, layers: int = 3, hidden: int = 512, norm: str = "batch"
) -> RoutingModel:
    """The attention model as published (Kool et al. 2019): 708,608 weights for TSP.

    Args:
        problem: ``"tsp"`` or ``"cvrp"``.
        width: Size d of an embedding.
        heads: Heads of attention.
        layers: Layers of the encoder.
        hidden: Width of its feed-forward networks.
        norm: ``"batch"`` or ``"instance"``.

    Raises:
        SymbenchError: The arguments describe no model.
    """
    state = _state_of(problem)
    encoder = AttentionEncoder(problem, width, heads, layers, hidden, norm)
    decoder = PointerDecoder(state.slots, state.numbers, width, heads, placeholder=problem == "tsp")
    return RoutingModel(problem, encoder, decoder)


def pomo_model(
    problem: str = "tsp", width: int = 128, heads: int = 8, layers: int = 6, hidden: int = 512, norm: str = "instance"
) -> RoutingModel:
    """POMO's model as published (Kwon et al. 2020): no graph context, no placeholder; tours begin where they are told.

    Arguments and errors as of :func:`attention_model`.
    """
    state = _state_of(problem)
    encoder = AttentionEncoder(problem, width, heads, layers, hidden, norm, bias=True)
    options = {"graph_context": False, "own_pointer": False, "bias": True, "placeholder": False}
    return RoutingModel(problem, encoder, PointerDecoder(state.slots, state.numbers, width, heads, **options))


MODELS: Final = {"attention-model": attention_model, "pomo": pomo_model}


def make_routing_model(network: Mapping[str, Any]) -> RoutingModel:
    """A model with fresh weights, of a table of ``kind`` and further arguments.

    Raises:
        SymbenchError: The table describes no model.
    """
    table = dict(network)
    kind = str(table.pop("kind", ""))
    if kind not in MODELS:
        raise unknown("routing model", kind, MODELS)
    try:
        return MODELS[kind](**table)
    except TypeError as error:
        raise SymbenchError(f"this does not describe a {kind!r} model: {brief(error)}") from error


def _state_of(problem: str) -> type[TourState]:
    if problem not in PROBLEMS:
        raise unknown("routing problem", problem, PROBLEMS)
    return PROBLEMS[problem]
