"""Models that build tours, and how tours are taken from them.

* :class:`AttentionModel` - the attention model (Kool et al. 2019), :class:`PomoModel` - POMO's (Kwon et al. 2020)
* :class:`DistanceModel`, :class:`EGNNModel`, :class:`FramedModel` - exactly invariant under rotations, mirrors, shifts
  and scales; :func:`canonicalised`, :func:`frame_averaged` - make a trained model so
* :class:`RoutingModel` - an encoder of instances and a decoder of tours; any encoder will do
* :class:`AttentionEncoder`, :class:`DistanceEncoder`, :class:`EGNNEncoder`, :class:`PointerDecoder` - their parts
* :func:`greedy`, :func:`sample`, :func:`multi_start`, :func:`augmented`, :func:`beam_search` - decoding;
  :func:`tours_in_frames` - of the four that principal axes show
* :func:`tour_lengths`, :func:`log_likelihood` - of given tours
* :class:`TourAgent`, :class:`ModelPlanner` - an agent that plans whole tours, with one of these ways or another solver
* :class:`EdgeScorer` - a heatmap of edges, which guides :func:`symbench.solvers.dpdp.dpdp`

Instances are dicts of tensors: ``{"cities": (B, n, 2)}`` of travelling salesmen (TSP), and
``{"cities": (B, n + 1, 2), "demands": (B, n + 1)}`` of vehicles with a capacity of 1 (CVRP), whose node 0 is the depot.
A batch builds k tours of each instance at once, (B, k, T); the encoder sees an instance once.
"""

from symbench.policies.routing.attention_encoder import AttentionEncoder
from symbench.policies.routing.decoding import (
    Tours,
    augmented,
    beam_search,
    greedy,
    log_likelihood,
    multi_start,
    sample,
)
from symbench.policies.routing.distance_encoder import DistanceEncoder
from symbench.policies.routing.edge_scorer import EdgeScorer
from symbench.policies.routing.egnn_encoder import EGNNEncoder
from symbench.policies.routing.frame_averaging import tours_in_frames
from symbench.policies.routing.invariant_models import (
    DistanceModel,
    EGNNModel,
    FramedModel,
    canonicalised,
    frame_averaged,
)
from symbench.policies.routing.pointer_decoder import PointerDecoder
from symbench.policies.routing.routing_model import AttentionModel, PomoModel, RoutingModel
from symbench.policies.routing.tour_agent import TourAgent
from symbench.policies.routing.tour_states import PROBLEMS, CvrpState, TspState, tour_lengths
from symbench.policies.routing.whole_tours import ModelPlanner

__all__ = [
    "PROBLEMS",
    "AttentionEncoder",
    "AttentionModel",
    "CvrpState",
    "DistanceEncoder",
    "DistanceModel",
    "EGNNEncoder",
    "EGNNModel",
    "EdgeScorer",
    "FramedModel",
    "ModelPlanner",
    "PointerDecoder",
    "PomoModel",
    "RoutingModel",
    "TourAgent",
    "Tours",
    "TspState",
    "augmented",
    "beam_search",
    "canonicalised",
    "frame_averaged",
    "greedy",
    "log_likelihood",
    "multi_start",
    "sample",
    "tour_lengths",
    "tours_in_frames",
]
