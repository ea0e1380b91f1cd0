"""Policies that see a scene, bodies with positions and velocities, and push some of them.

* :class:`EquivariantGraphNetwork` - turns and moves with the scene
* :class:`PlainGraphNetwork`, :class:`SceneMLPNetwork` - what it is compared with
"""

from symbench.policies.scenes.equivariant_graph import EquivariantGraphNetwork
from symbench.policies.scenes.scene_baselines import PlainGraphNetwork, SceneMLPNetwork
from symbench.policies.scenes.scene_network import SceneNetwork

__all__ = ["EquivariantGraphNetwork", "PlainGraphNetwork", "SceneMLPNetwork", "SceneNetwork"]
