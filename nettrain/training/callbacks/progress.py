"""The progress of a run that Python started: a line that moves in notebooks, else one per epoch."""

import sys
import time
from html import escape
from importlib import import_module
from typing import Any

from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run

PAUSE = 0.1  # seconds between two drawings
METRICS = ("train_loss", "validation_loss", "validation_accuracy", "validation_r2")


def progress_callbacks(progress: bool | None) -> list[Callback]:
    """What shows the progress.

    Args:
        progress: True shows it, False does not; None: in notebooks alone.
    """
    notebook = _in_notebook()
    if progress is False or (progress is None and not notebook):
        return []
    return [NotebookProgress() if notebook else LinePerEpoch()]


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; nothing is imported to find out."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


class LinePerEpoch(Callback):
    """A line on stderr per epoch: `epoch 3/30  train_loss 0.412  validation_loss 0.398`."""

    def epoch_end(self, run: Run, row: Row) -> None:
        """Print the line."""
        print(line(run, row), file=sys.stderr)


class NotebookProgress(Callback):
    """A progress bar below a notebook's cell, with the metrics of the last complete epoch."""

    def begin(self, run: Run) -> None:
        """Show the bar."""
        self._row: Row = {}
        self._drawn = time.monotonic()
        display = import_module("IPython.display")
        self._html = display.HTML
        self._handle: Any = display.display(self._html(self._bar(run)), display_id=True)

    def batch_end(self, run: Run) -> None:
        """Draw, at most ten times a second."""
        if time.monotonic() - self._drawn >= PAUSE:
            self._draw(run)

    def epoch_end(self, run: Run, row: Row) -> None:
        """Take the metrics of the epoch."""
        self._row = row
        self.batch_end(run)

    def end(self, run: Run) -> None:
        """Leave the final state standing."""
        self._draw(run)

    def interrupt(self, run: Run) -> None:
        """Leave the state at the interruption standing."""
        self._draw(run)

    def diverged(self, run: Run) -> None:
        """Leave the state at the divergence standing."""
        self._draw(run)

    def _draw(self, run: Run) -> None:
        self._drawn = time.monotonic()
        self._handle.update(self._html(self._bar(run)))

    def _bar(self, run: Run) -> str:
        done = run.progress.epoch + run.progress.batch / run.plan.steps_per_epoch
        text = escape(line(run, self._row))
        return f'<progress max="{run.config.training.epochs}" value="{done:.3f}"></progress> {text}'


def line(run: Run, row: Row) -> str:
    """The epoch and the main metrics of its row."""
    shown = [f"{name} {row[name]:.4g}" for name in METRICS if row.get(name) is not None]
    return "  ".join([f"epoch {run.progress.epoch}/{run.config.training.epochs}", *shown])
