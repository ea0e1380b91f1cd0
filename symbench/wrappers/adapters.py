"""What the three kinds of adapters share: their documentation, and their place among those of the same name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from symbench.wrappers.core import Transform

_DEEPEST: Final = 64  # adapters of one name above each other; an environment that says yes to everything ends there


class Adapter:
    """Makes wrapper classes of transforms: ``class X(SomeAdapter, transform=sensors.X)``.

    The class takes the transform's parameters by keyword, and ``help(X)`` shows and explains them.
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
