"""PPO and A2C for stacks of small networks, and the measurement of their learning curves.

Written for one core and tiny networks: the environments of all runs of a stack are one batch, and so are the networks.
Every run has its own generators, so it sees the same episodes and draws the same numbers in a stack and alone.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Box, flatdim
from gymnasium.vector import AutoresetMode

from symbench.errors import SymbenchError, one_line
from symbench.policies.spaces import form
from symbench.tasks import get_task
from symbench.training.study.action_laws import law_of, stacked_noise
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.stack import Stack
from symbench.training.training_envs import perturbed
from symbench.trees import map_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import gymnasium as gym
    from numpy.typing import NDArray
    from torch import Tensor

    from symbench.policies.policy_network import Observations
    from symbench.training.study.study_schema import Algorithm, Arm, Study

    Floats = NDArray[np.floating[Any]]

FIRST_TRAINING_SEED = 2**30  # of environments; far above those that are measured


class Rollout(NamedTuple):
    """What S runs did in T steps of N environments each; everything is (S, T * N, ...).

    The actions of a team are one, whose probability is the product of theirs.
    """

    observations: Observations
    actions: Tensor
    log_probabilities: Tensor
    returns: Tensor
    advantages: Tensor


class Learner:
    """Trains a stack of runs of one arm.

    Attributes:
        stack: The networks.
        envs: S times N environments: those of the first run, of the second ...
    """

    def __init__(self, study: Study, arm: Arm, seeds: Sequence[int]) -> None:
        """Begin: fresh networks, fresh episodes.

        Args:
            study: Task and algorithm.
            arm: Network and learning rate.
            seeds: Training seeds, one for each run.

        Raises:
            SymbenchError: The task cannot be made, or the network is not described.
        """
        self.settings, self.seeds, self._divisor = study.algorithm, list(seeds), study.frame_divisor
        networks = [make_actor_critic(arm.network, seed) for seed in seeds]
        self.stack = Stack(networks, arm.learning_rate, self.settings.max_grad_norm)
        self.generators = [np.random.default_rng([seed, 0]) for seed in seeds]
        self._free_coef, count = arm.free_coef, self.settings.num_envs
        envs = get_task(study.task).make_vec(count * len(seeds), AutoresetMode.SAME_STEP)
        self.envs = perturbed(envs, arm.perturbations, study.task)
        self.law = law_of(self.envs.single_action_space)
        drawn = [rng.integers(FIRST_TRAINING_SEED, 2**31 - 1, count) for rng in self.generators]
        first, _ = self.envs.reset(seed=np.concatenate(drawn).tolist())
        self._observations = first

    def update(self) -> None:
        """Play ``n_steps`` and learn from them."""
        rollout = self.play()
        if self.settings.name == "a2c":
            self.stack.descend(self.losses(rollout))
            return
        size = self.settings.batch // self.settings.minibatches
        for _ in range(self.settings.epochs):
            order = np.stack([rng.permutation(self.settings.batch) for rng in self.generators])
            shuffled = [map_tree(partial(_gather, order=torch.from_numpy(order)), part) for part in rollout]
            for start in range(0, self.settings.batch, size):
                rows = itemgetter((slice(None), slice(start, start + size)))
                self.stack.descend(self.losses(Rollout(*(map_tree(rows, part) for part in shuffled))))

    @torch.no_grad()
    def play(self) -> Rollout:
        """Play ``n_steps`` with sampled actions."""
        steps, runs, count = self.settings.n_steps, self.stack.size, self.settings.num_envs
        noise = stacked_noise(self.law, self.generators, steps, count)
        columns = []
        for t in range(steps):
            observations = as_input(self._observations, runs, self._divisor)
            scores, values = self.stack(observations)
            actions = self.law.draw(scores, noise[:, t])
            played = actions.reshape(-1, *self.law.shape)
            self._observations, rewards, terminated, truncated, _ = self.envs.step(played)
            chosen = torch.from_numpy(actions)
            log_probability = self.law.log_probability(scores, chosen)
            ended = (terminated | truncated).reshape(runs, count)
            columns.append((observations, chosen, log_probability, values, rewards.reshape(runs, count), ended))
        observed, acted, logs, valued, rewarded, stopped = zip(*columns, strict=True)
        _, last = self.stack(as_input(self._observations, runs, self._divisor))
        before = torch.stack([*valued, last]).numpy()
        advantages = advantages_of(self.settings, np.stack(rewarded), np.stack(stopped), before)
        targets = torch.from_numpy(advantages + before[:-1])
        seen = map_tree(lambda *parts: _flatten(parts), *observed)
        return Rollout(seen, *map(_flatten, (acted, logs, targets, torch.from_numpy(advantages))))

    def losses(self, batch: Rollout) -> Tensor:
        """The loss of each run, (S,), on a part of what it did."""
        settings = self.settings
        scores, values = self.stack(batch.observations)
        logs = self.law.log_probability(scores, batch.actions)
        gain = logs * batch.advantages
        if settings.name == "ppo":
            ratio = torch.exp(logs - batch.log_probabilities)
            clipped = torch.clamp(ratio, 1.0 - settings.clip_range, 1.0 + settings.clip_range)
            gain = torch.minimum(ratio * batch.advantages, clipped * batch.advantages)
        errors = 0.5 * (values - batch.returns) ** 2
        entropy = self.law.entropy(scores)
        each = settings.value_coefficient * errors - gain - settings.entropy_coefficient * entropy
        price = self._free_coef * self.stack.free_part() if self._free_coef else 0.0
        return each.mean(dim=1) + price


def check_arm(study: Study, arm: Arm) -> None:
    """Refuse, before anything is trained, a network that does not fit the task.

    Raises:
        SymbenchError: It cannot read what the task shows, or does not say as many numbers as its actions take.
    """
    envs = get_task(study.task).make_vec(1, AutoresetMode.SAME_STEP)
    with closing(envs):
        shown, _ = envs.reset(seed=0)
        space = envs.single_action_space
    wanted = flatdim(space) * (2 if isinstance(space, Box) else 1)  # means and deviations of forces
    where, network = f"study {study.name}, arm {arm.name}", make_actor_critic(arm.network, 0)
    one = map_tree(lambda part: part[0], as_input(shown, 1, study.frame_divisor))
    try:
        scores, _ = network(one)
    except Exception as error:  # whatever torch says of shapes
        raise SymbenchError(
            f"{where}: the network cannot read what {study.task} shows, {form(envs.single_observation_space)}: "
            f"{one_line(error)}"
        ) from error
    if scores.shape[-1] != wanted:
        raise SymbenchError(
            f"{where}: the network says {scores.shape[-1]} numbers, actions of {study.task} take {wanted}"
        )


def advantages_of(settings: Algorithm, rewards: NDArray[Any], ended: NDArray[np.bool_], values: Floats) -> Floats:
    """Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438).

    Args:
        settings: ``gamma`` and ``gae_lambda``.
        rewards: (T, ...).
        ended: Whether the episode ended with this step, (T, ...); what follows then counts nothing.
        values: Before every step and after the last, (T + 1, ...).

    Returns:
        (T, ...), of the values' dtype.
    """
    advantages = np.zeros(rewards.shape, values.dtype)
    later = np.zeros(rewards.shape[1:], values.dtype)
    for t in reversed(range(len(rewards))):
        goes_on = 1.0 - ended[t].astype(values.dtype)
        error = rewards[t] + settings.gamma * goes_on * values[t + 1] - values[t]
        advantages[t] = later = error + settings.gamma * settings.gae_lambda * goes_on * later
    return advantages


def as_input(observations: Any, runs: int, frame_divisor: int = 1) -> Observations:
    """What environments show as networks read it, (S * N, ...) -> (S, N, ...), or a dict of such.

    Sensors in torch's default precision; frames (H, W, C), uint8, divided by a whole number, with their channels first.
    """
    return map_tree(partial(_as_input, runs=runs, frame_divisor=frame_divisor), observations)  # type: ignore[no-any-return]


def _as_input(observations: NDArray[Any], runs: int, frame_divisor: int) -> Tensor:
    tensor = torch.from_numpy(observations)
    frames = tensor.ndim == 4
    tensor = tensor.permute(0, 3, 1, 2) // frame_divisor if frames else tensor.to(torch.get_default_dtype())
    return tensor.reshape(runs, -1, *tensor.shape[1:])


class Measurement:
    """Plays the same episodes with the networks of a stack, again and again."""

    def __init__(self, study: Study, seeds: Sequence[int]) -> None:
        """Make ``eval_episodes`` environments for each of the runs."""
        self.envs: gym.vector.VectorEnv[Any, Any, Any] = get_task(study.task).make_vec(
            study.eval_episodes * len(seeds), AutoresetMode.SAME_STEP
        )
        self._env_seeds = [study.seed + i for i in range(study.eval_episodes)] * len(seeds)
        self._seeds, self._episodes, self._divisor = list(seeds), study.eval_episodes, study.frame_divisor

    @torch.no_grad()
    def __call__(self, act: Callable[[Any], tuple[Tensor, Tensor]], update: int) -> NDArray[np.float64]:
        """Mean return of each run, (S,), of one episode in each environment; actions are sampled."""
        runs, law = len(self._seeds), law_of(self.envs.single_action_space)
        generators = [np.random.default_rng([seed, 1, update]) for seed in self._seeds]
        observations, _ = self.envs.reset(seed=self._env_seeds)  # type: ignore[arg-type]  # one seed each is allowed
        returns, playing = np.zeros(self.envs.num_envs), np.ones(self.envs.num_envs, dtype=bool)
        while playing.any():
            scores, _ = act(as_input(observations, runs, self._divisor))
            actions = law.draw(scores, stacked_noise(law, generators, self._episodes))
            observations, rewards, terminated, truncated, _ = self.envs.step(actions.reshape(-1, *law.shape))
            returns[playing] += rewards[playing]
            playing &= ~(terminated | truncated)
        means: NDArray[np.float64] = returns.reshape(runs, -1).mean(axis=1)
        return means


def _gather(part: Tensor, order: Tensor) -> Tensor:
    return part[torch.arange(len(part))[:, None], order]


def _flatten(column: Any) -> Tensor:
    """T times (S, N, ...), or (T, S, N, ...), to (S, T * N, ...)."""
    stacked = column if isinstance(column, torch.Tensor) else torch.stack(column)
    return stacked.transpose(0, 1).flatten(1, 2)
