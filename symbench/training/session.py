"""One training run on disk: whose it is, its learning curve, checkpoints to go on from."""

from __future__ import annotations

import json
import math
import time
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from symbench.errors import NOTHING_KEPT, SymbenchError
from symbench.reading import brief
from symbench.runner.provenance import CHANGES, machine
from symbench.training.progress import Meter
from symbench.training.scalar_logs import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from symbench.training.scalar_logs import ScalarLog

STORY = "train.json"  # written last: a training that has it is finished
CHECKPOINT, OWNER, CURVE = "checkpoint.pt", "checkpoint.json", "curve.json"
REMAINS = (STORY, "agent.*", "checkpoint.*", CURVE, "fitness.npy", "partial-*", EVENTS)
CHECKPOINT_SECONDS = 30.0
CURVE_POINTS = 100


def require_commit(folder: Path, *, resume: bool, allow_dirty: bool) -> None:
    """Refuse to train by code that no commit holds; what is finished in ``folder`` is not trained again.

    Raises:
        SymbenchError: Files of the source checkout differ from its commit, and that is not allowed.
    """
    finished = resume and (folder / STORY).exists()
    if _dirty() and not allow_dirty and not finished:
        raise SymbenchError(
            "files of this checkout differ from its commit, so nobody could repeat the training; "
            "commit them, or take --allow-dirty, and the agent's card says so"
        )


def _dirty() -> bool:
    return (machine()["commit"] or "").endswith(CHANGES)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong while ``path`` is written into one line.

    Raises:
        SymbenchError: The disk is full, the folder unwritable, a file in the way.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch and zip files raise RuntimeError when the disk is full
        raise SymbenchError(
            f"cannot write {path} ({brief(error)}); free space there or choose another --out"
        ) from error


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
        folder: Where everything of this run is.
        seed: The training seed.
        curve: Rows ``{"done", "seconds", "return"}``: steps (or generations), wall time, mean return while training.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        digest: str = "",
        *,
        resume: bool = True,
        measure: str = "return {:.1f}",
        log: ScalarLog | None = None,
    ) -> None:
        """Open ``folder``.

        Args:
            folder: Where everything of this run is.
            seed: The training seed.
            digest: Of the recipe; the folder's training goes on only if it is of the same.
            resume: Whether to go on with what the folder holds; otherwise that is deleted.
            measure: How progress is written.
            log: Where the points of the learning curve go, too, with losses and speed.

        Raises:
            SymbenchError: The folder holds the training of another recipe, or cannot be written.
        """
        self.folder, self.seed, self.digest = folder, seed, digest
        self.curve: list[dict[str, Any]] = []
        self._before, self._start, self._saved = 0.0, time.perf_counter(), time.perf_counter()
        self._log, self._logged = log, (-1, 0.0)  # where, and of the latest point there: steps done, seconds
        self._meter = Meter(f"{folder.parent.name}/{folder.name}", measure)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not resume:
                self._clear()
        self._require_same_recipe()
        self._was_dirty = bool(_said(folder / OWNER, "dirty"))

    def __enter__(self) -> Session:
        if self._log is not None:
            self._log.open(self.folder)
        self._meter.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._meter.__exit__()
        if self._log is not None:
            with writing(self.folder):
                self._log.close()
        if isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(self._last_checkpoint()) from error

    @property
    def finished(self) -> bool:
        """Whether this training has been carried out to its end."""
        return (self.folder / STORY).exists()

    @property
    def origin(self) -> dict[str, Any]:
        """The ``commit`` that trains; ``allow_dirty``, true, if files differ from it or did before a resume."""
        dirty = {"allow_dirty": True} if self._was_dirty or _dirty() else {}
        return {"commit": machine()["commit"], **dirty}

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
        with self.resuming(CHECKPOINT) as checkpoint:
            if checkpoint is None:
                return 0
            saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
            network.load_state_dict(saved["network"])
            optimizer.load_state_dict(saved["optimizer"])
            return int(saved["done"])

    def save(self, network: nn.Module, optimizer: torch.optim.Optimizer, done: int) -> None:
        """Write a checkpoint for :meth:`restore`."""
        with self.checkpoint(CHECKPOINT) as partial:
            torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "done": done}, partial)

    def checkpoint_is_due(self) -> bool:
        """Whether half a minute has passed since the last checkpoint."""
        return time.perf_counter() - self._saved > CHECKPOINT_SECONDS

    def show(self, done: int, total: int, value: float) -> None:
        """Show progress."""
        self._meter.show(done, total, value, self.seconds)

    def report(self, done: int, total: int, returns: float, **others: float) -> None:
        """Show progress, and note a point of the learning curve where one is due; ``others`` are logged with it."""
        self.show(done, total, returns)
        last = self.curve[-1]["done"] if self.curve else 0
        if done > last and (done >= total or done - last >= total / CURVE_POINTS):
            self.note(done, {"return": round(returns, 2) if math.isfinite(returns) else None}, **others)

    def note(self, done: int, measured: Mapping[str, float | None], **others: float) -> None:
        """Add a point to the learning curve.

        Args:
            done: Steps, generations or epochs so far.
            measured: What the curve says of them; ``None`` where nothing was measured yet.
            others: What is only logged, e.g. the loss.
        """
        if self._log is not None:
            with writing(self.folder):
                known = {name: value for name, value in measured.items() if value is not None}
                self._write_log(self._log, done, {**known, **others})
        self.curve.append({"done": done, "seconds": round(self.seconds, 1), **measured})

    def _write_log(self, log: ScalarLog, done: int, values: dict[str, float]) -> None:
        now = self.seconds
        if self._logged[0] < 0:
            log.begin(self.curve)
            self._logged = (int(self.curve[-1]["done"]) if self.curve else 0, self._before)
        before, then = self._logged
        speed = {"steps_per_second": (done - before) / (now - then)} if now > then else {}
        log.write(done, {**values, **speed})
        self._logged = (done, now)

    @contextmanager
    def checkpoint(self, name: str) -> Iterator[Path]:
        """A path to write a checkpoint to; its recipe's digest and the learning curve are saved with it.

        Raises:
            SymbenchError: It cannot be written; the checkpoint before it is still whole.
        """
        self.write_json(OWNER, {"recipe_digest": self.digest, "dirty": "allow_dirty" in self.origin})
        self.write_json(CURVE, self.curve)
        with self._replacing(name) as partial:
            yield partial
        self._saved = time.perf_counter()

    @contextmanager
    def resuming(self, name: str) -> Iterator[Path | None]:
        """The checkpoint to go on from, or ``None``; the learning curve and the clock go on with it.

        Raises:
            SymbenchError: It cannot be used.
        """
        path = self.folder / name
        if not path.exists():
            yield None
            return
        try:
            yield path
            self.curve = json.loads((self.folder / CURVE).read_text(encoding="utf-8"))
            self._before = self.curve[-1]["seconds"] if self.curve else 0.0
        except Exception as error:
            reason = brief(error)
            raise SymbenchError(f"cannot resume from {path} ({reason}); begin anew with --no-resume") from error

    def write_json(self, name: str, data: Any) -> None:
        """Write a JSON file.

        Raises:
            SymbenchError: It cannot be written; an older one is still whole.
        """
        with self._replacing(name) as partial:
            partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Path]:
        """A path to write to; what was written becomes ``name`` in one step, or not at all."""
        partial = self.folder / f"partial-{name}"
        try:
            with writing(self.folder / name):
                yield partial
                partial.replace(self.folder / name)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)

    def _last_checkpoint(self) -> str:
        if not (self.folder / OWNER).exists():
            return f"there is no checkpoint yet, {NOTHING_KEPT}"
        return f"the last checkpoint is {time.time() - (self.folder / OWNER).stat().st_mtime:.0f} s old"

    def _clear(self) -> None:
        for pattern in REMAINS:
            for path in self.folder.glob(pattern):
                path.unlink()

    def _require_same_recipe(self) -> None:
        for path in (self.folder / STORY, self.folder / OWNER):
            if path.exists() and _said(path, "recipe_digest") != self.digest:
                raise SymbenchError(
                    f"{self.folder} holds another training (its recipe or --set differ); "
                    "choose another --out, or --no-resume to replace it"
                )


def _said(path: Path, key: str) -> Any:
    """What a training's JSON file says; ``None`` if there is none, or it is another's."""
    try:
        return json.loads(path.read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError, AttributeError, RecursionError):  # not the JSON object that a training writes
        return None
