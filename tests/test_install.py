"""What ``pip install symbench`` brings is enough for ``symbench run``; what is missing says which extra brings it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symbench.errors import SymbenchError
from symbench.extras import EXTRAS, require
from symbench.training import load_recipe, recipes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
IMPORTED_AS = {"pyyaml": "yaml", "scikit-learn": "sklearn", "pillow": "PIL"}
OPTIONAL = sorted({*EXTRAS, "cv2", "ale_py", "Box2D", "mujoco", "pygame"})


def _modules(requirements: list[str]) -> set[str]:
    names = [re.split(r"[ ;<>=!\[]", each, maxsplit=1)[0].lower() for each in requirements]
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


def without(blocked: list[str], *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
        f"sys.argv = ['symbench', *{list(arguments)!r}]\n"
        "from symbench.cli import main; main()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)


def test_no_module_of_an_extra_is_installed_by_default() -> None:
    assert not _modules(PROJECT["dependencies"]) & set(OPTIONAL)


@pytest.mark.parametrize("module", [each for each in EXTRAS if each != "threadpoolctl"])  # scikit-learn brings it
def test_every_extra_brings_what_it_is_said_to(module: str) -> None:
    assert module in _modules(PROJECT["optional-dependencies"][EXTRAS[module]])


@pytest.mark.slow
def test_the_shuffle_suite_runs_without_any_extra(tmp_path: Path) -> None:
    done = without(
        OPTIONAL, "run", "--suite", "shuffle", "--task", "CartPole-v1", "--episodes", "2", "--out", "r", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "r" / "run.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize(("wanted", "extra"), [("evolution", "train"), ("ppo", "sb3")])
def test_a_training_says_what_is_missing_before_it_begins(wanted: str, extra: str, tmp_path: Path) -> None:
    name = next(each for each in recipes() if load_recipe(each).algorithm.name == wanted)
    done = without(["stable_baselines3", "cma"], "train", name, "--out", "t", cwd=tmp_path)
    assert done.returncode == 2 and not (tmp_path / "t").exists()
    assert f"pip install 'symbench[{extra}]'" in done.stderr and done.stderr.count("\n") == 1


def test_the_message_names_the_package_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(SymbenchError, match=r"^pictures need scikit-learn: pip install 'symbench\[pictures\]'$"):
        require("sklearn.manifold", "pictures")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("blocked", "command", "extra"),
    [
        ("ray", "run --suite shuffle --task CartPole-v1 --executor ray --out new", "ray"),
        ("jinja2", "leaderboard new", "site"),
        ("sklearn", "analyse attention-neuron --task CartPoleSwingUp --out new", "pictures"),
        ("PIL", "analyse attention-neuron --task CartPoleSwingUp --out new", "pictures"),
        ("PIL", "video shuffle@2/CartPole-v1/none/in-order/mlp/s0 --out new", "pictures"),
        ("imageio", "video shuffle@2/CartPole-v1/none/in-order/mlp/s0 --out new.mp4", "pictures"),
        ("matplotlib", "study cartpole --out new", "pictures"),
        ("pygame", "video shuffle@2/CartPole-v1/none/in-order/mlp/s0 --out new.gif", "render"),
    ],
)
def test_a_command_says_what_is_missing_before_work_begins(
    blocked: str, command: str, extra: str, tmp_path: Path
) -> None:
    done = without([blocked], *command.split(), cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert f"pip install 'symbench[{extra}]'" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.reference
def test_a_zip_of_sb3_says_what_is_missing_before_cells_are_played(tmp_path: Path) -> None:
    folder = os.environ.get("SYMBENCH_REFERENCE") or pytest.skip("SYMBENCH_REFERENCE is not set")
    agent = f"ppo:{folder}/sb3_zoo/ppo-CartPole-v1.zip"
    arguments = ("run", "--suite", "shuffle", "--task", "CartPole-v1", "--agent", agent, "--trust", "--out", "r")
    done = without(["stable_baselines3", "sb3_contrib"], *arguments, cwd=tmp_path)
    assert done.returncode == 2 and "pip install 'symbench[sb3]'" in done.stderr, done.stderr
    assert not list((tmp_path / "r").glob("cells/**/*.json"))


def test_wrappers_import_gymnasium_and_numpy_only() -> None:
    code = (
        "import sys, gymnasium.vector, numpy; before = set(sys.modules); import symbench.wrappers\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"symbench", "gymnasium", "numpy", "__mp_main__"}
