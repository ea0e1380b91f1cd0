"""A run from beginning to end: resolve agents, plan, evaluate what is missing, store."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from symbench.errors import NOTHING_KEPT, SymbenchError
from symbench.runner.agents import RANDOM, resolve, tasks_of, tensors_of
from symbench.runner.cell_id import CellId
from symbench.runner.executors import check, execute
from symbench.runner.manifest import Invocation, Manifest, load_manifest
from symbench.runner.plan import QUICK_EPISODES, Plan, plan
from symbench.runner.provenance import environment
from symbench.runner.random_return import NoTimeLimit, Progress, RandomReturn, measure_random
from symbench.runner.store import Store
from symbench.suites.suite import check_file_name
from symbench.tasks import get_task

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from symbench.runner.cell import AgentSource, Cell
    from symbench.runner.executors import Outcome
    from symbench.runner.random_return import Play
    from symbench.runner.shards import Shard
    from symbench.suites import Suite

# run.json is saved after every cell, unless that takes more seconds than this: then between two savings passes so many
# times what one takes.
_QUICK, _SAVING = 0.05, 20


def run(
    suite: Suite,
    out: Path,
    *,
    tasks: Sequence[str] = (),
    agents: Sequence[str | AgentSource] = (),
    trust: bool = False,
    baseline: bool = False,
    episodes: int | None = None,
    quick: bool = False,
    workers: int = 1,
    executor: str = "local",
    timeout: float | None = None,
    shard: Shard | None = None,
    resume: bool = True,
    command: str = "symbench.runner.run",
    progress: Progress = lambda outcome, total: None,
) -> Manifest:
    """Evaluate a suite and keep every cell in a directory.

    Cells that the directory already holds are not evaluated again; agents of earlier calls stay in its tables. If an
    agent of an earlier call is now another one, or plays other episodes, nothing of the earlier one stays in them.

    Args:
        suite: What to play.
        out: The run directory; made if it is missing.
        tasks: Names of tasks; none takes those for which the agents were trained, if it shows, and otherwise those
            that the suite plays by default (all for which agents are bundled).
        agents: See :func:`symbench.runner.agents.resolve`; none takes all bundled ones. ``random`` always
            plays too.
        trust: Whether code of agents may be executed, such as that in SB3 zips.
        baseline: Whether a bundled agent plays beside agents of which none is bundled: the one that the suite compares
            with, or ``mlp``, where there is one.
        episodes: Episodes a cell instead of the protocol's number.
        quick: Play at most 50 episodes a cell.
        workers: Number of processes. Numbers do not depend on it.
        executor: Where they are; see :func:`symbench.runner.executors.execute`.
        timeout: Seconds that a batch of episodes may take; see the same.
        shard: Which part of the cells is evaluated; none evaluates all. What ``run.json`` plans is the whole.
        resume: Whether cells that exist are kept; otherwise they are evaluated again.
        command: Recorded in ``run.json``.
        progress: Called with each outcome and the number of them; ``None`` announces the cells, a text what is played
            before them.

    Returns:
        What ``run.json`` holds; ``failed`` names the cells that went wrong.

    Raises:
        SymbenchError: Something that was asked is wrong, or another process is writing into the directory; nothing
            has been evaluated.
        KeyboardInterrupt: Ctrl-C; the message says how many cells are done.
    """
    started, clock = datetime.now().astimezone().isoformat(timespec="seconds"), time.perf_counter()
    check(workers, executor, timeout)
    planned = make_plan(
        suite, tasks=tasks, agents=agents, trust=trust, baseline=baseline, episodes=episodes, quick=quick
    )
    store = Store(out)
    store.prepare()
    with store.lock():
        manifest = _manifest(store, suite, planned)
        # What run.json names already is there, or was to replace what is there.
        known = {cell.id for cell in planned.cells if manifest.cells.get(cell.id) == cell.spec_hash}
        missing = [cell for cell in planned.cells if not (resume and store.holds(cell, replacing=cell.id in known))]
        share = planned.cells if shard is None else shard.of(planned.cells)
        absent = {cell.id for cell in missing}
        todo = [cell for cell in share if cell.id in absent]
        outcomes = execute(todo, workers, set(manifest.failed), executor=executor, timeout=timeout)
        play = partial(execute, workers=workers, timeout=timeout)
        _announce(manifest, planned, missing, _random_returns(manifest, planned, trust, store, play, progress))
        store.make_room(todo)
        played = tuple(dict.fromkeys(cell.task for cell in planned.cells))
        call = Invocation(command=command, started=started, tasks=played, environment=environment(workers))
        manifest.invocations.append(call)
        manifest.save(store)
        try:
            progress(None, len(todo))
            _keep(outcomes, len(todo), store, manifest, progress)
        except KeyboardInterrupt:
            done = len(share) - len(todo) + call.evaluated
            raise KeyboardInterrupt(f"{done} of {len(share)} cells are done" if done else NOTHING_KEPT) from None
        finally:
            call.seconds = round(time.perf_counter() - clock, 1)
            manifest.save(store)
    return manifest


def make_plan(
    suite: Suite,
    *,
    tasks: Sequence[str] = (),
    agents: Sequence[str | AgentSource] = (),
    trust: bool = False,
    baseline: bool = False,
    episodes: int | None = None,
    quick: bool = False,
) -> Plan:
    """The cells that :func:`run` would evaluate; the arguments are the same.

    Raises:
        SymbenchError: Something that was asked is wrong.
    """
    if episodes is not None and episodes < 1:
        raise SymbenchError(f"episodes must be at least 1, received {episodes}")
    if quick and episodes is not None:
        raise SymbenchError("quick has its own number of episodes: give either --quick or --episodes")
    asked = list(tasks) or tasks_of(agents) or list(suite.played) or _tasks_with_agents(suite)
    if not tasks and not agents:
        _check_installed(asked)
    names = dict.fromkeys(get_task(task, trust).name for task in asked)
    beside = suite.compare_with or "mlp" if baseline else None
    suite = suite.trusting(trust)
    players = {task: _resolve(task, agents, trust, beside) for task in names}
    return plan(suite, players, QUICK_EPISODES if quick else episodes, trust)


def _resolve(task: str, agents: Sequence[str | AgentSource], trust: bool, beside: str | None) -> list[AgentSource]:
    sources = resolve(agents, task, trust)
    sources = _with_baseline(sources, task, beside) if beside else sources
    for source in sources:
        try:
            check_file_name(source.name)
        except ValueError as error:
            raise SymbenchError(f"{error}; name the agent otherwise: --agent NAME=...") from error
    return sources


def _with_baseline(sources: list[AgentSource], task: str, beside: str) -> list[AgentSource]:
    """The same and a bundled agent, if all that play but ``random`` are the user's own."""
    from symbench.zoo import bundled

    known = bundled(task)
    files = {str(path) for runs in known.values() for path in runs}
    own = [source for source in sources if source != RANDOM]
    name = next((name for name in (beside, "mlp", *known) if name in known), None)
    if name is None or not own or any(source.name == name or source.path in files for source in own):
        return sources
    return [*own, *resolve([name], task)]


def _tasks_with_agents(suite: Suite) -> list[str]:
    from symbench.zoo import bundled, not_installed

    names = [task for task in suite.tasks if task in suite.constants or bundled(task) or not_installed(task)]
    if not names:
        raise SymbenchError(f"no agent is bundled for a task of {suite.tag}; choose a task: {', '.join(suite.tasks)}")
    return names


def _check_installed(tasks: Sequence[str]) -> None:
    """Of tasks that nobody named, all must have their agents here: what to do where some do not."""
    from symbench.zoo import not_installed

    here = " ".join(f"--task {task}" for task in tasks if not not_installed(task))
    for missing in filter(None, map(not_installed, tasks)):
        raise SymbenchError(f"{missing}; or play those whose agents are here: {here}" if here else missing)


def _manifest(store: Store, suite: Suite, planned: Plan) -> Manifest:
    """The directory's manifest, without what the plan replaces."""
    manifest = load_manifest(store.directory) if store.manifest.exists() else Manifest(suite=suite)
    if manifest.suite.protocol != suite.protocol:
        raise SymbenchError(
            f"{str(store.directory)!r} holds a run of {manifest.suite.tag}"
            f"{' with other content' if manifest.suite.tag == suite.tag else ''}; give another --out"
        )
    manifest.suite = suite  # tasks may have joined
    manifest.forget_changed(planned.cells)
    _check_mixture(store, manifest, planned)
    return manifest


def _random_returns(
    manifest: Manifest, planned: Plan, trust: bool, store: Store, play: Play, progress: Progress
) -> dict[str, RandomReturn | SymbenchError]:
    """What random play reaches, or why that is not known, in the tasks that have no constant."""
    found: dict[str, RandomReturn | SymbenchError] = {}
    for task in dict.fromkeys(cell.task for cell in planned.cells):
        if manifest.suite.metric_of(get_task(task, trust)).random_return is None:
            try:
                found[task] = measure_random(task, store.directory, trust, play=play, progress=progress)
            except NoTimeLimit:  # nor would its cells ever end
                raise
            except SymbenchError as error:  # its cells will fail, too; those of other tasks need not
                found[task] = error
    return found


def _announce(
    manifest: Manifest, planned: Plan, todo: Sequence[Cell], measured: Mapping[str, RandomReturn | SymbenchError]
) -> None:
    """Add a plan to the manifest. What failed before counts as failed until it has been played."""
    for task in dict.fromkeys(cell.task for cell in planned.cells):
        manifest.add_task(task, measured.get(task))
    manifest.cells.update((cell.id, cell.spec_hash) for cell in planned.cells)
    for cell in set(planned.cells).difference(todo):
        manifest.failed.pop(cell.id, None)
    manifest.skipped.update((skipped.id, skipped.reason) for skipped in planned.skipped)
    manifest.redundant.update(planned.redundant)
    for digest, source in {cell.source.digest: cell.source for cell in planned.cells}.items():
        with suppress(SymbenchError):  # a file that cannot be read: its cells say so
            if digest and (tensors := tensors_of(source)):
                manifest.tensors[digest] = tensors


def _check_mixture(store: Store, manifest: Manifest, planned: Plan) -> None:
    """No table may mix agents that played different numbers of episodes, or an environment that was another."""
    asked = {cell.task: cell for cell in planned.cells}
    others = {id: hash for id, hash in manifest.cells.items() if CellId.parse(id).task in asked}
    for cell in planned.cells:
        others.pop(cell.id, None)
    for there in (record.cell for record in store.records(others)):
        cell = asked[there.task]
        holds = f"{str(store.directory)!r} holds"
        if there.episodes != cell.episodes:
            raise SymbenchError(
                f"{holds} {there.episodes} episodes of {there.agent} in {there.task}, asked {cell.episodes}: "
                "give another --out or the same --episodes, or all agents and --no-resume"
            )
        if there.code != cell.code:
            raise SymbenchError(
                f"{holds} {there.agent} in {there.task} as it was before its code changed: "
                "give another --out, or all agents and --no-resume"
            )


def _keep(
    outcomes: Generator[Outcome, None, None], total: int, store: Store, manifest: Manifest, progress: Progress
) -> None:
    """Store each outcome as it comes."""
    saved = 0.0, 0.0
    with closing(outcomes):
        for outcome in outcomes:
            if outcome.record is None:
                manifest.failed[outcome.cell.id] = outcome.error
            else:
                store.write(outcome.record)
                manifest.failed.pop(outcome.cell.id, None)
                manifest.add_outside(outcome.record)
                manifest.invocations[-1].evaluated += 1
            saved = _save_now_and_then(manifest, store, saved)
            progress(outcome, total)


def _save_now_and_then(manifest: Manifest, store: Store, saved: tuple[float, float]) -> tuple[float, float]:
    """Save, if that takes a small part of the time only: nothing can be done when the process is killed.

    Args:
        manifest: What is saved.
        store: Where.
        saved: When it was saved last, and how long that took, in seconds.
    """
    begin = time.perf_counter()
    if saved[1] > _QUICK and begin - saved[0] < _SAVING * saved[1]:
        return saved
    manifest.save(store)
    return begin, time.perf_counter() - begin
