"""A symmetry of an environment, declared once: how its group acts on observations and on actions.

Everything else is made of the declaration: the wrapper :class:`~symbench.wrappers.TransformByGroup`, equivariant
policies, augmentation, frame averaging, and the check against the simulator. Source: van der Pol et al. 2020
(arXiv 2006.16908), equations 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from symbench.errors import SymbenchError, unknown
from symbench.symmetry.representations import ActionPermutation, EntityIndex, EntityRepresentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from symbench.symmetry.groups import Group
    from symbench.symmetry.representations import GroupAction

HOLDS: Final = frozenset({"transition", "reward", "initial"})
STATUSES: Final = ("exact", "approximate", "none")


@dataclass(frozen=True)
class SymmetryPair:
    """How a group acts on an environment: L_g on observations, K_g on actions.

    The transition holds if T(L_g s' | L_g s, K_g a) = T(s' | s, a), the reward if R(L_g s, K_g a) = R(s, a), or is R
    transformed as declared, the initial law if L_g maps the distribution of first observations to itself.

    Attributes:
        observation: L.
        action: K.
        name: What it is called beside other symmetries of the environment.
        holds: Which of ``"transition"``, ``"reward"``, ``"initial"`` hold.
        status: ``"exact"``, ``"approximate"`` or ``"none"`` (a negative control: it looks like a symmetry).
        tolerance: Largest difference of observations and rewards that one step may show.
        note: Why it holds, or what breaks it.
        reward: How the group acts on rewards, (B, 1), where it changes them, e.g. by the scale of the world; the best
            actions stay the best if it multiplies them by a positive number.

    Example:
        >>> from symbench.symmetry import ActionPermutation, cyclic, signed_permutation
        >>> group = cyclic(2)
        >>> mirror = SymmetryPair(
        ...     observation=signed_permutation(group, signs=[[-1, -1, -1, -1]]),
        ...     action=ActionPermutation(group, [[1, 0]]),
        ... )
        >>> mirror.group.name
        'C2'
    """

    observation: GroupAction
    action: GroupAction
    name: str = "mirror"
    holds: frozenset[str] = HOLDS
    status: str = "exact"
    tolerance: float = 1e-6
    note: str = ""
    reward: GroupAction | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit each other.

        Raises:
            SymbenchError: They are of different groups, or a flag is unknown.
        """
        if self.observation.group != self.action.group:
            raise SymbenchError(
                f"observations are transformed by {self.observation.group.name}, actions by {self.action.group.name}"
            )
        if self.reward is not None and self.reward.group != self.group:
            raise SymbenchError(
                f"rewards are transformed by {self.reward.group.name}, observations by {self.group.name}"
            )
        for flag in self.holds:
            if flag not in HOLDS:
                raise unknown("part of a symmetry", flag, HOLDS)
        if self.status not in STATUSES:
            raise unknown("status of a symmetry", self.status, STATUSES)

    @property
    def group(self) -> Group:
        """The group."""
        return self.observation.group

    def on_decisions(self, elements: Any, decisions: NDArray[Any]) -> NDArray[Any]:
        """K_g on what a policy decides from.

        Args:
            elements: One element, or one for each row.
            decisions: One number for each discrete action, (B, n), or the actions; of several agents in a row, (B, A),
                or in rows, (B, agents, ...).

        Returns:
            The transformed ones, of the same shape.
        """
        discrete = isinstance(self.action, (ActionPermutation, EntityIndex, EntityRepresentation))
        acting: GroupAction = self.action.vectors if discrete else self.action  # type: ignore[attr-defined]
        if not isinstance(acting, EntityRepresentation):
            moved: NDArray[Any] = acting.apply(elements, decisions)
            return moved
        rows = decisions.reshape(len(decisions), acting.rows, -1)
        return acting.apply(elements, rows).reshape(decisions.shape)

    def incompatibility(self, observation_space: Any, action_space: Any) -> str | None:
        """Why the pair cannot act on these (single) spaces, or ``None`` if it can."""
        observed = self.observation.incompatibility(observation_space) or self.observation.lossy(observation_space)
        acted = self.action.escape(action_space) or self.action.lossy(action_space)
        return (observed and f"observation: {observed}") or (acted and f"action: {acted}")
