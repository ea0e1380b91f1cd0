"""Evaluation from Python: what ``symbench run`` does, for objects, as a data frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError
from symbench.leaderboard.frame import leaderboard_frame
from symbench.leaderboard.report import write_report
from symbench.runner import load_manifest, run
from symbench.runner.agent_digests import digest_of
from symbench.runner.agent_objects import Held
from symbench.runner.cell import AgentSource
from symbench.suites import Suite, load_suite

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from symbench.leaderboard import Row


def evaluate(
    agent: Any,
    task: str | Sequence[str] | None = None,
    suite: str | Path | Suite = "shuffle",
    *,
    episodes: int | None = None,
    trust: bool = False,
    baseline: bool = False,
    out: str | Path | None = None,
    workers: int = 1,
) -> pd.DataFrame:
    """Play agents under the perturbations of a suite; the numbers are those of ``symbench run``.

    Args:
        agent: A model of Stable-Baselines3, an agent or network of symbench, a torch module, a function of an
            observation, an object with ``act(observation)``, or what may follow ``--agent``; a list of these; or a dict
            from names to these, in which a list is several training runs of one agent. Objects are not changed.
        task: Name of a task, or several; ``None`` takes those that the suite plays by default.
        suite: A bundled suite, the file of one, or one itself.
        episodes: Episodes of each cell instead of the protocol's number.
        trust: Whether code of agents that are given by text may be executed (SB3 zips, ``module:Name``).
        baseline: Whether a bundled agent plays beside them, as ``symbench run`` adds one.
        out: A run directory, in which all is kept and resumed; ``None`` keeps nothing.
        workers: Number of processes for agents that are given by text. Those that bring code of their own
            (``"ppo:mine.zip"``, ``"my_nets:Tiny"``) always play in one, so a script calls this under
            ``if __name__ == "__main__":``. Objects play in this process.

    Returns:
        One line for each task, condition and agent, random play last, with the columns of ``leaderboard.csv``: among
        them ``perturbation``, ``severity``, ``agent``, ``mean``, ``std``, ``iqm`` and ``retention`` with their
        intervals, and ``note``, which says why a line has no numbers.

    Raises:
        SymbenchError: Something that was asked is wrong, or all cells of the agents failed.

    Example:
        >>> scores = evaluate(lambda pole: int(pole[2] > 0), "CartPole-v1", episodes=10)
        >>> scores[["agent", "severity"]].head(2).values.tolist()
        [['lambda', 'in-order'], ['random', 'in-order']]
    """
    if out is None:
        with TemporaryDirectory(prefix="symbench-") as folder:
            return evaluate(
                agent, task, suite, episodes=episodes, trust=trust, baseline=baseline, out=folder, workers=workers
            )
    _check_count(episodes)
    loaded = load_suite(str(suite)) if isinstance(suite, (str, Path)) else suite
    if not isinstance(loaded, Suite):
        raise SymbenchError(f"suite: a name, a file or a Suite is expected, received {type(suite).__name__}")
    if not (sources := _sources(agent)):
        raise SymbenchError("agent: at least one is expected, received none")
    tasks = _names(task)
    directory = Path(out)
    for objects in (False, True):  # objects do not leave this process
        if some := [source for source in sources if isinstance(source, AgentSource) is objects]:
            run(
                loaded,
                directory,
                tasks=tasks,
                agents=some,
                trust=trust,
                baseline=baseline,
                episodes=episodes,
                workers=1 if objects else workers,
                command="symbench.evaluate",
            )
    report, failed = write_report(directory), load_manifest(directory).failed
    if failed and not any(row.runs for row in report.rows if row.agent != "random"):
        raise SymbenchError(next(iter(failed.values())))
    return leaderboard_frame(_random_last(report.rows))


def _check_count(episodes: Any) -> None:
    if episodes is not None and not (isinstance(episodes, Integral) and int(episodes) > 0):
        raise SymbenchError(f"episodes must be a whole number from 1 on, or None, received {episodes!r}")


def _names(task: Any) -> list[str]:
    tasks = [] if task is None else list(task) if isinstance(task, (list, tuple)) else [task]
    for each in tasks:
        if not isinstance(each, str):
            raise SymbenchError(
                f"task: a name is expected, e.g. 'CartPole-v1', or 'my_envs:Walk-v0' for what my_envs registers; "
                f"received {type(each).__name__}"
            )
    return tasks


def _random_last(rows: Sequence[Row]) -> list[Row]:
    """Rows in their order, but with random play at the end of each condition."""
    places = {where: place for place, where in enumerate(dict.fromkeys((row.task, row.condition.id) for row in rows))}
    return sorted(rows, key=lambda row: (places[row.task, row.condition.id], row.agent == "random"))


def _sources(agent: Any) -> list[str | AgentSource]:
    """What :func:`symbench.runner.run_suite` takes: texts as they are, and objects with a name."""
    if isinstance(agent, Mapping):
        runs = {str(name): each if isinstance(each, (list, tuple)) else [each] for name, each in agent.items()}
        return [_source(each, name, run) for name, these in runs.items() for run, each in enumerate(these)]
    several = list(agent) if isinstance(agent, (list, tuple)) else [agent]
    names = [None if isinstance(each, str) else _name_of(each) for each in several]
    repeated = [name if name is None or names.count(name) == 1 else f"{name}-{i}" for i, name in enumerate(names)]
    return [_source(each, name) for each, name in zip(several, repeated, strict=True)]


def _source(agent: Any, name: str | None, run: int = 0) -> str | AgentSource:
    if isinstance(agent, str):
        return agent if name is None else f"{name}={agent}"
    return AgentSource(name=name or "agent", run=run, kind="object", digest=digest_of(agent), held=Held(agent))


def _name_of(thing: Any) -> str:
    """The name of a function, class or agent, otherwise that of its class."""
    name = getattr(thing, "name", None) or getattr(thing, "__name__", None) or type(thing).__name__
    return re.sub(r"[^A-Za-z0-9]+", "-", str(name)).strip("-") or "agent"
