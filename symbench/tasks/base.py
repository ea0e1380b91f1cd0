"""What is known of a task: an environment, its preprocessing, its metric, what its episodes can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode

import symbench.envs  # noqa: F401  (registers the environments made here)
from symbench.envs.headless import draw_without_display
from symbench.envs.idle import IdleVectorEnv
from symbench.envs.infos import SyncEnvs
from symbench.errors import SymbenchError, one_line
from symbench.tasks.metrics import Metric
from symbench.tasks.names import TaskName

if TYPE_CHECKING:
    from collections.abc import Callable

    from symbench.tasks.limits import Limits

Env = gym.Env[Any, Any]


@dataclass(frozen=True)
class Task:
    """One task of the benchmark.

    Attributes:
        name: What users type, and the second part of a cell's id.
        env_id: Gymnasium id.
        description: One line for ``symbench list tasks``.
        metric: From returns to scores, with its constants and their source.
        kwargs: Arguments of ``gymnasium.make``.
        preprocessing: The task's own steps between environment and perturbation, printed in reports.
        episodes: Episodes per cell in the published protocol.
        native_vector: Whether there is a vector environment that plays the same episodes as the scalar one.
        vector_id: The id that has it, if it is another one.
        rests: Whether a step costs so much that environments whose episode is over should not be stepped.
        batch: Largest number of environments that are played at once; a cell of more episodes is several batches, which
            different workers may play.
        observes: ``"sensors"``, ``"frames"``, or ``"entities"``: dicts of arrays with a row for each agent or body.
        background: Parameters of ``SwapBackground`` that say what the background of this task is.
        camera: ``"moves"`` if infos say where it is (:mod:`symbench.wrappers.camera`).
        limits: What an episode can be at most; ``None`` if that is not known. Boards take tasks that have some.
        extra: What to install when the environment cannot be made.
        ends_at: When an episode with this seed and of this length ends, by a clock that does not depend on the seed.
            Given where nothing is drawn but how long an episode waits for the agent: an agent's episodes that have the
            same return and end at the same moment are then the same game.
        agents_of: Name of the task whose bundled agents play this one, if it is another task's game.
        on_request: Bundled agents that play only where they are named, since they take long.
    """

    name: str
    env_id: str
    description: str
    metric: Metric = field(default_factory=Metric)
    kwargs: dict[str, Any] = field(default_factory=dict)
    preprocessing: tuple[str, ...] = ()
    episodes: int = 100
    native_vector: bool = False
    vector_id: str | None = None
    rests: bool = False
    batch: int = 1000
    observes: str = "sensors"
    background: dict[str, Any] = field(default_factory=dict)
    camera: str = "still"
    limits: Limits | None = None
    extra: str | None = None
    ends_at: Callable[[int, int], int] | None = None
    agents_of: str | None = None
    on_request: tuple[str, ...] = ()

    def make(self, **kwargs: Any) -> Env:
        """One environment with the task's preprocessing.

        Args:
            kwargs: Further arguments of ``gymnasium.make``, e.g. ``render_mode``.

        Raises:
            SymbenchError: A package that the environment needs is missing, or the environment itself raises.
        """
        draw_without_display()
        try:
            return self._make(**kwargs)
        except Exception as error:
            raise self._broken(error) from error

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
            SymbenchError: As :meth:`make`.
        """
        factories: list[Callable[[], Env]] = [partial(self._wrapped, wrap)] * num_envs
        try:
            if self.native_vector and wrap is None:
                vector_id = self.vector_id or self.env_id
                return gym.make_vec(vector_id, num_envs, autoreset_mode=autoreset_mode, **self.kwargs)
            if self.rests and autoreset_mode == AutoresetMode.DISABLED:
                return IdleVectorEnv(factories)
            return SyncEnvs(factories, autoreset_mode=autoreset_mode)
        except Exception as error:
            raise self._broken(error) from error

    def _make(self, **kwargs: Any) -> Env:
        # Not Gymnasium's checker, which warns again in every process: the runner checks, counts, and says it once.
        return gym.make(self.env_id, **{"disable_env_checker": True, **self.kwargs, **kwargs})

    def _wrapped(self, wrap: Callable[[Env], Env] | None) -> Env:
        env = self._make()
        return env if wrap is None else wrap(env)

    @property
    def board(self) -> bool:
        """Whether submissions can hold it: its constants are fixed, and what its episodes can be is known."""
        return self.metric.normalised and self.limits is not None

    @property
    def group(self) -> str | None:
        """Name of the group of its declared symmetry, e.g. ``"C2"``; ``None`` if none is declared."""
        from symbench.symmetry.catalogue import CATALOGUE, declarations_of

        declared = declarations_of(self.env_id)[0] if self.env_id in CATALOGUE else None
        return declared.pair.group.name if declared and declared.kwargs == self.kwargs else None

    @property
    def max_episode_steps(self) -> int | None:
        """Steps after which an episode is truncated; ``None`` if the registration sets no limit."""
        given = self.kwargs.get("max_episode_steps", gym.spec(self.env_id).max_episode_steps)
        return given if isinstance(given, int) and given > 0 else None

    @property
    def spelling(self) -> str:
        """Gymnasium id and arguments, as they can be typed instead of the name."""
        return str(TaskName(None, self.env_id, self.kwargs))

    def _broken(self, error: Exception) -> SymbenchError:
        if isinstance(error, SymbenchError):
            return error
        if isinstance(error, (gym.error.DependencyNotInstalled, ImportError)):
            missing = self.extra and (isinstance(error, ImportError) or isinstance(error.__cause__, ImportError))
            remedy = f"; install it with: pip install {self.extra}" if missing else ""
            return SymbenchError(f"task {self.name} cannot be made ({one_line(error)}){remedy}")
        return SymbenchError(f"task {self.name} cannot be made ({type(error).__name__}: {one_line(error)})")
