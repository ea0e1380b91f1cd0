"""Models of Stable-Baselines3 over networks: every algorithm, a small network of every kind, both forms of actions."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib import QRDQN, TQC, TRPO, MaskablePPO, RecurrentPPO
from stable_baselines3 import A2C, DDPG, DQN, PPO, SAC, TD3

from symbench.policies import NETWORKS
from symbench.policies.sb3 import POLICIES, trains
from symbench.policies.scenes import SceneNetwork
from symbench.policies.vision import VisionNetwork
from symbench.wrappers import wrapper_of

ROLLOUTS = {"n_steps": 32, "batch_size": 16, "n_epochs": 1}
REPLAYS = {"buffer_size": 100, "learning_starts": 16, "batch_size": 8, "train_freq": 16, "gradient_steps": 2}
ALGORITHMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "PPO": (PPO, ROLLOUTS),
    "A2C": (A2C, {"n_steps": 16}),
    "TRPO": (TRPO, {"n_steps": 32, "batch_size": 16}),
    "MaskablePPO": (MaskablePPO, ROLLOUTS),
    "RecurrentPPO": (RecurrentPPO, ROLLOUTS),
    "DQN": (DQN, {**REPLAYS, "target_update_interval": 30}),
    "QRDQN": (QRDQN, {**REPLAYS, "target_update_interval": 30}),
    "SAC": (SAC, REPLAYS),
    "TQC": (TQC, REPLAYS),
    "TD3": (TD3, REPLAYS),
    "DDPG": (DDPG, REPLAYS),
}
ON_POLICY = ("PPO", "A2C", "TRPO", "MaskablePPO", "RecurrentPPO")

ACTIONS: dict[str, spaces.Space[Any]] = {
    "discrete": spaces.Discrete(3),
    "continuous": spaces.Box(np.float32([-1, 0]), np.float32([1, 2])),
}
OF_TEAMS: dict[str, spaces.Space[Any]] = {
    "discrete": spaces.MultiDiscrete([3, 3]),
    "continuous": spaces.Box(-1, 1, (2,)),
}
OF_SCENES: dict[str, spaces.Space[Any]] = {
    "discrete": spaces.MultiDiscrete([3, 3]),
    "continuous": spaces.Box(-1, 1, (2, 2)),
}
FORMS = {name: tuple(ACTIONS) for name in ON_POLICY} | {"MaskablePPO": ("discrete",)}
FORMS |= {"DQN": ("discrete",), "QRDQN": ("discrete",)}
FORMS |= dict.fromkeys(("SAC", "TQC", "TD3", "DDPG"), ("continuous",))

DIRECTIONS = [[0, 0], [1, 0], [0, 1]]
PATCHES = {"num_codes": 16, "code_dim": 4, "history": 2, "conv": [[8, 2, 1]], "hidden": [16]}
TABLES: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [8]},
    "attention-neuron": {"num_codes": 8, "key_widths": [8], "history": 3, "hidden": [8]},
    "recurrent-attention-neuron": {"num_codes": 8, "hidden": [8]},
    "unshuffler": {"dynamics": [8], "candidates": 8},
    "history-mlp": {"history": 3, "hidden": [8]},
    "gru": {"hidden_dim": 8},
    "transformer": {"history": 3, "width": 8, "heads": 2, "layers": 1, "feed_forward": 8, "hidden": [8]},
    "vision-attention-neuron": PATCHES,
    "set-transformer": PATCHES,
    "nature-cnn": {"conv": [[8, 8, 4]], "hidden": [8]},
    "attention-agent": {},
    "patch-unshuffler": {"opening": 2, "policy": {"conv": [[8, 8, 4]], "hidden": [8]}},
    "equivariant-mlp": {"hidden": [4]},
    "equivariant-cnn": {"hidden": [8]},
    "multi-agent-homomorphic": {"messages": [4, 4]},
    "multi-agent-standard": {"messages": [4, 4]},
    "multi-agent-graph": {"messages": [12, 12]},
    "centralised-cnn": {"hidden": [8]},
    "equivariant-graph": {"hidden": 8, "directions": DIRECTIONS},
    "plain-graph": {"hidden": 8, "directions": DIRECTIONS},
    "scene-mlp": {"hidden": [8], "directions": DIRECTIONS},
    "frame-averaged": {
        "network": {"kind": "plain-graph", "hidden": 8},
        "frames": "canonical",  # in the mean over signs the last bias has no effect
        "directions": DIRECTIONS,
    },
    "residual-graph": {"hidden": 8, "directions": DIRECTIONS},
}
"""What a small network says beside its kind; what it would remember is 3 values, or 2 frames, long."""
SYMMETRIES: dict[str, dict[str, Any]] = {
    "equivariant-mlp": {"group": "C2", "observation": {"signs": [[-1, -1, 1, -1, -1]]}},
    "equivariant-cnn": {"group": "C2", "observation": {"moves": ["flip-columns"]}},
}
ON_ACTIONS: dict[str, dict[str, Any]] = {"discrete": {"maps": [[1, 0, 2]]}, "continuous": {"signs": [[-1, 1]]}}
FRAMES = tuple(kind for kind, network in NETWORKS.items() if issubclass(network, VisionNetwork))
TEAMS = tuple(kind for kind, network in NETWORKS.items() if network.of_team)
SCENES = tuple(kind for kind, network in NETWORKS.items() if issubclass(network, SceneNetwork))
OF_TWO: dict[str, spaces.Space[Any]] = {
    "images": spaces.Box(-1, 1, (2, 1, 7, 7)),
    "positions": spaces.Box(-0.2, 0.2, (2, 2)),
}
"""What a team of two sees: pictures of 7x7 numbers, and where they are."""
OF_THREE: dict[str, spaces.Space[Any]] = {
    **{name: spaces.Box(-1, 1, (3, 2)) for name in ("positions", "velocities")},
    "attributes": spaces.Box(0, 1, (3, 1)),
}
"""A scene of two agents and another body."""
COMBINATIONS = [(name, kind, form) for name in ALGORITHMS for kind in TABLES for form in FORMS[name]]
TRAINED = [combination for combination in COMBINATIONS if trains(combination[1], combination[0])]


class Toy(gym.Env[Any, Any]):
    """Five numbers, or frames of 36x36 pixels, drawn at random; an action is worth what the first of them says.

    Teams see several parts, drawn between their bounds.
    """

    def __init__(
        self, action_space: spaces.Space[Any], frames: bool, parts: dict[str, spaces.Space[Any]] | None = None
    ) -> None:
        self.action_space, self.frames, self.allowed = action_space, frames, True
        numbers, pictures = spaces.Box(-np.inf, np.inf, (5,)), spaces.Box(0, 255, (36, 36, 1), np.uint8)
        self.observation_space = spaces.Dict(parts) if parts else pictures if frames else numbers

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._observe(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        if isinstance(self.action_space, (spaces.Discrete, spaces.MultiDiscrete)):
            self.allowed = self.allowed and bool((np.asarray(action) != self.t % 4).all())
        reward = float(np.sum(action) * np.ravel(self._seen)[0] / (255 if self.frames else 1))
        self.t += 1
        return self._observe(), reward, self.t == 12, False, {}

    def action_masks(self) -> np.ndarray:
        """One action in turn is forbidden, to each agent of a team."""
        space: Any = self.action_space
        counts = np.ravel(space.nvec if isinstance(self.action_space, spaces.MultiDiscrete) else space.n)
        return np.concatenate([np.arange(count) != self.t % 4 for count in counts])

    def _observe(self) -> Any:
        rng = self.np_random
        if isinstance(self.observation_space, spaces.Dict):
            boxes = self.observation_space.spaces.items()
            drawn = {name: rng.uniform(box.low, box.high).astype(np.float32) for name, box in boxes}  # type: ignore[attr-defined]
            self._seen = next(iter(drawn.values()))
            return drawn
        self._seen = rng.integers(0, 256, (36, 36, 1), np.uint8) if self.frames else rng.normal(size=5)
        return self._seen if self.frames else self._seen.astype(np.float32)


def table_of(kind: str, form: str, **more: Any) -> dict[str, Any]:
    """What ``policy_kwargs["network"]`` is."""
    symmetry = {**SYMMETRIES[kind], "action": ON_ACTIONS[form]} if kind in SYMMETRIES else {}
    return {"kind": kind, **symmetry, **TABLES[kind], **more}


def actions_of(kind: str, form: str) -> spaces.Space[Any]:
    """What the network's agent does."""
    return (OF_SCENES if kind in SCENES else OF_TEAMS if kind in TEAMS else ACTIONS)[form]


def toy_of(kind: str, action_space: spaces.Space[Any]) -> Toy:
    """An environment that shows what the network reads."""
    return Toy(action_space, kind in FRAMES, OF_THREE if kind in SCENES else OF_TWO if kind in TEAMS else None)


def plain(kind: str, form: str) -> Toy:
    """The environment that the network's agent plays."""
    return toy_of(kind, actions_of(kind, form))


def shown(env: gym.Env[Any, Any], name: str, kind: str) -> gym.Env[Any, Any]:
    """The environment in which an algorithm trains such a network: in a wrapper that shows what it would remember."""
    wrapper = dict.fromkeys(("attention-neuron", "history-mlp", "transformer"), "SensorHistory")
    wrapper |= {"vision-attention-neuron": "FrameHistory"}
    wrapper |= {"set-transformer": "FrameHistory", "nature-cnn": "FrameHistory"}
    if name == "RecurrentPPO" or kind not in wrapper:
        return env
    return wrapper_of(wrapper[kind])(env, length=TABLES[kind].get("history", 2))  # type: ignore[no-any-return]


def model_of(
    name: str, kind: str, form: str, env: gym.Env[Any, Any] | None = None, *, table: Any = None, **policy_kwargs: Any
) -> Any:
    """An untrained model."""
    made, settings = ALGORITHMS[name]
    env = shown(plain(kind, form), name, kind) if env is None else env
    options = {"network": table_of(kind, form) if table is None else table, "critic": [16], **policy_kwargs}
    return made(POLICIES[name], env, seed=0, device="cpu", policy_kwargs=options, **settings)


def rough(model: Any, scale: float = 0.3, seed: int = 0) -> Any:
    """With weights so large that actions vary, and some are cut to their bounds."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.policy.parameters():
            parameter += scale * torch.randn(parameter.shape, generator=generator)
    return model


def batch_of(space: spaces.Space[Any], size: int = 6, seed: int = 0) -> Any:
    """Reproducible observations of a space, as environments give them."""
    rng = np.random.default_rng(seed)
    if isinstance(space, spaces.Dict):
        return {key: batch_of(part, size, seed + i) for i, (key, part) in enumerate(space.spaces.items())}
    if isinstance(space, spaces.MultiBinary) or space.dtype == np.uint8:
        return rng.integers(0, 2 if isinstance(space, spaces.MultiBinary) else 256, (size, *space.shape), space.dtype)
    return rng.normal(size=(size, *(space.shape or ()))).astype(np.float32)
