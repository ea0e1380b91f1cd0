"""REINFORCE for models that build tours: the encoder sees an instance once, k tours of it are sampled together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from symbench.errors import SymbenchError
from symbench.policies.routing import log_likelihood, tour_lengths
from symbench.policies.routing.decoding import all_starts, decoded, drawn_by
from symbench.training.routing.policy_gradients import reinforce_loss, shared_baseline, symmetric_losses
from symbench.training.routing.rollout_baseline import RolloutBaseline, greedy_lengths
from symbench.training.routing.turned_copies import turned_copies
from symbench.training.routing.uniform_instances import generator_of, uniform_instances

if TYPE_CHECKING:
    from symbench.policies.routing import RoutingModel
    from symbench.training.recipe import Reinforce
    from symbench.training.session import Session

VALIDATION = 1000  # instances of every point of the learning curve
VALIDATION_SEED = 4321
POINTS = 25  # of the learning curve


class Learner(nn.Module):
    """A model and what is trained or kept beside it: a checkpoint holds all of it.

    Attributes:
        model: The model.
        baseline: The greedy rollout of an earlier one; ``None``: the mean of an instance's tours.
        projection: Of embeddings, where copies should look alike to the encoder (Sym-NCO).
    """

    def __init__(self, model: RoutingModel, settings: Reinforce, seed: int) -> None:
        """Put together what these settings need."""
        super().__init__()
        self.model, self.settings = model, settings
        rollout = settings.baseline == "rollout"
        self.baseline = RolloutBaseline(model, settings.nodes, seed) if rollout else None
        self.projection = _projection(model.decoder.width, seed) if settings.invariance else None

    def loss(self, instances: dict[str, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The loss of a batch, and the mean length of the sampled tours."""
        settings, batch = self.settings, len(instances["cities"])
        if settings.copies > 1:
            instances = turned_copies(instances, settings.copies, generator)
        nodes, graph = self.model.encoder(instances)
        prepared = self.model.decoder.prepare(nodes, graph)
        starts = all_starts(self.model, instances, settings.samples) if settings.starts else None
        with torch.no_grad():
            choose = drawn_by(generator)
            tours = decoded(self.model, instances, prepared, choose, starts, settings.samples).nodes
            lengths = tour_lengths(instances, tours)
        likelihood = log_likelihood(self.model, instances, prepared, tours, given=int(settings.starts))
        if settings.copies == 1:
            baseline = shared_baseline(lengths) if self.baseline is None else self.baseline(instances, lengths)
            return reinforce_loss(lengths, baseline, likelihood), lengths.mean()
        shape = (settings.copies, batch)
        projected = None if self.projection is None else self.projection(nodes).reshape(*shape, *nodes.shape[1:])
        problem, solution, invariance = symmetric_losses(
            lengths.reshape(*shape, -1), likelihood.reshape(*shape, -1), projected
        )
        return problem + settings.solution * solution + settings.invariance * invariance, lengths.mean()


def _projection(width: int, seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))


def train_routing(settings: Reinforce, model: RoutingModel, session: Session) -> None:
    """Train a model in place; instances of step t depend on the training seed and t only.

    Args:
        settings: The recipe's ``[algorithm]``.
        model: With fresh weights.
        session: Checkpoints and learning curve, of greedy tours of the same 1,000 instances.

    Raises:
        SymbenchError: The training diverged, or the checkpoint to go on from is not usable.
    """
    learner = Learner(model, settings, session.seed).train()
    weights = [weight for weight in learner.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, settings.learning_rate, weight_decay=settings.weight_decay)
    for step in range(session.restore(learner, optimizer), settings.steps):
        (length, loss), done = _step(learner, optimizer, session.seed, step), step + 1
        if not math.isfinite(length):
            raise SymbenchError(f"the training diverged at step {done}; take a smaller learning_rate")
        if done % settings.epoch == 0 and learner.baseline is not None:
            learner.baseline.challenge(model.eval())
            learner.train()
        session.show(done, settings.steps, length)
        if done % max(1, settings.steps // POINTS) == 0 or done == settings.steps:
            greedy = mean_length(model, settings.nodes, VALIDATION)
            session.note(done, {"sampled": round(length, 4), "length": round(greedy, 4)}, loss=loss)
        if session.checkpoint_is_due() or done == settings.steps:
            session.save(learner, optimizer, done)


def mean_length(model: RoutingModel, nodes: int, instances: int, seed: int = VALIDATION_SEED) -> float:
    """Mean length of greedy tours of uniform instances; of the best of all starts where the model needs them."""
    drawn = uniform_instances(model.problem, instances, nodes, generator_of(seed))
    return float(greedy_lengths(model, drawn).mean())


def _step(learner: Learner, optimizer: torch.optim.Optimizer, seed: int, step: int) -> tuple[float, float]:
    """One update; the mean length of the sampled tours, and the loss."""
    settings, generator = learner.settings, generator_of(seed, step)
    instances = uniform_instances(learner.model.problem, settings.batch, settings.nodes, generator)
    falls = 1 - (1 - settings.last_rate) * step / settings.steps
    optimizer.param_groups[0]["lr"] = settings.learning_rate * falls
    loss, length = learner.loss(instances, generator)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], settings.max_grad_norm)
    optimizer.step()
    return float(length), float(loss.detach())
