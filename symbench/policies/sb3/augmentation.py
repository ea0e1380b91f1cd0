"""Symmetries learned from data instead of built in: what equivariant policies are compared with.

* :class:`SymmetricReplayBuffer` - transformed transitions, for DQN, SAC and TD3
* :class:`SymmetricPPO` - PPO with a loss for what its policy breaks, or a prior for what its layers may break

Transitions of an on-policy algorithm cannot simply be transformed: the policy that played (s, a) was another one at
(L_g s, K_g a), so its ratio of probabilities would be wrong. The losses here leave PPO's own loss to the real data.
Both take ``symmetry``: an environment's id, a declaration or plain data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import ReplayBuffer
from torch import Tensor
from torch.distributions import Categorical, Distribution, Normal, kl_divergence

from symbench.errors import SymbenchError, unknown
from symbench.policies.batches import first
from symbench.policies.equivariant.linear import free_part
from symbench.policies.sb3.moves import Moves, SampledMoves, moves_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from stable_baselines3.common.policies import ActorCriticPolicy
    from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutBufferSamples
    from stable_baselines3.common.vec_env import VecNormalize

    from symbench.policies.equivariant.symmetries import Symmetry

LOSSES: Final = ("drac", "mirror")


class SymmetricReplayBuffer(ReplayBuffer):
    """A replay buffer whose samples are (L_g s, K_g a, r, L_g s') with g drawn uniformly for each.

    In distribution this is a buffer that holds all |G| copies of each transition. Where the symmetry is exact, the
    copies are as true as the originals.

    Example:
        >>> from stable_baselines3 import SAC
        >>> symmetric = {"replay_buffer_class": SymmetricReplayBuffer, "buffer_size": 100}
        >>> model = SAC("MlpPolicy", "Pendulum-v1", replay_buffer_kwargs={"symmetry": "Pendulum-v1"}, **symmetric)
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        *args: Any,
        symmetry: Symmetry,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        """Make the buffer; further parameters are those of SB3's ``ReplayBuffer``.

        Args:
            buffer_size: Number of transitions.
            observation_space: A Box.
            action_space: Discrete, or a Box that the group maps to itself.
            *args: Passed on.
            symmetry: An environment's id, a declaration or plain data.
            seed: Seed of the elements that are drawn.
            **kwargs: Passed on.

        Raises:
            SymbenchError: The symmetry is unknown or does not fit the spaces.
        """
        super().__init__(buffer_size, observation_space, action_space, *args, **kwargs)
        self.moves = Moves(symmetry, observation_space, action_space)
        self.rng = np.random.default_rng(seed)

    def _get_samples(self, batch_inds: NDArray[Any], env: VecNormalize | None = None) -> ReplayBufferSamples:
        # Normalised afterwards: statistics of observations need not be symmetric.
        samples = super()._get_samples(batch_inds, env=None)
        elements = self.rng.integers(self.moves.group.order, size=len(batch_inds))
        return samples._replace(
            observations=self._moved(elements, samples.observations, env),
            next_observations=self._moved(elements, samples.next_observations, env),
            actions=self._actions(elements, samples.actions),
            rewards=self.to_torch(self._normalize_reward(samples.rewards.cpu().numpy(), env)),
        )

    def _moved(self, elements: NDArray[np.int64], observations: Tensor, env: VecNormalize | None) -> Tensor:
        moved = self.moves.observations(elements, observations)
        return self.to_torch(np.asarray(self._normalize_obs(moved.cpu().numpy(), env)))

    def _actions(self, elements: NDArray[np.int64], actions: Tensor) -> Tensor:
        inverse = self.moves.group.inverses[elements]  # what is undone of the inverse is done
        if isinstance(self.action_space, spaces.Box):
            return self.moves.undo(inverse, actions)
        one_hot = torch.nn.functional.one_hot(actions.long().flatten(), self.moves.rep.dim).double()
        return self.moves.undo(inverse, one_hot).argmax(dim=1, keepdim=True).to(actions)


class SymmetricPPO(PPO):
    """PPO with a term in its loss that asks for a symmetry.

    * ``"drac"``: KL(pi(.|s) || K_g^-1 pi(.|L_g s)) and (V(L_g s) - V(s))^2 with fixed targets pi(.|s) and V(s), as in
      DrAC (Raileanu et al. 2021, arXiv 2006.12862)
    * ``"mirror"``: |mu(s) - K_g^-1 mu(L_g s)|^2 of mean actions, of probabilities if they are discrete (Yu et al. 2018,
      arXiv 1801.08093)

    g is drawn uniformly for every observation. Of a continuous group, as that of scenes of bodies, only ``"mirror"``
    can be asked for: deviations of each number of an action do not turn. ``free_coef`` weighs the squares of what is
    not equivariant in layers of the basis ``"soft"`` and in networks with a residual pathway: a prior (Finzi et al.
    2021, arXiv 2112.01388).

    Example:
        >>> model = SymmetricPPO("MlpPolicy", "CartPole-v1", symmetry="CartPole-v1", symmetry_loss="mirror")
    """

    def __init__(
        self,
        *args: Any,
        symmetry: Symmetry | None = None,
        symmetry_loss: str = "drac",
        symmetry_coef: float = 0.1,
        free_coef: float = 0.0,
        **kwargs: Any,
    ) -> None:
        """Make the model; further parameters are those of SB3's ``PPO``.

        Args:
            *args: Passed on.
            symmetry: An environment's id, a declaration or plain data; ``None`` (with a free_coef) for no such loss.
            symmetry_loss: ``"drac"`` or ``"mirror"``.
            symmetry_coef: Weight of that loss.
            free_coef: Weight of the squares of free coefficients, sum over all of them.
            **kwargs: Passed on.

        Raises:
            SymbenchError: The loss is unknown, or the symmetry is unknown or does not fit the spaces.
        """
        if symmetry_loss not in LOSSES:
            raise unknown("symmetry loss", symmetry_loss, LOSSES)
        self.symmetry, self.symmetry_loss = symmetry, symmetry_loss
        self.symmetry_coef, self.free_coef = symmetry_coef, free_coef
        super().__init__(*args, **kwargs)

    def _setup_model(self) -> None:
        super()._setup_model()
        self._moves: Moves | SampledMoves | None = None
        if self.symmetry is not None:
            self._moves = moves_of(self.symmetry, self.observation_space, self.action_space)
            if not isinstance(self._moves, Moves):
                if self.symmetry_loss == "drac":
                    raise SymbenchError(f"{self._moves.group.name} turns actions: ask by symmetry_loss='mirror'")
            elif not self._moves.rep.is_signed_permutation:
                raise SymbenchError("a symmetry loss needs actions that change sign and place, received matrices")

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "_moves"]

    def train(self) -> None:
        """One update from the rollout buffer: PPO's, with the further terms in the loss of each minibatch."""
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        clip_range = float(self.clip_range(self._current_progress_remaining))  # type: ignore[operator]
        logs: dict[str, list[float]] = {}
        for _ in range(self.n_epochs):
            self._n_updates += 1
            if not self._epoch(clip_range, logs):
                break
        for name, values in logs.items():
            self.logger.record(f"train/{name}", np.mean(values))
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")

    def _epoch(self, clip_range: float, logs: dict[str, list[float]]) -> bool:
        """All minibatches once; false if the policy has gone too far."""
        for batch in self.rollout_buffer.get(self.batch_size):
            terms, approx_kl = self._terms(batch, clip_range)
            numbers = {name: term.item() for name, term in terms.items()}
            for name, number in {**numbers, "approx_kl": approx_kl}.items():
                logs.setdefault(name, []).append(number)
            if self.target_kl is not None and approx_kl > 1.5 * self.target_kl:
                return False
            self.policy.optimizer.zero_grad()
            torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.max_grad_norm)
            self.policy.optimizer.step()
        return True

    def _terms(self, batch: RolloutBufferSamples, clip_range: float) -> tuple[dict[str, Tensor], float]:
        """The weighted terms of a minibatch's loss, and how far the policy has gone (Schulman's estimate)."""
        discrete = isinstance(self.action_space, spaces.Discrete)
        actions = batch.actions.long().flatten() if discrete else batch.actions
        values, log_prob, entropy = self.policy.evaluate_actions(batch.observations, actions)
        log_ratio = log_prob - batch.old_log_prob
        terms = {
            "policy_gradient_loss": self._surrogate(batch.advantages, log_ratio.exp(), clip_range),
            "value_loss": self.vf_coef * self._value_loss(values.flatten(), batch),
            "entropy_loss": -self.ent_coef * (-log_prob if entropy is None else entropy).mean(),
        }
        if self._moves is not None:
            terms["symmetry_loss"] = self.symmetry_coef * self._asymmetry(batch.observations)
        if self.free_coef:
            terms["free_loss"] = self.free_coef * free_part(self.policy)
        approx_kl = float((log_ratio.exp() - 1 - log_ratio).mean().detach())
        return terms, approx_kl

    def _surrogate(self, advantages: Tensor, ratio: Tensor, clip_range: float) -> Tensor:
        if self.normalize_advantage and len(advantages) > 1:
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        return -torch.min(advantages * ratio, advantages * ratio.clamp(1 - clip_range, 1 + clip_range)).mean()

    def _value_loss(self, values: Tensor, batch: RolloutBufferSamples) -> Tensor:
        if self.clip_range_vf is not None:
            limit = float(self.clip_range_vf(self._current_progress_remaining))  # type: ignore[operator]
            values = batch.old_values + (values - batch.old_values).clamp(-limit, limit)
        return torch.nn.functional.mse_loss(batch.returns, values)

    def _asymmetry(self, observations: Any) -> Tensor:
        """What policy and value break, for elements drawn from torch's generator, which SB3 seeds."""
        assert self._moves is not None
        elements = self._moves.drawn(len(first(observations)))
        moved: Any = self._moves.observations(elements, observations)
        here, there = (_distribution(self.policy, each) for each in (observations, moved))
        if self.symmetry_loss == "mirror":
            return (_mean(here) - self._moves.undo(elements, _mean(there))).square().sum(dim=1).mean()
        assert isinstance(self._moves, Moves)
        back = _undone(self._moves, elements, there)
        values = self.policy.predict_values(observations).detach() - self.policy.predict_values(moved)
        divergence = kl_divergence(_detached(here), back)
        return divergence.reshape(len(elements), -1).sum(dim=1).mean() + values.square().mean()


def _distribution(policy: ActorCriticPolicy, observations: Any) -> Distribution:
    distribution = policy.get_distribution(observations).distribution
    assert isinstance(distribution, Distribution)
    return distribution


def _undone(moves: Moves, elements: NDArray[np.int64], distribution: Distribution) -> Distribution:
    if isinstance(distribution, Categorical):
        return Categorical(logits=moves.undo(elements, distribution.logits))
    assert isinstance(distribution, Normal)
    return Normal(moves.undo(elements, distribution.loc), moves.undo(elements, distribution.scale, size=True))


def _detached(distribution: Distribution) -> Distribution:
    if isinstance(distribution, Categorical):
        return Categorical(logits=distribution.logits.detach())
    assert isinstance(distribution, Normal)
    return Normal(distribution.loc.detach(), distribution.scale.detach())


def _mean(distribution: Distribution) -> Tensor:
    return distribution.probs if isinstance(distribution, Categorical) else distribution.mean
