"""Groups acting on nested observations, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces

from symbench.errors import SymbenchError
from symbench.symmetry.representations.base import GroupAction

if TYPE_CHECKING:
    from collections.abc import Mapping


class DictRepresentation(GroupAction):
    """An action for each key of a dict observation; other keys pass unchanged."""

    def __init__(self, parts: Mapping[str, GroupAction]) -> None:
        """Make the action.

        Args:
            parts: Key to action, all of the same group.

        Raises:
            SymbenchError: There are none, or they are of several groups.
        """
        groups = [part.group for part in parts.values()]
        if not groups or any(group != groups[0] for group in groups):
            raise SymbenchError(f"a dict needs actions of one group, received {[group.name for group in groups]}")
        self.group, self.parts = groups[0], dict(parts)

    def apply(self, elements: Any, batch: dict[str, Any]) -> dict[str, Any]:
        """Transform the parts; see :meth:`GroupAction.apply`."""
        return {
            key: self.parts[key].apply(elements, value) if key in self.parts else np.array(value)
            for key, value in batch.items()
        }

    def incompatibility(self, space: Any) -> str | None:
        """See :meth:`GroupAction.incompatibility`: a ``Dict`` that holds the keys."""
        if not isinstance(space, spaces.Dict) or not self.parts.keys() <= space.spaces.keys():
            return f"acts on a Dict with the keys {', '.join(self.parts)}, received {space}"
        reasons = (part.incompatibility(space[key]) for key, part in self.parts.items())
        return next((reason for reason in reasons if reason), None)

    def lossy(self, space: Any) -> str | None:
        """See :meth:`GroupAction.lossy`."""
        reasons = (part.lossy(space[key]) for key, part in self.parts.items())
        return next((reason for reason in reasons if reason), None)

    def image(self, space: Any) -> Any:
        """See :meth:`GroupAction.image`."""
        parts = {key: self.parts[key].image(part) if key in self.parts else part for key, part in space.items()}
        return spaces.Dict(parts)
