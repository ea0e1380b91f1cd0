"""Suites are data: bundled ones are what the paper asks for, one's own are checked key by key."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from symbench.errors import SymbenchError
from symbench.runner.manifest import TaskFacts
from symbench.suites import Suite, bundled_suites, load_suite, loader, parse_suite
from symbench.symmetry import FiniteGroup
from symbench.symmetry.catalogue import symmetry_of
from symbench.tasks import TASKS
from symbench.wrappers.background_pictures import TEXTURES
from symbench.wrappers.registry import PERTURBATIONS

DATA = Path(__file__).parents[2] / "docs" / "data"

MINIMAL: dict[str, Any] = {
    "name": "mine",
    "version": 1,
    "description": "one condition",
    "tasks": ["CartPole-v1"],
    "seed": 0,
    "perturbations": [{"name": "none", "level": "in-order", "baseline": True}],
}


def with_conditions(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {**MINIMAL, "perturbations": [*MINIMAL["perturbations"], *conditions]}


@pytest.mark.parametrize("name", bundled_suites())
def test_bundled_suites_name_only_what_exists(name: str) -> None:
    suite = load_suite(name)
    assert suite.name == name
    assert set(suite.tasks) <= set(TASKS)
    assert {step.wrapper for p in suite.perturbations for step in p.apply} <= set(PERTURBATIONS)
    assert suite.baseline.apply == ()


def test_the_shuffle_suite_reshuffles_at_the_intervals_of_the_paper() -> None:
    suite = load_suite("shuffle")
    for task, wrapper in (("CartPole-v1", "ShuffleSensors"), ("Pong", "ShufflePatches")):
        steps = [p.apply[0] for p in suite.conditions(TASKS[task]) if p.apply]
        assert {step.wrapper for step in steps} == {wrapper}
        assert [step.parameters["resample"] for step in steps] == ["episode", 500, 200, 100, 50, 25]


def test_the_occlusion_suite_hides_what_the_paper_hides_and_tells_which() -> None:
    steps = [p.apply[0].parameters for p in load_suite("occlusion").conditions(TASKS["Pong"]) if p.apply]
    assert [step["ratio"] for step in steps] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    assert all(step["patch_mask"] for step in steps)


def test_the_background_suite_shows_every_texture() -> None:
    for name in ("background", "background@1"):
        steps = [p.apply[0].parameters for p in load_suite(name).conditions(TASKS["Pong"]) if p.apply]
        assert {step["background"] for step in steps} - {"grey"} == set(TEXTURES) - {"mixed"}
    assert all(TASKS[task].background for task in load_suite("background").tasks)


def test_backgrounds_lie_on_the_ground_where_the_camera_moves() -> None:
    anchors = {
        task: [p.apply[0].parameters.get("anchor") for p in load_suite("background").conditions(TASKS[task]) if p.apply]
        for task in ("Pong", "CarRacing")
    }
    assert [anchors[task].count("world") for task in ("Pong", "CarRacing")] == [0, 6]
    assert [anchors[task].count("screen") for task in ("Pong", "CarRacing")] == [6, 6]
    suite, task = load_suite("background"), TASKS["CarRacing"]
    assert suite.conditions(TaskFacts.of(task, suite)) == suite.conditions(task)  # what a run remembers of it


@pytest.mark.parametrize("name", bundled_suites())
def test_conditions_fit_the_observations_of_their_tasks(name: str) -> None:
    suite = load_suite(name)
    for task in suite.tasks:
        conditions = suite.conditions(TASKS[task])
        assert suite.baseline in conditions
        for step in (step for condition in conditions for step in condition.apply):
            role = "frame" if TASKS[task].observes == "frames" else "sensors"
            assert role in (PERTURBATIONS[step.wrapper].roles or [role])  # those without roles take everything


def test_the_group_suite_shows_every_element_of_every_finite_group_with_agents_in_their_order() -> None:
    suite = load_suite("group")
    for task in suite.tasks:
        group = symmetry_of(TASKS[task].env_id).group
        steps = [p.apply[0] for p in suite.conditions(TASKS[task]) if p.apply]
        turned = [step.parameters for step in steps if step.wrapper == "TransformByGroup"]
        orders = 6 if task == "Wildlife" else 1  # of its three drones
        elements = list(range(orders, group.order, orders)) if isinstance(group, FiniteGroup) else []
        assert [step["element"] for step in turned if "element" in step] == elements, task
        assert [step["resample"] for step in turned if "resample" in step] == ["episode", "step"]
        is_team = TASKS[task].observes == "entities"
        assert [step.wrapper for step in steps].count("ShuffleEntities") == is_team


def test_the_noise_suite_mixes_noise_among_the_sensors_and_has_the_order_of_the_paper_too() -> None:
    orders = {p.level: [step.wrapper for step in p.apply] for p in load_suite("noise").perturbations}
    assert orders["+5"] == orders["+500"] == ["AddNoiseChannels", "ShuffleSensors"]
    assert orders["+5-appended"] == ["ShuffleSensors", "AddNoiseChannels"]
    assert orders["x2"] == ["DuplicateSensors", "ShuffleSensors"]


def test_a_version_may_be_asked_for_and_must_be_the_one_that_is_here() -> None:
    assert load_suite("shuffle@3") == load_suite("shuffle")
    with pytest.raises(SymbenchError, match="shuffle@3"):
        load_suite("shuffle@7")


def test_an_earlier_version_is_as_it_was_and_its_conditions_are_those_of_the_next() -> None:
    earlier, now = load_suite("shuffle@1"), load_suite("shuffle")
    assert earlier.tag == "shuffle@1"
    assert earlier.seed == now.seed
    assert [p.model_copy(update={"observes": None}) for p in now.conditions(TASKS["CartPole-v1"])] == list(
        earlier.perturbations
    )


@pytest.mark.parametrize(("earlier", "now"), [("shuffle@2", "shuffle"), ("occlusion@1", "occlusion")])
def test_the_next_version_plays_the_pong_that_cannot_be_memorised_and_else_is_the_same(earlier: str, now: str) -> None:
    before, after = load_suite(earlier), load_suite(now)
    changed = ("version", "tasks", "played", "best_clean")
    assert before.model_dump(exclude=set(changed)) == after.model_dump(exclude=set(changed))
    assert set(before.tasks) - set(after.tasks) == {"Pong", "PongRGB"}
    joined = {"Ant", "Ant-v5"} if now == "shuffle" else set()
    assert set(after.tasks) - set(before.tasks) == {"PongSticky"} | joined


def best_clean() -> dict[str, float]:
    """Task -> the largest clean score, IQM over training runs, of all runs of suites whose tables are in docs/data."""
    found: dict[str, float] = {}
    for file in sorted(DATA.glob("*.csv")):
        for row in csv.DictReader(file.read_text().splitlines()):
            if row.get("perturbation") == "none" and row.get("iqm") and row.get("score", "normalised") == "normalised":
                found[row["task"]] = max(found.get(row["task"], 0), float(row["iqm"]))
    return found


@pytest.mark.parametrize("path", sorted(Path(loader.__file__).parent.glob("*.toml")), ids=lambda path: path.stem)
def test_the_bar_is_near_the_best_clean_score_that_was_measured(path: Path) -> None:
    """No number of an episode depends on it: a run goes on, and a submission counts, whatever it is."""
    suite = load_suite(path.stem)
    measured = best_clean()
    same_games = {"PongRGB": "Pong", "PongPlayfield": "Pong", "CarRacingRGB": "CarRacing"}
    for task, best in suite.best_clean.items():
        assert best == pytest.approx(measured[same_games.get(task, task)], abs=0.0005) and task in suite.tasks
        assert suite.bar(task) == 0.9 * best
    assert suite.bar("another task") == 0.9
    assert suite.protocol == suite.model_copy(update={"best_clean": {}}).protocol


def test_what_is_played_by_default_must_be_of_the_suite() -> None:
    with pytest.raises(SymbenchError, match="played must name tasks of the suite, received Pong"):
        parse_suite({**MINIMAL, "played": ["Pong"]}, "mine")


def test_an_unknown_name_lists_near_matches() -> None:
    with pytest.raises(SymbenchError, match="did you mean 'shuffle'"):
        load_suite("shufle")


def test_a_suite_of_ones_own_is_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\nversion = 2\ndescription = "d"\ntasks = ["CartPole-v1"]\nseed = 7\nepisodes = 10\n'
        '[[perturbations]]\nname = "none"\nlevel = "clean"\nbaseline = true\n'
        '[[perturbations]]\nname = "noise"\nlevel = "3"\napply = [{ wrapper = "SensorNoise", severity = 3 }]\n'
    )
    suite = load_suite(file)
    assert suite.tag == "mine@2"
    assert str(suite.perturbations[1].apply[0]) == "SensorNoise(severity=3)"
    assert suite.perturbations[1].title == "noise 3"


def test_a_suite_survives_the_round_trip_through_json() -> None:
    suite = load_suite("noise")
    assert Suite.model_validate_json(suite.model_dump_json()) == suite


def test_a_suite_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_suite("shuffle").seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({**MINIMAL, "sed": 1}, "sed: there is no such key, received 1"),
        ({**MINIMAL, "episodes": 0}, "episodes: .* received 0"),
        ({**MINIMAL, "tasks": ["CartPol-v1"]}, r"tasks: unknown task 'CartPol-v1' \(.*\); did you mean 'CartPole-v1'"),
        ({**MINIMAL, "tasks": []}, "tasks: .*at least 1"),
        ({key: value for key, value in MINIMAL.items() if key != "seed"}, "seed: this key is missing$"),
        (
            with_conditions({"name": "a/b", "level": "x"}),
            r"1.name: a name holds letters.*, received 'a/b'",
        ),
        (with_conditions({"name": "..", "level": "x"}), r"perturbations.1.name"),
        (with_conditions({"name": "nul", "level": "x"}), r"1.name: Windows allows no file called 'nul', received"),
        (with_conditions({"name": "a", "level": "x."}), r"1.level: Windows allows no file called 'x.'"),
        ({**MINIMAL, "name": "x" * 101}, "name: a name has at most 100 characters, received 101: 'x{20}...'"),
        (with_conditions({"name": "a", "level": "x", "apply": [{"n": 3}]}), r"perturbations.1.apply.0.wrapper"),
        (with_conditions({"name": "none", "level": "in-order"}), "none/in-order more than once"),
        (with_conditions({"name": "a", "level": "x", "baseline": True}), "exactly one .* none/in-order, a/x"),
        ({**MINIMAL, "perturbations": [{"name": "a", "level": "x"}]}, "exactly one .* received none"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(data: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message) as caught:
        parse_suite(data, "mine.toml")
    assert str(caught.value).startswith("suite mine.toml: ")
    assert "\n" not in str(caught.value)


def test_the_example_of_the_docs_fails_as_the_docs_say_and_works_once_corrected(tmp_path: Path) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "suites.md").read_text()
    example = docs.split("```toml\n")[1].split("```")[0]
    promised = docs.split("error: suite worn-out.toml: ")[1].splitlines()[0]
    file = tmp_path / "worn-out.toml"
    file.write_text(example)
    with pytest.raises(SymbenchError, match=re.escape(promised)):
        load_suite(file)
    file.write_text(example.replace("20%-is-not-a-name", "20"))
    assert load_suite(file).compare_with == "mlp"


def test_files_that_are_missing_or_no_toml_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        SymbenchError,
        match=r"nowhere\.toml' does not exist; bundled suites: background, .*, shuffle",
    ):
        load_suite(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(SymbenchError, match=r"broken\.toml' is not TOML"):
        load_suite(broken)
