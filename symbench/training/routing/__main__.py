"""``python -m symbench.training.routing tsp20-am``: train the model of a routing recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
import typer

from symbench.errors import SymbenchError
from symbench.policies.routing import RoutingModel
from symbench.runner.evaluate import single_thread
from symbench.runner.provenance import environment
from symbench.training.recipe import Reinforce, load_recipe
from symbench.training.recipe_parts import check, make_network
from symbench.training.routing.reinforce import mean_length, train_routing
from symbench.training.session import STORY, Session, require_commit, writing
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from symbench.training.recipe import Recipe


def main(
    recipe: Annotated[str, typer.Argument(help="Name or TOML file of a recipe whose algorithm is reinforce.")],
    seed: Annotated[int, typer.Option(min=0, help="Training seed.")] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR")] = Path("runs/routing"),
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replaces a setting.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with what exists, or train it again.")] = True,
    allow_dirty: Annotated[bool, typer.Option("--allow-dirty", help="Train by code that no commit holds.")] = False,
    instances: Annotated[int, typer.Option(min=1, help="Instances of the final test.")] = 10_000,
) -> None:
    """Write an agent (agent.safetensors, agent.json) and its training's story (train.json) into DIR/RECIPE/sSEED."""
    try:
        plan = load_recipe(recipe, dict(each.split("=", 1) for each in set_ or []))
        if not isinstance(plan.algorithm, Reinforce):
            raise SymbenchError(f"recipe {plan.name} is of {plan.algorithm.name}; symbench train trains it")
        check(plan, seed)
        folder = out / plan.name / f"s{seed}"
        require_commit(folder, resume=resume, allow_dirty=allow_dirty)
        session = Session(folder, seed, plan.digest, resume=resume, measure="length {:.4f}")
        if not session.finished:
            with single_thread(), session, torch.random.fork_rng():
                torch.manual_seed(seed)
                model = make_network(plan, seed)
                assert isinstance(model, RoutingModel)  # as check() has made sure
                train_routing(plan.algorithm, model, session)
                length = mean_length(model, plan.algorithm.nodes, instances, seed=1234)
            write(plan, model, session, {"length": length, "instances": instances})
        typer.echo(f"{session.folder / 'agent'}.safetensors")
    except SymbenchError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def write(plan: Recipe, model: RoutingModel, session: Session, scores: dict[str, float]) -> None:
    """Write the agent's two files and, last, its story.

    Raises:
        SymbenchError: They cannot be written.
    """
    machine, size = environment(workers=1), sum(weight.numel() for weight in model.parameters())
    card: dict[str, Any] = {
        "agent": plan.agent,
        "description": plan.description,
        "task": plan.task,
        "recipe": plan.name,
    }
    card |= {"seed": session.seed, "algorithm": plan.algorithm.name, **session.origin}
    card |= {"training_seconds": round(session.seconds), "parameters": size, **scores}
    with writing(session.folder / "agent"):
        save_agent(model, session.folder / "agent", card)
    data = {"recipe_digest": plan.digest, "recipe_data": plan.model_dump(), "curve": session.curve}
    session.write_json(STORY, {**card, **data, **machine})


if __name__ == "__main__":
    typer.run(main)
