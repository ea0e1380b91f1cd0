"""Models of Stable-Baselines3 are rebuilt from plain data; what holds more is not opened without trust."""

from __future__ import annotations

import base64
import builtins
import json
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from symbench.errors import SymbenchError
from symbench.zoo import load_sb3
from symbench.zoo.sb3_contents import plain_data
from symbench.zoo.sb3_plain import rebuilt
from symbench.zoo.sb3_zip import _NOT_NEEDED

if TYPE_CHECKING:
    from pathlib import Path


class _Executes:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("import builtins; builtins.was_executed = True",)


HOSTILE = {
    "policy_class": _Executes(),
    "policy_kwargs": {"net_arch": [8], "activation_fn": _Executes()},
    "_last_obs": _Executes(),
    "surprise": _Executes(),
}


@pytest.mark.parametrize("attribute", HOSTILE)
def test_what_is_more_than_plain_data_needs_trust(tmp_path: Path, attribute: str) -> None:
    PPO("MlpPolicy", gym.make("CartPole-v1"), device="cpu").save(tmp_path / "a.zip")
    replace_attribute(tmp_path / "a.zip", attribute, HOSTILE[attribute])
    with pytest.raises(SymbenchError, match=r"a.zip holds more than plain data, and may execute .* add --trust"):
        load_sb3(f"ppo:{tmp_path / 'a.zip'}")
    assert not hasattr(builtins, "was_executed")


def test_a_class_of_the_policy_must_be_a_known_one(tmp_path: Path) -> None:
    PPO("MlpPolicy", gym.make("CartPole-v1"), device="cpu").save(tmp_path / "a.zip")
    for other in (subprocess.Popen, DummyVecEnv, PPO):
        replace_attribute(tmp_path / "a.zip", "policy_kwargs", {"features_extractor_class": other})
        with pytest.raises(SymbenchError, match="is not among the classes of policies"):
            load_sb3(f"ppo:{tmp_path / 'a.zip'}")


def test_what_only_training_needs_is_never_read(tmp_path: Path) -> None:
    model = PPO("MlpPolicy", gym.make("CartPole-v1"), device="cpu", policy_kwargs={"activation_fn": torch.nn.ReLU})
    model.save(tmp_path / "a.zip")
    for attribute in ("lr_schedule", "clip_range", "ep_info_buffer"):
        replace_attribute(tmp_path / "a.zip", attribute, _Executes())
    agent, seen = load_sb3(f"ppo:{tmp_path / 'a.zip'}"), np.ones((3, 4), np.float32)
    agent.reset(3)
    assert agent.act(seen).tolist() == model.predict(seen, deterministic=True)[0].tolist()
    assert not hasattr(builtins, "was_executed")


@pytest.mark.parametrize(("made", "task"), [(PPO, "CartPole-v1"), (A2C, "Pendulum-v1")])
def test_spaces_come_out_to_the_last_bit(tmp_path: Path, made: Any, task: str) -> None:
    env = gym.make(task)
    made("MlpPolicy", env, device="cpu").save(tmp_path / "a.zip")
    saved = plain_data((tmp_path / "a.zip").read_bytes(), tmp_path / "a.zip")
    model = rebuilt(made, (tmp_path / "a.zip").read_bytes(), saved, _NOT_NEEDED)
    assert (model.observation_space, model.action_space) == (env.observation_space, env.action_space)


def replace_attribute(file: Path, name: str, value: Any) -> None:
    """Puts another pickle into a model's file."""
    with zipfile.ZipFile(file) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}
    pickled = base64.b64encode(cloudpickle.dumps(value)).decode()
    data = {**json.loads(files["data"]), name: {":type:": "x", ":serialized:": pickled}}
    with zipfile.ZipFile(file, "w") as archive:
        for each, content in {**files, "data": json.dumps(data).encode()}.items():
            archive.writestr(each, content)
