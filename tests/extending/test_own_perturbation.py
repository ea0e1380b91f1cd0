"""A perturbation of one's own in suites, in the check kit, in lists, in specs and in pickles."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import sys
from pathlib import Path

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from stable_baselines3.common.vec_env import DummyVecEnv
from typer.testing import CliRunner

from symbench.cli import app
from symbench.errors import SymbenchError
from symbench.runner.find import stored_cell
from symbench.runner.pipeline import make_envs
from symbench.runner.run_suite import make_plan, run
from symbench.suites import load_suite
from symbench.testing import check_wrapper
from symbench.testing.rollouts import play, same
from symbench.wrappers import PERTURBATIONS, TRANSFORMS, perturbation_of, registry, sb3, vector, wrapper_of
from symbench.wrappers.adapters import adapter_of

PACKAGE = Path(__file__).parent / "perturbation"
NAME = "my_perturbations:FlipSigns"
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package in the current directory, not imported yet; all that it registers is forgotten after."""
    folder = tmp_path / "package"
    shutil.copytree(PACKAGE, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for names in (PERTURBATIONS, TRANSFORMS):
        for own in [name for name in names if not registry.is_bundled(names[name])]:
            monkeypatch.delitem(names, own)
    registry.load_installed.cache_clear()
    yield folder
    registry.load_installed.cache_clear()
    for names in (PERTURBATIONS, TRANSFORMS):
        names.pop("FlipSigns", None)
    sys.modules.pop("my_perturbations", None)


def flip_signs():
    return perturbation_of(NAME, trust=True)


@pytest.mark.slow
def test_a_suite_plays_it_under_trust_only(package, tmp_path):
    suite = load_suite("my.toml")
    with pytest.raises(SymbenchError, match=r"'my_perturbations:FlipSigns' is code of your own.* add --trust"):
        run(suite, tmp_path / "run", agents=["random"])
    manifest = run(suite, tmp_path / "run", agents=["random"], trust=True, workers=2)
    assert not manifest.failed and len(manifest.cells) == 3
    assert manifest.suite.protocol == suite.protocol  # goes on in the same directory
    assert run(suite, tmp_path / "run", agents=["random"], trust=True).invocations[-1].evaluated == 0


def test_a_file_cannot_trust_itself(package):
    text = Path("my.toml").read_text().replace("severity = 5", "_trust = true, trust = true, trusting = true")
    Path("my.toml").write_text(text)
    with pytest.raises(SymbenchError, match="add --trust"):
        make_plan(load_suite("my.toml"), agents=["random"])
    assert "my_perturbations" not in sys.modules


def test_what_the_source_says_is_part_of_the_cell(package, tmp_path):
    def hashes():
        sys.modules.pop("my_perturbations", None)
        return {
            cell.id: cell.spec_hash for cell in make_plan(load_suite("my.toml"), agents=["random"], trust=True).cells
        }

    before = hashes()
    run(load_suite("my.toml"), tmp_path / "run", agents=["random"], episodes=2, trust=True)
    Path("my_perturbations.py").write_text(Path("my_perturbations.py").read_text() + "\n# another one\n")
    after = hashes()
    changed = {id.split("/")[2] for id in before if before[id] != after[id]}
    assert changed == {"flip-signs"}
    id = next(id for id in before if "flip-signs" in id)
    cell = stored_cell(tmp_path / "run", id, trust=True)
    with pytest.raises(SymbenchError, match="the source of perturbation 'my_perturbations:FlipSigns' is not the one"):
        make_envs(cell.task, cell.apply, 1)
    untrusted = stored_cell(tmp_path / "run", id)
    with pytest.raises(SymbenchError, match="add --trust"):
        make_envs(untrusted.task, untrusted.apply, 1)


def test_a_severity_is_recorded_as_its_parameters(package):
    cells = make_plan(load_suite("my.toml"), agents=["random"], trust=True).cells
    last = cells[-1].apply[0]
    assert last.parameters == {"probability": 1.0} and re.fullmatch(NAME + "#sha256=[0-9a-f]{64}", last.wrapper)
    assert str(last) == f"{last.wrapper[:-52]}(probability=1.0)"


WRONG = {
    "my_perturbations:FlipSign": "unknown name 'FlipSign' in my_perturbations; did you mean 'FlipSigns'",
    "my_perturbations:np": "Perturbation is expected, received an object of type module",
    "no_such_module:FlipSigns": "there is no module 'no_such_module', neither in ",
    "broken:FlipSigns": "module 'broken' cannot be imported: ZeroDivisionError: division by zero",
    "needy:FlipSigns": "module 'needy' cannot be imported: ModuleNotFoundError: No module named 'no_such_library'",
    "broken_attribute:X": "module 'broken_attribute' cannot be imported: AttributeError: .*has no attribute 'nothing'",
    "abstract:Half": "Half lacks apply, magnitude, perturbed_space",
    "my_perturbations:": "'module:Name' is expected",
    ":FlipSigns": "'module:Name' is expected",
}


@pytest.mark.parametrize("name", WRONG)
def test_every_mistake_is_one_line(package, name):
    Path("broken.py").write_text("1 / 0")
    Path("needy.py").write_text("import no_such_library")
    Path("broken_attribute.py").write_text("import sys\nsys.nothing")
    Path("abstract.py").write_text("from symbench.wrappers import Perturbation\nclass Half(Perturbation): pass")
    Path("my.toml").write_text(Path("my.toml").read_text().replace(NAME, name))
    done = CliRunner().invoke(app, ["run", "--suite", "my.toml", "--agent", "random", "--trust", "--out", "run"])
    assert done.exit_code == 2 and re.search(WRONG[name], done.output) and done.output.count("\n") == 1
    assert f"perturbation '{name}'" in done.output


def test_a_wrong_parameter_names_the_perturbation(package):
    Path("my.toml").write_text(Path("my.toml").read_text().replace("probability = 0.5", "probability = 2"))
    with pytest.raises(SymbenchError, match=r"FlipSigns\(probability=2\): probability must be between 0.0 and 1.0"):
        make_plan(load_suite("my.toml"), agents=["random"], trust=True)
    Path("my.toml").write_text(Path("my.toml").read_text().replace("probability = 2", "chance = 0.5"))
    with pytest.raises(SymbenchError, match=r"unknown parameter 'chance' of my_perturbations:FlipSigns"):
        make_plan(load_suite("my.toml"), agents=["random"], trust=True)


def test_the_check_kit_takes_the_perturbation_itself(package):
    check_wrapper(flip_signs(), lambda: gym.make("CartPole-v1"), probability=0.7)

    class Global(flip_signs()):
        def draw(self, rng, size):
            return np.where(np.random.random((size, self._count)) < 0.5, np.float32(-1), np.float32(1))  # noqa: NPY002

    with pytest.raises(AssertionError, match="the same seed gives other observations"):
        check_wrapper(Global, lambda: gym.make("CartPole-v1"))


def test_specs_and_pickles_find_it(package):
    wrapper = wrapper_of(NAME)
    env = wrapper(gym.make("CartPole-v1"), severity=2)
    spec = env.spec.to_json()
    assert json.loads(spec)["additional_wrappers"][0]["kwargs"] == {"probability": 0.4}
    assert same(play(env), play(gym.make(EnvSpec.from_json(spec))))
    for module in (pickle, cloudpickle):
        assert module.loads(module.dumps(wrapper)) is wrapper
        assert same(play(module.loads(module.dumps(env))), play(env))
    for kind in (vector.VectorAdapter, sb3.VecEnvAdapter):
        batched = adapter_of(kind, flip_signs())
        assert pickle.loads(pickle.dumps(batched)) is batched
    venv = sb3.vec_env_wrapper_of(NAME)(DummyVecEnv([lambda: gym.make("CartPole-v1")]), probability=0.3)
    assert venv.reset().shape == (1, 4)


def test_an_installed_package_needs_no_trust(package, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(package))
    done = CliRunner().invoke(app, ["list", "perturbations"])
    assert done.exit_code == 0 and re.search(r"FlipSigns +Each sensor's sign", done.output)
    Path("my.toml").write_text(Path("my.toml").read_text().replace(NAME, "FlipSigns"))
    manifest = run(load_suite("my.toml"), tmp_path / "run", agents=["random"], episodes=2)
    cell = next(id for id in manifest.cells if "flip-signs" in id)
    assert not manifest.failed and "FlipSigns#sha256=" in stored_cell(tmp_path / "run", cell).apply[0].wrapper


def test_an_installed_package_that_fails_says_so(package, monkeypatch):
    monkeypatch.syspath_prepend(str(package))
    Path("my_perturbations.py").write_text("raise RuntimeError('no licence')")
    done = CliRunner().invoke(app, ["list", "perturbations"])
    assert done.exit_code == 0 and "cannot be loaded: RuntimeError: no licence" in " ".join(done.output.split())
    with pytest.raises(SymbenchError, match="'FlipSigns' of an installed package cannot be loaded: RuntimeError"):
        perturbation_of("FlipSigns")
    assert perturbation_of("ShuffleSensors") is PERTURBATIONS["ShuffleSensors"]


def test_a_name_that_is_taken_is_refused(package):
    Path("other.py").write_text(Path("my_perturbations.py").read_text().replace("FlipSigns", "DropSensors"))
    with pytest.raises(SymbenchError, match=r"symbench\.wrappers\.sensors has a DropSensors already"):
        perturbation_of("other:DropSensors", trust=True)


def test_the_guide_shows_this_package():
    text = (DOCS / "my-perturbation.md").read_text(encoding="utf-8")
    assert (PACKAGE / "my_perturbations.py").read_text(encoding="utf-8") in text
    assert (PACKAGE / "my.toml").read_text(encoding="utf-8") in (DOCS / "my-suite.md").read_text(encoding="utf-8")
    assert 'FlipSigns = "my_perturbations:FlipSigns"' in text
