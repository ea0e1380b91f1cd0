"""Learn what a task's pictures are like from play in order, for a policy that is then told which patch belongs where.

Nothing is shuffled here, and nothing is learned by gradient: means, variances and two coefficients are measured. See
:class:`~symbench.policies.vision.patch_unshuffler.PatchUnshufflerNetwork` for what they are good for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from symbench.policies.agent import NetworkAgent
from symbench.policies.random_agent import RandomAgent
from symbench.policies.vision.patch_order import local_variance, motion, shifted
from symbench.training.training_envs import make_training_envs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from symbench.policies.policy_network import PolicyNetwork
    from symbench.policies.vision import PatchUnshufflerNetwork
    from symbench.training.recipe import PictureMeasurement, Recipe
    from symbench.training.session import Session

    Frames = NDArray[np.uint8]

REPORTS = 20


def learn_pictures(
    recipe: Recipe,
    settings: PictureMeasurement,
    network: PatchUnshufflerNetwork,
    teacher: PolicyNetwork,
    session: Session,
) -> None:
    """Give ``network`` its teacher as the policy, and the statistics of what the teacher met."""
    network.policy.load_state_dict(teacher.state_dict())
    known, side = network.statistics, network.patch_size
    opening, change = _Opening(known.opening.shape), _Change(side)
    for frames, ages in _play(recipe, settings, teacher, session):
        opening.add(frames[-1], ages)
        change.add(frames, ages)
    known.opening.copy_(torch.from_numpy(opening.mean))
    known.spread.copy_(torch.from_numpy(opening.deviation))
    for name, value in change.coefficients().items():
        known.get_buffer(name).fill_(value)


def _play(
    recipe: Recipe, settings: PictureMeasurement, teacher: PolicyNetwork, session: Session
) -> Iterator[tuple[list[Frames], NDArray[np.int64]]]:
    """The last three frames of all environments in order, (B, H, W, C) each, and the steps of their episodes so far.

    The share of random actions rises from 0 in the first environment to ``settings.random`` in the last.
    """
    envs, kept = make_training_envs(recipe, settings.num_envs)
    generator, chance = np.random.default_rng(session.seed), RandomAgent(envs.single_action_space)
    agent, collected = NetworkAgent(teacher, "teacher"), 0.0
    chance.reset(settings.num_envs, seed=session.seed)
    agent.reset(settings.num_envs)
    envs.reset(seed=int(generator.integers(2**31)))
    share = np.linspace(0.0, settings.random, settings.num_envs)
    frames, ages = [kept.state.copy()] * 3, np.zeros(settings.num_envs, np.int64)
    count = -(-settings.steps // settings.num_envs)
    for step in range(count):
        yield frames, ages
        actions, random = agent.act(kept.state), generator.random(settings.num_envs) < share
        actions[random] = chance.act(kept.state)[random]
        _, rewards, terminated, truncated, _ = envs.step(actions)
        ended = terminated | truncated
        collected += float(np.mean(rewards))
        agent.restart(ended)
        frames, ages = [*frames[1:], kept.state.copy()], np.where(ended, 0, ages + 1)
        if (step + 1) % max(1, count // REPORTS) == 0:
            session.report(step + 1, count, collected)  # few episodes end
    envs.close()


class _Opening:
    """Mean and standard deviation of the first T pictures of an episode, (T, H, W, C)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._count, self._sum, self._squares = np.zeros(shape[0]), np.zeros(shape), np.zeros(shape)

    def add(self, frames: Frames, ages: NDArray[np.int64]) -> None:
        for age in np.unique(ages[ages < len(self._sum)]):
            seen = frames[ages == age].astype(np.float64)
            self._count[age] += len(seen)
            self._sum[age] += seen.sum(axis=0)
            self._squares[age] += (seen**2).sum(axis=0)

    @property
    def mean(self) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = self._sum / self._divisor
        return mean

    @property
    def deviation(self) -> NDArray[np.float64]:
        variance = self._squares / self._divisor - self.mean**2
        deviation: NDArray[np.float64] = np.sqrt(variance.clip(min=0.0))
        return deviation

    @property
    def _divisor(self) -> NDArray[np.float64]:
        return self._count.clip(min=1.0)[:, None, None, None]


class _Change:
    """How far off the expected picture is, and how much neighbours differ at their seams; of one environment a step."""

    def __init__(self, patch: int) -> None:
        self._patch, self._turn = patch, 0
        # Of pixels that are like those around them, how many, and the sum of squared errors; of others the same, in
        # units of the variance around them.
        self._sums = np.zeros((2, 2))
        self._seams: list[float] = []

    def add(self, frames: list[Frames], ages: NDArray[np.int64]) -> None:
        lane, self._turn = self._turn % len(ages), self._turn + 1
        earlier, before, after = (each[lane].astype(np.float32) for each in frames)
        across = np.abs(np.diff(after, axis=0)[self._patch - 1 :: self._patch])
        along = np.abs(np.diff(after, axis=1)[:, self._patch - 1 :: self._patch])
        self._seams.append(float((across.mean() + along.mean()) / 2.0))
        if ages[lane] < 2:
            return
        expected = shifted(before, motion(earlier, before, self._patch), self._patch)
        around, errors = local_variance(expected).astype(np.float64), (after - expected).astype(np.float64) ** 2
        alike = around < 1.0
        self._sums += [
            [alike.sum(), errors[alike].sum()],
            [(~alike).sum(), (errors[~alike] / around[~alike]).sum()],
        ]

    def coefficients(self) -> dict[str, float]:
        """``noise``, ``blur`` and ``step`` of the statistics: standardised squared errors are 1 in the mean."""
        counts, sums = self._sums.clip(min=1e-9).T
        noise, blur = (sums / counts).tolist()
        return {"noise": max(1.0, noise) ** 0.5, "blur": blur, "step": max(1.0, float(np.mean(self._seams)))}
