"""Ways to take a whole tour from a model, by the names that an agent's option ``decode`` has.

``greedy``, ``sample:N``, ``starts``, ``x8``, ``x8-starts``, ``frames``, ``beam:N``: the shortest of all tours counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from symbench.errors import SymbenchError
from symbench.policies.routing.decoding import Tours, all_starts, augmented, beam_search, greedy, multi_start, sample
from symbench.policies.routing.frame_averaging import tours_in_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from symbench.policies.routing.routing_model import RoutingModel
    from symbench.policies.routing.tour_states import Instances

WAYS: Final = "greedy, sample:N, starts, x8, x8-starts, frames or beam:N"
_FORM: Final = re.compile(r"(greedy|starts|x8|x8-starts|frames)|(sample|beam):([1-9][0-9]{0,4})")


class ModelPlanner:
    """A model as the planner of a :class:`~symbench.policies.routing.tour_agent.TourAgent`.

    Attributes:
        model: The model, in evaluation mode, float32.
        decode: Which way.
    """

    def __init__(self, model: RoutingModel, decode: str = "greedy") -> None:
        """Choose a way.

        Raises:
            SymbenchError: There is no such way, or the model cannot go it.
        """
        match = _FORM.fullmatch(decode)
        if match is None:
            raise SymbenchError(f"tours are taken from a model by {WAYS}, received {decode!r}")
        if match[2] == "beam" and model.needs_start:
            raise SymbenchError(
                f"beams need a model that chooses the first city, {model.kind} does not: take decode=starts"
            )
        self.model, self.decode = model.float().eval(), decode
        self._way, self._number = match[1] or match[2], int(match[3] or 1)

    def __call__(self, instances: Mapping[str, NDArray[Any]], seeds: Sequence[Sequence[int]]) -> NDArray[np.int64]:
        """The shortest tour found of each instance, (B, T); instances are solved in parts that stay in the cache."""
        count, nodes = len(seeds), instances["cities"].shape[1]
        size = self.model.micro_batch_size(instances["cities"].shape[1:])
        tours = np.zeros((count, 2 * nodes), np.int64)
        for part in (slice(start, start + size) for start in range(0, count, size)):
            # Copied into memory of torch's own: the last bit of a product depends on how its memory is aligned.
            tensors = {key: torch.tensor(array[part], dtype=torch.float32) for key, array in instances.items()}
            found = _WAYS[self._way](self.model, tensors, self._number, seeds[part]).best().nodes[:, 0].numpy()
            tours[part, : found.shape[1]] = found
        return tours[:, : 2 * nodes if "demands" in instances else nodes]


def _first(model: RoutingModel, instances: Instances) -> Tensor | None:
    """Where tours begin of a model that cannot choose: at the first node."""
    return all_starts(model, instances, 1) if model.needs_start else None


def _sampled(model: RoutingModel, instances: Instances, number: int, seeds: Sequence[Sequence[int]]) -> Tours:
    """Every instance has a stream of its own."""
    generators = [_generator(seed) for seed in seeds]
    return sample(model, instances, number, generators, _first(model, instances))


def _beamed(model: RoutingModel, instances: Instances, number: int, seeds: Sequence[Sequence[int]]) -> Tours:
    """Where there are fewer tours than beams, the last beams hold none."""
    found = beam_search(model, instances, number)
    return found._replace(lengths=found.lengths.where(found.log_likelihood > -torch.inf, torch.inf))


def _generator(seed: Sequence[int]) -> torch.Generator:
    state = np.random.SeedSequence(list(seed)).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


_WAYS: Final[dict[str, Callable[[RoutingModel, Instances, int, Sequence[Sequence[int]]], Tours]]] = {
    "greedy": lambda model, instances, _, __: greedy(model, instances, _first(model, instances)),
    "sample": _sampled,
    "starts": lambda model, instances, _, __: multi_start(model, instances),
    "x8": lambda model, instances, _, __: augmented(model, instances),
    "x8-starts": lambda model, instances, _, __: augmented(model, instances, None),
    "frames": lambda model, instances, _, __: tours_in_frames(model, instances),
    "beam": _beamed,
}
