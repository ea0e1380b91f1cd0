"""Executors: jobs to outcomes, unordered, each crash attributed to its job.

* :func:`execute` - cells to outcomes, with any executor
* :class:`~symbench.runner.executors.base.Executor` - what an executor is
* :mod:`~symbench.runner.executors.local` - this process, or several on this machine
* :mod:`~symbench.runner.executors.ray` - a Ray cluster (extra ``[ray]``)
"""

from symbench.runner.executors.base import Outcome
from symbench.runner.executors.cells import EXECUTORS, check, execute

__all__ = ["EXECUTORS", "Outcome", "check", "execute"]
