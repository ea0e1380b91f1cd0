"""Training a predictor, as published: Adam, batches of 100, the test error at the epoch of the best validation."""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from symbench.errors import SymbenchError
from symbench.runner.evaluate import single_thread
from symbench.runner.provenance import environment
from symbench.training.nbody.predictors import PREDICTORS, make_predictor
from symbench.training.session import STORY, Session

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from symbench.training.nbody.systems import Splits, Systems

BATCH: Final = 100
WEIGHT_DECAY: Final = 1e-12
EVERY: Final = 5  # epochs between validations
_AT_ONCE = 500  # systems that are predicted at once


def train_predictor(
    name: str,
    splits: Splits,
    out: Path,
    seed: int = 0,
    *,
    epochs: int = 300,
    learning_rate: float | None = None,
    anneal: bool = False,
    resume: bool = True,
    command: str = "",
) -> dict[str, Any]:
    """Train one predictor from one seed; what it reached is in ``out/<name>/s<seed>/train.json``.

    One torch thread. A finished run is not trained again; an interrupted one, or one that is to have more epochs, goes
    on from its last checkpoint with the same numbers.

    Args:
        name: One of :data:`PREDICTORS`.
        splits: Systems to train, validate and test with.
        out: Folder of all trainings.
        seed: Of weights and of the order of systems.
        epochs: Passes over the systems.
        learning_rate: Adam's; ``None``: the published one.
        anneal: Whether it falls to 0 along half a cosine over these epochs; published is that it stays.
        resume: Whether to go on with what is there; otherwise it is deleted.
        command: What was called, to be written down.

    Returns:
        What ``train.json`` holds: ``"test_mse"`` at ``"best_epoch"``, the curve, the settings, the machine.

    Raises:
        SymbenchError: There is no such predictor, it diverged, or the folder holds another training.
    """
    network = make_predictor(name, seed)
    rate = PREDICTORS[name].learning_rate if learning_rate is None else learning_rate
    settings = {"predictor": name, "seed": seed, "learning_rate": rate, "batch": BATCH, "weight_decay": WEIGHT_DECAY}
    settings |= {"anneal": epochs} if anneal else {}
    digest = hashlib.sha256(json.dumps([settings, splits.digest()]).encode()).hexdigest()
    session = Session(out / name / f"s{seed}", seed, digest, resume=resume, measure="training MSE {:.5f}")
    story = _finished(session, epochs)
    if story is None:
        optimizer = torch.optim.Adam(network.parameters(), rate, weight_decay=WEIGHT_DECAY)
        with single_thread(), session:
            _train(network, optimizer, splits, session, epochs, rate if anneal else None)
        best = min(session.curve, key=lambda row: row["valid_mse"])
        story = {
            **settings,
            **{"epochs": epochs, "best_epoch": best["done"], "valid_mse": best["valid_mse"]},
            **{"test_mse": best["test_mse"], "seconds": round(session.seconds, 1)},
            "parameters": sum(parameter.numel() for parameter in network.parameters()),
            "sizes": {part: len(systems.positions) for part, systems in splits._asdict().items()},
            **{"command": command, "recipe_digest": digest, "curve": session.curve, **environment(workers=1)},
        }
        session.write_json(STORY, story)
    return story


def _train(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    splits: Splits,
    session: Session,
    epochs: int,
    falling_from: float | None,
) -> None:
    begun = session.restore(network, optimizer)
    session.curve[:] = [row for row in session.curve if row["done"] % EVERY == 0]  # not the end of a shorter run
    for epoch in range(begun, epochs):
        if falling_from is not None:
            optimizer.param_groups[0]["lr"] = falling_from * (1 + math.cos(math.pi * epoch / epochs)) / 2
        error, done = train_epoch(network, optimizer, splits.train, session.seed, epoch), epoch + 1
        if not math.isfinite(error):
            raise SymbenchError(f"the predictor diverged in epoch {done}; take a smaller learning rate")
        if done % EVERY == 0 or done == epochs:
            errors = {"valid_mse": mse(network, splits.valid), "test_mse": mse(network, splits.test)}
            session.note(done, {"train_mse": error, **errors})
        session.show(done, epochs, error)
        if session.checkpoint_is_due() or done == epochs:
            session.save(network, optimizer, done)


def train_epoch(network: nn.Module, optimizer: torch.optim.Optimizer, systems: Systems, seed: int, epoch: int) -> float:
    """One pass over the systems, in an order that depends on seed and epoch only; the mean error on the way."""
    rng, total = np.random.default_rng([seed, epoch]), 0.0
    order = torch.from_numpy(rng.permutation(len(systems.positions)))
    for indices in torch.split(order, BATCH):
        optimizer.zero_grad()
        error = _error(network, systems.part(indices))
        error.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += float(error.detach()) * len(indices)
    return total / len(order)


@torch.no_grad()
def mse(network: nn.Module, systems: Systems) -> float:
    """Mean squared error of a coordinate, over all systems."""
    parts = torch.split(torch.arange(len(systems.positions)), _AT_ONCE)
    total = sum(float(_error(network, systems.part(indices))) * len(indices) for indices in parts)
    return total / len(systems.positions)


def _error(network: nn.Module, systems: Systems) -> Tensor:
    *inputs, targets = systems
    return torch.nn.functional.mse_loss(network(*inputs), targets)


def _finished(session: Session, epochs: int) -> dict[str, Any] | None:
    """The story of this training if it is told."""
    if not session.finished:
        return None
    story: dict[str, Any] = json.loads((session.folder / STORY).read_text(encoding="utf-8"))
    if story["epochs"] > epochs:
        raise SymbenchError(
            f"{session.folder} has been trained for {story['epochs']} epochs; choose another --out, or --no-resume"
        )
    return story if story["epochs"] == epochs else None
