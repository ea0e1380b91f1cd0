"""Tours through cities: instances, their lengths, and the environments that build a tour city by city.

* :mod:`~symbench.envs.routing.instances` - how cities and demands are drawn
* :mod:`~symbench.envs.routing.tsplib` - instances from TSPLIB files
* :mod:`~symbench.envs.routing.tours` - what a tour is, and its length
* :mod:`~symbench.envs.routing.tsp`, :mod:`~symbench.envs.routing.cvrp` - the environments

**Lengths.** Coordinates and demands of an instance are single precision numbers, and observations show exactly these.
The length of a tour is computed from them in double precision, edge after edge in the order of the tour. So the same
tour has the same length in a reward, in a solver and in a table.
"""
