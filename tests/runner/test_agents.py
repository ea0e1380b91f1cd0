"""What may follow ``--agent``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from symbench.errors import SymbenchError
from symbench.runner.agents import load, resolve
from symbench.tasks import TASKS, Task
from symbench.zoo import bundled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TASK = "CartPole-v1"


def test_an_agent_that_nobody_knows_is_named_with_one_that_is_alike() -> None:
    with pytest.raises(SymbenchError, match=r"unknown agent 'mpl' for CartPole-v1; did you mean 'mlp'"):
        resolve(["mpl"], "CartPole-v1")


def test_without_agents_the_bundled_ones_and_random_play() -> None:
    names = list(dict.fromkeys(source.name for source in resolve([], "CartPole-v1")))
    assert names == [*bundled("CartPole-v1"), "random"]


@pytest.mark.parametrize("task", [task for task in TASKS.values() if task.on_request], ids=lambda task: task.name)
def test_agents_on_request_are_bundled_and_play_where_they_are_named(task: Task) -> None:
    bundled_ones, unasked = set(bundled(task.name)), {source.name for source in resolve([], task.name)}
    assert bundled_ones - unasked == set(task.on_request)
    for name in task.on_request:
        assert {source.name for source in resolve([name], task.name)} == {name, "random"}


def test_a_zoo_file_is_called_like_the_file(agents: dict[str, str]) -> None:
    path = agents["mlp"].partition("=")[2]
    assert resolve([path], TASK)[0].name == "mlp"


def test_one_name_in_front_of_several_files_makes_training_runs(agents: dict[str, str]) -> None:
    paths = [agents[name].partition("=")[2] for name in ("mlp", "set")]
    sources = resolve([f"mine={path}" for path in paths], TASK)
    assert [(source.name, source.run) for source in sources] == [("mine", 0), ("mine", 1), ("random", 0)]
    assert sources[0].digest != sources[1].digest


def test_two_agents_cannot_share_a_name_by_accident(agents: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for file in (tmp_path / "agents").glob("mlp.*"):
        (tmp_path / "other" / file.name).write_bytes(file.read_bytes())
    paths = [str(tmp_path / folder / "mlp.safetensors") for folder in ("agents", "other")]
    with pytest.raises(SymbenchError, match="two agents are called 'mlp': name them"):
        resolve(paths, TASK)


def test_only_a_name_in_front_extends_a_group(agents: dict[str, str]) -> None:
    path = agents["mlp"].partition("=")[2]
    for specs in ([f"mlp={path}", path], [path, f"mlp={path}"], ["mlp", f"mlp={path}"], [f"mlp={path}", "mlp"]):
        with pytest.raises(SymbenchError, match="two agents are called 'mlp'"):
            resolve(specs, "CartPoleSwingUp")


def test_random_play_is_in_every_table_once_and_keeps_its_name(agents: dict[str, str]) -> None:
    assert [source.name for source in resolve([agents["mlp"]], TASK)] == ["mlp", "random"]
    assert [source.name for source in resolve(["random", agents["mlp"]], TASK)] == ["random", "mlp"]
    with pytest.raises(SymbenchError, match="'random' is the name of random play"):
        resolve([f"random={agents['mlp'].partition('=')[2]}"], TASK)


def test_the_digest_follows_weights_and_architecture_but_not_the_story_in_the_card(
    agents: dict[str, str], tmp_path: Path
) -> None:
    before = resolve([agents["mlp"]], TASK)[0].digest
    card = tmp_path / "agents" / "mlp.json"
    card.write_text(json.dumps({**json.loads(card.read_text()), "score": 3}))
    assert resolve([agents["mlp"]], TASK)[0].digest == before
    weights = tmp_path / "agents" / "mlp.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    assert resolve([agents["mlp"]], TASK)[0].digest != before


def test_a_zip_needs_its_algorithm(tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=r"which algorithm .*, e\.g\. ppo:mine\.zip"):
        resolve(["mine.zip"], TASK)


def test_missing_files_are_named() -> None:
    with pytest.raises(SymbenchError, match=r"'nowhere\.zip' does not exist"):
        resolve(["ppo:nowhere.zip"], TASK, trust=True)
    with pytest.raises(SymbenchError, match=r"nowhere\.json does not exist"):
        resolve(["./nowhere.safetensors"], TASK)


def test_a_zip_with_code_is_not_loaded_without_trust(sb3_that: Callable[[str], Path]) -> None:
    from symbench.tasks import get_task

    source = resolve([f"ppo:{sb3_that('pass')}"], TASK)[0]
    env = get_task(TASK).make()
    with pytest.raises(SymbenchError, match=r"may execute any code.*surprise.*--trust"):
        load(source, env.observation_space, env.action_space)


def test_names_of_files_become_parts_of_ids(tmp_path: Path) -> None:
    (tmp_path / "my agent (1).zip").write_bytes(b"")
    assert resolve([f"ppo:{tmp_path}/my agent (1).zip"], TASK)[0].name == "my-agent-1"


@pytest.mark.parametrize("name", ["my agent ü", "", "-x"])
def test_a_name_that_cannot_be_part_of_an_id_is_refused(name: str) -> None:
    with pytest.raises(SymbenchError, match=rf"agent name '{name}': a name holds letters, digits and \+ \. _ - only"):
        resolve([f"{name}=nobody"], TASK)
