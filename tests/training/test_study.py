"""Studies: stacks learn as single runs do; numbers depend neither on workers nor on a resume; curves are read right."""

from __future__ import annotations

import json
import os
import signal
import sys
from operator import itemgetter
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.spaces import Box, flatdim
from study_cases import small
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.tasks import get_task, registry
from symbench.training.study import load_study, studies
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.learner import as_input
from symbench.training.study.learning_curves import read_curves
from symbench.training.study.run_study import Job, read_run, run_study
from symbench.trees import map_tree

PUBLISHED = {  # parameters; facts of van der Pol et al. 2020
    ("cartpole", "equivariant"): 8770,
    ("cartpole", "mlp"): 9027,
    ("grid-world", "equivariant"): 31_395,
    ("grid-world", "cnn"): 33_606,
    # Of van der Pol et al. 2022; how large a picture is makes no difference.
    ("wildlife", "equivariant"): 28_835,
    ("wildlife", "standard"): 26_694,
    ("traffic", "equivariant"): 29_522,
    ("traffic", "standard"): 28_067,
}


@pytest.mark.parametrize(("name", "arm"), [(name, arm.name) for name in studies() for arm in load_study(name).arms])
def test_every_arm_of_the_bundled_studies_reads_its_task(name: str, arm: str) -> None:
    study = load_study(name)
    network = make_actor_critic(study.arm(arm).network, seed=0)
    envs = get_task(study.task).make_vec(3)
    shown = as_input(envs.reset(seed=0)[0], 1)
    scores, values = network(map_tree(itemgetter(0), shown))
    numbers = 2 if isinstance(envs.single_action_space, Box) else 1  # mean and deviation of a force
    assert scores.shape == (3, numbers * flatdim(envs.single_action_space))
    assert values.shape == (3,)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert parameters == PUBLISHED.get((name, arm), parameters)


def returns_in(folder: Path) -> dict[str, list[float]]:
    return {path.relative_to(folder).as_posix(): read_run(path)["returns"] for path in sorted(folder.glob("*/*.json"))}


@pytest.mark.slow
def test_numbers_depend_neither_on_workers_nor_on_a_resume(tmp_path: Path) -> None:
    study = small(seeds=4)
    files = run_study(study, tmp_path / "one", ["mlp"])
    assert [path.name for path in files] == ["s0.json", "s1.json", "s2.json", "s3.json"]
    expected = returns_in(tmp_path / "one")
    run_study(study, tmp_path / "two", ["mlp"], workers=2)
    assert returns_in(tmp_path / "two") == expected
    times = {path: path.stat().st_mtime_ns for path in files}
    files[3].unlink()
    run_study(study, tmp_path / "one", ["mlp"])
    assert returns_in(tmp_path / "one") == expected
    assert [path.stat().st_mtime_ns == times[path] for path in files] == [True, True, False, False]


def die(job: Job, *_: object) -> float:
    """Kill the process that trains."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(job)


@pytest.mark.slow
def test_a_process_that_dies_ends_the_study_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("symbench.training.study.run_study._carry_out", die)
    with pytest.raises(SymbenchError, match="a process that trained is gone"):
        run_study(small(seeds=4), tmp_path, ["mlp"], workers=2)


def test_a_run_is_the_same_however_many_are_asked_for(tmp_path: Path) -> None:
    run_study(small(seeds=1), tmp_path / "few", ["mlp"])
    run_study(small(seeds=3), tmp_path / "many", ["mlp"])
    few, many = returns_in(tmp_path / "few"), returns_in(tmp_path / "many")
    assert few == {name: many[name] for name in few}
    assert len(read_curves(small(seeds=1), tmp_path / "few")[0].returns) == 1


def test_runs_of_other_settings_are_not_taken_for_these(tmp_path: Path) -> None:
    run_study(small(), tmp_path, ["mlp"])
    other = small(steps=240)
    for use in (lambda: run_study(other, tmp_path, ["mlp"]), lambda: read_curves(other, tmp_path)):
        with pytest.raises(SymbenchError, match=r"s0\.json was made with other settings"):
            use()
    run_study(other, tmp_path, ["mlp"], resume=False)
    run_study(small(steps=240, threshold=5.0, description="other words"), tmp_path, ["mlp"])
    assert read_curves(other, tmp_path)[0].steps.tolist() == [0, 80, 160, 240]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "steps: Input should be greater than or equal to 1, received 0"),
        ({"algorithm": {"name": "dqn"}}, "algorithm.name: Input should be 'ppo' or 'a2c', received 'dqn'"),
        ({"algorithm": {"name": "ppo", "minibatches": 3}}, "cannot be cut into 3 equal minibatches"),
        ({"colour": 1}, "colour: Extra inputs are not permitted, received 1"),
        ({"arms": [{"name": "a", "learning_rate": 1, "network": {}}] * 2}, "received a more than once"),
    ],
)
def test_mistakes_in_a_study_are_one_line(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SymbenchError, match=message.replace(".", r"\.")) as caught:
        small(**change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: load_study("cartpol"), "did you mean 'cartpole'"),
        (lambda: load_study("none.toml"), r"'none\.toml' cannot be read"),
        (lambda: small().arm("cnn"), "unknown arm 'cnn' of study cartpole"),
        (lambda: make_actor_critic({"kind": "mpl"}, 0), "unknown network kind 'mpl'"),
        (lambda: make_actor_critic({"kind": "plain-mlp", "depth": 3}, 0), "does not describe a 'plain-mlp'"),
        (lambda: run_study(small(), Path("x"), workers=0), "workers must be at least 1, received 0"),
        (lambda: read_curves(small(), Path("nowhere")), "holds no runs of study cartpole"),
    ],
)
def test_mistakes_of_users_name_the_remedy(use: Any, message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        use()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action_dim": 3}, "arm narrow: the network says 3 numbers, actions of CartPole-v1 take 2"),
        ({"num_sensors": 5}, r"arm narrow: the network cannot read what CartPole-v1 shows, Box\(4,\): "),
    ],
)
def test_a_network_that_does_not_fit_the_task_is_told_before_it_is_trained(
    change: dict[str, int], message: str, tmp_path: Path
) -> None:
    study = small()
    network = {"kind": "plain-mlp", "num_sensors": 4, "action_dim": 2, **change}
    arm = study.arms[0].model_copy(update={"name": "narrow", "network": network})
    with pytest.raises(SymbenchError, match=message):
        run_study(study.model_copy(update={"arms": (arm,)}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_knows_all_studies() -> None:
    for name, meant in (("sensor-baseline", "sensor-baselines"), ("nbdy", "nbody"), ("cartpol", "cartpole")):
        said = CliRunner().invoke(app, ["study", name]).output
        assert f"did you mean '{meant}'" in " ".join(said.split())


OWN = """
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv
gym.register("MyPole-v0", CartPoleEnv, max_episode_steps=50)
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_environment_of_ones_own_is_studied_if_it_is_trusted(
    workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_poles.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    study = small(task="my_poles:MyPole-v0", seeds=4)
    arm = [study.arms[-1].name]
    if workers == 1:
        with pytest.raises(SymbenchError, match="if you trust it, add --trust"):
            run_study(study, tmp_path / "out", arm)
    files = run_study(study, tmp_path / "out", arm, workers=workers, trust=True)
    assert len(files) == 4 and all(read_run(file)["returns"][-1] > 0 for file in files)
    monkeypatch.delitem(sys.modules, "my_poles")
    monkeypatch.delitem(gym.registry, "MyPole-v0")
    monkeypatch.setattr(registry, "_of_gymnasium", {})


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s0.json"
    for text in ("{", json.dumps({"steps": [1]}), "[]"):
        path.write_text(text)
        with pytest.raises(SymbenchError, match=r"s0\.json is not the file of a training run"):
            read_run(path)


def test_the_study_on_the_docs_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    (tmp_path / "widths.toml").write_text(page.split("```toml")[1].split("```")[0])
    study = load_study(str(tmp_path / "widths.toml"))
    assert [arm.name for arm in study.arms] == ["narrow", "wide"]
    for arm in study.arms:
        make_actor_critic(arm.network, 0)
    for name in studies():
        arms = ", ".join(arm.name for arm in load_study(name).arms)
        assert f"| `{name}` | {load_study(name).task} | {load_study(name).algorithm.name.upper()} | {arms} |" in page
