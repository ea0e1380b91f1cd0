"""The Ray executor gives the bytes of the local one, on one machine or two, and loses nothing when one goes away."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from symbench.errors import SymbenchError
from symbench.runner import AgentSource, Cell, execute, run
from symbench.suites import load_suite

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.suites import Suite

ray = pytest.importorskip("ray", reason="the extra [ray] is not installed")
from ray.cluster_utils import Cluster  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.skipif(sys.platform == "win32", reason="Ray's clusters of several nodes run on POSIX"),
]

TASK = "CartPole-v1"


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Two raylets of one CPU each; this process is connected to them."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    ray.init(address=made.address, log_to_driver=False)
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def mine(cell: Callable[..., Cell], sb3_that: Callable[[str], Path]) -> Callable[..., Cell]:
    """Makes cells of an agent that executes code in its worker."""

    def make(code: str, **fields: Any) -> Cell:
        path = sb3_that(code)
        path = path.rename(path.with_name(f"{fields['level']}.zip"))
        return cell(source=AgentSource(name="mine", kind="sb3", algorithm="ppo", path=str(path), trust=True), **fields)

    return make


def files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("cells/**/*.json")}


def test_a_cluster_that_is_lost_is_told_in_one_line(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lost(self: object, job: object) -> None:
        raise ray.exceptions.RaySystemError("Actor creation cancelled.")

    monkeypatch.setattr("symbench.runner.executors.ray.ActorLane.begin", lost)
    with pytest.raises(SymbenchError, match=r"^the Ray cluster was lost \(.*cancelled\.\); the same command goes on$"):
        run(load_suite("shuffle"), tmp_path, tasks=["CartPole-v1"], agents=["random"], episodes=2, executor="ray")


@pytest.mark.slow
def test_two_raylets_give_the_bytes_of_this_process(
    cluster: Cluster, suite: Suite, agents: dict[str, str], tmp_path: Path
) -> None:
    asked = {"tasks": [TASK], "agents": [agents["mlp"], agents["set"]]}
    run(suite, tmp_path / "local", **asked)  # type: ignore[arg-type]
    manifest = run(suite, tmp_path / "ray", **asked, workers=2, executor="ray")  # type: ignore[arg-type]
    assert not manifest.failed
    assert files(tmp_path / "ray") == files(tmp_path / "local") != {}


ONCE = """
import os, pathlib
died = pathlib.Path({folder!r}, "died")
if not died.exists():
    died.touch()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_crashes_hangs_and_errors_are_attributed_to_their_cells(
    cluster: Cluster, mine: Callable[..., Cell], cell: Callable[..., Cell], tmp_path: Path
) -> None:
    cells = [
        mine(ONCE.format(folder=str(tmp_path)), level="once"),
        mine("import os; os._exit(7)", level="always"),
        mine("import time; time.sleep(300)", level="hangs"),
        cell(source=AgentSource(name="missing", kind="zoo", path="nowhere"), level="missing"),
        *(cell(level=str(i)) for i in range(4)),
    ]
    outcomes = {outcome.cell.level: outcome for outcome in execute(cells, 2, executor="ray", timeout=30.0)}
    assert sorted(outcomes) == sorted(each.level for each in cells)
    failed = {level: outcome.error for level, outcome in outcomes.items() if outcome.record is None}
    assert sorted(failed) == ["always", "hangs", "missing"], failed
    assert "worker process died (" in failed["always"] and "tried a second time" in failed["always"]
    assert "took longer than 30 seconds" in failed["hangs"]
    assert "nowhere.json does not exist" in failed["missing"]
    assert all("\n" not in error for error in failed.values())


@pytest.mark.slow
def test_nothing_is_lost_with_a_worker_or_a_machine(
    cluster: Cluster, mine: Callable[..., Cell], cell: Callable[..., Cell], tmp_path: Path
) -> None:
    pids = f"import os, pathlib; pathlib.Path({str(tmp_path)!r}, str(os.getpid())).touch()"
    cells = [mine(pids, level="first"), *(cell(level=str(i), episodes=20) for i in range(12))]
    running = execute(cells, 2, executor="ray")
    outcomes = [next(running)]
    for path in tmp_path.iterdir():
        if path.name.isdigit():
            os.kill(int(path.name), signal.SIGKILL)
    outcomes.append(next(running))
    node = next(node for node in cluster.list_all_nodes() if node != cluster.head_node)
    threading.Thread(target=cluster.remove_node, args=(node,), kwargs={"allow_graceful": False}).start()
    outcomes += running
    assert [outcome.error for outcome in outcomes if outcome.record is None] == []
    assert len({outcome.cell.id for outcome in outcomes}) == len(cells)
