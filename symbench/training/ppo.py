"""PPO through Stable-Baselines3, on one batch of environments instead of a handful of copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import VectorWrapper
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnvWrapper

from symbench.envs.vec_env import VectorToVecEnv
from symbench.policies import NetworkActorCriticPolicy, PolicyNetwork
from symbench.policies.sb3.bridge import STATE
from symbench.training.training_envs import KeepState, make_training_envs
from symbench.wrappers import vector_wrapper_of

if TYPE_CHECKING:
    import gymnasium as gym
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

    from symbench.training.recipe import Ppo, Recipe
    from symbench.training.session import Session

CHECKPOINT = "checkpoint.zip"


class TrueState(VectorWrapper):
    """Adds the true state to the observation, under the key that only the critic reads."""

    def __init__(self, envs: gym.vector.VectorEnv[Any, Any, Any], kept: KeepState) -> None:
        """Read the state from ``kept``, a wrapper further in."""
        super().__init__(envs)
        self.kept = kept
        inner = self._keyed(envs.single_observation_space)
        self.single_observation_space = spaces.Dict({**inner, STATE: kept.single_observation_space})

    def reset(self, **kwargs: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Reset, and add the state."""
        observations, infos = self.env.reset(**kwargs)
        return {**self._keyed(observations), STATE: self.kept.state}, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step, and add the state, to final observations too."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        if self.kept.final is not None:
            for i in np.flatnonzero(terminated | truncated):
                infos["final_obs"][i] = {**self._keyed(infos["final_obs"][i]), STATE: self.kept.final[i]}
        return {**self._keyed(observations), STATE: self.kept.state}, rewards, terminated, truncated, infos

    @staticmethod
    def _keyed(observations: Any) -> dict[str, Any]:
        """A Dict observation or its space; another one under a key of its own."""
        return dict(observations.items()) if hasattr(observations, "items") else {"observation": observations}


class ScaledRewards(VecEnvWrapper):
    """Multiplies what is learned from; the returns that infos tell stay as they are."""

    def __init__(self, envs: VecEnv, scale: float) -> None:
        """Multiply rewards by ``scale``."""
        super().__init__(envs)
        self.scale = scale

    def reset(self) -> VecEnvObs:
        """Start new episodes."""
        return self.venv.reset()

    def step_wait(self) -> VecEnvStepReturn:
        """Step, and scale the rewards."""
        observations, rewards, dones, infos = self.venv.step_wait()
        return observations, rewards * self.scale, dones, infos


class Report(BaseCallback):
    """Tells the session how far training is, saves SB3's model as the checkpoint, and lets the critic begin alone."""

    def __init__(self, session: Session, settings: Ppo) -> None:
        """Report steps out of the settings' to ``session``."""
        super().__init__()
        self.session, self.total, self.critic_steps = session, settings.steps, settings.critic_steps

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        # Called before each rollout, so after each update.
        require_policy_gradients(self.model, self.num_timesteps >= self.critic_steps)
        self.session.report(self.num_timesteps, self.total, mean_return(self.model), **losses(self.model))
        if self.session.checkpoint_is_due():
            save_model(self.model, self.session)


def require_policy_gradients(model: BaseAlgorithm, learns: bool) -> None:
    """Say whether the network and the noise of its actions learn, or the critic alone."""
    policy: Any = model.policy
    policy.network.requires_grad_(learns)
    if hasattr(policy, "deviations"):
        policy.deviations.requires_grad_(learns)


def mean_return(model: BaseAlgorithm) -> float:
    """Mean return of the last 1000 ended episodes; NaN before the first has ended."""
    returns = [episode["r"] for episode in model.ep_info_buffer or ()]
    return float(np.mean(returns)) if returns else float("nan")


def losses(model: BaseAlgorithm) -> dict[str, float]:
    """What SB3 says of the latest update: ``loss``, ``train/value_loss``, ``train/entropy_loss`` ..."""
    said = {name: float(value) for name, value in model.logger.name_to_value.items() if name.startswith("train/")}
    return {"loss" if name == "train/loss" else name: value for name, value in said.items()}


def save_model(model: BaseAlgorithm, session: Session) -> None:
    """Write SB3's own checkpoint."""
    # An open file: given a path that it cannot write to, SB3 may save elsewhere.
    with session.checkpoint(CHECKPOINT) as partial, partial.open("wb") as file:
        model.save(file)


def train_ppo(
    recipe: Recipe, settings: Ppo, network: PolicyNetwork, session: Session, device: str = "cpu"
) -> PolicyNetwork:
    """Train with PPO.

    Args:
        recipe: What is trained on what.
        settings: See :class:`~symbench.training.recipe.Ppo`.
        network: Says the architecture and, if the recipe starts from an agent, the first weights.
        session: Where progress goes.
        device: Where torch computes.

    Returns:
        The network that was trained.

    Raises:
        SymbenchError: The checkpoint cannot be read.
    """
    vec_env = _make_vec_env(recipe, settings, network)
    model = _resumed(session, vec_env, device)
    if model is None:
        model = _new_model(settings, network, vec_env, session.seed, device)
        if recipe.start is not None:
            _network_of(model).load_state_dict(network.state_dict())
    remaining = settings.steps - model.num_timesteps
    if remaining > 0:
        model.set_logger(Logger(None, []))  # without one, SB3 makes a folder for logs in the temporary directory
        model.learn(remaining, callback=Report(session, settings), reset_num_timesteps=False)
        session.report(settings.steps, settings.steps, mean_return(model), **losses(model))
        save_model(model, session)
    vec_env.close()
    return _network_of(model).requires_grad_(True).cpu()


def _network_of(model: PPO) -> PolicyNetwork:
    policy: Any = model.policy
    return policy.network  # type: ignore[no-any-return]


def _make_vec_env(recipe: Recipe, settings: Ppo, network: PolicyNetwork) -> VecEnv:
    envs, kept = make_training_envs(recipe, settings.num_envs)
    if network.shown_by:
        envs = vector_wrapper_of(network.shown_by)(envs, length=network.history)
    if settings.privileged_critic:
        envs = TrueState(envs, kept)
    vec_env = VectorToVecEnv(envs)
    return vec_env if settings.reward_scale == 1 else ScaledRewards(vec_env, settings.reward_scale)


def _new_model(settings: Ppo, network: PolicyNetwork, vec_env: VecEnv, seed: int, device: str) -> PPO:
    config = {name: value for name, value in network.config().items() if name != "action_space"}
    policy_kwargs = {"network": {"kind": network.kind, **config}, "critic": _critic(network)}
    return PPO(
        NetworkActorCriticPolicy,
        vec_env,
        learning_rate=LinearSchedule(settings.learning_rate, settings.learning_rate / 100, 1.0),
        n_steps=settings.n_steps,
        batch_size=settings.batch_size,
        n_epochs=settings.n_epochs,
        gamma=settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        max_grad_norm=settings.max_grad_norm,
        policy_kwargs={**policy_kwargs, "log_std_init": settings.log_std_init},
        stats_window_size=1000,
        seed=seed,
        device=device,
    )


def _critic(network: PolicyNetwork) -> list[int]:
    """Widths of the critic: those of the network, if there is nothing but dense layers in it."""
    hidden = network.config().get("hidden", [])
    return list(hidden) if not network.memory and isinstance(hidden, list) else [64, 64]


def _resumed(session: Session, vec_env: VecEnv, device: str) -> PPO | None:
    with session.resuming(CHECKPOINT) as checkpoint:
        if checkpoint is None:
            return None
        model = PPO.load(checkpoint, env=vec_env, device=device)
    # Loading seeds everything as at the start; what has been drawn since then must not be drawn again.
    model.set_random_seed(int(np.random.SeedSequence([session.seed, model.num_timesteps]).generate_state(1)[0]))
    return model
