"""The learner of studies: a stack learns as its runs do alone, by the algorithm that was published."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from study_cases import small

from symbench.tasks import get_task
from symbench.training.study import Algorithm, Study, load_study
from symbench.training.study.action_laws import sample
from symbench.training.study.actor_critic_networks import make_actor_critic
from symbench.training.study.learner import Learner, Measurement, advantages_of, as_input


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_it_learns() -> None:
    study = load_study("cartpole")
    learner, measure = Learner(study, study.arm("equivariant"), range(2)), Measurement(study, range(2))
    before = measure(learner.stack, 0)
    for _ in range(50):
        learner.update()
    assert (measure(learner.stack, 1) > 2 * before).all()
