"""Figures of runs as a paper prints them: of one width, in colours for every eye, with fonts embedded.

Each kind takes a data frame and axes and returns the axes; :func:`figure` puts several tasks beside each other with one
legend, and :func:`save` writes PDF, SVG or PNG, the same bytes for the same data. Needs ``pip install
'symbench[pictures]'``.

* :func:`retention` - what is left of the clean score at rising severity; of ``symbench.load(run)``
* :func:`bars` - the score under each condition; of the same
* :func:`profile` - performance profiles of retention; of ``symbench.load(run, per="run")``
* :func:`training` - returns while agents train; of :func:`symbench.training.curve_logs.read_curve_logs`

Example:
    >>> frame = symbench.load("runs/shuffle")  # doctest: +SKIP
    >>> symbench.plot.save(symbench.plot.figure(frame, "retention"), "fig.pdf")  # doctest: +SKIP
"""

from symbench.plot.bars import bars
from symbench.plot.multiples import KINDS, caption, default_kind, figure
from symbench.plot.panels import select
from symbench.plot.profile import profile
from symbench.plot.retention import retention
from symbench.plot.save import FORMATS, save
from symbench.plot.training import training

__all__ = [
    "FORMATS",
    "KINDS",
    "bars",
    "caption",
    "default_kind",
    "figure",
    "profile",
    "retention",
    "save",
    "select",
    "training",
]
