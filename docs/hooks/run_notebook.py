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
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
        for output in cell.get("outputs", []):
            output.pop("execution_count", None) if output["output_type"] != "execute_result" else None
    return notebook


if __name__ == "__main__":
    for found in sorted(DOCS.glob("*.ipynb")):
        nbformat.write(executed(found, DOCS), found)
