"""Attack: one training run, counted as five. Hashes are of tensors, not of bytes, and episodes give clones away."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from attack_cases import SUITE, TASK, Files, board_of, complaints, copied, hashed, metadata, small_suite, table
from gymnasium.spaces import Box
from safetensors.torch import load_file, save_file

from symbench import evaluate
from symbench.errors import SymbenchError
from symbench.leaderboard.board import normalised
from symbench.leaderboard.submission import About, submit
from symbench.leaderboard.validate import Submission, read_submission
from symbench.leaderboard.verify import verify
from symbench.policies import MLPNetwork
from symbench.runner import run
from symbench.runner.agents import resolve
from symbench.suites import load_suite
from symbench.zoo import bundled, save_agent, tensor_digest

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = About("a small network", ["A. Name"], "MIT", "nothing", training_seeds=[7, 8], parameters=57)


@pytest.fixture
def _tiny_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", small_suite(tmp_path / "suites", episodes=20))


def network(seed: int) -> MLPNetwork:
    torch.manual_seed(seed)
    return MLPNetwork(5, Box(-1, 1, (1,)), hidden=(8,))


def agent(folder: Path, name: str, of: MLPNetwork) -> Path:
    save_agent(of, folder / name, {"agent": "net"})
    return folder / f"{name}.safetensors"


def commented(path: Path, name: str, comment: str) -> Path:
    """The same agent with a comment in the header of its weights."""
    clone = path.with_name(f"{name}.safetensors")
    save_file(load_file(path), clone, {"comment": comment})
    clone.with_suffix(".json").write_text(path.with_suffix(".json").read_text())
    return clone


def submitted(folder: Path, *files: Path) -> Submission:
    run(load_suite("tiny"), folder / "run", tasks=[TASK], agents=[f"net={file}" for file in files])
    return submit(folder / "run", "mine", folder / "out", ABOUT)


@pytest.mark.usefixtures("_tiny_suite")
def test_a_comment_in_the_header_makes_no_second_training_run(tmp_path: Path) -> None:
    first = agent(tmp_path, "s0", network(0))
    second = commented(first, "s1", "another hash")
    digests = [source.digest for file in (first, second) for source in resolve([str(file)], TASK)[:1]]
    assert digests[0] != digests[1], "the bytes are others"
    with pytest.raises(SymbenchError, match="two training runs have the same tensors; the same agent counts once"):
        submitted(tmp_path, first, second)


@pytest.mark.usefixtures("_tiny_suite")
@pytest.mark.parametrize("tensors", ["made up", "left out"])
def test_nor_do_made_up_hashes_of_tensors(tmp_path: Path, tensors: str) -> None:
    """``validate`` sees no files; ``verify`` does."""
    files = [agent(tmp_path, f"s{seed}", network(seed)) for seed in range(2)]
    made = submitted(tmp_path, *files)
    assert not verify(made, [str(file) for file in files], cells=1).problems
    clone = commented(files[0], "s2", "another hash")
    path = tmp_path / "out" / "mine.json"
    card = json.loads(path.read_text())
    (run_1,) = resolve([str(clone)], TASK)[:1]
    to = hashed("made up") if tensors == "made up" else None
    card["tasks"][TASK]["runs"][1].update(weights=run_1.digest, tensors=to)
    path.write_text(json.dumps(card))
    lies = read_submission(path)
    message = "SHA-256 .* is expected, received" if to else "training runs 0 and 1 of 'mine' .* have the same tensors"
    with pytest.raises(SymbenchError, match=message):
        verify(lies, [str(files[0]), str(clone)], cells=1)


@pytest.mark.usefixtures("_tiny_suite")
def test_a_weight_that_differs_in_its_last_digits_makes_none_either(tmp_path: Path) -> None:
    first, near = agent(tmp_path, "s0", network(0)), network(0)
    with torch.no_grad():
        next(near.parameters()).mul_(1 + 1e-6)
    second = agent(tmp_path, "s1", near)
    assert tensor_digest(first) != tensor_digest(second)
    with pytest.raises(SymbenchError, match=r"runs 0 and 1 have the same episodes; one training run counts once"):
        submitted(tmp_path, first, second)


@pytest.mark.usefixtures("_tiny_suite")
def test_two_training_runs_are_two(tmp_path: Path) -> None:
    files = [agent(tmp_path, f"s{seed}", network(seed)) for seed in range(2)]
    made = submitted(tmp_path, *files)
    assert [of.tensors for of in made.card.tasks[TASK].runs] == [tensor_digest(file) for file in files]
    assert made.notes == ()


def test_the_digest_is_of_the_numbers(tmp_path: Path) -> None:
    path = agent(tmp_path, "s0", network(0))
    wide = tmp_path / "wide.safetensors"
    save_file({name: tensor.double() for name, tensor in load_file(path).items()}, wide)
    wide.with_suffix(".json").write_text(path.with_suffix(".json").read_text())
    same = {tensor_digest(each) for each in (path, wide, commented(path, "c", "x"), path.with_suffix(""))}
    assert len(same) == 1
    different = [tensor_digest(path) for path in bundled(TASK)["mlp"]]
    assert len(set(different)) == len(different) == 5


def test_the_digest_of_an_sb3_zip_is_of_its_policy(tmp_path: Path) -> None:
    from stable_baselines3 import PPO

    digests = []
    for seed in (0, 1):
        PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, seed=seed, device="cpu").save(tmp_path / f"{seed}.zip")
        digests.append(tensor_digest(tmp_path / f"{seed}.zip"))
    assert digests[0] != digests[1]
    with zipfile.ZipFile(tmp_path / "0.zip") as old, zipfile.ZipFile(tmp_path / "c.zip", "w") as new:
        for name in reversed(old.namelist()):
            new.writestr(name, old.read(name) + b" " * (name == "data"))
        new.comment = b"another hash"
    assert tensor_digest(tmp_path / "c.zip") == digests[0]


def test_one_run_five_times_is_refused_whatever_the_hashes_say(tmp_path: Path) -> None:
    def one_run(rows: list[list[str]]) -> list[list[str]]:
        return [[*row[:3], str(number), *row[4:]] for number in range(5) for row in rows if row[3] == "0"]

    board = board_of(tmp_path / "board")
    copied(board, "attention-neuron", "clones", rows=one_run)
    found = complaints(board)
    assert len(found) == 4 and all("[same-run]" in line for line in found)
    assert "CartPoleSwingUp, runs 0 and 1 have the same episodes; one training run counts once" in found[0]


def saturated(folder: Path, returns: dict[tuple[int, int], int]) -> list[str]:
    """A submission of two runs to CartPole of which all episodes but some, by run and seed, have 500 steps."""
    card = metadata("mine", 2, "CartPole-v1")
    lines = table(card).splitlines()
    rows = [line.split(",") for line in lines[1:]]
    lengths = [returns.get((int(row[3]), int(row[4])), 500) for row in rows]
    rows = [[*row[:5], str(length), str(length), "1"] for row, length in zip(rows, lengths, strict=True)]
    path = Files(card, "\n".join([lines[0], *map(",".join, rows), ""])).write(folder)
    assert complaints(path) == []
    return list(read_submission(path).notes)


@pytest.mark.usefixtures("_tiny_suite")
def test_where_a_task_saturates_equal_episodes_are_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", small_suite(tmp_path / "other"))
    (note,) = saturated(tmp_path / "a", {})
    assert note == (
        "CartPole-v1, runs 0 and 1 have the same episodes; the task saturates, so these do not tell runs apart"
    )
    assert len(saturated(tmp_path / "b", {(0, 101): 490, (1, 101): 490})) == 1, "one outcome beside it tells nothing"
    assert saturated(tmp_path / "c", {(0, 101): 490, (1, 102): 490}) == []


def test_runs_that_lose_alike_where_everybody_does_are_two(tmp_path: Path) -> None:
    """A pole seen ten steps late falls within 8 to 10 steps, whoever holds it: five runs are no clones for that."""
    board = board_of(tmp_path / "board", "equivariant-mlp-delay")
    assert complaints(board) == []

    def cloned(rows: list[list[str]]) -> list[list[str]]:
        first = {(*row[:3], row[4]): row[5:] for row in rows if row[3] == "0"}
        return [row[:5] + first[(*row[:3], row[4])] if row[3] == "1" else row for row in rows]

    path = copied(board, "equivariant-mlp-delay", "cloned", rows=cloned)
    assert any("CartPole-v1, runs 0 and 1 have the same episodes" in line for line in complaints(path))


OPTIMA = """
name = "tiny"
version = 2
description = "quarter turns"
tasks = ["GridWorld", "CartPoleSwingUp"]
seed = 100
episodes = 200
perturbations = [
    { name = "none", level = "in-order", baseline = true },
    { name = "transform-by-group", level = "turn-90", apply = [{ wrapper = "TransformByGroup", element = 1 }] },
]
"""
GRID = "GridWorld"


class Hunter:
    """Goes to the prey, rows first or columns first; one that errs stays where it is in some of the places."""

    def __init__(self, rows_first: bool, errs: int = 0) -> None:
        self.rows_first, self.errs = rows_first, errs

    def reset(self) -> None:
        self.steps = 0

    def act(self, observation: np.ndarray) -> int:
        frame = observation[:, :, -1].reshape(7, 3, 7, 3)
        seen = np.argwhere(frame[:, 0, :, 1] > 0)  # the + of the prey has this pixel, the x of the agent has not
        self.steps += 1
        row, column = (seen[0] - 3) if len(seen) else (0, 0)
        if self.errs and (row * 7 + column + self.steps) % self.errs == 0:
            return 0
        for axis in (0, 1) if self.rows_first else (1, 0):
            if step := (row, column)[axis]:
                return (3 if step > 0 else 1) + axis
        return 0


def hunters(folder: Path, monkeypatch: pytest.MonkeyPatch, *agents: Hunter) -> Submission:
    (folder / "optima").mkdir()
    (folder / "optima" / "tiny.toml").write_text(OPTIMA)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", folder / "optima")
    evaluate({"mine": list(agents)}, GRID, "tiny", out=folder / "run")
    return submit(folder / "run", "mine", folder / "out", ABOUT, "mine")


def test_agents_that_play_as_well_as_anybody_can_are_no_clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hunters(tmp_path, monkeypatch, Hunter(True), Hunter(False))
    assert normalised(made, GRID, "transform-by-group/turn-90").mean() == pytest.approx(1, abs=0.02)
    (note,) = made.notes
    assert "GridWorld, runs 0 and 1 have the same episodes; the task saturates" in note


def test_clones_that_do_not_are_refused_in_the_same_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SymbenchError, match="runs 0 and 1 have the same episodes; one training run counts once"):
        hunters(tmp_path, monkeypatch, Hunter(True, errs=4), Hunter(True, errs=4))


REDUNDANT = """
[[perturbations]]
name = "shuffle-sensors"
level = "every-500"
apply = [{ wrapper = "ShuffleSensors", resample = 500 }]
"""


def test_a_condition_that_is_never_played_again_dilutes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CartPole ends after 500 steps, so ``every-500`` is in order again; what stands there could be invented."""
    folder = small_suite(tmp_path / "suites")
    (folder / "tiny.toml").write_text(SUITE + REDUNDANT)
    monkeypatch.setattr("symbench.suites.loader._BUNDLED", folder)
    card = metadata("mine", 2, "CartPole-v1")
    header, *lines = table(card, seed=1).splitlines()  # six episodes, six outcomes
    one_run = [line.split(",") for line in lines if line.split(",")[3] == "0"]
    clones = [",".join([*row[:3], str(run), *row[4:]]) for run in range(2) for row in one_run]
    invented = [
        f"CartPole-v1,shuffle-sensors,every-500,{run},{seed},{length}.0,{length},1"
        for run in range(2)
        for seed, length in zip((100, 101, 102), (40 + 90 * run, 50 + 90 * run, 60 + 90 * run), strict=True)
    ]
    path = Files(card, "\n".join([header, *clones, *invented, ""])).write(tmp_path / "s")
    (line,) = complaints(path)
    assert "CartPole-v1, runs 0 and 1 have the same episodes; one training run counts once" in line
