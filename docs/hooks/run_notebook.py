"""Execute the notebooks of docs/ and keep what they print: ``python docs/hooks/run_notebook.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient

DOCS: Final = Path(__file__).parents[1]


def executed(path: Path, folder: Path) -> Any:
    """The notebook with the outputs of a new run, in which ``folder`` is the current directory.

    Raises:
        nbclient.exceptions.CellExecutionError: The code of a cell raises.
    """
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
    return notebook


if __name__ == "__main__":
    for found in sorted(DOCS.glob("*.ipynb")):
        nbformat.write(executed(found, DOCS), found)  # type: ignore[no-untyped-call]
