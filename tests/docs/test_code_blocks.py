"""Every block of Python in README and docs runs as written and on its own; every command has its options."""

from __future__ import annotations

import re
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from docs_cases import DOCS, Block, blocks, run, the_block

if TYPE_CHECKING:
    from collections.abc import Iterator

TRAINING = {"steps": 512, "num_envs": 4, "n_steps": 32, "batch_size": 64}
OWN = {"my_envs": "my-environment.md", "my_nets": "my-agent.md", "my_perturbations": "my-perturbation.md"}
FIRST_LINES = {"my_envs": "class Walk", "my_nets": "class Tiny", "my_perturbations": "class FlipSigns"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has before them: the files that pages name, small."""
    import gymnasium as gym
    from stable_baselines3 import PPO

    from symbench.policies import NetworkActorCriticPolicy
    from symbench.runner import run as run_suite
    from symbench.suites import load_suite
    from symbench.wrappers import SensorHistory
    from symbench.zoo import bundled

    here = tmp_path_factory.mktemp("reader")
    for name, page in OWN.items():
        text = the_block("python", DOCS / page, FIRST_LINES[name]).code
        (here / f"{name}.py").write_text(text, encoding="utf-8")
    recipe = blocks("toml", DOCS / "training.md")[0].code
    for key, value in TRAINING.items():
        recipe = re.sub(rf"{key} = [\d_]+", f"{key} = {value}", recipe)
    (here / "mine.toml").write_text(recipe, encoding="utf-8")
    walk = gym.make("CartPole-v1", max_episode_steps=50)
    walk = gym.wrappers.TransformObservation(walk, lambda seen: seen[:3], gym.spaces.Box(-1e9, 1e9, (3,)))
    PPO("MlpPolicy", walk, n_steps=8, batch_size=8, device="cpu").save(here / "mine.zip")
    sensors = SensorHistory(gym.make("CartPole-v1"), length=8)
    PPO(NetworkActorCriticPolicy, sensors, policy_kwargs={"network": "attention-neuron"}, device="cpu").save(
        here / "attention_neuron.zip"
    )
    (here / "runs" / "mine").mkdir(parents=True)
    weights = Path(bundled("CartPoleSwingUp")["mlp"][0])
    for path in weights.parent.glob(f"{weights.name.split('.')[0]}.*"):
        shutil.copy(path, here / "runs" / "mine" / f"agent{path.suffix}")
    run_suite(load_suite("shuffle"), here / "runs" / "shuffle", tasks=["CartPole-v1"], agents=["mlp"], episodes=2)
    return here


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a block registers or imports is forgotten after it; it trains on no GPU, and in a checkout that changes."""
    import gymnasium
    import torch

    from symbench.symmetry import CATALOGUE
    from symbench.wrappers.registry import PERTURBATIONS, TRANSFORMS

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("symbench.training.session._dirty", lambda: False)
    with ExitStack() as stack:
        for registry in (gymnasium.registry, CATALOGUE, PERTURBATIONS, TRANSFORMS):
            stack.enter_context(mock.patch.dict(registry))
        yield
    for name in OWN:
        sys.modules.pop(name, None)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*render_mode")  # Stable-Baselines3 asks every environment for pictures
@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_a_block_of_python_runs_on_its_own(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    run(block)


def test_a_block_that_needs_another_or_promises_too_much_is_noticed() -> None:
    def block(code: str) -> Block:
        return Block(DOCS / "none.md", 1, "python", code)

    with pytest.raises(NameError, match="gym"):
        run(block('env = gym.make("CartPole-v1")\n'))
    with pytest.raises(AssertionError, match=r"is \(2, 3\)"):
        run(block("import numpy as np\nrows = np.ones((2, 3))  # (3, 2): rows first\n"))
    with pytest.raises(AssertionError, match="prints inexact"):
        run(block('print("inexact")  # exact\n'))
    run(block('import numpy as np\nnp.ones((2, 3))  # (2, 3)\nprint("exact")  # exact\nx = {"a": 1}  # what it is\n'))
