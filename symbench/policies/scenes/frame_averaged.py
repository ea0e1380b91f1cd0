"""A plain network of scenes made equivariant by the frames in which it sees and acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from gymnasium import spaces
from torch import Tensor, nn

from symbench.errors import SymbenchError, unknown
from symbench.policies.actions import BoxHead
from symbench.policies.scenes.scene_baselines import PlainGraphNetwork, SceneMLPNetwork
from symbench.policies.scenes.scene_frames import Frames, frames_named, within_ball
from symbench.policies.scenes.scene_network import STEPS, OneLogStd, SceneNetwork
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from symbench.policies.actions import ActionSpace
    from symbench.policies.memory import State

PLAIN: Final = {network.kind: network for network in (PlainGraphNetwork, SceneMLPNetwork)}


class FrameAveragedNetwork(SceneNetwork):
    """The mean over frames of what a plain network does in them: u = 1/F sum_f E_f pi(E_f^T (x - c), E_f^T v).

    With ``frames="principal"`` exactly equivariant under rotations, reflections and translations, for 2^d times the
    cost; see :mod:`symbench.policies.scenes.scene_frames`, also for where axes are not determined. Forces longer than
    the limit are made so long; discrete directions d_k get the logits <u, d_k>. Values are means too, and deviations
    are the same in all directions. Source: Puny et al. 2022 (arXiv 2110.03336).

    Example:
        >>> from gymnasium import spaces
        >>> plain = SceneMLPNetwork(spaces.Box(-1, 1, (3, 2)), bodies=6, dim=2)
        >>> policy = FrameAveragedNetwork.of(plain)
        >>> policy.action.space.shape
        (3, 2)
    """

    kind = "frame-averaged"
    ortho_init = False  # its parts have heads of their own

    def __init__(
        self,
        action_space: ActionSpace,
        bodies: int,
        dim: int,
        attributes: int = 0,
        velocities: bool = True,
        network: str | Mapping[str, Any] = "scene-mlp",
        frames: str | int = "principal",
        seed: int = 0,
        directions: Sequence[Sequence[float]] = STEPS,
    ) -> None:
        """Make the network.

        Args:
            action_space: Forces or directions; see :mod:`symbench.policies.scenes.scene_network`.
            bodies: Number N of bodies.
            dim: Coordinates d.
            attributes: Numbers k that say what a body is.
            velocities: Whether it reads velocities.
            network: The plain network: its kind, or a table of ``kind`` and its own arguments.
            frames: ``"principal"``, ``"canonical"`` or how many are sampled.
            seed: Of sampled frames.
            directions: What each discrete action stands for, (m, d).

        Raises:
            SymbenchError: An unknown plain network or kind of frames, sizes that are none, or actions that are not
                those of like agents.
        """
        table = {"kind": network} if isinstance(network, str) else dict(network)
        own: dict[str, Any] = {"network": dict(table), "frames": frames, "seed": seed, "directions": directions}
        super().__init__(action_space, bodies, dim, attributes, velocities, **own)
        self.frames_of = frames_named(frames, dim, seed)
        kind, box = str(table.pop("kind", "")), isinstance(self.action, BoxHead)
        if kind not in PLAIN:
            raise unknown("plain network of scenes", kind, PLAIN)
        forces: Any = self.action.data() if box else spaces.Box(-1, 1, (self.agents, dim))
        self.inner: PlainGraphNetwork | SceneMLPNetwork = PLAIN[kind](
            forces, bodies, dim, attributes, velocities, **table
        )
        bounded = isinstance(self.action, BoxHead) and self.action.space.is_bounded() and self.action.squash == "clip"
        self.radius = float(self.action.space.high.flat[0]) if bounded else None  # type: ignore[attr-defined]
        self.features_dim = self.inner.features_dim
        # Numbers of a body, where the plain network knows something of each.
        self.rows = self.features_dim if isinstance(self.inner, PlainGraphNetwork) else None

    @staticmethod
    def of(network: SceneNetwork, frames: str | int = "principal", seed: int = 0) -> FrameAveragedNetwork:
        """A trained plain network in frames, with a copy of its weights.

        Raises:
            SymbenchError: It is no plain network of scenes, or chooses directions, which frames do not turn.
        """
        if network.kind not in PLAIN or not isinstance(network.action, BoxHead):
            raise SymbenchError(
                f"frames turn forces in a Box of {' or '.join(PLAIN)}, received {network.kind} with "
                f"{brief(str(network.action.space))}"
            )
        config = network.config()
        space, directions = config.pop("action_space"), config.pop("directions")
        sizes = {name: config.pop(name) for name in ("bodies", "dim", "attributes", "velocities")}
        own: dict[str, Any] = {"network": {"kind": network.kind, **config}, "frames": frames, "seed": seed}
        made = FrameAveragedNetwork(space, **sizes, directions=directions, **own).to(network.dtype)
        made.inner.load_state_dict(network.state_dict())
        return made

    def micro_batch_size(self, shape: Sequence[int]) -> int:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.micro_batch_size`."""
        frames = self.frames_of(self._zeros(1, self.bodies, self.dim)).axes.shape[1]
        return max(1, super().micro_batch_size(shape) // frames)

    def features(self, *inputs: Tensor | None) -> Tensor:
        """The plain network's features in each frame, and the frame's axes, (B, F, P + d^2)."""
        positions, velocities, attributes = inputs
        assert positions is not None
        frames = self.frames_of(positions)
        return _joined(self.inner.features(*frames.seen(positions, velocities, attributes)), frames.axes)

    def decide(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.decide`."""
        return self.last(self.latent(features)), state

    def latent(self, features: Tensor) -> Tensor:
        """The same of what the plain network's last layer reads."""
        inner, frames = _split(features, self.dim, self.rows)
        return _joined(self.inner.latent(inner), frames.axes)

    def last(self, latent: Tensor) -> Tensor:
        """Forces (B, n * d), or logits of directions (B, n * m)."""
        inner, frames = _split(latent, self.dim, self.rows)
        vectors = frames.taken_back(self.inner.last(inner))
        if self.directions:
            return (vectors @ vectors.new_tensor(self.directions).T).flatten(1)
        return (vectors if self.radius is None else within_ball(vectors, self.radius)).flatten(1)

    def drop_decisions(self) -> None:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.drop_decisions`."""
        self.inner.drop_decisions()

    def value_head(self, hidden: Sequence[int], *, of_actions: bool = False, outputs: int = 1) -> nn.Module:
        """See :meth:`~symbench.policies.policy_network.PolicyNetwork.value_head`."""
        return _MeanValue(self.inner.value_head(hidden, of_actions=of_actions, outputs=outputs), self.dim, self.rows)

    def log_std(self, initial: float) -> nn.Module:
        """One number for all."""
        return OneLogStd(self.action.size, initial)

    def log_std_head(self) -> nn.Module:
        """One number for each agent: the mean over frames and directions."""
        return _MeanLogStd(self.inner.log_std_head(), self.dim, self.rows)


class _Averaged(nn.Module):
    """Layers of the plain network behind features in frames."""

    def __init__(self, layers: nn.Module, dim: int, rows: int | None) -> None:
        super().__init__()
        self.layers, self.dim, self.rows = layers, dim, rows


class _MeanValue(_Averaged):
    """The mean over frames of a plain network's values."""

    def forward(self, features: Tensor, actions: Tensor | None = None) -> Tensor:
        """(B, F, P + d^2) and perhaps (B, n * d) -> (B, outputs)."""
        inner, frames = _split(features, self.dim, self.rows)
        told: tuple[Tensor, ...] = ()
        if actions is not None:
            told = (frames.turned(actions.reshape(len(actions), -1, frames.axes.shape[-1])).flatten(1),)
        values = self.layers(inner, *told)
        return values.reshape(*features.shape[:2], -1).mean(dim=1)  # type: ignore[no-any-return]


class _MeanLogStd(_Averaged):
    """The mean over frames and directions of logarithms of deviations."""

    def forward(self, latent: Tensor) -> Tensor:
        """(B, F, P + d^2) -> (B, n * d)."""
        inner, frames = _split(latent, self.dim, self.rows)
        numbers = self.layers(inner).reshape(*latent.shape[:2], -1, frames.axes.shape[-1])
        return numbers.mean(dim=(1, 3))[..., None].expand(-1, -1, numbers.shape[-1]).flatten(1)  # type: ignore[no-any-return]


def _joined(inner: Tensor, axes: Tensor) -> Tensor:
    batch, count = axes.shape[:2]
    return torch.cat([inner.reshape(batch, count, -1), axes.flatten(2)], dim=2)


def _split(joined: Tensor, dim: int, rows: int | None) -> tuple[Tensor, Frames]:
    """The inverse: the plain network's part, (B * F, ...), and frames, whose origins are forgotten."""
    batch, count, size = joined.shape
    known = size - dim**2
    axes = joined[..., known:].reshape(batch, count, dim, dim)
    inner = joined[..., :known].flatten(0, 1)
    inner = inner if rows is None else inner.reshape(len(inner), -1, rows)
    return inner, Frames(axes, axes.new_zeros(batch, dim))
