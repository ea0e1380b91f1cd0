"""Gymnasium's Ant seen through the 28 sensors of PyBullet's, the ones that Tang & Ha (2021) shuffle.

Body, forces, reward, first states and ends of episodes are those of ``Ant-v5``; only what is shown differs. PyBullet's
Ant (``AntBulletEnv-v0``) is another body in another simulator, so returns cannot be compared, shares of them can.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np
from gymnasium import spaces
from gymnasium.envs.mujoco import ant_v5

if TYPE_CHECKING:
    from numpy.typing import NDArray

TARGET = 1000.0  # m, where the ant is to run to, along x
SPEED_SCALE, JOINT_SPEED_SCALE = 0.3, 0.1  # s/m, s/rad; bring usual speeds to about one
LARGEST = 5.0  # sensors are clipped to this
NAMES = (
    *("height", "sine-to-target", "cosine-to-target"),
    *("forward-speed", "sideward-speed", "upward-speed", "roll", "pitch"),
    *(f"{joint}-{leg}-{what}" for leg in range(1, 5) for joint in ("hip", "ankle") for what in ("angle", "speed")),
    *(f"foot-{leg}-contact" for leg in range(1, 5)),
)
"""Names of the sensors, in order. Legs 1 to 4: front left, front right, back left, back right in the model's file."""

_FEET = ("left_ankle_geom", "right_ankle_geom", "third_ankle_geom", "fourth_ankle_geom")


class AntEnv(ant_v5.AntEnv):
    """An ant that runs along x; 28 sensors, each about between -1 and 1.

    Observation, (28,) float32, all of it clipped to -5..5:

    ======  ==========================================================================================================
    0       height of the torso above where the episode began, m
    1, 2    sine and cosine of the angle between the torso's heading and the target, 1000 m along x
    3-5     velocity of the torso, forward, sideward (in its heading's frame) and up, m/s times 0.3
    6, 7    roll and pitch of the torso, rad
    8-23    of each joint (hip 1, ankle 1, hip 2, ...): angle, -1 and 1 at its stops; speed, rad/s times 0.1
    24-27   of each foot: 1 while it touches the floor, else 0
    ======  ==========================================================================================================

    Action, reward, arguments: those of ``gymnasium.make("Ant-v5")``. Feet are told as MuJoCo last found them, at most
    0.01 s ago; PyBullet tells how they were a step before. Stops, masses and torques of its ant are its own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take the arguments of ``Ant-v5``; those about its observation change nothing."""
        super().__init__(*args, **kwargs)
        self.observation_space = spaces.Box(-np.inf, np.inf, (len(NAMES),), np.float32)
        stops = self.model.jnt_range[1:]  # without the root's free joint
        self._middles, self._halves = stops.mean(axis=1), np.ptp(stops, axis=1) / 2
        self._floor, self._feet = self.model.geom("floor").id, [self.model.geom(name).id for name in _FEET]
        self._first_height = float(self.init_qpos[2])

    def __getstate__(self) -> dict[str, Any]:
        """Where the ant is, too: copies of Gymnasium's begin anew, with another random stream."""
        return {**super().__getstate__(), "kept": (self.data, self._first_height, self.np_random)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make it, and go on where the other one was."""
        super().__setstate__(state)
        data, self._first_height, self.np_random = state["kept"]
        mujoco.mj_copyData(self.data, self.model, data)

    def reset_model(self) -> NDArray[Any]:
        """Begin as Ant-v5 does, and remember the height."""
        super().reset_model()  # type: ignore[no-untyped-call]
        self._first_height = float(self.data.qpos[2])
        return self._get_obs()

    def _get_obs(self) -> NDArray[np.float32]:
        x, y, z = self.data.qpos[:3].tolist()
        roll, pitch, yaw = roll_pitch_yaw(self.data.qpos[3:7])
        to_target = math.atan2(-y, TARGET - x) - yaw
        vx, vy, vz = (SPEED_SCALE * self.data.qvel[:3]).tolist()
        forward = math.cos(yaw) * vx + math.sin(yaw) * vy
        sideward = math.cos(yaw) * vy - math.sin(yaw) * vx
        sensors = np.empty(len(NAMES), np.float32)
        sensors[:3] = z - self._first_height, math.sin(to_target), math.cos(to_target)
        sensors[3:8] = forward, sideward, vz, roll, pitch
        sensors[8:24:2] = (self.data.qpos[7:] - self._middles) / self._halves
        sensors[9:24:2] = JOINT_SPEED_SCALE * self.data.qvel[6:]
        sensors[24:] = self._feet_on_floor()
        return sensors.clip(-LARGEST, LARGEST)

    def _feet_on_floor(self) -> list[bool]:
        pairs = self.data.contact.geom.tolist()
        touched = {first + second - self._floor for first, second in pairs if self._floor in (first, second)}
        return [foot in touched for foot in self._feet]


def roll_pitch_yaw(quaternion: NDArray[np.float64]) -> tuple[float, float, float]:
    """Angles about the fixed axes x, y, z, in this order, of a quaternion (w, x, y, z) of any length; rad."""
    w, x, y, z = (quaternion / math.sqrt(quaternion @ quaternion)).tolist()
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
    return roll, pitch, math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
