"""Which environments have which symmetries: declarations as data, checked against the simulators.

* :func:`symmetry_of`, :func:`symmetries_of` - what is declared for an environment or a task
* :func:`register_symmetry` - declare one's own
* :data:`CATALOGUE` - all ids
"""

from symbench.symmetry.catalogue.classic import CLASSIC
from symbench.symmetry.catalogue.mujoco import MUJOCO
from symbench.symmetry.catalogue.registry import (
    CATALOGUE,
    Declaration,
    declarations_of,
    register,
    register_symmetry,
    symmetries_of,
    symmetry_of,
)

register(*CLASSIC, *MUJOCO)

__all__ = ["CATALOGUE", "Declaration", "declarations_of", "register_symmetry", "symmetries_of", "symmetry_of"]
