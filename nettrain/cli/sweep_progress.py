"""What is seen of a sweep: the running trials, the best so far and the time left on a terminal; one line a finished trial elsewhere."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from nettrain.cli.output import console, say
from nettrain.cli.progress import clock
from nettrain.cli.render import number
from nettrain.config.messages import show
from nettrain.search.sweep.space import Setting
from nettrain.search.sweep.trial import Trial, ranked
from nettrain.search.sweep.trials import Observer

if TYPE_CHECKING:
    from rich.live import Live

    from nettrain.search.sweep.config import Sweep
    from nettrain.search.sweep.sweep import SweepResult

PAUSE = 0.2  # seconds between two drawings
MOST_SHOWN = 20  # trials in a table


@contextmanager
def progress(quiet: bool) -> Iterator[Observer]:
    """What sees the sweep go by. What it draws is finished when the block ends, however it ends."""
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
    """One line a finished trial: `trial 3 (4/40)  validation_accuracy 0.9359  optimizer.lr 0.0129  model.hidden [8]  0.1 s`."""

    def begin(self, sweep: "Sweep", trials: int | None, done: Sequence[Trial]) -> None:
        """Start the clock."""
        self._sweep = sweep
        self._total = trials
        self._done = list(done)
        self._earlier = len(done)
        self._began = time.monotonic()
        if done:
            self.tell(f"going on after {len(done)} trials")

    def ended(self, trial: Trial) -> None:
        """Write the line."""
        self._done.append(trial)
        self.tell(self.line(trial))

    def final(self, trial: Trial) -> None:
        """Say what comes."""
        self.tell(f"training trial {trial.index} on all rows but the test part")

    def line(self, trial: Trial) -> str:
        """Of a trial that is over."""
        counted = f"{len(self._done)}" + (f"/{self._total}" if self._total is not None else "")
        if trial.same_as is not None:
            became = f"as trial {trial.same_as}"
        elif trial.status == "finished":
            became = f"{trial.seconds:.1f} s"
        else:
            became = trial.status.replace("_", " ") + (
                f": {trial.message}" if trial.message else ""
            )
        score = (
            []
            if trial.metric is None
            else [f"{self._sweep.spec.metric.name} {number(trial.metric)}"]
        )
        return "  ".join(
            [f"trial {trial.index} ({counted})", *score, *setting_words(trial.parameters), became]
        )

    def tell(self, line: str) -> None:
        """Show a line that stays."""
        say(line)


class LiveTrials(TrialLines):
    """The running trials with epoch and value, the best so far, how many are done and how long the rest will take."""

    pause = PAUSE

    def __init__(self, live: "Live") -> None:
        self._live = live
        self._running: dict[int, tuple[Setting, str]] = {}
        self._drawn = 0.0
        self._last = ""

    def started(self, index: int, setting: Setting) -> None:
        """A row of its own."""
        self._running[index] = (setting, "begins")
        self.waited()

    def reported(self, index: int, epoch: int, value: float) -> None:
        """What the row says."""
        if index in self._running:
            self._running[index] = (self._running[index][0], f"epoch {epoch}  {number(value)}")
        self.waited()

    def ended(self, trial: Trial) -> None:
        """The row goes; what went wrong stays as a line above."""
        self._running.pop(trial.index, None)
        self._done.append(trial)
        if trial.status not in ("finished", "pruned"):
            self.tell(self.line(trial))
        self.waited()

    def final(self, trial: Trial) -> None:
        """Say what comes."""
        self._last = f"training trial {trial.index} on all rows but the test part"
        self.waited(at_once=True)

    def waited(self, *, at_once: bool = False) -> None:
        """Draw, at most five times a second."""
        now = time.monotonic()
        if at_once or now - self._drawn >= PAUSE:
            self._drawn = now
            self._live.update(self.drawn(now), refresh=True)

    def tell(self, line: str) -> None:
        """Above what moves."""
        self._live.console.print(Text(line))

    def drawn(self, now: float) -> Group:
        """What is seen at a moment of the monotonic clock."""
        rows = [
            Text(
                "  ".join([f"trial {index}", news, *setting_words(setting)]),
                no_wrap=True,
                overflow="ellipsis",
            )
            for index, (setting, news) in sorted(self._running.items())
        ]
        return Group(*rows, Text(self.headline(now), no_wrap=True, overflow="ellipsis"))

    def headline(self, now: float) -> str:
        """Done, time, best."""
        if self._last:
            return self._last
        elapsed, done = now - self._began, len(self._done) - self._earlier
        counted = f"{len(self._done)}" + (f" of {self._total}" if self._total is not None else "")
        parts = [f"{counted} trials", f"{clock(elapsed)} gone"]
        if self._total is not None and done:
            parts.append(f"{clock(elapsed / done * (self._total - len(self._done)))} left")
        ranking = ranked(self._done, maximize=self._sweep.maximize)
        if ranking:
            parts.append(
                f"best {self._sweep.spec.metric.name} {number(ranking[0].metric)} (trial {ranking[0].index})"
            )
        return "  ".join(parts)


def setting_words(setting: Setting) -> list[str]:
    """`optimizer.lr 0.0129`, a word a parameter."""
    return [f"{path} {value_words(value)}" for path, value in setting.items()]


def value_words(value: object) -> str:
    """A value, short."""
    return (
        f"{value:.4g}"
        if isinstance(value, float)
        else value
        if isinstance(value, str)
        else show(value)
    )


def trials_table(result: "SweepResult") -> Table:
    """The best trials, the best first, with their settings; then those that came to nothing, counted."""
    ranking = result.ranking
    paths = list(dict.fromkeys(path for trial in result.trials for path in trial.parameters))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("trial", result.metric, *paths):
        table.add_column(Text(title), overflow="fold", justify="right")
    for trial in ranking[:MOST_SHOWN]:
        cells = [Text(value_words(trial.parameters.get(path, ""))) for path in paths]
        table.add_row(str(trial.index), number(trial.metric), *cells)
    others = {
        status: sum(trial.status == status for trial in result.trials)
        for status in dict.fromkeys(t.status for t in result.trials)
    }
    counted = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in others.items())
    shown = f"the best {MOST_SHOWN} of them; " if len(ranking) > MOST_SHOWN else ""
    table.caption = f"{shown}{len(result.trials)} trials: {counted}"
    table.caption_justify = "left"
    return table
