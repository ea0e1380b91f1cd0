"""One training run on disk: learning curve, checkpoints that resume, progress bar."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from symbench.errors import SymbenchError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

CHECKPOINT, CURVE = "checkpoint.pt", "curve.json"
CHECKPOINT_SECONDS = 30.0
CURVE_POINTS = 100


class Returns:
    """Returns of the last 1000 episodes that ended in a batch of environments."""

    def __init__(self, num_envs: int) -> None:
        """Count from zero in every environment."""
        self._running = np.zeros(num_envs)
        self._ended: deque[float] = deque(maxlen=1000)

    def add(self, rewards: NDArray[Any], ended: NDArray[np.bool_]) -> None:
        """Count one step of every environment: rewards (B,), ended (B,)."""
        self._running += rewards
        self._ended.extend(self._running[ended])
        self._running[ended] = 0.0

    @property
    def mean(self) -> float:
        """Mean return of the last 1000 ended episodes; NaN before the first has ended."""
        return float(np.mean(self._ended)) if self._ended else float("nan")


class Session:
    """Keeps what a training run must not lose.

    Attributes:
        seed: The training seed.
        curve: Rows ``{"done", "seconds", "return"}``: steps (or generations), wall time, mean return while training.
    """

    def __init__(self, folder: Path, seed: int, *, resume: bool = True) -> None:
        """Open ``folder``, going on with what it holds unless ``resume`` is false."""
        self.folder, self.seed, self.resume = folder, seed, resume
        self.curve: list[dict[str, float]] = []
        self._before, self._start, self._saved = 0.0, time.perf_counter(), time.perf_counter()
        folder.mkdir(parents=True, exist_ok=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(
            *columns, TimeRemainingColumn(), console=Console(stderr=True), disable=not sys.stderr.isatty()
        )
        self._task = self._bar.add_task("training", total=None)

    def __enter__(self) -> Session:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    @property
    def seconds(self) -> float:
        """Wall time of this run, the time before an interruption included."""
        return self._before + time.perf_counter() - self._start

    def restore(self, network: nn.Module, optimizer: torch.optim.Optimizer) -> int:
        """Load the checkpoint into network and optimizer if there is one.

        Returns:
            Steps already done, 0 for a fresh start.

        Raises:
            SymbenchError: The checkpoint is of another network or cannot be read.
        """
        checkpoint = self.folder / CHECKPOINT
        if not (self.resume and checkpoint.exists()):
            return 0
        try:
            saved = torch.load(checkpoint, weights_only=True)
            network.load_state_dict(saved["network"])
            optimizer.load_state_dict(saved["optimizer"])
        except Exception as error:
            raise SymbenchError(f"cannot resume from {checkpoint} ({error}); begin anew with --no-resume") from error
        self.restore_curve()
        return int(saved["done"])

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, done: int) -> None:
        """Write a checkpoint for :meth:`restore`, atomically."""
        with self.replacing(CHECKPOINT) as partial:
            torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "done": done}, partial)
        self.save_curve()

    def checkpoint_is_due(self) -> bool:
        """Whether half a minute has passed since the last checkpoint."""
        return time.perf_counter() - self._saved > CHECKPOINT_SECONDS

    def report(self, done: int, total: int, returns: float) -> None:
        """Move the progress bar, and note a point of the learning curve where one is due."""
        self._bar.update(self._task, completed=min(done, total), total=total, description=f"return {returns:7.1f}")
        last = self.curve[-1]["done"] if self.curve else 0
        if done > last and (done >= total or done - last >= total / CURVE_POINTS):
            self.curve.append({"done": done, "seconds": round(self.seconds, 1), "return": round(returns, 2)})

    @contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """A path to write to; what was written becomes ``name`` in one step, or not at all."""
        partial = self.folder / f"partial-{name}"
        yield partial
        partial.replace(self.folder / name)
        self._saved = time.perf_counter()

    def save_curve(self) -> None:
        """Write the learning curve so far."""
        with self.replacing(CURVE) as partial:
            partial.write_text(json.dumps(self.curve), encoding="utf-8")

    def restore_curve(self) -> None:
        """Go on with the learning curve, and the clock, of an interrupted run."""
        self.curve = json.loads((self.folder / CURVE).read_text(encoding="utf-8"))
        self._before = self.curve[-1]["seconds"] if self.curve else 0.0
