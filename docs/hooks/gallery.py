"""The gallery: every perturbation and every task, drawn while the site is built from what they do.

Pictures are in ``perturbation_pictures.py`` and ``task_pictures.py``; here is the page.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final

from api import where_declared
from mkdocs.structure.files import File
from perturbation_pictures import before_and_after
from task_pictures import loop

from symbench.tasks import TASKS
from symbench.wrappers.registry import PERTURBATIONS, is_bundled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from perturbation_pictures import Shown
    from task_pictures import Loop

PAGE: Final = "gallery.md"
FOLDER: Final = "gallery"
_TOP: Final = """---
hide: [navigation, toc]
---

# Gallery

## Perturbations

What an agent is shown, and what it is shown instead. A column of a strip is a step, a row a sensor: blue below zero,
orange above. Parameters and levels: [Wrappers](wrappers.md).
"""
_TASKS: Final = """## Tasks

Played by a bundled agent where there is one, else at random. Scores, and every other environment: [Tasks](tasks.md).
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Draw everything, and add the page."""
    shown = {name: before_and_after(name) for name, found in sorted(PERTURBATIONS.items()) if is_bundled(found)}
    loops = {name: loop(name) for name in TASKS}
    for name, pair in shown.items():
        files.append(File.generated(config, f"{FOLDER}/{name}-before.png", content=pair.before))
        files.append(File.generated(config, f"{FOLDER}/{name}-after.png", content=pair.after))
    for name, drawn in loops.items():
        if drawn:
            files.append(File.generated(config, f"{FOLDER}/{name}.webp", content=drawn.moving))
            files.append(File.generated(config, f"{FOLDER}/{name}.png", content=drawn.still))
    files.append(File.generated(config, PAGE, content=page(shown, loops)))
    return files


def page(shown: Mapping[str, Shown], loops: Mapping[str, Loop | None]) -> str:
    """The page in Markdown."""
    perturbations = (_perturbation(name, pair) for name, pair in shown.items())
    tasks = (_task(name, drawn) for name, drawn in loops.items())
    return "\n".join([_TOP, *_grid("pairs", perturbations), "", _TASKS, *_grid("loops", tasks), ""])


def _grid(kind: str, cells: object) -> list[str]:
    return [f'<div class="gallery {kind}">', *cells, "</div>"]  # type: ignore[misc]


def _perturbation(name: str, pair: Shown) -> str:
    found = PERTURBATIONS[name]
    text = found.explanation().split("\n")[0]
    pictures = "".join(
        f"<span>{when}{_image(f'{name}-{when}', f'{pair.task} {when} {name}')}</span>" for when in ("before", "after")
    )
    caption = f"{pair.task}, {pair.parameters}"
    return _figure(name, f"{found.__module__}.{name}", text, f'<div class="pair">{pictures}</div>', caption)


def _task(name: str, drawn: Loop | None) -> str:
    if drawn is None:
        picture, caption = "<p>Not drawn: its environment cannot be made on the machine that built this page.</p>", ""
    else:
        picture = (
            f'<picture><source srcset="{FOLDER}/{name}.webp" media="(prefers-reduced-motion: no-preference)">'
            f"{_image(name, name)}</picture>"
        )
        caption = "random play" if drawn.agent == "random" else f"played by {drawn.agent}"
    return _figure(name, where_declared(name), TASKS[name].description, picture, caption)


def _figure(name: str, declared: str, text: str, picture: str, caption: str) -> str:
    words = re.sub(r"``(.+?)``", r"<code>\1</code>", escape(text))
    heading = f'<autoref identifier="{declared}"><code>{escape(name)}</code></autoref>'
    told = f"<strong>{heading}</strong> {words} <small>{escape(caption)}</small>"
    return f"<figure>{picture}<figcaption>{told}</figcaption></figure>"


def _image(name: str, text: str) -> str:
    return f'<img src="{FOLDER}/{name}.png" alt="{escape(text)}" loading="lazy">'
