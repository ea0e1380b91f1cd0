"""A condition that cannot differ from another in a task is left out there, and says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from symbench.cli import app
from symbench.runner import Cell, evaluate, load_manifest, make_plan, run
from symbench.runner.agents import resolve
from symbench.suites import Apply, Suite, load_suite, parse_suite
from symbench.tasks import TASKS
from symbench.wrappers.registry import PERTURBATIONS

SHUFFLED = "shuffle-sensors/per-episode"


def suite_of(*conditions: tuple[str, list[dict[str, Any]]], tasks: tuple[str, ...] = ("CartPole-v1",)) -> Suite:
    """Conditions by level and wrappers, after a clean one."""
    perturbations = [{"name": "none", "level": "clean", "baseline": True}]
    perturbations += [{"name": "p", "level": level, "apply": apply} for level, apply in conditions]
    data = {"name": "mine", "version": 1, "description": "d", "tasks": tasks, "seed": 7, "episodes": 3}
    return parse_suite({**data, "perturbations": perturbations}, "mine")


def shuffle(resample: Any = "episode") -> list[dict[str, Any]]:
    return [{"wrapper": "ShuffleSensors", "resample": resample}]


@pytest.mark.parametrize(
    ("task", "levels"),
    [
        ("CartPole-v1", ["every-500"]),
        ("Acrobot-v1", ["every-500"]),
        ("Pendulum-v1", ["every-500", "every-200"]),
        ("CartPoleSwingUp", []),
        ("LunarLander-v3", []),
        ("Pong", []),
        ("CarRacing", []),
    ],
)
def test_the_bundled_suite_names_what_no_episode_is_long_enough_for(task: str, levels: list[str]) -> None:
    suite = load_suite("shuffle")
    found = suite.redundant(TASKS[task])
    assert list(found) == [f"shuffle-sensors/{level}" for level in levels]
    assert all(SHUFFLED in reason and f"{TASKS[task].max_episode_steps} steps" in reason for reason in found.values())
    assert len(suite.distinct(TASKS[task])) == len(suite.conditions(TASKS[task])) - len(levels)


@pytest.mark.parametrize(("task", "resample"), [("CartPole-v1", 500), ("Pendulum-v1", 200)])
def test_the_numbers_are_the_same_indeed(task: str, resample: int) -> None:
    """CartPole's agent plays whole episodes of 500 steps in order, so that one more step would show."""
    source = resolve(["mlp"], task)[0]

    def cell(resample: str | int) -> Cell:
        apply = tuple(map(Apply.model_validate, shuffle(resample)))
        where = {"suite": "s", "version": 1, "task": task, "perturbation": "p", "level": "l", "seed": 1_000_000}
        return Cell(**where, apply=apply, source=source, episodes=40)

    often, once = evaluate(cell(resample)), evaluate(cell("episode"))
    assert often.returns.tolist() == once.returns.tolist() and often.lengths.tolist() == once.lengths.tolist()
    assert once.lengths.max() == resample


@pytest.mark.parametrize(
    "step",
    [
        {"wrapper": "ShufflePatches", "patch_size": 3},
        {"wrapper": "OccludePatches", "patch_size": 3, "fill": 255},
        {"wrapper": "TransformByGroup", "symmetry": "symbench/GridWorld-v0"},
    ],
    ids=lambda step: step["wrapper"],
)
def test_every_perturbation_that_draws_at_intervals_draws_the_same_before(step: dict[str, Any]) -> None:
    env, seen = TASKS["GridWorld"].make(), []
    frames = np.random.default_rng(0).integers(256, size=(100, 4, 21, 21, 1), dtype=np.uint8)
    for resample in (100, "episode"):
        parameters = {key: value for key, value in step.items() if key != "wrapper"}
        perturbation = PERTURBATIONS[step["wrapper"]].make(**parameters, resample=resample)
        perturbation.bind(env.observation_space, env.action_space, 4, 0)
        first = perturbation.reset(frames[0], np.ones(4, bool), [1, 2, 3, 4])
        seen.append([first, *(perturbation.step(frame, np.zeros(4, int)) for frame in frames[1:])])
    assert np.array_equal(*seen) and not np.array_equal(seen[0], frames)


@pytest.mark.parametrize("resample", [500, 501, "every: 500", {"every": 10_000}])
def test_an_interval_may_be_written_in_any_way(resample: Any) -> None:
    suite = suite_of(("once", shuffle()), ("rarely", shuffle(resample)), ("often", shuffle(499)))
    assert list(suite.redundant(TASKS["CartPole-v1"])) == ["p/rarely"]


def test_defaults_and_severities_stand_for_what_they_are() -> None:
    suite = suite_of(
        ("once", [{"wrapper": "ShuffleSensors"}]),
        ("severity-1", [{"wrapper": "ShuffleSensors", "severity": 1}]),
        ("severity-2", [{"wrapper": "ShuffleSensors", "severity": 2}]),
        tasks=("Pendulum-v1",),
    )
    found = suite.redundant(TASKS["Pendulum-v1"])
    assert found == {"p/severity-2": "no episode has more than 200 steps, so it is the same as p/once"}


def test_one_that_draws_once_stays_wherever_it_stands_and_of_others_the_first() -> None:
    found = suite_of(("rarely", shuffle(600)), ("once", shuffle())).redundant(TASKS["CartPole-v1"])
    assert list(found) == ["p/rarely"]
    found = suite_of(("rarely", shuffle(600)), ("more-rarely", shuffle(700))).redundant(TASKS["CartPole-v1"])
    assert found == {"p/more-rarely": "no episode has more than 500 steps, so it is the same as p/rarely"}


def test_what_differs_otherwise_stays() -> None:
    noise = {"wrapper": "AddNoiseChannels", "n": 5}
    suite = suite_of(
        ("once", shuffle()),
        ("noise-first", [noise, *shuffle(500)]),
        ("noise-last", [*shuffle(500), noise]),
        ("twice", [*shuffle(500), *shuffle(500)]),
        ("patches", [{"wrapper": "TransformByGroup", "resample": 500}]),
        ("same", shuffle()),  # twice the same is the author's business
    )
    assert suite.redundant(TASKS["CartPole-v1"]) == {}


@pytest.mark.parametrize(
    "step", [{"wrapper": "Unknown", "resample": 500}, {"wrapper": "ShuffleSensors", "resample": -1}]
)
def test_what_is_wrong_with_a_suite_is_said_by_whoever_plays_it(step: dict[str, Any]) -> None:
    assert suite_of(("once", shuffle()), ("wrong", [step])).redundant(TASKS["CartPole-v1"]) == {}


def test_the_plan_leaves_it_out_and_says_why() -> None:
    planned = make_plan(load_suite("shuffle"), tasks=["CartPole-v1", "Pendulum-v1"], agents=["random"], episodes=1)
    assert list(planned.redundant) == [
        "CartPole-v1/shuffle-sensors/every-500",
        "Pendulum-v1/shuffle-sensors/every-500",
        "Pendulum-v1/shuffle-sensors/every-200",
    ]
    levels = {cell.level for cell in planned.cells if cell.task == "Pendulum-v1"}
    assert levels == {"in-order", "per-episode", "every-100", "every-50", "every-25"}
    assert planned.skipped == ()  # nobody is unable to act there


@pytest.mark.slow
def test_a_run_says_it_in_one_line_and_keeps_it(tmp_path: Path) -> None:
    command = ["run", "--suite", "shuffle", "--task", "CartPole-v1", "--agent", "random", "--episodes", "3"]
    shown = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "run")])
    assert shown.exit_code == 0, shown.output
    lines = [line for line in shown.output.splitlines() if line.startswith("left out: ")]
    assert lines == [
        "left out: CartPole-v1/shuffle-sensors/every-500: no episode has more than 500 steps, so it is the same as "
        "shuffle-sensors/per-episode"
    ]
    manifest = load_manifest(tmp_path / "run")
    assert manifest.redundant.keys() == {"CartPole-v1/shuffle-sensors/every-500"}
    assert manifest.tasks["CartPole-v1"].max_episode_steps == 500
    for name in ("leaderboard.csv", "leaderboard.md"):
        text = (tmp_path / "run" / name).read_text()
        assert "every-200" in text or "every 200 steps" in text
        assert "every-500" not in text and "every 500 steps" not in text


def test_asked_for_alone_it_says_why_it_is_not_there(tmp_path: Path) -> None:
    run(load_suite("shuffle"), tmp_path / "run", tasks=["CartPole-v1"], agents=["random"], episodes=3)
    id = "shuffle@3/CartPole-v1/shuffle-sensors/every-500/random/s0"
    for where in ([], ["--run", str(tmp_path / "run")]):
        shown = CliRunner().invoke(app, ["describe", *where, id])
        assert shown.exit_code != 0
        assert f"{id} is left out: no episode has more than 500 steps" in " ".join(shown.output.split())


def test_a_run_of_before_shows_what_it_holds(tmp_path: Path) -> None:
    """Its file says nothing of the longest episode, so its tables stay as they were."""
    run(load_suite("shuffle"), tmp_path / "run", tasks=["CartPole-v1"], agents=["random"], episodes=3)
    path = tmp_path / "run" / "run.json"
    data = json.loads(path.read_text())
    del data["redundant"], data["outside"], data["tasks"]["CartPole-v1"]["max_episode_steps"], data["checksum"]
    path.write_text(json.dumps(data))
    facts = load_manifest(tmp_path / "run").tasks["CartPole-v1"]
    assert load_suite("shuffle").redundant(facts) == {}
