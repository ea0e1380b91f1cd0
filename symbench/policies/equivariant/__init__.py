"""Equivariant policies in torch: what a group does to observations, they do to actions.

* :mod:`~symbench.policies.equivariant.bases` - :func:`map_basis`, the maps that commute with a group
* :mod:`~symbench.policies.equivariant.blocks` - the same in coordinates in which there is less to compute
* :mod:`~symbench.policies.equivariant.linear`, :mod:`~symbench.policies.equivariant.convolutions` - layers
* :mod:`~symbench.policies.equivariant.bodies` - hidden layers and last ones
* :mod:`~symbench.policies.equivariant.sensors`, :mod:`~symbench.policies.equivariant.frames` - actors
* :mod:`~symbench.policies.equivariant.actor_critic` - actors with a critic
* :mod:`~symbench.policies.equivariant.emlp` - an MLP through any representation
* :mod:`~symbench.policies.equivariant.symmetries` - symmetries as plain data, for configs
"""

from symbench.policies.equivariant.actor_critic import ActorCritic
from symbench.policies.equivariant.bases import BASES, invariants, map_basis, rank, symmetrize
from symbench.policies.equivariant.bodies import EquivariantMLP
from symbench.policies.equivariant.convolutions import GroupConv2d, fitting_convolutions, pool_group, pool_places
from symbench.policies.equivariant.emlp import EMLP
from symbench.policies.equivariant.frames import EquivariantCNNNetwork
from symbench.policies.equivariant.linear import BasisLinear, free_part
from symbench.policies.equivariant.sensors import EquivariantMLPNetwork
from symbench.policies.equivariant.symmetries import action_of, group_named, symmetry_data, vectors_of

__all__ = [
    "BASES",
    "EMLP",
    "ActorCritic",
    "BasisLinear",
    "EquivariantCNNNetwork",
    "EquivariantMLP",
    "EquivariantMLPNetwork",
    "GroupConv2d",
    "action_of",
    "fitting_convolutions",
    "free_part",
    "group_named",
    "invariants",
    "map_basis",
    "pool_group",
    "pool_places",
    "rank",
    "symmetrize",
    "symmetry_data",
    "vectors_of",
]
