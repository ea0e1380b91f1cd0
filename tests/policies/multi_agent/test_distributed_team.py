"""Agents that share only what they send do what one network for all does, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from team_cases import AGENTS, KINDS, SIZE, seen, traffic, wildlife

from symbench.errors import SymbenchError
from symbench.policies import CentralisedCNNNetwork, DistributedTeam, NetworkAgent
from symbench.policies.multi_agent import Outgoing, deliver


def arrays(batch: int, seed: int = 0) -> dict[str, np.ndarray]:
    """What environments show: pictures of few numbers, so that some actions are equally good; cells."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 2, (batch, AGENTS, 1, SIZE, SIZE)).astype(np.float32)
    images[::3] = 0  # alike from all sides: all directions are equally good
    return {"images": images, "positions": seen(batch, seed=seed)["positions"].numpy().astype(np.float32)}


def both(network: Any, observations: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of one network for all, and of agents on their own."""
    team = DistributedTeam(network, dtype=network.dtype)
    batch = network.read(observations)
    with torch.inference_mode():
        return network.logits(batch, ())[0], team.logits(batch)


@pytest.mark.parametrize("options", [{}, {"norm_weighted": True}, {"published_graph": True}, {"messages": ()}], ids=str)
@pytest.mark.parametrize("batch", [1, 2, 3, 8, 31, 64])
@pytest.mark.parametrize("kind", KINDS)
def test_all_numbers_are_the_same_to_the_last_bit(kind: Any, batch: int, options: dict[str, Any]) -> None:
    together, apart = both(wildlife(kind, **options), arrays(batch))
    assert torch.equal(together, apart)


@pytest.mark.parametrize("kind", KINDS)
def test_so_are_actions_also_of_a_batch_in_parts_and_of_one_observation(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, observations = wildlife(kind), arrays(50)
    monkeypatch.setattr(kind, "micro_batch_size", lambda *_: 7)
    one, team = NetworkAgent(network, "x", torch.float64), DistributedTeam(network, dtype=torch.float64)
    one.reset(50)
    team.reset(50)
    np.testing.assert_array_equal(team.act(observations), one.act(observations))
    np.testing.assert_array_equal(team.decisions(observations), one.decisions(observations))
    masks = np.random.default_rng(0).random((50, 5 * AGENTS)) < 0.5
    one.allow(masks)
    team.allow(masks)
    np.testing.assert_array_equal(team.act(observations), one.act(observations))
    first = {key: part[0] for key, part in observations.items()}
    for agent in (one, team):
        agent.reset()
        agent.allow(None)
    action = team.act(first)
    np.testing.assert_array_equal(action, one.act(first))
    assert network.action.space.contains(action)


def test_actions_may_have_another_order_than_agents() -> None:
    network, rng = traffic(action_order=[0, 2, 1, 3]), np.random.default_rng(0)
    images = rng.normal(size=(5, 4, 3, SIZE, SIZE))
    together, apart = both(network, {"images": images, "positions": rng.uniform(-0.5, 0.5, (5, 4, 2))})
    assert torch.equal(together, apart)


def test_where_gradients_are_computed_only_the_last_bits_are_others() -> None:
    for kind in KINDS:
        network, batch = wildlife(kind), seen(20)
        with torch.no_grad():
            alone = network.logits(batch, ())[0]
        torch.testing.assert_close(network.logits(batch, ())[0], alone, atol=1e-12, rtol=0)


def test_bytes_are_those_of_what_is_sent_to_whom() -> None:
    """Places to all; how many hear one, and what it is, to those in reach."""
    network = wildlife(messages=(6, 5))
    batch = network.read(arrays(40))
    links = network.graph.links(network.edges(batch["positions"], batch["positions"])).sum(dim=(1, 2)) - AGENTS
    team = DistributedTeam(network, dtype=torch.float32)
    assert np.isnan(team.bytes_per_step)
    team.act(arrays(40))
    numbers = AGENTS * (AGENTS - 1) * 2 + links.double() * (1 + 4 * 4 + 4 * 6)
    assert 0 < links.double().mean() < AGENTS * (AGENTS - 1)
    assert team.bytes_per_step == pytest.approx(4 * float(numbers.mean()))
    team.reset(40)
    assert np.isnan(team.bytes_per_step)


def test_agents_know_nothing_but_what_they_are_sent() -> None:
    """Without communication each acts on its own; what one sends reaches those it is sent to, and only them."""
    network, log = wildlife(), list[Sequence[Outgoing]]()

    def nobody(outgoing: Sequence[Outgoing]) -> list[torch.Tensor]:
        return [torch.zeros_like(received) for received in deliver(outgoing)]

    def listened(outgoing: Sequence[Outgoing]) -> list[torch.Tensor]:
        log.append(outgoing)
        received = deliver(outgoing)
        for i, hears in enumerate(received):
            for j, each in enumerate(outgoing):
                assert torch.equal(hears[:, j], each.content * each.to[:, i, None])
        return received

    batch = network.read(arrays(9))
    other = {key: part.clone() for key, part in batch.items()}
    other["images"][:, 1] = 1 - other["images"][:, 1]
    with torch.inference_mode():
        alone = DistributedTeam(network, communicate=nobody, dtype=torch.float64)
        (one, two), parts = (alone.logits(each) for each in (batch, other)), (0, 1, 2)
        changed = [not torch.equal(one[:, 5 * i : 5 * i + 5], two[:, 5 * i : 5 * i + 5]) for i in parts]
        assert changed == [False, True, False]
        DistributedTeam(network, communicate=listened, dtype=torch.float64).logits(batch)
    assert len(log) == 2 + len(network.layers)
    assert not any(each.to[:, i].any() for outgoing in log for i, each in enumerate(outgoing))


def test_what_sees_all_at_once_cannot_part() -> None:
    from gymnasium import spaces

    network = CentralisedCNNNetwork(spaces.MultiDiscrete([5] * AGENTS), AGENTS, size=SIZE)
    with pytest.raises(SymbenchError, match="only teams that send messages can part"):
        DistributedTeam(network)
