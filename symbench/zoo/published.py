"""The permutation-invariant agents that Tang & Ha published with "The Sensory Neuron as a Transformer" (2021)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.nn.utils import vector_to_parameters

from symbench.errors import SymbenchError, unknown
from symbench.policies import NetworkAgent, RecurrentAttentionNeuronNetwork

# Architectures: appendix A of arXiv 2109.02869; which of them has biases and a scale is a fact of the published code.
PUBLISHED: Final[dict[str, dict[str, Any]]] = {
    "cartpole_pi": {"action_dim": 1, "num_codes": 16, "bias": False, "scale": False, "hidden": ()},
    "ant_pi": {"action_dim": 8, "num_codes": 32, "bias": True, "scale": True, "hidden": (32,)},
}


def load_published(name: str, path: str | Path) -> NetworkAgent:
    """Read weights as the authors published them: an ``.npz`` file with one flat vector ``params``.

    The vector holds the parameters in the order of the authors' modules: LSTMCell (input weights, hidden weights,
    input biases, hidden biases), W_q, W_k (weights, then biases where there are any), the head's layers (weights,
    biases).

    Args:
        name: ``"cartpole_pi"`` (CartPoleSwingUp, 913 parameters) or ``"ant_pi"`` (PyBullet's Ant, 2504 parameters).
        path: The file.

    Returns:
        An agent that acts on any number of sensors.

    Raises:
        SymbenchError: The name is unknown, or the file is missing, corrupt or of another size.

    Example:
        >>> agent = load_published("cartpole_pi", "cartpole_pi.npz")  # doctest: +SKIP
        >>> agent.reset()  # doctest: +SKIP
        >>> agent.act(np.zeros(5))  # doctest: +SKIP
    """
    if name not in PUBLISHED:
        raise unknown("published agent", name, PUBLISHED)
    network = RecurrentAttentionNeuronNetwork(**PUBLISHED[name])
    expected = sum(parameter.numel() for parameter in network.parameters())
    flat = _read_vector(Path(path))
    if flat.size != expected:
        raise SymbenchError(f"{path} holds {flat.size} parameters, {name} has {expected}")
    vector_to_parameters(torch.as_tensor(flat, dtype=torch.float32), network.parameters())
    return NetworkAgent(network, name)


def _read_vector(file: Path) -> np.ndarray[Any, Any]:
    try:
        with np.load(io.BytesIO(file.read_bytes()), allow_pickle=False) as arrays:
            found = dict(arrays)
    except FileNotFoundError as error:
        raise SymbenchError(f"{file} does not exist") from error
    except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise SymbenchError(f"{file} is not an .npz file with a vector 'params' ({error})") from error
    if "params" not in found:
        raise SymbenchError(f"{file} holds {', '.join(found) or 'nothing'}; a vector 'params' was expected")
    return np.ravel(found["params"])
