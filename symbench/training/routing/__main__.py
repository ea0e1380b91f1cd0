"""``python -m symbench.training.routing tsp20-am``: train the model of a routing recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import torch
import typer

from symbench.errors import SymbenchError
from symbench.policies import NETWORKS
from symbench.policies.routing import RoutingModel
from symbench.runner.evaluate import single_thread
from symbench.runner.provenance import environment
from symbench.training.recipe import Recipe, Reinforce, load_recipe
from symbench.training.routing.reinforce import mean_length, train_routing
from symbench.training.session import STORY, Session


def main(
    recipe: Annotated[str, typer.Argument(help="Name or TOML file of a recipe whose algorithm is reinforce.")],
    seed: Annotated[int, typer.Option(min=0, help="Training seed.")] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR")] = Path("runs/routing"),
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replaces a setting.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with what exists, or train it again.")] = True,
    instances: Annotated[int, typer.Option(min=1, help="Instances of the final test.")] = 10_000,
) -> None:
    """Write weights (model.pt) and the story of their training (train.json) into DIR/RECIPE/sSEED."""
    try:
        plan = load_recipe(recipe, dict(each.split("=", 1) for each in set_ or []))
        if not isinstance(plan.algorithm, Reinforce):
            raise SymbenchError(f"recipe {plan.name} is of {plan.algorithm.name}; symbench train trains it")
        session = Session(out / plan.name / f"s{seed}", seed, plan.digest, resume=resume, measure="length {:.4f}")
        if not session.finished:
            with single_thread(), session, torch.random.fork_rng():
                torch.manual_seed(seed)
                model = _model(plan)
                train_routing(plan.algorithm, model, session)
                length = mean_length(model, plan.algorithm.nodes, instances, seed=1234)
            torch.save(model.state_dict(), session.folder / "model.pt")
            story = {"length": length, "instances": instances, "recipe_data": plan.model_dump(), "curve": session.curve}
            story |= {"seconds": round(session.seconds, 1), "recipe_digest": plan.digest, **environment(workers=1)}
            session.write_json(STORY, story)
        typer.echo((session.folder / STORY).read_text(encoding="utf-8").split(",")[0] + " }")
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def _model(plan: Recipe) -> RoutingModel:
    table = dict(plan.network)
    model = NETWORKS[table.pop("kind")](**table)
    assert isinstance(model, RoutingModel)
    return model


if __name__ == "__main__":
    typer.run(main)
