"""The zoo: agents as files that execute nothing, agents shipped with the package, published ones, and SB3's.

* :func:`save_agent`, :func:`load_agent`, :func:`read_agent`, :func:`load_card` - safetensors + JSON;
  :func:`load_network` - what plays, without the agent around it
* :func:`bundled` - the agents shipped for a task; :func:`not_installed` - how to get them where they are not here
* :func:`tensor_digest` - SHA-256 of an agent's tensors, whatever else is in its file
* :func:`load_published` - weights that Tang & Ha or Kool et al. published
* :func:`load_sb3`, :func:`read_sb3` - a model saved by Stable-Baselines3 (a pickle: only if trusted)
"""

from symbench.zoo.agent_files import (
    AgentFiles,
    bundled,
    load_agent,
    load_card,
    load_network,
    not_installed,
    read_agent,
    save_agent,
)
from symbench.zoo.published import load_published
from symbench.zoo.sb3_files import SB3Files, read_sb3
from symbench.zoo.sb3_zip import load_sb3
from symbench.zoo.tensor_digest import tensor_digest

__all__ = [
    "AgentFiles",
    "SB3Files",
    "bundled",
    "load_agent",
    "load_card",
    "load_network",
    "load_published",
    "load_sb3",
    "not_installed",
    "read_agent",
    "read_sb3",
    "save_agent",
    "tensor_digest",
]
