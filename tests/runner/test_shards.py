"""A run in parts is the same as the whole, and parts that do not belong together are not merged."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from symbench.errors import SymbenchError
from symbench.runner import Manifest, Store, load_manifest, run
from symbench.runner.cell import digest_of
from symbench.runner.shards import Shard, merge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from symbench.suites import Suite

TASK = "CartPole-v1"
PARTS = 3


def cells(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("cells/**/*.json")}


@pytest.fixture
def play(suite: Suite, agents: dict[str, str]) -> Callable[..., Manifest]:
    return lambda out, **options: run(suite, out, tasks=[TASK], **{"agents": [agents["mlp"], agents["set"]], **options})


@pytest.fixture
def parts(play: Callable[..., Manifest], tmp_path: Path) -> list[Path]:
    """The directories of a run in three parts."""
    folders = [tmp_path / f"part{number}" for number in range(1, PARTS + 1)]
    for number, folder in enumerate(folders, 1):
        play(folder, shard=Shard(number, PARTS))
    return folders


def test_parts_are_of_equal_size_and_make_the_whole(
    play: Callable[..., Manifest], parts: list[Path], tmp_path: Path
) -> None:
    whole = play(tmp_path / "whole")
    sizes = [len(cells(folder)) for folder in parts]
    assert sum(sizes) == len(whole.cells) == 8 and max(sizes) - min(sizes) <= 1
    merged = merge(tmp_path / "merged", parts)
    assert cells(tmp_path / "merged") == cells(tmp_path / "whole")
    assert list(merged.cells.items()) == list(whole.cells.items())
    assert merged.skipped == whole.skipped and merged.tasks == whole.tasks and not merged.failed
    assert len(merged.invocations) == PARTS
    assert load_manifest(tmp_path / "merged") == merged


def test_parts_are_merged_one_after_the_other_or_twice(parts: list[Path], tmp_path: Path) -> None:
    for folder in [*parts, parts[0]]:
        merge(tmp_path / "merged", [folder])
    assert len(cells(tmp_path / "merged")) == 8


def test_a_run_goes_on_where_merged_parts_end(play: Callable[..., Manifest], parts: list[Path], tmp_path: Path) -> None:
    merge(tmp_path / "merged", parts[:2])
    played = len(cells(tmp_path / "merged"))
    assert play(tmp_path / "merged").invocations[-1].evaluated == 8 - played > 0


def test_parts_of_other_agents_are_refused(
    play: Callable[..., Manifest], parts: list[Path], agents: dict[str, str], tmp_path: Path
) -> None:
    other = "mlp=" + agents["set"].partition("=")[2]
    play(tmp_path / "other", agents=[other, agents["set"]], shard=Shard(1, PARTS))
    with pytest.raises(SymbenchError, match="differ in another agent or number of episodes in tiny@3/CartPole-v1"):
        merge(tmp_path / "merged", [parts[1], tmp_path / "other"])
    assert not cells(tmp_path / "merged") and not Store(tmp_path / "merged").manifest.exists()


def test_parts_of_other_suites_are_refused(
    play: Callable[..., Manifest], parts: list[Path], suite: Suite, agents: dict[str, str], tmp_path: Path
) -> None:
    run(suite.model_copy(update={"seed": 7}), tmp_path / "other", tasks=[TASK], agents=[agents["mlp"]])
    with pytest.raises(SymbenchError, match="one is of tiny@3, the other of another tiny@3"):
        merge(tmp_path / "merged", [parts[0], tmp_path / "other"])


def change(path: Path, honest: bool) -> None:
    data = json.loads(path.read_text())
    data["episodes"]["return"][0] += 1.0
    if honest:
        del data["checksum"]
        data["checksum"] = digest_of(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("honest", "message"), [(True, "hold different numbers of tiny@3"), (False, "was changed after it was written")]
)
def test_no_number_is_chosen_among_two(parts: list[Path], tmp_path: Path, honest: bool, message: str) -> None:
    shutil.copytree(parts[0], tmp_path / "copy")
    change(next((tmp_path / "copy").glob("cells/**/*.json")), honest)
    with pytest.raises(SymbenchError, match=message):
        merge(tmp_path / "merged", [parts[0], tmp_path / "copy"])
    assert not cells(tmp_path / "merged")


def test_what_failed_in_one_part_and_is_in_another_has_not_failed(parts: list[Path], tmp_path: Path) -> None:
    manifest = load_manifest(parts[0])
    there = next(iter(Store(parts[1]).each(manifest.cells))).cell.id
    manifest.failed[there] = "no memory"
    manifest.save(Store(parts[0]))
    assert merge(tmp_path / "merged", parts).failed == {}


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "-1/3", "1/0", "1/3/5", "", "\u0661/\u0663"])
def test_a_shard_is_a_number_and_how_many_there_are(text: str) -> None:
    with pytest.raises(SymbenchError, match=r"a shard is a number from 1 .* e\.g\. 3/16; received"):
        Shard.parse(text)


@pytest.mark.parametrize("count", [1, 2, 7, 100])
def test_every_cell_is_in_one_shard(cell: Callable[..., Any], count: int) -> None:
    asked = [cell(level=str(level)) for level in range(20)]
    shares = [Shard(number, count).of(asked) for number in range(1, count + 1)]
    assert sorted(each.id for share in shares for each in share) == sorted(each.id for each in asked)
    assert shares[0] == Shard.parse(f"1/{count}").of(list(reversed(asked)))[::-1]
