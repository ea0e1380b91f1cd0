"""Encoders and decoders made invariant under rotations, mirrors, shifts and scales by frames in which cities are seen.

Axes are those of :mod:`symbench.policies.scenes.scene_frames`, which says what happens where they are not determined:

* Of cities that are spread alike in all directions, as the corners of a square, the axes of the plane are taken, so
  that at other angles another instance is seen.
* Where a third moment is 0, rounding decides on the sign of a canonical frame. If it is so by symmetry, as of two
  cities or evenly spaced ones on a line, tours mirror each other and are as long.
* Cities in one place are all seen at the centre.

Means need a model that was trained in them: one that learned in one frame disagrees with itself in four, e.g. on the
direction of a tour. :func:`tours_in_frames`, the best tour of four, does not.

A mean of embeddings says the same of nodes that a symmetry of the instance exchanges; rounding decides between these,
and tours may differ in length. A mean of logits does not, for every frame tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from torch import Tensor, nn

from symbench.policies.routing.decoding import Tours, greedy, multi_start
from symbench.policies.routing.node_invariants import unit_scale
from symbench.policies.routing.tour_states import tour_lengths
from symbench.policies.scenes.scene_frames import frames_named, principal_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from symbench.policies.routing.pointer_decoder import PointerDecoder, Prepared
    from symbench.policies.routing.routing_model import RoutingModel
    from symbench.policies.routing.tour_states import Instances
    from symbench.policies.scenes.scene_frames import Frames

UNIFORM_SPREAD: Final = 6**-0.5
"""Root of the mean of |x - mean|^2 n / (n - 1) of uniform points of the unit square: 2 coordinates of variance 1/12."""


def seen_in(frames_of: Callable[[Tensor], Frames], instances: Instances) -> dict[str, Tensor]:
    """Each of B instances as its F frames show it, (B F, ...), one after the other.

    Cities have their mean at (.5, .5) and are as spread as those of uniform instances of the unit square are on
    average, which models of such instances know.
    """
    cities = UNIFORM_SPREAD * unit_scale(instances["cities"])
    frames = frames_of(cities)
    each = frames.axes.shape[1]
    others = {key: part.repeat_interleave(each, dim=0) for key, part in instances.items() if key != "cities"}
    return {"cities": 0.5 + frames.turned(cities), **others}


def tours_in_frames(model: RoutingModel, instances: Instances) -> Tours:
    """Greedy tours of each instance as its four principal frames show it; k = 4, or 4 times the starts.

    The best of them is as invariant as the frames. It is what :func:`~symbench.policies.routing.augmented` is for the
    symmetries of the square.

    Args:
        model: A plain model, in evaluation mode; where it needs starts, tours begin at every node.
        instances: B of them.
    """
    decode = multi_start if model.needs_start else greedy
    found = decode(model, seen_in(principal_frames, instances))
    frames = len(found.nodes) // len(instances["cities"])
    nodes, likelihood = (_by_instance(part, frames).flatten(1, 2) for part in (found.nodes, found.log_likelihood))
    return Tours(nodes, tour_lengths(instances, nodes), likelihood)


class FramedEncoder(nn.Module):
    """What an encoder says of the cities seen in each of F frames: :func:`seen_in`.

    Attributes:
        inner: The encoder.
        frames: Number F.
    """

    def __init__(self, encoder: nn.Module, frames: str = "principal") -> None:
        """Put frames before an encoder.

        Args:
            encoder: From instances to embeddings of nodes, (B, n, d), and of the graph, (B, d).
            frames: ``"principal"``, four of them, or ``"canonical"``, one.

        Raises:
            SymbenchError: There are no such frames.
        """
        super().__init__()
        self.inner, self.frames_of = encoder, frames_named(frames, 2)
        self.frames = 4 if frames == "principal" else 1

    def forward(self, instances: Instances) -> tuple[Tensor, Tensor]:
        """Embeddings of the nodes, (B, F, n, d), and of the graph, (B, F, d)."""
        nodes, graph = self.inner(seen_in(self.frames_of, instances))
        return _by_instance(nodes, self.frames), _by_instance(graph, self.frames)


class FrameAveragedEncoder(FramedEncoder):
    """The mean over frames of what an encoder says: embeddings (B, n, d) and (B, d)."""

    def forward(self, instances: Instances) -> tuple[Tensor, Tensor]:
        """Embeddings of the nodes, (B, n, d), and of the graph, (B, d)."""
        nodes, graph = super().forward(instances)
        return nodes.mean(dim=1), graph.mean(dim=1)


class PreparedFrames(NamedTuple):
    """What a decoder needs of B instances in F frames each.

    Attributes:
        rows: Of each frame of each instance, B F of them.
        frames: Number F.
    """

    rows: Prepared
    frames: int

    def tensors(self) -> list[Tensor]:
        """All of it in a row, the batch first; :meth:`FrameAveragedDecoder.restored` is the way back."""
        return [_by_instance(part, self.frames) for part in self.rows.tensors()]


class FrameAveragedDecoder(nn.Module):
    """The mean over frames of a decoder's logits, behind a :class:`FramedEncoder`.

    Attributes:
        inner: The decoder.
        frames: Number F.
    """

    def __init__(self, decoder: PointerDecoder, frames: int) -> None:
        """Take the mean over so many frames."""
        super().__init__()
        self.inner, self.frames = decoder, frames
        self.width = decoder.width

    @property
    def placeholder(self) -> Tensor | None:
        """The decoder's own; a second name of a parameter would be a second tensor in an agent's file."""
        return self.inner.placeholder

    def prepare(self, nodes: Tensor, graph: Tensor) -> PreparedFrames:
        """From embeddings of nodes, (B, F, n, d), and of the graph, (B, F, d)."""
        return PreparedFrames(self.inner.prepare(nodes.flatten(0, 1), graph.flatten(0, 1)), self.frames)

    def shapes(self, nodes: int) -> list[tuple[int, ...]]:
        """Of what :meth:`PreparedFrames.tensors` gives for an instance."""
        return [(self.frames, *shape) for shape in self.inner.shapes(nodes)]

    def restored(self, tensors: Sequence[Tensor]) -> PreparedFrames:
        """What :meth:`prepare` gave, of its :meth:`~PreparedFrames.tensors`."""
        return PreparedFrames(self.inner.restored([part.flatten(0, 1) for part in tensors]), self.frames)

    def logits(self, prepared: PreparedFrames, context: Tensor, told: Tensor, allowed: Tensor) -> Tensor:
        """Means of clipped logits, (B, Q, n); arguments as of :meth:`PointerDecoder.logits`."""
        each = (part.repeat_interleave(self.frames, dim=0) for part in (context, told, allowed))
        return _by_instance(self.inner.logits(prepared.rows, *each), self.frames).mean(dim=1)


def _by_instance(rows: Tensor, frames: int) -> Tensor:
    """(B F, ...) -> (B, F, ...)."""
    return rows.reshape(-1, frames, *rows.shape[1:])
