"""The progress of a search: what runs, the best so far and the time remaining on a terminal.

Elsewhere there is one line per finished trial, fold or member.
"""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group

from nettrain.cli.live_display import LiveDisplay
from nettrain.cli.output import console, say
from nettrain.cli.progress import clock
from nettrain.cli.render import number
from nettrain.cli.status_line import status_line
from nettrain.cli.table import NumberTable
from nettrain.config.messages import show
from nettrain.search.observer import Observer, Outcome, Overview

if TYPE_CHECKING:
    from nettrain.search.sweep.result import SweepResult

PAUSE = 0.2  # seconds between two drawings
MAX_ROWS = 20  # trials in a table


@contextmanager
def progress(quiet: bool) -> Iterator[Observer]:
    """Yield the observer of a search; what it draws is complete when the block ends."""
    if quiet:
        yield Observer()
        return
    terminal = console(stderr=True) if sys.stderr.isatty() else None
    if terminal is None or terminal.is_dumb_terminal:
        yield RunLines()
        return
    with LiveDisplay(terminal) as live:
        yield LiveRuns(live)


class RunLines(Observer):
    """One line per finished trial, fold or member.

    `trial 3 (4/40)  validation_accuracy 0.9359  optimizer.lr 0.0129  0.1 s`
    """

    def begin(self, overview: Overview) -> None:
        """Start the clock."""
        self._overview = overview
        self._done = list(overview.done)
        self._began = time.monotonic()
        if overview.done:
            self.write(f"resuming after {len(overview.done)} {overview.parts}")

    def ended(self, outcome: Outcome) -> None:
        """Print the line."""
        self._count(outcome)
        self.write(self.line(outcome))

    def note(self, text: str) -> None:
        """Print a line."""
        self.write(text)

    def line(self, outcome: Outcome) -> str:
        """The line of a part that has ended."""
        scores = [f"{name} {number(value)}" for name, value in outcome.scores.items()]
        counted = "" if outcome.index is None else f" ({self._counted('/')})"
        words = [*scores, *setting_words(outcome.setting), _ending(outcome)]
        return "  ".join([f"{outcome.name}{counted}", *words])

    def write(self, line: str) -> None:
        """Print a line that stays."""
        say(line)

    def _count(self, outcome: Outcome) -> None:
        if outcome.index is not None:
            self._done.append(outcome)

    def _counted(self, separator: str) -> str:
        total = self._overview.total
        return f"{len(self._done)}" + ("" if total is None else f"{separator}{total}")


class LiveRuns(RunLines):
    """What runs with epoch and value, the best so far, and the time remaining."""

    pause = PAUSE

    def __init__(self, live: LiveDisplay) -> None:
        self._live = live
        self._running: dict[str, tuple[Mapping[str, object], str]] = {}
        self._drawn = 0.0

    def started(self, name: str, setting: Mapping[str, object]) -> None:
        """Add a row."""
        self._running[name] = (setting, "starting")
        self.waited()

    def reported(self, name: str, epoch: int, value: float) -> None:
        """Update the row."""
        if name in self._running:
            self._running[name] = (self._running[name][0], f"epoch {epoch}  {number(value)}")
        self.waited()

    def ended(self, outcome: Outcome) -> None:
        """Remove the row; a failure stays as a line above."""
        self._running.pop(outcome.name, None)
        self._count(outcome)
        if outcome.status not in ("finished", "pruned"):
            self.write(self.line(outcome))
        self.waited()

    def waited(self) -> None:
        """Draw, at most five times per second."""
        now = time.monotonic()
        if now - self._drawn >= PAUSE:
            self._drawn = now
            self._live.update(self.drawn(now))

    def write(self, line: str) -> None:
        """Print above the moving lines."""
        self._live.print(line)

    def drawn(self, now: float) -> Group:
        """The moving lines at `now`, a time of the monotonic clock."""
        width = self._live.width
        lines = [
            status_line([name, state, *setting_words(setting)], width)
            for name, (setting, state) in self._running.items()
        ]
        return Group(*lines, status_line(self.headline(now), width))

    def headline(self, now: float) -> list[str]:
        """The best value so far, trials done, and times: the most important first."""
        overview = self._overview
        elapsed, done = now - self._began, len(self._done) - len(overview.done)
        parts = [*self._best(), f"{self._counted(' of ')} {overview.parts}"]
        if overview.total is not None and done:
            remaining = elapsed / done * (overview.total - len(self._done))
            parts.append(f"{clock(remaining)} remaining")
        return [*parts, f"{clock(elapsed)} elapsed"]

    def _best(self) -> list[str]:
        overview = self._overview
        metric = overview.metric or ""
        scores = {
            one.name: one.scores[metric]
            for one in self._done
            if metric in one.scores and one.status == "finished" and not one.same_as
        }
        if not scores:
            return []
        best = (max if overview.maximize else min)(scores, key=scores.__getitem__)
        return [f"best {metric} {number(scores[best])} ({best})"]


def _ending(outcome: Outcome) -> str:
    if outcome.same_as is not None:
        return f"same as {outcome.same_as}"
    if outcome.status != "finished":
        return outcome.status.replace("_", " ") + (
            f": {outcome.message}" if outcome.message else ""
        )
    trained = "" if outcome.epochs is None else f"{outcome.epochs} epochs in "
    return f"{trained}{outcome.seconds:.1f} s"


def setting_words(setting: Mapping[str, object]) -> list[str]:
    """One item per parameter: `optimizer.lr 0.0129`."""
    return [f"{path} {value_words(value)}" for path, value in setting.items()]


def value_words(value: object) -> str:
    """A value in few characters."""
    return (
        f"{value:.4g}"
        if isinstance(value, float)
        else value
        if isinstance(value, str)
        else show(value)
    )


def trials_table(result: "SweepResult") -> NumberTable:
    """The best trials with their settings; the caption counts all trials by status."""
    ranking = result.ranking
    paths = list(dict.fromkeys(path for trial in result.trials for path in trial.parameters))
    table = NumberTable("trial", result.metric, *paths, complete="trials.csv has all", ranked=True)
    for trial in ranking[:MAX_ROWS]:
        cells = [value_words(trial.parameters.get(path, "")) for path in paths]
        table.add_row(str(trial.index), number(trial.metric), *cells)
    statuses = [trial.status for trial in result.trials]
    counted = ", ".join(
        f"{statuses.count(status)} {status.replace('_', ' ')}" for status in dict.fromkeys(statuses)
    )
    shown = f"the best {MAX_ROWS} of them; " if len(ranking) > MAX_ROWS else ""
    table.caption = f"{shown}{len(result.trials)} trials: {counted}"
    return table
