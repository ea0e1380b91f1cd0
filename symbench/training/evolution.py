"""CMA-ES: evolve the weights of a policy network.

With sensors all candidates of a generation play in one batch of environments. With frames they play one after the
other, each with the episodes of a generation as its batch, in as many processes as there are workers.

Source: Hansen 2016 (arXiv 1604.00772), through the ``cma`` package; the paper's own way of training (Tang & Ha 2021,
arXiv 2109.02869, section 4: population 256, 16 rollouts, 14,000 generations for cart-pole).
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.func import functional_call, vmap
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.policies import NetworkAgent
from symbench.runner.evaluate import play, single_thread
from symbench.runner.executors import worker
from symbench.runner.pipeline import make_envs
from symbench.tasks import get_task
from symbench.training.training_envs import make_training_envs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from symbench.policies.policy_network import PolicyNetwork
    from symbench.training.recipe import Evolution, Recipe
    from symbench.training.session import Session

HISTORY = "fitness.npy"


def evaluate_population(
    recipe: Recipe,
    network: PolicyNetwork,
    candidates: NDArray[np.float64],
    rollouts: int,
    seed: int,
    pool: ProcessPoolExecutor | None = None,
) -> NDArray[np.float64]:
    """Mean return of each candidate.

    Args:
        recipe: Says the task and its perturbations.
        network: The architecture; its own weights are not used, and are overwritten where candidates see frames.
        candidates: One vector of weights each, in the order of ``network.parameters()``, shape (P, D).
        rollouts: Episodes per candidate R; every candidate plays the same ones.
        seed: Of the first episode; the others follow.
        pool: Processes that play candidates which see frames; none: this one. Returns do not depend on it.

    Returns:
        Shape (P,).
    """
    if get_task(recipe.task).observes == "frames":
        alone = partial(_evaluate_alone, recipe, network, list(range(seed, seed + rollouts)))
        return np.array(list((pool.map if pool else map)(alone, candidates)))
    return _evaluate_together(recipe, network, candidates, rollouts, seed)


def _evaluate_alone(recipe: Recipe, network: PolicyNetwork, seeds: list[int], candidate: NDArray[np.float64]) -> float:
    """Mean return of one candidate."""
    vector_to_parameters(torch.from_numpy(candidate).float(), network.parameters())
    with single_thread(), closing(make_envs(recipe.task, recipe.perturbations, len(seeds))) as envs:
        return float(play(envs, NetworkAgent(network, recipe.agent), seeds).returns.mean())


@torch.no_grad()
def _evaluate_together(
    recipe: Recipe, network: PolicyNetwork, candidates: NDArray[np.float64], rollouts: int, seed: int
) -> NDArray[np.float64]:
    """Mean return of each candidate, all at once."""
    population = len(candidates)
    envs, _ = make_training_envs(recipe, population * rollouts)
    seeds = [seed + i % rollouts for i in range(population * rollouts)]
    observations, _ = envs.reset(seed=seeds)  # type: ignore[arg-type]  # one seed each is allowed
    weights = _stack(network, candidates)
    state = network.initial_state(*observations.shape)
    state = tuple(part.reshape(population, rollouts, *part.shape[1:]) for part in state)
    step = vmap(lambda parameters, *inputs: functional_call(network, parameters, (inputs[0], inputs[1:])))
    returns, playing = np.zeros(len(seeds)), np.ones(len(seeds), dtype=bool)
    while playing.any():
        batch = torch.from_numpy(observations).reshape(population, rollouts, -1)
        actions, state = step(weights, batch, *state)
        observations, rewards, terminated, truncated, _ = envs.step(actions.flatten(0, 1).numpy())
        returns += np.where(playing, rewards, 0.0)
        # What follows the first episode of an environment is not counted, so its state needs no restart.
        playing &= ~(terminated | truncated)
    envs.close()
    means: NDArray[np.float64] = returns.reshape(population, rollouts).mean(axis=1)
    return means


def _stack(network: PolicyNetwork, candidates: NDArray[np.float64]) -> dict[str, torch.Tensor]:
    stacked, start = {}, 0
    matrix = torch.from_numpy(candidates).float()
    for name, parameter in network.named_parameters():
        part = matrix[:, start : start + parameter.numel()]
        stacked[name] = part.reshape(len(matrix), *parameter.shape)
        start += parameter.numel()
    return stacked


def first_seed(seed: int, generation: int, rollouts: int) -> int:
    """Seed of a generation's first episode: episodes differ between generations, not between candidates.

    It is drawn from 2**30 upwards, far above the seeds of suites and cards, which training must not see.
    """
    drawn = int(np.random.SeedSequence([seed, generation]).generate_state(1)[0])
    return 2**30 + drawn % (2**30 - rollouts)


def evolve(recipe: Recipe, settings: Evolution, network: PolicyNetwork, session: Session, workers: int = 1) -> None:
    """Train ``network`` in place; its weights become the mean of the last generation's distribution.

    ``workers`` is the number of processes that play candidates which see frames.

    Raises:
        SymbenchError: The network has too many weights.
    """
    start = parameters_to_vector(network.parameters()).detach().double().numpy()
    options = {"popsize": settings.population, "seed": session.seed + 1, "verbose": -9, "maxiter": np.inf}
    try:
        strategy = require("cma", "evolutions").CMAEvolutionStrategy(start, settings.sigma, options)
    except MemoryError as error:
        raise SymbenchError(
            f"recipe {recipe.name}: CMA-ES keeps a covariance of all pairs of {len(start):,} weights, "
            f"{8 * len(start) ** 2 / 1e9:.0f} GB, more than there is; take a smaller network, or imitation"
        ) from error
    fitness = _replay(strategy, session)
    with _processes(workers, recipe.task) as pool:
        for generation in range(len(fitness), settings.generations):
            candidates = np.array(strategy.ask())
            first = first_seed(session.seed, generation, settings.rollouts)
            returns = evaluate_population(recipe, network, candidates, settings.rollouts, first, pool)
            strategy.tell(list(candidates), (-returns).tolist())
            fitness.append(returns)
            others = {"best": float(returns.max()), "sigma": float(strategy.sigma)}
            session.report(generation + 1, settings.generations, float(returns.mean()), **others)
            if generation + 1 == settings.generations or session.checkpoint_is_due():
                _save(fitness, session)
    vector_to_parameters(torch.from_numpy(strategy.result.xfavorite).float(), network.parameters())


@contextmanager
def _processes(workers: int, task: str) -> Iterator[ProcessPoolExecutor | None]:
    """A pool of fresh interpreters that leave Ctrl-C to this one; ``None`` for a single worker."""
    if workers == 1:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (task,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task: str) -> None:
    worker.begin()
    get_task(task, trust=True)  # as it is where it was allowed


def _save(fitness: list[Any], session: Session) -> None:
    with session.checkpoint(HISTORY) as partial, partial.open("wb") as file:
        np.save(file, np.array(fitness))


def _replay(strategy: Any, session: Session) -> list[Any]:
    """Bring a fresh strategy to where an interrupted run was: CMA-ES is determined by its seed and the fitnesses."""
    with session.resuming(HISTORY) as history:
        fitness = [] if history is None else list(np.load(history, allow_pickle=False))
        for returns in fitness:
            strategy.tell(strategy.ask(), (-returns).tolist())
        return fitness
