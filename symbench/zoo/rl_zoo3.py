"""What rl_zoo3 leaves beside a model: where it lies, and the configuration of its training."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gymnasium import registry

from symbench.errors import SymbenchError
from symbench.extras import require
from symbench.zoo.sb3_contents import algorithm_of, plain_data

if TYPE_CHECKING:
    from pathlib import Path

CONFIG: Final = "config.yml"

# Wrappers that change neither observations nor actions, and those whose part the agents made of our own models play.
_WITHOUT_EFFECT: Final = ("TimeLimit", "Monitor", "RecordEpisodeStatistics", "TransformReward", "ClipReward")
_OWN: Final = "symbench."


@dataclass(frozen=True)
class LoggedModel:
    """A model that rl_zoo3 trained.

    Attributes:
        path: Its zip file.
        algorithm: For example ``"ppo"``.
        env_id: The Gymnasium id of the environment in which it was trained.
    """

    path: Path
    algorithm: str
    env_id: str


def logged_model(folder: Path) -> LoggedModel:
    """The best model in a folder that rl_zoo3 wrote, such as ``logs/ppo/CartPole-v1_1``; its last one if there is none.

    Raises:
        SymbenchError: There is no such folder, or it holds no model.
    """
    if not folder.is_dir():
        raise SymbenchError(f"there is no folder {str(folder)!r}; one that rl_zoo3 wrote is expected, logs/ALGO/ENV_1")
    name = re.sub(r"_[0-9]+$", "", folder.resolve().name)
    files = (folder / "best_model.zip", folder / f"{name}.zip")
    path = next((file for file in files if file.is_file()), None)
    if path is None:
        raise SymbenchError(f"{folder} holds no model: {files[0].name} or {files[1].name} is expected")
    return LoggedModel(path, saved_algorithm(path), _env_id(path) or name)


def saved_algorithm(model: Path) -> str:
    """The algorithm that saved a model, as it may stand before the file.

    Raises:
        SymbenchError: The file cannot be read, or does not say.
    """
    try:
        content = model.read_bytes()
    except OSError as error:
        raise SymbenchError(f"{model} cannot be read ({error.strerror})") from error
    if found := algorithm_of(plain_data(content, model)):
        return found
    raise SymbenchError(f"{model} does not say which algorithm saved it: --agent ALGORITHM:{model}")


def _env_id(model: Path) -> str | None:
    """The environment that ``args.yml`` beside a model names, in whose folder ``/`` became ``-``."""
    files = (folder / "args.yml" for folder in folders(model))
    found = next((_read(file) for file in files if file.is_file()), {}).get("env")
    return found if isinstance(found, str) else None


def trained_in(model: Path) -> str | None:
    """The environment of a model's training: of ``args.yml``, or the name of its file, of which ``/`` became ``-``."""
    names = [_env_id(model), model.stem, model.stem.partition("-")[2], *(folder.name for folder in folders(model)[2:])]
    return next((name for name in names if name in registry), None)


def frame_stack(model: Path) -> int | None:
    """How many observations were stacked in the training of a model, if rl_zoo3 says so beside it."""
    found = training_config(model).get("frame_stack")
    return found if isinstance(found, int) and found > 1 else None


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


def wrappers(config: dict[str, Any], key: str = "env_wrapper") -> list[tuple[str, dict[str, Any]]]:
    """The wrappers of the training that an agent may not do without, from the innermost outwards.

    Args:
        config: From :func:`training_config`.
        key: ``"env_wrapper"``, or ``"vec_env_wrapper"`` for those of vector environments.

    Returns:
        The dotted name and the keyword arguments of each, whether the file says a name, ``{name: arguments}``, or a
        list of these.
    """
    given = config.get(key) or []
    entries = [entry if isinstance(entry, dict) else {entry: None} for entry in _list(given)]
    named = [(str(name), arguments) for entry in entries for name, arguments in entry.items()]
    return [
        (name, arguments if isinstance(arguments, dict) else {})
        for name, arguments in named
        if not name.startswith(_OWN) and name.rpartition(".")[2] not in _WITHOUT_EFFECT
    ]


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _read(file: Path) -> dict[str, Any]:
    require("yaml", "folders of rl_zoo3")
    from symbench.zoo.plain_yaml import parse

    try:
        config = parse(file.read_bytes())
    except (OSError, ValueError, TypeError, RecursionError) as error:
        problem = " ".join(str(error).split())[:200]
        raise SymbenchError(f"{file} beside the model cannot be read ({problem}); mend it or move it away") from error
    return config if isinstance(config, dict) else {}
