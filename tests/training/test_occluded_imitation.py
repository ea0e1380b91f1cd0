"""Imitation under hidden patches, with a memory brought up to date, and of teachers that say how sure they are."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.policies import VisionAttentionNeuronNetwork
from symbench.policies.actions import action_head
from symbench.training import Recipe, load_recipe, train
from symbench.training.imitation import Player, Segment, segment_loss
from symbench.training.patch_masks import PatchMasks
from symbench.training.recipe_parts import check, teacher_of
from symbench.training.training_envs import make_training_envs

if TYPE_CHECKING:
    from pathlib import Path

STEPS, ENVS = 6, 4
NETWORK = {"num_codes": 16, "code_dim": 4, "conv": [], "hidden": [16]}
MASKED = {"wrapper": "OccludePatches", "patch_mask": True}
SOFT = {"move": 2.0, "switch": 4.0, "temperature": 2.0}


def student(**changes: Any) -> VisionAttentionNeuronNetwork:
    torch.manual_seed(0)
    return VisionAttentionNeuronNetwork(spaces.Discrete(6), **{**NETWORK, **changes})


def recipe(**algorithm: Any) -> Recipe:
    """A tiny one, on Pong."""
    settings = {"name": "imitation", "teacher": "controller", "steps": 96, "num_envs": ENVS, "segment": STEPS}
    said = {
        "description": "",
        "agent": "tiny",
        "task": "Pong",
        "network": {"kind": "vision-attention-neuron", **NETWORK},
    }
    return Recipe.model_validate({"name": "tiny", **said, "algorithm": {**settings, "batch": 2, **algorithm}})


def played(
    network: VisionAttentionNeuronNetwork, occlusion: float = 0.5, guided: float = 0.0, **algorithm: Any
) -> tuple[Player, Segment]:
    plan = recipe(**algorithm)
    teacher = teacher_of("Pong", plan.algorithm, 0)
    envs, kept = make_training_envs(plan, ENVS, teacher)
    with closing(envs):
        player = Player(envs, kept, network, teacher, np.random.default_rng(0), occlusion)
        player.play(4, 0.5)
        return player, player.play(STEPS, 0.0 if guided else 0.5, guided)


def test_masks_hide_their_share_and_are_drawn_anew() -> None:
    masks = PatchMasks(0.3, 196, np.random.default_rng(0))
    first, second = masks.draw(50), masks.draw(50)
    assert (first.sum(dim=1) == 196 - 59).all() and (second.sum(dim=1) == 196 - 59).all()
    assert not torch.equal(first, second) and not torch.equal(first[0], first[1])
    hidden = 1 - torch.cat([first, second]).double().mean(dim=0)
    assert 0.1 < hidden.min() and hidden.max() < 0.5  # each patch in its turn


def test_frames_are_kept_whole_and_met_under_other_masks_at_every_gradient_step() -> None:
    network = student()
    _, segment = played(network)
    assert isinstance(segment.observations, torch.Tensor) and segment.observations[:, :, 10:].min() > 0
    rows, masks = torch.arange(ENVS), PatchMasks(0.5, 196, np.random.default_rng(1))
    mask = PatchMasks(0.5, 196, np.random.default_rng(1)).draw(ENVS)
    shown = {"image": segment.observations, "mask": mask.expand(STEPS, -1, -1)}
    expected = segment_loss(network, Segment(network.revealed(segment.state), shown, *after_two(segment)), rows)
    losses = [segment_loss(network, segment, rows, masks=masks) for _ in range(2)]
    assert torch.equal(losses[0], expected) and not torch.equal(losses[1], expected)
    nothing = PatchMasks(0.0, 196, np.random.default_rng(0))
    revealed = Segment(network.revealed(segment.state), segment.observations, *after_two(segment))
    assert torch.equal(segment_loss(network, segment, rows, masks=nothing), segment_loss(network, revealed, rows))


def after_two(segment: Segment) -> tuple[torch.Tensor, ...]:
    return segment.starts, segment.actions, segment.targets


def test_the_student_plays_under_one_mask_an_episode() -> None:
    player, _ = played(student())
    assert player.mask is not None and torch.equal(player.state[0], player.mask != 0)
    before = player.mask
    player.masks.draw(3)
    ended = np.array([True, False, False, True])
    player.envs.step = lambda _: (np.zeros((ENVS, 84, 84, 1), np.uint8), np.zeros(ENVS), ended, ~ended & False, {})
    player._step(torch.zeros(ENVS, dtype=torch.long))
    assert [torch.equal(a, b) for a, b in zip(before, player.mask, strict=True)] == [False, True, True, False]


def test_nothing_is_learned_from_the_steps_of_burn_in() -> None:
    network = student(lstm_dim=8)
    _, segment = played(network, occlusion=0.0)
    rows, other = torch.arange(ENVS), segment.targets.clone()
    other[:2] = (other[:2] + 1) % 6
    changed = Segment(segment.state, segment.observations, segment.starts, segment.actions, other)
    losses = {burn_in: segment_loss(network, segment, rows, burn_in).item() for burn_in in (0, 2)}
    assert segment_loss(network, changed, rows, 2).item() == losses[2]
    assert segment_loss(network, changed, rows, 0).item() != losses[0]
    # Yet those steps bring the memory up to date.
    lost = tuple(
        torch.zeros_like(part) if part.ndim == 2 and part.is_floating_point() else part for part in segment.state
    )
    forgetful = Segment(lost, segment.observations[2:], *(part[2:] for part in after_two(segment)))
    assert segment_loss(network, forgetful, rows).item() != losses[2]


def test_a_teacher_may_say_how_likely_it_does_what() -> None:
    network = student()
    _, segment = played(network, occlusion=0.0, guided=1.0, teacher_options=SOFT)
    assert segment.targets.shape == (STEPS, ENVS, 6) and segment.targets.dtype == torch.float32
    torch.testing.assert_close(segment.targets.sum(dim=2), torch.ones(STEPS, ENVS))
    assert (segment.targets[:, :, [0, 2, 3]] == 0).all()
    rows = torch.arange(ENVS)
    _, logits = network.unroll(segment.observations, segment.starts, segment.actions, segment.state)
    expected = -(segment.targets * logits.log_softmax(dim=2)).sum(dim=2).mean()
    torch.testing.assert_close(segment_loss(network, segment, rows), expected)
    assert torch.equal(segment.actions.argmax(dim=2), segment.targets.argmax(dim=2))  # led: it does what it finds best


def test_probabilities_of_one_action_are_as_its_number() -> None:
    head, logits, actions = action_head(spaces.Discrete(6)), torch.randn(5, 6), torch.tensor([1, 4, 5, 1, 0])
    soft = torch.nn.functional.one_hot(actions, 6).float()
    torch.testing.assert_close(head.distance(logits, soft), head.distance(logits, actions))


def test_training_with_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'description = ""\nagent = "mine"\ntask = "Pong"\n[network]\nkind = "vision-attention-neuron"\n'
        "num_codes = 16\nconv = []\nhidden = [16]\nlstm_dim = 8\n[algorithm]\nname = 'imitation'\n"
        "teacher = 'controller'\nteacher_options = { switch = 4.0, temperature = 2.0 }\nocclusion = 0.5\n"
        "burn_in = 2\nsteps = 64\nnum_envs = 4\nsegment = 4\nbatch = 4\nupdates = 1\n"
    )
    assert train(str(tmp_path / "mine.toml"), tmp_path).with_suffix(".safetensors").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": {"kind": "nature-cnn"}, "algorithm": {"occlusion": 0.5}}, "networks that read patches"),
        (
            {"perturbations": [{"wrapper": "OccludePatches", "patch_mask": True}], "algorithm": {"occlusion": 0.5}},
            "alone",
        ),
        ({"algorithm": {"teacher_options": {"calm": 1.0}}}, "teacher_options of PongController: .*'calm'"),
        ({"algorithm": {"teacher_options": {"switch": -1.0}}}, "costs and temperature are at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    said = recipe().model_dump()
    algorithm = said["algorithm"] | changes.pop("algorithm")
    with pytest.raises(SymbenchError, match=message):
        check(Recipe.model_validate({**said, **changes, "algorithm": algorithm}), seed=0)


def test_agents_that_teach_have_no_options(teacher: str) -> None:
    settings = load_recipe("attention-neuron").algorithm
    settings = settings.model_copy(update={"teacher": teacher, "teacher_options": {"switch": 1.0}})
    with pytest.raises(SymbenchError, match="teacher_options are a controller's"):
        teacher_of("CartPoleSwingUp", settings, 0)


def test_burn_in_leaves_steps_to_learn_from() -> None:
    with pytest.raises(ValueError, match="burn_in must be less than segment"):
        recipe(burn_in=STEPS)


def test_trainings_that_began_before_these_settings_go_on() -> None:
    """A recipe that does not use them has the digest that it had."""
    plan = load_recipe("pong-attention-neuron")
    said = plan.model_dump(mode="json")
    for name in ("teacher_options", "occlusion", "burn_in", "noise_odds"):
        del said["algorithm"][name]
    assert plan.digest == hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    digests = {recipe(**used).digest for used in ({}, {"occlusion": 0.5}, {"burn_in": 1}, {"teacher_options": SOFT})}
    assert len(digests) == 4
