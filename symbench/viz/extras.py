"""Packages that only pictures need; imported when they are, so that everything else works without them."""

from __future__ import annotations

import importlib
from typing import Any

from symbench.errors import SymbenchError


def require(module: str) -> Any:
    """Import a module of the extra ``pictures``.

    Args:
        module: For example ``"matplotlib.pyplot"``.

    Raises:
        SymbenchError: Its package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise SymbenchError(f"pictures need {package}: pip install 'symbench[pictures]'") from error
