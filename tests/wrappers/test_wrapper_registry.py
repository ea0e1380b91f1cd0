"""Wrappers are made from perturbations: names, signatures, pickles, what is imported for them."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import subprocess
import sys

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec, WrapperSpec

from symbench import wrappers
from symbench.errors import SymbenchError
from symbench.wrappers import TRANSFORMS, Perturbation, register_perturbation, registry, sb3, single, stubs, vector
from symbench.wrappers.registry import perturbation_of

MODULES = (single, vector, sb3)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_name_is_an_attribute_of_every_module(name):
    assert getattr(wrappers, name) is getattr(single, name)
    for module in MODULES:
        wrapper = getattr(module, name)
        assert wrapper is getattr(module, name) and wrapper.transform_class is TRANSFORMS[name]
        assert pickle.loads(pickle.dumps(wrapper)) is wrapper
        assert name in dir(module) and name in dir(wrappers) and name in wrappers.__all__
        assert f"{wrapper.__module__}.{wrapper.__name__}" == f"{module.__name__}.{name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_other_attributes_are_missing_in_the_usual_way(module):
    assert not hasattr(module, "ShuffleSensor") and not hasattr(module, "no/such/Module")
    with pytest.raises(AttributeError, match=rf"module '{module.__name__}' has no attribute 'ShuffleSensor'"):
        module.ShuffleSensor  # noqa: B018
    with pytest.raises(ImportError, match=r"cannot import name 'ShuffleSensor' from 'symbench\.wrappers'"):
        from symbench.wrappers import ShuffleSensor  # noqa: F401


def test_a_spec_recorded_before_rebuilds():
    spec = copy.deepcopy(gym.spec("CartPole-v1"))
    spec.additional_wrappers = (WrapperSpec("DropSensors", "symbench.wrappers.single:DropSensors", {"ratio": 0.5}),)
    env = gym.make(EnvSpec.from_json(spec.to_json()))
    assert isinstance(env, wrappers.DropSensors) and env.transform.ratio == 0.5


@pytest.mark.parametrize("module", ["single", "vector", "sb3"])
def test_type_checkers_read_the_present_signatures(module):
    """After a change: python -m symbench.wrappers.stubs."""
    written = (stubs.FOLDER / f"{module}.pyi").read_text(encoding="utf-8")
    assert written == stubs.stub(module)
    assert "class ShuffleSensors(" in written
    assert "resample: Resample = ..., key: str | None = ..., severity: int | None = ..." in written


@pytest.mark.slow
def test_mypy_sees_the_signatures(tmp_path):
    pytest.importorskip("mypy", reason="mypy is not installed")
    file = tmp_path / "mine.py"
    file.write_text(
        "import gymnasium as gym\n"
        "from symbench.wrappers import ShuffleSensors, sb3, vector\n"
        "def wrapped(env: gym.Env[object, object]) -> ShuffleSensors:\n"
        "    return ShuffleSensors(env, resample=3)\n"
        "def wrong(env: gym.Env[object, object]) -> None:\n"
        "    ShuffleSensors(env, resampl=3)\n"
        "    vector.DropSensors(env)\n"
        "    sb3.SensorNoise(env, sigma='much')\n"
    )
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", str(file)], capture_output=True, text=True)
    assert [line.split(":")[1] for line in done.stdout.splitlines() if ": error:" in line] == ["6", "7", "8", "8"]


def test_a_class_registered_again_replaces_itself_and_no_other():
    again = type("ShuffleSensors", (Perturbation,), {"__module__": "somewhere.else"})
    with pytest.raises(ValueError, match=r"symbench\.wrappers\.sensors has a ShuffleSensors already; choose another"):
        register_perturbation(again)
    assert register_perturbation(TRANSFORMS["ShuffleSensors"]) is TRANSFORMS["ShuffleSensors"]


def test_help_shows_and_explains_the_parameters():
    shown = inspect.signature(vector.ShuffleSensors)
    assert list(shown.parameters) == ["envs", "resample", "key", "severity"]
    assert "Severities:" in vector.ShuffleSensors.__doc__ and "resample:" in vector.ShuffleSensors.__doc__


@pytest.mark.parametrize("name", TRANSFORMS)
def test_what_tables_call_a_wrapper_is_its_name_in_small_letters(name):
    assert TRANSFORMS[name].name == re.sub("([A-Z])", r"-\1", name).lower().removeprefix("-")


@pytest.mark.parametrize("module", MODULES)
def test_signatures_are_those_of_the_perturbation(module):
    of_class = list(inspect.signature(TRANSFORMS["ShufflePatches"]).parameters)
    shown = list(inspect.signature(module.ShufflePatches).parameters)
    assert shown[0] in ("env", "envs", "venv") and shown[1 : 1 + len(of_class)] == of_class


def test_a_perturbation_that_is_not_complete_says_what_it_lacks():
    class Half(Perturbation):
        pass

    with pytest.raises(SymbenchError, match=r"^Half lacks apply, magnitude, perturbed_space$"):
        registry._checked(Half)
    with pytest.raises(SymbenchError, match=r"is expected, received class dict$"):
        registry._checked(dict)


def test_modules_are_imported_only_if_they_are_trusted():
    with pytest.raises(SymbenchError, match="--trust"):
        perturbation_of("json:dumps")
    with pytest.raises(SymbenchError, match="no_such_module"):
        perturbation_of("no_such_module:Name", trust=True)
