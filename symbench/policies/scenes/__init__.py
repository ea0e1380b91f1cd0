"""Policies that see a scene, bodies with positions and velocities, and push some of them.

* :class:`EquivariantGraphNetwork` - turns and moves with the scene
* :class:`FrameAveragedNetwork` - a plain network that does so by the frames in which it sees the scene
* :class:`ResidualPathwayNetwork` - the first, with a plain network beside it that may break the symmetry
* :class:`PlainGraphNetwork`, :class:`SceneMLPNetwork` - what they are compared with
"""

from symbench.policies.scenes.equivariant_graph import EquivariantGraphNetwork
from symbench.policies.scenes.frame_averaged import FrameAveragedNetwork
from symbench.policies.scenes.residual_pathway import ResidualPathwayNetwork
from symbench.policies.scenes.scene_baselines import PlainGraphNetwork, SceneMLPNetwork
from symbench.policies.scenes.scene_network import SceneNetwork

__all__ = [
    "EquivariantGraphNetwork",
    "FrameAveragedNetwork",
    "PlainGraphNetwork",
    "ResidualPathwayNetwork",
    "SceneMLPNetwork",
    "SceneNetwork",
]
