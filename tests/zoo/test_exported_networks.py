"""Networks in TorchScript and ONNX files play what the network itself would."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3 import PPO
from torch import nn

from symbench.errors import SymbenchError
from symbench.policies.module_agent import ModuleAgent
from symbench.runner import run
from symbench.runner.agents import load, resolve
from symbench.runner.pipeline import describe
from symbench.runner.run_suite import make_plan
from symbench.suites import load_suite
from symbench.zoo.exported_networks import OnnxNetwork

if TYPE_CHECKING:
    from pathlib import Path

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
POLE, PENDULUM = "CartPole-v1", "Pendulum-v1"
SIZES = {POLE: (4, 2), PENDULUM: (3, 1)}


def network(task: str, seed: int = 0) -> nn.Sequential:
    inputs, outputs = SIZES[task]
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def graph(nodes: list[Any], inputs: dict[str, Any], outputs: dict[str, Any], weights: dict[str, Any]) -> bytes:
    """An ONNX file; inputs and outputs are float32 of these shapes, those of ``int64`` in outputs say so."""
    made = onnx.helper.make_graph(
        nodes,
        "policy",
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [onnx.helper.make_tensor_value_info(name, *value) for name, value in outputs.items()],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = onnx.helper.make_model(made, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def layers(module: nn.Sequential, batch: Any = "batch", chosen: bool = False) -> bytes:
    """A network of this file in ONNX; ``chosen`` answers with the actions that it prefers, as SB3's exports do."""
    node, weights = onnx.helper.make_node, {}
    for place in (0, 2):
        weights |= {
            f"w{place}": module[place].weight.detach().numpy(),
            f"b{place}": module[place].bias.detach().numpy(),
        }
    nodes = [
        node("Gemm", ["seen", "w0", "b0"], ["hidden"], transB=1),
        node("Tanh", ["hidden"], ["tanh"]),
        node("Gemm", ["tanh", "w2", "b2"], ["logits"], transB=1),
    ]
    outputs = {"logits": (onnx.TensorProto.FLOAT, [batch, module[2].out_features])}
    if chosen:
        nodes.append(node("ArgMax", ["logits"], ["actions"], axis=1, keepdims=0))
        outputs = {"actions": (onnx.TensorProto.INT64, [batch]), **outputs}
    return graph(nodes, {"seen": [batch, module[0].in_features]}, outputs, weights)


def scripted(module: nn.Module, path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(module), path)  # type: ignore[no-untyped-call]
    return f"torchscript:{path}"


def written(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    return f"onnx:{path}"


def loaded(spec: str, task: str, trust: bool = False) -> ModuleAgent:
    env = gym.make(task)
    agent = load(resolve([spec], task, trust=trust)[0], env.observation_space, env.action_space)
    assert isinstance(agent, ModuleAgent)
    return agent


@pytest.mark.parametrize("task", [POLE, PENDULUM])
@pytest.mark.parametrize("form", ["torchscript", "onnx", "onnx, batches of 1"])
def test_files_play_what_the_network_plays(tmp_path: Path, task: str, form: str) -> None:
    module = network(task)
    if form == "torchscript":
        spec = scripted(module, tmp_path / "mine.pt")
    else:
        spec = written(layers(module, 1 if form.endswith("1") else "batch"), tmp_path / "mine.onnx")
    agent, env = loaded(spec, task, trust=form == "torchscript"), gym.make(task)
    assert agent.name == "mine"
    assert agent.incompatibility(env.observation_space, env.action_space) is None
    seen = np.random.default_rng(0).normal(size=(30, SIZES[task][0])).astype(np.float32)
    theirs = ModuleAgent(module, "itself", env.observation_space, env.action_space)
    batch = agent.act(seen)
    np.testing.assert_allclose(batch, theirs.act(seen), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(batch, np.concatenate([agent.act(row[None]) for row in seen]), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(agent.decisions(seen), theirs.decisions(seen), rtol=1e-4, atol=1e-6)  # type: ignore[arg-type]


def test_discrete_actions_themselves_are_played(tmp_path: Path) -> None:
    """As those of the exports in SB3's guide."""
    module = network(POLE)
    agent = loaded(written(layers(module, chosen=True), tmp_path / "mine.onnx"), POLE)
    seen = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    expected = module(torch.as_tensor(seen)).argmax(dim=1).numpy()
    assert 0 < expected.sum() < 30
    np.testing.assert_array_equal(agent.act(seen), expected)
    assert agent.decisions(seen) is None


def test_a_policy_of_sb3_plays_from_torchscript(tmp_path: Path) -> None:
    model = PPO("MlpPolicy", POLE, device="cpu", seed=0)
    policy = model.policy
    actor = nn.Sequential(policy.mlp_extractor.policy_net, policy.action_net)
    agent = loaded(scripted(actor, tmp_path / "actor.pt"), POLE, trust=True)
    seen = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    np.testing.assert_array_equal(agent.act(seen), model.predict(seen, deterministic=True)[0])


def test_parts_of_a_dict_go_to_inputs_of_their_names() -> None:
    node = onnx.helper.make_node
    content = graph(
        [node("Sub", ["left", "right"], ["logits"])],
        {"right": ["batch", 2], "left": ["batch", 2]},
        {"logits": (onnx.TensorProto.FLOAT, ["batch", 2])},
        {},
    )
    space = spaces.Dict(left=spaces.Box(-1, 1, (2,)), right=spaces.Box(-1, 1, (2,)))
    agent = ModuleAgent(OnnxNetwork(content), "sides", space, spaces.Discrete(2))
    seen = {"left": np.eye(2), "right": np.zeros((2, 2))}
    assert agent.incompatibility(space, spaces.Discrete(2)) is None
    assert agent.act(seen).tolist() == [0, 1]
    other = spaces.Dict(left=spaces.Box(-1, 1, (2,)), up=spaces.Box(-1, 1, (2,)))
    assert "cannot read" in str(agent.incompatibility(other, spaces.Discrete(2)))


@pytest.mark.parametrize("form", ["torchscript", "onnx"])
def test_wrong_shapes_are_told_in_one_line(tmp_path: Path, form: str) -> None:
    def spec_of(inputs: int, outputs: int) -> str:
        module = nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs))
        if form == "torchscript":
            return scripted(module, tmp_path / f"{inputs}-{outputs}.pt")
        return written(layers(module), tmp_path / f"{inputs}-{outputs}.onnx")

    env = gym.make(POLE)
    for shape, problem in (
        ((5, 2), r"5-2 cannot read Box\(4,\): "),
        ((4, 3), r"4-3 answers with \(1, 3\); .* \(1, 2\)"),
    ):
        reason = loaded(spec_of(*shape), POLE, trust=True).incompatibility(env.observation_space, env.action_space)
        assert reason is not None
        assert "\n" not in reason
        with pytest.raises(SymbenchError, match=problem):
            raise SymbenchError(reason)


def test_wrong_files_are_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"junk")
    torch.save(network(POLE).state_dict(), tmp_path / "weights.pt")
    for spec, problem in (
        (f"torchscript:{tmp_path}/junk", r"junk cannot be loaded as TorchScript \(RuntimeError: .*; torch\.jit\.save"),
        (f"torchscript:{tmp_path}/weights.pt", r"weights\.pt cannot be loaded as TorchScript .*make module:Name"),
        (f"onnx:{tmp_path}/junk", r"junk cannot be loaded as ONNX \(InvalidProtobuf: .*; torch\.onnx\.export"),
        (f"onnx:{tmp_path}/nothing", r"nothing' cannot be read \(No such file or directory\)"),
        (f"onnx:{tmp_path}/junk,rescale", r"rescale is no option of TorchScript and ONNX files"),
    ):
        with pytest.raises(SymbenchError, match=problem) as told:
            loaded(spec, POLE, trust=True)
        assert "\n" not in str(told.value)


def test_weights_beside_the_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash would not cover them, and their place is what the file says it is."""
    model = onnx.load_from_string(layers(network(POLE)))
    onnx.save_model(model, tmp_path / "mine.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SymbenchError, match="all weights in it"):
        loaded("onnx:mine.onnx", POLE)


def test_torchscript_needs_trust_and_onnx_its_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = scripted(network(POLE), tmp_path / "mine.pt")
    with pytest.raises(SymbenchError, match=r"mine\.pt is TorchScript, which is code: .* add --trust"):
        resolve([spec], POLE)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(SymbenchError, match=r"ONNX networks need onnxruntime: pip install 'symbench\[onnx\]'"):
        resolve([f"onnx:{tmp_path}/mine.onnx"], POLE)


@pytest.mark.slow
def test_a_run_plays_them_and_says_what_they_are(tmp_path: Path) -> None:
    spec = written(layers(network(POLE)), tmp_path / "mine.onnx")
    suite = load_suite("shuffle")
    cell = make_plan(suite, agents=[f"mine={spec}"], tasks=[POLE], episodes=1).cells[0]
    assert dict(describe(cell))["agent"].startswith("mine, training run 0 (onnx, sha256 ")
    digests = {resolve([spec], POLE)[0].digest}
    digests.add(resolve([f"{spec},stack=2"], POLE)[0].digest)
    written(layers(network(POLE, seed=1)), tmp_path / "mine.onnx")
    assert len(digests | {resolve([spec], POLE)[0].digest}) == 3
    manifest = run(suite, tmp_path / "run", tasks=[POLE], agents=[spec], baseline=False, episodes=2, workers=2)
    assert {key.split("/")[4] for key in manifest.cells} == {"mine", "random"}
    assert not manifest.failed
