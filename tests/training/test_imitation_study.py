"""Studies of imitation: students are measured as they learn, under conditions of a suite; runs are agents."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from symbench.cli import app
from symbench.envs.pong import PongStickyEnv
from symbench.errors import SymbenchError
from symbench.policies.vision.patches import to_patches
from symbench.runner.evaluate import play
from symbench.tasks import get_task
from symbench.training.imitation_study import (
    ImitationStudy,
    imitation_studies,
    load_imitation_study,
    read_conditions,
    run_imitation_study,
)
from symbench.training.recipe import Recipe, load_recipe
from symbench.training.recipe_parts import check, make_network
from symbench.wrappers.vector import ShuffleSensors
from symbench.zoo import load_agent, load_card

if TYPE_CHECKING:
    from tests.training.conftest import Commit

NAME, ARM = "sensor-baselines", "history-mlp"
ARMS = [(name, arm.name) for name in imitation_studies() for arm in load_imitation_study(name).arms]


def small(teacher: str, **changes: Any) -> ImitationStudy:
    algorithm = {"teacher": teacher, "steps": 512, "num_envs": 16, "segment": 4, "batch": 8, "updates": 1}
    settings = {"algorithm": algorithm, "points": 4, "episodes": 3, "last_episodes": 5, "seeds": 2, **changes}
    return ImitationStudy.model_validate({**load_imitation_study(NAME).model_dump(), **settings})


@pytest.mark.parametrize(("name", "arm"), ARMS)
def test_every_arm_of_the_bundled_studies_fits_its_task_and_teacher(name: str, arm: str) -> None:
    study = load_imitation_study(name)
    check(study.recipe(arm), seed=0)
    assert study.conditions()
    if name == NAME:
        assert ("unshuffled" in arm) == (not study.recipe(arm).perturbations)


def test_students_of_pong_may_be_taught_on_another_task_of_the_controller() -> None:
    for task in ("Pong", "PongSticky"):
        study = load_imitation_study("pong-occlusion", task=task)
        plan = study.recipe("lstm-80")
        assert plan.task == task and plan.algorithm.occlusion == 0.8
        check(plan, seed=0)
    with pytest.raises(SymbenchError, match="teacher_options of CarRacingController"):
        check(load_imitation_study("pong-occlusion", task="CarRacing").recipe("lstm-80"), seed=0)


def test_arms_change_what_they_say_of_the_recipe_of_the_bundled_student_of_hidden_patches() -> None:
    def settings(recipe: Recipe) -> dict[str, Any]:
        parts = recipe.model_dump(include={"task", "perturbations", "algorithm"})
        return parts | {"network": {"lstm_dim": 0, **recipe.network}}

    study = load_imitation_study("pong-occlusion-changes")
    bundled = settings(load_recipe("pong-attention-neuron-memoryless-50"))
    changed = {arm.name: _differences(bundled, settings(study.recipe(arm.name))) for arm in study.arms}
    assert changed == {
        "unchanged": set(),
        "masks-anew": {"perturbations", "algorithm.occlusion"},
        "calm-teacher": {"algorithm.teacher_options"},
        "random-actions": {"algorithm.exploration"},
    }
    with_lstm = settings(load_recipe("pong-attention-neuron-occluded-50"))
    burn_in = load_recipe(Path(__file__).parents[2] / "docs" / "data" / "pong-burn-in.toml")
    assert _differences(with_lstm, settings(burn_in)) == {"algorithm.segment", "algorithm.burn_in"}
    assert burn_in.algorithm.segment - burn_in.algorithm.burn_in == with_lstm["algorithm"]["segment"]


def _differences(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """Names of the settings that differ, those of the algorithm behind its own."""
    names = {name for name in one if name != "algorithm" and one[name] != other[name]}
    mine, its = one["algorithm"], other["algorithm"]
    return names | {f"algorithm.{name}" for name in mine.keys() | its if mine.get(name) != its.get(name)}


def test_scores_of_patches_are_equally_far_apart_in_all_students_of_the_factorial_at_first() -> None:
    """Deviation of the logarithm of attention over the patches of a game, mean of three starts."""
    rng = np.random.default_rng(0)
    patches, spread = game_patches(rng), {}
    study = load_imitation_study("pong-attention")
    for arm in study.arms:
        for seed in range(3):
            torch.manual_seed(seed)
            layer = make_network(study.recipe(arm.name), seed).layer
            weights = layer.weights(patches, torch.zeros(len(patches), 6)).log().std(dim=2)
            spread.setdefault(arm.name, []).append(weights.pow(2).mean().sqrt().item())
    means = {name: float(np.mean(each)) for name, each in spread.items()}
    assert len(means) == 10 and max(means.values()) < 1.4 * min(means.values()), means.items()


@torch.no_grad()
def game_patches(rng: np.random.Generator) -> torch.Tensor:
    """Stacks of four frames, the ball in play, of games with random actions."""
    stacks = []
    for seed in range(4):
        with closing(PongStickyEnv()) as env:
            env.reset(seed=seed)
            frames = np.stack([env.step(int(rng.integers(6)))[0] for _ in range(70)][-4:])
        stacks.append(to_patches(torch.from_numpy(frames), 6).transpose(0, 1))
    return torch.stack(stacks).contiguous()


@pytest.mark.slow
def test_curves_say_what_the_agents_score_under_each_condition(teacher: str, tmp_path: Path) -> None:
    study = small(teacher)
    paths = run_imitation_study(study, tmp_path, [ARM])
    assert paths == [tmp_path / ARM / f"s{seed}" / "agent" for seed in range(2)]
    curves = {each.arm: each for each in read_conditions(study, tmp_path)}
    assert list(curves) == [f"{ARM}/{level}" for level in ("in-order", "per-episode", "every-100", "every-25")]
    assert curves[f"{ARM}/in-order"].steps.tolist() == [128, 256, 384, 512]
    assert curves[f"{ARM}/in-order"].returns.shape == (2, 4)
    seeds = list(range(1_000_000, 1_000_005))
    for run, path in enumerate(paths):
        envs, agent = get_task(study.task).make_vec(5), load_agent(path)
        assert load_card(path)["recipe"] == agent.name == ARM
        in_order = play(envs, agent, seeds).returns.mean()
        shuffled = play(ShuffleSensors(envs), agent, seeds).returns.mean()
        assert curves[f"{ARM}/in-order"].returns[run, -1] == pytest.approx(in_order, abs=0.01)
        assert curves[f"{ARM}/per-episode"].returns[run, -1] == pytest.approx(shuffled, abs=0.01)


@pytest.mark.slow
def test_numbers_do_not_depend_on_workers(teacher: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, saved = small(teacher), []
    for workers in (1, 2):
        paths = run_imitation_study(study, tmp_path / str(workers), [ARM], workers=workers, allow_dirty=True)
        saved.append([path.with_suffix(".safetensors").read_bytes() for path in paths])
    assert saved[0] == saved[1]
    assert f"{NAME}: 100% (2 of 2)" in capfd.readouterr().err  # and each training says how far it is
    one, two = (read_conditions(study, tmp_path / each) for each in ("1", "2"))
    assert all(np.array_equal(a.returns, b.returns) for a, b in zip(one, two, strict=True))


def test_a_finished_run_stays_and_is_not_mistaken_for_another(teacher: str, tmp_path: Path) -> None:
    study = small(teacher, seeds=1)
    run = run_imitation_study(study, tmp_path / "whole", [ARM])[0]
    again = run.with_suffix(".safetensors").stat().st_mtime_ns
    assert run_imitation_study(study, tmp_path / "whole", [ARM]) == [run]
    assert run.with_suffix(".safetensors").stat().st_mtime_ns == again
    with pytest.raises(SymbenchError, match="holds another training"):
        run_imitation_study(small(teacher, seeds=1, episodes=4), tmp_path / "whole", [ARM])
    with pytest.raises(SymbenchError, match="other settings of study"):
        read_conditions(small(teacher, seeds=1, episodes=4), tmp_path / "whole")


def test_runs_are_of_clean_commits(teacher: str, commit: Commit, tmp_path: Path) -> None:
    commit("b" * 40 + "+changes")
    study = small(teacher, seeds=1)
    with pytest.raises(SymbenchError, match="--allow-dirty"):
        run_imitation_study(study, tmp_path, [ARM])
    (path,) = run_imitation_study(study, tmp_path, [ARM], allow_dirty=True)
    assert load_card(path)["allow_dirty"] is True


def test_mistakes_are_told(teacher: str, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="did you mean 'history-mlp'"):
        run_imitation_study(small(teacher), tmp_path, ["history-mpl"])
    with pytest.raises(SymbenchError, match="level 'every-24' of suite shuffle"):
        small(teacher, levels=("every-24",)).conditions()
    with pytest.raises(SymbenchError, match=r"arm history-mlp: .*batch"):
        small(teacher, algorithm={"teacher": teacher, "steps": 1, "batch": 0}).recipe(ARM)
    with pytest.raises(SymbenchError, match="holds no finished runs"):
        read_conditions(small(teacher), tmp_path)
    with pytest.raises(SymbenchError, match="workers must be at least 1, received 0"):
        run_imitation_study(small(teacher), tmp_path, workers=0)


def test_the_command_writes_curves_table_and_figure(
    teacher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("symbench.training.imitation_study.load_imitation_study", lambda *_: small(teacher, seeds=1))
    result = CliRunner().invoke(app, ["study", NAME, "--arm", ARM, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / NAME / "curves.png").exists()
    lines = (tmp_path / NAME / "curves.csv").read_text().splitlines()
    assert lines[0] == "arm,run,step,return" and len(lines) == 1 + 4 * 4
    assert np.isfinite([float(line.split(",")[-1]) for line in lines[1:]]).all()
