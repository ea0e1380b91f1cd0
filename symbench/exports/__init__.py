r"""The tables of a run for papers and for others: LaTeX, one page of HTML, CSV.

* :func:`latex` - a tabular with booktabs, ready for ``\input``
* :func:`page` - one self-contained page with tables and figures
* :data:`FORMS`, :func:`write_export` - these and CSV by the ending of a file
"""

from symbench.exports.latex import latex
from symbench.exports.page import page
from symbench.exports.write_export import FORMS, write_export

__all__ = ["FORMS", "latex", "page", "write_export"]
