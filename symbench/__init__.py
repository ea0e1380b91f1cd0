"""symbench: what happens to an agent when its sensors are shuffled, noised, occluded or transformed.

Importing this package is cheap: neither torch nor gymnasium is loaded. The environments are registered with
Gymnasium as soon as both are imported, ``symbench:symbench/CartPoleSwingUp-v0`` included; a program that imports
symbench before gymnasium calls ``import symbench.envs``.
"""

import sys

__version__ = "0.2.0.dev0"

if "gymnasium" in sys.modules:
    import symbench.envs  # noqa: F401
