"""What the three kinds of adapters share: how they are made, and their place among those of the same name."""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from symbench.errors import SymbenchError
from symbench.wrappers.registry import TRANSFORMS, is_bundled, transform_of

if TYPE_CHECKING:
    from symbench.wrappers.core import Transform

A = TypeVar("A", bound="Adapter")

_SLASH: Final = "/"
_DEEPEST: Final = 64  # adapters of one name above each other; an environment that says yes to everything ends there


class Adapter:
    """Makes wrapper classes of transforms: ``adapter_of(SomeAdapter, X)``, or ``class W(SomeAdapter, transform=X)``.

    The class takes the transform's parameters by keyword, and ``help()`` shows and explains them.
    """

    transform_class: ClassVar[type[Transform]]
    transform: Transform
    """The transform at work, bound to the environment."""
    place: int
    """How many adapters of transforms of the same name are further inside; it keeps their draws apart."""

    def __init_subclass__(cls, transform: type[Transform] | None = None, **kwargs: Any) -> None:
        """Take over the signature and the explanation of ``transform``."""
        super().__init_subclass__(**kwargs)
        if transform is None:
            return
        cls.transform_class = transform
        wrapped = next(iter(list(inspect.signature(cls.__init__).parameters.values())[1:]))
        options = [p.replace(kind=p.KEYWORD_ONLY) for p in transform.signature().parameters.values()]
        cls.__signature__ = inspect.Signature([wrapped, *options])  # type: ignore[attr-defined]
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{transform.explanation()}\n"

    def take_place(self, env: object) -> int:
        """Find this adapter's :attr:`place` around ``env`` and let adapters further out find this one."""
        name = self.transform_class.name
        self.place = place_above(env, name)
        setattr(self, _mark(name, self.place), True)
        return self.place


def adapter_of(kind: type[A], transform: type[Transform]) -> type[A]:
    """The class that adapts a transform to one kind of environments, always the same one.

    It is an attribute of the module of ``kind``, see :func:`adapter_named`, so that it can be pickled and rebuilt from
    a recorded spec. Of a transform of the user's own the attribute is ``package/module/Name``: Gymnasium and pickle
    split what they look up at colons and dots.
    """
    made: type[A] = _made(kind, transform)  # type: ignore[arg-type]  # classes can be hashed
    return made


@cache
def _made(kind: Any, transform: Any) -> Any:
    name = transform.__name__ if is_bundled(transform) else f"{transform.__module__}.{transform.__name__}"
    body = {"__module__": kind.__module__, "__doc__": ""}
    return type(kind)(name.replace(".", _SLASH), (kind,), body, transform=transform)


def adapter_named(kind: type[A], attribute: str) -> type[A]:
    """What the module of a kind of adapters answers when it is asked for an attribute.

    Raises:
        AttributeError: No transform is called so.
    """
    module, slash, name = attribute.rpartition(_SLASH)
    if not slash and name not in TRANSFORMS:
        raise AttributeError(f"module {kind.__module__!r} has no attribute {attribute!r}")
    try:
        return adapter_of(kind, transform_of(f"{module.replace(_SLASH, '.')}:{name}" if slash else name))
    except SymbenchError as error:
        raise AttributeError(str(error)) from error


def place_above(env: object, name: str) -> int:
    """How many adapters of transforms called ``name`` are between an adapter around ``env`` and the base environment.

    Looks through the wrappers of Gymnasium and SB3 and into vector environments; sub-environments in other processes
    are asked. Where sub-environments differ, the one with most adapters counts.
    """
    if isinstance(env, Adapter) and env.transform_class.name == name:
        return env.place + 1
    # Not getattr(), since some wrappers forward attributes that they do not have to what they wrap.
    inside = getattr(env, "__dict__", {})
    below = next((inside[kept] for kept in ("env", "venv", "envs") if inside.get(kept) is not None), None)
    if isinstance(below, (list, tuple)):
        return max((place_above(one, name) for one in below), default=0)
    return _asked(env, name) if below is None else place_above(below, name)


def _asked(env: Any, name: str) -> int:
    """The same of an environment that cannot be looked into, as those in other processes; 0 if it does not answer."""
    ask = getattr(env, "call", None) or getattr(env, "env_method", None)  # Gymnasium's name, SB3's name
    if ask is None or not hasattr(env, "num_envs"):
        ask = lambda method, mark: [getattr(env, method)(mark)]  # noqa: E731
    try:
        # A question that every environment can answer: one for an attribute that it lacks would end its process.
        free = (place for place in range(_DEEPEST) if not any(ask("has_wrapper_attr", _mark(name, place))))
        return next(free, _DEEPEST)
    except Exception:  # what somebody else's environment raises when it cannot be asked is not known
        return 0


def _mark(name: str, place: int) -> str:
    """The attribute by which an adapter in another process is known."""
    return f"symbench_{name}_{place}"
