"""SSH keys of maintainers, made for a test, lists of them, and what they have verified."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from symbench.leaderboard.validate import Submission
from symbench.leaderboard.verified import Verified, cells_of

NEEDS_SSH: Final = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
ONLY_THIS: Final = 'namespaces="symbench-verified"'


def make_key(folder: Path, name: str = "key") -> Path:
    """A private key without passphrase; its public one lies beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return folder / name


def allow(signers: Path, key: Path, who: str = "maintainer@example.org", options: str = ONLY_THIS) -> Path:
    """Adds a key to a list of those that may sign."""
    signers.parent.mkdir(parents=True, exist_ok=True)
    known = signers.read_text() if signers.exists() else ""
    public = Path(f"{key}.pub").read_text()
    signers.write_text(f"{known}{who} {options} {public}")
    return signers


def entry_of(submission: Submission, **changes: Any) -> Verified:
    """That a submission was verified, and well enough; not signed."""
    cells = sorted(cells_of(submission))
    return Verified(
        **{
            "digest": submission.digest,
            "date": "2026-06-01",
            "cells": cells,
            "of": len(cells),
            "confidence": 1.0,
            "difference": 0.0,
            **changes,
        }
    )
