"""A training recipe: a TOML file that says what is trained, on what, how. Code reads it; nothing is hidden in code."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from symbench.errors import SymbenchError, unknown
from symbench.reading import TEXT_BYTES, brief, parse_toml, read
from symbench.suites.suite import Apply, Name  # noqa: TC001  (pydantic reads it while running)
from symbench.training.imitation_settings import Count, Imitation, Positive, Settings, Several, Share

_YOUNG: Final = ("teacher_options", "occlusion", "burn_in", "noise_odds", "critic_steps")


class Ppo(Settings):
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
        reward_scale: Rewards are multiplied by this where they are learned from; returns are reported as they are.
            Values that are far from 0 take long to learn, and until then their gradients are all that is seen.
        privileged_critic: Whether the value network reads the true state (training only).
        critic_steps: The critic learns alone for so many steps: where training starts from an agent's weights, the
            gradients of a critic that knows nothing would spoil them.
    """

    name: Literal["ppo"]
    steps: Count
    num_envs: Count = 512
    n_steps: Several = 128
    batch_size: Several = 8192
    n_epochs: Count = 4
    learning_rate: Positive = 1e-3
    gamma: Share = 0.995
    gae_lambda: Share = 0.95
    clip_range: Positive = 0.2
    max_grad_norm: Positive = 0.5
    log_std_init: float = -0.5
    reward_scale: Positive = 1.0
    privileged_critic: bool = False
    critic_steps: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _something_is_trained(self) -> Ppo:
        rollout = self.n_steps * self.num_envs
        if self.critic_steps > (self.steps - 1) // rollout * rollout:  # where the last one begins
            raise ValueError(
                f"the critic learns alone for {self.critic_steps} of {self.steps} steps, so nothing else would"
            )
        return self


class Evolution(Settings):
    """CMA-ES (Hansen 2016, arXiv 1604.00772), as the paper trains: population 256, 16 rollouts, sigma 0.1.

    Attributes:
        generations: Number of generations.
        population: Candidates per generation.
        rollouts: Episodes per candidate; all candidates of a generation play the same ones.
        sigma: First step size.
    """

    name: Literal["evolution"]
    generations: Count
    population: Several = 256
    rollouts: Count = 16
    sigma: Positive = 0.1


class Reinforce(Settings):
    """REINFORCE (Williams 1992) for models that build tours, on uniform instances.

    With ``starts`` and as many samples as nodes it is POMO (Kwon et al. 2020, arXiv 2010.16011), with ``copies``
    Sym-NCO (Kim et al. 2022, arXiv 2205.13209), with ``baseline = "rollout"`` the attention model's own training (Kool
    et al. 2019, arXiv 1803.08475).

    Attributes:
        nodes: Cities of an instance, or its customers.
        steps: Gradient steps.
        batch: Instances per step.
        samples: Tours of each instance; the encoder sees it once.
        baseline: What lengths are compared with: ``"shared"``, the mean of an instance's tours, or ``"rollout"``, the
            greedy tour of the best model of earlier epochs.
        starts: Whether an instance's tour i begins at its node i.
        copies: Turned copies of each instance, itself among them.
        solution: Weight of the loss that compares tours of the same copy; only with copies.
        invariance: Weight of the loss by which copies look alike to the encoder; only with copies.
        epoch: Steps between attempts to replace the rollout baseline.
        learning_rate: Adam's.
        last_rate: Share of it that it falls to, linearly; 1: it stays.
        weight_decay: Adam's.
        max_grad_norm: Gradients are cut to this norm.
    """

    name: Literal["reinforce"]
    steps: Count
    nodes: Several = 20
    batch: Count = 512
    samples: Count = 1
    baseline: Literal["rollout", "shared"] = "rollout"
    starts: bool = False
    copies: Count = 1
    solution: float = Field(default=1.0, ge=0)
    invariance: float = Field(default=0.0, ge=0)
    epoch: Count = 2500
    learning_rate: Positive = 1e-4
    last_rate: Share = 1.0
    weight_decay: float = Field(default=0.0, ge=0)
    max_grad_norm: Positive = 1.0

    @model_validator(mode="after")
    def _tours_are_compared(self) -> Reinforce:
        if self.baseline == "shared" and self.samples * self.copies < 2:
            raise ValueError("a shared baseline needs at least 2 samples of an instance")
        if self.copies > 1 and self.baseline != "shared":
            raise ValueError('copies are compared with each other; take baseline = "shared"')
        if self.copies == 1 and self.invariance:
            raise ValueError("invariance is among copies; take copies = 2 or more")
        if self.starts and self.samples > self.nodes:
            raise ValueError(f"there are {self.nodes} starts, received samples = {self.samples}")
        return self


class DynamicsRegression(Settings):
    """Dynamics of a task in order, for a network that finds out which sensor is which.

    Attributes:
        teacher: Agent that plays, and becomes the network's policy: a bundled one, of which training run k takes run k,
            or the path of an agent's files.
        steps: Environment steps in all.
        num_envs: Environments played at once.
        random: Share of random actions in the last environment; it rises from 0 in the first.
        updates: Gradient steps.
        batch: Transitions per gradient step.
        learning_rate: Adam's, falling linearly to a hundredth.
    """

    name: Literal["dynamics"]
    teacher: str
    steps: Several
    num_envs: Count = 512
    random: Share = 1.0
    updates: Count = 5000
    batch: Count = 512
    learning_rate: Positive = 3e-3


class PictureMeasurement(Settings):
    """Statistics of a task's pictures in order, for a network that finds out which patch belongs where.

    Attributes:
        teacher: Agent that plays, and becomes the network's policy: a bundled one, of which training run k takes run k,
            or the path of an agent's files.
        steps: Environment steps in all.
        num_envs: Environments played at once.
        random: Share of random actions in the last environment; it rises from 0 in the first.
    """

    name: Literal["pictures"]
    teacher: str
    steps: Several
    num_envs: Count = 64
    random: Share = 0.3


class Recipe(Settings):
    """What ``symbench train`` reads.

    Attributes:
        name: Name of the recipe.
        description: One line for ``symbench train --list`` and, on the agent's card, for ``symbench list agents``.
        agent: Name of the agent that comes out.
        task: Name of the task.
        network: ``kind`` and parameters of a :class:`~symbench.policies.policy_network.PolicyNetwork`.
        perturbations: Wrappers between task and agent during training: ``wrapper`` and its parameters.
        start: Agent whose weights training begins with: a bundled one, of which training run k goes on from run k, or
            the path of an agent's files; of the same network. None: fresh weights.
        algorithm: How it is trained.
    """

    name: Name
    description: str
    agent: Name
    task: str
    network: dict[str, Any]
    start: str | None = None
    perturbations: list[Apply] = Field(default_factory=list)
    algorithm: Annotated[
        Imitation | Ppo | Evolution | Reinforce | DynamicsRegression | PictureMeasurement, Field(discriminator="name")
    ]

    @property
    def digest(self) -> str:
        """SHA-256 of everything it says, defaults and overrides included.

        Settings that are younger than trainings that may still go on count only where they are used.
        """
        said = self.model_dump(mode="json")
        for name in _YOUNG:
            if not said["algorithm"].get(name):
                said["algorithm"].pop(name, None)
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


_ALGORITHMS: Final[dict[str, type[Settings]]] = {
    "imitation": Imitation,
    "ppo": Ppo,
    "evolution": Evolution,
    "reinforce": Reinforce,
    "dynamics": DynamicsRegression,
    "pictures": PictureMeasurement,
}


def recipes() -> dict[str, Path]:
    """The recipes that come with the package, by name."""
    folder = Path(str(resources.files("symbench.training") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_recipe(name_or_path: str, overrides: dict[str, Any] | None = None) -> Recipe:
    """Read a recipe.

    Args:
        name_or_path: Name of a bundled recipe, path of a TOML file, or the id of an environment whose symmetry is
            declared (:func:`~symbench.training.symmetric.recipe_of`).
        overrides: Values that replace those of the ``[algorithm]`` table, e.g. ``{"steps": 1000}``.

    Raises:
        SymbenchError: There is no such recipe, or it is not valid.
    """
    data, source = _data_of(name_or_path)
    if isinstance(data.setdefault("algorithm", {}), dict):
        data["algorithm"].update(overrides or {})
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise SymbenchError(f"recipe {source}: {_first_mistake(error, data)}") from error


def _data_of(name_or_path: str) -> tuple[dict[str, Any], str]:
    """What a recipe says, and what to call it in messages."""
    from symbench.training.symmetric import is_declared, recipe_of

    bundled = recipes()
    path = bundled.get(name_or_path, Path(name_or_path))
    if path.suffix == ".toml" and path.is_file():
        return {"name": path.stem, **parse_toml(read(path, f"recipe {path}", TEXT_BYTES), f"recipe {path}")}, str(path)
    if is_declared(name_or_path):
        return recipe_of(name_or_path), name_or_path
    if path.suffix == ".toml" or len(path.parts) > 1:
        raise SymbenchError(
            f"recipe file {name_or_path!r} does not exist, or is no .toml; bundled recipes: symbench train --list"
        )
    others = "environments whose symmetry is declared: symbench check-symmetry"
    raise SymbenchError(f"{unknown('recipe', name_or_path, bundled)}; {others}")


def _first_mistake(error: ValidationError, data: dict[str, Any]) -> str:
    mistake = error.errors()[0]
    loc = [str(part) for part in mistake["loc"]]
    if mistake["type"] == "extra_forbidden":
        key, network = loc[-1].removeprefix("network."), data.get("network")
        if loc[0] == "algorithm" and isinstance(network, dict) and key in network:
            return f"{key!r} is a setting of [network], not of [algorithm], which --set changes: copy the recipe"
        table: type[Settings] = _ALGORITHMS[loc[1]] if loc[0] == "algorithm" else Recipe
        return str(unknown(f"setting of {loc[1]}" if len(loc) > 1 else "key", loc[-1], table.model_fields))
    place = ".".join(part for i, part in enumerate(loc) if i != 1 or part not in _ALGORITHMS)
    if mistake["type"] in ("missing", "value_error"):
        return f"{place}: {mistake['msg'].removeprefix('Value error, ')}"
    return f"{place}: {mistake['msg']}, received {brief(repr(mistake['input']))}"
