"""Imitation of a teacher on the student's own states (DAgger), through time.

The student plays; the teacher, who sees the true state in order, says at every step what it would have done. Its
answers are what the student learns, so neither rewards nor a critic are needed. Source: Ross et al. 2011
(arXiv 1011.0686); Tang & Ha 2021 (arXiv 2109.02869), section 4.4, clone behaviour without the student's own states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from symbench.training.session import Returns
from symbench.training.worlds import make_world

if TYPE_CHECKING:
    import gymnasium as gym

    from symbench.policies.networks import PolicyNetwork
    from symbench.training.recipe import Imitation, Recipe
    from symbench.training.session import Session
    from symbench.training.worlds import KeepState

    State = tuple[Tensor, ...]


@dataclass
class Segment:
    """T time steps of B environments; ``state`` is the student's before the first of them."""

    state: State
    observations: Tensor  # (T, B, N)
    starts: Tensor  # (T, B), 1 where an episode begins
    actions: Tensor  # (T, B, A), what was done
    targets: Tensor  # (T, B, A), what the teacher would have done


def started(state: State, starts: Tensor) -> State:
    """``state`` with zeros where an episode begins; ``starts`` has shape (B,)."""
    keep = 1.0 - starts
    return tuple(part * keep.reshape(-1, *[1] * (part.dim() - 1)) for part in state)


def segment_loss(network: PolicyNetwork, segment: Segment, rows: Tensor) -> Tensor:
    """How far the student is from the teacher on some environments of a segment, with gradients through time.

    Args:
        network: The student.
        segment: T steps of B environments.
        rows: Indices of the environments, shape (b,).

    Returns:
        Mean smooth L1 distance of the actions, a scalar.
    """
    state = tuple(part[rows] for part in segment.state)
    losses = []
    for t in range(len(segment.observations)):
        state = started(state, segment.starts[t, rows])
        raw, state = network.raw(segment.observations[t, rows], state)
        # A clipped output has no gradient beyond its bounds: there the raw value is compared.
        actions = raw if network.output == "clip" else network.finish(raw)
        losses.append(nn.functional.smooth_l1_loss(actions, segment.targets[t, rows], beta=0.3))
        state = network.remember(state, segment.actions[t, rows])
    return torch.stack(losses).mean()


class Player:
    """The student at play: a batch of environments, its state in each, and the teacher's advice."""

    def __init__(
        self,
        envs: gym.vector.VectorEnv[Any, Any, Any],
        kept: KeepState,
        student: PolicyNetwork,
        teacher: PolicyNetwork,
        generator: np.random.Generator,
    ) -> None:
        """Begin episodes everywhere; ``generator`` draws the exploration noise and the environments' seed."""
        self.envs, self.kept, self.student, self.teacher, self.generator = envs, kept, student, teacher, generator
        observations, _ = envs.reset(seed=int(generator.integers(2**31)))
        self.observations = torch.from_numpy(observations)
        self.state = student.initial_state(*observations.shape)
        self.starts = torch.ones(len(observations))
        self.returns = Returns(envs.num_envs)

    @torch.no_grad()
    def play(self, steps: int, exploration: float) -> Segment:
        """Play ``steps`` time steps with Gaussian noise on the actions.

        Its standard deviation rises from 0 in the first environment to ``exploration`` in the last: a student that
        always met noise could tell its sensors apart by their shaking, and would not know them in a quiet world.
        """
        first, rows = self.state, []
        for _ in range(steps):
            observations, starts = self.observations, self.starts
            raw, state = self.student.raw(observations, started(self.state, starts))
            target, _ = self.teacher(torch.from_numpy(self.kept.state), ())
            actions = self._explore(self.student.finish(raw), exploration)
            self.state = self.student.remember(state, actions)
            self._step(actions)
            rows.append((observations, starts, actions, target))
        return Segment(first, *(torch.stack(column) for column in zip(*rows, strict=True)))

    def _explore(self, actions: Tensor, exploration: float) -> Tensor:
        noise = self.generator.standard_normal(actions.shape, dtype=np.float32)
        noise *= np.linspace(0.0, exploration, len(noise), dtype=np.float32)[:, None]
        return torch.clamp(actions + torch.from_numpy(noise), self.student.low, self.student.high)

    def _step(self, actions: Tensor) -> None:
        observations, rewards, terminated, truncated, _ = self.envs.step(actions.numpy())
        ended = terminated | truncated
        self.returns.add(rewards, ended)
        self.observations, self.starts = torch.from_numpy(observations), torch.from_numpy(ended).float()


def imitate(
    recipe: Recipe, settings: Imitation, student: PolicyNetwork, teacher: PolicyNetwork, session: Session
) -> None:
    """Train ``student`` in place; see :class:`~symbench.training.recipe.Imitation` for the settings."""
    optimizer = torch.optim.Adam(student.parameters(), settings.learning_rate)
    per_segment = settings.num_envs * settings.segment
    done = session.restore(student, optimizer)
    generator = np.random.default_rng([session.seed, done])
    envs, kept = make_world(recipe, settings.num_envs)
    player, segments = Player(envs, kept, student, teacher, generator), list[Segment]()
    while done < settings.steps:
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * max(0.01, 1.0 - done / settings.steps)
        segments.append(player.play(settings.segment, settings.exploration))
        if len(segments) > settings.buffer:
            segments.pop(int(generator.integers(settings.buffer // 2)))
        for _ in range(settings.updates):
            newest = generator.random() < settings.fresh
            segment = segments[-1 if newest else int(generator.integers(len(segments)))]
            rows = torch.from_numpy(generator.choice(settings.num_envs, settings.batch, replace=False))
            _descend(student, optimizer, segment_loss(student, segment, rows), settings.max_grad_norm)
        done += per_segment
        session.report(done, settings.steps, player.returns.mean)
        if done >= settings.steps or session.checkpoint_is_due():
            session.save(student, optimizer, done)
    envs.close()


def _descend(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, max_grad_norm: float) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
