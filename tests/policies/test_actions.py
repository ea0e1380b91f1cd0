"""Heads decode what a network says to actions of the space, encode actions for memories, and are plain data."""

from __future__ import annotations

import json
from math import prod
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from symbench.policies.actions import (
    ActionHead,
    BoxHead,
    DiscreteHead,
    MultiBinaryHead,
    MultiDiscreteHead,
    action_head,
)
from symbench.policies.spaces import same_actions
from symbench.wrappers.action_vectors import action_vectors

examples = settings(deadline=None, max_examples=40)
SHAPES = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
ROWS = st.integers(1, 4)


@st.composite
def discrete(draw: Any) -> ActionHead:
    space = spaces.Discrete(draw(st.integers(1, 6)), start=draw(st.integers(-5, 5)))
    return action_head(space, quantiles=draw(st.integers(1, 4)))


@st.composite
def multi_discrete(draw: Any) -> ActionHead:
    shape = draw(SHAPES)
    numbers = st.lists(st.integers(1, 4), min_size=prod(shape), max_size=prod(shape))
    counts = np.array(draw(numbers)).reshape(shape)
    start = np.array(draw(numbers)).reshape(shape) if draw(st.booleans()) else None
    return action_head(spaces.MultiDiscrete(counts, start=start))


@st.composite
def multi_binary(draw: Any) -> ActionHead:
    return action_head(spaces.MultiBinary(draw(SHAPES)))


@st.composite
def box(draw: Any) -> ActionHead:
    shape = draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    low = rng.normal(size=shape).astype(np.float32)
    high = low + rng.random(shape).astype(np.float32) + np.float32(0.1)
    squash = draw(st.sampled_from(["clip", "tanh"]))
    if squash == "clip" and draw(st.booleans()):
        low[rng.random(shape) < 0.5] = -np.inf
    return action_head(spaces.Box(low, high), squash=squash)


CHOICES = st.one_of(discrete(), multi_discrete())
HEADS = st.one_of(CHOICES, multi_binary(), box())


def logits_of(head: ActionHead, rows: int, seed: int = 0) -> Tensor:
    """Scores of which no two are equal, some of them far beyond bounds."""
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(rows, head.num_logits, generator=generator)


def parts(head: ActionHead, rows: Tensor) -> list[Tensor]:
    """Scores (B, A) of each choice."""
    counts = [head.size] if isinstance(head, DiscreteHead) else head.space.nvec.ravel().tolist()  # type: ignore[attr-defined]
    return list(torch.split(rows, counts, dim=1))


def scores_of(head: ActionHead, logits: Tensor) -> Tensor:
    """The last layer's output, (B, A): of quantiles the mean."""
    return logits.reshape(len(logits), head.copies, head.size).mean(dim=1)


def chosen(head: ActionHead, actions: Tensor) -> Tensor:
    """Actions as numbers from 0, (B, choices)."""
    start = torch.as_tensor(getattr(head.space, "start", 0))
    return (actions - start).reshape(len(actions), -1)


@examples
@given(head=HEADS, rows=ROWS)
def test_decoded_actions_are_of_the_space(head: ActionHead, rows: int) -> None:
    actions = head.decode(logits_of(head, rows))
    assert actions.shape == (rows, *(head.space.shape or ()))
    assert all(head.space.contains(action) for action in actions.numpy())


@examples
@given(head=HEADS, rows=ROWS)
def test_encoded_actions_are_decoded_to_themselves(head: ActionHead, rows: int) -> None:
    head.space.seed(0)
    actions = torch.from_numpy(np.stack([np.asarray(head.space.sample()) for _ in range(rows)]))
    vectors = head.encode(actions)
    assert vectors.shape == (rows, head.size)
    if not isinstance(head, BoxHead) or head.squash == "clip":
        assert torch.equal(head.decode(vectors.repeat(1, head.copies).float()), actions)
    if isinstance(head, (DiscreteHead, MultiDiscreteHead)):
        for part, number in zip(parts(head, vectors), chosen(head, actions).T, strict=True):
            assert torch.equal(part.sum(dim=1), torch.ones(rows, dtype=part.dtype))
            assert torch.equal(part.argmax(dim=1), number)


@examples
@given(head=CHOICES, rows=ROWS)
def test_the_greatest_score_is_played(head: ActionHead, rows: int) -> None:
    logits = logits_of(head, rows)
    best = [part.argmax(dim=1) for part in parts(head, scores_of(head, logits))]
    assert torch.equal(chosen(head, head.decode(logits)), torch.stack(best, dim=1))


@examples
@given(head=CHOICES, rows=ROWS, share=st.sampled_from([0.0, 0.3, 0.7, 1.0]), seed=st.integers(0, 99))
def test_masks_leave_the_greatest_of_what_is_allowed(head: ActionHead, rows: int, share: float, seed: int) -> None:
    logits = logits_of(head, rows, seed)
    masks = torch.rand(rows, head.size, generator=torch.Generator().manual_seed(seed)) < share
    actions = head.decode(logits, masks)
    assert all(head.space.contains(action) for action in actions.numpy())
    numbers = chosen(head, actions).T
    for scores, mask, number in zip(parts(head, scores_of(head, logits)), parts(head, masks), numbers, strict=True):
        for row in range(rows):
            allowed = mask[row].nonzero().flatten() if mask[row].any() else torch.arange(len(mask[row]))
            assert number[row] in allowed
            assert scores[row, number[row]] == scores[row, allowed].max()
    assert torch.equal(head.decode(logits, torch.ones_like(masks)), head.decode(logits))


@examples
@given(head=st.one_of(multi_binary(), box()), rows=ROWS)
def test_other_heads_do_not_listen_to_masks(head: ActionHead, rows: int) -> None:
    logits = logits_of(head, rows)
    assert torch.equal(head.decode(logits, torch.zeros(rows, head.size, dtype=torch.bool)), head.decode(logits))


@examples
@given(head=HEADS, rows=ROWS)
def test_decisions_show_what_is_chosen_from(head: ActionHead, rows: int) -> None:
    logits = logits_of(head, rows)
    shown, actions = head.decisions(logits), head.decode(logits)
    assert shown.shape == (rows, head.size)
    if isinstance(head, (DiscreteHead, MultiDiscreteHead)):
        for part, number in zip(parts(head, shown), chosen(head, actions).T, strict=True):
            assert torch.equal(part.argmax(dim=1), number)
            if head.copies == 1:
                torch.testing.assert_close(part.sum(dim=1), torch.ones(rows))
    elif isinstance(head, MultiBinaryHead):
        assert torch.equal((shown > 0.5).flatten(), actions.flatten().bool())
    else:
        assert torch.equal(shown, actions.flatten(1))


@examples
@given(head=HEADS, rows=ROWS)
def test_learning_brings_the_output_to_the_actions(head: ActionHead, rows: int) -> None:
    """From anywhere, also from beyond the bounds, where a clipped action has no gradient."""
    head.space.seed(1)
    samples = [np.asarray(head.space.sample()) for _ in range(rows)]
    target = torch.from_numpy(np.stack(samples)).reshape(rows, *(head.space.shape or ()))
    if isinstance(head, BoxHead):
        target = target.clamp(-3, 3)
    logits = logits_of(head, rows).requires_grad_()
    before = head.distance(logits, target)
    assert before.shape == ()
    optimizer = torch.optim.Adam([logits], 0.3)
    for _ in range(80):
        optimizer.zero_grad()
        torch.autograd.backward(head.distance(logits, target))
        optimizer.step()
    after = head.distance(logits.detach(), target)
    assert after < 0.2 and (after < before or before < 0.01)
    if not isinstance(head, BoxHead):
        assert torch.equal(head.decode(logits.detach()), target)


def test_distances_are_cross_entropies_and_smooth_differences() -> None:
    logits, first, second = torch.randn(5, 5), torch.tensor([0, 1, 0, 1, 1]), torch.tensor([2, 0, 1, 1, 0])
    cross_entropy = torch.nn.functional.cross_entropy
    one, other = cross_entropy(logits[:, :2], first), cross_entropy(logits[:, 2:], second)
    both = torch.stack([first, second], dim=1)
    torch.testing.assert_close(action_head({"multi_discrete": [2, 3]}).distance(logits, both), (one + other) / 2)
    shifted = action_head({"discrete": 2, "start": 7})
    torch.testing.assert_close(shifted.distance(logits[:, :2], first + 7), one)
    switches = action_head({"multi_binary": [5]})
    target = torch.tensor([[1, 0, 1, 1, 0]] * 5, dtype=torch.int8)
    probabilities = logits.sigmoid()
    expected = -torch.where(target == 1, probabilities, 1 - probabilities).log().mean()
    torch.testing.assert_close(switches.distance(logits, target), expected)
    numbers = action_head(spaces.Box(-1, 1, (1,)))
    assert numbers.distance(torch.tensor([[3.0]]), torch.tensor([[1.0]])) == pytest.approx(2 - 0.15)
    assert numbers.distance(torch.tensor([[0.3]]), torch.tensor([[0.2]])) == pytest.approx(0.1**2 / 0.6)


@examples
@given(head=HEADS)
def test_a_head_is_plain_data(head: ActionHead) -> None:
    data = json.loads(json.dumps(head.data()))
    again = action_head(data)
    assert type(again) is type(head) and again.data() == head.data()
    assert same_actions(again.space, head.space)
    assert (again.size, again.copies, again.num_logits) == (head.size, head.copies, head.num_logits)
    logits = logits_of(head, 3)
    assert torch.equal(again.decode(logits), head.decode(logits))
    assert not list(head.parameters()) and not head.state_dict()
    assert action_head(head) is head


@examples
@given(head=box(), rows=ROWS)
def test_numbers_are_within_their_bounds_and_in_units_of_them(head: BoxHead, rows: int) -> None:
    logits = logits_of(head, rows)
    vectors = head.decode(100 * logits).reshape(rows, -1)
    assert (vectors >= head.low).all() and (vectors <= head.high).all()
    if not head.space.is_bounded():
        assert torch.equal(head.scaled(vectors), vectors)
    else:
        units = head.scaled(vectors)
        assert units.abs().max() <= 1 + 1e-5
        ends = head.scaled(torch.stack([head.low, head.high, (head.low + head.high) / 2]))
        torch.testing.assert_close(ends, torch.tensor([[-1.0], [1.0], [0.0]]).expand_as(ends), atol=1e-5, rtol=0)
    shown = action_vectors("a test", head.space).scaled(vectors.reshape(rows, *(head.space.shape or ())).numpy())
    torch.testing.assert_close(head.scaled(vectors), torch.from_numpy(shown))  # as wrappers show it


@examples
@given(head=box())
def test_bounds_have_the_precision_of_the_network(head: BoxHead) -> None:
    double = action_head(head.data()).double()
    assert double.decode(logits_of(head, 2).double()).dtype == torch.float64
    with torch.device("meta"):  # where a network is only planned
        planned = action_head(head.data())
    assert torch.equal(planned.low, head.low)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, r"must be a space or say 'discrete', \.\.\. or 'low' and 'high', received \{\}"),
        ({"discret": 2}, r"received \{'discret': 2\}"),
        ({"discrete": 2, "low": 0}, "received .*'low': 0"),
        ({"discrete": 2, "squash": "clip"}, "received .*'squash'"),
        ({"low": [0]}, "'low' and 'high', received"),
        ({"low": [0], "high": [1], "start": 1}, "received .*'start': 1"),
        ({"discrete": 0}, "counts.* have to be positive"),
        ({"discrete": 2.5}, "to be an integer"),
        ({"discrete": 2, "quantiles": 0}, "quantiles must be a whole number of at least 1, received 0"),
        ({"discrete": 2, "quantiles": True}, "quantiles must be .* received True"),
        ({"multi_discrete": [2, 0]}, "have to be positive"),
        ({"multi_discrete": [2, 2], "start": [1]}, "same shape"),
        ({"multi_discrete": 3}, r"networks act in .* received MultiDiscrete\(\)"),
        ({"multi_binary": []}, r"networks act in .* received MultiBinary\(\)"),
        ({"low": 0, "high": 1}, r"networks act in .* received Box\(\)"),
        ({"low": [0, 0], "high": [1]}, "shape"),
        ({"low": [2], "high": [1]}, "less than or equal"),
        ({"low": [0], "high": [1], "squash": "softplus"}, "squash must be one of .* received 'softplus'"),
        ({"low": [0], "high": [float("inf")], "squash": "tanh"}, "squash 'tanh' needs finite bounds; take 'clip'"),
        (spaces.Text(3), r"networks act in Discrete, MultiDiscrete, MultiBinary and Box spaces, received Text"),
        (spaces.Tuple([spaces.Discrete(2)]), r"received Tuple\(Discrete\(2\)\)"),
        (spaces.Box(0, 1, ()), r"received Box\(\)"),
    ],
    ids=str,
)
def test_what_describes_no_head_is_named(data: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError, AssertionError), match=message):
        action_head(data)
