"""The parts that a recipe names: its network, its teacher, and whether they fit task and algorithm."""

from __future__ import annotations

import hashlib
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.errors import SymbenchError, unknown
from symbench.policies import NetworkAgent, PolicyNetwork
from symbench.policies import make_network as make_policy_network
from symbench.policies.actions import BoxHead, DiscreteHead
from symbench.policies.routing import RoutingModel
from symbench.policies.spaces import described, form
from symbench.policies.unshuffler import UnshufflerNetwork
from symbench.policies.vision import PatchNetwork, PatchUnshufflerNetwork
from symbench.tasks import get_task
from symbench.training.controllers import Controller, MakeController, controller_of
from symbench.training.gate_loss import gate_of, genuine
from symbench.training.imitation_settings import Imitation
from symbench.training.recipe import DynamicsRegression, PictureMeasurement, Ppo, Recipe, Reinforce
from symbench.training.training_envs import make_training_envs
from symbench.zoo import bundled, load_agent, not_installed
from symbench.zoo.tensor_digest import tensor_digest

if TYPE_CHECKING:
    import gymnasium as gym


def make_network(plan: Recipe, run: int) -> PolicyNetwork:
    """The recipe's network as training run ``run`` begins: fresh weights from torch's generator, or those of ``start``.

    Raises:
        SymbenchError: The ``[network]`` table does not describe a network, or ``start`` is no agent of that network.
    """
    network = _fresh(plan)
    if plan.start is not None:
        trained = _find_agent("agent to start from", plan.task, plan.start, run)
        if (trained.kind, trained.config()) != (network.kind, network.config()):
            raise SymbenchError(
                f"recipe {plan.name}: start = {plan.start!r} has another network: {trained.kind} {trained.config()}"
            )
        network.load_state_dict(trained.state_dict())
    return network


def _fresh(plan: Recipe) -> PolicyNetwork:
    with closing(get_task(plan.task).make()) as env:
        try:
            return make_policy_network(plan.network, env.observation_space, env.action_space)
        except SymbenchError as error:
            raise SymbenchError(f"recipe {plan.name}, [network]: {error}") from error


def teacher_of(task: str, settings: Imitation, run: int) -> PolicyNetwork | MakeController:
    """Who teaches run ``run``: what makes the controllers of the environments, with their options, or an agent.

    Raises:
        SymbenchError: There is no such teacher for the task, or it has no such options.
    """
    teacher, options = find_teacher(task, settings.teacher, run), settings.teacher_options
    if not options:
        return teacher
    if isinstance(teacher, PolicyNetwork):
        raise SymbenchError(f"teacher_options are a controller's, {settings.teacher!r} is an agent; leave them out")
    try:
        teacher(**options)
    except (TypeError, ValueError) as error:
        raise SymbenchError(f"teacher_options of {teacher.__name__}: {error}") from error
    return partial(teacher, **options)


def find_teacher(task: str, name: str, run: int) -> PolicyNetwork | type[Controller]:
    """The task's ``"controller"``, a bundled agent's run ``run`` (counted round if there are fewer), or one at a path.

    Raises:
        SymbenchError: There is no such agent for the task.
    """
    if name == "controller":
        return controller_of(task)
    return _find_agent("teacher", task, name, run)


def _find_agent(role: str, task: str, name: str, run: int) -> PolicyNetwork:
    agents = bundled(task)
    if name in agents:
        return load_agent(agents[name][run % len(agents[name])]).network
    stem = name.removesuffix(".safetensors").removesuffix(".json")
    if Path(f"{stem}.json").exists():
        return load_agent(stem).network
    if missing := not_installed(task):
        raise SymbenchError(f"{role} {name!r} is not here; {missing}")
    raise SymbenchError(f"{unknown(f'{role} for {task}', name, agents)}; or give the path of an agent's files")


def digest_with_agents(plan: Recipe) -> str:
    """The digest of a recipe, and of the weights of agents of one's own that it starts from or learns from.

    Raises:
        SymbenchError: Such an agent is not there.
    """
    named = (plan.start, getattr(plan.algorithm, "teacher", None))
    own = [name for name in named if name and name != "controller" and name not in bundled(plan.task)]
    said = [plan.digest, *map(tensor_digest, own)]
    return hashlib.sha256(" ".join(said).encode()).hexdigest() if own else plan.digest


def check(plan: Recipe, seed: int) -> None:
    """Refuse, before anything is trained or deleted, what cannot be trained.

    Raises:
        SymbenchError: Task, perturbations, network, algorithm and teacher do not fit each other; says which, and why.
    """
    envs, task = make_training_envs(plan, 1)
    envs.close()
    agent = NetworkAgent(make_network(plan, seed), plan.agent)
    reason = (
        _algorithm_incompatibility(plan, agent.network, task, seed)
        or agent.incompatibility(envs.single_observation_space, envs.single_action_space)
        # The scores on its card are measured in the task itself.
        or agent.incompatibility(task.single_observation_space, task.single_action_space)
    )
    if reason:
        raise SymbenchError(f"recipe {plan.name} does not fit: {reason}")


def _algorithm_incompatibility(
    plan: Recipe, network: PolicyNetwork, task: gym.vector.VectorEnv[Any, Any, Any], seed: int
) -> str | None:
    settings = plan.algorithm
    if isinstance(settings, Reinforce):
        return _tour_incompatibility(settings, network)
    if isinstance(settings, (DynamicsRegression, PictureMeasurement)):
        return _unshuffler_incompatibility(plan, settings, network, seed)
    if isinstance(network, (UnshufflerNetwork, PatchUnshufflerNetwork)):
        name = "dynamics" if isinstance(network, UnshufflerNetwork) else "pictures"
        return f"{network.kind!r} takes its teacher as it is; take name = {name!r}"
    if isinstance(network, RoutingModel):
        return f"{network.kind!r} learns whole tours; take name = 'reinforce'"
    if isinstance(settings, Ppo) and np.any(getattr(task.single_action_space, "start", 0)):
        return f"ppo numbers actions from 0, not {described(task.single_action_space)}; use imitation or evolution"
    if isinstance(settings, Ppo) and network.recurrent:
        return f"ppo trains on single steps, and {network.kind!r} remembers more than can be shown; use imitation"
    if isinstance(settings, Ppo) and plan.network.get("squash", "clip") != "clip":
        return "ppo trains with squash = 'clip'; leave squash out of [network]"
    if isinstance(settings, Imitation):
        return _imitation_incompatibility(plan, settings, network, task, seed)
    return None


def _imitation_incompatibility(
    plan: Recipe, settings: Imitation, network: PolicyNetwork, task: gym.vector.VectorEnv[Any, Any, Any], seed: int
) -> str | None:
    if not isinstance(network.action, (DiscreteHead, BoxHead)):
        return f"imitation explores Discrete actions and Boxes; the task has {form(network.action.space)}"
    if not network.differentiable:
        return f"{network.kind!r} makes choices that have no gradient here; set its sort_temperature, or use evolution"
    if settings.occlusion and not (isinstance(network, PatchNetwork) and _shows_frames(plan)):
        return "occlusion hides patches of frames to networks that read patches; take one, or OccludePatches alone"
    if settings.noise_odds and gate_of(network) is None:
        return "noise_odds are a gate's; take kind = 'attention-neuron' and normalisation = 'gate'"
    if settings.noise_odds and not _shows_state(plan):
        return "noise_odds take for noise what does not show the true state: no perturbation may change all numbers"
    return _teacher_incompatibility(teacher_of(plan.task, settings, seed), settings.teacher, task)


def _shows_state(plan: Recipe) -> bool:
    """Whether some channel shows a number of the true state as it is."""
    envs, kept = make_training_envs(plan, 1)
    with closing(envs):
        observations, _ = envs.reset(seed=0)
        return bool(genuine(torch.from_numpy(observations), torch.from_numpy(kept.state)).any())


def _unshuffler_incompatibility(
    plan: Recipe, settings: DynamicsRegression | PictureMeasurement, network: PolicyNetwork, seed: int
) -> str | None:
    wanted = UnshufflerNetwork if isinstance(settings, DynamicsRegression) else PatchUnshufflerNetwork
    learned, name = f"{settings.name} are learned", settings.teacher
    if not isinstance(network, wanted):
        return f"{learned} for networks of kind {wanted.kind!r}, not {network.kind!r}"
    teacher = find_teacher(plan.task, name, seed)
    if not isinstance(teacher, PolicyNetwork):
        return f"a controller has no weights to take; name an agent of kind {network.policy.kind!r}"
    if (teacher.kind, teacher.config()) != (network.policy.kind, network.policy.config()):
        return f"teacher {name} has another network than [network] policy: {teacher.kind} {teacher.config()}"
    return f"{learned} in order; leave out [[perturbations]]" if plan.perturbations else None


def _tour_incompatibility(settings: Reinforce, network: PolicyNetwork) -> str | None:
    if not isinstance(network, RoutingModel):
        return f"reinforce trains models that build tours, {network.kind!r} is none; use ppo"
    if network.needs_start and not settings.starts:
        return f"{network.kind!r} cannot choose where tours begin; set starts = true and samples"
    return None


def _shows_frames(plan: Recipe) -> bool:
    """Whether no wrapper shows a mask already."""
    return not any(step.parameters.get("patch_mask") for step in plan.perturbations)


def _teacher_incompatibility(
    teacher: PolicyNetwork | MakeController, name: str, task: gym.vector.VectorEnv[Any, Any, Any]
) -> str | None:
    if not isinstance(teacher, PolicyNetwork):
        return None
    if teacher.memory:
        return f"a teacher is asked about single steps, {name} of kind {teacher.kind!r} has a memory; use an mlp"
    return NetworkAgent(teacher, f"teacher {name}").incompatibility(
        task.single_observation_space, task.single_action_space
    )
