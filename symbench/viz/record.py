"""Plays episodes and keeps what analyses need of them: codes, memories, true states, frames, where the agent looked."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.errors import SymbenchError
from symbench.policies.agent import NetworkAgent
from symbench.runner.agents import load
from symbench.runner.evaluate import single_thread
from symbench.suites import Apply
from symbench.viz.activations import Activations
from symbench.viz.ground_truth import state, state_names
from symbench.viz.replay import Replay, image_of, play
from symbench.viz.video import moved_back

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.runner import AgentSource

    Array = NDArray[Any]

_SMALL = 4  # one row and column in so many of a rendered scene is kept


@dataclass(frozen=True)
class Recording:
    """One episode of T steps.

    Attributes:
        codes: Output of the agent's layer, (T, D).
        hidden: Hidden state of the head's LSTM, (T, H), or ``None``.
        states: The true state, (T, K); NaN where there is none.
        names: Of the K parts of the state.
        pictures: Unperturbed frames, or small pictures of the scene, (T, H, W, C), uint8.
        looked: Which pixels of the unperturbed frame the agent looked at, (T, H, W) bool, or ``None``.
        patch_size: Side of the patches looked at, or ``None``.
    """

    codes: Array
    hidden: Array | None
    states: Array
    names: tuple[str, ...]
    pictures: NDArray[np.uint8]
    looked: NDArray[np.bool_] | None
    patch_size: int | None


def shuffling(task: str, patch_size: int | None = None) -> tuple[Apply, ...]:
    """A new order of the sensors, or of the patches, in every episode."""
    with closing(Replay(task)) as replay:
        if replay.is_frames:
            return (Apply(wrapper="ShufflePatches", **({"patch_size": patch_size} if patch_size else {})),)
    return (Apply(wrapper="ShuffleSensors"),)


def record(
    source: AgentSource,
    task: str,
    seed: int,
    steps: int,
    apply: tuple[Apply, ...] = (),
    *,
    pictures: bool = False,
    looks: bool = False,
    double: bool = False,
) -> Recording:
    """Play one episode.

    Args:
        source: The agent.
        task: Name of a task.
        seed: Of the episode.
        steps: Stop after so many.
        apply: Perturbations.
        pictures: Whether pictures are kept; otherwise there is one only.
        looks: Whether it is kept where the agent looked.
        double: Compute in float64, where the order of the sensors changes nothing that matters.

    Raises:
        SymbenchError: The agent cannot play the task, or has no layer whose code could be shown.
    """
    with single_thread(), closing(Replay(task, apply, render=pictures)) as replay:
        agent = load(source, replay.env.observation_space, replay.env.action_space)
        if reason := agent.incompatibility(replay.env.observation_space, replay.env.action_space):
            raise SymbenchError(f"agent {source.name!r} cannot play {task}: {reason}")
        if not isinstance(agent, NetworkAgent) or not hasattr(agent.network, "layer"):
            raise SymbenchError(
                f"agent {source.name!r} has no layer that reads a set of inputs: there is no code to show"
            )
        if double:
            agent = NetworkAgent(agent.network, agent.name, torch.float64)
        activations = Activations(agent)
        agent.reset(1, seed=seed)
        kept: dict[str, list[Any]] = {name: [] for name in ("codes", "hidden", "states", "pictures", "looked")}
        side = None
        for moment in play(replay, agent, seed, steps):
            if moment.action is None:
                break
            kept["codes"].append(activations.code)
            kept["hidden"].append(activations.hidden)
            kept["states"].append(state(replay))
            if pictures or not kept["pictures"]:
                kept["pictures"].append(_picture(replay, pictures))
            if looks and replay.origins is not None:
                seen = image_of(moment.seen)
                attended = activations.attended(seen.shape[1]) if replay.is_frames else None
                if attended is not None:
                    side = attended.side
                    kept["looked"].append(moved_back(attended.mask(*seen.shape[:2]), replay.origins.index))
        return Recording(
            np.stack(kept["codes"]),
            np.stack(kept["hidden"]) if kept["hidden"][0] is not None else None,
            np.array(kept["states"], dtype=np.float64),
            state_names(replay),
            np.stack(kept["pictures"]),
            np.stack(kept["looked"]) if kept["looked"] else None,
            side,
        )


def _picture(replay: Replay, render: bool) -> Array:
    if replay.is_frames:
        return np.array(replay.original)
    return replay.picture()[::_SMALL, ::_SMALL] if render else np.zeros((1, 1, 3), np.uint8)
