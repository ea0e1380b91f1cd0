"""Deep Policy Dynamic Programming: a beam of states (visited cities, current city), guided by a heatmap of edges.

* :func:`dpdp` - a tour; :func:`guided_tour` - of a network's heatmap
* :func:`beams` - the beam after each of its steps
* :func:`make_edges` - which edges may be used, and what they are worth

Source: Kool, van Hoof, Gromicho & Welling 2022, Deep policy dynamic programming for vehicle routing problems
(arXiv 2102.11756).
"""

from symbench.solvers.dpdp.beam import Beam
from symbench.solvers.dpdp.edges import SCORES, Edges, make_edges
from symbench.solvers.dpdp.search import beams, dpdp, guided_tour

__all__ = ["SCORES", "Beam", "Edges", "beams", "dpdp", "guided_tour", "make_edges"]
