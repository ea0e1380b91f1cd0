"""One thread per process: idle OpenMP threads that spin make everything else several times slower."""

from __future__ import annotations

import base64
import json
import os
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import cloudpickle
import pytest
import torch
from browser_cases import CHROMIUM

if TYPE_CHECKING:
    from playwright.sync_api import Browser

torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _logs_of_sb3(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where SB3 makes a folder at every ``learn`` that is given no logger; the temporary directory otherwise."""
    os.environ["SB3_LOGDIR"] = str(tmp_path_factory.mktemp("sb3"))


class _Execute:
    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (self.code,)


@pytest.fixture
def sb3_that(tmp_path: Path) -> Callable[[str], Path]:
    """Makes an agent of SB3 for CartPole, untrained, that executes code when a worker process loads it."""
    from stable_baselines3 import PPO

    def make(code: str) -> Path:
        path = tmp_path / "mine.zip"
        PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, seed=0, device="cpu").save(path)
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        # Ray's workers have no multiprocessing parent; the process that plans has neither that nor Ray.
        worker = f"multiprocessing.parent_process() or ('ray' in sys.modules and os.getpid() != {os.getpid()})"
        guarded = f"import multiprocessing, os, sys\nif {worker}:\n" + textwrap.indent(code, "    ")
        pickled = base64.b64encode(cloudpickle.dumps(_Execute(guarded))).decode()
        data = {**json.loads(files["data"]), "surprise": {":type:": "x", ":serialized:": pickled}}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**files, "data": json.dumps(data).encode()}.items():
                archive.writestr(name, content)
        return path

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with api.sync_playwright() as playwright:
        # Root, as which containers run, has no sandbox.
        options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield found
        found.close()
