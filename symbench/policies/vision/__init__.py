"""Policies that read frames: as an unordered list of patches, or as a picture.

* :class:`VisionAttentionNeuronNetwork`, :class:`SetTransformerNetwork` - invariant: any order, any number of patches
* :class:`NatureCNNNetwork`, :class:`AttentionAgentNetwork` - baselines, tied to where things are in the picture
"""

from symbench.policies.vision.base import VisionNetwork
from symbench.policies.vision.baselines import AttentionAgentNetwork, NatureCNNNetwork
from symbench.policies.vision.layers import SetPooling, VisionAttentionNeuron
from symbench.policies.vision.networks import (
    PatchNetwork,
    SetTransformerNetwork,
    VisionAttentionNeuronNetwork,
)

__all__ = [
    "AttentionAgentNetwork",
    "NatureCNNNetwork",
    "PatchNetwork",
    "SetPooling",
    "SetTransformerNetwork",
    "VisionAttentionNeuron",
    "VisionAttentionNeuronNetwork",
    "VisionNetwork",
]
