"""Graph networks in torch: equivariant under what moves a scene, and a plain one.

* :mod:`~symbench.policies.graph.graphs` - who receives from whom, dense or as a list of edges
* :mod:`~symbench.policies.graph.graph_network` - what all networks have in common
* :mod:`~symbench.policies.graph.egnn`, :mod:`~symbench.policies.graph.e2gn2`,
  :mod:`~symbench.policies.graph.radial_field` - equivariant in any dimension, through distances
* :mod:`~symbench.policies.graph.gnn` - the plain network
* :mod:`~symbench.policies.graph.steerable` - equivariant in space, through vectors and higher degrees; made of
  :mod:`~symbench.policies.graph.tensor_products` and :mod:`~symbench.policies.graph.spherical_harmonics`
* :mod:`~symbench.policies.graph.se3_transformer`, :mod:`~symbench.policies.graph.tensor_field` - under rotations, by
  :mod:`~symbench.policies.graph.steerable_kernels`
"""

from symbench.policies.graph.e2gn2 import E2GN2
from symbench.policies.graph.egnn import EGNN
from symbench.policies.graph.gnn import GNN
from symbench.policies.graph.graph_network import GraphNetwork, GraphOutput
from symbench.policies.graph.graphs import Graph, make_graph
from symbench.policies.graph.radial_field import RadialField
from symbench.policies.graph.se3_transformer import SE3Transformer
from symbench.policies.graph.steerable import SteerableGNN
from symbench.policies.graph.tensor_field import TensorFieldNetwork

__all__ = [
    "E2GN2",
    "EGNN",
    "GNN",
    "Graph",
    "GraphNetwork",
    "GraphOutput",
    "RadialField",
    "SE3Transformer",
    "SteerableGNN",
    "TensorFieldNetwork",
    "make_graph",
]
