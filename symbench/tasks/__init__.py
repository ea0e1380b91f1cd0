"""Tasks: everything that is known of one, in one file per family.

* :func:`get_task` - by name; any id of Gymnasium is a task
* :func:`register_task` - a task of one's own
* :class:`Task`, :class:`Metric`, :class:`GapMetric`, :class:`Limits` - what is known of it
"""

from symbench.tasks.base import Task
from symbench.tasks.limits import Limits
from symbench.tasks.metrics import GapMetric, Metric
from symbench.tasks.registry import TASKS, get_task, register_task, tasks

__all__ = ["TASKS", "GapMetric", "Limits", "Metric", "Task", "get_task", "register_task", "tasks"]
