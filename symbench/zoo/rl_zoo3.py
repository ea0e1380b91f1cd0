"""What rl_zoo3 leaves beside a model: where it lies, and the configuration of its training."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError
from symbench.extras import require

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: Final = "config.yml"

# Wrappers that change neither observations nor actions, and those whose part the agents made of our own models play.
_WITHOUT_EFFECT: Final = ("TimeLimit", "Monitor", "RecordEpisodeStatistics", "TransformReward", "ClipReward")
_OWN: Final = "symbench."


def folders(model: Path) -> list[Path]:
    """Where files of ``MODEL.zip`` may lie: in ``MODEL``, beside it, and in its log's only folder of settings."""
    inner = sorted(file.parent for file in model.parent.glob(f"*/{CONFIG}"))
    return [model.with_suffix(""), model.parent, *(inner if len(inner) == 1 else [])]


def training_config(model: Path) -> dict[str, Any]:
    """The hyperparameters that rl_zoo3 wrote beside a model, none if it did not.

    Raises:
        SymbenchError: The file is there and cannot be read.
    """
    files = (folder / CONFIG for folder in folders(model))
    found = (_read(file) for file in files if file.is_file())
    return next((config for config in found if "policy" in config), {})  # others also call files config.yml


def normalises_observations(config: dict[str, Any]) -> bool:
    """Whether observations were normalised: ``normalize`` is true, or keyword arguments, also written as a text."""
    setting = config.get("normalize")
    return bool(setting) and not re.search(r"norm_obs\W+False", str(setting))


def wrappers(config: dict[str, Any]) -> list[str]:
    """The wrappers of the training that an agent may not do without, by their dotted names."""
    given = [config.get(key) or [] for key in ("env_wrapper", "vec_env_wrapper")]
    listed = [entry for part in given for entry in (part if isinstance(part, list) else [part])]
    names = [str(next(iter(entry))) if isinstance(entry, dict) else str(entry) for entry in listed]
    return [name for name in names if not name.startswith(_OWN) and name.rpartition(".")[2] not in _WITHOUT_EFFECT]


def _read(file: Path) -> dict[str, Any]:
    require("yaml", "folders of rl_zoo3")
    from symbench.zoo.plain_yaml import parse

    try:
        config = parse(file.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError) as error:
        problem = " ".join(str(error).split())[:200]
        raise SymbenchError(f"{file} beside the model cannot be read ({problem}); mend it or move it away") from error
    return config if isinstance(config, dict) else {}
