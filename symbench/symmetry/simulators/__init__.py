"""How groups act on the states of simulators, family by family, for the check of declared symmetries.

* :class:`Simulator` - what a family implements
* :class:`StateVector` - classic control; :class:`GridWorldState`
* :class:`MujocoState` - joints' positions and velocities

None of them imports its simulator.
"""

from symbench.symmetry.simulators.base import GridWorldState, Simulator, StateVector
from symbench.symmetry.simulators.mujoco import MujocoState

__all__ = ["GridWorldState", "MujocoState", "Simulator", "StateVector"]
