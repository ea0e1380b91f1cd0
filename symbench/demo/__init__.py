"""A page where one shuffles the sensors of two agents while they play cart-pole swing-up, in the browser alone.

* :func:`page`, :func:`write_page` - the page as one file that works from a disk
* :func:`exported_agent`, :func:`bundled_agents` - agents as JSON, which it plays
* :class:`PageServer` - the page at an address of this machine
"""

from symbench.demo.export import bundled_agents, exported_agent
from symbench.demo.page_file import page, write_page
from symbench.demo.page_server import PageServer

__all__ = ["PageServer", "bundled_agents", "exported_agent", "page", "write_page"]
