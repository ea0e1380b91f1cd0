"""The greedy rollout baseline (Kool et al. 2019, section 4): what an earlier model, frozen, reaches greedily."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Final

import torch
from scipy import stats
from torch import Tensor, nn

from symbench.policies.routing import greedy, multi_start
from symbench.training.routing.uniform_instances import generator_of, uniform_instances

if TYPE_CHECKING:
    from symbench.policies.routing import RoutingModel
    from symbench.policies.routing.tour_states import Instances

SIGNIFICANCE: Final = 0.05
BETA: Final = 0.8  # of the exponential average that stands in during the first epoch
EVALUATION: Final = 10_000


class RolloutBaseline(nn.Module):
    """A frozen copy of the model; :meth:`challenge` replaces it when the model is significantly better.

    In the first epoch, while the copy knows nothing, an exponential average of lengths takes its place.

    Attributes:
        frozen: The copy, in evaluation mode.
        epochs: Epochs done.
        replaced: How often the copy was replaced.
        average: The exponential average; NaN before the first batch.
    """

    epochs: Tensor
    replaced: Tensor
    average: Tensor

    def __init__(self, model: RoutingModel, nodes: int, seed: int, evaluation: int | None = None) -> None:
        """Freeze a copy.

        Args:
            model: The model before its training.
            nodes: Nodes of an instance.
            seed: Of the instances on which model and copy are compared.
            evaluation: Number of these instances, which change with every replacement. [:data:`EVALUATION`]
        """
        super().__init__()
        self.frozen = copy.deepcopy(model).eval().requires_grad_(False)
        self._drawn = (nodes, seed, evaluation or EVALUATION)
        self.register_buffer("epochs", torch.tensor(0))
        self.register_buffer("replaced", torch.tensor(0))
        self.register_buffer("average", torch.tensor(torch.nan, dtype=torch.float64))

    def forward(self, instances: Instances, lengths: Tensor) -> Tensor:
        """What lengths (B, k) of sampled tours are compared with: (B, 1), or a scalar during the first epoch."""
        if self.epochs:
            return greedy(self.frozen, instances).lengths
        mean = lengths.mean()
        self.average = mean if self.average.isnan() else BETA * self.average + (1 - BETA) * mean
        return self.average

    @torch.no_grad()
    def challenge(self, model: RoutingModel) -> bool:
        """End an epoch: compare model and copy on the same instances by a paired one-sided t-test.

        Returns:
            Whether the model takes the copy's place.
        """
        nodes, seed, evaluation = self._drawn
        draw = generator_of(seed, int(self.replaced))
        instances = uniform_instances(model.problem, evaluation, nodes, draw)
        new, old = greedy_lengths(model, instances), greedy_lengths(self.frozen, instances)
        better = is_better(new, old)
        if better:
            self.frozen.load_state_dict(model.state_dict())
            self.replaced += 1
        self.epochs += 1
        return better


def is_better(new: Tensor, old: Tensor) -> bool:
    """Whether lengths (B,) are significantly less than others on the same instances."""
    if bool(new.mean() >= old.mean()):
        return False
    return float(stats.ttest_rel(new.numpy(), old.numpy(), alternative="less").pvalue) < SIGNIFICANCE


def greedy_lengths(model: RoutingModel, instances: Instances) -> Tensor:
    """Of greedy tours in evaluation mode, (B,); where the model needs starts, of the best of all starts."""
    training = model.training
    model.eval()
    found = multi_start(model, instances) if model.needs_start else greedy(model, instances)
    model.train(training)
    return found.best().lengths[:, 0]
