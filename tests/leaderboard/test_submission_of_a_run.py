"""From a run to a submission, and back: what was submitted can be played again and compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from submission_cases import SUITE, TASK, Files, metadata, table

from symbench.errors import SymbenchError
from symbench.leaderboard.compare import compare
from symbench.leaderboard.submission import About, submit
from symbench.leaderboard.validate import Submission, read_submission
from symbench.leaderboard.verified import is_verified, read_verified
from symbench.leaderboard.verify import record, verify
from symbench.policies import MLPNetwork
from symbench.runner import Store, load_manifest, run
from symbench.runner.agents import resolve
from symbench.suites import load_suite
from symbench.zoo import load_card, save_agent

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = About("a small network", ["A. Name"], "MIT", "nothing", training_seeds=[7, 8], parameters=57)


@pytest.fixture(autouse=True)
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "tiny.toml").write_text(SUITE)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", tmp_path / "suites")


@pytest.fixture
def specs(tmp_path: Path) -> list[str]:
    """Two training runs of one agent, as they follow ``--agent``."""
    for seed in range(2):
        torch.manual_seed(seed)
        network = MLPNetwork(5, Box(-1, 1, (1,)), hidden=(8,))
        save_agent(network, tmp_path / "agents" / f"s{seed}", {"agent": "net"})
    return [f"net={tmp_path}/agents/s{seed}.json" for seed in range(2)]


@pytest.fixture
def run_dir(tmp_path: Path, specs: list[str]) -> Path:
    run(load_suite("tiny"), tmp_path / "run", tasks=[TASK], agents=specs)
    return tmp_path / "run"


def files(specs: list[str]) -> list[str]:
    return [spec.partition("=")[2] for spec in specs]


def test_a_submission_holds_the_numbers_of_the_run_bit_for_bit(run_dir: Path, tmp_path: Path) -> None:
    made = submit(run_dir, "mine", tmp_path / "out", ABOUT)
    records = Store(run_dir).records({id: hash for id, hash in load_manifest(run_dir).cells.items() if "/net/" in id})
    assert len(made.cells) == len(records) == 4
    for each in records:
        cell = made.cells[each.cell.task, each.cell.perturbation, each.cell.level, str(each.cell.run)]
        assert (cell.returns == each.episodes.returns).all()
        assert (cell.lengths == each.episodes.lengths).all()
        assert (cell.terminated == each.episodes.terminated).all()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"mine.csv", "mine.json"}


def test_what_was_said_and_what_was_recorded_stand_in_the_metadata(run_dir: Path, tmp_path: Path) -> None:
    card = submit(run_dir, "mine", tmp_path / "out", ABOUT).card
    assert (card.description, card.authors, card.licence) == ("a small network", ["A. Name"], "MIT")
    entry = card.tasks[TASK]
    assert [of.seed for of in entry.runs] == [7, 8] and entry.parameters == 57
    digests = {
        record.cell.run: record.cell.source.digest for record in Store(run_dir).records(load_manifest(run_dir).cells)
    }
    assert entry.runs[1].weights == digests[1] != entry.runs[0].weights
    assert (
        list(entry.cannot_act) == ["add-noise-channels/+5"] and "5 sensors" in entry.cannot_act["add-noise-channels/+5"]
    )
    assert card.suite == "tiny@2" and {"numpy", "torch"} <= card.machines[0].packages.keys()
    assert str(tmp_path) not in (tmp_path / "out" / "mine.json").read_text()


def test_random_play_needs_no_files(run_dir: Path, tmp_path: Path) -> None:
    about = About("uniform actions", ["A. Name"], "MIT", "nothing")
    card = submit(run_dir, "random", tmp_path / "out", about, "random").card
    assert card.tasks[TASK].parameters == 0 and card.tasks[TASK].runs[0].weights is None


@pytest.mark.slow
def test_of_a_bundled_agent_its_card_says_the_rest(tmp_path: Path) -> None:
    run(load_suite("tiny"), tmp_path / "run", tasks=[TASK], agents=["mlp"])
    about = About("the bundled network", ["A. Name"], "MIT", "the task in order")
    entry = submit(tmp_path / "run", "mlp", tmp_path / "out", about).card.tasks[TASK]
    cards = [load_card(source.path) for source in resolve(["mlp"], TASK) if source.path]
    assert [of.seed for of in entry.runs] == [card["seed"] for card in cards] and len(cards) > 1
    assert entry.parameters == max(card["parameters"] for card in cards)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "../mine"}, "--name: a name holds a-z"),
        ({"agent": "nett"}, "unknown agent 'nett' in .*did you mean 'net'"),
        ({"about": {"training_seeds": [1]}}, "--training-seed: 2 are expected, one a training run, received 1"),
        ({"about": {"training_seeds": [1, 1]}}, "two training runs have the same seed"),
        ({"about": {"parameters": None}}, "--parameters N"),
        ({"about": {"licence": "=1"}}, "licence: .*received '=1'"),
        ({"about": {"description": "+1"}}, "would take it for a formula, received '\\+1'"),
        ({"about": {"paper": "ftp://x"}}, "paper: .*received 'ftp://x'"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing_behind(
    run_dir: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    about = About(**{**vars(ABOUT), **changes.pop("about", {})})
    with pytest.raises(SymbenchError, match=message):
        submit(run_dir, **{"name": "mine", "out": tmp_path / "out", "about": about, **changes})
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_submission_is_never_overwritten(run_dir: Path, tmp_path: Path) -> None:
    submit(run_dir, "mine", tmp_path / "out", ABOUT)
    before = (tmp_path / "out" / "mine.json").read_bytes()
    with pytest.raises(SymbenchError, match=r"mine\.csv exists; delete it"):
        submit(run_dir, "mine", tmp_path / "out", ABOUT)
    assert (tmp_path / "out" / "mine.json").read_bytes() == before


def test_an_unfinished_run_is_no_submission(run_dir: Path, tmp_path: Path) -> None:
    next(run_dir.glob("cells/*/none/in-order/net/s1.json")).unlink()
    with pytest.raises(SymbenchError, match=r"1 cells are missing, the first is tiny@2.*/net/s1; finish the run"):
        submit(run_dir, "mine", tmp_path / "out", ABOUT)


def test_a_reduced_run_is_no_submission(tmp_path: Path, specs: list[str]) -> None:
    run(load_suite("tiny"), tmp_path / "few", tasks=[TASK], agents=specs, episodes=2)
    with pytest.raises(SymbenchError, match="has 2 episodes; a submission has 3 a cell"):
        submit(tmp_path / "few", "mine", tmp_path / "out", ABOUT)


def test_a_suite_of_ones_own_under_a_bundled_name_is_no_submission(run_dir: Path, tmp_path: Path) -> None:
    suite = tmp_path / "suites" / "tiny.toml"
    suite.write_text(suite.read_text().replace("seed = 100", "seed = 200"))
    with pytest.raises(SymbenchError, match="another tiny@2 than the bundled one"):
        submit(run_dir, "mine", tmp_path / "out", ABOUT)


def test_what_was_submitted_is_what_comes_out_again(run_dir: Path, tmp_path: Path, specs: list[str]) -> None:
    made = submit(run_dir, "mine", tmp_path / "out", ABOUT)
    found = verify(made, files(specs), cells=99)
    assert [each.cell for each in found.comparisons] == [
        f"tiny@2/{TASK}/{condition}/mine/s{run}"
        for condition in ("none/in-order", "shuffle-sensors/per-episode")
        for run in (0, 1)
    ]
    assert found.problems == [] and found.alike and found.confidence == 1
    assert all(not each.problem and each.difference == 0 and each.identical == 1 for each in found.comparisons)
    assert found.fresh[0].cell == f"tiny@2/{TASK}/none/in-order/mine/s0" and len(found.fresh) == 4


@pytest.mark.slow
def test_the_cells_are_drawn_by_the_seed(run_dir: Path, tmp_path: Path, specs: list[str]) -> None:
    made = submit(run_dir, "mine", tmp_path / "out", ABOUT)
    found = [verify(made, files(specs), cells=2, seed=seed) for seed in (1, 1, 2, 3, 4)]
    drawn = [tuple(each.cell for each in one.comparisons) for one in found]
    assert drawn[0] == drawn[1] and len(set(drawn)) > 1
    assert len({one.fresh_key for one in found}) == 5, "nobody says which seeds are fresh"


@pytest.mark.slow
def test_numbers_do_not_depend_on_the_number_of_processes(run_dir: Path, tmp_path: Path, specs: list[str]) -> None:
    made = submit(run_dir, "mine", tmp_path / "out", ABOUT)
    found = [verify(made, files(specs), cells=99, workers=workers) for workers in (1, 2)]
    assert found[0].comparisons == found[1].comparisons and found[1].problems == []


def edited(path: Path, factor: float) -> Submission:
    """The submission with better numbers than were measured."""
    lines = path.read_text().split("\n")
    rows = [line.split(",") for line in lines[1:-1]]
    better = [",".join([*row[:5], repr(min(float(row[5]) * factor, int(row[6]))), *row[6:]]) for row in rows]
    path.write_text("\n".join([lines[0], *better, ""]))
    return read_submission(path)


def test_numbers_that_were_made_up_are_found(run_dir: Path, tmp_path: Path, specs: list[str]) -> None:
    submit(run_dir, "mine", tmp_path / "out", ABOUT)
    lies = edited(tmp_path / "out" / "mine.csv", 1000)
    found = verify(lies, files(specs), cells=99)
    assert all(each.problem for each in found.comparisons)
    with pytest.raises(SymbenchError, match="must be the same to the last bit: nothing was recorded"):
        record(tmp_path / "verified.json", lies, found)
    assert not (tmp_path / "verified.json").exists()


def test_other_weights_are_refused_before_anything_is_played(run_dir: Path, tmp_path: Path, specs: list[str]) -> None:
    made = submit(run_dir, "mine", tmp_path / "out", ABOUT)
    with pytest.raises(SymbenchError, match="none of the files given is training run 1 of 'mine'"):
        verify(made, files(specs)[:1])
    with pytest.raises(SymbenchError, match="cells must be at least 1, received 0"):
        verify(made, files(specs), cells=0)


def test_a_verification_is_bound_to_the_bytes(run_dir: Path, tmp_path: Path, specs: list[str]) -> None:
    made = submit(run_dir, "mine", tmp_path / "out", ABOUT)
    found = verify(made, files(specs))
    record(tmp_path / "verified.json", made, found)
    known = read_verified(tmp_path / "verified.json")
    entry = known["mine"]
    assert entry.digest == made.digest and (len(entry.cells), entry.of, entry.confidence) == (4, 4, 1)
    assert (entry.difference, entry.identical) == (0, 1)
    assert (entry.fresh_key, entry.fresh_cells) == (found.fresh_key, [each.cell for each in found.fresh])
    assert is_verified(made, known)
    assert not is_verified(edited(tmp_path / "out" / "mine.csv", 0.5), known)


def submission(folder: Path, name: str, runs: int, keep: float, seed: int, **changes: Any) -> Submission:
    card = metadata(name, runs, **changes)
    return read_submission(Files(card, table(card, seed, keep), name).write(folder))


def test_two_submissions_are_compared_condition_by_condition(tmp_path: Path) -> None:
    strong, weak = submission(tmp_path, "a", 5, 0.9, 1), submission(tmp_path, "b", 6, 0.1, 2)
    rows = {row.condition: row for row in compare(strong, weak)}
    assert list(rows) == ["none/in-order", "shuffle-sensors/per-episode", "add-noise-channels/+5"]
    shuffled = rows["shuffle-sensors/per-episode"]
    returns = [each.returns(TASK, "shuffle-sensors/per-episode") for each in (strong, weak)]
    assert shuffled.difference.value == pytest.approx(np.mean(returns[0]) - np.mean(returns[1]))
    assert shuffled.difference.low > 0 and shuffled.improvement.value == 1 and shuffled.better == 1
    assert shuffled.over == "runs and episodes"
    assert shuffled.p == 2 / 2**3, "three episodes: all eight ways to swap them, of which two differ so much"
    assert shuffled.improvement.low == pytest.approx(0.67, abs=0.01)
    back = {row.condition: row for row in compare(weak, strong)}
    assert back["none/in-order"].difference.value == pytest.approx(-rows["none/in-order"].difference.value)


@pytest.mark.parametrize(("ours", "theirs"), [(5, 4), (4, 5)])
def test_the_side_with_fewer_runs_decides_what_an_interval_is_over(tmp_path: Path, ours: int, theirs: int) -> None:
    pair = submission(tmp_path, "a", ours, 0.9, 1), submission(tmp_path, "b", theirs, 0.1, 2)
    assert {row.over for row in compare(*pair)} == {"episodes"}


def test_an_agent_is_no_better_than_itself(tmp_path: Path) -> None:
    mine = submission(tmp_path, "a", 1, 0.5, 1)
    for row in compare(mine, mine):
        assert row.difference == (0, 0, 0) and row.better == 0.5 and row.improvement.value == 0.5
        assert row.over == "episodes" and row.p == 1


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    mine = submission(tmp_path, "a", 1, 0.5, 1)
    other = submission(tmp_path, "b", 1, 0.5, 1, task="CartPole-v1")
    with pytest.raises(SymbenchError, match=f"a and b have no task in common: {TASK} and CartPole-v1"):
        compare(mine, other)
    suite = (tmp_path / "suites" / "tiny.toml").read_text()
    (tmp_path / "suites" / "tiny@1.toml").write_text(suite.replace("version = 2", "version = 1"))
    with pytest.raises(SymbenchError, match="only submissions of one suite compare: tiny@2 and tiny@1"):
        compare(mine, submission(tmp_path, "c", 1, 0.5, 1, suite="tiny@1"))


def test_metadata_read_well(run_dir: Path, tmp_path: Path) -> None:
    submit(run_dir, "mine", tmp_path / "out", ABOUT)
    text = (tmp_path / "out" / "mine.json").read_text()
    assert text.endswith("}\n") and json.loads(text)["format"] == 3 and '\n  "name": "mine"' in text
