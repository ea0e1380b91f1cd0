"""Learn how a task's sensors begin and move from play in order, for a policy that is then told which sensor is which.

Nothing is shuffled here: what is learned is the dynamics, by regression. See
:class:`~symbench.policies.unshuffler.UnshufflerNetwork` for what they are good for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from symbench.policies.random_agent import RandomAgent
from symbench.training.session import Returns
from symbench.training.training_envs import make_training_envs

if TYPE_CHECKING:
    from symbench.policies.policy_network import PolicyNetwork
    from symbench.policies.unshuffler import Dynamics, UnshufflerNetwork
    from symbench.training.recipe import DynamicsRegression, Recipe
    from symbench.training.session import Session

HELD_OUT = 0.1  # of the transitions: the error is measured on these
REPORTS = 20


@dataclass
class Transitions:
    """S steps within episodes, and how F episodes began."""

    sensors: Tensor  # (S, K)
    actions: Tensor  # (S, A), as the action head encodes them
    changes: Tensor  # (S, K), of the sensors
    firsts: Tensor  # (F, K)


@torch.no_grad()
def play(
    recipe: Recipe, settings: DynamicsRegression, teacher: PolicyNetwork, session: Session
) -> tuple[Transitions, float]:
    """Let the teacher play in order, more or less disturbed; also its mean return.

    The share of random actions rises from 0 in the first environment to ``settings.random`` in the last.
    """
    envs, kept = make_training_envs(recipe, settings.num_envs)
    generator, chance = np.random.default_rng(session.seed), RandomAgent(envs.single_action_space)
    chance.reset(settings.num_envs, seed=session.seed)
    envs.reset(seed=int(generator.integers(2**31)))
    share, returns = np.linspace(0.0, settings.random, settings.num_envs), Returns(settings.num_envs)
    columns, firsts = [], [_sensors(teacher, kept.state)]
    for _ in range(-(-settings.steps // settings.num_envs)):
        before = _sensors(teacher, kept.state)
        actions = teacher(before, ())[0].numpy()
        random = generator.random(settings.num_envs) < share
        actions[random] = chance.act(kept.state)[random]
        _, rewards, terminated, truncated, _ = envs.step(actions)
        ended, after = terminated | truncated, _sensors(teacher, kept.state)
        returns.add(rewards, ended)
        firsts.append(after[ended])
        told = teacher.action.encode(torch.from_numpy(actions)).to(after.dtype)
        columns.append([part[~ended] for part in (before, told, after - before)])
    envs.close()
    sensors, told, changes = (torch.cat(column) for column in zip(*columns, strict=True))
    return Transitions(sensors, told, changes, torch.cat(firsts)), returns.mean


def _sensors(teacher: PolicyNetwork, observations: Any) -> Tensor:
    sensors = teacher.read(observations)
    assert isinstance(sensors, Tensor), "an unshuffler's task has a vector of sensors"
    return sensors


def learn_dynamics(
    recipe: Recipe,
    settings: DynamicsRegression,
    network: UnshufflerNetwork,
    teacher: PolicyNetwork,
    session: Session,
) -> None:
    """Give ``network`` its teacher as the policy, and dynamics learned from what the teacher met."""
    network.policy.load_state_dict(teacher.state_dict())
    seen, returns = play(recipe, settings, teacher, session)
    dynamics, generator = network.dynamics, torch.Generator().manual_seed(session.seed)
    order = torch.randperm(len(seen.sensors), generator=generator)
    held, learned = order.tensor_split([max(1, round(HELD_OUT * len(order)))])
    _measure(dynamics, seen, learned)
    optimizer = torch.optim.Adam(dynamics.parameters(), settings.learning_rate)
    for update in range(settings.updates):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * max(0.01, 1.0 - update / settings.updates)
        rows = learned[torch.randint(len(learned), (settings.batch,), generator=generator)]
        loss = _missed(dynamics, seen, rows).square().mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if (update + 1) % max(1, settings.updates // REPORTS) == 0:
            session.report(update + 1, settings.updates, returns, loss=float(loss.detach()))
    with torch.no_grad():
        dynamics.error.copy_(_missed(dynamics, seen, held).square().mean(dim=0).sqrt() * dynamics.stride)


def _measure(dynamics: Dynamics, seen: Transitions, rows: Tensor) -> None:
    """Means and standard deviations; a sensor that never changes has a width of 1.

    One that always begins with the same value is known by it: to a thousandth of its width.
    """
    dynamics.centre.copy_(seen.sensors[rows].mean(dim=0))
    dynamics.first_mean.copy_(seen.firsts.mean(dim=0))
    dynamics.width.copy_(_deviation(seen.sensors[rows], 1.0))
    dynamics.stride.copy_(_deviation(seen.changes[rows], 1.0))
    dynamics.first_std.copy_(_deviation(seen.firsts, 1e-3 * dynamics.width))


def _deviation(values: Tensor, of_constants: Tensor | float) -> Tensor:
    """Standard deviation of each column of (S, K); ``of_constants`` where it is that of rounding."""
    deviation = values.std(dim=0)
    return torch.where(deviation <= 1e-6 * values.abs().amax(dim=0), of_constants, deviation)


def _missed(dynamics: nn.Module, seen: Transitions, rows: Tensor) -> Tensor:
    """How far predicted changes are off, (S, K), in units of ``stride``."""
    predicted: Tensor = dynamics(seen.sensors[rows], seen.actions[rows])
    stride: Tensor = dynamics.get_buffer("stride")
    return predicted - seen.changes[rows] / stride
