"""The progress of a run: one moving line on a terminal, one line per epoch elsewhere."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from nettrain.cli.live_display import LiveDisplay
from nettrain.cli.output import console, say
from nettrain.cli.render import number
from nettrain.cli.status_line import status_line
from nettrain.training.callbacks import Callback, Row

if TYPE_CHECKING:
    from nettrain.training.run import Run

HEADLINES = ("accuracy", "label_accuracy", "r2")  # the metric of each task that people look at
BAR = 20  # characters
PAUSE = 0.1  # seconds between two drawings


@contextmanager
def progress(quiet: bool) -> Iterator[Sequence[Callback]]:
    """Yield the callbacks; what they draw is complete when the block ends, however it ends."""
    if quiet:
        yield []
        return
    terminal = console(stderr=True) if sys.stderr.isatty() else None
    if terminal is None or terminal.is_dumb_terminal:
        yield [EpochLines()]
        return
    with LiveDisplay(terminal) as live:
        yield [MovingLine(live)]


class Messages(Callback):
    """Prints what was decided for the user, then each warning after its epoch."""

    _printed = 0

    def begin(self, run: "Run") -> None:
        """Print what was decided. Warnings from before a resume have been printed already."""
        self._printed = len(run.warnings)
        for note in run.notes:
            self.write(note)

    def epoch_end(self, run: "Run", row: Row) -> None:
        """Print the new warnings."""
        for warning in run.warnings[self._printed :]:
            self.write(f"warning: {warning}")
        self._printed = len(run.warnings)

    def write(self, line: str) -> None:
        """Print a line that stays."""
        say(line)


class EpochLines(Messages):
    """One line per epoch: `epoch 3/30  validation_loss 0.398  train_loss 0.412  lr 0.001`."""

    def epoch_end(self, run: "Run", row: Row) -> None:
        """Print the epoch's line, and the new warnings below it."""
        say(
            "  ".join(
                [
                    f"epoch {row['epoch']}/{run.config.training.epochs}",
                    *shown_metrics(row, monitored(run)),
                    f"{row['seconds']:.1f} s",
                ]
            )
        )
        super().epoch_end(run, row)


class MovingLine(Messages):
    """One line that moves: progress, time remaining, metrics of the last complete epoch."""

    def __init__(self, live: LiveDisplay) -> None:
        self._live = live
        self._metrics: list[str] = []
        self._steps = 0
        self._drawn = 0.0

    def begin(self, run: "Run") -> None:
        """Start the clock; epochs from before a resume do not count for the speed."""
        super().begin(run)
        self._started = time.monotonic()

    def write(self, line: str) -> None:
        """Print above the moving line."""
        self._live.print(line)

    def batch_end(self, run: "Run") -> None:
        """Draw, at most ten times a second."""
        self._steps += 1
        if time.monotonic() - self._drawn >= PAUSE:
            self._draw(run)

    def epoch_end(self, run: "Run", row: Row) -> None:
        """Take the metrics of the epoch."""
        super().epoch_end(run, row)
        self._metrics = shown_metrics(row, monitored(run))
        if time.monotonic() - self._drawn >= PAUSE:
            self._draw(run)

    def end(self, run: "Run") -> None:
        """Leave the final state standing."""
        self._draw(run)

    def _draw(self, run: "Run") -> None:
        self._drawn = time.monotonic()
        self._live.update(self.line(run, self._drawn))

    def line(self, run: "Run", now: float) -> Text:
        """The line at `now`, a time of the monotonic clock."""
        elapsed = max(now - self._started, 1e-9)
        epochs, done = (
            run.config.training.epochs,
            run.progress.epoch + run.progress.batch / run.plan.steps_per_epoch,
        )
        bar = min(BAR, self._live.width // 4)
        filled = round(bar * done / epochs)
        remaining = (epochs - done) * run.plan.steps_per_epoch * elapsed / max(self._steps, 1)
        over = run.progress.stop_reason is not None
        first, *others = self._metrics or [""]
        parts = [
            first,
            f"epoch {min(run.progress.epoch + (not over), epochs)}/{epochs}",
            clock(elapsed) if over else f"{clock(remaining)} remaining",
            *others,
            "━" * filled + "╌" * (bar - filled),
            f"{self._steps * run.plan.step_rows / elapsed:,.0f} rows/s",
        ]
        # Of what fits: epoch, monitored metric, bar, time, other metrics, speed.
        bar_at, speed_at = len(parts) - 2, len(parts) - 1
        shown_as = [1, 0, bar_at, 2, *range(3, bar_at), speed_at]
        return status_line(parts, self._live.width, shown_as=shown_as)


def monitored(run: "Run") -> str:
    """What chooses the best epoch; without one, what early stopping would look at."""
    return (run.plan.monitor or run.plan.stopping_monitor).name


def shown_metrics(row: Row, monitor: str) -> list[str]:
    """What is shown of an epoch: the monitored metric, the task's main one, losses, the rate."""
    headlines = [f"validation_{name}" for name in HEADLINES]
    shown = dict.fromkeys([monitor, *headlines, "validation_loss", "train_loss"])
    return [f"{name} {number(row[name])}" for name in shown if name in row] + [
        f"lr {row['lr']:.3g}"
    ]


def clock(seconds: float) -> str:
    """A duration as 1:05 or 2:00:00."""
    minutes, seconds_left = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"
