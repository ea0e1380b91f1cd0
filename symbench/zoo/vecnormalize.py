"""The statistics of Stable-Baselines3's ``VecNormalize``: where they lie, and reading them, which executes nothing."""

from __future__ import annotations

import io
import pickle
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from symbench.errors import SymbenchError
from symbench.zoo.rl_zoo3 import folders

if TYPE_CHECKING:
    from pathlib import Path

    from stable_baselines3.common.base_class import BaseAlgorithm

    from symbench.policies.sb3.normalization import Normalization

# vecnormalize.pkl is rl_zoo3's name, vec_normalize.pkl that of its models on the Hugging Face hub and of SB3's guide.
_NAMES: Final = ("vecnormalize.pkl", "vec_normalize.pkl")


def find_statistics(model: Path) -> Path | None:
    """The statistics that belong to ``MODEL.zip``; the first of these that is there.

    ``MODEL_vecnormalize.pkl``; ``PREFIX_vecnormalize_N_steps.pkl`` of the checkpoint ``PREFIX_N_steps.zip``;
    ``vecnormalize.pkl`` or ``vec_normalize.pkl`` in the folder ``MODEL``, beside the model, or in the only folder with
    rl_zoo3's ``config.yml`` beside it.
    """
    name = model.stem
    checkpoint = re.sub(r"_(\d+_steps)$", r"_vecnormalize_\1", name)
    own = [model.with_name(f"{stem}.pkl") for stem in (f"{name}_vecnormalize", f"{name}_vec_normalize", checkpoint)]
    shared = [folder / file for folder in folders(model) for file in _NAMES]
    return next((file for file in own + shared if file.is_file()), None)


def read_statistics(content: bytes, file: Path) -> Normalization | None:
    """The statistics of observations that ``VecNormalize.save`` wrote; ``None`` if it normalised rewards only.

    Only numbers are read: mean and variance, ``clip_obs`` and ``epsilon``. So files of all versions can be read, also
    those whose spaces belong to packages that are gone, and nothing is executed.

    Args:
        content: The bytes of the file.
        file: Its path, for messages.

    Raises:
        SymbenchError: It is damaged or something else.
    """
    try:
        saved = Numbers(io.BytesIO(content)).load()
        return normalization_of(vars(saved))
    except Exception as error:  # a damaged pickle can raise anything
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise SymbenchError(f"{file} does not hold the statistics of a VecNormalize ({problem})") from error


def was_normalised(model: BaseAlgorithm) -> bool | None:
    """Whether a model was trained on normalised observations, by the last ones that are saved in it.

    Returns:
        ``None`` if it does not show. Models that learn from rollouts keep the observation before normalisation only if
        there was a ``VecNormalize``; others keep one always.
    """
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

    on_policy = not isinstance(model, OffPolicyAlgorithm)
    seen, original = model._last_obs, model._last_original_obs
    if seen is None or original is None:
        return False if on_policy and seen is not None else None
    if isinstance(seen, dict) and isinstance(original, dict):
        space = model.observation_space
        signs = {_was_normalised(seen[key], original[key], space[key]) for key in seen}  # type: ignore[index]
    else:
        signs = {_was_normalised(seen, original, model.observation_space)}
    if signs == {False}:
        return False
    return True if True in signs or on_policy else None


def _was_normalised(seen: Any, original: Any, space: Any) -> bool | None:
    """Normalisation makes float32 of every number, which may then be outside of a space that held it."""
    if np.asarray(seen).dtype != np.asarray(original).dtype:
        return True
    if np.asarray(seen).dtype != np.float32 or np.array_equal(seen, original, equal_nan=True):
        return False
    if _inside(seen, space):
        return None
    # Frames that were stacked afterwards are of another shape. An environment that leaves its own bounds says nothing.
    return True if np.shape(seen) != np.shape(original) or _inside(original, space) else None


def _inside(observations: Any, space: Any) -> bool:
    return bool(np.all((observations >= space.low - 1e-6) & (observations <= space.high + 1e-6)))


def normalization_of(saved: dict[str, Any]) -> Normalization | None:
    """The statistics in the attributes of a ``VecNormalize``; ``None`` if it normalises rewards only."""
    from symbench.policies.sb3.normalization import Moments, Normalization

    if not saved["norm_obs"]:
        return None
    found = saved["obs_rms"]
    parts = found if isinstance(found, dict) else {None: found}
    keys = saved.get("norm_obs_keys")
    keys = list(parts) if keys is None else keys  # None in old versions, which normalised all
    moments = {key: Moments(_real(parts[key].mean), _real(parts[key].var)) for key in keys}
    if not moments:
        return None
    count = round(float(next(iter(parts.values())).count))
    found = Normalization(moments, float(saved["clip_obs"]), float(saved["epsilon"]), count)
    if not all(np.isfinite(part).all() for pair in moments.values() for part in (*pair, found.clip, found.epsilon)):
        raise ValueError("it holds numbers that are not finite")
    return found


def _real(values: Any) -> np.ndarray[Any, Any]:
    return np.asarray(values, dtype=np.float64)


class _Plain:
    """Stands for an object of any class: keeps its attributes and does nothing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take whatever the class took."""

    def __new__(cls, *arguments: Any, **options: Any) -> _Plain:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.__dict__.update(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass


_NUMPY: Final = {
    "numpy": {"ndarray": np.ndarray, "dtype": np.dtype},
    "multiarray": {
        "_reconstruct": np.ndarray(0).__reduce__()[0],
        "scalar": np.float64(0).__reduce__()[0],
    },
}


class Numbers(pickle.Unpickler):
    """Reads arrays and containers; everything else becomes :class:`_Plain`, so no code of a file is ever called."""

    def find_class(self, module: str, name: str) -> Any:
        """See :meth:`pickle.Unpickler.find_class`."""
        if module == "collections" and name == "OrderedDict":
            return OrderedDict
        if module in ("numpy.core.numeric", "numpy._core.numeric") and name == "_frombuffer":
            return _frombuffer
        package = "multiarray" if module in ("numpy.core.multiarray", "numpy._core.multiarray") else module
        return _NUMPY.get(package, {}).get(name, _Plain)


def _frombuffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)
    return array
