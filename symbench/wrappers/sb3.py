"""The transforms as wrappers of a Stable-Baselines3 ``VecEnv``; needs ``stable_baselines3``.

Put them inside ``VecFrameStack`` and ``VecNormalize``, which belong to the agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from symbench.wrappers import agent_side, groups, images, sensors
from symbench.wrappers.adapters import Adapter, layers_below, row, with_rows

if TYPE_CHECKING:
    from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn


class VecEnvAdapter(Adapter, VecEnvWrapper):
    """A transform around an SB3 ``VecEnv``."""

    def __init__(self, venv: VecEnv, **parameters: Any) -> None:
        """Wrap ``venv``.

        Args:
            venv: The vectorised environment.
            **parameters: The transform's; a perturbation also takes ``severity``.

        Raises:
            TypeError: A parameter is unknown or of a wrong type.
            SymbenchError: A value is out of range, or the environment's spaces do not fit.
        """
        if not isinstance(venv, VecEnv):
            raise TypeError(f"venv must be a stable_baselines3 VecEnv, received {type(venv)}")
        transform = self.transform_class.make(**parameters)
        key = layers_below(venv, self.transform_class)
        space = transform.bind(venv.observation_space, venv.action_space, venv.num_envs, key)
        super().__init__(venv, venv.observation_space if transform.identity else space)
        self.transform = transform

    def reset(self) -> VecEnvObs:
        """Begin episodes everywhere, with the seeds that ``seed()`` has left in the wrapped environment."""
        seeds = list(self.venv.unwrapped._seeds)  # asked for now, since reset() uses them up
        observations = self.venv.reset()
        if self.transform.identity:
            return observations
        seen: VecEnvObs = self.transform.reset(observations, np.ones(self.num_envs, dtype=bool), seeds)
        return seen

    def step_async(self, actions: np.ndarray) -> None:
        """Send the actions, which :meth:`step_wait` needs too."""
        self._actions = np.array(actions)
        self.venv.step_async(actions if self.transform.identity else self.transform.act(self._actions))

    def step_wait(self) -> VecEnvStepReturn:
        """Take one step everywhere; ``terminal_observation`` is transformed too."""
        observations, rewards, dones, infos = self.venv.step_wait()
        if self.transform.identity:
            return observations, rewards, dones, infos
        ended = np.flatnonzero(dones).tolist()
        last = with_rows(observations, {i: infos[i]["terminal_observation"] for i in ended}) if ended else observations
        seen = self.transform.step(last, self._actions)
        for i in ended:
            infos[i]["terminal_observation"] = row(seen, i)
        if ended:
            seen = self.transform.reset(observations, dones, None)
        return seen, rewards, dones, infos


class ShuffleSensors(VecEnvAdapter, transform=sensors.ShuffleSensors):
    """Shuffle the sensors of every environment."""


class AddNoiseChannels(VecEnvAdapter, transform=sensors.AddNoiseChannels):
    """Add channels of noise to every environment."""


class DuplicateSensors(VecEnvAdapter, transform=sensors.DuplicateSensors):
    """Repeat the sensors of every environment."""


class DropSensors(VecEnvAdapter, transform=sensors.DropSensors):
    """Silence some sensors of every environment."""


class SensorNoise(VecEnvAdapter, transform=sensors.SensorNoise):
    """Add noise to the sensors of every environment."""


class ShufflePatches(VecEnvAdapter, transform=images.ShufflePatches):
    """Shuffle the patches of every environment's frames."""


class OccludePatches(VecEnvAdapter, transform=images.OccludePatches):
    """Hide patches of every environment's frames."""


class SwapBackground(VecEnvAdapter, transform=images.SwapBackground):
    """Put every environment's frames before another background."""


class TransformByGroup(VecEnvAdapter, transform=groups.TransformByGroup):
    """Transform every environment by elements of a symmetry group."""


class PreviousAction(VecEnvAdapter, transform=agent_side.PreviousAction):
    """Show every environment's previous action."""


class SensorHistory(VecEnvAdapter, transform=agent_side.SensorHistory):
    """Show every environment's latest sensor values and actions."""


class FrameHistory(VecEnvAdapter, transform=agent_side.FrameHistory):
    """Show every environment's latest frames and previous action."""
