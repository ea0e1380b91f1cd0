"""How groups act on the states of simulators, family by family, for the check of declared symmetries.

* :class:`Simulator` - what a family implements
* :class:`StateVector` - classic control; :class:`GridWorldState`; :class:`StateTree` - states of named arrays
* :class:`MujocoState` - joints' positions and velocities
* :class:`LunarLanderState`, :class:`BipedalWalkerState`, :class:`CarRacingState` - Box2D
* :class:`AtariState` - Pong and Breakout

None of them imports its simulator.
"""

from symbench.symmetry.simulators.atari import AtariState
from symbench.symmetry.simulators.base import GridWorldState, Simulator, StateTree, StateVector
from symbench.symmetry.simulators.box2d import BipedalWalkerState, CarRacingState, LunarLanderState
from symbench.symmetry.simulators.mujoco import MujocoState

__all__ = [
    "AtariState",
    "BipedalWalkerState",
    "CarRacingState",
    "GridWorldState",
    "LunarLanderState",
    "MujocoState",
    "Simulator",
    "StateTree",
    "StateVector",
]
