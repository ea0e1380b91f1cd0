"""A run as a model card of the Hugging Face Hub: valid by its schemas and its own classes, and inert."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.leaderboard.hub_card import CARD, EVAL_RESULTS, hub_files, task_id
from symbench.leaderboard.rows import make_rows
from symbench.runner import Manifest, Record

jsonschema = pytest.importorskip("jsonschema")
hub = pytest.importorskip("huggingface_hub")

SCHEMAS = Path(__file__).parent / "schemas"
CONDITIONS = ("none/in-order", "shuffle-sensors/per-episode", "shuffle-sensors/every-25")


@pytest.fixture
def records(record: Callable[..., Record]) -> list[Record]:
    """Two agents, five training runs each, all conditions."""
    rng = np.random.default_rng(0)
    return [
        record(agent, condition, rng.uniform(300, 500, 8) * (share if place else 1), run)
        for agent, share in (("mine", 0.5), ("mlp", 0.1))
        for place, condition in enumerate(CONDITIONS)
        for run in range(5)
    ]


def front_matter(card: str) -> dict[str, Any]:
    start, matter, _ = card.split("---\n", 2)
    assert start == ""
    loaded: dict[str, Any] = yaml.safe_load(matter)
    return loaded


def check(data: Any, schema: str) -> None:
    jsonschema.validate(data, json.loads((SCHEMAS / schema).read_text()))


def test_the_card_is_valid_and_holds_the_numbers(manifest: Manifest, records: list[Record]) -> None:
    card = hub_files(manifest, records, "mine", licence="mit")[CARD]
    data = front_matter(card)
    check(data, "hub-model-index.json")
    assert data["license"] == "mit" and {"reinforcement-learning", "symbench", "tiny@1"} <= set(data["tags"])
    rows = {row.condition.id: row for row in make_rows(manifest, records) if row.agent == "mine"}
    (model,) = data["model-index"]
    assert model["name"] == "mine" and len(model["results"]) == 3
    for result in model["results"]:
        row = rows[result["dataset"]["config"].removeprefix("tiny@1/")]
        metrics = {each["type"]: each for each in result["metrics"]}
        assert metrics["mean_reward"]["value"] == f"{row.mean:.2f} +/- {row.std:.2f}"
        assert ("symbench_retention" in metrics) is not row.condition.baseline
        if not row.condition.baseline:
            assert metrics["symbench_retention"]["value"] == pytest.approx(row.retention.value, abs=1e-4)
            assert metrics["symbench_retention"]["args"]["low"] == pytest.approx(row.retention.low, abs=1e-4)


def test_the_client_of_the_hub_reads_the_card(manifest: Manifest, records: list[Record]) -> None:
    read = hub.ModelCard(hub_files(manifest, records, "mine")[CARD]).data
    assert read.model_name == "mine" and len(read.eval_results) == 3 * 2 + 2
    assert {each.task_type for each in read.eval_results} == {"reinforcement-learning"}
    assert read.license is None


def test_people_read_conditions_normalisation_and_commands(manifest: Manifest, records: list[Record]) -> None:
    body = hub_files(manifest, records, "mine")[CARD]
    for text in (
        "# mine\n",
        "## tiny@1",
        "retention [95%]",
        "normalised: 0 = ",
        "symbench run --suite tiny",
        "@software",
    ):
        assert text in body
    assert "mlp" not in body, "a card is about one agent"
    assert "REDUCED RUN" in body, "8 episodes instead of 1000"


def test_results_of_a_benchmark_dataset(manifest: Manifest, records: list[Record]) -> None:
    files = hub_files(manifest, records, "mine", benchmark="me/symbench")
    entries = yaml.safe_load(files[EVAL_RESULTS])
    check(entries, "hub-eval-results.json")
    (entry,) = entries
    rows = [row for row in make_rows(manifest, records) if row.agent == "mine" and not row.condition.baseline]
    assert entry["value"] == pytest.approx(100 * np.mean([row.retention.value for row in rows]), abs=0.01)
    assert entry["dataset"] == {"id": "me/symbench", "task_id": "tiny-1-cartpoleswingup"}
    assert "REDUCED RUN" in entry["notes"]
    if hasattr(hub, "parse_eval_result_entries"):
        assert hub.parse_eval_result_entries(entries)[0].value == entry["value"]
    assert EVAL_RESULTS not in hub_files(manifest, records, "mine")


def test_task_ids_are_plain() -> None:
    assert task_id("shuffle@2", "CartPole-v1") == "shuffle-2-cartpole-v1"


def test_texts_of_strangers_are_text(manifest: Manifest, records: list[Record]) -> None:
    """A run directory may come from elsewhere."""
    suite = manifest.suite
    nasty = "<script>1</script> [x](javascript:1) ![y](https://e.org/z.png)\n---\nlicense: gpl"
    label = "a: b # <img src=x> | [x](y) 'q' \"d\""
    first, *others = suite.perturbations
    changed = suite.model_copy(
        update={"description": nasty, "perturbations": (first.model_copy(update={"label": label}), *others)}
    )
    call = manifest.invocations[0].model_copy(update={"command": "symbench run\n```\n<script>2</script>"})
    hostile = manifest.model_copy(update={"suite": changed, "invocations": [call]})
    card = hub_files(hostile, records, "mine")[CARD]
    data = front_matter(card)
    check(data, "hub-model-index.json")
    assert "license" not in data and data["model-index"][0]["results"][0]["dataset"]["name"].endswith(
        f"{label} (REDUCED RUN)"
    )
    outside = "".join(card.split("---\n", 2)[2].split("```")[::2])
    assert "<" not in outside and not re.search(r"(?<!\\)\][(\[]", outside)
    assert card.count("```") == 4, "the command has not ended its block"


def test_what_was_not_played_is_not_claimed(manifest: Manifest, record: Callable[..., Record]) -> None:
    records = [record("mine", CONDITIONS[0], [400.0, 300.0])]
    (result,) = front_matter(hub_files(manifest, records, "mine")[CARD])["model-index"][0]["results"]
    assert result["dataset"]["config"] == "tiny@1/none/in-order"
    assert all(np.isfinite(each["value"]) for each in result["metrics"] if not isinstance(each["value"], str))
    with pytest.raises(SymbenchError, match="no task has a retention under all conditions"):
        hub_files(manifest, records, "mine", benchmark="me/symbench")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"agent": "mien"}, "unknown agent 'mien'"),
        ({"agent": "mine", "licence": "MIT\nx: y"}, "an identifier of the Hub is expected"),
        ({"agent": "mine", "benchmark": "symbench"}, "OWNER/DATASET is expected"),
    ],
)
def test_mistakes_end_in_one_line(
    manifest: Manifest, records: list[Record], options: dict[str, str], message: str
) -> None:
    with pytest.raises(SymbenchError, match=message):
        hub_files(manifest, records, **options)


def test_without_the_client_one_line_says_what_to_install(
    manifest: Manifest, records: list[Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(SymbenchError, match=r"pip install 'symbench\[hub\]'"):
        hub_files(manifest, records, "mine")


@pytest.mark.slow
def test_the_command_writes_the_card_and_overwrites_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = ["run", "--suite", "shuffle", "--task", "CartPole-v1", "--agent", "random", "--episodes", "2", "--out", "run"]
    assert CliRunner().invoke(app, run).exit_code == 0
    export = ["export", "hub", "run", "--agent", "random"]
    result = CliRunner().invoke(app, export)
    assert result.exit_code == 0 and result.stdout == "hub/random/README.md\n", result.output
    check(front_matter((tmp_path / "hub" / "random" / "README.md").read_text()), "hub-model-index.json")
    again = CliRunner().invoke(app, export)
    assert again.exit_code == 2 and "exists; delete it to replace it" in again.stderr
    assert CliRunner().invoke(app, [*export, "--out", "card", "--licence", "mit"]).exit_code == 0
