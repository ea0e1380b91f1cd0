"""Episodes that begin in transformed states: the environment itself is turned, not what the agent is shown of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gymnasium.vector import VectorWrapper

from symbench.envs.single import StatefulBatch
from symbench.errors import SymbenchError
from symbench.symmetry import declarations_of
from symbench.symmetry.simulators import StateTree
from symbench.tasks import get_task

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

    from symbench.symmetry import Declaration


class TransformedStarts(VectorWrapper):
    """Episodes begin in L_g s, where s is the state in which they begin without this wrapper.

    What the environment draws ahead, such as the moves of a poacher, is transformed with its state. So an equivariant
    agent plays the transformed episode and gets the same return, and an agent that knows one orientation shows what it
    makes of the others.
    """

    def __init__(self, envs: VectorEnv[Any, Any, Any], declaration: Declaration, element: Any) -> None:
        """Take what is declared, and the element g.

        Raises:
            SymbenchError: The environments are not a batch whose states the group acts on.
        """
        super().__init__(envs)
        batch, simulator = envs.unwrapped, declaration.simulator
        if not isinstance(batch, StatefulBatch) or not isinstance(simulator, StateTree):
            raise SymbenchError(
                f"{declaration.env_id} cannot begin in transformed states; the suite 'group' transforms what is seen"
            )
        self._batch, self._acting, self._element = batch, simulator.action, element

    def reset(self, *, options: dict[str, Any] | None = None, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Begin episodes, and transform the states in which they begin; those of other episodes stay."""
        _, infos = self.env.reset(options=options, **kwargs)
        begun = (options or {}).get("reset_mask", ...)
        for name, array in self._acting.apply(self._element, self._batch.state).items():
            self._batch.state[name][begun] = array[begun]
        return self._batch.observe(), infos


def transformable(task: str) -> Declaration | None:
    """The first symmetry declared for a task, with the arguments that it has, whose states can be transformed.

    Args:
        task: Name of the task, or Gymnasium id.
    """
    try:
        asked = get_task(task)
        found = declarations_of(asked.env_id)
    except SymbenchError:
        return None
    given = {name: value for name, value in asked.kwargs.items() if name != "max_episode_steps"}  # breaks no symmetry
    fit = (each for each in found if each.kwargs == given and each.pair.status != "none")
    return next((each for each in fit if isinstance(each.simulator, StateTree)), None)
