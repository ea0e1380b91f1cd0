"""Weights of the attention model and of POMO as their authors' programs hold them, for the models here.

Source: Kool et al. 2019 (arXiv 1803.08475), who published trained weights; Kwon et al. 2020 (arXiv 2010.16011).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from symbench.errors import SymbenchError, unknown
from symbench.policies import NetworkAgent
from symbench.policies.routing import AttentionModel, PomoModel
from symbench.reading import brief
from symbench.zoo.array_files import read_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from symbench.policies.routing import RoutingModel

    Arrays = Mapping[str, NDArray[np.float32]]

PUBLISHED_ROUTING: Final = {"tsp_20": "tsp", "tsp_50": "tsp", "tsp_100": "tsp", "cvrp_20": "cvrp", "cvrp_50": "cvrp"}
"""Names of published weights, and the problem that each of them solves."""

_ATTENTION_MODEL: Final = {
    r"W_placeholder": "decoder.placeholder",
    r"init_embed\.(.+)": r"encoder.embed.\1",
    r"init_embed_depot\.(.+)": r"encoder.embed_depot.\1",
    r"embedder\.layers\.(\d+)\.0\.module\.W_query": r"encoder.layers.\1.attention.query.weight",
    r"embedder\.layers\.(\d+)\.0\.module\.W_key": r"encoder.layers.\1.attention.key.weight",
    r"embedder\.layers\.(\d+)\.0\.module\.W_val": r"encoder.layers.\1.attention.value.weight",
    r"embedder\.layers\.(\d+)\.0\.module\.W_out": r"encoder.layers.\1.attention.out.weight",
    r"embedder\.layers\.(\d+)\.1\.normalizer\.(.+)": r"encoder.layers.\1.norm0.\2",
    r"embedder\.layers\.(\d+)\.2\.module\.(.+)": r"encoder.layers.\1.feed_forward.\2",
    r"embedder\.layers\.(\d+)\.3\.normalizer\.(.+)": r"encoder.layers.\1.norm1.\2",
    r"project_fixed_context\.weight": "decoder.whole.weight",
    r"project_step_context\.weight": "decoder.step.weight",
    r"project_out\.weight": "decoder.out.weight",
}
_POMO: Final = {
    r"encoder\.embedding\.(.+)": r"encoder.embed.\1",
    r"encoder\.layers\.(\d+)\.Wq\.weight": r"encoder.layers.\1.attention.query.weight",
    r"encoder\.layers\.(\d+)\.Wk\.weight": r"encoder.layers.\1.attention.key.weight",
    r"encoder\.layers\.(\d+)\.Wv\.weight": r"encoder.layers.\1.attention.value.weight",
    r"encoder\.layers\.(\d+)\.multi_head_combine\.(.+)": r"encoder.layers.\1.attention.out.\2",
    r"encoder\.layers\.(\d+)\.addAndNormalization1\.norm\.(.+)": r"encoder.layers.\1.norm0.\2",
    r"encoder\.layers\.(\d+)\.addAndNormalization2\.norm\.(.+)": r"encoder.layers.\1.norm1.\2",
    r"encoder\.layers\.(\d+)\.feedForward\.W1\.(.+)": r"encoder.layers.\1.feed_forward.0.\2",
    r"encoder\.layers\.(\d+)\.feedForward\.W2\.(.+)": r"encoder.layers.\1.feed_forward.2.\2",
    r"decoder\.Wk\.weight": "decoder.key.weight",
    r"decoder\.Wv\.weight": "decoder.value.weight",
    r"decoder\.multi_head_combine\.(.+)": r"decoder.out.\1",
}


def load_published_routing(name: str, path: str | Path) -> NetworkAgent:
    """Read an ``.npz`` file of the attention model's weights by the names of the authors' program.

    Args:
        name: One of :data:`PUBLISHED_ROUTING`.
        path: The file; sizes are those of its arrays. Names may begin with ``w/``.

    Returns:
        An agent whose network is the model, for decoding of other kinds than an environment's.

    Raises:
        SymbenchError: The name is unknown, the file is missing or corrupt, or its weights are not such a model's.
    """
    if name not in PUBLISHED_ROUTING:
        raise unknown("published routing model", name, PUBLISHED_ROUTING)
    arrays = read_arrays(Path(path))
    try:
        return NetworkAgent(attention_model_from(arrays, PUBLISHED_ROUTING[name]), name)
    except (LookupError, ValueError, RuntimeError) as error:
        raise SymbenchError(f"{path} does not hold the weights of {name} ({brief(error)})") from error


def attention_model_from(arrays: Arrays, problem: str) -> AttentionModel:
    """The attention model of arrays by their published names.

    Raises:
        LookupError: One is missing.
        RuntimeError: One has another shape.
    """
    heads, width, _ = arrays["embedder.layers.0.0.module.W_query"].shape
    norm = "batch" if "embedder.layers.0.1.normalizer.running_mean" in arrays else "instance"
    hidden, layers = len(arrays["embedder.layers.0.2.module.0.weight"]), _count(arrays, r"embedder\.layers\.(\d+)\.")
    model = AttentionModel(problem, width, heads, layers, hidden, norm)
    _fill(model, attention_model_weights(arrays))
    return model


def pomo_model_from(arrays: Arrays, heads: int) -> PomoModel:
    """POMO's model for TSP of arrays by their published names, which do not say its number of heads.

    Raises:
        LookupError: One is missing.
        RuntimeError: One has another shape.
    """
    width, hidden = len(arrays["encoder.embedding.bias"]), len(arrays["encoder.layers.0.feedForward.W1.bias"])
    layers = _count(arrays, r"encoder\.layers\.(\d+)\.")
    model = PomoModel("tsp", width, heads, layers, hidden)
    _fill(model, pomo_weights(arrays))
    return model


def attention_model_weights(arrays: Arrays) -> dict[str, Tensor]:
    """Arrays by the names and in the shapes that they have here."""
    found = _renamed({name: _flat(name, array) for name, array in arrays.items()}, _ATTENTION_MODEL)
    parts = torch.from_numpy(arrays["project_node_embeddings.weight"]).chunk(3)
    named = zip(("key", "value", "pointer"), parts, strict=True)
    return found | {f"decoder.{part}.weight": weight for part, weight in named}


def pomo_weights(arrays: Arrays) -> dict[str, Tensor]:
    """Arrays by the names and in the shapes that they have here."""
    both = [torch.from_numpy(arrays[f"decoder.Wq_{slot}.weight"]) for slot in ("first", "last")]
    return _renamed(arrays, _POMO) | {"decoder.step.weight": torch.cat(both, dim=1)}


def _flat(name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights of heads, (h, d, k) or (h, k, d) of the output, as one matrix; the placeholder as two rows."""
    if name.endswith(("W_query", "W_key", "W_val")):
        array = array.transpose(0, 2, 1).reshape(-1, array.shape[1])
    elif name.endswith("W_out"):
        array = array.reshape(-1, array.shape[2]).T
    elif name == "W_placeholder":
        array = array.reshape(2, -1)
    return array


def _renamed(arrays: Arrays, names: Mapping[str, str]) -> dict[str, Tensor]:
    found = {}
    for name, array in arrays.items():
        for pattern, own in names.items():
            if re.fullmatch(pattern, name):
                found[re.sub(pattern, own, name)] = torch.from_numpy(np.ascontiguousarray(array))
    return found


def _count(arrays: Arrays, pattern: str) -> int:
    return len({found.group(1) for name in arrays if (found := re.match(pattern, name))})


def _fill(model: RoutingModel, weights: dict[str, Tensor]) -> None:
    model.load_state_dict(weights)
    model.eval()
