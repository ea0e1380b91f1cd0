"""The parts of which SB3 policies are built.

* :class:`AttentionNeuronExtractor` - reads the history that :class:`symbench.wrappers.SensorHistory` shows
* :class:`StepExtractor`, :class:`SensorLSTM` - read one step, as :class:`symbench.wrappers.PreviousAction` shows it
* :class:`TrueStateExtractor` - reads the true state, for a critic
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, FlattenExtractor
from torch import Tensor, nn

from symbench.policies.layers import AttentionNeuron, RecurrentAttentionNeuron, compress
from symbench.policies.spaces import form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stable_baselines3.common.type_aliases import PyTorchObs

STATE = "state"  # key of the true state, which only a critic reads


class AttentionNeuronExtractor(BaseFeaturesExtractor):
    """:class:`~symbench.policies.layers.AttentionNeuron` as an SB3 features extractor of ``M * d_v`` features.

    Its weights depend on the length of the history and of the actions, not on the number of sensors. Other keys of
    the observation are ignored.

    Example:
        >>> import gymnasium as gym
        >>> from stable_baselines3 import SAC
        >>> from symbench.wrappers import SensorHistory
        >>> env = SensorHistory(gym.make("Pendulum-v1"), length=8)
        >>> model = SAC("MultiInputPolicy", env, policy_kwargs={"features_extractor_class": AttentionNeuronExtractor})
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        num_codes: int = 16,
        value_dim: int = 8,
        key_widths: Sequence[int] = (64, 32),
        query_dim: int = 8,
        projection_dim: int = 32,
        activation: str = "tanh",
    ) -> None:
        """Make the extractor.

        Args:
            observation_space: ``Dict(sensors=Box(N, k), actions=Box(k, A), ...)``.
            num_codes: Rows M of the layer's output.
            value_dim: Columns d_v of the layer's output.
            key_widths: Widths of the key network.
            query_dim: Columns of the sinusoidal table Q.
            projection_dim: Width in which queries and keys are compared.
            activation: ``"tanh"`` or ``"relu"``, in the key network.

        Raises:
            ValueError: The observation space is not the one of ``SensorHistory``.
        """
        (_, history), (_, action_dim) = shapes_of(observation_space, "SensorHistory", ("sensors", 2), ("actions", 2))
        super().__init__(observation_space, num_codes * value_dim)
        self.config: dict[str, Any] = {
            "history": history,
            "num_codes": num_codes,
            "value_dim": value_dim,
            "key_widths": tuple(key_widths),
            "query_dim": query_dim,
            "projection_dim": projection_dim,
        }
        self.activation = activation
        self.layer = AttentionNeuron(action_dim=action_dim, activation=activation, **self.config)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Features of shape (B, M * d_v) of sensors (B, N, k) and actions (B, k, A)."""
        features: Tensor = self.layer(compress(observations["sensors"]), observations["actions"])
        return features


class StepExtractor(BaseFeaturesExtractor):
    """The sensors and the previous action in one row, for :class:`SensorLSTM`."""

    def __init__(self, observation_space: spaces.Space[Any]) -> None:
        """Make the extractor.

        Args:
            observation_space: ``Dict(observation=Box(N,), previous_action=Box(A,), ...)``.

        Raises:
            ValueError: The observation space is not the one of ``PreviousAction``.
        """
        shapes = shapes_of(observation_space, "PreviousAction", ("observation", 1), ("previous_action", 1))
        (self.num_sensors,), (self.action_dim,) = shapes
        super().__init__(observation_space, self.num_sensors + self.action_dim)

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """Features of shape (B, N + A)."""
        return torch.cat([observations["observation"], observations["previous_action"]], dim=1)


class SensorLSTM(nn.Module):
    """:class:`~symbench.policies.layers.RecurrentAttentionNeuron` with the interface of ``torch.nn.LSTM``.

    The hidden state of all sensors is one row of N * H numbers, as sb3-contrib's buffers store it. The weights depend
    on neither N nor the order of the sensors.
    """

    num_layers = 1

    def __init__(self, num_sensors: int, action_dim: int, **config: Any) -> None:
        """Make the layer.

        Args:
            num_sensors: Number of sensors N.
            action_dim: Length A of an action.
            **config: Parameters of :class:`~symbench.policies.layers.RecurrentAttentionNeuron`.
        """
        super().__init__()
        self.num_sensors, self.config = num_sensors, config
        self.layer = RecurrentAttentionNeuron(action_dim, **config)
        self.input_size = num_sensors + action_dim
        self.hidden_size = num_sensors * self.layer.hidden_dim

    def forward(self, inputs: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """A sequence of T steps.

        Args:
            inputs: Sensors and previous action, shape (T, B, N + A).
            state: Hidden and cell states, shape (1, B, N * H) each.

        Returns:
            Codes m of shape (T, B, M), and the last hidden and cell states.
        """
        hidden, cell = (part.view(part.shape[1], self.num_sensors, -1) for part in state)
        codes = []
        for step in inputs:
            sensors, previous_actions = step[:, : self.num_sensors], step[:, self.num_sensors :]
            code, hidden, cell = self.layer(sensors, previous_actions, hidden, cell)
            codes.append(code)
        return torch.stack(codes), (hidden.flatten(1)[None], cell.flatten(1)[None])


class TrueStateExtractor(FlattenExtractor):
    """Reads the key ``"state"`` of a Dict observation, flattened, and nothing else."""

    def __init__(self, observation_space: spaces.Dict) -> None:
        """Make the extractor for a Dict space with a key ``"state"``."""
        super().__init__(observation_space[STATE])

    def forward(self, observations: PyTorchObs) -> Tensor:
        """(B, ...) -> (B, D)."""
        assert isinstance(observations, dict)
        return super().forward(observations[STATE])


def shapes_of(space: spaces.Space[Any], wrapper: str, *keys: tuple[str, int]) -> list[tuple[int, ...]]:
    """The shapes of these keys of a Dict space, which must have so many axes."""
    parts = space.spaces if isinstance(space, spaces.Dict) else {}
    shapes = [parts[key].shape or () for key, _ in keys if key in parts]
    if [len(shape) for shape in shapes] != [axes for _, axes in keys]:
        raise ValueError(f"the environment must be wrapped in symbench.wrappers.{wrapper}, received {form(space)}")
    return shapes
