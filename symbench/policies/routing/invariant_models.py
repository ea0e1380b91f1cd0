"""Models of tours that are exactly invariant under rotations, mirrors, shifts and scales.

* :class:`DistanceModel` - an encoder that sees distances only
* :class:`EGNNModel` - an E(n)-equivariant graph network
* :class:`FramedModel` - another model in frames that turn with the cities: :func:`canonicalised`,
  :func:`frame_averaged`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from symbench.errors import SymbenchError, unknown
from symbench.policies.routing.distance_encoder import DistanceEncoder
from symbench.policies.routing.egnn_encoder import EGNNEncoder
from symbench.policies.routing.frame_averaging import FrameAveragedDecoder, FrameAveragedEncoder, FramedEncoder
from symbench.policies.routing.routing_model import AttentionModel, PomoModel, RoutingModel, pointer_decoder
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.actions import ActionSpace


class DistanceModel(RoutingModel):
    """The attention model on distances alone: :class:`~symbench.policies.routing.DistanceEncoder`."""

    kind = "distance-model"

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        heads: int = 8,
        layers: int = 3,
        hidden: int = 512,
        norm: str = "batch",
        landmarks: int = 3,
        action_space: ActionSpace | None = None,
    ) -> None:
        """Make the model; arguments and errors as of :class:`AttentionModel` and its encoder."""
        decoder = pointer_decoder(problem, width, heads, placeholder=problem == "tsp")
        encoder = DistanceEncoder(problem, width, heads, layers, hidden, norm, landmarks)
        sizes = {"width": width, "heads": heads, "layers": layers, "hidden": hidden, "norm": norm}
        super().__init__(problem, encoder, decoder, **sizes, landmarks=landmarks)


class EGNNModel(RoutingModel):
    """The attention model's decoder behind a graph network: :class:`~symbench.policies.routing.EGNNEncoder`."""

    kind = "egnn-model"

    def __init__(
        self,
        problem: str = "tsp",
        width: int = 128,
        heads: int = 8,
        layers: int = 3,
        hidden: int = 64,
        norm: str = "batch",
        landmarks: int = 3,
        action_space: ActionSpace | None = None,
    ) -> None:
        """Make the model; arguments and errors as of :class:`AttentionModel` and its encoder; heads: the decoder's."""
        decoder = pointer_decoder(problem, width, heads, placeholder=problem == "tsp")
        encoder = EGNNEncoder(problem, width, layers, hidden, norm, landmarks)
        sizes = {"width": width, "heads": heads, "layers": layers, "hidden": hidden, "norm": norm}
        super().__init__(problem, encoder, decoder, **sizes, landmarks=landmarks)


PLAIN: Final[dict[str, type[AttentionModel] | type[PomoModel]]] = {
    AttentionModel.kind: AttentionModel,
    PomoModel.kind: PomoModel,
}
MEANS: Final = ("logits", "embeddings")


class FramedModel(RoutingModel):
    """A plain model in frames that turn with the cities: :mod:`symbench.policies.routing.frame_averaging`."""

    kind = "framed-routing"

    def __init__(
        self,
        problem: str = "tsp",
        network: str | Mapping[str, Any] = "attention-model",
        frames: str = "canonical",
        mean: str = "logits",
        action_space: ActionSpace | None = None,
    ) -> None:
        """Make the model.

        Args:
            problem: ``"tsp"`` or ``"cvrp"``.
            network: The plain model: its kind, or a table of ``kind`` and its own arguments.
            frames: ``"canonical"``: one, principal axes with signs by third moments (Kaba et al. 2023, arXiv
                2211.06489); ``"principal"``: these axes with all four signs (Puny et al. 2022, arXiv 2110.03336).
            mean: Over frames of what: ``"logits"``, or ``"embeddings"``, behind which the decoder runs once and not
                four times, but must have been trained so.
            action_space: Not looked at.

        Raises:
            SymbenchError: There are no such frames or means, or the table describes no plain model.
        """
        if mean not in MEANS:
            raise unknown("mean over frames", mean, MEANS)
        plain = _plain(problem, network)
        encoder = (FramedEncoder if mean == "logits" else FrameAveragedEncoder)(plain.encoder, frames)
        decoder: Any = FrameAveragedDecoder(plain.decoder, encoder.frames) if mean == "logits" else plain.decoder
        super().__init__(problem, encoder, decoder, network=_table(plain), frames=frames, mean=mean)
        self._frames = encoder.frames

    def share(self, plain: RoutingModel) -> None:
        """Take the layers of a plain model of this architecture in place of its own."""
        self.encoder.inner = plain.encoder
        decoder: Any = self.decoder
        if isinstance(decoder, FrameAveragedDecoder):
            decoder.inner = plain.decoder
        else:
            self.decoder = plain.decoder
        self.train(plain.training)

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        return max(1, super().micro_batch_size(shape) // self._frames)


def canonicalised(model: RoutingModel) -> FramedModel:
    """A plain model, which may be trained, in one frame: cities along their principal axes; weights are shared.

    Raises:
        SymbenchError: It is no plain model.
    """
    return _around(model, "canonical", "logits")


def frame_averaged(model: RoutingModel, mean: str = "logits") -> FramedModel:
    """The same in four frames, with the mean of ``"logits"`` or ``"embeddings"``."""
    return _around(model, "principal", mean)


def _around(model: RoutingModel, frames: str, mean: str) -> FramedModel:
    with torch.device("meta"):  # no weights are drawn
        framed = FramedModel(model.problem, _table(model), frames, mean)
    framed.share(model)
    return framed


def _table(plain: RoutingModel) -> dict[str, Any]:
    own = {key: value for key, value in plain.config().items() if key not in ("problem", "action_space")}
    return {"kind": plain.kind, **own}


def _plain(problem: str, network: str | Mapping[str, Any]) -> RoutingModel:
    """The model that a table describes."""
    table = {"kind": network} if isinstance(network, str) else dict(network)
    kind = str(table.pop("kind", ""))
    if kind not in PLAIN:
        raise unknown("plain model of tours", kind, PLAIN)
    try:
        return PLAIN[kind](problem, **table)
    except TypeError as error:
        raise SymbenchError(f"this does not describe a plain model of tours: {brief(error)}") from error
