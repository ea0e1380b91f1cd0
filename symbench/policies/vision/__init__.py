"""Policies that read frames: as an unordered list of patches, or as a picture.

* :class:`VisionAttentionNeuronNetwork`, :class:`SetTransformerNetwork` - invariant: any order, any number of patches
* :class:`NatureCNNNetwork`, :class:`AttentionAgentNetwork` - baselines, tied to where things are in the picture
* :class:`PatchUnshufflerNetwork` - the CNN behind a filter that puts a shuffled picture together
"""

from symbench.policies.vision.patch_layers import VisionAttentionNeuron
from symbench.policies.vision.patch_networks import PatchNetwork, VisionAttentionNeuronNetwork
from symbench.policies.vision.patch_unshuffler import PatchUnshufflerNetwork
from symbench.policies.vision.picture_networks import AttentionAgentNetwork, NatureCNNNetwork
from symbench.policies.vision.set_transformer import SetPooling, SetTransformerNetwork
from symbench.policies.vision.vision_network import VisionNetwork

__all__ = [
    "AttentionAgentNetwork",
    "NatureCNNNetwork",
    "PatchNetwork",
    "PatchUnshufflerNetwork",
    "SetPooling",
    "SetTransformerNetwork",
    "VisionAttentionNeuron",
    "VisionAttentionNeuronNetwork",
    "VisionNetwork",
]
