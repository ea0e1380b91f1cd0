"""Policies of SB3 over equivariant networks commute with their groups, critics and deviations included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_cases import ALGORITHMS, FORMS, Toy, batch_of, model_of, rough

from symbench.policies import NetworkActorCriticPolicy, NetworkDQNPolicy
from symbench.policies.critics import FreeLogStd
from symbench.policies.equivariant import action_of, group_named, vectors_of
from symbench.policies.equivariant.critics import TiedLogStd
from symbench.symmetry import cyclic, signed_permutation, standard_2d, trivial_representation
from symbench.symmetry.catalogue import symmetry_of

KINDS = ("equivariant-mlp", "equivariant-cnn")
CASES = [(name, kind, form) for name in ALGORITHMS for kind in KINDS for form in FORMS[name]]
WALKER = {
    "group": "C2",
    "observation": {"orders": [[0, 2, 1]]},
    "action": {"orders": [[2, 3, 0, 1, 4]], "signs": [[1, -1, 1, -1, -1]]},
}
TURNS = {"group": "C4", "observation": {"moves": ["turn"]}, "action": {"maps": [[0, 2, 3, 4, 1]]}}
TURNED_FORCE = {**TURNS, "action": {"orders": [[1, 0]], "signs": [[-1, 1]]}}
DIHEDRAL = {
    "group": "D4",
    "observation": {"matrices": [[[0, -1], [1, 0]], [[-1, 0], [0, 1]]]},
    "action": {"maps": [[0, 2, 3, 4, 1], [0, 3, 2, 1, 4]]},
}
LARGER: dict[str, tuple[dict[str, Any], spaces.Space[Any], spaces.Space[Any]]] = {
    "walker": (WALKER, spaces.Box(-np.inf, np.inf, (3,)), spaces.Box(-1, 1, (5,))),
    "dihedral": (DIHEDRAL, spaces.Box(-np.inf, np.inf, (2,)), spaces.Discrete(5)),
    "turns": (TURNS, spaces.Box(0, 255, (21, 21, 1), np.uint8), spaces.Discrete(5)),
    "turned force": (TURNED_FORCE, spaces.Box(0, 255, (21, 21, 1), np.uint8), spaces.Box(-1, 1, (2,))),
}


def of_actions(space: spaces.Space[Any]) -> list[str]:
    """Algorithms for a form of actions; one of those that share a policy."""
    form = "discrete" if isinstance(space, spaces.Discrete) else "continuous"
    return [name for name in ALGORITHMS if form in FORMS[name] and name not in ("A2C", "TRPO", "RecurrentPPO", "DDPG")]


class Task(Toy):
    """Any spaces."""

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        super().__init__(action_space, frames=False)
        self.observation_space = observation_space

    def _observe(self) -> Any:
        self._seen = np.zeros(1)
        return self.observation_space.sample()


def outputs(policy: Any, seen: torch.Tensor, actions: torch.Tensor) -> list[tuple[torch.Tensor, str]]:
    """All that a policy and its critics say, and how it moves: as actions, as their sizes, or not at all."""
    if hasattr(policy, "lstm_actor"):
        rows = policy.lstm_actor.rows((), len(seen))
        distribution, _ = policy.get_distribution(seen, rows, torch.zeros(len(seen)))
        return [*_of(distribution.distribution), (policy.predict_values(seen, rows, torch.zeros(len(seen))), "still")]
    if hasattr(policy, "predict_values"):
        return [*_of(policy.get_distribution(seen).distribution), (policy.predict_values(seen), "still")]
    if hasattr(policy, "q_net"):
        return [(policy.q_net(seen), "action")]
    if hasattr(policy, "quantile_net"):
        return [(policy.quantile_net(seen), "action")]
    values = policy.critic(seen, actions)
    found = [(each, "still") for each in (values if isinstance(values, tuple) else [values])]
    if hasattr(policy.critic, "q1_forward"):
        found.append((policy.critic.q1_forward(seen, actions), "still"))
    if hasattr(policy.actor, "get_action_dist_params"):
        mean, log_std, _ = policy.actor.get_action_dist_params(seen)
        return [*found, (mean, "action"), (log_std, "size")]
    return [*found, (policy.actor(seen), "action")]


def _of(distribution: Any) -> list[tuple[torch.Tensor, str]]:
    if hasattr(distribution, "logits"):
        return [(distribution.logits.clone(), "action")]
    return [(distribution.mean.clone(), "action"), (distribution.stddev.clone(), "size")]


def check(policy: Any, tolerance: float = 1e-10) -> None:
    """Assert that actor and critic commute with every element, and are not constant."""
    precision = torch.float32 if hasattr(policy, "lstm_actor") else torch.float64
    policy.to(precision).set_training_mode(False)
    config = policy.network.config()
    group = group_named(config["group"])
    observation = action_of(group, config["observation"], axes=(2, 3))
    rep = vectors_of(action_of(group, config["action"]))
    batch = batch_of(policy.observation_space)
    seen, done = torch.tensor(batch).to(precision), torch.rand(len(batch), rep.dim, dtype=precision) * 2 - 1
    with torch.no_grad():
        before = outputs(policy, seen, done)
        assert all(first.std(dim=0).max() > 0 for first, how in before if how != "size")
        for g in group.elements:
            k = torch.tensor(rep.matrices[g], dtype=precision)
            moved = torch.tensor(np.ascontiguousarray(observation.apply(g, batch))).to(precision)
            for (first, how), (second, _) in zip(before, outputs(policy, moved, done @ k.T), strict=True):
                expected = {"action": first @ k.T, "size": first @ k.abs().T}[how] if how != "still" else first
                assert (second - expected).abs().max() < tolerance


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("name", "kind", "form"), CASES)
def test_trained_models_commute(name: str, kind: str, form: str) -> None:
    model = rough(model_of(name, kind, form).learn(32), 0.1)
    # What a network with a memory is given is float32.
    check(model.policy, 1e-4 if name == "RecurrentPPO" else 1e-10)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("name", "kind", "form"), CASES)
def test_models_of_another_basis_do_not(name: str, kind: str, form: str) -> None:
    model = model_of(name, kind, form)
    table = {**model.policy.table, "basis": "random"}
    other = rough(model_of(name, kind, form, table=table), 0.1)
    with pytest.raises(AssertionError):
        check(other.policy, 1e-3)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_critic_with_an_encoder_of_its_own_is_invariant(kind: str, share: bool) -> None:
    check(rough(model_of("PPO", kind, "continuous", share_encoder=share), 0.1).policy)


@pytest.mark.usefixtures("exact")
@pytest.mark.parametrize(("task", "name"), [(task, name) for task in LARGER for name in of_actions(LARGER[task][2])])
def test_larger_groups_and_several_actions_commute(task: str, name: str) -> None:
    symmetry, observed, acted = LARGER[task]
    policy = rough(
        model_of(name, "", "", Task(observed, acted), table={"symmetry": symmetry, "hidden": [4]}), 0.1
    ).policy
    check(policy)
    assert hasattr(policy, "log_std") == (name == "PPO" and isinstance(acted, spaces.Box))


def made(policy: Any, symmetry: Any, observed: Any, acted: Any, **kwargs: Any) -> Any:
    return policy(observed, acted, lambda _: 1e-3, network={"symmetry": symmetry, "hidden": [8]}, **kwargs)


@pytest.mark.usefixtures("exact")
def test_log_probabilities_do_not_change() -> None:
    """What PPO's ratio is made of: log pi(K_g a | L_g s) = log pi(a | s)."""
    policy = made(NetworkActorCriticPolicy, *LARGER["walker"], log_std_init=-1.0).double()
    policy.deviations.values.data = torch.tensor([-1.0, 0.3, -0.5], dtype=torch.float64)
    observations, actions = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 5, dtype=torch.float64)
    group = group_named("C2")
    moved, moved_actions = (
        torch.tensor(action_of(group, WALKER[part]).apply(1, values.numpy()))  # type: ignore[arg-type]
        for part, values in (("observation", observations), ("action", actions))
    )
    found = policy.evaluate_actions(moved, moved_actions)
    for first, second in zip(policy.evaluate_actions(observations, actions), found, strict=True):
        torch.testing.assert_close(first, second)
    free = made(NetworkActorCriticPolicy, *LARGER["walker"]).double()
    free.deviations = FreeLogStd(5, -1.0).double()
    free.deviations.values.data = torch.linspace(-1, 1, 5, dtype=torch.float64)
    with pytest.raises(AssertionError):
        pairs = zip(
            free.evaluate_actions(observations, actions), free.evaluate_actions(moved, moved_actions), strict=True
        )
        for first, second in pairs:
            torch.testing.assert_close(first, second)


def test_deviations_are_tied_where_the_group_mixes() -> None:
    walker = vectors_of(action_of(group_named("C2"), WALKER["action"]))  # type: ignore[arg-type]
    assert TiedLogStd(walker, -0.5).orbits.tolist() == [0, 1, 0, 1, 2]
    assert TiedLogStd(trivial_representation(cyclic(2), 3), 0.0).orbits.tolist() == [0, 1, 2]
    assert TiedLogStd(signed_permutation(cyclic(2), signs=[[-1, 1]]), 0.0).orbits.tolist() == [0, 1]
    turned = standard_2d(cyclic(5)) + trivial_representation(cyclic(5))
    assert TiedLogStd(turned, 0.0).orbits.tolist() == [0, 0, 1]
    policy = made(NetworkActorCriticPolicy, *LARGER["walker"], log_std_init=-0.5)
    assert policy.log_std.shape == (5,) and policy.deviations.values.tolist() == [-0.5] * 3
    assert any(parameter is policy.deviations.values for parameter in policy.optimizer.param_groups[0]["params"])


@pytest.mark.parametrize("policy", [NetworkDQNPolicy, NetworkActorCriticPolicy])
def test_the_catalogue_is_what_a_name_means(policy: Any, tmp_path: Any) -> None:
    """It is looked up once: what is saved are data, not a name that may change its meaning."""
    observed, acted = spaces.Box(-1, 1, (4,)), spaces.Discrete(2)
    policies = [made(policy, symmetry, observed, acted) for symmetry in ("CartPole-v1", symmetry_of("CartPole-v1"))]
    for each in policies:
        each.save(tmp_path / "policy")
        assert policy.load(tmp_path / "policy").table == policies[0].table
        assert each.network.config() == policies[0].network.config()
    assert set(policies[0].table["symmetry"]) == {"group", "observation", "action"}
