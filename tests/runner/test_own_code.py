"""Agents of the user's own code: ``--agent module:Name --trust``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from symbench.errors import SymbenchError
from symbench.runner import AgentSource, Cell, Store, evaluate, run
from symbench.runner.agents import load, resolve
from symbench.runner.pipeline import describe
from symbench.runner.run_suite import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from symbench.suites import Suite

TASK = "CartPole-v1"
CODE = '''
import numpy as np
import torch


class Tiny:
    def act(self, observation):
        return int(observation[2] + 0.5 * observation[3] > 0)


class Batched:
    batched = True

    def act(self, observations):
        return (observations[:, 2] + 0.5 * observations[:, 3] > 0).astype(int)


def lean(observation):
    return int(observation[2] + 0.5 * observation[3] > 0)


class Net(torch.nn.Module):
    """The same as logits."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)
        with torch.no_grad():
            self.layer.weight.copy_(torch.tensor([[0.0, 0, -1, -0.5], [0, 0, 1, 0.5]]))
            self.layer.bias.zero_()

    def forward(self, observations):
        return self.layer(observations)


class Dice:
    """Draws its actions; its memory begins again with each episode."""

    def reset(self, seed):
        self.generator = np.random.default_rng(seed)

    def act(self, observation):
        return int(self.generator.integers(2))


class Nothing:
    pass


class Demanding:
    def __init__(self, path):
        pass

    def act(self, observation):
        return 0


def seven(observation):
    return 7


def broken(observation):
    return observation["image"]


ready = Tiny()
'''


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_nets.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]


def cell_of(spec: str) -> Cell:
    source: AgentSource = resolve([spec], TASK, trust=True)[0]
    fields: dict[str, Any] = {"suite": "tiny", "version": 1, "task": TASK, "perturbation": "none", "level": "in-order"}
    return Cell(**fields, apply=(), source=source, episodes=6, seed=100)


def returns(spec: str) -> list[float]:
    return evaluate(cell_of(spec)).returns.tolist()


def test_a_class_an_object_a_function_a_batched_one_and_a_module_play_the_same_episodes() -> None:
    expected = returns("my_nets:Tiny")
    assert min(expected) > 150
    for name in ("ready", "lean", "Batched", "Net"):
        assert returns(f"my_nets:{name}") == expected


def test_an_agent_with_a_memory_plays_each_episode_with_one_of_its_own() -> None:
    cell = cell_of("my_nets:Dice")
    together = evaluate(cell).returns.tolist()
    alone = [
        float(evaluate(cell.model_copy(update={"episodes": 1, "seed": cell.seed + i})).returns[0]) for i in range(6)
    ]
    assert together == alone
    assert len(set(together)) > 1


def test_code_needs_trust() -> None:
    with pytest.raises(SymbenchError, match="my_nets:Tiny is code, which is executed: if you trust it, add --trust"):
        resolve(["my_nets:Tiny"], TASK)
    assert "my_nets" not in sys.modules


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("my_netz:Tiny", r"there is no module 'my_netz', neither in .* nor among the installed packages"),
        ("my_nets.deep:Tiny", r"there is no module 'my_nets\.deep'"),
        ("my_nets:Tini", r"unknown name 'Tini' in my_nets; did you mean 'Tiny'\?"),
        ("my_nets:Nothing", r"agent 'Nothing': Nothing has no method act\(observation\)"),
        ("my_nets:Demanding", r"Demanding\(\), without arguments, fails: TypeError: .* 'path'"),
        ("my_nets:Tiny,rescale", r"rescale is no option of agents of your own code"),
        ("my_nets:broken", r"agent 'broken' cannot play CartPole-v1: broken cannot act on Box\(4,\): IndexError: "),
        ("my_nets:Net,flatten,stack=2", r"Net cannot read Box\(8,\): RuntimeError: mat1 and mat2"),
    ],
)
def test_what_is_no_agent_is_refused_in_one_line(suite: Suite, spec: str, problem: str) -> None:
    with pytest.raises(SymbenchError, match=problem) as refused:
        make_plan(suite, tasks=[TASK], agents=[spec], trust=True)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("import no_such_package", r"ModuleNotFoundError: No module named 'no_such_package' \(my_broken\.py, line 1\)"),
        ("x = 1\ny = 1 / 0", r"ZeroDivisionError: division by zero \(my_broken\.py, line 2\)"),
        ("raise SystemExit(3)", r"SystemExit: 3"),
        ("def f(:", r"SyntaxError: .*my_broken\.py, line 1"),
    ],
)
def test_a_module_that_fails_to_import_shows_its_own_error(
    suite: Suite, tmp_path: Path, content: str, problem: str
) -> None:
    (tmp_path / "my_broken.py").write_text(content)
    with pytest.raises(SymbenchError, match=rf"module 'my_broken' cannot be imported: {problem}"):
        make_plan(suite, tasks=[TASK], agents=["my_broken:f"], trust=True)


def test_the_digest_follows_the_source_of_the_module_or_of_its_package(tmp_path: Path) -> None:
    before = resolve(["my_nets:Tiny"], TASK, trust=True)[0].digest
    assert resolve(["x=my_nets:Tiny"], TASK, trust=True)[0].digest == before
    assert resolve(["my_nets:lean"], TASK, trust=True)[0].digest != before
    (tmp_path / "my_nets.py").write_text(CODE + "\n# changed")
    assert resolve(["my_nets:Tiny"], TASK, trust=True)[0].digest != before
    package = tmp_path / "my_package"
    package.mkdir()
    for name, content in (("__init__", ""), ("agents", "from my_package.parts import act"), ("parts", "act = len")):
        (package / f"{name}.py").write_text(content)
    before = resolve(["my_package.agents:act"], TASK, trust=True)[0].digest
    (package / "parts.py").write_text("act = int")
    assert resolve(["my_package.agents:act"], TASK, trust=True)[0].digest != before


def test_code_that_changed_since_the_plan_does_not_play(tmp_path: Path) -> None:
    import gymnasium as gym

    env, source = gym.make(TASK), resolve(["my_nets:Tiny"], TASK, trust=True)[0]
    load(source, env.observation_space, env.action_space)
    (tmp_path / "my_nets.py").write_text(CODE + "\n# changed")
    with pytest.raises(SymbenchError, match="have changed since the run was planned"):
        load(source, env.observation_space, env.action_space)


def test_the_pipeline_says_that_it_is_code() -> None:
    steps = dict(describe(cell_of("mine=my_nets:Tiny,stack=2")))
    assert steps["agent"].startswith(
        "mine, training run 0 (code, my_nets:Tiny; the hash covers its module's source only"
    )
    assert steps["agent's own"] == "the latest 2 observations are stacked, the agent's own code"


@pytest.mark.slow
def test_wrong_actions_fail_their_cells_with_step_and_seed_and_the_others_go_on(suite: Suite, tmp_path: Path) -> None:
    agents = ["my_nets:seven", "my_nets:Tiny"]
    manifest = run(suite, tmp_path / "out", tasks=[TASK], agents=agents, trust=True, episodes=2)
    assert len(manifest.failed) == 3
    for problem in manifest.failed.values():
        assert "agent 'seven' answered with 7 at step 0 of the episode with seed 100" in problem
    played = {record.cell.agent for record in Store(tmp_path / "out").records(manifest.cells)}
    assert played == {"Tiny", "random"}


def test_answers_may_be_numpy_numbers_and_tensors(tmp_path: Path) -> None:
    (tmp_path / "my_answers.py").write_text(
        "import numpy as np, torch\n"
        "def one(o): return np.int64(1)\n"
        "def row(o): return np.array(1)\n"
        "def tensor(o): return torch.ones((), dtype=torch.int64, requires_grad=False)\n"
        "class All:\n"
        "    batched = True\n"
        "    def act(self, o): return [1] * len(o)\n"
    )
    assert len({tuple(returns(f"my_answers:{name}")) for name in ("one", "row", "tensor", "All")}) == 1
    assert np.mean(returns("my_answers:one")) < 12
