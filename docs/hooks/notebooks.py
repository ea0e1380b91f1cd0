"""Each notebook in docs/ is a page of the site, with the outputs that are stored in it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook, its pictures, and the notebook itself."""
    for path in sorted(Path(config.docs_dir).glob("*.ipynb")):
        pictures: dict[str, bytes] = {}
        text = "\n\n".join(_parts(json.loads(path.read_text(encoding="utf-8")), path.stem, pictures))
        text += f"\n\n[This page as a notebook]({path.name}){{ .md-button download }}\n"
        files.append(File.generated(config, f"{path.stem}.md", content=text))
        files.append(File.generated(config, path.name, content=path.read_text(encoding="utf-8")))
        for name, content in pictures.items():
            files.append(File.generated(config, name, content=content))
    return files


def _parts(notebook: dict[str, Any], name: str, pictures: dict[str, bytes]) -> Iterator[str]:
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            yield source
            continue
        yield _fenced(source, "python")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                file = f"{name}-{len(pictures)}.png"
                pictures[file] = base64.b64decode("".join(data["image/png"]))
                yield f"![{cell['metadata'].get('alt', 'What the code above draws')}]({file})"
            elif text := "".join(output.get("text", data.get("text/plain", ""))):
                yield _fenced(text.rstrip(), "text")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"
