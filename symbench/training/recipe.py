"""A training recipe: a TOML file that says what is trained, on what, how. Code reads it; nothing is hidden in code."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from symbench.errors import SymbenchError, unknown

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Imitation(_Data):
    """DAgger (Ross et al. 2011, arXiv 1011.0686): the student acts, the teacher says what it would have done.

    The student's steps come in segments through which gradients flow (truncated back-propagation through time).

    Attributes:
        teacher: Agent that sees the true, unperturbed state: a bundled one, of which training run k learns from
            run k, or the path of an agent's files.
        steps: Environment steps in all.
        num_envs: Environments played at once.
        segment: Time steps per segment.
        buffer: Segments kept; the oldest half makes room at random.
        updates: Gradient steps per new segment.
        batch: Environments of a segment per gradient step.
        fresh: Share of gradient steps that use the newest segment.
        learning_rate: Adam's, falling linearly to a hundredth.
        exploration: Greatest standard deviation of the noise on the student's actions; 0 in the first environment.
        max_grad_norm: Gradients are cut to this norm.
    """

    name: Literal["imitation"]
    teacher: str
    steps: int
    num_envs: int = 1024
    segment: int = 16
    buffer: int = 60
    updates: int = 12
    batch: int = 256
    fresh: float = 0.3
    learning_rate: float = 2e-3
    exploration: float = 0.1
    max_grad_norm: float = 0.5


class Ppo(_Data):
    """PPO (Schulman et al. 2017, arXiv 1707.06347) through Stable-Baselines3 on a batch of environments.

    Attributes:
        steps: Environment steps in all.
        num_envs: Environments played at once.
        n_steps: Steps per environment and rollout.
        batch_size: Samples per minibatch.
        n_epochs: Passes over each rollout.
        learning_rate: Adam's, falling linearly to a hundredth.
        gamma: Discount.
        gae_lambda: Of generalised advantage estimation.
        clip_range: Of the probability ratio.
        max_grad_norm: Gradients are cut to this norm.
        log_std_init: Logarithm of the first exploration noise.
        privileged_critic: Whether the value network reads the true state (training only).
    """

    name: Literal["ppo"]
    steps: int
    num_envs: int = 512
    n_steps: int = 128
    batch_size: int = 8192
    n_epochs: int = 4
    learning_rate: float = 1e-3
    gamma: float = 0.995
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    max_grad_norm: float = 0.5
    log_std_init: float = -0.5
    privileged_critic: bool = False


class Evolution(_Data):
    """CMA-ES (Hansen 2016, arXiv 1604.00772), as the paper trains: population 256, 16 rollouts, sigma 0.1.

    Attributes:
        generations: Number of generations.
        population: Candidates per generation.
        rollouts: Episodes per candidate; all candidates of a generation play the same ones.
        sigma: First step size.
    """

    name: Literal["evolution"]
    generations: int
    population: int = 256
    rollouts: int = 16
    sigma: float = 0.1


class Recipe(_Data):
    """What ``symbench train`` reads.

    Attributes:
        name: Name of the recipe.
        description: One line for ``symbench train --list``.
        agent: Name of the agent that comes out.
        task: Name of the task.
        network: ``kind`` and parameters of a :class:`~symbench.policies.networks.PolicyNetwork`.
        perturbations: Wrappers between task and agent during training: ``wrapper`` and its parameters.
        algorithm: How it is trained.
    """

    name: str
    description: str
    agent: str
    task: str
    network: dict[str, Any]
    perturbations: list[dict[str, Any]] = []
    algorithm: Annotated[Imitation | Ppo | Evolution, Field(discriminator="name")]

    @property
    def digest(self) -> str:
        """SHA-256 of everything it says, defaults and overrides included."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def recipes() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    folder = Path(str(resources.files("symbench.training") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_recipe(name_or_path: str, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        name_or_path: Name of a bundled recipe, or path of a TOML file.
        overrides: Values that replace those of the ``[algorithm]`` table, e.g. ``{"steps": 1000}``.

    Raises:
        SymbenchError: There is no such recipe, or it is not valid.
    """
    bundled = recipes()
    path = bundled.get(name_or_path, Path(name_or_path))
    if path.suffix != ".toml" or not path.is_file():
        raise unknown("recipe", name_or_path, bundled)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        data.setdefault("algorithm", {}).update(overrides or {})
        return Recipe.model_validate({"name": path.stem, **data})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SymbenchError(f"recipe {path} is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SymbenchError(f"recipe {path}: {place}: {first['msg']}, received {first['input']!r}") from error
