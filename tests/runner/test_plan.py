"""What is asked becomes cells, and what cannot work is found before anything is evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from symbench.errors import SymbenchError
from symbench.runner import Cell, make_plan
from symbench.suites import Suite, load_suite

if TYPE_CHECKING:
    from pathlib import Path

TASK = "CartPole-v1"


def with_wrapper(suite: Suite, wrapper: str, **parameters: object) -> Suite:
    data = suite.model_dump()
    data["perturbations"][1]["apply"] = [{"wrapper": wrapper, **parameters}]
    return Suite.model_validate(data)


def test_cells_cross_perturbations_and_agents_in_the_order_of_the_tables(suite: Suite, agents: dict[str, str]) -> None:
    planned = make_plan(suite, tasks=[TASK], agents=[agents["set"], "random"])
    assert [cell.id.partition("CartPole-v1/")[2] for cell in planned.cells] == [
        "none/in-order/set/s0",
        "none/in-order/random/s0",
        "shuffle/every-10/set/s0",
        "shuffle/every-10/random/s0",
        "noise/+3/set/s0",
        "noise/+3/random/s0",
    ]
    assert {cell.episodes for cell in planned.cells} == {5}


def test_an_agent_with_a_fixed_number_of_inputs_skips_the_noise(suite: Suite, agents: dict[str, str]) -> None:
    planned = make_plan(suite, tasks=[TASK], agents=[agents["mlp"]])
    assert [skipped.id for skipped in planned.skipped] == ["tiny@3/CartPole-v1/noise/+3/mlp/s0"]
    assert "4 sensors" in planned.skipped[0].reason


def test_an_agent_that_cannot_play_the_task_at_all_is_an_error(suite: Suite, agents: dict[str, str]) -> None:
    with pytest.raises(SymbenchError, match=r"'blind' cannot play CartPole-v1: .*7 sensors"):
        make_plan(suite, tasks=[TASK], agents=[agents["blind"]])


def test_episodes_come_from_the_call_the_suite_or_the_task(suite: Suite) -> None:
    def episodes(suite: Suite, **options: object) -> int:
        return make_plan(suite, tasks=[TASK], agents=["random"], **options).cells[0].episodes  # type: ignore[arg-type]

    assert episodes(suite) == 5
    assert episodes(suite, episodes=7) == 7
    assert episodes(load_suite("shuffle")) == 100
    assert episodes(load_suite("shuffle"), quick=True) == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tasks": ["CartPol-v1"]}, r"unknown task 'CartPol-v1' \(.*\); did you mean 'CartPole-v1'"),
        ({"tasks": [TASK], "agents": ["randon"]}, "unknown agent 'randon' for CartPole-v1; did you mean 'random'"),
        ({"tasks": [TASK], "episodes": 0}, "episodes must be at least 1, received 0"),
        ({"tasks": [TASK], "episodes": 3, "quick": True}, "either --quick or --episodes"),
    ],
)
def test_what_is_unknown_or_contradictory_is_refused(suite: Suite, options: dict[str, object], message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        make_plan(suite, **{"agents": ["random"], **options})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrapper", "parameters", "message"),
    [
        ("ShufleSensors", {}, "unknown perturbation 'ShufleSensors'; did you mean 'ShuffleSensors'"),
        ("SensorHistory", {}, "unknown perturbation 'SensorHistory'"),
        ("ShuffleSensors", {"severity": 9}, r"ShuffleSensors\(severity=9\): .*9"),
        ("DropSensors", {"ratio": 1.5}, r"DropSensors\(ratio=1.5\): .*1\.5"),
        ("ShuffleSensors", {"resampel": 3}, "resampel"),
        ("ShufflePatches", {"patch_size": 6}, r"ShufflePatches\(patch_size=6, .* cannot be applied to CartPole-v1"),
    ],
)
def test_a_perturbation_that_does_not_fit_names_itself_and_the_task(
    suite: Suite, wrapper: str, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(SymbenchError, match=message):
        make_plan(with_wrapper(suite, wrapper, **parameters), tasks=[TASK], agents=["random"])


def test_cells_hold_what_a_severity_stands_for(suite: Suite) -> None:
    def cell(**parameters: object) -> Cell:
        return make_plan(with_wrapper(suite, "ShuffleSensors", **parameters), tasks=[TASK], agents=["random"]).cells[1]

    assert str(cell(severity=3).apply[0]) == "ShuffleSensors(resample=100)"
    assert cell(severity=3).spec_hash == cell(resample=100).spec_hash != cell(severity=4).spec_hash
    assert str(cell(severity=0).apply[0]) == "ShuffleSensors(severity=0)"


def test_a_corrupt_weight_file_is_found_while_planning(suite: Suite, agents: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "agents" / "mlp.safetensors").write_bytes(b"nonsense")
    with pytest.raises(SymbenchError, match=r"mlp\.safetensors is corrupt"):
        make_plan(suite, tasks=[TASK], agents=[agents["mlp"]])


def test_the_content_of_a_background_image_is_part_of_the_hash(suite: Suite, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")

    def hash_with(grey: int) -> str:
        image.new("L", (6, 6), grey).save(tmp_path / "wall.png")
        played = with_wrapper(suite, "SwapBackground", background=str(tmp_path / "wall.png"))
        conditions = {"tasks": ("GridWorld",), "perturbations": played.perturbations[:2]}
        played = played.model_copy(update=conditions)
        return make_plan(played, tasks=["GridWorld"], agents=["random"], episodes=1).cells[1].spec_hash

    assert hash_with(10) == hash_with(10) != hash_with(20)
