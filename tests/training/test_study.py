"""Studies: stacks learn as single runs do; numbers depend neither on workers nor on a resume; curves are read right."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, flatdim
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.tasks import get_task, registry
from symbench.training.study import Algorithm, Study, load_study, studies
from symbench.training.study.action_laws import sample
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.learner import Learner, Measurement, advantages_of, as_input
from symbench.training.study.learning_curves import Curves, read_curves, summarise
from symbench.training.study.run_study import Job, read_run, run_study
from symbench.trees import map_tree
from symbench.viz.draw_curves import draw_curves, write_curves, write_summary

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


def small(name: str = "cartpole", **changes: Any) -> Study:
    return load_study(
        name, {"steps": 160, "eval_every": 80, "eval_episodes": 2, "seeds": 2, "stack": 2, "threshold": 1e9, **changes}
    )


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


def learned(study: Study, arm: str, seeds: list[int], updates: int) -> torch.Tensor:
    learner = Learner(study, study.arm(arm), seeds)
    before = learner.stack.parameters.detach().clone()
    for _ in range(updates):
        learner.update()
    after = learner.stack.parameters.detach()
    assert ((after - before).abs().amax(dim=1) > 1e-3).all()
    return after


@pytest.fixture
def _float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(
    ("name", "arm"),
    [
        *[("cartpole", "mlp"), ("cartpole", "equivariant"), ("grid-world", "cnn")],
        *[("wildlife", arm) for arm in ("equivariant", "standard", "gnn", "centralised-cnn")],
    ],
)
def test_a_stack_learns_as_its_runs_do_alone(name: str, arm: str) -> None:
    study, seeds = small(name), [0, 1, 2]
    together = learned(study, arm, seeds, 3)
    assert (together[0] - together[1]).abs().max() > 0.01
    for row, seed in zip(together, seeds, strict=True):
        # In float64: of a gradient that is nearly 0, Adam makes a whole step of the last bit.
        torch.testing.assert_close(row, learned(study, arm, [seed], 3)[0], atol=1e-7, rtol=0)


def test_a_stack_of_equivariant_cnns_learns_as_its_runs_do_alone() -> None:
    study = small("grid-world")
    together, alone = learned(study, "equivariant", [4, 5], 3)[1], learned(study, "equivariant", [5], 3)[0]
    assert ((together - alone).abs() < 2e-4).float().mean() > 0.998


def test_an_update_is_that_of_torchs_own_adam_and_clipping() -> None:
    study = small("grid-world")
    learner = Learner(study, study.arm("cnn"), [3])
    network = make_actor_critic(study.arm("cnn").network, seed=3)
    optimizer = torch.optim.Adam(network.parameters(), study.arm("cnn").learning_rate)
    batch = learner.play()
    learner.stack.descend(learner.losses(batch))
    scores, values = network(batch.observations[0])
    policy = torch.distributions.Categorical(logits=scores)
    gain = (policy.log_prob(batch.actions[0]) * batch.advantages[0]).mean()
    error = 0.5 * ((values - batch.returns[0]) ** 2).mean()
    torch.autograd.backward(0.5 * error - gain - 0.01 * policy.entropy().mean())
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    expected = torch.nn.utils.parameters_to_vector(network.parameters())
    torch.testing.assert_close(learner.stack.parameters[0], expected, atol=1e-5, rtol=0)


def test_with_lambda_1_advantages_are_discounted_returns_less_values() -> None:
    rng = np.random.default_rng(0)
    rewards, values, ended = rng.random((5, 3)), rng.random((6, 3)).astype(np.float32), rng.random((5, 3)) < 0.3
    found = advantages_of(Algorithm(name="ppo", gamma=0.9), rewards, ended, values)
    for i in range(3):
        total = values[5, i]
        for t in reversed(range(5)):
            total = rewards[t, i] + 0.9 * (0.0 if ended[t, i] else total)
            assert found[t, i] == pytest.approx(total - values[t, i], abs=1e-5)


def test_actions_are_drawn_with_their_probabilities() -> None:
    chances = torch.tensor([0.1, 0.6, 0.3])
    drawn = sample(chances.log().expand(1, 100_000, 3), np.random.default_rng(0).random((1, 100_000)))
    np.testing.assert_allclose(np.bincount(drawn[0]) / 100_000, chances, atol=0.01)


def test_a_measurement_is_the_mean_return_of_the_same_episodes_every_time() -> None:
    study = small(eval_episodes=30)
    measure = Measurement(study, [0, 1])

    def right(observations: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = torch.zeros(*observations.shape[:2], 2)
        scores[..., 1] = 50.0
        return scores, scores[..., 0]

    first, second = measure(right, 0), measure(right, 7)
    np.testing.assert_array_equal(first, second)
    assert first[0] == first[1]
    envs, lengths = get_task("CartPole-v1").make_vec(1), []
    for seed in range(study.seed, study.seed + 30):
        envs.reset(seed=seed)
        count, over = 0, False
        while not over:
            _, _, terminated, *_ = envs.step(np.array([1]))
            count, over = count + 1, bool(terminated[0])
        lengths.append(count)
    assert first[0] == pytest.approx(np.mean(lengths))


def test_frames_reach_networks_with_their_channels_first_and_as_dark_as_the_study_says() -> None:
    frames = np.zeros((4, 3, 3, 1), np.uint8)
    frames[1, 2, 0] = 255
    seen = as_input(frames, 2, frame_divisor=255)
    assert (seen.shape, seen.dtype) == ((2, 2, 1, 3, 3), torch.uint8)
    assert (seen[0, 1, 0, 2, 0], seen.sum()) == (1, 1)
    assert load_study("grid-world").frame_divisor == 255
    torch.testing.assert_close(as_input(frames, 2) // 255, seen)


def test_it_learns() -> None:
    study = load_study("cartpole")
    learner, measure = Learner(study, study.arm("equivariant"), range(2)), Measurement(study, range(2))
    before = measure(learner.stack, 0)
    for _ in range(50):
        learner.update()
    assert (measure(learner.stack, 1) > 2 * before).all()


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


def curves(*returns: list[float]) -> Curves:
    return Curves("arm", 1, np.array([0, 100, 200]), np.array(returns, dtype=np.float64))


def test_area_and_steps_to_threshold() -> None:
    found = curves([0, 10, 20], [0, 0, 0], [20, 0, 20])
    np.testing.assert_allclose(found.areas, [10, 0, 10])
    np.testing.assert_array_equal(found.steps_to(10), [100, np.inf, 0])
    summary = summarise(found, 10)
    assert summary.reached == pytest.approx(2 / 3)
    assert summary.steps.value == 100
    assert np.isnan(summary.steps.low) and np.isnan(summary.area.low), "three runs"
    many = summarise(curves(*[[0, 10, 20], [0, 0, 0], [20, 0, 20]] * 2), 10)
    assert (many.steps.low, many.steps.high) == (0, 200), "of six runs the median lies within all of them"
    assert many.area.low < many.area.value < many.area.high
    assert summary.median_curve == 200  # the median curve is 0, 0, 20


def test_a_run_that_is_measured_once_has_an_area_too() -> None:
    once = Curves("arm", 1, np.array([0]), np.array([[3.0], [5.0]]))
    assert once.areas.tolist() == [3, 5]
    assert summarise(once, 10).area.value == 4


@pytest.mark.parametrize(
    ("runs", "ends"), [(5, None), (6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (20, (6, 15))]
)
def test_the_interval_of_a_median_is_that_of_order_statistics(runs: int, ends: tuple[int, int] | None) -> None:
    """Tables of the sign test, e.g. Hollander and Wolfe: the narrowest ranks that hold the median 95 times of 100."""
    steps = np.arange(runs + 1) * 10
    made = summarise(Curves("arm", 1, steps, np.triu(np.ones((runs, runs + 1)), 1)), 1).steps
    if ends is None:
        assert np.isnan(made.low) and np.isnan(made.high)
    else:
        assert (made.low / 10, made.high / 10) == ends


def test_a_single_run_has_no_interval_and_failures_count_with_all_steps() -> None:
    summary = summarise(curves([0, 1, 2]), 10)
    assert (summary.reached, summary.steps.value, summary.median_curve) == (0.0, 200, np.inf)
    assert np.isnan(summary.area.low)


def test_figure_and_tables(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    found = [curves([0, 1, 2], [0, 3, 4])]
    for name in ("a.png", "b.png"):
        draw_curves(tmp_path / name, found, "title", 2.0)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    lines = write_curves(tmp_path / "curves.csv", found).read_text().splitlines()
    assert lines[:2] == ["arm,run,step,return", "arm,0,0,0.0"]
    assert len(lines) == 7
    header, line = write_summary(tmp_path / "summary.csv", [summarise(found[0], 2)]).read_text().splitlines()
    assert len(header.split(",")) == len(line.split(",")) == 14


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
