"""Pages where one disturbs agents while they play: cart-pole in the browser alone, every task through a local server.

* :func:`page`, :func:`write_page` - cart-pole swing-up as one file that works from a disk
* :func:`exported_agent`, :func:`bundled_agents` - agents as JSON, which it plays
* :class:`PageServer` - the page at an address of this machine

The other is in :mod:`symbench.demo.live_server`, which needs the extra ``demo``.
"""

from symbench.demo.export import bundled_agents, exported_agent
from symbench.demo.page_file import page, write_page
from symbench.demo.page_server import PageServer

__all__ = ["PageServer", "bundled_agents", "exported_agent", "page", "write_page"]
