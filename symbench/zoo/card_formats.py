"""Cards of agents of earlier versions: what their settings mean now. Their agents go on playing the same episodes."""

from __future__ import annotations

from typing import Any, Final

FORMAT: Final = 3
_MOST_ACTIONS: Final = 100_000  # one bound for all of them is written out
_ACTIONS: Final = ("action_dim", "output", "low", "high")


def upgrade(kind: str, config: dict[str, Any], version: int) -> dict[str, Any]:
    """A network's settings as format :data:`FORMAT` has them.

    Format 2 says the actions by ``action_dim``, ``output``, ``low`` and ``high``, format 1 says ``arm`` for ``basis``;
    agents that see the important patches only may be older than the setting ``as_published``.

    Args:
        kind: The network's.
        config: Its settings, in any format.
        version: The format.

    Raises:
        ValueError: The settings do not say the actions.
    """
    settings = dict(config)
    if version < 2 and "arm" in settings:
        settings["basis"] = settings.pop("arm")
    if version < FORMAT:
        if kind == "attention-agent":
            settings.setdefault("as_published", False)
        settings["action_space"] = _action_space(settings)
    return settings


def _action_space(settings: dict[str, Any]) -> dict[str, Any]:
    if missing := [name for name in _ACTIONS if name not in settings]:
        raise ValueError(f"{missing[0]} is missing")
    size, output, low, high = (settings.pop(name) for name in _ACTIONS)
    if type(size) is not int or not 1 <= size <= _MOST_ACTIONS:
        raise ValueError(f"action_dim must be a whole number from 1 to {_MOST_ACTIONS:,}, received {size!r}")
    if output == "discrete":
        return {"discrete": size}
    bounds = {"low": low, "high": high}
    lists = {name: bound if isinstance(bound, list) else [bound] * size for name, bound in bounds.items()}
    if any(len(bound) != size for bound in lists.values()):
        raise ValueError(f"there are {size} actions, received bounds {bounds}")
    return {**lists, "squash": output}
