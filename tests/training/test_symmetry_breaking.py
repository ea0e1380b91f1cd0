"""Hard, soft, augmentation and none: arms of a study whose actions are forces, and augmentation in recipes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies.equivariant import free_part
from symbench.training import train
from symbench.training.recipe import load_recipe
from symbench.training.study import Arm, Study, load_study
from symbench.training.study.action_laws import Choices, Forces, law_of
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.learner import Learner, Measurement
from symbench.training.study.run_study import read_run, run_study
from symbench.training.study.stack import Stack
from symbench.zoo import load_agent

ARMS = ("hard", "soft", "augmentation", "none")
SIZES = {"agents": 3, "bodies": 6, "dim": 2, "attributes": 2}
AUGMENTED = "particle-spread-gnn-augmented"


def small(**changes: Any) -> Study:
    given = {"steps": 128, "eval_every": 64, "eval_episodes": 2, "seeds": 2, "stack": 2, **changes}
    algorithm = {"name": "ppo", "num_envs": 4, "n_steps": 16, "epochs": 1, "value_coefficient": 0.05}
    return load_study("symmetry-breaking", {**given, "algorithm": algorithm})


@pytest.fixture
def _float64() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def test_forces_are_normal_numbers() -> None:
    law = law_of(spaces.Box(-1, 1, (3, 2)))
    assert isinstance(law, Forces) and isinstance(law_of(spaces.MultiDiscrete([5, 5])), Choices)
    torch.manual_seed(0)
    scores = torch.randn(2, 7, 12)
    means, logs = scores[..., :6], scores[..., 6:]
    actions = law.draw(scores, law.noise(np.random.default_rng(0), 2, 7))
    assert actions.shape == (2, 7, 3, 2) and actions.dtype == np.float32
    normal = torch.distributions.Normal(means, logs.exp())
    flat = torch.from_numpy(actions).flatten(2)
    torch.testing.assert_close(law.log_probability(scores, torch.from_numpy(actions)), normal.log_prob(flat).sum(-1))  # type: ignore[no-untyped-call]
    entropy = normal.entropy().sum(-1)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(law.entropy(scores), entropy)
    many = law.draw(scores[:1, :1].expand(1, 20_000, -1), law.noise(np.random.default_rng(0), 1, 20_000))
    np.testing.assert_allclose(many[0].reshape(-1, 6).mean(axis=0), means[0, 0], atol=0.1)
    np.testing.assert_allclose(np.log(many[0].reshape(-1, 6).std(axis=0)), logs[0, 0], atol=0.03)


def test_other_actions_are_refused() -> None:
    with pytest.raises(SymbenchError, match=r"studies know Discrete, MultiDiscrete and Box actions, received"):
        law_of(spaces.MultiBinary(3))


@pytest.mark.slow
@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize("arm", ARMS)
def test_a_stack_learns_as_its_runs_do_alone(arm: str) -> None:
    study = small()

    def learned(seeds: list[int]) -> torch.Tensor:
        learner = Learner(study, study.arm(arm), seeds)
        before = learner.stack.parameters.detach().clone()
        for _ in range(2):
            learner.update()
        assert ((learner.stack.parameters - before).abs().amax(dim=1) > 1e-3).all()
        return learner.stack.parameters.detach()

    torch.testing.assert_close(learned([0, 1])[1], learned([1])[0], atol=1e-7, rtol=0)


class Still(Forces):
    """Plays the means."""

    def draw(self, scores: torch.Tensor, noise: Any) -> Any:
        return super().draw(scores, 0 * noise)


def frame_averaged() -> Arm:
    network = {"kind": "frame-averaged", "network": {"kind": "plain-graph", "hidden": 8}, **SIZES}
    return Arm(name="frames", learning_rate=1e-3, network=network)


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize("arm", [small().arm("hard"), frame_averaged(), small().arm("none")], ids=lambda arm: arm.name)
def test_who_turns_with_the_scene_plays_the_same_in_turned_training(arm: Arm) -> None:
    """Two learners, of which one sees every episode turned, and draws nothing: the same returns, for some networks."""
    turned = arm.model_copy(update={"perturbations": small().arm("augmentation").perturbations})
    returns = []
    for each in (arm, turned):
        learner = Learner(small(task="ParticleSpread"), each, [0])
        learner.law = Still(learner.law.shape)
        returns.append(learner.play().returns)
    difference = float((returns[0] - returns[1]).abs().max())
    assert difference < 1e-2 if arm.name != "none" else difference > 0.1  # observations are float32


def test_augmentation_is_of_training_alone() -> None:
    study = small()
    plain, augmented = (Learner(study, study.arm(name), [0]) for name in ("none", "augmentation"))
    measure = Measurement(study, [0])
    assert type(measure.envs) is type(plain.envs) is not type(augmented.envs)
    seen, turned = (learner._observations for learner in (plain, augmented))
    assert np.abs(seen["positions"] - turned["positions"]).max() > 0.1
    lengths = [np.sort(np.linalg.norm(part["positions"], axis=-1), axis=-1) for part in (seen, turned)]
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-5)


def test_the_price_is_of_the_plain_pathway_of_each_run() -> None:
    arm = small().arm("soft")
    networks = [make_actor_critic(arm.network, seed) for seed in (0, 1)]
    found = Stack(networks, 1e-3, 1.0).free_part()
    torch.testing.assert_close(found, torch.stack([free_part(network) for network in networks]))
    assert found[0] != found[1] and (found > 1).all()
    hard = [make_actor_critic(small().arm("hard").network, seed) for seed in (0, 1)]
    assert Stack(hard, 1e-3, 1.0).free_part().tolist() == [0, 0]

    def left(price: float) -> float:
        learner = Learner(small(), arm.model_copy(update={"free_coef": price}), [0])
        for _ in range(3):
            learner.update()
        return float(learner.stack.free_part().detach())

    assert left(1.0) < left(0.0)


def test_what_an_arm_does_not_say_does_not_count_in_its_digest() -> None:
    study = small()
    same = study.arm("none").model_copy(update={"perturbations": (), "free_coef": 0.0})
    assert study.digest(same) == study.digest(study.arm("none"))
    others = [study.arm("augmentation"), study.arm("none").model_copy(update={"free_coef": 0.1})]
    assert len({study.digest(arm.model_copy(update={"name": "none"})) for arm in [*others, same]}) == 3


@pytest.mark.slow
def test_the_study_runs_in_any_wind(tmp_path: Path) -> None:
    for wind in (0, 5):
        study = small(task=f"symbench/ParticleSpread-v0?wind={wind}", stack=1, seeds=1)
        files = run_study(study, tmp_path / str(wind))
        assert [file.parent.name for file in files] == list(ARMS)
        assert all(np.isfinite(read_run(file)["returns"]).all() for file in files)
    with pytest.raises(SymbenchError, match="was made with other settings"):
        run_study(small(task="symbench/ParticleSpread-v0?wind=1", stack=1, seeds=1), tmp_path / "5")


def test_a_recipe_may_turn_what_is_seen_in_training(tmp_path: Path) -> None:
    assert load_recipe(AUGMENTED).perturbations[0].wrapper == "TransformByGroup"
    tiny = {"steps": 64, "num_envs": 2, "n_steps": 16, "batch_size": 16, "n_epochs": 1}
    path = train(AUGMENTED, tmp_path, overrides=tiny)
    story = json.loads((path.parent / "train.json").read_text())
    assert story["recipe_data"]["perturbations"] == [{"wrapper": "TransformByGroup", "symmetry": "ParticleSpread"}]
    plain = train("particle-spread-gnn", tmp_path, overrides=tiny)
    weights = [load_agent(each).network.state_dict() for each in (path, plain)]
    assert any(not torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
