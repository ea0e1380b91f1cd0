"""A perturbation that changes nothing must not look like one: each cell says how far the agent's input was moved."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.policies import RandomAgent
from symbench.runner import Cell, Record, Store, evaluate, execute, make_plan, run
from symbench.runner.input_change import InputChange
from symbench.runner.store import digest_of
from symbench.suites import Apply, Suite, load_suite
from symbench.tasks import TASKS, get_task
from symbench.wrappers import sensors, vector

SHUFFLE = {"wrapper": "ShuffleSensors", "resample": "episode"}
OFTEN = {"wrapper": "ShuffleSensors", "resample": 10}
NOISE = {"wrapper": "AddNoiseChannels", "n": 3, "sigma": 0.1}


def plainly(task: str, apply: tuple[dict[str, Any], ...], seeds: list[int], intervals: set[int]) -> InputChange:
    """The same, number by number, from two batches that play the same episodes; random play sees nothing."""
    plain = get_task(task).make_vec(len(seeds))
    perturbed = get_task(task).make_vec(len(seeds))
    for step in apply:
        parameters = {key: value for key, value in step.items() if key != "wrapper"}
        perturbed = getattr(vector, step["wrapper"])(perturbed, **parameters)
    agent = RandomAgent(plain.single_action_space)
    agent.reset(len(seeds), seed=seeds[0])
    shown, seen = plain.reset(seed=seeds)[0], perturbed.reset(seed=seeds)[0]
    playing, differences, effects = np.ones(len(seeds), bool), [], {}
    for step in range(100):
        draw = sum(step // interval for interval in intervals)
        for row in np.flatnonzero(playing):
            before, after = shown[row].ravel().astype(float).tolist(), seen[row].ravel().astype(float).tolist()
            found = [(b, a) for b, a in zip(before, after, strict=False)]
            beyond = [(None, a) for a in after[len(before) :]]
            differences += [abs(a - (b or 0.0)) if b is not None else abs(a) for b, a in [*found, *beyond]]
            moved = [b is None or a != b for b, a in [*found, *beyond]]
            counted = effects.setdefault((int(row), draw), [])
            counted += moved
        actions = np.zeros(len(seeds), np.int64)
        if not playing.any():
            break
        actions[playing] = agent.act(np.zeros((int(playing.sum()), 1)))
        shown, _, terminated, truncated, _ = plain.step(actions)
        seen, *_ = perturbed.step(actions)
        ended = (terminated | truncated) & playing
        agent.keep(~ended[playing])
        playing &= ~ended
        if (terminated | truncated).any():
            mask = terminated | truncated
            shown, seen = (envs.reset(options={"reset_mask": mask.copy()})[0] for envs in (plain, perturbed))
    entries = [moved for counted in effects.values() for moved in counted]
    return InputChange(
        entries=len(entries),
        changed=sum(entries) / len(entries),
        distance=sum(differences) / len(differences),
        draws=len(effects),
        draws_in_effect=sum(any(counted) for counted in effects.values()),
    )


@pytest.mark.parametrize(
    ("apply", "intervals"),
    [
        ((SHUFFLE,), set()),
        ((OFTEN,), {10}),
        ((NOISE, OFTEN), {1, 10}),
        (({"wrapper": "DuplicateSensors", "copies": 1},), set()),
        (({"wrapper": "DropSensors", "ratio": 0.5},), set()),
        (({"wrapper": "SensorNoise", "sigma": 0.1},), {1}),
    ],
    ids=["shuffle", "often", "noise", "twice", "dead", "noisy"],
)
def test_what_is_recorded_is_what_happened(
    cell: Callable[..., Cell], apply: tuple[dict[str, Any], ...], intervals: set[int]
) -> None:
    change = evaluate(cell(apply=apply, episodes=6)).input_change
    expected = plainly("CartPole-v1", apply, list(range(100, 106)), intervals)
    assert change is not None
    assert (change.entries, change.draws) == (expected.entries, expected.draws)
    assert change.draws_in_effect == expected.draws_in_effect
    assert change.changed == pytest.approx(expected.changed) and change.changed > 0
    assert change.distance == pytest.approx(expected.distance, rel=1e-5)


def test_only_the_first_hundred_steps_are_compared(cell: Callable[..., Cell]) -> None:
    change = evaluate(cell(task="Pendulum-v1", apply=(OFTEN,), episodes=2)).input_change
    assert change is not None
    assert (change.entries, change.draws) == (2 * 100 * 3, 2 * 10)


def test_batches_add_up(cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = cell("set", apply=(NOISE, OFTEN), episodes=7)
    whole = evaluate(asked).input_change
    monkeypatch.setitem(TASKS, asked.task, replace(TASKS[asked.task], batch=3))
    parts = evaluate(asked).input_change
    assert whole is not None and parts is not None
    assert (parts.entries, parts.draws, parts.draws_in_effect) == (whole.entries, whole.draws, whole.draws_in_effect)
    assert parts.changed == pytest.approx(whole.changed) and parts.distance == pytest.approx(whole.distance)


def test_a_mask_beside_the_image_is_not_counted(cell: Callable[..., Cell]) -> None:
    """Hidden under white, so that something changes wherever a patch is hidden: 9 pixels in 441 each, at least."""
    hide = {"wrapper": "OccludePatches", "ratio": 0.5, "patch_size": 3, "fill": 255}
    of = {
        masked: evaluate(cell(task="GridWorld", apply=({**hide, "patch_mask": masked},), episodes=3)).input_change
        for masked in (False, True)
    }
    assert of[True] == of[False] and of[True] is not None
    assert of[True].entries % 441 == 0
    assert of[True].changed == pytest.approx(0.5, abs=0.06)  # 24 or 25 of 49 patches, some of whose pixels are white


def test_without_perturbation_there_is_nothing_to_say(cell: Callable[..., Cell]) -> None:
    assert evaluate(cell()).input_change is None
    assert evaluate(cell()).noticed() == {}


def nothing(self: Any, observations: Any, drawn: Any) -> Any:
    return np.array(observations)


def in_order(self: Any, rng: Any, size: int) -> Any:
    return np.tile(np.arange(4), (size, 1))


@pytest.mark.parametrize(("method", "broken"), [("apply", nothing), ("draw", in_order)])
def test_a_perturbation_that_does_nothing_fails_the_cell_in_one_line(
    cell: Callable[..., Cell], monkeypatch: pytest.MonkeyPatch, method: str, broken: Any
) -> None:
    monkeypatch.setattr(sensors.ShuffleSensors, method, broken)
    asked = cell("mlp", apply=(SHUFFLE,))
    with pytest.raises(SymbenchError, match=r"^ShuffleSensors\(resample='episode'\) changed nothing .*\(5 draws\)"):
        evaluate(asked)
    (outcome,) = execute([asked])
    assert outcome.record is None and "changed nothing that the agent saw" in outcome.error
    assert "\n" not in outcome.error


def test_a_background_that_is_not_there_fails_the_cell(cell: Callable[..., Cell]) -> None:
    """A suite of one's own with the wrong colour: nothing is replaced, and the clean score would be printed."""
    wrong = {"wrapper": "SwapBackground", "background": "checker", "colors": [[77]], "tolerance": 0}
    with pytest.raises(SymbenchError, match=r"SwapBackground\(.*\) changed nothing that the agent saw"):
        evaluate(cell(task="GridWorld", apply=(wrong,)))
    right = evaluate(cell(task="GridWorld", apply=({**wrong, "colors": [[0]]},))).input_change
    assert right is not None and right.changed > 0.3


@pytest.mark.parametrize(
    "step",
    [
        {"wrapper": "ShuffleSensors", "severity": 0},
        {"wrapper": "DropSensors", "ratio": 0.0},
        {"wrapper": "SensorNoise", "sigma": 0.0},
        {"wrapper": "AddNoiseChannels", "n": 0},
        {"wrapper": "TransformByGroup", "symmetry": "CartPole-v1", "element": 0},
    ],
    ids=lambda step: step["wrapper"],
)
def test_what_is_meant_to_do_nothing_may_do_nothing(cell: Callable[..., Cell], step: dict[str, Any]) -> None:
    episodes = evaluate(cell(apply=(step,)))
    assert episodes.input_change is not None and episodes.input_change.changed == 0
    assert episodes.returns.tolist() == evaluate(cell()).returns.tolist()


def test_half_of_two_perturbations_is_enough(cell: Callable[..., Cell]) -> None:
    change = evaluate(cell(apply=({"wrapper": "ShuffleSensors", "severity": 0}, NOISE))).input_change
    assert change is not None and change.changed == pytest.approx(3 / 7)


@pytest.mark.parametrize(
    ("name", "task"),
    [(name, task) for task in ("CartPole-v1", "Pendulum-v1") for name in ("shuffle", "noise", "group")]
    + [("group", "GridWorld")],
)
def test_every_condition_of_the_bundled_suites_moves_something(name: str, task: str) -> None:
    for cell in make_plan(load_suite(name), tasks=[task], agents=["random"], episodes=8).cells:
        change = evaluate(cell).input_change
        assert (change is None) == (not cell.apply)
        assert change is None or (change.changed > 0 and change.draws_in_effect > 0)


@pytest.fixture
def stored(cell: Callable[..., Cell], tmp_path: Path) -> tuple[Store, Record]:
    asked = cell(apply=(OFTEN,))
    store, record = Store(tmp_path / "run"), Record(asked, (("agent", "random"),), evaluate(asked))
    store.prepare()
    store.write(record)
    return store, record


def test_it_stands_in_the_cells_file(stored: tuple[Store, Record]) -> None:
    store, record = stored
    data = json.loads(store.path(record.cell.id).read_text())
    change = record.episodes.input_change
    assert change is not None and data["input_change"] == vars(change)
    assert store.read(store.path(record.cell.id)).episodes.input_change == change


def test_files_of_before_are_still_read(stored: tuple[Store, Record]) -> None:
    store, record = stored
    path = store.path(record.cell.id)
    data = {
        key: value for key, value in json.loads(path.read_text()).items() if key not in ("input_change", "checksum")
    }
    path.write_text(json.dumps(data | {"checksum": digest_of(data)}))
    again = store.read(path)
    assert again.episodes.input_change is None and again.episodes.outside == 0 and again.machine == {}
    assert again.episodes.columns() == record.episodes.columns()


def test_describe_says_it(suite: Suite, tmp_path: Path) -> None:
    run(suite, tmp_path / "run", tasks=["CartPole-v1"], agents=["random"])
    told = {}
    for condition in ("none/in-order", "shuffle/every-10"):
        id = f"tiny@3/CartPole-v1/{condition}/random/s0"
        shown = CliRunner().invoke(app, ["describe", "--run", str(tmp_path / "run"), id])
        assert shown.exit_code == 0, shown.output
        told[condition] = " ".join(shown.output.split())
    assert "of the numbers changed, by" in told["shuffle/every-10"] and "took effect" in told["shuffle/every-10"]
    assert "of the numbers changed" not in told["none/in-order"]
    assert "computed with symbench" in told["none/in-order"] and "arithmetic torch:" in told["none/in-order"]


def test_observations_outside_their_space_are_told_once(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cart-pole that says it never leaves a hundredth of the track."""
    from gymnasium.spaces import Box

    make_vec = type(TASKS["CartPole-v1"]).make_vec

    def narrow(self: Any, *arguments: Any, **options: Any) -> Any:
        envs = make_vec(self, *arguments, **options)
        envs.single_observation_space = Box(-0.02, 0.02, (4,), np.float32)
        return envs

    monkeypatch.setattr(type(TASKS["CartPole-v1"]), "make_vec", narrow)
    manifest = run(suite, tmp_path / "run", tasks=["CartPole-v1"], agents=["random"])
    assert len(manifest.outside) == 3 and min(manifest.outside.values()) > 0
    (note,) = manifest.notes()
    assert note.startswith("observations outside the space that the task declares were counted in 3 cells")
    report = CliRunner().invoke(app, ["report", str(tmp_path / "run")])
    assert "outside the space that the task declares" in report.output
    record = Store(tmp_path / "run").records(manifest.cells)[0]
    assert record.episodes.outside == manifest.outside[record.cell.id]
    clean = run(suite, tmp_path / "run", tasks=["CartPole-v1"], agents=["random"], resume=False)
    assert clean.outside == manifest.outside


def test_the_view_below_leaves_the_episodes_alone(cell: Callable[..., Cell]) -> None:
    """What a cell plays is what the wrappers alone play: layers keep their place, and so their draws."""
    from symbench.runner.pipeline import make_envs

    apply = (OFTEN, OFTEN)
    with closing(make_envs("CartPole-v1", tuple(map(Apply.model_validate, apply)), 3)) as envs:
        with_view = envs.reset(seed=5)[0]
    bare = get_task("CartPole-v1").make_vec(3)
    for _ in apply:
        bare = vector.ShuffleSensors(bare, resample=10)
    assert (bare.reset(seed=5)[0] == with_view).all()
