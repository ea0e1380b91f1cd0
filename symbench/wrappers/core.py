"""What a change to the agent's observations (and actions) is, written once over a batch.

* :class:`Transform` - any change to what the agent sees
* :class:`Perturbation` - a random one, with severities

Adapters turn each of them into a ``gymnasium.Wrapper`` (:mod:`symbench.wrappers.single`), a vector wrapper
(:mod:`symbench.wrappers.vector`) and a Stable-Baselines3 ``VecEnvWrapper`` (:mod:`symbench.wrappers.sb3`).
"""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from symbench.errors import SymbenchError
from symbench.observations import part_of
from symbench.wrappers.checks import whole
from symbench.wrappers.severity import HIGHEST, levels
from symbench.wrappers.streams import EpisodeStreams

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gymnasium import Space
    from numpy.typing import NDArray
    from typing_extensions import Self

    from symbench.observations import Role

_BLOCK = 32  # intervals drawn at a time, so that a thousand environments do not mean a thousand draws per step
_BLOCK_NUMBERS = 4096  # fewer intervals when they are large, so that the drawn numbers stay small in memory


class Transform(ABC):
    """A change to what the agent sees, over a batch of B environments.

    The constructor takes plain JSON values only, checks them and keeps each under its own name; :meth:`bind` then
    fits the transform to an environment. Observations are batched arrays (or dicts of them).
    """

    name: ClassVar[str]
    """Kebab case, from the class name unless the class sets it."""

    changes_actions: bool = False
    """Whether :meth:`act` does anything; of a transform that is bound."""

    reads: str | None = None
    """The entry of infos that :meth:`tell` is told with every observation; of a transform that is bound."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the class."""
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @classmethod
    def make(cls, **parameters: Any) -> Self:
        """Construct from what a user wrote; a perturbation also takes ``severity``."""
        return cls(**parameters)

    @classmethod
    def signature(cls) -> inspect.Signature:
        """What :meth:`make` takes."""
        return inspect.signature(cls)

    @classmethod
    def explanation(cls) -> str:
        """What it does and what :meth:`make` takes, for people."""
        return inspect.cleandoc(cls.__doc__ or "")

    def parameters(self) -> dict[str, Any]:
        """The JSON arguments from which :meth:`make` builds an equal transform."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @property
    def identity(self) -> bool:
        """Whether everything passes through untouched."""
        return False

    @abstractmethod
    def bind(
        self,
        single_observation_space: Space[Any],
        single_action_space: Space[Any],
        num_envs: int,
        key: int,
    ) -> Space[Any]:
        """Fit the transform to a batch of environments.

        Args:
            single_observation_space: The space of one environment's observations.
            single_action_space: The space of one environment's actions.
            num_envs: Batch size B.
            key: How many transforms of the same class are between this one and the environment.

        Returns:
            The space of one observation as the agent sees it.

        Raises:
            SymbenchError: The transform cannot work on these spaces.
        """

    @abstractmethod
    def reset(self, observations: Any, mask: NDArray[np.bool_], seeds: Sequence[int | None] | None) -> Any:
        """Begin a new episode in some environments.

        Args:
            observations: Batch of B: the first observation of each new episode, the latest of all others.
            mask: (B,) bool, which environments begin an episode.
            seeds: The seed each environment was reset with, if any.

        Returns:
            What the agent sees, for all B; rows outside ``mask`` are as after their last step.
        """

    @abstractmethod
    def step(self, observations: Any, actions: Any) -> Any:
        """What the agent sees after one step of every environment.

        Args:
            observations: Batch of B observations.
            actions: Batch of the B actions of the agent that led to them.
        """

    def tell(self, row: int, value: Any) -> None:  # noqa: B027  (most transforms are told nothing)
        """Take what the info of an environment says beside its next observation, before that is shown.

        Args:
            row: Which of the B environments.
            value: The entry :attr:`reads` of its info; ``None`` if there is none.

        Raises:
            SymbenchError: The transform cannot work with that.
        """

    def act(self, actions: Any) -> Any:
        """What the environment is told when the agent, who sees the latest observations, acts; the same by default.

        Args:
            actions: Batch of B actions, which are not changed in place.
        """
        return actions

    def allowed(self, rows: Sequence[int], masks: NDArray[Any]) -> NDArray[Any]:
        """Which actions the agent may choose, who sees the latest observations; the environment's own by default.

        Args:
            rows: K of the B environments.
            masks: Which actions these environments allow, shape (K, n).

        Returns:
            The same of the agent's actions, shape (K, n).

        Raises:
            SymbenchError: What the transform does to actions says nothing about masks of them.
        """
        return masks


class Perturbation(Transform):
    """A random change to what the agent sees, with severities 0 to 5.

    A subclass says what it does to the space (:meth:`perturbed_space`), what it draws (:meth:`draw`), how it applies
    what was drawn (:meth:`apply`) and how far from the identity it is (:meth:`magnitude`). The environment's own
    random stream, rewards and episode ends are never touched.
    """

    roles: ClassVar[tuple[Role, ...]] = ()
    """What it changes, e.g. ``("sensors",)``. Of a ``Dict`` it then gets the one entry of such a role, or that of the
    name ``key``, and of stacked frames each as a row of its own; all else passes through. None: whole observations."""
    key: str | None = None
    """The entry of a ``Dict`` that it was told to change."""
    channels: int | None = None
    """How many a pixel has, if its parameters say so."""

    interval: int | None = None
    """Steps that one draw lasts: ``None`` is a whole episode, 1 is every step."""

    _identity_parameters: dict[str, Any] | None = None

    @classmethod
    def severities(cls) -> Sequence[Mapping[str, Any]]:
        """Parameters of severity 1 to 5, the versioned table's unless a subclass brings its own."""
        return levels(cls.__name__)

    @classmethod
    def make(cls, *, severity: int | None = None, **parameters: Any) -> Self:
        """Construct from what a user wrote.

        Args:
            severity: 0 (the identity, bit for bit) to 5, or ``None`` for explicit parameters. A named level is never
                half overridden: parameters that the level sets cannot be given beside it.
            **parameters: The constructor's; where there are :attr:`roles`, also :attr:`key`.

        Raises:
            TypeError: ``severity`` is not a whole number, or a parameter is unknown or of a wrong type.
            SymbenchError: A value out of range, or a level and a parameter of it together.
        """
        key = parameters.pop("key", None) if cls.roles else None
        if not isinstance(key, str | None):
            raise TypeError(f"key must be the name of an entry, received {key!r}")
        transform = cls(**parameters) if severity is None else cls._at(severity, parameters)
        if key is not None:
            transform.key = key
        return transform

    @classmethod
    def _at(cls, severity: int, parameters: dict[str, Any]) -> Self:
        """Construct one level, with parameters that it does not set."""
        table = cls.severities()
        whole("severity", severity, low=0, high=min(HIGHEST, len(table)))
        level = dict(table[max(severity, 1) - 1]) if table else {}
        both = sorted(level.keys() & parameters.keys())
        if both:
            raise SymbenchError(f"severity={severity} sets {', '.join(both)}: give the severity or these, not both")
        transform = cls(**level, **parameters)
        if severity == 0:
            transform._identity_parameters = {"severity": 0, **parameters}
        return transform

    @classmethod
    def signature(cls) -> inspect.Signature:
        """What :meth:`make` takes: the constructor's parameters, ``key`` where it fits, and ``severity``."""
        own = super().signature()
        added = {**({"key": "str | None"} if cls.roles else {}), "severity": "int | None"}
        keyword = inspect.Parameter.KEYWORD_ONLY
        more = [inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in added.items()]
        return own.replace(parameters=[*own.parameters.values(), *more])

    @classmethod
    def explanation(cls) -> str:
        """What it does and what :meth:`make` takes, the severities included."""
        listed = [", ".join(f"{name}={value!r}" for name, value in level.items()) for level in cls.severities()]
        lines = [f"    {severity}: {level}" for severity, level in enumerate(["the identity", *listed])]
        key = ["", f"key: The entry of a Dict observation that is changed ({', '.join(cls.roles)}), if several fit."]
        return "\n".join([super().explanation(), *(key if cls.roles else []), "", "Severities:", *lines])

    def parameters(self) -> dict[str, Any]:
        """The JSON arguments from which :meth:`make` builds an equal perturbation; explicit ones for severity 1-5."""
        own = super().parameters() if self._identity_parameters is None else dict(self._identity_parameters)
        return own if self.key is None else {**own, "key": self.key}

    @property
    def identity(self) -> bool:
        """Whether this is severity 0."""
        return self._identity_parameters is not None

    @property
    def distance(self) -> float:
        """Declared distance from the identity: 0 at severity 0, growing with the severity."""
        return 0.0 if self.identity else self.magnitude()

    @abstractmethod
    def magnitude(self) -> float:
        """Distance from the identity of these parameters, in a unit the subclass documents."""

    num_envs: int
    """Rows of a batch that :meth:`apply` gets: the environments, times the frames of a stack."""

    @abstractmethod
    def perturbed_space(self, space: Space[Any]) -> Space[Any]:
        """Check the space of one observation, prepare for it, and return the space that the agent sees."""

    def draw(self, rng: np.random.Generator, size: int) -> NDArray[Any]:
        """Draw what the next ``size`` intervals need, shape (size, ...); nothing unless overridden."""
        return np.empty((size, 0))

    def begin_episode(self, row: int, rng: np.random.Generator) -> None:
        """Draw for environment ``row`` what lasts a whole episode beside the intervals; nothing unless overridden."""

    @abstractmethod
    def apply(self, observations: Any, drawn: NDArray[Any]) -> Any:
        """Perturb a batch.

        Args:
            observations: Batch of B observations.
            drawn: One row of :meth:`draw` for each environment, shape (B, ...).

        Returns:
            The perturbed batch, in memory shared neither with the input nor with an earlier result.
        """

    def bind(
        self, single_observation_space: Space[Any], single_action_space: Space[Any], num_envs: int, key: int
    ) -> Space[Any]:
        """Fit the perturbation to a batch of environments; see :meth:`Transform.bind`."""
        self._part = part = part_of(type(self).__name__, single_observation_space, self.roles, self.key, self.channels)
        self.num_envs = num_envs * part.stack
        space = self.perturbed_space(part.space)
        if not part.whole:
            space = part.put_space(type(self).__name__, single_observation_space, space)
        self._show = self.apply if part.whole else self._apply_to_part
        sample = self.draw(np.random.Generator(np.random.PCG64(0)), 1)
        block = 1 if self.interval is None else max(1, min(_BLOCK, _BLOCK_NUMBERS // max(1, sample.size)))
        self._blocks = np.zeros((num_envs, block, *sample.shape[1:]), sample.dtype)
        self._drawn = self._blocks[:, 0].copy()
        self._position = np.zeros(num_envs, dtype=np.int64)  # of the current interval in its block
        self._streams = EpisodeStreams(self.name, key, num_envs)
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._begun = np.zeros(num_envs, dtype=bool)
        self._wait = -1  # steps until an interval ends somewhere; never if negative
        self._one = np.ones(1, dtype=np.int64)  # adding it takes a third of the time of adding a Python int
        self.elapsed = np.zeros(num_envs, dtype=np.int64)
        """Steps since each environment's episode began, shape (B,)."""
        return space

    def reset(self, observations: Any, mask: NDArray[np.bool_], seeds: Sequence[int | None] | None) -> Any:
        """Begin new episodes; see :meth:`Transform.reset`."""
        for row in np.flatnonzero(mask | ~self._begun).tolist():
            seed = seeds[row] if seeds is not None and mask[row] else None
            self._generators[row] = rng = self._streams.begin(row, seed)
            self.begin_episode(row, rng)
            self._draw_block(row, rng)
            self._drawn[row] = self._blocks[row, 0]
            self.elapsed[row] = 0
        self._begun |= mask
        self._wait = self._until_next_interval()
        return self._show(observations, self._drawn)

    def step(self, observations: Any, actions: Any) -> Any:
        """Perturb a batch, with new draws where an interval ended; see :meth:`Transform.step`."""
        self.elapsed += self._one
        self._wait -= 1
        if self._wait == 0:
            self._next_interval()
        return self._show(observations, self._drawn)

    def _apply_to_part(self, observations: Any, drawn: NDArray[Any]) -> Any:
        """Perturb a part; frames of one stack alike."""
        stack = self._part.stack
        changed = self.apply(self._part.take(observations), drawn if stack == 1 else drawn.repeat(stack, axis=0))
        return self._part.put(observations, changed)

    def _until_next_interval(self) -> int:
        if self.interval is None:
            return -1
        return int((self.interval - self.elapsed % self.interval).min())

    def _next_interval(self) -> None:
        assert self.interval is not None
        rows = np.flatnonzero(self.elapsed % self.interval == 0)
        self._position[rows] += 1
        for row in rows[self._position[rows] == self._blocks.shape[1]].tolist():
            self._draw_block(row, self._generators[row])
        self._drawn[rows] = self._blocks[rows, self._position[rows]]
        self._wait = self._until_next_interval()

    def _draw_block(self, row: int, rng: np.random.Generator | None) -> None:
        if rng is not None:
            self._blocks[row] = self.draw(rng, self._blocks.shape[1])
        self._position[row] = 0
