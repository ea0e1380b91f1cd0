"""The pages as one file each: style, scripts and data are inside, so that they ask for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from symbench.demo.export import bundled_agents
from symbench.errors import SymbenchError
from symbench.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAGE: Final = Path(__file__).parent / "page"
SCRIPTS: Final = (
    *("random", "cart_pole", "layers", "networks", "perturbations", "session"),  # no document is needed for these
    *("controls", "drawing", "cart_drawing", "session_sensors", "chips", "main"),
)
LIVE_SCRIPTS: Final = ("controls", "drawing", "live_lane", "live_panel", "live_sensors", "chips", "live")


def script(names: Sequence[str] = SCRIPTS) -> str:
    """These files of ``page/`` as one script, in which each sees those before it."""
    parts = (f"// {name}.js\n{_read(f'{name}.js')}" for name in names)
    return '"use strict";\n' + "\n".join(parts)


def page(agents: Sequence[dict[str, Any]] | None = None) -> str:
    """The page as HTML; the same agents give the same bytes.

    Args:
        agents: Those to choose from, as :func:`~symbench.demo.export.exported_agent` gives them; by default
            :func:`~symbench.demo.export.bundled_agents`.
    """
    data = json.dumps(bundled_agents() if agents is None else agents, separators=(",", ":"), ensure_ascii=True)
    # No text of a card can end the element it stands in.
    html, _ = _filled("index.html", script(), "", {"agents": data.replace("<", "\\u003c")})
    return html


def live_page(sockets: Sequence[str]) -> tuple[str, str]:
    """The page of a local server as HTML, and its content security policy, which is in it, too.

    Args:
        sockets: Addresses of websockets that it may open.
    """
    connect = f"connect-src 'self' {' '.join(sockets)}; "
    return _filled("live.html", script(LIVE_SCRIPTS), connect, {})


def _filled(template: str, code: str, connect: str, data: dict[str, str]) -> tuple[str, str]:
    style = _read("style.css")
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(code)}; img-src data:; {connect}"
        "base-uri 'none'; form-action 'none'"
    )
    parts = {"policy": policy, "style": style, "script": code, **data}
    return re.sub(r"\{(policy|style|agents|script)\}", lambda found: parts[found[1]], _read(template)), policy


def write_page(folder: Path) -> Path:
    """Write the page of the bundled agents to ``folder/index.html``; missing folders are made.

    Raises:
        SymbenchError: It cannot be written.
    """
    file, content = folder / "index.html", page()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(file, content)
    except OSError as error:
        raise SymbenchError(f"cannot write {file} ({error.strerror})") from error
    return file


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
