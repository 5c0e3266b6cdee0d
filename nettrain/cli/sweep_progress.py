"""The progress of a sweep: a live view on a terminal, one line per finished trial elsewhere."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from nettrain.cli.output import console, say
from nettrain.cli.progress import clock
from nettrain.cli.render import number
from nettrain.cli.table import NumberTable
from nettrain.config.messages import show
from nettrain.search.sweep.space import Setting
from nettrain.search.sweep.trial import Trial, ranked
from nettrain.search.sweep.trials import Observer

if TYPE_CHECKING:
    from rich.live import Live

    from nettrain.search.sweep.config import Sweep
    from nettrain.search.sweep.sweep import SweepResult

PAUSE = 0.2  # seconds between two drawings
MAX_ROWS = 20  # trials in a table


@contextmanager
def progress(quiet: bool) -> Iterator[Observer]:
    """Yield the observer; what it draws is complete when the block ends, however it ends."""
    if quiet:
        yield Observer()
        return
    terminal = console(stderr=True) if sys.stderr.isatty() else None
    if terminal is None or terminal.is_dumb_terminal:
        yield TrialLines()
        return
    from rich.live import Live

    with Live(console=terminal, auto_refresh=False) as live:
        yield LiveTrials(live)


class TrialLines(Observer):
    """One line per finished trial: `trial 3 (4/40)  validation_loss 0.93  optimizer.lr 0.01`."""

    def begin(self, sweep: "Sweep", trials: int | None, done: Sequence[Trial]) -> None:
        """Start the clock."""
        self._sweep = sweep
        self._total = trials
        self._done = list(done)
        self._earlier = len(done)
        self._began = time.monotonic()
        if done:
            self.write(f"resuming after {len(done)} trials")

    def ended(self, trial: Trial) -> None:
        """Print the line."""
        self._done.append(trial)
        self.write(self.line(trial))

    def final(self, trial: Trial) -> None:
        """Announce the final training."""
        self.write(f"retraining trial {trial.index} on training + validation data")

    def line(self, trial: Trial) -> str:
        """The line of a trial that is over."""
        counted = f"{len(self._done)}" + (f"/{self._total}" if self._total is not None else "")
        if trial.same_as is not None:
            outcome = f"same as trial {trial.same_as}"
        elif trial.status == "finished":
            outcome = f"{trial.seconds:.1f} s"
        else:
            outcome = trial.status.replace("_", " ") + (
                f": {trial.message}" if trial.message else ""
            )
        score = (
            []
            if trial.metric is None
            else [f"{self._sweep.spec.metric.name} {number(trial.metric)}"]
        )
        return "  ".join(
            [f"trial {trial.index} ({counted})", *score, *setting_words(trial.parameters), outcome]
        )

    def write(self, line: str) -> None:
        """Print a line that stays."""
        say(line)


class LiveTrials(TrialLines):
    """The running trials with epoch and value, the best so far, and the time remaining."""

    pause = PAUSE

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._running: dict[int, tuple[Setting, str]] = {}
        self._drawn = 0.0
        self._last = ""

    def started(self, index: int, setting: Setting) -> None:
        """Add a row for the trial."""
        self._running[index] = (setting, "starting")
        self.waited()

    def reported(self, index: int, epoch: int, value: float) -> None:
        """Update the row."""
        if index in self._running:
            self._running[index] = (self._running[index][0], f"epoch {epoch}  {number(value)}")
        self.waited()

    def ended(self, trial: Trial) -> None:
        """Remove the row; a failure stays as a line above."""
        self._running.pop(trial.index, None)
        self._done.append(trial)
        if trial.status not in ("finished", "pruned"):
            self.write(self.line(trial))
        self.waited()

    def final(self, trial: Trial) -> None:
        """Announce the final training."""
        self._last = f"retraining trial {trial.index} on training + validation data"
        self.waited(at_once=True)

    def waited(self, *, at_once: bool = False) -> None:
        """Draw, at most five times a second."""
        now = time.monotonic()
        if at_once or now - self._drawn >= PAUSE:
            self._drawn = now
            self._live.update(self.drawn(now), refresh=True)

    def write(self, line: str) -> None:
        """Print above the moving lines."""
        self._live.console.print(Text(line))

    def drawn(self, now: float) -> Group:
        """The moving lines at `now`, a time of the monotonic clock."""
        rows = [
            Text(
                "  ".join([f"trial {index}", state, *setting_words(setting)]),
                no_wrap=True,
                overflow="ellipsis",
            )
            for index, (setting, state) in sorted(self._running.items())
        ]
        return Group(*rows, Text(self.headline(now), no_wrap=True, overflow="ellipsis"))

    def headline(self, now: float) -> str:
        """Trials done, time, best value so far."""
        if self._last:
            return self._last
        elapsed, done = now - self._began, len(self._done) - self._earlier
        counted = f"{len(self._done)}" + (f" of {self._total}" if self._total is not None else "")
        parts = [f"{counted} trials", f"{clock(elapsed)} elapsed"]
        if self._total is not None and done:
            parts.append(f"{clock(elapsed / done * (self._total - len(self._done)))} remaining")
        ranking = ranked(self._done, maximize=self._sweep.maximize)
        if ranking:
            parts.append(
                f"best {self._sweep.spec.metric.name} {number(ranking[0].metric)} "
                f"(trial {ranking[0].index})"
            )
        return "  ".join(parts)


def setting_words(setting: Setting) -> list[str]:
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
    table = NumberTable("trial", result.metric, *paths, complete="trials.csv has all")
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
