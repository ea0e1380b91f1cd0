"""Attack: the agent's process changes the installed package on the disk, or waits there for a maintainer's key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from maintainer_keys import NEEDS_SSH, allow, make_key
from typer.testing import CliRunner
from verify_cases import doctored, longer, networks, small_suite, submitted

import symbench
from symbench.cli import app
from symbench.leaderboard import untouched
from symbench.leaderboard.signatures import signature_fault
from symbench.leaderboard.untouched import Untouched
from symbench.leaderboard.verified import is_verified, read_verified, write_verified
from symbench.leaderboard.verify import record, verify
from symbench.runner import agent_apart

if TYPE_CHECKING:
    from collections.abc import Callable

# It changes only a package that holds a file MINE: the copy that the test below makes.
REWRITES = '''
"""An agent that falls. While it is loaded to be asked where it can act, it writes other rules, which workers import."""
import os
from pathlib import Path
import symbench

LIES = """

def play(envs, agent, seeds, *of, **told):
    full = np.full(len(seeds), 500)
    return Episodes(np.array(seeds), full * 1.0, full, full < 0)
"""
PACKAGE = Path(symbench.__file__).parent
if (PACKAGE / "MINE").exists():
    rules = PACKAGE / "runner" / "evaluate.py"
    text, of = rules.read_text(), rules.stat()
    if LIES not in text:
        rules.write_text(text + LIES)
    elif {back}:
        rules.write_text(text.replace(LIES, ""))
    os.utime(rules, ns=(of.st_atime_ns, of.st_mtime_ns))
'''

# Likewise: only where the package that it finds is the copy.
STANDS_BEFORE = '''
"""While it is loaded, it puts a module where a new process looks for one of Python's, and that removes itself."""
from pathlib import Path
import symbench

LIES = """
import os, sys, threading, time
worker = any("spawn_main" in each for each in sys.orig_argv)  # not the process that multiprocessing keeps beside it
if worker:
    os.unlink(__file__)
before, here = sys.path[:], os.path.realpath(os.path.dirname(__file__))
sys.path[:] = [folder for folder in before if os.path.realpath(folder) != here]
del sys.modules["selectors"]
import selectors
sys.path[:] = before

def lie():
    while not hasattr(rules := sys.modules.get("symbench.runner.evaluate"), "play"):
        time.sleep(0.001)
    import numpy as np
    def play(envs, agent, seeds, *of, **told):
        full = np.full(len(seeds), 500)
        return rules.Episodes(np.array(seeds), full * 1.0, full, full < 0)
    rules.play = play

if worker:
    threading.Thread(target=lie, daemon=True).start()
"""
PACKAGE = Path(symbench.__file__).parent
folder = PACKAGE.parents[1]
once = folder.with_name(f"{folder.name}-once")
if (PACKAGE / "MINE").exists() and not once.exists():
    once.touch()
    (folder / "selectors.py").write_text(LIES)
'''

FALLS = """
import numpy as np
from symbench.policies import Agent

class Falls(Agent):
    name = "mine"
    def reset(self, num_envs=1, *, seed=0):
        pass
    def restart(self, mask):
        pass
    def keep(self, mask):
        pass
    def act(self, seen):
        return np.zeros(len(seen), np.int64)
    def incompatibility(self, observation_space, action_space):
        self.action_space = action_space
        return None
"""


BACK = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no time of the last change")


@pytest.mark.slow
@pytest.mark.parametrize(("how", "back"), [("stays", False), pytest.param("put_back", True, marks=BACK)])
def test_nothing_is_verified_by_rules_that_the_agent_has_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, back: bool
) -> None:
    table, agent = lies(tmp_path, monkeypatch, how, back)
    result = verified_by_a_copy(tmp_path, table, agent)
    assert result.returncode == 2
    assert "evaluate.py changed while the agent was playing, so nothing is verified" in result.stderr
    assert not (tmp_path / "verified.json").exists()


@pytest.mark.slow
@BACK
@pytest.mark.parametrize("seen", [True, False])
def test_nor_by_a_module_that_stands_before_another_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: bool
) -> None:
    table, agent = lies(tmp_path, monkeypatch, f"before_{seen}")
    result = verified_by_a_copy(tmp_path, table, agent, "" if seen else "\nUntouched.check = lambda self: None\n")
    assert not (tmp_path / "selectors.py").exists()
    assert "again 500.0000, 100% of the episodes identical" in result.stdout, "an agent that falls"
    assert result.returncode == 2 or not seen
    assert (f"{tmp_path} changed while the agent was playing" in result.stderr) is seen


@pytest.mark.slow
def test_they_would_be_verified_if_nobody_looked_at_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, agent = lies(tmp_path, monkeypatch, "unseen", back=True)
    result = verified_by_a_copy(tmp_path, table, agent, more="\nUntouched.check = lambda self: None\n")
    assert result.returncode == 0
    assert "again 500.0000, 100% of the episodes identical" in result.stdout
    assert (tmp_path / "verified.json").exists()


def lies(folder: Path, monkeypatch: pytest.MonkeyPatch, how: str, back: bool = False) -> tuple[Path, str]:
    """A submission of nothing but full episodes, and its agent, which falls."""
    small_suite(folder, monkeypatch)
    code = STANDS_BEFORE if how.startswith("before") else REWRITES.replace("{back}", str(back))
    (folder / f"rewrites_{how}.py").write_text(code + FALLS)
    table = submitted(folder, [f"rewrites_{how}:Falls"], trust=True)
    doctored(table, lambda rows: [longer(row, 500) for row in rows])
    return table, f"rewrites_{how}:Falls"


def verified_by_a_copy(folder: Path, table: Path, agent: str, more: str = "") -> subprocess.CompletedProcess[str]:
    """What ``symbench verify`` says where the installed package is a copy, with some more code in it."""
    package = folder / "installed" / "symbench"
    shutil.copytree(symbench.__path__[0], package, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    shutil.copy(folder / "suites" / "tiny.toml", package / "suites")
    (package / "MINE").touch()
    with (package / "leaderboard" / "untouched.py").open("a") as judge:
        judge.write(more)
    command = ["verify", table, "--agent", agent, "--trust", "--record", folder / "verified.json"]
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    return subprocess.run(
        [sys.executable, "-m", "symbench.cli", *map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What stands for symbench, beside another package and a submission."""
    for name in ("ours", "others"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("rules = 1\n")
        (tmp_path / name / "__pycache__").mkdir()
    for name in ("json", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "mine.csv").write_text("a\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "modules.zip")])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr(untouched, "_PACKAGE", tmp_path / "ours")
    monkeypatch.setattr(untouched, "_folders", lambda: [str(tmp_path / "others")])
    return tmp_path


def put_back(file: Path) -> None:
    before, of = file.read_text(), file.stat()
    file.write_text("rules = 2\n")
    file.write_text(before)
    os.utime(file, ns=(of.st_atime_ns, of.st_mtime_ns))


def made_and_removed(file: Path) -> None:
    file.touch()
    file.unlink()


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "nothing": (lambda root: None, []),
    "read": (lambda root: (root / "ours" / "module.py").read_text(), []),
    "a submission": (lambda root: (root / "mine.csv").write_text("b\n"), ["mine.csv"]),
    "what was not there": (lambda root: (root / "verified.json").write_text("{}"), ["verified.json"]),
    "our module": (lambda root: (root / "ours" / "module.py").write_text("rules = 2\n"), ["ours/module.py"]),
    "another module": (lambda root: (root / "others" / "module.py").write_text("rules = 2\n"), ["others/module.py"]),
    "a module removed": (lambda root: (root / "others" / "module.py").unlink(), ["others/module.py"]),
    "a new module": (lambda root: (root / "others" / "sitecustomize.py").touch(), ["others/sitecustomize.py"]),
    "our bytecode": (
        lambda root: (root / "ours" / "__pycache__" / f"x.{sys.implementation.cache_tag}.pyc").touch(),
        [f"ours/__pycache__/x.{sys.implementation.cache_tag}.pyc"],
    ),
    "what any program that imports it may write": (
        lambda root: (root / "others" / "__pycache__" / f"x.{sys.implementation.cache_tag}.pyc").touch(),
        [],
    ),
    "what comes before a module": (lambda root: (root / "numpy.py").touch(), ["numpy.py"]),
    "what comes before a package": (lambda root: (root / "json" / "__init__.py").touch(), ["json"]),
    "a folder of no module": (lambda root: (root / "notes" / "today.txt").touch(), []),
    "a zip of modules": (lambda root: (root / "modules.zip").touch(), ["modules.zip"]),
    "what starts workers": (lambda root: (root / "pyvenv.cfg").touch(), ["pyvenv.cfg"]),
    "made and removed": (lambda root: made_and_removed(root / "others" / "sitecustomize.py"), ["others"]),
    "made and removed here": (lambda root: made_and_removed(root / "numpy.py"), [""]),
    "put back": (lambda root: put_back(root / "others" / "module.py"), ["others/module.py"]),
}


UNSEEN = ("put back", "made and removed", "made and removed here")


@pytest.mark.parametrize("change", [pytest.param(name, marks=BACK if name in UNSEEN else ()) for name in CHANGES])
def test_what_is_changed_is_named(package: Path, change: str) -> None:
    look = Untouched([package / "mine.csv", package / "verified.json"])
    does, named = CHANGES[change]
    does(package)
    assert look.changed() == [str(package / name) for name in named]


@pytest.mark.slow
def test_the_processes_of_agents_have_ended_when_verify_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_suite(tmp_path, monkeypatch)
    (tmp_path / "waits.py").write_text(REWRITES.replace("{back}", "False") + FALLS)
    claims, pids = doctored(submitted(tmp_path, ["waits:Falls"], trust=True)), []
    begin = agent_apart._Process.__init__

    def noted(self: agent_apart._Process) -> None:
        begin(self)
        pids.append(self._process)

    monkeypatch.setattr(agent_apart._Process, "__init__", noted)
    agent_apart.end()
    assert verify(claims, ["waits:Falls"], trust=True).problems == []
    assert pids and all(process.returncode is not None for process in pids)


# What code of an agent could write where it was verified.
LIES_OF_ENTRIES: dict[str, dict[str, Any]] = {
    "is no cell of the submission": {"cells": ["a", "b"]},
    "tiny@2/CartPole-v1/none/in-order/other/s0' is no cell": {"cells": ["tiny@2/CartPole-v1/none/in-order/other/s0"]},
    "a cell is there twice": {"cells": ["tiny@2/CartPole-v1/none/in-order/mine/s0"] * 2},
    "1 of 2 cells give a confidence of 0.5, not of 1": {"cells": ["tiny@2/CartPole-v1/none/in-order/mine/s0"]},
    "the submission has 2 cells, not 1": {"of": 1, "cells": ["tiny@2/CartPole-v1/none/in-order/mine/s0"]},
    "the submission has 2 cells, not 3": {"of": 3},
}


@pytest.mark.slow
@NEEDS_SSH
def test_a_command_that_runs_the_code_of_an_agent_signs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_suite(tmp_path, monkeypatch)
    key, file = make_key(tmp_path / "keys"), tmp_path / "verified.json"
    allow(tmp_path / "allowed_signers", key)
    agents, call = networks(tmp_path, 1), CliRunner().invoke
    honest = doctored(table := submitted(tmp_path, agents))
    options = ["--record", str(file), "--sign", str(key)]
    refused = call(app, ["verify", str(table), "--agent", agents[0], "--trust", *options])
    assert refused.exit_code == 2 and "so nothing is signed" in refused.output and not file.exists()

    sign = ["sign-verified", str(table), *options]
    assert "has no entry 'mine'" in call(app, sign).output
    record(file, honest, verify(honest, agents, cells=1))
    assert "0.95 is asked for" in call(app, sign).output
    record(file, honest, verify(honest, agents, trust=True))
    assert read_verified(file)["mine"].signature is None
    written = read_verified(file)["mine"]
    for lie, told in LIES_OF_ENTRIES.items():
        lying = {"mine": written.model_copy(update=told)}
        write_verified(file, lying)
        assert lie in call(app, sign).output and not is_verified(honest, lying)
    write_verified(file, {"mine": written})
    assert call(app, sign).output == "mine: signed, 2 cells\n"
    assert not signature_fault("mine", read_verified(file)["mine"], tmp_path / "allowed_signers")
    assert is_verified(honest, read_verified(file))

    doctored(table, lambda rows: [longer(row, 1) for row in rows])
    assert "the entry 'mine' is of other files than" in call(app, sign).output
