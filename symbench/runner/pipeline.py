"""Builds the environments of a cell and says in words what they are made of.

The order is fixed: environment, the task's own preprocessing, recording of raw returns, perturbations, the agent's own
preprocessing, agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symbench.errors import SymbenchError, unknown
from symbench.runner.input_change import TaskView
from symbench.suites import Apply
from symbench.symmetry.catalogue import variant_for
from symbench.tasks import get_task
from symbench.wrappers.adapters import adapter_of
from symbench.wrappers.background_pictures import pinned
from symbench.wrappers.backgrounds import SwapBackground
from symbench.wrappers.groups import TransformByGroup
from symbench.wrappers.vector import VectorAdapter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gymnasium.vector import VectorEnv

    from symbench.runner.cell import Cell


def make_envs(task: str, apply: Sequence[Apply], num_envs: int) -> VectorEnv[Any, Any, Any]:
    """Make ``num_envs`` environments of a task under perturbations, to be reset by the caller.

    Args:
        task: Name of a task.
        apply: Perturbations, from the environment outwards.
        num_envs: Size of the batch.

    Returns:
        A vector environment with ``AutoresetMode.DISABLED``.

    Raises:
        SymbenchError: The task or a wrapper is unknown, or a wrapper cannot be used in this task.
    """
    wrappers = [adapter_of(VectorAdapter, step.perturbation()) for step in apply]
    envs = get_task(task).make_vec(num_envs)
    envs = TaskView(envs) if apply else envs
    for wrapper, step in zip(wrappers, apply, strict=True):
        try:
            envs = wrapper(envs, **step.parameters)
        except (TypeError, ValueError, MemoryError) as error:  # more memory than there is: a number too large
            envs.close()
            raise SymbenchError(f"{step} cannot be applied to {task}: {error}") from error
    return envs


def explicit(step: Apply, task: str) -> Apply:
    """The same step with all parameters written out, so that a later severity table or default cannot change it.

    ``SwapBackground`` without colours replaces what the task says is its background, an image gets the digest of its
    content; ``TransformByGroup`` without a symmetry transforms by the task's, and of a variant that is declared for
    several sizes takes that of the task's. What does not come with symbench gets the
    digest of its source file.

    Raises:
        SymbenchError: The wrapper is unknown or does not take these parameters.
    """
    perturbation, given = step.perturbation(), step.parameters
    if perturbation is SwapBackground:
        given = {**get_task(task).background, **given} if "colors" not in given else given
        if isinstance(background := given.get("background"), str):
            given = {**given, "background": pinned(background)}
    if perturbation is TransformByGroup:
        facts = get_task(task)
        if "symmetry" not in given and isinstance(variant := given.get("variant"), str):
            given = {**given, "variant": variant_for(facts.env_id, variant, facts.kwargs)}
        given = {"symmetry": facts.env_id, **given}
    accepted = perturbation.signature().parameters
    for name in given:
        if name not in accepted:
            raise unknown("parameter", name, accepted, f"of {step.wrapper}")
    try:
        parameters = perturbation.make(**given).parameters()
    except (TypeError, ValueError) as error:
        raise SymbenchError(f"{Apply(wrapper=step.wrapper, **given)}: {error}") from error
    return step.explicit(parameters)


def describe(cell: Cell) -> tuple[tuple[str, str], ...]:
    """The steps of a cell in order, as (role, what it is) pairs.

    Raises:
        SymbenchError: As :func:`make_envs`, or the agent cannot be loaded.
    """
    from symbench.runner.agents import load

    task = get_task(cell.task, cell.trust)
    envs = make_envs(cell.task, cell.apply, 1)
    seen, actions = envs.single_observation_space, envs.single_action_space
    envs.close()
    agent = load(cell.source, seen, actions)
    last = cell.seed + cell.episodes - 1
    perturbations = [("perturbation", str(step)) for step in cell.apply] or [("perturbation", "none")]
    return (
        ("environment", f"{task.spelling}, {cell.episodes} episodes, seeds {cell.seed} to {last}"),
        ("preprocessing", ", ".join(task.preprocessing) or "none"),
        ("monitor", "raw returns and lengths are recorded here"),
        *perturbations,
        ("the agent sees", str(seen)),
        ("agent's own", ", ".join(agent.preprocessing) or "none"),
        ("agent", _agent(cell)),
    )


def _agent(cell: Cell) -> str:
    source = cell.source
    if source.kind == "random":
        return "random, uniform actions"
    made_by = {
        "sb3": f"SB3 {source.algorithm}",
        "exported": source.algorithm,
        "zoo": "safetensors",
        "solver": "a solver of tours",
        "object": "an object of Python",
        "code": f"code, {source.path}; the hash covers its module's source only",
    }[source.kind]
    return f"{source.name}, training run {source.run} ({made_by}, sha256 {(source.digest or '')[:12]})"
