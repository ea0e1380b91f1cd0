"""Small models and instances for tests of routing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from symbench.policies.routing import (
    AttentionModel,
    DistanceModel,
    EGNNModel,
    PomoModel,
    RoutingModel,
    canonicalised,
    frame_averaged,
)

SMALL = {"width": 16, "heads": 2, "layers": 2, "hidden": 32}
MODELS = {
    "attention-model": lambda: AttentionModel(**SMALL),
    "instance norm": lambda: AttentionModel(**SMALL, norm="instance"),
    "cvrp": lambda: AttentionModel("cvrp", **SMALL),
    "pomo": lambda: PomoModel(**SMALL),
    "pomo cvrp": lambda: PomoModel("cvrp", **SMALL),
    "distances": lambda: DistanceModel(**SMALL),
    "graph network, cvrp": lambda: EGNNModel("cvrp", **SMALL),
    "canonical": lambda: canonicalised(AttentionModel(**SMALL)),
    "frame-averaged cvrp": lambda: frame_averaged(AttentionModel("cvrp", **SMALL)),
}
every_model = pytest.mark.parametrize("name", MODELS)


def model_of(name: str) -> RoutingModel:
    """With fresh weights, sharpened so that choices are not near ties; float64, in evaluation mode."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = MODELS[name]().double().eval()
    with torch.no_grad():
        getattr(model.decoder, "inner", model.decoder).out.weight *= 10
    return model


def instances_of(model: RoutingModel, batch: int = 5, nodes: int = 7, seed: int = 0) -> dict[str, Tensor]:
    """Uniform ones, float64; customers of CVRP demand 1 to 9 of 20."""
    generator = torch.Generator().manual_seed(seed)
    cities = torch.rand(batch, nodes, 2, generator=generator, dtype=torch.float64)
    if model.problem == "tsp":
        return {"cities": cities}
    demands = torch.randint(1, 10, (batch, nodes), generator=generator).double() / 20
    demands[:, 0] = 0
    return {"cities": cities, "demands": demands}
