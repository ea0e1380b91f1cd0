"""All transforms by name.

* :func:`register_perturbation` - adds a perturbation
* :data:`PERTURBATIONS` and :data:`AGENT_SIDE`, together :data:`TRANSFORMS` - name to transform
* :func:`perturbation_of` - also those of installed packages, and ``"module:Name"`` of the user's own code
* :func:`pinned` - a name that stands for one content of the source file
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final, TypeVar

from symbench.errors import SymbenchError, one_line, unknown
from symbench.own_code import load_named, source_of

if TYPE_CHECKING:
    from symbench.wrappers.core import Perturbation, Transform

    P = TypeVar("P", bound=type[Perturbation])
    T = TypeVar("T", bound=type[Transform])

ENTRY_POINTS: Final = "symbench.perturbations"
"""The group of entry points under which packages name perturbations, or modules that register some."""

PERTURBATIONS: Final[dict[str, type[Perturbation]]] = {}
AGENT_SIDE: Final[dict[str, type[Transform]]] = {}
TRANSFORMS: Final[dict[str, type[Transform]]] = {}

_PIN: Final = "#sha256="


def register_perturbation(perturbation: P) -> P:
    """Class decorator: suites, the command line and the check kit know the perturbation by the name of its class.

    Raises:
        SymbenchError: Another class has this name.

    Example:
        >>> from symbench.wrappers import Perturbation, register_perturbation
        >>> @register_perturbation
        ... class ShuffleSensors(Perturbation):
        ...     pass
        Traceback (most recent call last):
        ...
        symbench.errors.SymbenchError: symbench.wrappers.sensors has a ShuffleSensors already; choose another name
    """
    _register(perturbation)
    PERTURBATIONS[perturbation.__name__] = perturbation
    return perturbation


def register_agent_side(transform: T) -> T:
    """The same for what belongs to an agent: no suite can name it."""
    _register(transform)
    AGENT_SIDE[transform.__name__] = transform
    return transform


def _register(transform: type[Transform]) -> None:
    other = TRANSFORMS.setdefault(transform.__name__, transform)
    if other.__module__ != transform.__module__:  # a module may be loaded again
        raise SymbenchError(f"{other.__module__} has a {transform.__name__} already; choose another name")
    TRANSFORMS[transform.__name__] = transform


def transform_of(name: str) -> type[Transform]:
    """The registered transform of this name; of ``"module:Name"`` the one that the module holds, which is imported.

    Raises:
        SymbenchError: There is none.
    """
    if ":" in name:
        return perturbation_of(name, trust=True)
    if name not in TRANSFORMS:
        load_installed()
    if name not in TRANSFORMS:
        raise unknown("wrapper", name, TRANSFORMS)
    return TRANSFORMS[name]


def perturbation_of(name: str, trust: bool = False) -> type[Perturbation]:
    """The perturbation of this name.

    Args:
        name: Of a registered class, or ``"module:Name"`` of the user's own code; either may be :func:`pinned`.
        trust: Whether code of the user's own may be imported.

    Raises:
        SymbenchError: There is none, it cannot be imported or may not be, it is no perturbation, or its source is not
            the one that the name is pinned to.
    """
    bare, _, digest = name.partition(_PIN)
    found = _own(bare, trust) if ":" in bare else _registered(bare)
    if digest and digest != _digest(found):
        raise SymbenchError(f"the source of perturbation {bare!r} is not the one of sha256 {digest[:12]}...")
    return found


def pinned(name: str, trust: bool = False) -> str:
    """``"NAME#sha256=HEX"`` with the digest of its source file now; the plain name for what comes with symbench.

    Raises:
        SymbenchError: As :func:`perturbation_of`.
    """
    found = perturbation_of(name, trust)
    return name if is_bundled(found) or _PIN in name else f"{name}{_PIN}{_digest(found)}"


def is_bundled(transform: type[Transform]) -> bool:
    """Whether it comes with symbench."""
    return TRANSFORMS.get(transform.__name__) is transform and transform.__module__.startswith("symbench.")


@cache
def load_installed() -> dict[str, str]:
    """Register the perturbations that installed packages name.

    Returns:
        Name of an entry point -> what is wrong with it.
    """
    return {point.name: problem for point in entry_points(group=ENTRY_POINTS) if (problem := _problem(point))}


def _problem(point: Any) -> str:
    try:
        loaded = point.load()
        if isinstance(loaded, type):
            register_perturbation(_checked(loaded))
    except Exception as error:  # whatever the code of a package raises
        return f"{type(error).__name__}: {one_line(error)}"
    return ""


def _registered(name: str) -> type[Perturbation]:
    if name in PERTURBATIONS:
        return PERTURBATIONS[name]
    problems = load_installed()
    if name in PERTURBATIONS:
        return PERTURBATIONS[name]
    if name in problems:
        raise SymbenchError(f"perturbation {name!r} of an installed package cannot be loaded: {problems[name]}")
    raise unknown("perturbation", name, PERTURBATIONS)


def _own(name: str, trust: bool) -> type[Perturbation]:
    if not trust:
        raise SymbenchError(f"perturbation {name!r} is code of your own, which runs when it is imported: add --trust")
    try:
        return _checked(load_named(name, trust))
    except SymbenchError as error:
        raise SymbenchError(f"perturbation {name!r}: {error}") from error


def _checked(found: Any) -> type[Perturbation]:
    from symbench.wrappers.core import Perturbation

    if not isinstance(found, type) or not issubclass(found, Perturbation):
        what = f"class {found.__name__}" if isinstance(found, type) else f"an object of type {type(found).__name__}"
        raise SymbenchError(f"a subclass of symbench.wrappers.Perturbation is expected, received {what}")
    if missing := sorted(getattr(found, "__abstractmethods__", ())):
        raise SymbenchError(f"{found.__name__} lacks {', '.join(missing)}")
    return found


def _digest(perturbation: type[Perturbation]) -> str:
    return hashlib.sha256(source_of(perturbation)).hexdigest()
