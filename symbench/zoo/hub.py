"""Models on the Hugging Face Hub in the layout of ``huggingface_sb3``: repository ``OWNER/ALGO-ENV``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from symbench.errors import SymbenchError, one_line
from symbench.zoo.rl_zoo3 import LoggedModel, saved_algorithm

_REPOSITORY: Final = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?:/(?P<file>[^/]+\.zip))?")
_BESIDE: Final = ("config.yml", "args.yml", "vecnormalize.pkl", "vec_normalize.pkl")


def hub_model(repository: str) -> LoggedModel:
    """Download a model and what lies beside it, or find both in the cache of the Hub's client.

    Nothing is asked of the Hub if the environment variable ``HF_HUB_OFFLINE`` is 1.

    Args:
        repository: ``"OWNER/ALGO-ENV"``, whose file is ``ALGO-ENV.zip``; or ``"OWNER/NAME/FILE.zip"``.

    Raises:
        SymbenchError: The client is not installed, there is no such repository or file, or it cannot be reached.
    """
    match = _REPOSITORY.fullmatch(repository)
    if not match:
        raise SymbenchError(f"hub:OWNER/ALGO-ENV is expected, e.g. hub:sb3/ppo-CartPole-v1, received hub:{repository}")
    file = match["file"] or f"{match['name']}.zip"
    path = _download(f"{match['owner']}/{match['name']}", file) / file
    if not path.is_file():
        raise SymbenchError(f"hub:{repository}: it holds no file {file}; name it: hub:OWNER/NAME/FILE.zip")
    return LoggedModel(path, saved_algorithm(path), match["name"].partition("-")[2] or match["name"])


def _download(repository: str, file: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError as error:
        raise SymbenchError("models of the Hub need its client: pip install 'symbench[hub]'") from error
    try:
        return Path(snapshot_download(repository, allow_patterns=[file, *_BESIDE]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise SymbenchError(f"hub:{repository} is neither reached nor in the cache: {one_line(error)}") from error
