"""Tours without learning: heuristics, exact and near-optimal solvers, and the stored references of the benchmark.

Cities are arrays (B, n, 2), tours (B, n), int64; see :mod:`symbench.envs.routing.tours` for what a tour is.

* :mod:`~symbench.solvers.heuristics` - nearest neighbour, farthest insertion, 2-opt
* :mod:`~symbench.solvers.savings` - Clarke and Wright's for vehicles
* :mod:`~symbench.solvers.held_karp` - shortest tours of up to 20 cities
* :mod:`~symbench.solvers.dpdp` - a beam that a heatmap of edges guides
* :mod:`~symbench.solvers.references` - the best tours that other packages find (extra ``[routing]``)
* :mod:`~symbench.solvers.reference_sets` - such tours, stored with the package
"""
