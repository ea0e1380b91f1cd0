"""The runner: plan, evaluate, store.

* :func:`run` - a suite from beginning to end, into a directory
* :class:`Shard`, :func:`merge` - a run in parts
* :func:`make_plan`, :class:`Plan`, :class:`Cell` - what would be evaluated
* :func:`evaluate`, :class:`Episodes` - one cell
* :class:`Store`, :class:`Record`, :func:`load_manifest` - what a run directory holds
"""

from symbench.runner.cell import AgentSource, Cell
from symbench.runner.evaluate import Episodes, evaluate
from symbench.runner.executors import Outcome, execute
from symbench.runner.manifest import Manifest, load_manifest
from symbench.runner.plan import Plan, Skipped
from symbench.runner.run_suite import make_plan, run
from symbench.runner.shards import Shard, merge
from symbench.runner.store import CorruptCell, Record, Store

__all__ = [
    "AgentSource",
    "Cell",
    "CorruptCell",
    "Episodes",
    "Manifest",
    "Outcome",
    "Plan",
    "Record",
    "Shard",
    "Skipped",
    "Store",
    "evaluate",
    "execute",
    "load_manifest",
    "make_plan",
    "merge",
    "run",
]
