"""Any Stable-Baselines3 model as an agent of the benchmark."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from sb3_contrib.ars.policies import ARSPolicy
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from sb3_contrib.common.recurrent.policies import RecurrentActorCriticPolicy
from sb3_contrib.crossq.policies import CrossQPolicy
from sb3_contrib.qrdqn.policies import QRDQNPolicy
from sb3_contrib.tqc.policies import TQCPolicy
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.dqn.policies import DQNPolicy
from stable_baselines3.sac.policies import SACPolicy

from symbench.errors import SymbenchError
from symbench.policies.agent import Agent
from symbench.policies.spaces import action_difference, channels_last, described, form, same_observations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from stable_baselines3.common.base_class import BaseAlgorithm

    from symbench.policies.sb3.normalization import Normalization

_STOCHASTIC: Final = (ActorCriticPolicy, MaskableActorCriticPolicy, SACPolicy, TQCPolicy, CrossQPolicy)


class SB3Agent(Agent):
    """Plays ``model.predict`` on whole batches, with the state of recurrent models; most likely actions by default.

    A model that was trained inside ``VecNormalize`` gets observations normalised in the same way.
    A model of plain frames gets the image where the task tells which patches are hidden, ``Dict(image, mask)``.
    """

    def __init__(
        self, model: BaseAlgorithm, name: str, normalization: Normalization | None = None, stochastic: bool = False
    ) -> None:
        """Make the agent.

        Args:
            model: A trained model of SB3 or sb3-contrib.
            name: How tables call it.
            normalization: The statistics of the ``VecNormalize`` that it was trained in.
            stochastic: Whether actions are drawn from the policy's distribution.

        Raises:
            SymbenchError: It is to draw actions, and its policy has no distribution.
        """
        if stochastic and not isinstance(model.policy, _STOCHASTIC):
            raise SymbenchError(f"{name} has nothing to draw from: {type(model).__name__} acts deterministically")
        self.model, self.stochastic = model, stochastic
        self._masks: NDArray[np.bool_] | None = None
        self.name = name
        self.normalization = normalization
        self.action_space = model.action_space
        self.preprocessing = (
            *((str(normalization),) if normalization else ()),
            *(("actions are drawn from its distribution",) if stochastic else ()),
        )
        self.reset()

    def reset(self, num_envs: int = 1, *, seed: int = 0) -> None:
        """Forget everything; ``seed`` is that of the actions drawn, if they are."""
        self._state: tuple[NDArray[Any], ...] | None = None
        self._begins = np.ones(num_envs, dtype=bool)
        if self.stochastic:
            self._drawing = torch.Generator().manual_seed(seed).get_state()
            with self._own_randomness():
                if getattr(self.model, "use_sde", False):
                    policy: Any = self.model.policy
                    policy.reset_noise()

    def restart(self, mask: NDArray[np.bool_]) -> None:
        """Forget what was seen in some environments."""
        self._begins |= mask

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Go on with the recurrent state, (layers, B, H) each, of these environments."""
        self._begins = self._begins[mask]
        if self._state is not None:
            self._state = tuple(part[:, mask] for part in self._state)

    def allow(self, masks: NDArray[np.bool_] | None) -> None:
        """Choose among these actions only, if the model is MaskablePPO's."""
        self._masks = masks if isinstance(self.model, MaskablePPO) else None

    def act(self, observations: Any) -> NDArray[Any]:
        """Choose actions for a batch, or for a single observation."""
        seen = self._seen(observations)
        masked: Any = {} if self._masks is None else {"action_masks": self._masks}
        with self._own_randomness():
            actions, self._state = self.model.predict(
                seen, state=self._state, episode_start=self._begins, deterministic=not self.stochastic, **masked
            )
        self._begins = np.zeros_like(self._begins)
        return actions

    @torch.inference_mode()
    def decisions(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.decisions`; ``None`` for recurrent models."""
        policy = self.model.policy
        if isinstance(policy, RecurrentActorCriticPolicy):
            return None
        seen, _ = policy.obs_to_tensor(self._seen(observations))
        if isinstance(policy, (ActorCriticPolicy, MaskableActorCriticPolicy)):
            chosen = policy.get_distribution(seen).distribution
            answers = getattr(chosen, "probs", None)
            answers = answers if answers is not None else chosen.mean  # type: ignore[union-attr]
        elif isinstance(policy, DQNPolicy):
            answers = policy.q_net(seen)
        elif isinstance(policy, QRDQNPolicy):
            answers = policy.quantile_net(seen).mean(dim=1)
        elif isinstance(policy, ARSPolicy):
            answers = policy.action_net(policy.extract_features(seen, policy.features_extractor))
        else:
            answers = policy._predict(seen, deterministic=True)
        shown: NDArray[Any] = answers.cpu().numpy()
        squashed = policy.squash_output and not isinstance(
            policy, ActorCriticPolicy
        )  # within [-1, 1] whatever the task
        return policy.unscale_action(shown) if squashed else shown

    @torch.inference_mode()
    def values(self, observations: Any) -> NDArray[Any] | None:
        """See :meth:`Agent.values`: of actor-critics."""
        policy: Any = self.model.policy
        actor_critic = isinstance(policy, (ActorCriticPolicy, MaskableActorCriticPolicy))
        if not actor_critic or isinstance(policy, RecurrentActorCriticPolicy):
            return None
        seen, _ = policy.obs_to_tensor(self._seen(observations))
        expected: NDArray[Any] = policy.predict_values(seen)[:, 0].cpu().numpy()
        return expected

    def incompatibility(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> str | None:
        """Compare the spaces with the model's: whole action spaces, and of observations all but the bounds of sensors.

        The channels of frames may be first or last.
        """
        own = self.model.observation_space
        pairs = product((own, channels_last(own)), (observation_space, _image(observation_space)))
        if not any(same_observations(mine, theirs) for mine, theirs in pairs):
            describe = form if form(own) != form(observation_space) else described
            return f"{self.name} observes {describe(own)}, the task has {describe(observation_space)}"
        difference = action_difference(self.action_space, action_space)
        return f"{self.name} {difference}" if difference else None

    @contextmanager
    def _own_randomness(self) -> Iterator[None]:
        """Let what draws from torch's global generator, as policies do, draw from the agent's own."""
        if not self.stochastic:
            yield
            return
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._drawing)
            yield
            self._drawing = torch.get_rng_state()

    def _seen(self, observations: Any) -> Any:
        """What the model is to see of what the task shows."""
        if isinstance(observations, dict) and not isinstance(self.model.observation_space, spaces.Dict):
            observations = observations["image"]
        return self.normalization(observations) if self.normalization else observations


def _image(space: spaces.Space[Any]) -> spaces.Space[Any]:
    """The frames alone, if the space tells which of their patches are hidden."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    return parts["image"] if set(parts) == {"image", "mask"} else space
