"""docs/training.md: its examples run with tiny settings, its tables name what there is; what a log and Ctrl-C show."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docs_cases import DOCS, blocks, run
from typer.testing import CliRunner

from symbench.cli import app
from symbench.policies import NetworkAgent
from symbench.training import load_recipe
from symbench.training.imitation_settings import Imitation
from symbench.training.recipe import DynamicsRegression, Evolution, PictureMeasurement, Ppo, Recipe

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tests.training.conftest import Interrupt, Tiny

PAGE = (DOCS / "training.md").read_text()
SETTINGS = {"steps": 512, "num_envs": 4, "n_steps": 32, "batch_size": 64}


def rows(heading: str) -> list[list[str]]:
    """The first table after a heading: its cells without backticks."""
    lines = PAGE.split(heading, 1)[1].split("|---|", 1)[1].splitlines()[1:]
    table = lines[: next(i for i, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in table]


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's recipe with tiny settings."""
    monkeypatch.chdir(tmp_path)
    text = blocks("toml", DOCS / "training.md")[0].code
    for key, value in SETTINGS.items():
        text = re.sub(rf"{key} = [\d_]+", f"{key} = {value}", text)
    (tmp_path / "mine.toml").write_text(text)
    return tmp_path / "mine.toml"


@pytest.mark.slow
def test_commands_and_code_run(recipe: Path) -> None:
    (block,) = blocks("python", DOCS / "training.md")
    names = run(block)
    assert isinstance(names["agent"], NetworkAgent) and names["agent"].name == "mine"
    typed = [line for block in blocks("sh", DOCS / "training.md") for line in block.code.splitlines()]
    listed, another_seed, differs, anew, evaluation = (
        re.sub(r"steps=\d+", "steps=1024", line.replace("train mlp", "train mine.toml"))
        for line in typed
        if "attention-neuron" not in line and "log" not in line  # minutes; a package that is not there
    )
    for command in [listed, another_seed, anew, f"{evaluation} --episodes 2 --workers 1"]:
        result = CliRunner().invoke(app, shlex.split(command, comments=True)[1:])
        assert result.exit_code == 0, result.output
    result = CliRunner().invoke(app, shlex.split(differs)[1:])  # --set differs from what is there
    assert result.exit_code == 2 and "holds another training" in result.output


def test_train_json_holds_what_the_page_says(recipe: Path) -> None:
    assert CliRunner().invoke(app, ["train", "mine.toml", "--out", "out"]).exit_code == 0
    story = json.loads((recipe.parent / "out" / "mine" / "s0" / "train.json").read_text())
    assert {key.strip() for row in rows("`train.json` holds:") for key in row[0].split(",")} == story.keys()
    assert story["recipe_digest"] == load_recipe("mine.toml").digest


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("### `ppo`", Ppo),
        ("### `imitation`", Imitation),
        ("### `evolution`", Evolution),
        ("### `dynamics`", DynamicsRegression),
        ("### `pictures`", PictureMeasurement),
    ],
)
def test_every_setting_is_in_the_tables_with_its_default(heading: str, model: type[BaseModel]) -> None:
    fields = {name: field for name, field in model.model_fields.items() if name != "name"}
    defaults = {name: "" if field.is_required() else json.dumps(field.default) for name, field in fields.items()}
    assert {name: default for name, default, _ in rows(heading)} == defaults


def test_every_key_of_a_recipe_is_in_the_table() -> None:
    assert {row[0] for row in rows("## A recipe of your own")} == Recipe.model_fields.keys()


def test_ctrl_c_says_in_one_line_how_to_go_on(tiny: Tiny, interrupt: Interrupt, tmp_path: Path) -> None:
    sets = [part for key, value in tiny("attention-neuron").items() for part in ("--set", f"{key}={value}")]
    command = ["train", "attention-neuron", "--out", str(tmp_path), *sets]
    end = "what was computed is kept, the same command goes on from there"
    for count, said in (
        (1, "there is no checkpoint yet, nothing is kept"),
        (4, f"the last checkpoint is 0 s old; {end}"),
    ):
        interrupt(count)
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 130
        assert result.output.splitlines()[-1] == f"interrupted; {said}" and "Traceback" not in result.output
    interrupt(0)
    assert CliRunner().invoke(app, command).exit_code == 0


def test_a_log_shows_a_line_for_every_tenth(tiny: Tiny, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from symbench.training import train

    train("attention-neuron", tmp_path, overrides={**tiny("attention-neuron"), "steps": 32 * 4 * 40})
    lines = capsys.readouterr().err.splitlines()
    assert [re.match(r"attention-neuron/s0: (\d+)% \(", line)[1] for line in lines] == [  # type: ignore[index]
        str(percent) for percent in range(10, 101, 10)
    ]
