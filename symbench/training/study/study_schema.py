"""What a study is: one task, several arms, how they are trained and how often they are measured; as TOML."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from symbench.errors import SymbenchError, unknown
from symbench.reading import TEXT_BYTES, brief, parse_toml, read
from symbench.suites.suite import Apply, Name  # noqa: TC001  (pydantic reads it)


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Algorithm(_Data):
    """PPO (Schulman et al. 2017, arXiv 1707.06347) or A2C (Mnih et al. 2016, arXiv 1602.01783).

    As the published studies run them: no normalisation of advantages, a constant learning rate, and the time limit
    counts as an end (values are not bootstrapped there).

    Attributes:
        name: ``"ppo"`` or ``"a2c"``.
        num_envs: Environments of one training run.
        n_steps: Steps per environment and update.
        gamma: Discount.
        gae_lambda: Of generalised advantage estimation.
        value_coefficient: Weight of half the squared error of the value.
        entropy_coefficient: Weight of the entropy bonus.
        max_grad_norm: Gradients are cut to this norm.
        epochs: Passes over each rollout (PPO).
        minibatches: Parts of a pass (PPO).
        clip_range: Of the probability ratio (PPO).
    """

    name: Literal["ppo", "a2c"]
    num_envs: int = Field(default=16, ge=1)
    n_steps: int = Field(default=5, ge=1)
    gamma: float = Field(default=0.99, ge=0, le=1)
    gae_lambda: float = Field(default=1.0, ge=0, le=1)
    value_coefficient: float = Field(default=1.0, ge=0)
    entropy_coefficient: float = Field(default=0.01, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0)
    epochs: int = Field(default=4, ge=1)
    minibatches: int = Field(default=4, ge=1)
    clip_range: float = Field(default=0.1, gt=0)

    @property
    def batch(self) -> int:
        """Environment steps per update."""
        return self.num_envs * self.n_steps

    @model_validator(mode="after")
    def _minibatches_are_equal(self) -> Algorithm:
        if self.batch % self.minibatches:
            raise ValueError(f"{self.batch} steps per update cannot be cut into {self.minibatches} equal minibatches")
        return self


class Arm(_Data):
    """One of the networks that are compared.

    Attributes:
        name: What figures and files call it.
        learning_rate: Adam's.
        network: ``kind`` and parameters; see :mod:`symbench.training.study.actor_critic_networks`.
        perturbations: Wrappers between task and network in training, not while it is measured: ``wrapper`` and its
            parameters. ``TransformByGroup`` is augmentation: every episode is seen from another side.
        free_coef: Weight in the loss of the squares of what is not equivariant in soft networks; see
            :func:`~symbench.policies.equivariant.free_part`.
    """

    name: Name
    learning_rate: float = Field(gt=0)
    network: dict[str, Any]
    perturbations: tuple[Apply, ...] = ()
    free_coef: float = Field(default=0.0, ge=0)


class Study(_Data):
    """What ``symbench study`` reads.

    Attributes:
        name: Name of the study.
        description: One line for ``symbench study --list``.
        task: Name of a task with Discrete actions, a team's MultiDiscrete([k] * n), or forces in a Box.
        steps: Environment steps of one training run.
        eval_every: Steps between two measurements, rounded to whole updates.
        eval_episodes: Episodes of a measurement, one in each of as many environments; actions are sampled.
        seed: Environment seed of the first of these episodes; all measurements of all runs play the same ones.
        seeds: Training runs of each arm.
        stack: Training runs that are trained at once, as one stacked network.
        frame_divisor: Frames are divided by this (and rounded down) before networks see them, which divide by 255.
        threshold: The return that "steps to threshold" asks for.
        orientation_episodes: Episodes that each trained team plays in the world as the task begins it and in the same
            turned by 90, 180 and 270 degrees; 0 for none.
        algorithm: How all arms are trained.
        arms: What is compared.
    """

    name: Name
    description: str
    task: str
    steps: int = Field(ge=1)
    eval_every: int = Field(ge=1)
    eval_episodes: int = Field(ge=1)
    seed: int = Field(ge=0)
    seeds: int = Field(ge=1)
    stack: int = Field(default=5, ge=1)
    frame_divisor: int = Field(default=1, ge=1, le=255)
    threshold: float
    orientation_episodes: int = Field(default=0, ge=0)
    algorithm: Algorithm
    arms: tuple[Arm, ...] = Field(min_length=1)

    @property
    def updates(self) -> int:
        """Updates of one training run."""
        return max(1, self.steps // self.algorithm.batch)

    @property
    def eval_updates(self) -> int:
        """Updates between two measurements."""
        return max(1, round(self.eval_every / self.algorithm.batch))

    def arm(self, name: str) -> Arm:
        """The arm of this name.

        Raises:
            SymbenchError: There is none.
        """
        for arm in self.arms:
            if arm.name == name:
                return arm
        raise unknown("arm", name, [arm.name for arm in self.arms], f"of study {self.name}")

    def digest(self, arm: Arm) -> str:
        """SHA-256 of all that the numbers of an arm's runs depend on."""
        settings = self.model_dump(mode="json", exclude={"name", "description", "seeds", "threshold", "arms"})
        if not self.orientation_episodes:  # runs of before an entry was added stay valid
            del settings["orientation_episodes"]
        said = arm.model_dump(mode="json", exclude_defaults=True)
        return hashlib.sha256(json.dumps([settings, said], sort_keys=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _arms_are_distinct(self) -> Study:
        repeated = [name for name, count in Counter(arm.name for arm in self.arms).items() if count > 1]
        if repeated:
            raise ValueError(f"arms must have different names, received {', '.join(repeated)} more than once")
        return self


def studies() -> dict[str, Path]:
    """The studies that come with the package, by name."""
    folder = Path(str(resources.files("symbench.training.study") / "studies"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_study(name_or_path: str, overrides: dict[str, Any] | None = None) -> Study:
    """Read a study.

    Args:
        name_or_path: Name of a bundled study, or path of a TOML file.
        overrides: Values that replace those at the top of the file, e.g. ``{"steps": 1000}``.

    Raises:
        SymbenchError: There is no such study, or it is not valid.
    """
    path = studies().get(name_or_path, Path(name_or_path))
    if path.suffix != ".toml":
        raise unknown("study", name_or_path, studies())
    label = f"study file {str(path)!r}"
    content = read(path, label, TEXT_BYTES, "cannot be read (No such file or directory)")
    data = parse_toml(content, f"study {path}")
    try:
        return Study.model_validate({"name": path.stem, **data, **(overrides or {})})
    except ValidationError as error:
        raise SymbenchError(f"study {path}: {_first_mistake(error)}") from error


def _first_mistake(error: ValidationError) -> str:
    mistake = error.errors()[0]
    place = ".".join(map(str, mistake["loc"]))
    problem = mistake["msg"].removeprefix("Value error, ")
    received = "" if mistake["type"] in ("missing", "value_error") else f", received {brief(repr(mistake['input']))}"
    return f"{place}: {problem}{received}" if place else problem
