"""Training an edge scorer on shortest tours: which edges are in them. Adam with a rate that falls, one torch thread."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn import functional as F

from symbench.envs.routing.tours import tour_lengths
from symbench.errors import SymbenchError
from symbench.policies.routing.edge_scorer import EdgeScorer
from symbench.runner.evaluate import single_thread
from symbench.runner.provenance import environment
from symbench.runner.tour_solvers import planning_agent
from symbench.solvers.dpdp import guided_tour
from symbench.tasks import get_task
from symbench.training.routing.shortest_tours import SolvedInstances, solved_instances
from symbench.training.session import STORY, Session
from symbench.training.train_recipe import SCORE_EPISODES, score
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_TRAIN, _TEST = 0, 1  # seeds of instances
_WARM_UP = 100  # steps until the rate is whole
_POINTS = 50  # of the curve
_TASK: Final = "TSP20"  # whose mean return the card says


@dataclass(frozen=True)
class EdgeScorerSettings:
    """How a scorer is trained.

    Attributes:
        instances: Number of cities -> solved instances to learn from; each step is of one number, by turns.
        steps: Steps of Adam.
        cities: Of all instances of a step together.
        learning_rate: The greatest; it rises within 100 steps and falls to 0 along half a cosine.
        network: Arguments of :class:`EdgeScorer`.
    """

    instances: dict[int, int]
    steps: int = 4000
    cities: int = 2000
    learning_rate: float = 2e-3
    network: dict[str, int] | None = None

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        falling = (1 + math.cos(math.pi * step / self.steps)) / 2
        return self.learning_rate * min(1.0, (step + 1) / _WARM_UP) * falling


def train_edge_scorer(
    settings: EdgeScorerSettings,
    out: Path,
    seed: int = 0,
    *,
    test: dict[int, int] | None = None,
    beam_size: int = 1000,
    resume: bool = True,
    command: str = "",
    cache: Path | None = None,
) -> dict[str, Any]:
    """Train a scorer; ``out/edge-scorer/s<seed>/`` gets its weights and card, and ``train.json``.

    A finished run is not trained again; an interrupted one goes on from its last checkpoint with the same numbers.

    Args:
        settings: How it is trained.
        out: Folder of all trainings.
        seed: Of weights and of the order of instances.
        test: Number of cities -> instances whose gap is measured at the end.
        beam_size: Of the beams that measure it.
        resume: Whether to go on with what is there; otherwise it is deleted.
        command: What was called, to be written down.
        cache: Directory of solved instances.

    Returns:
        What ``train.json`` holds: ``"gaps"`` by number of cities, the curve, the settings, the machine.

    Raises:
        SymbenchError: It diverged, elkai is not installed, or the folder holds another training.
    """
    settled: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    digest = hashlib.sha256(json.dumps([settled, seed]).encode()).hexdigest()
    session = Session(out / "edge-scorer" / f"s{seed}", seed, digest, resume=resume, measure="loss {:.5f}")
    if session.finished:
        story: dict[str, Any] = json.loads((session.folder / STORY).read_text(encoding="utf-8"))
        return story
    with single_thread(), session:
        data = [solved_instances(n, count, _TRAIN, cache) for n, count in settings.instances.items()]
        scorer = _train(settings, data, session)
        tests = {n: solved_instances(n, count, _TEST, cache) for n, count in (test or {}).items()}
        gaps = {str(n): measure_gap(scorer, instances, beam_size) for n, instances in tests.items()}
    card = make_card(scorer, session, gaps, beam_size)
    save_agent(scorer, session.folder / "agent", card)
    story = {**card, **settled, "command": command, "recipe_digest": digest, "curve": session.curve}
    story |= environment(workers=1)
    session.write_json(STORY, story)
    return story


def make_card(scorer: EdgeScorer, session: Session, gaps: dict[str, float], beam_size: int) -> dict[str, Any]:
    """What is worth knowing about a trained scorer, beside its weights."""
    task = get_task(_TASK)
    agent = planning_agent(scorer, scorer.kind, f"beam:{beam_size}", task.make().action_space)
    return {
        "agent": scorer.kind,
        "description": f"edges of shortest tours, for DPDP with beams of {beam_size}",
        "task": _TASK,
        "recipe": "train_edge_scorer",
        "seed": session.seed,
        "algorithm": "edges of shortest tours",
        "commit": environment(workers=1)["commit"],
        "training_seconds": round(session.seconds),
        "parameters": sum(parameter.numel() for parameter in scorer.parameters()),
        "beam_size": beam_size,
        "gaps": gaps,
        "in_order": score(task.make_vec(SCORE_EPISODES["batched"]), agent),
    }


def _train(settings: EdgeScorerSettings, data: list[SolvedInstances], session: Session) -> EdgeScorer:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(session.seed)
        scorer = EdgeScorer(**settings.network or {})
    optimizer = torch.optim.Adam(scorer.parameters())
    for step in range(session.restore(scorer, optimizer), settings.steps):
        rng, instances = np.random.default_rng([session.seed, step]), data[step % len(data)]
        chosen = rng.integers(len(instances.cities), size=max(1, settings.cities // instances.cities.shape[1]))
        loss = edge_loss(scorer, SolvedInstances(instances.cities[chosen], instances.tours[chosen]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(scorer.parameters(), 1.0)
        optimizer.param_groups[0]["lr"] = settings.rate(step)
        optimizer.step()
        _note(session, scorer, optimizer, step + 1, settings.steps, float(loss.detach()))
    return scorer.eval()


def _note(
    session: Session, scorer: EdgeScorer, optimizer: torch.optim.Optimizer, done: int, steps: int, loss: float
) -> None:
    """Progress, a point of the curve where one is due, a checkpoint where one is due."""
    if not math.isfinite(loss):
        raise SymbenchError(f"the edge scorer diverged in step {done}; take a smaller learning rate")
    session.show(done, steps, loss)
    if done % max(1, steps // _POINTS) == 0:
        session.note(done, {"loss": loss})
    if session.checkpoint_is_due() or done == steps:
        session.save(scorer, optimizer, done)


def edge_loss(scorer: EdgeScorer, instances: SolvedInstances) -> Tensor:
    """Mean binary cross-entropy of edges between near neighbours: whether the shortest tour has them."""
    logits, near = scorer.logits(torch.from_numpy(instances.cities))
    tours = torch.from_numpy(instances.tours.astype(np.int64))
    following = torch.zeros_like(logits)
    following[torch.arange(len(tours))[:, None], tours, tours.roll(-1, dims=1)] = 1.0
    return F.binary_cross_entropy_with_logits(logits[near], (following + following.mT)[near])


@torch.no_grad()
def measure_gap(scorer: EdgeScorer, instances: SolvedInstances, beam_size: int = 1000) -> float:
    """How much longer the tours of a beam are than the shortest, mean length against mean length, in percent.

    Where edges above the threshold make no tour that a beam finds, all edges are allowed.
    """
    heatmaps = torch.cat([scorer(part) for part in torch.split(torch.from_numpy(instances.cities), 100)]).numpy()
    found = [guided_tour(*each, beam_size) for each in zip(instances.cities, heatmaps, strict=True)]
    lengths, shortest = (tour_lengths(instances.cities, tours) for tours in (np.array(found), instances.tours))
    return 100.0 * float(lengths.mean() / shortest.mean() - 1)
