"""What the agreement of Pong's agents with their teacher is worth: base rates and controls. Prints CSV.

* ``base``: what answers get that look at nothing - the teacher's most frequent one, the one it gave a step ago
* ``told``: the agent is told other previous actions than those that were done
* ``hidden``: the agent sees fewer patches than it has ever met, or none
* ``alone``: the agent plays, so its own mistakes lead it where the teacher never was; with the base rate there
* ``noise``: the return of the teacher itself, when a share of its actions are random

All but ``noise`` are shares of equal answers over the first 500 steps of 8 games, for each of three seeds. Numbers are
of one training run of each agent.

python examples/pong_controls.py > docs/data/pong-controls.csv
"""

from __future__ import annotations

import csv
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from symbench.policies.memory import started
from symbench.suites.suite import Apply
from symbench.tasks import get_task
from symbench.training.controllers.pong import ACTIONS, PongController
from symbench.training.imitation import Player, Segment
from symbench.training.recipe import load_recipe
from symbench.training.training_envs import make_training_envs
from symbench.trees import map_tree
from symbench.zoo import bundled, load_agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import gymnasium as gym
    from torch import Tensor

    from symbench.policies import PolicyNetwork

    Rows = Iterator[tuple[str, str, str, int, float]]

SEEDS, GAMES, STEPS, NOISY_GAMES = 3, 8, 500, 8
WHOLE = "vision-attention-neuron"
HALF, MOST, MEMORYLESS = (f"{WHOLE}-{trained}" for trained in ("occluded-50", "occluded-80", "memoryless-50"))
TASKS = {"Pong": "Pong", "random openings": "symbench/PongSticky-v0?stickiness=0", "PongSticky": "PongSticky"}


def network_of(agent: str) -> PolicyNetwork:
    """The bundled agent's network."""
    return load_agent(bundled("Pong")[agent][0]).network.eval()


def played(agent: str, seed: int, ratio: float, led: bool, task: str = "Pong") -> Segment:
    """500 steps of 8 games that the teacher plays, or the agent, with a share of the patches hidden."""
    hiding = Apply(wrapper="OccludePatches", ratio=ratio, patch_mask=True)
    recipe = load_recipe("pong-attention-neuron").model_copy(update={"perturbations": [hiding], "task": task})
    envs, kept = make_training_envs(recipe, GAMES, PongController)
    player = Player(envs, kept, network_of(agent), PongController, np.random.default_rng(seed))
    segment = player.play(STEPS, exploration=0.0, guided=float(led))
    envs.close()
    return segment


@torch.no_grad()
def answers(network: PolicyNetwork, segment: Segment, told: Tensor) -> Tensor:
    """What the agent answers in the states of a segment, (T, B), if it is told these previous actions, (T, B, A)."""
    first = map_tree(lambda part: part[0], segment.observations)
    state, given = network.initial_state(GAMES, *first["image"].shape[1:]), []
    for t, begins in enumerate(segment.starts):
        seen = map_tree(lambda part, t=t: part[t], segment.observations)
        logits, state = network.logits(seen, started(state, begins))
        state = network.update_memory(state, told[t])
        given.append(logits.argmax(dim=-1))
    return torch.stack(given)


def agreement(agent: str, segment: Segment, told: Tensor | None = None) -> float:
    """The share of equal answers."""
    given = answers(network_of(agent), segment, segment.actions if told is None else told)
    return share(given, segment.targets)


def share(given: Tensor, targets: Tensor) -> float:
    """The share of equal entries."""
    return float((given == targets).double().mean())


def base(seed: int) -> Rows:
    """What a constant and a repeated answer get, in games that the teacher plays."""
    for task, name in TASKS.items():
        targets = played(WHOLE, seed, 0.0, led=True, task=name).targets
        yield "base", "most frequent answer", task, seed, float(targets.flatten().bincount().max() / targets.numel())
        yield "base", "previous answer", task, seed, share(targets[:-1], targets[1:])
        for length in (1, 4):
            yield "base", f"most frequent answer after the last {length}", task, seed, by_habit(targets, length)


def by_habit(targets: Tensor, length: int) -> float:
    """What gets who knows the last answers, and the teacher's most frequent one after these (in the same games)."""
    after: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for game in targets.T.tolist():
        for t in range(length, len(game)):
            after[tuple(game[t - length : t])][game[t]] += 1
    return sum(max(counts.values()) for counts in after.values()) / sum(counts.total() for counts in after.values())


def told(seed: int) -> Rows:
    """Led agents that are told what was done, one of the teacher's actions at random, or any action at random."""
    segment, draw = played(WHOLE, seed, 0.0, led=True), torch.Generator().manual_seed(seed)
    shape, size = segment.targets.shape, segment.actions.shape[-1]
    teachers = torch.tensor(list(ACTIONS.values()))[torch.randint(len(ACTIONS), shape, generator=draw)]
    random = {"one of the teacher's three": teachers, "any of the six": torch.randint(size, shape, generator=draw)}
    for agent in (WHOLE, MOST):
        yield "told", agent, "what was done", seed, agreement(agent, segment)
        for setting, numbers in random.items():
            yield "told", agent, setting, seed, agreement(agent, segment, torch.eye(size)[numbers])
    hidden = played(MOST, seed, 0.8, led=True)
    for setting, numbers in random.items():
        yield "told", MOST, f"{setting}, 80% hidden", seed, agreement(MOST, hidden, torch.eye(size)[numbers])


def hidden(seed: int) -> Rows:
    """Led agents from whom more and more is hidden: one patch of 196 is left at last. Or the picture stands still."""
    for ratio in (0.8, 0.95, 0.995):
        segment = played(MOST, seed, ratio, led=True)
        for agent in (MOST, HALF):
            yield "hidden", agent, f"{ratio:g}", seed, agreement(agent, segment)
    for task, name in TASKS.items():
        segment = played(MOST, seed, 0.0, led=True, task=name)
        still = replace(segment, observations=map_tree(lambda part: part[:1].expand_as(part), segment.observations))
        for agent in (MOST, WHOLE):
            yield "hidden", agent, f"{task}, nothing", seed, agreement(agent, segment)
            yield "hidden", agent, f"{task}, first frame all the time", seed, agreement(agent, still)


def alone(seed: int) -> Rows:
    """Agents at play, in the old game and in the one that nobody can know by heart."""
    for task, agent, ratio in (
        *(("Pong", agent, 0.0) for agent in (WHOLE, HALF, MEMORYLESS, MOST)),
        *(("Pong", agent, 0.5) for agent in (HALF, MEMORYLESS)),
        ("Pong", MOST, 0.8),
        *(("PongSticky", agent, 0.0) for agent in (WHOLE, HALF, MEMORYLESS, MOST)),
    ):
        segment = played(agent, seed, ratio, led=False, task=task)
        yield "alone", agent, f"{task}, {ratio:g} hidden", seed, agreement(agent, segment)
        most = segment.targets.flatten().bincount().max() / segment.targets.numel()
        yield "alone", "most frequent answer", f"{task}, {ratio:g} hidden, {agent}", seed, float(most)


def noise(seed: int) -> Rows:
    """Whole games of the teacher, of whose actions a share is drawn from all six."""
    for task, ratio in (("Pong", 0.05), ("Pong", 0.1), ("Pong", 0.2), ("PongSticky", 0.0)):
        env = get_task(task).make()
        for game in range(NOISY_GAMES):
            yield "noise", "teacher", f"{task}, {ratio:g} random", game, noisy_return(env, ratio, game)


def noisy_return(env: gym.Env, ratio: float, seed: int) -> float:
    """The return of one game."""
    draw, controller, total, ended = np.random.default_rng(seed), PongController(), 0.0, False
    env.reset(seed=seed)
    while not ended:
        action = controller(env)
        action = int(draw.integers(6)) if draw.random() < ratio else action
        _, reward, terminated, truncated, _ = env.step(action)
        total, ended = total + float(reward), terminated or truncated
    return total


CONTROLS: dict[str, Callable[[int], Rows]] = {"base": base, "told": told, "hidden": hidden, "alone": alone}


def main(names: list[str]) -> None:
    """Print a line for every number, of the controls named or of all."""
    torch.set_num_threads(1)
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(("control", "agent", "setting", "seed", "value"))
    for name in names or (*CONTROLS, "noise"):
        for seed in range(SEEDS if name in CONTROLS else 1):
            for *where, value in CONTROLS.get(name, noise)(seed):
                table.writerow((*where, f"{value:.3f}"))
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
