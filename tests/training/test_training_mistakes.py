"""What a user can get wrong is said in one line, before anything is trained or deleted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from symbench.errors import SymbenchError
from symbench.policies import AttentionNeuronNetwork
from symbench.tasks import registry
from symbench.training import load_recipe, train
from symbench.training.session import Session
from symbench.zoo import load_agent, load_card, save_agent

if TYPE_CHECKING:
    from tests.training.conftest import Tiny

RECIPE = """
description = "mine"
agent = "mine"
task = "CartPoleSwingUp"
network = { kind = "mlp" }
perturbations = []
algorithm = { name = "ppo", steps = 100 }
"""


def with_line(line: str) -> str:
    """The recipe with another value for a key."""
    key = line.split(" =", maxsplit=1)[0]
    return "\n".join(line if old.startswith(f"{key} =") else old for old in RECIPE.splitlines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml [", "not TOML"),
        (with_line("algorithm = 3"), "algorithm"),
        (with_line('algorithm = { name = "magic" }'), "magic"),
        (with_line('algorithm = { name = "ppo", steps = "many" }'), r"algorithm\.steps: .* received 'many'"),
        (with_line('algorithm = { name = "ppo" }'), r"algorithm\.steps: Field required$"),
        (with_line("network = { hidden = [8] }"), "unknown network kind ''; known: attention-agent, att"),
        (with_line('network = { kind = "mlp", hiden = [8] }'), "unknown setting 'hiden'; did you mean 'hidden'"),
        (with_line('network = { kind = "history-mlp", history = "4" }'), "history: a finite int is expected.* '4'"),
        (with_line('network = { kind = "history-mlp", history = true }'), "history: a finite int is expected.* True"),
        (with_line('network = { kind = "history-mlp", history = 0 }'), "history must be at least 1, received 0"),
        (with_line('network = { kind = "mpl" }'), "'mpl'; did you mean 'mlp'"),
        (with_line('network = { kind = "mlp", widths = 3 }'), r"\[network\]: this does not describe a 'mlp'.*'widths'"),
        (with_line('network = { kind = "mlp", num_sensors = 4 }'), "reads 4 sensors.*received 5"),
        (
            with_line('network = { kind = "mlp", action_dim = 1 }'),
            r"\[network\]: this does not describe .*'action_dim'",
        ),
        (with_line('network = { kind = "mlp", squash = "tan" }'), r"\[network\]: .*squash must be one of.*'tan'"),
        (with_line('network = { kind = "mlp", squash = "tanh" }'), "ppo trains with squash = 'clip'"),
        (with_line('network = { kind = "nature-cnn" }'), r"\[network\]: .*reads uint8 frames, received Box\(5,\)"),
        (with_line('network = { symmetry = "Pendulum-v1" }'), "reads 3 sensors.*received 5"),
        (with_line('network = { kind = "recurrent-attention-neuron" }'), "ppo trains on single steps.*use imitation"),
        (with_line('task = "CartPoleSwingup"'), "unknown task.*'CartPoleSwingUp'"),
        (with_line("perturbations = [{ n = 5 }]"), r"perturbations\.0\.wrapper: Field required"),
        (with_line('perturbations = [{ wrapper = "ShuffelSensors" }]'), "did you mean 'ShuffleSensors'"),
        (with_line('perturbations = [{ wrapper = "AddNoiseChannels", m = 5 }]'), r"AddNoiseChannels\(m=5\) cannot .*m"),
        (with_line('perturbations = [{ wrapper = "AddNoiseChannels", n = -5 }]'), r"cannot be applied to .*-5"),
        (with_line('perturbations = [{ wrapper = "AddNoiseChannels", n = 5 }]'), "reads 5 sensors.*received 10"),
        (with_line('perturbations = [{ wrapper = "SensorHistory" }]'), "reads a vector of sensors, .*Dict"),
        (RECIPE + 'name = "../../evil"', r"name: String should match pattern"),
        (RECIPE + 'name = ""', r"name: String should match pattern"),
        (with_line('agent = "a/b"'), r"agent: String should match pattern"),
        (with_line('algorithm = { name = "ppo", steps = 100, critic_steps = 1 }'), "so nothing else would"),
        (with_line('algorithm = { name = "ppo", steps = 100000, critic_steps = 90000 }'), "so nothing else would"),
        (with_line('task = "nowhere_envs:Walk-v0"'), r"is code, which is executed: if you trust it, add --trust"),
        (RECIPE + "tasks = 3", "unknown key 'tasks'; did you mean 'task'"),
    ],
)
def test_a_wrong_recipe_says_where_and_why(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SymbenchError, match=said):
        train(str(tmp_path / "mine.toml"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "setting", "said"),
    [
        ("mlp", {"stpes": "5"}, "unknown setting of ppo 'stpes'; did you mean 'steps'"),
        ("mlp", {"steps": "0"}, r"algorithm\.steps: .*greater than 0, received '0'"),
        ("mlp", {"num_envs": "-1"}, "greater than 0"),
        ("mlp", {"gamma": "1.5"}, "less than or equal to 1"),
        ("mlp", {"learning_rate": "nan"}, "learning_rate: .*, received"),
        ("mlp", {"sigma": "1"}, "unknown setting of ppo 'sigma'"),
        ("attention-neuron", {"num_envs": "8"}, "batch must be at most num_envs, received batch 128, num_envs 8"),
        ("attention-neuron", {"buffer": "1"}, "greater than or equal to 2"),
        ("attention-neuron", {"fresh": "1.1"}, "less than or equal to 1"),
        ("attention-neuron", {"teacher": "mpl"}, "unknown teacher for CartPoleSwingUp 'mpl'; did you mean 'mlp'"),
        ("recurrent-attention-neuron-es", {"generations": "0"}, "greater than 0"),
        ("recurrent-attention-neuron-es", {"population": "1"}, "greater than or equal to 2"),
        ("atention-neuron", {}, "did you mean 'attention-neuron'"),
        (
            "car-racing-attention-agent",
            {"sort_temperature": "1"},
            r"'sort_temperature' is a setting of \[network\], not",
        ),
        ("attention-neuron", {"network.history": "8"}, r"'history' is a setting of \[network\], not of \[algorithm\]"),
    ],
)
def test_a_wrong_setting_says_what_is_right(name: str, setting: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=said):
        train(name, tmp_path, overrides=setting)


def test_only_some_tasks_have_a_controller_that_teaches(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(RECIPE.replace('"ppo"', '"imitation", teacher = "controller"'))
    with pytest.raises(SymbenchError, match=r"unknown task with a controller 'CartPoleSwingUp'; known: CarRacing"):
        train(str(tmp_path / "mine.toml"), tmp_path)


def test_a_teacher_that_does_not_fit(teacher: str, tmp_path: Path) -> None:
    save_agent(AttentionNeuronNetwork(Box(-1, 1, (1,))), tmp_path / "remembers", {"agent": "a"})
    with pytest.raises(SymbenchError, match="has a memory; use an mlp"):
        train("attention-neuron", tmp_path, overrides={"teacher": str(tmp_path / "remembers")})
    pendulum = 'task = "Pendulum-v1"\nnetwork = { kind = "attention-neuron" }'
    text = RECIPE.replace('"ppo"', f'"imitation", teacher = "{teacher}"')
    lines = [line for line in text.splitlines() if not line.startswith(("task", "network"))]
    (tmp_path / "mine.toml").write_text("\n".join([pendulum, *lines]))
    with pytest.raises(SymbenchError, match=r"teacher .* reads 5 sensors in a fixed order, received 3"):
        train(str(tmp_path / "mine.toml"), tmp_path)


PLACES = """
description = "a head that acts on where the most important codes are"
agent = "mine"
task = "GridWorld"
algorithm = { name = "imitation", teacher = "equivariant-cnn", num_envs = 2, buffer = 2, batch = 2, steps = 64 }
[network]
kind = "vision-attention-neuron"
patch_size = 7
num_codes = 16
code_dim = 2
projection_dim = 2
head = "attention-agent"
"""


def test_choices_without_a_gradient_are_imitated_through_a_soft_sort_only(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PLACES)
    with pytest.raises(SymbenchError, match="choices that have no gradient here; set its sort_temperature, or use evo"):
        train(str(tmp_path / "mine.toml"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine.toml").write_text(f"{PLACES}sort_temperature = 1.0")
    assert load_agent(train(str(tmp_path / "mine.toml"), tmp_path / "out", allow_dirty=True)).network.differentiable


@pytest.mark.parametrize(
    ("start", "said"),
    [("mpl", r"unknown agent to start from for CartPoleSwingUp 'mpl'; did you mean 'mlp'"), ("mlp", "another network")],
)
def test_an_agent_to_start_from_that_does_not_fit(start: str, said: str, tmp_path: Path) -> None:
    recipe = with_line('network = { kind = "mlp", hidden = [8] }')
    (tmp_path / "mine.toml").write_text(f'start = "{start}"\n{recipe}')
    with pytest.raises(SymbenchError, match=said):
        train(str(tmp_path / "mine.toml"), tmp_path)


def test_a_mistake_deletes_nothing(tiny: Tiny, tmp_path: Path) -> None:
    story = train("attention-neuron", tmp_path, overrides=tiny("attention-neuron")).parent / "train.json"
    with pytest.raises(SymbenchError, match="unknown teacher"):
        train("attention-neuron", tmp_path, resume=False, overrides={"teacher": "nobody"})
    assert story.exists()


def test_out_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SymbenchError, match=r"cannot write .*file/mlp/s0 .*choose another --out"):
        train("mlp", tmp_path / "file", overrides={"steps": 1})


@pytest.mark.parametrize("name", ["mlp", "attention-neuron", "recurrent-attention-neuron-es"])
def test_a_checkpoint_that_cannot_be_written(name: str, tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / name / "s0"
    for file in ("checkpoint.pt", "checkpoint.zip", "fitness.npy"):
        (folder / f"partial-{file}").mkdir(parents=True)  # so that writing there fails
    with pytest.raises(SymbenchError, match=rf"cannot write {folder}/(checkpoint|fitness).*; free space there"):
        train(name, tmp_path, overrides=tiny(name))
    assert not (folder / "train.json").exists()


def test_a_full_disk_leaves_the_last_checkpoint_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = torch.nn.Linear(1, 1)
    optimizer = torch.optim.Adam(network.parameters())
    Session(tmp_path, 0).save(network, optimizer, 10)

    def full(_: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file data/0:\nfile write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(SymbenchError, match=r"cannot write .*checkpoint\.pt \(PytorchStreamWriter .* write failed\)"):
        Session(tmp_path, 0).save(network, optimizer, 20)
    assert Session(tmp_path, 0).restore(network, optimizer) == 10
    assert not list(tmp_path.glob("partial-*"))


def test_numbers_on_the_command_line_are_text(tmp_path: Path) -> None:
    assert load_recipe("mlp", {"steps": "1000"}).digest == load_recipe("mlp", {"steps": 1000}).digest


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("gpu", "unknown device 'gpu'; .*cuda"),
        pytest.param(
            "cuda", "torch sees no CUDA device", marks=pytest.mark.skipif(torch.cuda.is_available(), reason="it does")
        ),
    ],
)
def test_a_device_that_is_not_there(device: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match=said):
        train("mlp", tmp_path / "out", device=device)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("seed", [-1, 2**32, 99999999999999999999])
def test_a_seed_that_no_generator_takes_is_refused(seed: int, tmp_path: Path) -> None:
    with pytest.raises(SymbenchError, match="seed must be a whole number from 0"):
        train("mlp", tmp_path / "out", seed)
    assert not (tmp_path / "out").exists()


def test_ppo_does_not_train_on_actions_that_begin_at_1(tmp_path: Path) -> None:
    class Numbered(gym.Env[np.ndarray, int]):
        observation_space = Box(-1, 1, (2,), np.float32)
        action_space = Discrete(3, start=1)

        def reset(self, **_: Any) -> Any:
            return np.zeros(2, np.float32), {}

        def step(self, action: int) -> Any:
            return np.zeros(2, np.float32), 0.0, True, False, {}

    gym.register("FromOne-v0", Numbered, max_episode_steps=5)
    (tmp_path / "mine.toml").write_text(with_line('task = "FromOne-v0"'))
    try:
        with pytest.raises(SymbenchError, match=r"ppo numbers actions from 0, not Discrete\(3\) from 1"):
            train(str(tmp_path / "mine.toml"), tmp_path / "out")
    finally:
        del gym.registry["FromOne-v0"]


OWN = """
import gymnasium as gym
from gymnasium.envs.classic_control import CartPoleEnv
gym.register("MyTrainedPole-v0", CartPoleEnv, max_episode_steps=50)
"""


def test_an_environment_of_ones_own_is_trained_on_if_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_trained_poles.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    few = '{ name = "ppo", steps = 64, num_envs = 2, n_steps = 16, batch_size = 16, n_epochs = 1 }'
    text = with_line('task = "my_trained_poles:MyTrainedPole-v0"').replace('{ name = "ppo", steps = 100 }', few)
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(SymbenchError, match="if you trust it, add --trust"):
        train("mine.toml", tmp_path / "out")
    card = load_card(train("mine.toml", tmp_path / "out", trust=True))
    assert card["task"] == "my_trained_poles:MyTrainedPole-v0" and card["in_order"]["mean"] > 5
    monkeypatch.delitem(sys.modules, "my_trained_poles")
    monkeypatch.delitem(gym.registry, "MyTrainedPole-v0")
    monkeypatch.setattr(registry, "_of_gymnasium", {})


def test_an_evolution_of_too_many_weights_says_how_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: Any) -> Any:
        raise MemoryError("Unable to allocate 124. GiB")

    monkeypatch.setattr("cma.CMAEvolutionStrategy", too_much)
    with pytest.raises(SymbenchError, match=r"CMA-ES keeps a covariance of all pairs of [\d,]+ weights, \d+ GB"):
        train("recurrent-attention-neuron-es", tmp_path / "out")
