"""Which environments have which symmetries: declarations as data, checked against the simulators.

* :func:`symmetry_of`, :func:`symmetries_of` - what is declared for an environment or a task
* :func:`register_symmetry` - declare one's own
* :data:`CATALOGUE` - all ids
"""

from symbench.symmetry.catalogue.atari import ATARI
from symbench.symmetry.catalogue.box2d import BOX2D
from symbench.symmetry.catalogue.classic import CLASSIC
from symbench.symmetry.catalogue.geometric import GEOMETRIC
from symbench.symmetry.catalogue.mujoco import MUJOCO
from symbench.symmetry.catalogue.multi_agent import MULTI_AGENT
from symbench.symmetry.catalogue.registry import (
    CATALOGUE,
    Declaration,
    declarations_of,
    register,
    register_symmetry,
    symmetries_of,
    symmetry_of,
    variant_for,
)
from symbench.symmetry.catalogue.routing import ROUTING

register(*CLASSIC, *MUJOCO, *BOX2D, *ATARI, *MULTI_AGENT, *GEOMETRIC, *ROUTING)

__all__ = [
    "CATALOGUE",
    "Declaration",
    "declarations_of",
    "register_symmetry",
    "symmetries_of",
    "symmetry_of",
    "variant_for",
]
