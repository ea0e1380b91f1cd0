"""How a group acts on the state of MuJoCo environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbench.symmetry.simulators.base import Simulator

if TYPE_CHECKING:
    from symbench.symmetry.representations import GroupAction
    from symbench.symmetry.simulators.base import Env


class MujocoState(Simulator):
    """For Gymnasium's MuJoCo environments: positions (nq,) and velocities (nv,) of the joints.

    Args:
        positions: How the group acts on ``data.qpos``.
        velocities: How it acts on ``data.qvel``.
    """

    def __init__(self, positions: GroupAction, velocities: GroupAction) -> None:
        self.positions, self.velocities = positions, velocities

    def align(self, first: Env, second: Env, element: Any) -> None:
        """See :meth:`Simulator.align`."""
        source: Any = first.unwrapped
        target: Any = second.unwrapped
        positions, velocities = source.data.qpos.copy(), source.data.qvel.copy()
        source.set_state(positions, velocities)  # both the same way: setting a state computes forces anew
        target.set_state(
            self.positions.apply(element, positions[None])[0], self.velocities.apply(element, velocities[None])[0]
        )
