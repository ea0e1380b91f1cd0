"""Suites: which tasks are played under which perturbations, as data.

* :func:`load_suite` - a bundled suite by name, or a TOML file of one's own
* :func:`bundled_suites` - the names of the bundled ones
* :class:`Suite`, :class:`Perturbation`, :class:`Apply` - what a suite is made of
"""

from symbench.suites.loader import bundled_suites, load_suite, parse_suite
from symbench.suites.suite import Apply, Perturbation, Suite

__all__ = ["Apply", "Perturbation", "Suite", "bundled_suites", "load_suite", "parse_suite"]
