"""What a zip file of Stable-Baselines3 says in plain text beside its pickles. Reading it executes nothing."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from pathlib import Path

# What only files of an algorithm hold; the first that is all there counts.
_MARKS: Final = {
    "tqc": {"top_quantiles_to_drop_per_net"},
    "crossq": {"target_entropy", "policy_delay"},
    "sac": {"target_entropy"},
    "td3": {"target_policy_noise"},
    "qrdqn": {"exploration_fraction", "n_quantiles"},
    "dqn": {"exploration_fraction"},
    "trpo": {"line_search_shrinking_factor"},
    "ppo": {"clip_range"},
    "a2c": {"gae_lambda"},
    "ars": {"n_delta"},
}
_TEXT: Final = re.compile(r"[-+]?(?:inf|nan|\d+\.?\d*(?:e[-+]?\d+)?)", re.IGNORECASE)


def plain_data(content: bytes, path: Path) -> dict[str, Any]:
    """The attributes of a saved model: numbers, names, and of objects a description.

    Raises:
        SymbenchError: It is not such a file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            data = json.loads(archive.read("data"))
        if not isinstance(data, dict):
            raise ValueError("'data' is not an object")
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, EOFError, RecursionError, NotImplementedError) as error:
        raise SymbenchError(f"{path} is corrupt or was not saved by Stable-Baselines3 ({error})") from error
    return data


def algorithm_of(saved: dict[str, Any]) -> str | None:
    """The algorithm that saved a model: a name that may stand before the file, or that of one that is not supported.

    ``None`` if the file does not even name a policy, which no algorithm leaves out; loading it will say what is wrong.
    """
    policy = _module(saved, "policy_class")
    if policy.startswith("sbx."):
        return "sbx (JAX)"
    found = next((name for name, marks in _MARKS.items() if marks <= saved.keys()), "")
    if found == "td3" and _is_ddpg(saved):
        return "ddpg"
    modules = policy, _module(saved, "rollout_buffer_class")
    if found == "ppo" and any(".maskable." in module or ".ppo_mask." in module for module in modules):
        return "maskable_ppo"
    # Versions that save the class of the rollout buffer save none of RecurrentPPO's.
    if found == "ppo" and (".recurrent." in policy or saved.get("rollout_buffer_class", policy) is None):
        return "recurrent_ppo"
    return found or (f"an algorithm that is not known (its policy is from {policy})" if policy else None)


def described_space(saved: dict[str, Any], name: str) -> spaces.Space[Any] | None:
    """A space as the file describes it in words, for files whose pickled one cannot be read; ``None`` if it does not.

    Args:
        saved: From :func:`plain_data`.
        name: ``"observation_space"`` or ``"action_space"``.
    """
    text = saved.get(name)
    if not isinstance(text, dict):
        return None
    if "nvec" in text:
        return spaces.MultiDiscrete(_numbers(text["nvec"]).astype(np.int64))
    if "n" in text:
        n = int(text["n"])
        binary = "MultiBinary" in str(text.get(":type:"))
        return spaces.MultiBinary(n) if binary else spaces.Discrete(n, start=int(text.get("start", 0)))
    shape = tuple(_numbers(text.get("shape", text.get("_shape"))).astype(int))
    return _box(text, shape) if shape else None


def _is_ddpg(saved: dict[str, Any]) -> bool:
    """DDPG is saved as the TD3 that it is: one critic, no delay, no noise on the target."""
    settings, arguments = (saved.get("policy_delay"), saved.get("target_noise_clip")), saved.get("policy_kwargs")
    return settings == (1, 0.0) and isinstance(arguments, dict) and str(arguments.get("n_critics")) == "1"


def _module(saved: dict[str, Any], name: str) -> str:
    described = saved.get(name)
    return str(described.get("__module__", "")) if isinstance(described, dict) else ""


def _box(text: dict[str, Any], shape: tuple[int, ...]) -> spaces.Box:
    dtype = np.dtype(str(text.get("dtype", "float32")))
    least, greatest = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    low, high = _spread(text.get("low"), shape, least), _spread(text.get("high"), shape, greatest)
    return spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype.type)


def _spread(text: Any, shape: tuple[int, ...], default: float) -> np.ndarray[Any, Any]:
    """Bounds of a shape. A large array is printed in part, and then counts if all that is printed is one number."""
    numbers = _numbers(text)
    if numbers.size == np.prod(shape):
        return numbers.reshape(shape)
    return np.full(shape, numbers[0] if numbers.size and np.ptp(numbers) == 0 else default)


def _numbers(text: Any) -> np.ndarray[Any, Any]:
    return np.array([float(number) for number in _TEXT.findall(str(text))])
