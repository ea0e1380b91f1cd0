"""Trained in one orientation, played in all: returns of a study's teams in worlds that are turned.

The teams play without noise and in float64, see :mod:`symbench.runner.orientations`. So an equivariant team gets the
same return in every orientation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch.nn.utils import vector_to_parameters

from symbench.errors import SymbenchError
from symbench.runner.orientations import quarter_turns, returns_under
from symbench.runner.transformed_starts import transformable
from symbench.training.study.actor_critic_networks import Team, make_actor_critic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from symbench.symmetry import Declaration
    from symbench.training.study.stack import Stack
    from symbench.training.study.study_schema import Arm, Study


def check_orientations(study: Study) -> Declaration:
    """The symmetry whose quarter turns a study asks for.

    Raises:
        SymbenchError: Its task has none, or cannot begin in transformed states, or one of its networks is no team's.
    """
    declaration = transformable(study.task)
    if declaration is None:
        raise SymbenchError(f"orientation_episodes: episodes of {study.task} cannot begin in transformed states; ask 0")
    quarter_turns(declaration.pair.group)
    for arm in study.arms:
        if not isinstance(make_actor_critic(arm.network, 0), Team):
            raise SymbenchError(f"orientation_episodes: arm {arm.name!r} is no network of a team or a scene; ask 0")
    return declaration


def returns_in_all(study: Study, arm: Arm, seeds: Sequence[int], stack: Stack) -> NDArray[np.float64]:
    """Returns (R, 4, E) of the networks of a stack."""
    declaration, returns = check_orientations(study), []
    for seed, row in zip(seeds, stack.parameters.detach(), strict=True):
        team = make_actor_critic(arm.network, seed)
        assert isinstance(team, Team)
        vector_to_parameters(row, team.parameters())
        returns.append(
            [
                returns_under(team.network, study.task, declaration, g, study.orientation_episodes, study.seed)
                for g in quarter_turns(declaration.pair.group)
            ]
        )
    return np.array(returns)
