"""Where the numbers of a training go while it goes on: files for TensorBoard, or a run of Weights & Biases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from symbench.errors import SymbenchError, unknown
from symbench.extras import require
from symbench.reading import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    Row = Mapping[str, float]

EVENTS: Final = "events.out.tfevents.*"  # TensorBoard's files
_PROJECT: Final = "symbench"
_FLUSH_SECONDS: Final = 10
_NOT_MEASURED: Final = ("done", "seconds")


class ScalarLog(Protocol):
    """Takes numbers of one training run by their names."""

    def open(self, folder: Path) -> None:
        """Before anything is trained: make sure that ``folder``'s numbers can be taken."""

    def begin(self, curve: Sequence[Row]) -> None:
        """Before the first number, ``curve`` being what a training that goes on has measured before."""

    def write(self, done: int, values: Row) -> None:
        """Take what was measured after ``done`` steps."""

    def close(self) -> None:
        """Nothing comes any more."""


class TensorBoardLog:
    """Event files beside the agent, so that ``tensorboard --logdir`` calls the run as its folder is called."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        require("tensorboard", "logs for TensorBoard")
        self._writer: Any = None

    def open(self, folder: Path) -> None:
        """See :class:`ScalarLog`."""
        self._folder = folder

    def begin(self, curve: Sequence[Row]) -> None:
        """Go on with the files that are there, without what they know of steps that are done once more."""
        from torch.utils.tensorboard import SummaryWriter

        kept, done = any(self._folder.glob(EVENTS)), int(curve[-1]["done"]) if curve else 0
        purge_step = done + 1 if kept else None
        self._writer = SummaryWriter(str(self._folder), purge_step=purge_step, flush_secs=_FLUSH_SECONDS)
        if not kept:
            _repeat(self, curve)

    def write(self, done: int, values: Row) -> None:
        """See :class:`ScalarLog`."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, done)

    def close(self) -> None:
        """See :class:`ScalarLog`."""
        if self._writer is not None:
            self._writer.close()


class WandbLog:
    """A run of Weights & Biases; a training that goes on is a new one, which begins with the curve so far."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config, self._wandb = dict(config), require("wandb", "logs for Weights & Biases")
        self._run: Any = None

    def open(self, folder: Path) -> None:
        """Begin a run; where it goes is up to wandb's own settings.

        Raises:
            SymbenchError: wandb cannot, e.g. because nobody is logged in.
        """
        name = f"{folder.parent.name}/{folder.name}"
        try:
            self._run = self._wandb.init(project=_PROJECT, name=name, dir=str(folder), config=self._config)
        except Exception as error:
            raise SymbenchError(
                f"wandb does not begin ({brief(error)}); WANDB_MODE=offline needs no account"
            ) from error

    def begin(self, curve: Sequence[Row]) -> None:
        """See :class:`ScalarLog`."""
        _repeat(self, curve)

    def write(self, done: int, values: Row) -> None:
        """See :class:`ScalarLog`."""
        self._run.log(dict(values), step=done)

    def close(self) -> None:
        """See :class:`ScalarLog`."""
        if self._run is not None:
            self._run.finish()


_LOGS: Final[dict[str, type[TensorBoardLog] | type[WandbLog]]] = {"tensorboard": TensorBoardLog, "wandb": WandbLog}


def make_log(name: str, config: Mapping[str, Any]) -> ScalarLog:
    """A log by its name.

    Args:
        name: ``"tensorboard"`` or ``"wandb"``.
        config: What is trained, as JSON values.

    Raises:
        SymbenchError: There is no such log, or its package is not installed.
    """
    if name not in _LOGS:
        raise unknown("log", name, _LOGS)
    return _LOGS[name](config)


def _repeat(log: ScalarLog, curve: Sequence[Row]) -> None:
    for row in curve:
        log.write(int(row["done"]), {name: value for name, value in row.items() if name not in _NOT_MEASURED})
