"""Tours from a model: greedy, sampled, from many starts, of eight turned copies, by beam search.

Every function encodes an instance once (:func:`augmented`: each copy once) and builds all of its tours together. Large
batches are computed in parts that stay in the cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn.functional import pad

from symbench.policies.batches import split
from symbench.policies.routing.tour_states import tour_lengths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from symbench.policies.routing.pointer_decoder import Prepared
    from symbench.policies.routing.routing_model import RoutingModel
    from symbench.policies.routing.tour_states import Instances

    Choice = Callable[[Tensor], Tensor]


class Tours(NamedTuple):
    """Tours of B instances, k of each.

    Attributes:
        nodes: (B, k, T), int64; of CVRP padded with 0.
        lengths: Of the closed tours, (B, k), float64.
        log_likelihood: Of the choices that the model made, (B, k).
    """

    nodes: Tensor
    lengths: Tensor
    log_likelihood: Tensor

    def best(self) -> Tours:
        """The shortest of each instance, with k = 1."""
        places = self.lengths.argmin(dim=1, keepdim=True)
        nodes = self.nodes.take_along_dim(places[..., None], dim=1)
        return Tours(nodes, *(part.gather(1, places) for part in self[1:]))


@torch.no_grad()
def greedy(model: RoutingModel, instances: Instances, starts: Tensor | None = None) -> Tours:
    """The likeliest node at every step.

    Args:
        model: The model, in evaluation mode.
        instances: B of them.
        starts: First nodes, (B, k), int64; ``None``: one tour, whose first node the model chooses.

    Raises:
        SymbenchError: The model needs starts.
    """
    return _in_parts(model, instances, _likeliest, starts)


@torch.no_grad()
def sample(
    model: RoutingModel,
    instances: Instances,
    samples: int,
    generator: torch.Generator | Sequence[torch.Generator],
    starts: Tensor | None = None,
) -> Tours:
    """Nodes drawn by their probabilities; arguments as of :func:`greedy`.

    Args:
        model: The model, in evaluation mode.
        instances: B of them.
        samples: Tours of each instance; with ``starts`` (B, k) of each start, ``samples`` times k in all.
        generator: Source of randomness; or one for each instance, of no more than are computed at once.
        starts: First nodes, (B, k), int64.

    Raises:
        SymbenchError: The model needs starts.
    """
    if starts is not None:
        starts = starts.repeat(1, samples)
    return _in_parts(model, instances, drawn_by(generator), starts, samples)


def multi_start(model: RoutingModel, instances: Instances, starts: int | None = None) -> Tours:
    """Greedy tours from every node (of CVRP: every customer), or from the first ``starts`` of them (POMO)."""
    return greedy(model, instances, all_starts(model, instances, starts))


def augmented(model: RoutingModel, instances: Instances, starts: int | None = 1) -> Tours:
    """Greedy tours of the eight copies of each instance, in the order of :func:`eight_copies`.

    Args:
        model: The model, in evaluation mode.
        instances: B of them.
        starts: First nodes of each copy: ``None`` for all; 1: the model chooses, or node 0 where it cannot.

    Returns:
        Tours with k = 8 times starts, copy by copy; the copies' tours are as long as the instances'.
    """
    batch = len(instances["cities"])
    copies = eight_copies(instances)
    given = starts != 1 or model.needs_start
    found = multi_start(model, copies, starts) if given else greedy(model, copies)
    return Tours(*(part.reshape(8, batch, *part.shape[1:]).transpose(0, 1).flatten(1, 2) for part in found))


def eight_copies(instances: Instances) -> dict[str, Tensor]:
    """All instances under each symmetry of the unit square, (8 B, n, 2), in POMO's order.

    (x, y), (1-x, y), (x, 1-y), (1-x, 1-y), (y, x), (1-y, x), (y, 1-x), (1-y, 1-x).
    """
    x, y = instances["cities"].unbind(-1)
    pairs = [(a, b) for first, second in ((x, y), (y, x)) for b in (second, 1 - second) for a in (first, 1 - first)]
    turned = torch.cat([torch.stack(pair, dim=-1) for pair in pairs])
    others = {key: torch.cat([part] * 8) for key, part in instances.items() if key != "cities"}
    return {"cities": turned, **others}


def all_starts(model: RoutingModel, instances: Instances, starts: int | None = None) -> Tensor:
    """The first ``starts`` nodes (of CVRP: customers), or all of them, for every instance: (B, k), int64."""
    batch, nodes = instances["cities"].shape[:2]
    begin = 1 if model.problem == "cvrp" else 0
    count = nodes - begin if starts is None else min(starts, nodes - begin)
    return torch.arange(begin, begin + count, device=instances["cities"].device).expand(batch, -1)


def decoded(
    model: RoutingModel,
    instances: Instances,
    prepared: Prepared,
    choose: Choice,
    starts: Tensor | None = None,
    tours: int = 1,
) -> Tours:
    """Tours of prepared instances.

    Args:
        model: The model.
        instances: B of them.
        prepared: What its :meth:`~RoutingModel.prepare` made of them.
        choose: From logits (B, k, n) to nodes (B, k).
        starts: First nodes, (B, k); ``None``: they are chosen.
        tours: The number k if there are no starts.
    """
    state, nodes, likelihood = model.begin(instances, tours if starts is None else starts.shape[1]), [], []
    if starts is not None:
        nodes.append(starts)
        state.move(starts)
    while not state.finished:
        logits = model.decoder.logits(prepared, state.context, state.told, state.allowed)
        chosen = choose(logits)
        nodes.append(chosen)
        likelihood.append(logits.gather(-1, chosen[..., None])[..., 0] - logits.logsumexp(dim=-1))
        state.move(chosen)
    whole = torch.stack(nodes, dim=-1)
    return Tours(whole, tour_lengths(instances, whole), torch.stack(likelihood).sum(dim=0))


def _in_parts(
    model: RoutingModel, instances: Instances, choose: Choice, starts: Tensor | None, tours: int = 1
) -> Tours:
    """The same of instances that are encoded part by part; arguments as of :func:`decoded`."""
    size = model.micro_batch_size(instances["cities"].shape[1:])
    columns = dict(instances) if starts is None else {**instances, "starts": starts}
    found = []
    for part in split(columns, size):
        assert isinstance(part, dict)
        begin = part.pop("starts", None)
        found.append(decoded(model, part, model.prepare(part), choose, begin, tours))
    longest = max(part.nodes.shape[2] for part in found)
    nodes = torch.cat([pad(part.nodes, (0, longest - part.nodes.shape[2])) for part in found])
    return Tours(nodes, *(torch.cat(parts) for parts in list(zip(*found, strict=True))[1:]))


def log_likelihood(
    model: RoutingModel, instances: Instances, prepared: Prepared, tours: Tensor, given: int = 0
) -> Tensor:
    """Log-likelihood of given tours, (B, k), with gradients: all steps of all tours in one program.

    Args:
        model: The model.
        instances: B of them.
        prepared: What its :meth:`~RoutingModel.prepare` made of them.
        tours: (B, k, T), int64.
        given: How many nodes at the beginning of each were given and not chosen.
    """
    return log_probabilities(model, instances, prepared, tours, given).sum(dim=-1)


def log_probabilities(
    model: RoutingModel, instances: Instances, prepared: Prepared, tours: Tensor, given: int = 0
) -> Tensor:
    """The same of every step, (B, k, T - given)."""
    state, steps = model.begin(instances, tours.shape[1]), []
    for t, nodes in enumerate(tours.unbind(-1)):
        if t >= given:
            steps.append((state.context, state.told, state.allowed))
        state.move(nodes)
    context, told, allowed = (torch.stack(parts, dim=2).flatten(1, 2) for parts in zip(*steps, strict=True))
    logits = model.decoder.logits(prepared, context, told, allowed)
    chosen = tours[..., given:].flatten(1)[..., None]
    found = logits.gather(-1, chosen)[..., 0] - logits.logsumexp(dim=-1)
    return found.reshape(*tours.shape[:2], -1)


@torch.no_grad()
def beam_search(model: RoutingModel, instances: Instances, width: int) -> Tours:
    """The ``width`` likeliest partial tours of each instance go on; k = ``width``, likeliest first.

    Where there are fewer tours than that, the last ones have log-likelihood minus infinity.
    """
    prepared, state = model.prepare(instances), model.begin(instances, width)
    batch = len(instances["cities"])
    likelihood = torch.full((batch, width), -torch.inf).to(instances["cities"])
    likelihood[:, 0] = 0  # all beams are the same before the first step
    nodes = torch.empty(batch, width, 0, dtype=torch.int64, device=likelihood.device)
    while not state.finished:
        logits = model.decoder.logits(prepared, state.context, state.told, state.allowed)
        total = likelihood[..., None] + logits.log_softmax(dim=-1)
        likelihood, places = total.flatten(1).topk(width, dim=1)
        parents, chosen = places // logits.shape[-1], places % logits.shape[-1]
        nodes = torch.cat([nodes.take_along_dim(parents[..., None], dim=1), chosen[..., None]], dim=-1)
        state.select(parents)
        state.move(chosen)
    return Tours(nodes, tour_lengths(instances, nodes), likelihood)


def drawn_by(generator: torch.Generator | Sequence[torch.Generator]) -> Choice:
    """Choose by probabilities, from one source or one of each instance: the least of exponential clocks rings first."""

    def choose(logits: Tensor) -> Tensor:
        clocks = torch.empty_like(logits)
        if isinstance(generator, torch.Generator):
            clocks.exponential_(generator=generator)
        else:
            for part, source in zip(clocks, generator, strict=True):
                part.exponential_(generator=source)
        return (logits.softmax(dim=-1) / clocks).argmax(dim=-1)

    return choose


def _likeliest(logits: Tensor) -> Tensor:
    return logits.argmax(dim=-1)
