"""The leaderboard: statistics, rows, tables.

* :mod:`~symbench.leaderboard.statistics` - interquartile mean, bootstrap, retention, probability of improvement
* :func:`make_rows`, :class:`Row` - one row per task, perturbation, level and agent
* :func:`write_report`, :class:`Report` - the tables of a run directory
"""

from symbench.leaderboard.report import Report, write_report
from symbench.leaderboard.rows import Row, make_rows

__all__ = ["Report", "Row", "make_rows", "write_report"]
