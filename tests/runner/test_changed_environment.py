"""A run that goes on notices that an environment of the user's own has changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import pytest

from symbench.errors import SymbenchError
from symbench.own_code import source_files
from symbench.runner import load_manifest, run
from symbench.runner.run_suite import make_plan
from symbench.runner.shards import merge
from symbench.suites.loader import parse_suite
from symbench.tasks import get_task, registry, tasks
from symbench.tasks.own_environments import code_of

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.suites import Suite

CODE = """
import gymnasium as gym
import numpy as np

REWARD = 1.0


class Walk(gym.Env):
    observation_space = gym.spaces.Box(-9, 9, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), REWARD, True, False, {}
"""
REGISTERS = "gym.register('Step-v0', entry_point=Walk)\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that registers an environment, in the current directory."""
    (tmp_path / "one_step.py").write_text(CODE + REGISTERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget(monkeypatch)
    return tmp_path / "one_step.py"


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another process would begin."""
    monkeypatch.setattr(registry, "_of_gymnasium", {})
    for name in [name for name in sys.modules if name.startswith("one_step")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(gym.registry, "Step-v0", raising=False)


def suite_of(task: str) -> Suite:
    conditions: list[dict[str, Any]] = [{"name": "none", "level": "in-order", "baseline": True}]
    return parse_suite(
        {
            **{"name": "mine", "version": 1, "description": "one", "seed": 5, "episodes": 2, "tasks": [task]},
            "perturbations": conditions,
        },
        "mine",
    )


def returns(out: Path, task: str = "one_step:Step-v0", resume: bool = True) -> list[float]:
    from symbench.runner import Store

    run(suite_of(task), out, tasks=[task], agents=["random"], trust=True, resume=resume)
    (record,) = Store(out).records(load_manifest(out).cells)
    return list(record.episodes.returns)


def test_a_changed_module_is_an_error_and_is_played_again_if_asked(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert returns(tmp_path / "run") == returns(tmp_path / "run") == [1.0, 1.0]
    module.write_text(CODE.replace("REWARD = 1.0", "REWARD = 2.0") + REGISTERS)
    forget(monkeypatch)
    with pytest.raises(SymbenchError, match=r"the code of environment 'one_step:Step-v0' has changed since\); "):
        returns(tmp_path / "run")
    assert returns(tmp_path / "run", resume=False) == [2.0, 2.0]


def test_the_module_that_defines_it_counts_as_well_as_the_one_that_registers_it(
    module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module.with_name("one_step_of.py").write_text(CODE)
    module.write_text("import gymnasium as gym\ngym.register('Step-v0', entry_point='one_step_of:Walk')\n")

    def hash_of() -> str:
        forget(monkeypatch)
        (cell,) = make_plan(
            suite_of("one_step:Step-v0"), tasks=["one_step:Step-v0"], agents=["random"], trust=True
        ).cells
        return cell.spec_hash

    first = hash_of()
    assert hash_of() == first
    module.with_name("one_step_of.py").write_text(CODE + "# changed\n")
    assert hash_of() != first


def test_what_it_imports_from_its_folder_counts_and_so_does_what_that_imports(module: Path) -> None:
    module.write_text("from one_step_a import Walk\nimport numpy, symbench\n")
    (module.parent / "symbench").mkdir()  # as in a checkout
    (module.parent / "symbench" / "__init__.py").write_text("")
    module.with_name("one_step_a.py").write_text("def late():\n    import one_step_b.deep\n")
    (module.parent / "one_step_b").mkdir()
    (module.parent / "one_step_b" / "__init__.py").write_text("")
    (module.parent / "one_step_b" / "deep.py").write_text("import one_step, json\nfrom . import other\n")
    module.with_name("one_step_unused.py").write_text("")
    names = ["one_step.py", "one_step_a.py", "one_step_b/__init__.py", "one_step_b/deep.py"]
    assert list(source_files("one_step:Step-v0", trust=True)) == names


@pytest.mark.slow
def test_agents_that_played_the_environment_as_it_was_do_not_stay_beside_others(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agents = {"one": "one=one_step:one", "two": "two=one_step:two"}
    code = CODE + REGISTERS + "one = two = lambda observation: 0\n"

    def played(*names: str, out: Path = tmp_path / "run") -> None:
        forget(monkeypatch)
        run(
            suite_of("one_step:Step-v0"),
            out,
            tasks=["one_step:Step-v0"],
            agents=[agents[name] for name in names],
            trust=True,
            resume=False,
        )

    module.write_text(code)
    played("one", "two")
    module.write_text(code.replace("REWARD = 1.0", "REWARD = 2.0"))
    with pytest.raises(SymbenchError, match=r"holds two in one_step:Step-v0 as it was before its code changed: give"):
        played("one")
    played("one", out=tmp_path / "other")
    with pytest.raises(SymbenchError, match="they differ in the facts of task one_step:Step-v0"):
        merge(tmp_path / "both", [tmp_path / "run", tmp_path / "other"])
    played("one", "two")


def test_of_a_script_the_class_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "script.py"

    def code_with(text: str) -> str | None:
        script.write_text(text)
        space: dict[str, Any] = {"__name__": "one_step_script", "__file__": str(script)}
        exec(compile(text, str(script), "exec"), space)
        space["Walk"].__module__ = "__main__"
        monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
        monkeypatch.setattr("linecache.cache", {})
        forget(monkeypatch)
        gym.register("Step-v0", entry_point=space["Walk"])
        return code_of(get_task("Step-v0"))

    first = code_with(CODE)
    assert first is not None
    assert code_with(CODE + "print('another line of the script')\n") == first
    assert code_with(CODE.replace("zeros(2, np.float32), REWARD", "ones(2, np.float32), REWARD")) != first


def test_environments_that_are_not_the_users_have_none_so_that_records_are_what_they_were() -> None:
    assert {code_of(task) for task in tasks().values() if task.name != "one-step"} == {None}
    assert code_of(get_task("FrozenLake-v1")) is None
    (cell,) = make_plan(suite_of("CartPole-v1"), tasks=["CartPole-v1"], agents=["random"]).cells
    assert "code" not in cell.model_dump()
