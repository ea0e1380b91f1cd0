"""What a routing model loses on instances that were turned, moved, mirrored, scaled or relabelled.

``python -m symbench.training.routing.transformations agent.safetensors --nodes 20`` measures an agent, as it is and in
frames; so does ``tsp_20.npz --published tsp_20`` with published weights. A tour's length is that of its nodes in the
instance as it was drawn, so that lengths are in the same units and those of equal tours are equal to the last bit. An
exactly invariant model is not changed by any but relabelling, which no model here notices.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import torch
import typer

from symbench.errors import SymbenchError
from symbench.policies.routing import (
    RoutingModel,
    canonicalised,
    frame_averaged,
    greedy,
    multi_start,
    tour_lengths,
    tours_in_frames,
)
from symbench.policies.routing.invariant_models import PLAIN
from symbench.runner.evaluate import single_thread
from symbench.training.routing.uniform_instances import uniform_instances
from symbench.zoo import load_agent, load_published

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from symbench.policies.routing import Tours
    from symbench.policies.routing.tour_states import Instances

SAME: Final = 1e-9  # lengths that differ by less are those of the same tour


class Row(NamedTuple):
    """A solver under a transformation.

    Attributes:
        solver: A model's name, or what it is made of.
        transformation: One of :data:`TRANSFORMATIONS`.
        mean_length: Of its tours.
        share_changed: Of instances whose tour has another length than in place.
        largest_change: Of a length, up or down.
    """

    solver: str
    transformation: str
    mean_length: float
    share_changed: float
    largest_change: float


def turned(cities: Tensor, degrees: float) -> Tensor:
    """Cities (B, n, 2) turned about (.5, .5)."""
    angle = math.radians(degrees)
    turn = cities.new_tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return (cities - 0.5) @ turn + 0.5


TRANSFORMATIONS: Final[dict[str, Callable[[Tensor], Tensor]]] = {
    "in place": lambda cities: cities,
    "turned by 45 degrees": lambda cities: turned(cities, 45),
    "turned by 17 degrees": lambda cities: turned(cities, 17),
    "moved by +.5": lambda cities: cities + 0.5,
    "scaled by .5": lambda cities: cities * 0.5,
    "mirrored": lambda cities: cities * cities.new_tensor([-1, 1]) + cities.new_tensor([1, 0]),
    "all of these": lambda cities: turned(cities * cities.new_tensor([-0.5, 0.5]), 45) + 0.5,
}
"""What is done to cities, (B, n, 2). Those of the unit square leave it, but for the mirror."""
RELABELLED: Final = "relabelled"


Solver = Callable[["Instances"], "Tours"]


def transformation_rows(solvers: Mapping[str, Solver], instances: Instances, seed: int = 0) -> Iterator[Row]:
    """Each solver in place and under each transformation.

    Args:
        solvers: From instances to tours, of which the best counts; by name.
        instances: B of them, of the models' precision.
        seed: Of the order in which cities are relabelled.
    """
    for name, solve in solvers.items():
        found = {each: _lengths(solve, instances, move(instances["cities"])) for each, move in TRANSFORMATIONS.items()}
        before = found["in place"]
        for each, after in {**found, RELABELLED: _relabelled_lengths(solve, instances, seed)}.items():
            change = (after - before).abs()
            yield Row(name, each, float(after.mean()), float((change > SAME).double().mean()), float(change.max()))


def invariant_solvers(model: RoutingModel) -> dict[str, Solver]:
    """A plain model's greedy tours, and what makes them invariant with the same weights."""
    return {
        "as trained": partial(_greedy, model),
        "canonicalised": partial(_greedy, canonicalised(model)),
        "best of four frames": partial(tours_in_frames, model),
        "mean of logits over four frames": partial(_greedy, frame_averaged(model)),
        "mean of embeddings over four frames": partial(_greedy, frame_averaged(model, "embeddings")),
    }


def _greedy(model: RoutingModel, instances: Instances) -> Tours:
    return multi_start(model, instances) if model.needs_start else greedy(model, instances)


def _lengths(solve: Solver, instances: Instances, cities: Tensor) -> Tensor:
    """Of tours of moved cities in the instances as they were, (B,)."""
    return tour_lengths(instances, solve({**instances, "cities": cities}).best().nodes)[:, 0]


def _relabelled_lengths(solve: Solver, instances: Instances, seed: int) -> Tensor:
    """Of tours of instances whose nodes, but for a depot, come in another order, (B,)."""
    kept, nodes = int("demands" in instances), instances["cities"].shape[1]
    shuffled = kept + torch.randperm(nodes - kept, generator=torch.Generator().manual_seed(seed))
    order = torch.cat([torch.arange(kept), shuffled])
    found = solve({key: part[:, order] for key, part in instances.items()}).best().nodes
    return tour_lengths(instances, order[found])[:, 0]


def solvers_of(model: RoutingModel) -> dict[str, Solver]:
    """Those of :func:`invariant_solvers` of a plain model; of an invariant one its greedy tours, by its kind."""
    return invariant_solvers(model) if model.kind in PLAIN else {model.kind: partial(_greedy, model)}


def main(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Agents, or weights of their authors.")],
    published: Annotated[str, typer.Option(metavar="NAME", help="The files' name as published, e.g. tsp_20.")] = "",
    nodes: Annotated[int, typer.Option(min=2, help="Cities of an instance, or its customers.")] = 20,
    instances: Annotated[int, typer.Option(min=1, help="Uniform instances.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of the instances.")] = 1234,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="CSV")] = Path("transformations.csv"),
) -> None:
    """Write a row for each solver and transformation; computed in float64."""
    try:
        models = [_loaded(published, file) for file in files]
        with single_thread(), out.open("w", newline="", encoding="utf-8") as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(("nodes", "instances", *Row._fields))
            for model in models:
                drawn = uniform_instances(model.problem, instances, nodes, torch.Generator().manual_seed(seed))
                doubled = {key: part.double() for key, part in drawn.items()}
                for row in transformation_rows(solvers_of(model.double()), doubled):
                    writer.writerow((nodes, instances, *row[:2], *(f"{number:.6g}" for number in row[2:])))
                    typer.echo(f"{row.solver}, {row.transformation}: {row.mean_length:.4f}")
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def _loaded(published: str, file: Path) -> RoutingModel:
    agent = load_published(published, file) if published else load_agent(file)
    model = getattr(agent, "network", None)
    if isinstance(model, RoutingModel):
        return model
    raise SymbenchError(f"{published or file} is no model of tours; take weights such as tsp_20")


if __name__ == "__main__":
    typer.run(main)
