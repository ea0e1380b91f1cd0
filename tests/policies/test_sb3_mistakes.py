"""What can be got wrong about a network in SB3 is said in one line."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest
import torch
from gymnasium import spaces
from sb3_cases import ACTIONS, ALGORITHMS, FORMS, Toy, model_of
from stable_baselines3 import PPO
from torch import nn

from symbench.errors import SymbenchError
from symbench.policies import MLPNetwork
from symbench.policies.sb3 import POLICIES
from symbench.wrappers import FrameHistory, OccludePatches, SensorHistory

MIRROR = {"group": "C2", "observation": {"signs": [[-1] * 5]}, "action": {"signs": [[-1, 1]]}}
PATCHES = {"kind": "vision-attention-neuron", "num_codes": 16, "conv": []}


def toy(form: str = "discrete", frames: bool = False) -> Toy:
    return Toy(ACTIONS[form], frames)


def history(frames: bool, length: int = 3) -> gym.Env[Any, Any]:
    return (FrameHistory if frames else SensorHistory)(toy(frames=frames), length=length)  # type: ignore[no-any-return]


class Masked(FrameHistory):
    """Says that there are fewer patches than there are."""

    def __init__(self) -> None:
        super().__init__(toy(frames=True), length=4)
        self.observation_space = spaces.Dict({**self.observation_space.spaces, "mask": spaces.MultiBinary(9)})


@pytest.mark.parametrize(
    ("table", "env", "message"),
    [
        ("mpl", toy(), "unknown network kind 'mpl'; did you mean 'mlp'"),
        ({"hidden": [8]}, toy(), "unknown network kind ''"),
        ({"kind": "mlp", "hiden": [8]}, toy(), "does not describe a 'mlp' network: .*'hiden'"),
        ({"kind": "mlp", "activation": "gelu"}, toy(), "activation must be one of .* received 'gelu'"),
        ({"kind": "mlp", "num_sensors": 7}, toy(), "reads 7 sensors in a fixed order, received 5"),
        ({"kind": "mlp", "squash": "tanh"}, toy("continuous"), "trains with squash = 'clip'; leave squash out"),
        ("mlp", history(False), r"mlp reads a vector of sensors, received Dict\(actions"),
        ("mlp", toy(frames=True), r"mlp reads a vector of sensors, received Box\(1, 36, 36\)"),
        ("attention-neuron", toy(), r"must be wrapped in symbench.wrappers.SensorHistory, received Box\(5,\)"),
        ({"kind": "attention-neuron", "history": 8}, history(False), "history is 8, the environment shows 3"),
        (PATCHES, toy(frames=True), r"must be wrapped in symbench.wrappers.FrameHistory, received Box\(1, 36, 36\)"),
        (PATCHES, history(True), "4 frames are expected, received 3 channels: give FrameHistory's length"),
        ({**PATCHES, "patch_size": 5}, history(True, 4), "patches of 5x5 do not tile 36x36 frames"),
        ({**PATCHES, "num_codes": 50}, history(True, 4), "num_codes must be a square number"),
        (PATCHES, Masked(), r"patches of 6x6 are 36, the mask has shape \(9,\)"),
        ({"kind": "nature-cnn"}, toy(), r"nature-cnn reads uint8 frames, received Box\(5,\)"),
        ({"kind": "nature-cnn", "history": 4}, toy(frames=True), "history is 4, the environment shows 1"),
        ({"kind": "nature-cnn", "size": 40}, toy(frames=True), "reads 40x40 frames, received 36x36"),
        (
            {"kind": "nature-cnn"},
            OccludePatches(toy(frames=True), patch_size=6, patch_mask=True),
            r"must be wrapped in symbench.wrappers.FrameHistory, received Dict\(image",
        ),
        ({"symmetry": "CartPole-v1"}, toy(), r"the symmetry does not fit the actions: acts on Discrete\(2\)"),
        ({"symmetry": "CartPole-v2"}, toy(), "unknown environment 'CartPole-v2' .* did you mean 'CartPole-v1'"),
        ({"symmetry": {"group": "C2"}}, toy(), r"said by group, observation and action, received \['group'\]"),
        (
            {"symmetry": {**MIRROR, "action": {"signs": [[-1, -1]]}}},
            toy("continuous"),
            "the symmetry does not fit the actions: .*bounds",
        ),
        (
            {"symmetry": {**MIRROR, "observation": {"signs": [[-1] * 4]}}},
            toy("continuous"),
            "reads 4 sensors in a fixed order, received 5",
        ),
        (
            {"symmetry": {"group": "C4", "observation": {"moves": ["turn"]}, "action": {"dim": 3}}},
            toy(),
            r"equivariant-cnn reads uint8 frames, received Box\(5,\)",
        ),
    ],
)
def test_networks_that_do_not_fit_are_named(table: Any, env: Any, message: str) -> None:
    with pytest.raises(SymbenchError, match=message):
        model_of("PPO", "", "", env, table=table)


@pytest.mark.parametrize("table", [MLPNetwork, MLPNetwork(5, spaces.Discrete(3)), 3])
def test_what_is_no_table_is_told_so(table: Any) -> None:
    with pytest.raises(SymbenchError, match="network must be a kind or a table"):
        PPO(POLICIES["PPO"], toy(), policy_kwargs={"network": table}, device="cpu")


@pytest.mark.parametrize("critic", [64, [0], [8, -1], ["8"], "8"])
def test_widths_of_a_critic_are_whole_numbers(critic: Any) -> None:
    with pytest.raises(SymbenchError, match="critic must be a list of widths, each at least 1"):
        PPO(POLICIES["PPO"], toy(), policy_kwargs={"network": "mlp", "critic": critic}, device="cpu")


FROM_ONE: list[spaces.Space[Any]] = [spaces.Discrete(3, start=1), spaces.MultiDiscrete([3, 3], start=[0, 1])]
OF_SEVERAL = [name for name in ALGORITHMS if "discrete" in FORMS[name] and name not in ("DQN", "QRDQN")]


@pytest.mark.parametrize(
    ("name", "space"),
    [*((name, space) for name in OF_SEVERAL for space in FROM_ONE), ("DQN", FROM_ONE[0]), ("QRDQN", FROM_ONE[0])],
)
def test_actions_that_do_not_begin_at_0_are_refused(name: str, space: spaces.Space[Any]) -> None:
    """Stable-Baselines3 would train on 0, 1, ... and what is saved would play 1, 2, ..."""
    made, settings = ALGORITHMS[name]
    with pytest.raises(SymbenchError, match="numbers actions from 0, those of this environment begin at"):
        made(POLICIES[name], Toy(space, frames=False), policy_kwargs={"network": "mlp"}, device="cpu", **settings)


@pytest.mark.parametrize("name", ALGORITHMS)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("net_arch", [8]),
        ("activation_fn", nn.ReLU),
        ("normalize_images", True),
        ("features_extractor_kwargs", {"features_dim": 3}),
        ("share_features_extractor", True),
    ],
)
def test_what_the_network_says_is_not_said_again(name: str, option: str, value: Any) -> None:
    with pytest.raises(SymbenchError, match=rf"{option} is said by the network: policy_kwargs=\{{'network'"):
        model_of(name, "mlp", FORMS[name][0], **{option: value})


@pytest.mark.parametrize("name", ["PPO", "A2C", "SAC", "TQC"])
def test_noise_that_depends_on_the_state_is_refused(name: str) -> None:
    made, settings = ALGORITHMS[name]
    with pytest.raises(SymbenchError, match="use_sde=True adds noise that these networks do not have"):
        made(POLICIES[name], toy("continuous"), use_sde=True, **settings)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_squashing_of_actions_is_the_algorithms(name: str) -> None:
    own = {"SAC": "tanh", "TQC": "tanh", "TD3": "tanh", "DDPG": "tanh"}.get(name, "clip")
    form, other = FORMS[name][-1], "clip" if own == "tanh" else "tanh"
    model_of(name, "mlp", form, table={"kind": "mlp", "squash": own})
    with pytest.raises(SymbenchError, match=f"this algorithm trains with squash = '{own}'"):
        model_of(name, "mlp", form, table={"kind": "mlp", "squash": other})


def test_networks_with_a_memory_train_without_a_wrapper() -> None:
    with pytest.raises(SymbenchError, match=r"attention-neuron reads a vector of sensors, received Dict"):
        model_of("RecurrentPPO", "attention-neuron", "discrete", history(False))
    with pytest.raises(SymbenchError, match="reads its features; leave share_encoder out"):
        model_of("RecurrentPPO", "attention-neuron", "discrete", share_encoder=False)
    with pytest.raises(SymbenchError, match=r"reads 7 sensors in a fixed order, received 5"):
        model_of("RecurrentPPO", "", "", toy(), table={"kind": "mlp", "num_sensors": 7})


def test_a_critic_of_actions_needs_a_hidden_layer_to_commute() -> None:
    with pytest.raises(SymbenchError, match="a critic of actions needs a hidden layer"):
        model_of("SAC", "equivariant-mlp", "continuous", critic=[])
    assert model_of("SAC", "mlp", "continuous", critic=[]).policy.critic_hidden == ()


def test_other_settings_of_sb3_reach_its_policy() -> None:
    model = model_of("TQC", "mlp", "continuous", n_critics=3, n_quantiles=7)
    assert len(model.policy.critic.q_networks) == 3
    assert model.policy.critic(torch.zeros(2, 5), torch.zeros(2, 2)).shape == (2, 3, 7)
    model = model_of("QRDQN", "mlp", "discrete", n_quantiles=9)
    assert model.policy.quantile_net(torch.zeros(2, 5)).shape == (2, 9, 3)
    assert model.policy.network.config()["action_space"] == {"discrete": 3, "quantiles": 9}


def test_a_head_whose_choices_have_no_gradient_is_refused() -> None:
    table = {"kind": "vision-attention-neuron", "head": "attention-agent", "num_codes": 16, "code_dim": 4}
    with pytest.raises(SymbenchError, match="makes choices that have no gradient; train it by evolution"):
        model_of("RecurrentPPO", "vision-attention-neuron", "discrete", table=table)
