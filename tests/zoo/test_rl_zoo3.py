"""What rl_zoo3 wrote beside a model is heeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from stable_baselines3 import SAC

from symbench.errors import SymbenchError
from symbench.zoo import load_sb3
from symbench.zoo.rl_zoo3 import folders, normalises_observations, training_config, wrappers

if TYPE_CHECKING:
    from pathlib import Path

PICKLED = """!!python/object/apply:collections.OrderedDict
- - - env_wrapper
    - - gymnasium.wrappers.TimeLimit:
          max_episode_steps: 100
      - sb3_contrib.common.wrappers.TimeFeatureWrapper
  - - normalize
    - norm_obs: true
      norm_reward: false
  - - policy
    - MlpPolicy
  - - policy_kwargs
    - activation_fn: !!python/name:torch.nn.modules.activation.ReLU ''
      net_arch: !!python/tuple [64, 64]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in rl_zoo3's layout, whose data do not tell whether it was normalised."""
    file = tmp_path_factory.mktemp("logs") / "Pendulum-v1.zip"
    SAC("MlpPolicy", "Pendulum-v1", buffer_size=10, device="cpu").save(file)
    file.with_suffix("").mkdir()
    return file


def configure(model: Path, config: Any) -> None:
    text = config if isinstance(config, str) else yaml.safe_dump(config)
    (model.with_suffix("") / "config.yml").write_text(text)


@pytest.mark.parametrize(
    ("normalize", "expected"),
    [
        (True, True),
        (False, False),
        (None, False),
        ({"norm_obs": True, "norm_reward": False}, True),
        ({"norm_reward": True}, True),
        ({"norm_obs": False}, False),
        ("{'norm_obs': False, 'norm_reward': True}", False),
        ("dict(norm_obs=False, norm_reward=True)", False),
        ("{'norm_obs': True, 'norm_reward': False}", True),
        ("dict(norm_reward=False)", True),
    ],
)
def test_normalize_is_a_flag_or_arguments(model: Path, normalize: Any, expected: bool) -> None:
    configure(model, {"policy": "MlpPolicy", "normalize": normalize})
    assert normalises_observations(training_config(model)) is expected
    if expected:
        with pytest.raises(SymbenchError, match="trained inside VecNormalize, whose statistics are not beside it"):
            load_sb3(f"sac:{model}", trust=True)
    else:
        assert load_sb3(f"sac:{model}", trust=True).preprocessing == ()


def test_pickled_settings_are_read_without_their_classes(model: Path) -> None:
    configure(model, PICKLED)
    config = training_config(model)
    assert config["normalize"] == {"norm_obs": True, "norm_reward": False}
    assert config["policy_kwargs"]["net_arch"] == [64, 64]
    assert wrappers(config) == [("sb3_contrib.common.wrappers.TimeFeatureWrapper", {})]


@pytest.mark.reference
def test_public_settings_are_read(reference: Path) -> None:
    config = training_config(reference / "sb3_zoo" / "logs" / "a2c" / "Pendulum-v1_1" / "Pendulum-v1.zip")
    assert config["normalize"] is True
    assert config["n_timesteps"] == 1e6
    assert wrappers(config) == []


@pytest.mark.parametrize(
    "value", ["mine.Skip", ["mine.Skip"], [{"mine.Skip": {"by": 2}}, "symbench.wrappers.SensorHistory"]]
)
def test_wrappers_of_vector_environments_are_not_applied_but_named(model: Path, value: Any) -> None:
    configure(model, {"policy": "MlpPolicy", "vec_env_wrapper": value})
    with pytest.raises(
        SymbenchError, match=r"in wrappers of vector environments, .* not applied here \(mine.Skip, says its config"
    ):
        load_sb3(f"sac:{model}", trust=True)
    assert load_sb3(f"sac:{model}", trust=True, wrappers="none").name == "Pendulum-v1"


def test_wrappers_come_with_their_arguments_in_the_order_of_the_file() -> None:
    listed = ["a.One", {"b.Two": {"by": 2}}, {"c.Three": None}, "symbench.wrappers.SensorHistory", "d.TimeLimit"]
    assert wrappers({"env_wrapper": listed}) == [("a.One", {}), ("b.Two", {"by": 2}), ("c.Three", {})]
    assert wrappers({"env_wrapper": {"b.Two": {"by": 2}}}) == [("b.Two", {"by": 2})]
    assert wrappers({"env_wrapper": "a.One"}) == [("a.One", {})]
    assert wrappers({"env_wrapper": None}) == wrappers({}) == []


def test_other_files_of_that_name_do_not_count(model: Path) -> None:
    for text in ("", "[1, 2]", "env_wrapper: mine.Skip\nnormalize: true\n"):
        configure(model, text)
        assert load_sb3(f"sac:{model}", trust=True).preprocessing == ()
    configure(model, "policy: [")
    with pytest.raises(
        SymbenchError, match=r"config.yml beside the model cannot be read \(.*\); mend it or move it away"
    ):
        load_sb3(f"sac:{model}", trust=True)


def test_the_best_model_shares_the_only_folder_of_settings(tmp_path: Path) -> None:
    for name in ("Pendulum-v1", "videos"):
        (tmp_path / name).mkdir()
    (tmp_path / "Pendulum-v1" / "config.yml").touch()
    assert tmp_path / "Pendulum-v1" in folders(tmp_path / "best_model.zip")
    (tmp_path / "videos" / "config.yml").touch()
    assert folders(tmp_path / "best_model.zip") == [tmp_path / "best_model", tmp_path]
