"""``symbench train``: from a recipe and a seed to an agent's two files and the whole story of how it came about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from symbench.errors import SymbenchError, unknown
from symbench.extras import require
from symbench.policies import Agent, NetworkAgent, PolicyNetwork
from symbench.policies.routing import RoutingModel
from symbench.policies.unshuffler import UnshufflerNetwork
from symbench.policies.vision import PatchUnshufflerNetwork
from symbench.runner.evaluate import play, single_thread
from symbench.runner.provenance import environment
from symbench.tasks import get_task
from symbench.training.imitation_settings import Imitation
from symbench.training.recipe import (
    DynamicsRegression,
    Evolution,
    PictureMeasurement,
    Ppo,
    Recipe,
    Reinforce,
    load_recipe,
)
from symbench.training.recipe_parts import check, digest_with_agents, find_teacher, make_network, teacher_of
from symbench.training.scalar_logs import make_log
from symbench.training.session import STORY, Session, require_commit, writing
from symbench.wrappers.vector import ShufflePatches, ShuffleSensors
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

    from gymnasium.vector import VectorEnv

SCORE_SEED = 500_000  # of the first episode a card's scores come from; no suite uses them
SCORE_EPISODES = {"batched": 1000, "sensors": 100, "entities": 100, "frames": 20}
DEVICES = ("cpu", "cuda")
LARGEST_PATCH = 6  # pixels, the published size


def train(
    recipe: str,
    out: Path,
    seed: int = 0,
    *,
    resume: bool = True,
    overrides: dict[str, Any] | None = None,
    device: str = "cpu",
    workers: int = 1,
    allow_dirty: bool = False,
    log: str | None = None,
    trust: bool = False,
) -> Path:
    """Train one run of a recipe.

    Writes ``agent.safetensors`` and ``agent.json`` (the agent and its card), ``train.json`` (recipe, seed, versions,
    commit, hardware, time, learning curve) and checkpoints into ``out/<recipe>/s<seed>``. A finished run is not
    trained again, an interrupted one goes on from its last checkpoint, unless ``resume`` is false.

    Args:
        recipe: Name of a bundled recipe, path of a TOML file, or id of an environment whose symmetry is declared.
        out: Folder of all trainings.
        seed: Training seed; imitation learns from the teacher's training run of this number.
        resume: Whether to go on with what is there; otherwise it is deleted.
        overrides: Values that replace those of the recipe's ``[algorithm]`` table.
        device: Where gradients are computed, ``"cpu"`` or ``"cuda"``; evolution needs none.
        workers: Processes that play the candidates of an evolution which see frames; results do not depend on it.
        allow_dirty: Whether to train although files of the source checkout differ from its commit; the card says so.
        log: ``"tensorboard"`` writes event files into the run's folder, ``"wandb"`` begins a run of Weights & Biases:
            points of the learning curve, losses, and speed. A training that is finished already is not logged.
        trust: Whether the module of an environment of one's own (``task = "my_envs:Walk-v0"``) may be imported.

    Returns:
        The agent's path without suffix, for :func:`symbench.zoo.load_agent`.

    Raises:
        SymbenchError: The recipe, or the checkpoint to go on from, is not usable; there is the training of another
            recipe; ``out`` cannot be written; the device, or the log, is not there; ``workers`` is less than 1; a
            package that the algorithm or the log needs is not installed; files of the checkout differ from its commit.
    """
    _require_device(device)
    if workers < 1:
        raise SymbenchError(f"workers must be at least 1, received {workers}")
    if not 0 <= seed < 2**32:
        raise SymbenchError(f"seed must be a whole number from 0 to 2**32 - 1, received {seed}")
    plan = load_recipe(recipe, overrides)
    get_task(plan.task, trust)  # its module is imported from here on
    _require_parts(plan)
    check(plan, seed)
    scalars = make_log(log, {"seed": seed, **plan.model_dump()}) if log else None
    measure = "length {:.4f}" if isinstance(plan.algorithm, Reinforce) else "return {:.1f}"
    folder = out / plan.name / f"s{seed}"
    require_commit(folder, resume=resume, allow_dirty=allow_dirty)
    session = Session(folder, seed, digest_with_agents(plan), resume=resume, measure=measure, log=scalars)
    if not (session.finished and (folder / "agent.safetensors").exists()):
        with single_thread(), session:
            torch.manual_seed(seed)
            write_agent(plan, train_network(plan, session, device, workers), session)
    return session.folder / "agent"


def _require_parts(plan: Recipe) -> None:
    """Say before work begins what is not installed."""
    if isinstance(plan.algorithm, Ppo):
        require("stable_baselines3", "recipes with PPO")
    elif isinstance(plan.algorithm, Evolution):
        require("cma", "evolutions")


def write_agent(plan: Recipe, network: PolicyNetwork, session: Session) -> None:
    """Write the agent's two files and, last, ``train.json``.

    Raises:
        SymbenchError: They cannot be written.
    """
    card = make_card(plan, network, session)
    with writing(session.folder / "agent"):
        save_agent(network, session.folder / "agent", card)
    data = {"recipe_digest": session.digest, "recipe_data": plan.model_dump(), "curve": session.curve}
    session.write_json(STORY, {**card, **data, **environment(workers=1)})


def train_network(plan: Recipe, session: Session, device: str = "cpu", workers: int = 1) -> PolicyNetwork:
    """Train the recipe's network with its algorithm.

    Raises:
        SymbenchError: The network, the teacher or the checkpoint to go on from is not usable.
    """
    network, settings = make_network(plan, session.seed), plan.algorithm
    if isinstance(settings, Ppo):
        from symbench.training.ppo import train_ppo

        return train_ppo(plan, settings, network, session, device)
    if isinstance(settings, Reinforce):
        from symbench.training.routing import train_routing

        assert isinstance(network, RoutingModel)  # as check() has made sure
        train_routing(settings, network, session)
        return network
    if isinstance(settings, Imitation):
        from symbench.training.imitation import imitate

        imitate(plan, settings, network, teacher_of(plan.task, settings, session.seed), session, device)
        return network
    if isinstance(settings, DynamicsRegression):
        from symbench.training.dynamics import learn_dynamics

        teacher = find_teacher(plan.task, settings.teacher, session.seed)
        assert isinstance(network, UnshufflerNetwork) and isinstance(teacher, PolicyNetwork)  # as check() has made sure
        learn_dynamics(plan, settings, network, teacher, session)
        return network
    if isinstance(settings, PictureMeasurement):
        from symbench.training.pictures import learn_pictures

        teacher = find_teacher(plan.task, settings.teacher, session.seed)
        assert isinstance(network, PatchUnshufflerNetwork) and isinstance(teacher, PolicyNetwork)  # as check() says
        learn_pictures(plan, settings, network, teacher, session)
        return network
    from symbench.training.evolution import evolve

    evolve(plan, settings, network, session, workers)
    return network


def _require_device(device: str) -> None:
    if device not in DEVICES:
        raise unknown("device", device, DEVICES)
    if device == "cuda" and not torch.cuda.is_available():
        raise SymbenchError("--device cuda: torch sees no CUDA device here; train on the CPU or install a CUDA torch")


def make_card(plan: Recipe, network: PolicyNetwork, session: Session) -> dict[str, Any]:
    """What the agent's JSON card says: origin, size, and scores in order and shuffled with 95% intervals.

    What a team sees is not shuffled, and neither are instances of tours.
    """
    task = get_task(plan.task)
    batched = task.native_vector and task.observes == "sensors"
    envs = task.make_vec(SCORE_EPISODES["batched" if batched else task.observes])
    scores = {"in_order": score(envs, NetworkAgent(network, plan.agent))}
    if not (network.of_team or network.of_tours):
        scores["shuffled"] = score(_shuffled(envs), NetworkAgent(network, plan.agent))
    return {
        "agent": plan.agent,
        "description": plan.description,
        "task": plan.task,
        "recipe": plan.name,
        "seed": session.seed,
        "algorithm": plan.algorithm.name,
        **session.origin,
        "training_seconds": round(session.seconds),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        **scores,
    }


def _shuffled(envs: VectorEnv[Any, Any, Any]) -> VectorEnv[Any, Any, Any]:
    shape = envs.single_observation_space.shape or ()
    if len(shape) == 1:
        return ShuffleSensors(envs)
    fitting = [size for size in range(1, LARGEST_PATCH + 1) if shape[0] % size == 0 and shape[1] % size == 0]
    return ShufflePatches(envs, patch_size=fitting[-1])


def score(envs: VectorEnv[Any, Any, Any], agent: Agent) -> dict[str, float]:
    """Mean return of an episode of each environment, its standard deviation and 95% interval, as cards have them."""
    seeds = list(range(SCORE_SEED, SCORE_SEED + envs.num_envs))
    returns = play(envs, agent, seeds).returns
    mean, std = float(returns.mean()), float(returns.std(ddof=1))
    margin = 1.96 * std / len(returns) ** 0.5
    numbers = {"mean": mean, "std": std, "low": mean - margin, "high": mean + margin}
    return {"episodes": len(returns), "first_seed": SCORE_SEED, **{key: round(v, 2) for key, v in numbers.items()}}
