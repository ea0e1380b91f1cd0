"""The leaderboard: statistics, rows, tables.

* :mod:`~symbench.leaderboard.retention` - score, retention, probability of improvement
* :mod:`~symbench.leaderboard.bootstrap` - training runs and episodes drawn together, intervals
* :mod:`~symbench.leaderboard.coverage` - how often the intervals hold the truth
* :func:`make_report`, :class:`Report`, :class:`Row`, :class:`Summary` - from cells to rows
* :func:`write_report`, :func:`read_report` - the tables of a run directory
"""

from symbench.leaderboard.report import read_report, write_report
from symbench.leaderboard.rows import Row, Summary
from symbench.leaderboard.tables import Report, make_report

__all__ = ["Report", "Row", "Summary", "make_report", "read_report", "write_report"]
