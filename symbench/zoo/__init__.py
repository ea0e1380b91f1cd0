"""The zoo: agents as files that execute nothing, agents shipped with the package, published ones, and SB3's.

* :func:`save_agent`, :func:`load_agent`, :func:`load_card` - safetensors + JSON
* :func:`bundled` - the agents shipped for a task
* :func:`load_published` - the weights that Tang & Ha published
* :func:`load_sb3` - a model saved by Stable-Baselines3 (a pickle: only if trusted)
"""

from symbench.zoo.files import bundled, load_agent, load_card, save_agent

__all__ = ["bundled", "load_agent", "load_card", "save_agent"]
