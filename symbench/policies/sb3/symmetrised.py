"""Any SB3 policy made equivariant when it acts, without training it anew.

* :class:`SymmetrizedPolicy` - the mean over the group: exact, costs |G| evaluations
* :class:`CanonicalPolicy` - acts on one representative of each orbit: exact, costs one evaluation, not continuous
* :class:`FrameAveragedPolicy` - the mean over frames of a scene, whose turns are too many for the first

The first two take ``symmetry``: an environment's id, a declaration or plain data.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.dqn.policies import DQNPolicy
from torch import Tensor
from torch.distributions import Categorical

from symbench.errors import SymbenchError
from symbench.policies.actions import action_head
from symbench.policies.sb3.moves import Moves
from symbench.policies.scenes.scene_frames import Frames, frames_named, within_ball
from symbench.policies.scenes.scene_network import KEYS, agents_of, sizes_of_scene
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from stable_baselines3.common.type_aliases import PyTorchObs

    from symbench.policies.equivariant.symmetries import Symmetry


class _Wrapped(BasePolicy):
    """A policy around a policy; SB3's ``predict`` does the rest."""

    def __init__(self, model: BaseAlgorithm | BasePolicy) -> None:
        """Wrap a trained model, or its policy, whose weights are shared, not copied."""
        policy = model.policy if isinstance(model, BaseAlgorithm) else model
        super().__init__(policy.observation_space, policy.action_space, squash_output=policy.squash_output)
        self.inner = policy

    @abstractmethod
    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        """Actions (B,) or (B, A) for a batch of observations."""


class _OfFiniteGroup(_Wrapped):
    """A policy around a policy, for the elements of a group."""

    def __init__(self, model: BaseAlgorithm | BasePolicy, symmetry: Symmetry) -> None:
        """Wrap a trained model, or its policy.

        Args:
            model: Of PPO, A2C, TRPO, MaskablePPO, DQN, QR-DQN, SAC, TQC or TD3; its weights are shared, not copied.
            symmetry: An environment's id, a declaration or plain data.

        Raises:
            SymbenchError: The symmetry is unknown or does not fit the spaces, the actions are neither Discrete nor a
                Box, or the policy is recurrent.
        """
        super().__init__(model)
        if hasattr(self.inner, "lstm_actor"):
            raise SymbenchError("a recurrent policy remembers; what it remembers of one side says nothing of another")
        if not isinstance(self.action_space, (spaces.Discrete, spaces.Box)):
            raise SymbenchError(f"actions must be Discrete or a Box, received {form(self.action_space)}")
        self.moves = Moves(symmetry, self.observation_space, self.action_space)

    def _undone(self, elements: NDArray[np.int64], actions: Tensor) -> Tensor:
        """K_g^-1 of played actions: numbers, (B,), or vectors, (B, A)."""
        if isinstance(self.action_space, spaces.Box):
            return self.moves.undo(elements, actions)
        one_hot = torch.nn.functional.one_hot(actions, self.moves.rep.dim).double()
        return self.moves.undo(elements, one_hot).argmax(dim=1)


class SymmetrizedPolicy(_OfFiniteGroup):
    """The mean over the group, pi_bar(s) = 1/|G| sum_g K_g^-1 pi(L_g s), of any policy pi: exactly equivariant.

    The mean is of probabilities (PPO, A2C), of Q values (DQN, QR-DQN), or of the actions themselves if they are
    continuous. Drawn actions come from the mixture of the transformed policies. Source: the baseline of averaging
    in van der Pol et al. 2020 (arXiv 2006.16908); frame averaging over a whole finite group (Puny et al.
    2022, arXiv 2110.03336).

    Example:
        >>> from stable_baselines3 import PPO
        >>> model = PPO("MlpPolicy", "CartPole-v1", device="cpu")
        >>> policy = SymmetrizedPolicy(model, "CartPole-v1")
        >>> observation = np.array([0.1, -0.2, 0.03, 0.4], dtype=np.float32)
        >>> actions, _ = policy.predict(np.stack([observation, -observation]), deterministic=True)
        >>> int(actions.sum())  # one to the left, one to the right
        1
    """

    def scores(self, observation: PyTorchObs) -> Tensor:
        """The mean vector, (B, A): probabilities, Q values or deterministic actions (before clipping)."""
        terms = [
            self.moves.undo(g, vectors_of_policy(self.inner, self.moves.observations(g, observation)))
            for g in self.moves.group.elements
        ]
        return torch.stack(terms).mean(dim=0)

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        of_values = isinstance(self.inner, DQNPolicy) or hasattr(self.inner, "quantile_net")
        if deterministic or of_values:
            scores = self.scores(observation)
            return scores if isinstance(self.action_space, spaces.Box) else scores.argmax(dim=1)
        assert isinstance(observation, Tensor)
        elements = torch.randint(self.moves.group.order, (len(observation),)).numpy()
        return self._undone(elements, self.inner._predict(self.moves.observations(elements, observation)))


class CanonicalPolicy(_OfFiniteGroup):
    """Any policy, asked about one representative of each orbit: pi_c(s) = K_g^-1 pi(L_g s) with g = g(s).

    The representative is the greatest of all L_g s, compared number by number. It jumps where two of them are equally
    great, and so may the action. An observation that some element leaves as it is has several g(s); there the action
    is equivariant only if the wrapped policy is. Source: canonicalisation (Kaba et al. 2023, arXiv 2211.06489).
    """

    def elements(self, observation: Tensor) -> NDArray[np.int64]:
        """g(s) for each of a batch of observations, (B,)."""
        best = observation.flatten(1).cpu().numpy()
        found, rows = np.zeros(len(best), dtype=np.int64), np.arange(len(best))
        for g in self.moves.group.elements:
            moved = self.moves.observations(g, observation).flatten(1).cpu().numpy()
            place = (moved != best).argmax(axis=1)
            greater = moved[rows, place] > best[rows, place]
            best, found = np.where(greater[:, None], moved, best), np.where(greater, g, found)
        return found

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        assert isinstance(observation, Tensor)
        elements = self.elements(observation)
        actions = self.inner._predict(self.moves.observations(elements, observation), deterministic)
        return self._undone(elements, actions)


class FrameAveragedPolicy(_Wrapped):
    """The mean over frames of a scene of what any policy does in them: it turns and moves with the scene.

    The frames are those of :mod:`symbench.policies.scenes.scene_frames`, where it is said how exact they are. The mean
    is of deterministic actions; drawn ones come from the mixture of what is done in each frame. A force longer than the
    limit is made so long, so that cutting coordinates changes nothing. Source: Puny et al. 2022 (arXiv 2110.03336).

    Example:
        >>> from stable_baselines3 import PPO
        >>> model = PPO("MultiInputPolicy", "symbench/ParticleSpread-v0", device="cpu")
        >>> FrameAveragedPolicy(model, frames=8).action_space.shape
        (3, 2)
    """

    def __init__(self, model: BaseAlgorithm | BasePolicy, frames: str | int = "principal", seed: int = 0) -> None:
        """Wrap a trained model, or its policy.

        Args:
            model: Of PPO, A2C, SAC or TD3; its weights are shared, not copied.
            frames: ``"principal"``, ``"canonical"`` or how many are sampled.
            seed: Of sampled frames.

        Raises:
            SymbenchError: It sees no scene, or does not push bodies by forces in a Box; or there are no such frames.
        """
        super().__init__(model)
        scene, space = sizes_of_scene(self.observation_space), self.action_space
        if scene is None or not isinstance(space, spaces.Box) or set(self.observation_space.spaces) - set(KEYS):  # type: ignore[attr-defined]
            raise SymbenchError(
                f"frames are of scenes ({', '.join(KEYS)}) in which forces act, received "
                f"{form(self.observation_space)} and {form(space)}"
            )
        agents_of(action_head(space), scene["dim"], 0)
        self.frames_of = frames_named(frames, scene["dim"], seed)
        self.radius = 1.0 if self.squash_output else float(space.high.flat[0])

    def _predict(self, observation: PyTorchObs, deterministic: bool = False) -> Tensor:
        assert isinstance(observation, dict)
        frames = self.frames_of(observation["positions"])
        if not deterministic:
            batch, count = frames.axes.shape[:2]
            drawn = torch.randint(count, (batch,), device=frames.axes.device)
            frames = Frames(frames.axes[torch.arange(batch), drawn][:, None], frames.origins)
        parts = frames.seen(*(observation.get(key) for key in KEYS))  # type: ignore[arg-type]
        seen = {key: part for key, part in zip(KEYS, parts, strict=True) if part is not None}
        actions = vectors_of_policy(self.inner, seen) if deterministic else self.inner._predict(seen)
        return within_ball(frames.taken_back(actions.flatten(1)), self.radius).reshape(-1, *self.action_space.shape)  # type: ignore[misc]


def vectors_of_policy(policy: BasePolicy, observation: PyTorchObs) -> Tensor:
    """What a policy says of a batch, (B, A): probabilities, Q values or deterministic actions."""
    of_kind: Any = policy  # that has what the base class does not know
    if isinstance(policy, DQNPolicy):
        return policy.q_net(observation)  # type: ignore[no-any-return]
    if hasattr(policy, "quantile_net"):  # of QR-DQN, (B, quantiles, A)
        return of_kind.quantile_net(observation).mean(dim=1)  # type: ignore[no-any-return]
    if isinstance(policy.action_space, spaces.Discrete) and hasattr(policy, "get_distribution"):
        distribution = of_kind.get_distribution(observation).distribution
        assert isinstance(distribution, Categorical)
        return distribution.probs
    return policy._predict(observation, deterministic=True)
