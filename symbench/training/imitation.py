"""Imitation of a teacher on the student's own states (DAgger), through time.

The student plays; the teacher, who sees the true state in order, says at every step what it would have done. Its
answers are what the student learns, so neither rewards nor a critic are needed. Source: Ross et al. 2011
(arXiv 1011.0686); Tang & Ha 2021 (arXiv 2109.02869), section 4.4, clone behaviour without the student's own states.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from symbench.policies.actions import BoxHead, DiscreteHead
from symbench.policies.batches import first, rows, stack
from symbench.policies.memory import started
from symbench.policies.policy_network import PolicyNetwork
from symbench.training.gate_loss import gate_loss, genuine
from symbench.training.patch_masks import PatchMasks, make_masks
from symbench.training.session import Returns
from symbench.training.training_envs import make_training_envs
from symbench.trees import map_tree

if TYPE_CHECKING:
    import gymnasium as gym

    from symbench.policies.policy_network import Observations
    from symbench.training.controllers import MakeController
    from symbench.training.imitation_settings import Imitation
    from symbench.training.recipe import Recipe
    from symbench.training.session import Session
    from symbench.training.training_envs import KeepState

    State = tuple[Tensor, ...]

GATE_SHARE = 4  # a gate learns which channels are noise from every fourth environment: it reads them once more for that


@dataclass
class Segment:
    """T time steps of B environments; ``state`` is the student's before the first of them."""

    state: State
    observations: Observations  # (T, B, ...)
    starts: Tensor  # (T, B), 1 where an episode begins
    actions: Tensor  # (T, B, A), what was done; one-hot if actions are discrete
    # (T, B, A), what the teacher would have done; of discrete actions (T, B), its number, or how likely it does each
    targets: Tensor
    genuine: Tensor | None = None  # (T, B, N), which channels show a number of the true state, where a gate learns it

    def seen_by(self, rows: Tensor) -> tuple[Observations, State]:
        """Observations of some environments, (T, b, ...), and the student's state before them."""
        return map_tree(lambda part: part[:, rows], self.observations), tuple(part[rows] for part in self.state)

    def to(self, device: str) -> Segment:
        """The same on a device, e.g. ``"cuda"``."""
        state = tuple(part.to(device) for part in self.state)
        observations = map_tree(lambda part: part.to(device), self.observations)
        genuine = None if self.genuine is None else self.genuine.to(device)
        starts, actions, targets = (part.to(device) for part in (self.starts, self.actions, self.targets))
        return Segment(state, observations, starts, actions, targets, genuine)


def segment_loss(
    network: PolicyNetwork,
    segment: Segment,
    rows: Tensor,
    burn_in: int = 0,
    masks: PatchMasks | None = None,
    noise_odds: float = 0.0,
) -> Tensor:
    """How far the student is from the teacher on some environments of a segment, with gradients through time.

    Args:
        network: The student.
        segment: T steps of B environments.
        rows: Indices of the environments, shape (b,).
        burn_in: First steps that are not learned from: they bring a memory up to date that was kept when the student
            was another, or saw other patches (Kapturowski et al. 2019, R2D2, section 3).
        masks: Hides patches of the frames, other ones in every call.
        noise_odds: See :class:`~symbench.training.imitation_settings.Imitation`.

    Returns:
        The distance of the student's logits from the teacher's actions, a scalar; see ``ActionHead.distance``. With
        ``noise_odds`` that of its gate from which channels are noise is added.
    """
    observations, state = segment.seen_by(rows)
    if masks is not None:
        observations, state = masks.hide(first(observations), state, network)
    _, logits = network.unroll(observations, segment.starts[:, rows], segment.actions[:, rows], state)
    targets = segment.targets[burn_in:, rows]
    distance = network.action.distance(logits[burn_in:].flatten(0, 1), targets.flatten(0, 1))
    return distance if segment.genuine is None else distance + _gate_loss(network, segment, rows, noise_odds)


def _gate_loss(network: PolicyNetwork, segment: Segment, rows: Tensor, noise_odds: float) -> Tensor:
    assert segment.genuine is not None
    few = rows[::GATE_SHARE]
    observations, state = segment.seen_by(few)
    inputs = network.perceive_all(observations, segment.starts[:, few], segment.actions[:, few], state)
    return gate_loss(network, inputs, segment.genuine[:, few].flatten(0, 1), noise_odds)


class Player:
    """The student at play: a batch of environments, its state in each, and the teacher's advice."""

    def __init__(
        self,
        envs: gym.vector.VectorEnv[Any, Any, Any],
        kept: KeepState,
        student: PolicyNetwork,
        teacher: PolicyNetwork | MakeController,
        generator: np.random.Generator,
        occlusion: float = 0.0,
        label: bool = False,
    ) -> None:
        """Begin episodes everywhere; ``generator`` draws the exploration noise and the environments' seed.

        With ``occlusion`` that share of the patches is hidden to the student, other ones in every episode; what it
        plays is kept unhidden. With ``label`` segments say which channels are sensors.
        """
        self.label = label
        self.envs, self.kept, self.student, self.teacher, self.generator = envs, kept, student, teacher, generator
        observations, _ = envs.reset(seed=int(generator.integers(2**31)))
        self.observations = student.read(observations)
        self.state = student.initial_state(rows(self.observations), *first(self.observations).shape[1:])
        self.starts = torch.ones(envs.num_envs)
        self.returns = Returns(envs.num_envs)
        self.order = torch.from_numpy(generator.permutation(envs.num_envs))
        self.masks = make_masks(occlusion, student, first(self.observations), generator)
        self.mask = self.masks.draw(envs.num_envs) if self.masks else None

    @torch.no_grad()
    def play(self, steps: int, exploration: float, guided: float = 0.0) -> Segment:
        """Play ``steps`` time steps, exploring; in a share ``guided`` of the environments it is the teacher who acts.

        Exploration rises from 0 in the first environment to ``exploration`` in the last (the standard deviation of
        Gaussian noise, or the share of random actions if they are discrete): a student that always met noise could
        tell its sensors apart by their shaking, and would not know them in a quiet world.
        """
        before, columns = self.state, []
        led = self.order[: round(guided * self.envs.num_envs)]
        for _ in range(steps):
            observations, starts, target = self.observations, self.starts, self.advice()
            labels = (genuine(first(observations), torch.from_numpy(self.kept.state)),) if self.label else ()
            shown = observations if self.mask is None else {"image": first(observations), "mask": self.mask}
            logits, state = self.student.logits(shown, started(self.state, starts))
            actions = self.student.action.decode(logits).clone()
            actions[led] = self._best(target)[led]
            actions = self._explore(actions, exploration)
            told = self.student.action.encode(actions).to(logits.dtype)
            self.state = self.student.update_memory(state, told)
            self._step(actions)
            columns.append((observations, starts, told, target, *labels))
        observed, *others = zip(*columns, strict=True)
        return Segment(before, stack(observed), *map(torch.stack, others))

    def advice(self) -> Tensor:
        """What the teacher would do now, (B, A); its number (B,) or probabilities (B, A) if actions are discrete."""
        if not isinstance(self.teacher, PolicyNetwork):
            return torch.from_numpy(np.array(self.kept.advice))
        return self.teacher(self.teacher.read(self.kept.state), ())[0]  # type: ignore[no-any-return]

    def _best(self, advice: Tensor) -> Tensor:
        head = self.student.action
        return head.decode(advice) if isinstance(head, DiscreteHead) and advice.is_floating_point() else advice

    def _explore(self, actions: Tensor, exploration: float) -> Tensor:
        size, head = np.linspace(0.0, exploration, len(actions), dtype=np.float32), self.student.action
        if isinstance(head, DiscreteHead):
            random = np.flatnonzero(self.generator.random(len(actions)) < size)
            drawn = self.generator.integers(head.size, size=len(random)) + int(head.space.start)
            actions[random] = torch.from_numpy(drawn)
            return actions
        assert isinstance(head, BoxHead)
        noise = self.generator.standard_normal(actions.shape, dtype=np.float32) * size[:, None]
        return torch.clamp(actions + torch.from_numpy(noise), head.low, head.high)

    def _step(self, actions: Tensor) -> None:
        observations, rewards, terminated, truncated, _ = self.envs.step(actions.numpy())
        ended = terminated | truncated
        self.returns.add(rewards, ended)
        self.observations, self.starts = self.student.read(observations), torch.from_numpy(ended).float()
        if self.masks is not None and self.mask is not None and ended.any():
            self.mask = torch.where(torch.from_numpy(ended)[:, None], self.masks.draw(len(ended)), self.mask)


def imitate(
    recipe: Recipe,
    settings: Imitation,
    student: PolicyNetwork,
    teacher: PolicyNetwork | MakeController,
    session: Session,
    device: str = "cpu",
) -> None:
    """Train ``student`` in place; see :class:`~symbench.training.recipe.Imitation` for the settings.

    It plays on the CPU, beside the environments. Only gradients, nine tenths of the work, are computed on ``device``.
    """
    learner = student if device == "cpu" else deepcopy(student).to(device)
    optimizer = torch.optim.Adam(learner.parameters(), settings.learning_rate)
    per_segment = settings.num_envs * settings.segment
    done = session.restore(learner, optimizer)
    student.load_state_dict(learner.state_dict())
    generator = np.random.default_rng([session.seed, done])
    envs, kept = make_training_envs(recipe, settings.num_envs, None if isinstance(teacher, PolicyNetwork) else teacher)
    player = Player(envs, kept, student, teacher, generator, settings.occlusion, label=settings.noise_odds > 0)
    segments = list[Segment]()
    while done < settings.steps:
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * max(0.01, 1.0 - done / settings.steps)
        segments.append(player.play(settings.segment, settings.exploration, _guided(settings, done)).to(device))
        if len(segments) > settings.buffer:
            segments.pop(int(generator.integers(settings.buffer // 2)))
        losses = []
        for _ in range(settings.updates):
            newest = generator.random() < settings.fresh
            segment = segments[-1 if newest else int(generator.integers(len(segments)))]
            chosen = torch.from_numpy(generator.choice(settings.num_envs, settings.batch, replace=False))
            loss = segment_loss(
                learner, segment, chosen.to(device), settings.burn_in, player.masks, settings.noise_odds
            )
            _descend(learner, optimizer, loss, settings.max_grad_norm)
            losses.append(loss.detach())
        student.load_state_dict(learner.state_dict())
        done += per_segment
        session.report(done, settings.steps, player.returns.mean, loss=float(torch.stack(losses).mean()))
        if done >= settings.steps or session.checkpoint_is_due():
            session.save(learner, optimizer, done)
    envs.close()


def _guided(settings: Imitation, done: int) -> float:
    """The share of the environments that the teacher leads after so many steps."""
    left = max(0.0, 1.0 - 2.0 * done / settings.steps)
    return settings.guided_at_last + (settings.guided - settings.guided_at_last) * left


def _descend(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor, max_grad_norm: float) -> None:
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(network.parameters(), max_grad_norm)
    optimizer.step()
