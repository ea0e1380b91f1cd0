"""What all models that build tours have in common: an encoder of instances, a decoder of tours, play in environments.

* :class:`RoutingModel` - base class; any encoder will do
* :class:`AttentionModel` - as published (Kool et al. 2019, arXiv 1803.08475)
* :class:`PomoModel` - POMO's (Kwon et al. 2020, arXiv 2010.16011)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import unknown
from symbench.policies.policy_network import PolicyNetwork
from symbench.policies.routing.attention_encoder import AttentionEncoder
from symbench.policies.routing.pointer_decoder import PointerDecoder, Prepared
from symbench.policies.routing.pointer_head import PointerHead
from symbench.policies.routing.tour_states import PROBLEMS, TourState
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State
    from symbench.policies.policy_network import Inputs, Observations
    from symbench.policies.routing.tour_states import Instances

_KEYS: Final = {
    "tsp": ("cities", "first", "current", "action_mask"),
    "cvrp": ("cities", "demands", "current", "capacity", "action_mask"),
}
_NODES_AT_ONCE: Final = 2048


class RoutingModel(PolicyNetwork):
    """Builds tours of a problem node by node, of any number of nodes.

    In an environment it remembers what the decoder needs of the instance, so that the encoder runs once an episode.

    Attributes:
        problem: One of :data:`~symbench.policies.routing.tour_states.PROBLEMS`.
        encoder: A module from instances to embeddings of nodes, (B, n, d), and of the graph, (B, d).
        decoder: Reads these embeddings only.
    """

    memory = "embeddings of the instance"
    recurrent = True
    of_tours = True

    def __init__(self, problem: str, encoder: nn.Module, decoder: PointerDecoder, **architecture: Any) -> None:
        """Put the parts together.

        Args:
            problem: ``"tsp"`` or ``"cvrp"``.
            encoder: See the class.
            decoder: See the class.
            **architecture: The constructor's other arguments, JSON values.
        """
        super().__init__(PointerHead(), problem=problem, **architecture)
        self.problem, self.encoder, self.decoder = problem, encoder, decoder
        self.head = nn.Identity()

    @classmethod
    def sizes(cls, space: spaces.Space[Any], given: dict[str, Any], shown: bool = False) -> dict[str, Any]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.sizes`."""
        for problem in PROBLEMS:
            if shows(problem, space):
                return {"problem": problem}
        raise ValueError(f"{cls.kind} reads instances of {' or '.join(PROBLEMS)}, received {form(space)}")

    def prepare(self, instances: Instances) -> Prepared:
        """Encode instances, once for all steps of all tours."""
        return self.decoder.prepare(*self.encoder(instances))

    @property
    def needs_start(self) -> bool:
        """Whether it cannot choose the first node of a tour; in an environment it then begins at node 0."""
        return self.problem == "tsp" and self.decoder.placeholder is None

    def begin(self, instances: Instances, tours: int) -> TourState:
        """The state in which ``tours`` of each instance begin."""
        return PROBLEMS[self.problem](instances, tours)

    def initial_state(self, batch: int, *shape: int) -> State:
        """Zeros: nothing has been encoded."""
        return (self._zeros(batch, 1), *(self._zeros(batch, *part) for part in self.decoder.shapes(shape[0])))

    def read(self, observations: Any) -> Observations:
        """An observation, or a batch of them, as a batch."""
        arrays = {key: np.asarray(part) for key, part in observations.items()}
        single = arrays["cities"].ndim == 2
        # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
        types = {key: self.dtype if array.dtype.kind == "f" else torch.int64 for key, array in arrays.items()}
        parts = {key: torch.tensor(array, dtype=types[key]) for key, array in arrays.items()}
        return {key: part[None] if single else part for key, part in parts.items()}

    def incompatibility(self, space: spaces.Space[Any]) -> str | None:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.incompatibility`."""
        if shows(self.problem, space):
            return None
        return f"reads instances of {self.problem} ({', '.join(_KEYS[self.problem])}), the task gives {form(space)}"

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        return max(1, _NODES_AT_ONCE // shape[0])

    def perceive(self, observations: Observations, state: State) -> tuple[Inputs, State]:
        """Encode new instances."""
        assert isinstance(observations, dict)
        begun, *parts = state
        if bool((fresh := begun[:, 0] == 0).any()):
            new = self.prepare({key: part[fresh] for key, part in observations.items()}).tensors()
            rows = torch.nonzero(fresh)[:, 0]
            parts = [part.index_copy(0, rows, values) for part, values in zip(parts, new, strict=True)]
        nodes = [observations[key] for key in ("first", "current") if key in _KEYS[self.problem]]
        told = observations.get("capacity", self._zeros(len(begun), 0))
        inputs = torch.stack(nodes, dim=-1), told, observations["action_mask"] != 0
        return (*inputs, *parts), (torch.ones_like(begun), *parts)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """The logits of all nodes, (B, n)."""
        context, told, allowed, *parts = (part for part in inputs if part is not None)
        nodes = allowed.shape[1]
        if self.needs_start:
            first = torch.arange(nodes) == 0
            allowed = torch.where(context[:, 1:] == nodes, first, allowed)
            context = context.clamp(max=nodes - 1)
        prepared = self.decoder.restored(parts)
        return self.decoder.logits(prepared, context[:, None], told[:, None], allowed[:, None])[:, 0]

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.decide`."""
        return features, state


class AttentionModel(RoutingModel):
    """The attention model as published: 708,608 weights for TSP."""

    kind = "attention-model"

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        heads: int = 8,
        layers: int = 3,
        hidden: int = 512,
        norm: str = "batch",
        action_space: ActionSpace | None = None,
    ) -> None:
        """Make the model.

        Args:
            problem: ``"tsp"`` or ``"cvrp"``.
            width: Size d of an embedding.
            heads: Heads of attention.
            layers: Layers of the encoder.
            hidden: Width of its feed-forward networks.
            norm: ``"batch"`` or ``"instance"``.
            action_space: Not looked at: it chooses among the nodes that there are.

        Raises:
            SymbenchError: The arguments describe no model.
        """
        encoder = AttentionEncoder(problem, width, heads, layers, hidden, norm)
        decoder = pointer_decoder(problem, width, heads, placeholder=problem == "tsp")
        sizes = {"width": width, "heads": heads, "layers": layers, "hidden": hidden, "norm": norm}
        super().__init__(problem, encoder, decoder, **sizes)


class PomoModel(RoutingModel):
    """POMO's model as published: no graph context, no placeholder; tours begin where they are told."""

    kind = "pomo"

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        heads: int = 8,
        layers: int = 6,
        hidden: int = 512,
        norm: str = "instance",
        action_space: ActionSpace | None = None,
    ) -> None:
        """Make the model; arguments and errors as of :class:`AttentionModel`."""
        encoder = AttentionEncoder(problem, width, heads, layers, hidden, norm, bias=True)
        options = {"graph_context": False, "own_pointer": False, "bias": True, "placeholder": False}
        sizes = {"width": width, "heads": heads, "layers": layers, "hidden": hidden, "norm": norm}
        super().__init__(problem, encoder, pointer_decoder(problem, width, heads, **options), **sizes)


def pointer_decoder(problem: str, width: int, heads: int, **options: Any) -> PointerDecoder:
    """The decoder that a problem's states need."""
    if problem not in PROBLEMS:
        raise unknown("routing problem", problem, PROBLEMS)
    return PointerDecoder(PROBLEMS[problem].slots, PROBLEMS[problem].numbers, width, heads, **options)


def shows(problem: str, space: spaces.Space[Any]) -> bool:
    """Whether a (single) space is one of observations of instances of a problem."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    if not set(_KEYS[problem]) <= parts.keys() or ("demands" in parts) != (problem == "cvrp"):
        return False
    shape = parts["cities"].shape or ()
    return len(shape) == 2 and shape[1] == 2
