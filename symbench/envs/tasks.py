"""The catalogue of tasks: an environment, its preprocessing and the two constants that normalise its returns.

Constants are fixed: changing one changes published tables, so it needs a new suite version. The random returns were
measured with ``symbench run --suite shuffle --task NAME --agent random --episodes 1000`` (in order), the reference
returns are quoted with their source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode

import symbench.envs  # noqa: F401  (registers the environments made here)
from symbench.envs.idle import IdleVectorEnv
from symbench.errors import SymbenchError, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

Env = gym.Env[Any, Any]


@dataclass(frozen=True)
class Task:
    """One task of the benchmark.

    Attributes:
        name: What users type, and the first part of a cell's path, e.g. ``"CartPole-v1"``.
        env_id: Gymnasium id.
        description: One line for ``symbench list tasks``.
        random_return: Mean return of uniformly random actions.
        reference_return: The return that counts as 1 after normalisation.
        source: Where both constants come from.
        preprocessing: The task's own steps between environment and perturbation, printed in reports.
        episodes: Episodes per cell in the published protocol.
        native_vector: Whether there is a vector environment that plays the same episodes as the scalar one.
        vector_id: The id that has it, if it is another one.
        rests: Whether a step costs so much that environments whose episode is over should not be stepped.
        batch: Largest number of environments that are played at once; a cell of more episodes is several batches, which
            different workers may play.
        observes: ``"sensors"`` or ``"frames"``.
        background: Parameters of ``SwapBackground`` that say what the background of this task is.
        extra: What to install when the environment cannot be made.
    """

    name: str
    env_id: str
    description: str
    random_return: float
    reference_return: float
    source: str
    preprocessing: tuple[str, ...] = ()
    episodes: int = 100
    native_vector: bool = False
    vector_id: str | None = None
    rests: bool = False
    batch: int = 1000
    observes: str = "sensors"
    background: dict[str, Any] = field(default_factory=dict)
    extra: str | None = None

    def make(self, **kwargs: Any) -> Env:
        """One environment with the task's preprocessing.

        Raises:
            SymbenchError: A package that the environment needs is missing.
        """
        try:
            return gym.make(self.env_id, **kwargs)
        except gym.error.DependencyNotInstalled as error:
            raise self._missing(error) from error

    def make_vec(
        self,
        num_envs: int,
        autoreset_mode: AutoresetMode = AutoresetMode.DISABLED,
        wrap: Callable[[Env], Env] | None = None,
    ) -> gym.vector.VectorEnv[Any, Any, Any]:
        """``num_envs`` environments that play, seed for seed, the episodes of :meth:`make`.

        Args:
            num_envs: Size of the batch.
            autoreset_mode: What happens after an episode's end.
            wrap: Put around each of them.

        Raises:
            SymbenchError: A package that the environment needs is missing.
        """
        factories: list[Callable[[], Env]] = [partial(self._wrapped, wrap)] * num_envs
        try:
            if self.native_vector and wrap is None:
                return gym.make_vec(self.vector_id or self.env_id, num_envs, autoreset_mode=autoreset_mode)
            if self.rests and autoreset_mode == AutoresetMode.DISABLED:
                return IdleVectorEnv(factories)
            return gym.vector.SyncVectorEnv(factories, autoreset_mode=autoreset_mode)
        except gym.error.DependencyNotInstalled as error:
            raise self._missing(error) from error

    def _wrapped(self, wrap: Callable[[Env], Env] | None) -> Env:
        env = gym.make(self.env_id)
        return env if wrap is None else wrap(env)

    @property
    def group(self) -> str | None:
        """Name of the group of its declared symmetry, e.g. ``"C2"``; ``None`` if none is declared."""
        from symbench.symmetry.catalogue import CATALOGUE, symmetry_of

        return symmetry_of(self.env_id).group.name if self.env_id in CATALOGUE else None

    @property
    def max_episode_steps(self) -> int | None:
        """Steps after which an episode is truncated; ``None`` if the registration sets no limit."""
        return gym.spec(self.env_id).max_episode_steps

    def normalise(self, returns: Any) -> Any:
        """Map returns so that random play is 0 and the reference is 1."""
        return (returns - self.random_return) / (self.reference_return - self.random_return)

    def _missing(self, error: Exception) -> SymbenchError:
        remedy = f"; install it with: pip install {self.extra}" if isinstance(error.__cause__, ImportError) else ""
        return SymbenchError(f"task {self.name} cannot be made ({error}){remedy}")


_PONG = (
    "1 to 30 no-ops at the start",
    "4 frames an action, maximum of the last two",
    "grey 84x84 by area",
    "score rows 0-9 blackened",
)

_TASKS = (
    Task(
        name="CartPoleSwingUp",
        env_id="symbench/CartPoleSwingUp-v0",
        description="swing a pole up from any cart position and speed, 5 sensors (Tang & Ha 2021)",
        random_return=23.28,
        reference_return=593.0,
        source="random: measured; reference: FNN in order, Tang & Ha 2021 (arXiv 2109.02869)",
        episodes=1000,
        native_vector=True,
    ),
    Task(
        name="CartPole-v1",
        env_id="CartPole-v1",
        description="balance a pole, 4 sensors",
        random_return=22.28,
        reference_return=500.0,
        source="random: measured; reference: the largest return there is (500 steps, reward 1)",
        native_vector=True,
        vector_id="symbench/CartPole-v1",
    ),
    Task(
        name="Acrobot-v1",
        env_id="Acrobot-v1",
        description="swing a two-link arm above a line, 6 sensors",
        random_return=-498.88,
        reference_return=-100.0,
        source="random: measured; reference: Gymnasium's reward threshold",
    ),
    Task(
        name="Pendulum-v1",
        env_id="Pendulum-v1",
        description="swing a pendulum up with a weak motor, 3 sensors",
        random_return=-1229.12,
        reference_return=0.0,
        source="random: measured; reference: the upper bound of the return (every reward is at most 0)",
    ),
    Task(
        name="MountainCar-v0",
        env_id="MountainCar-v0",
        description="drive out of a valley with a weak motor, 2 sensors; it looks symmetric and is not",
        random_return=-200.0,
        reference_return=-110.0,
        source="random: measured; reference: Gymnasium's reward threshold",
    ),
    Task(
        name="LunarLander-v3",
        env_id="LunarLander-v3",
        description="land between two flags, 8 sensors",
        random_return=-182.01,
        reference_return=200.0,
        source="random: measured; reference: Gymnasium's reward threshold",
        extra="'gymnasium[box2d]'",
    ),
    Task(
        name="GridWorld",
        env_id="symbench/GridWorld-v0",
        description="catch a prey on a 7x7 torus, 21x21 grey frames (van der Pol et al. 2020)",
        random_return=-4.97,
        reference_return=0.73,
        source="random and reference, the best policy's return: exact, by dynamic programming over the 49 states",
        native_vector=True,
        episodes=1000,
        observes="frames",
        background={"colors": [[0]], "tolerance": 0},
    ),
    Task(
        name="Pong",
        env_id="symbench/Pong-v0",
        description="table tennis against the machine, 84x84 grey frames (Tang & Ha 2021)",
        random_return=-20.19,
        reference_return=21.0,
        source="random: measured over 500 episodes; reference: the largest return there is (21 points to none)",
        preprocessing=_PONG,
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[87]], "tolerance": 3},
        extra="'symbench[atari]'",
    ),
    Task(
        name="PongRGB",
        env_id="symbench/PongRGB-v0",
        description="the same, 84x84 RGB frames",
        random_return=-20.19,
        reference_return=21.0,
        source="as Pong: the games are the same",
        preprocessing=(*_PONG[:2], "84x84", *_PONG[3:]),
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[144, 72, 17]], "tolerance": 3},
        extra="'symbench[atari]'",
    ),
    Task(
        name="PongPlayfield",
        env_id="symbench/PongPlayfield-v0",
        description="the same, the court alone in 80x80 grey frames: nearly symmetric under a flip of rows",
        random_return=-20.19,
        reference_return=21.0,
        source="as Pong: the games are the same",
        preprocessing=(*_PONG[:2], "rows 34-193 of the screen", "grey 80x80 by area"),
        rests=True,
        observes="frames",
        batch=50,
        background={"colors": [[87]], "tolerance": 3},
        extra="'symbench[atari]'",
    ),
    Task(
        name="CarRacing",
        env_id="symbench/CarRacing-v0",
        description="drive a lap seen from above, 96x96 grey frames (Tang & Ha 2021)",
        random_return=-30.63,
        reference_return=900.0,
        source="random: measured over 50 episodes; reference: Gymnasium's reward threshold",
        preprocessing=("grey", "indicator rows 84-95 blackened"),
        episodes=50,
        rests=True,
        observes="frames",
        background={"colors": [[160], [175]], "tolerance": 8},
        extra="'symbench[box2d]'",
    ),
    Task(
        name="CarRacingRGB",
        env_id="symbench/CarRacingRGB-v0",
        description="the same, 96x96 RGB frames of CarRacing-v3",
        random_return=-30.63,
        reference_return=900.0,
        source="as CarRacing: the laps are the same",
        episodes=50,
        rests=True,
        observes="frames",
        background={"colors": [[100, 202, 100], [100, 228, 100]], "tolerance": 12},
        extra="'symbench[box2d]'",
    ),
)

TASKS: dict[str, Task] = {task.name: task for task in _TASKS}


def task_of(name: str) -> Task:
    """The task of this name or with this environment, or any environment whose symmetry is in the catalogue.

    An environment that is no task is one without scores: it can be trained on, but no suite plays it.

    Raises:
        SymbenchError: There is none.
    """
    from symbench.symmetry.catalogue import CATALOGUE

    if found := next((task for task in TASKS.values() if name in (task.name, task.env_id)), None):
        return found
    if name not in CATALOGUE:
        raise unknown("task", name, [*TASKS, *CATALOGUE])
    none = math.nan
    return Task(name, name, "an environment of the catalogue of symmetries", none, none, "not measured")


def get_task(name: str) -> Task:
    """The task called ``name``.

    Raises:
        SymbenchError: There is no such task; the message lists near matches.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return TASKS[name]
