"""What is kept of a training: an interrupted one goes on, a finished one stays, another one is not mistaken for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from stable_baselines3 import PPO

from symbench.errors import SymbenchError
from symbench.policies import MLPNetwork
from symbench.training import load_recipe, recipes, train
from symbench.training.recipe_parts import digest_with_agents
from symbench.training.session import Session
from symbench.zoo import load_agent, save_agent

if TYPE_CHECKING:
    from tests.training.conftest import Interrupt, Tiny

ONE_OF_EACH = ["mlp", "attention-neuron", "recurrent-attention-neuron-es"]


def story_of(agent: Path) -> dict[str, Any]:
    story: dict[str, Any] = json.loads((agent.parent / "train.json").read_text())
    return story


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_an_interrupted_run_goes_on_from_its_checkpoint(
    name: str, tiny: Tiny, interrupt: Interrupt, tmp_path: Path
) -> None:
    interrupt(3)
    with pytest.raises(KeyboardInterrupt):
        train(name, tmp_path, overrides=tiny(name))
    before = json.loads((tmp_path / name / "s0" / "curve.json").read_text())
    interrupt(0)
    curve = story_of(train(name, tmp_path, overrides=tiny(name)))["curve"]
    assert before and curve[: len(before)] == before
    done = [row["done"] for row in curve]
    assert done == sorted(set(done)) and len(done) > len(before)


@pytest.mark.slow
def test_resumed_evolution_equals_an_uninterrupted_one(tiny: Tiny, interrupt: Interrupt, tmp_path: Path) -> None:
    name = "recurrent-attention-neuron-es"
    overrides = {**tiny(name), "generations": 3}
    interrupt(3)
    with pytest.raises(KeyboardInterrupt):
        train(name, tmp_path / "a", seed=1, overrides=overrides)
    interrupt(0)
    resumed = load_agent(train(name, tmp_path / "a", seed=1, overrides=overrides)).network.state_dict()
    straight = load_agent(train(name, tmp_path / "b", seed=1, overrides=overrides)).network.state_dict()
    assert all(torch.equal(resumed[key], straight[key]) for key in straight)


def test_a_finished_run_is_not_trained_again(tiny: Tiny, tmp_path: Path) -> None:
    overrides = tiny("attention-neuron")
    path = train("attention-neuron", tmp_path, overrides=overrides)
    before = (path.parent / "train.json").stat().st_mtime_ns
    assert train("attention-neuron", tmp_path, overrides=overrides) == path
    assert (path.parent / "train.json").stat().st_mtime_ns == before


def test_a_finished_run_whose_agent_is_gone_is_trained_again(tiny: Tiny, tmp_path: Path) -> None:
    agent = train("mlp", tmp_path, overrides=tiny("mlp"))
    agent.with_suffix(".safetensors").unlink()
    assert load_agent(train("mlp", tmp_path, overrides=tiny("mlp"))).network is not None


@pytest.mark.parametrize("role", ["start", "teacher"])
def test_another_agent_at_the_path_that_a_recipe_names_is_another_training(role: str, tmp_path: Path) -> None:
    """Not only its path counts but its weights; either of its files, or their common path, names it."""

    def save(scale: float) -> None:
        torch.manual_seed(0)
        network = MLPNetwork(4, Discrete(2), hidden=(8,))
        network.head[0].weight.data *= scale
        save_agent(network, tmp_path / "other", {"agent": "other"})

    ppo = '{ name = "ppo", steps = 64, num_envs = 2, n_steps = 16, batch_size = 16, n_epochs = 1 }'
    taught = (
        f'{{ name = "imitation", teacher = "{tmp_path}/other.json", steps = 64, num_envs = 2, segment = 4, batch = 2 }}'
    )
    lines = {"start": f'start = "{tmp_path}/other"\nalgorithm = {ppo}', "teacher": f"algorithm = {taught}"}
    recipe = 'description = "m"\nagent = "m"\ntask = "CartPole-v1"\nnetwork = { kind = "mlp", hidden = [8] }\n'
    (tmp_path / "mine.toml").write_text(recipe + lines[role])
    save(1.0)
    train(str(tmp_path / "mine.toml"), tmp_path / "out")
    train(str(tmp_path / "mine.toml"), tmp_path / "out")
    save(2.0)
    with pytest.raises(SymbenchError, match="holds another training"):
        train(str(tmp_path / "mine.toml"), tmp_path / "out")


def test_a_curve_without_a_first_return_is_json(tmp_path: Path) -> None:
    session = Session(tmp_path / "s0", 0)
    session.report(10, 1000, float("nan"))
    session.write_json("train.json", {"curve": session.curve})
    assert "NaN" not in (tmp_path / "s0" / "train.json").read_text() and session.curve[0]["return"] is None


def test_a_finished_run_of_another_recipe_is_not_taken_for_this_one(tiny: Tiny, tmp_path: Path) -> None:
    train("mlp", tmp_path, overrides=tiny("mlp"))
    with pytest.raises(SymbenchError, match=r"holds another training .* choose another --out, or --no-resume"):
        train("mlp", tmp_path, overrides={**tiny("mlp"), "gamma": 0.9})
    mine = tmp_path / "mlp.toml"
    mine.write_text(recipes()["mlp"].read_text().replace("64, 64", "8"))
    with pytest.raises(SymbenchError, match="holds another training"):
        train(str(mine), tmp_path, overrides=tiny("mlp"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_checkpoint_of_another_recipe_is_not_gone_on_from(
    name: str, tiny: Tiny, interrupt: Interrupt, tmp_path: Path
) -> None:
    interrupt(3)
    with pytest.raises(KeyboardInterrupt):
        train(name, tmp_path, overrides=tiny(name))
    interrupt(0)
    shorter = {key: value // 2 if key in ("steps", "generations") else value for key, value in tiny(name).items()}
    with pytest.raises(SymbenchError, match="holds another training"):
        train(name, tmp_path, overrides=shorter)
    assert story_of(train(name, tmp_path, resume=False, overrides=shorter))["recipe_data"]["algorithm"] == {
        **load_recipe(name, shorter).algorithm.model_dump()
    }


def test_a_new_start_deletes_what_was_there(tmp_path: Path) -> None:
    written = ("train.json", "agent.json", "agent.safetensors", "checkpoint.pt", "checkpoint.zip", "curve.json")
    for name in (*written, "fitness.npy", "notes.txt"):
        (tmp_path / name).write_text("{}")
    Session(tmp_path, 0, "digest", resume=False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_checkpoint_that_cannot_be_used_is_refused_in_one_line(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "attention-neuron" / "s0"
    network = torch.nn.Linear(1, 1)
    digest = digest_with_agents(load_recipe("attention-neuron", tiny("attention-neuron")))
    Session(folder, 0, digest).save(network, torch.optim.Adam(network.parameters()), 10)
    with pytest.raises(SymbenchError, match=r"cannot resume from .*checkpoint\.pt .* --no-resume"):
        train("attention-neuron", tmp_path, overrides=tiny("attention-neuron"))
    train("attention-neuron", tmp_path, resume=False, overrides=tiny("attention-neuron"))


def test_restore_brings_back_weights_optimizer_and_steps(tmp_path: Path) -> None:
    def one() -> tuple[MLPNetwork, torch.optim.Adam]:
        network = MLPNetwork(5, Box(-1, 1, (1,)))
        optimizer = torch.optim.Adam(network.parameters())
        network.head(torch.randn(8, 5)).sum().backward()
        optimizer.step()
        return network, optimizer

    (network, optimizer), (other, other_optimizer) = one(), one()
    Session(tmp_path, 0).save(network, optimizer, 70)
    assert Session(tmp_path, 0).restore(other, other_optimizer) == 70
    for key, value in network.state_dict().items():
        assert torch.equal(other.state_dict()[key], value)
    moments, restored = optimizer.state_dict()["state"], other_optimizer.state_dict()["state"]
    assert moments and all(torch.equal(restored[i][key], moments[i][key]) for i in moments for key in moments[i])


def test_imitation_goes_on_with_the_weights_of_its_checkpoint(
    tiny: Tiny, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    interrupt(4)
    with pytest.raises(KeyboardInterrupt):
        train("attention-neuron", tmp_path, overrides=tiny("attention-neuron"))
    saved = torch.load(tmp_path / "attention-neuron" / "s0" / "checkpoint.pt", weights_only=True)
    started: list[dict[str, torch.Tensor]] = []

    def stop(player: Any, *_: Any) -> None:
        started.append({key: value.clone() for key, value in player.student.state_dict().items()})
        raise KeyboardInterrupt

    monkeypatch.setattr("symbench.training.imitation.Player.play", stop)
    with pytest.raises(KeyboardInterrupt):
        train("attention-neuron", tmp_path, overrides=tiny("attention-neuron"))
    assert saved["done"] == 3 * 32 * 4
    assert all(torch.equal(started[0][key], value) for key, value in saved["network"].items())


def test_ppo_goes_on_with_the_weights_of_its_checkpoint_and_other_episodes(
    tiny: Tiny, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    observed: list[Any] = []

    def watch(run: str) -> dict[str, torch.Tensor]:
        """Train up to the first report; its model's weights."""
        weights: dict[str, torch.Tensor] = {}

        def stop(report: Any) -> None:
            weights.update({key: value.clone() for key, value in report.model.policy.state_dict().items()})
            observed.append((report.model._last_obs.copy(), torch.randn(4), report.model.policy.optimizer.state_dict()))
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("symbench.training.ppo.Report._on_rollout_start", stop)
            train("mlp", tmp_path / run, overrides=tiny("mlp"))
        return weights

    watch("fresh")
    interrupt(4)
    with pytest.raises(KeyboardInterrupt):
        train("mlp", tmp_path, overrides=tiny("mlp"))
    saved = PPO.load(tmp_path / "mlp" / "s0" / "checkpoint.zip")
    assert saved.num_timesteps == 2 * 16 * 32
    resumed, again = watch("."), watch(".")
    assert all(torch.equal(resumed[key], value) for key, value in saved.policy.state_dict().items())
    moments = saved.policy.optimizer.state_dict()["state"]
    assert moments and all(torch.equal(observed[1][2]["state"][i]["exp_avg"], moments[i]["exp_avg"]) for i in moments)
    for fresh, now, repeated in zip(*(row[:2] for row in observed), strict=True):
        assert not (np.asarray(fresh) == np.asarray(now)).all()
        assert (np.asarray(now) == np.asarray(repeated)).all()
    assert all(torch.equal(again[key], value) for key, value in resumed.items())
