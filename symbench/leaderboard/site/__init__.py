"""The leaderboard as a static site: a page with all boards, a page for each agent.

It works from a file, without a network and without a build step; the same submissions give the same bytes.

* :func:`write_site` - write it into a folder
* :func:`stale_pages` - which of its files are not those of the boards
"""

from symbench.leaderboard.site.pages import pages, stale_pages, write_site

__all__ = ["pages", "stale_pages", "write_site"]
