"""What may follow an agent after commas, and that a cell's agent is the one that was planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box
from gymnasium.wrappers import RescaleAction
from stable_baselines3 import A2C, SAC
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from symbench.errors import SymbenchError
from symbench.policies import MLPNetwork
from symbench.runner import run
from symbench.runner.agents import load, resolve
from symbench.runner.cell import AgentOptions
from symbench.runner.pipeline import describe
from symbench.runner.run_suite import make_plan
from symbench.zoo import save_agent

if TYPE_CHECKING:
    from pathlib import Path

    from symbench.suites import Suite

TASK = "Pendulum-v1"


@pytest.fixture
def normalised(tmp_path: Path) -> Path:
    """A zip that was trained inside VecNormalize, and its statistics."""
    venv = VecNormalize(DummyVecEnv([lambda: gym.make(TASK)]))
    A2C("MlpPolicy", venv, device="cpu", seed=0).learn(20).save(tmp_path / "mine.zip")
    venv.save(str(tmp_path / "vecnormalize.pkl"))
    return tmp_path / "mine.zip"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """A zip that acts from -1 to 1."""
    env = RescaleAction(gym.make(TASK), np.float32([-1]), np.float32([1]))
    SAC("MlpPolicy", env, device="cpu", seed=0, buffer_size=10).save(tmp_path / "unit.zip")
    return tmp_path / "unit.zip"


def digest(spec: str) -> str | None:
    return resolve([spec], TASK, trust=True)[0].digest


def test_a_comma_may_be_part_of_a_path(tmp_path: Path) -> None:
    save_agent(MLPNetwork(3, Box(-1, 1, (1,))), tmp_path / "zoo,old" / "mine", {})
    path = str(tmp_path / "zoo,old" / "mine")
    for spec, rescale in ((path, False), (f"{path},rescale", True), (f"x={path}.json,rescale", True)):
        source = resolve([spec], TASK)[0]
        assert (source.path, source.options) == (path, AgentOptions(rescale=rescale))


def test_options_of_a_zip_follow_it(normalised: Path, tmp_path: Path) -> None:
    spec = f"mine=a2c:{normalised},rescale,vecnormalize={tmp_path}/vecnormalize.pkl,wrappers=none"
    source = resolve([spec], TASK, trust=True)[0]
    assert (source.name, source.algorithm, source.path) == ("mine", "a2c", str(normalised))
    assert source.options == AgentOptions(vecnormalize=f"{tmp_path}/vecnormalize.pkl", wrappers="none", rescale=True)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("rescaled", "unknown option 'rescaled' of agent .*; did you mean 'rescale'"),
        ("rescale=yes", "expected rescale, without a value, received rescale=yes"),
        ("vecnormalize", "expected vecnormalize=FILE.pkl or vecnormalize=none, received vecnormalize"),
        ("vecnormalize=", "expected vecnormalize=FILE.pkl or vecnormalize=none, received vecnormalize="),
        ("wrappers=all", "expected wrappers=none, received wrappers=all"),
    ],
)
def test_wrong_options_are_named(normalised: Path, options: str, problem: str) -> None:
    with pytest.raises(SymbenchError, match=problem):
        resolve([f"a2c:{normalised},{options}"], TASK, trust=True)


def test_options_of_other_agents_are_named() -> None:
    with pytest.raises(SymbenchError, match="vecnormalize is no option of safetensors files"):
        resolve(["mlp,vecnormalize=none"], TASK)
    with pytest.raises(SymbenchError, match="rescale is no option of random play"):
        resolve(["random,rescale"], TASK)


def test_what_changes_the_agent_changes_its_digest(normalised: Path, tmp_path: Path) -> None:
    import hashlib

    spec, statistics = f"a2c:{normalised}", tmp_path / "vecnormalize.pkl"
    alone = hashlib.sha256(normalised.read_bytes()).hexdigest()
    assert digest(f"{spec},vecnormalize=none") == alone  # as before there were options
    assert digest(f"{spec},wrappers=none,vecnormalize=none") == alone
    with_statistics = digest(spec)
    assert len({alone, with_statistics, digest(f"{spec},rescale")}) == 3
    assert digest(f"{spec},vecnormalize={statistics}") == with_statistics
    statistics.write_bytes(statistics.read_bytes() + b" ")
    assert digest(spec) != with_statistics
    statistics.unlink()
    assert digest(spec) == alone
    assert digest("mlp,rescale") != digest("mlp")


def test_the_pipeline_shows_the_statistics_and_the_rescaling(suite: Suite, normalised: Path, unit: Path) -> None:
    for name, spec, shown in (
        ("a", f"a=a2c:{normalised}", "observations normalised by VecNormalize, statistics of 21 steps, clipped to ±10"),
        ("b", f"b=sac:{unit},rescale,vecnormalize=none", "actions from -1 to 1 are mapped to -2 to 2"),
        ("c", f"c=a2c:{normalised},vecnormalize=none", "none"),
    ):
        planned = make_plan(suite, tasks=[TASK], agents=[spec], trust=True)
        cell = next(cell for cell in planned.cells if cell.agent == name)
        assert dict(describe(cell))["agent's own"] == shown


def test_other_bounds_are_refused_with_both_and_the_way_out(suite: Suite, unit: Path) -> None:
    problem = (
        r"sac acts|unit acts in Box\(1,\) from -1 to 1, the task has Box\(1,\) from -2 to 2 \(AGENT,rescale maps them\)"
    )
    with pytest.raises(SymbenchError, match=problem):
        make_plan(suite, tasks=[TASK], agents=[f"sac:{unit}"], trust=True)


def replace_zoo(folder: Path) -> None:
    import torch

    torch.manual_seed(7)
    save_agent(MLPNetwork(3, Box(-2, 2, (1,)), hidden=(8,)), folder / "mine", {})


def replace_card(folder: Path) -> None:
    card = folder / "mine.json"
    card.write_text(card.read_text().replace('"tanh"', '"relu"'))


def replace_zip(folder: Path) -> None:
    A2C("MlpPolicy", TASK, device="cpu", seed=1).save(folder / "mine.zip")


def replace_statistics(folder: Path) -> None:
    venv = VecNormalize(DummyVecEnv([lambda: gym.make(TASK)]))
    venv.obs_rms.mean[:] = 1.0
    venv.save(str(folder / "vecnormalize.pkl"))


def remove_statistics(folder: Path) -> None:
    (folder / "vecnormalize.pkl").unlink()


@pytest.mark.parametrize(
    ("spec", "replace"),
    [
        ("mine=FOLDER/mine.json", replace_zoo),
        ("mine=FOLDER/mine.json", replace_card),
        ("mine=FOLDER/mine.json,rescale", replace_zoo),
        ("mine=a2c:FOLDER/mine.zip", replace_zip),
        ("mine=a2c:FOLDER/mine.zip", replace_statistics),
        ("mine=a2c:FOLDER/mine.zip", remove_statistics),
    ],
)
@pytest.mark.usefixtures("normalised")
@pytest.mark.slow
def test_files_that_are_replaced_during_a_run_fail_its_cells(
    suite: Suite, tmp_path: Path, spec: str, replace: Any
) -> None:
    """The first version stored the new file's numbers under the old one's digest, and kept them at the next start."""
    network = MLPNetwork(3, Box(-2, 2, (1,)), hidden=(8,), activation="tanh")
    save_agent(network, tmp_path / "mine", {})
    agents, out = [spec.replace("FOLDER", str(tmp_path))], tmp_path / "out"
    finished: list[Any] = []

    def after_the_first_cell(outcome: Any, total: int) -> None:
        if outcome is not None and outcome.cell.agent == "mine":
            if not finished:
                replace(tmp_path)
            finished.append(outcome)

    settings: dict[str, Any] = {"tasks": [TASK], "agents": agents, "trust": True, "episodes": 2}
    run(suite, out, **settings, progress=after_the_first_cell)
    assert finished[0].record is not None
    assert len(finished) > 1
    for outcome in finished[1:]:
        assert outcome.record is None
        assert "have changed since the run was planned: start it again" in outcome.error
    if replace is not remove_statistics:
        with pytest.raises(SymbenchError, match=r"holds another result \(agent 'mine' was another file\)"):
            run(suite, out, **settings)


def test_what_was_hashed_is_what_is_loaded(normalised: Path) -> None:
    env, source = gym.make(TASK), resolve([f"a2c:{normalised}"], TASK, trust=True)[0]
    before = load(source, env.observation_space, env.action_space)
    before.reset()
    observation = np.ones(3, np.float32)
    expected = before.act(observation)
    content = normalised.read_bytes()
    replace_zip(normalised.parent)
    with pytest.raises(SymbenchError, match="have changed since the run was planned"):
        load(source, env.observation_space, env.action_space)
    normalised.write_bytes(content)
    again = load(source, env.observation_space, env.action_space)
    again.reset()
    np.testing.assert_array_equal(again.act(observation), expected)
