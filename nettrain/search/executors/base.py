"""The contract of every executor: runs are handed in as plain data, what becomes of them comes back as plain data."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

Status = Literal["finished", "pruned", "diverged", "failed", "killed", "out_of_memory"]


@dataclass(frozen=True)
class Job:
    """One run to be made: all that decides it, in a form that travels to another process or machine.

    index    given back with every event
    config   a complete run configuration, as a mapping
    parent   the folder in which the run directory is made, and `name`, its name there; one that is there already is made again
    monitor  a metric of every epoch that is reported while the run goes on; None: nothing is
    pause    the least seconds between two reports; 0: every epoch is reported
    held_out   parts of the data that the run does not evaluate at its end
    """

    index: int
    config: Mapping[str, Any]
    parent: str
    name: str
    monitor: str | None = None
    pause: float = 0.0
    held_out: Sequence[str] = ()


@dataclass(frozen=True)
class DatasetInfo:
    """What a configuration's data is: the task, and the rows of each part."""

    task: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Reported:
    """A run has ended an epoch with this value of its monitored metric."""

    index: int
    epoch: int
    value: float


@dataclass(frozen=True)
class Ended:
    """A run is over, one way or another: exactly one of these comes for each job.

    result   `Result` as a mapping, where it finished
    message  what went wrong, where it did not
    seconds  from its start to its end
    """

    index: int
    status: Status
    result: Mapping[str, Any] | None
    message: str
    seconds: float


class Executor(ABC):
    """Runs jobs side by side, each on one thread. Use as a context manager: at its end no process of it is left.

    slots  how many jobs can be under way; no more may be submitted before one has ended
    notes  what the user should know of where jobs run, a sentence each
    """

    slots: int
    notes: Sequence[str] = ()

    @abstractmethod
    def prepare(self, config: Mapping[str, Any], monitor: str | None = None) -> DatasetInfo:
        """Load the data of a complete configuration where jobs will run, once a machine; called before the first job, if at all.

        Raises what keeps the configuration from being trained, or the metric from being logged, as its ConfigError or DataError.
        """

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Begin a job. Its status tells whether a job went wrong, never an exception here."""

    @abstractmethod
    def next_event(self, timeout: float | None = None) -> Reported | Ended | None:
        """What happened next; None after `timeout` seconds in which nothing did."""

    @abstractmethod
    def prune(self, index: int) -> None:
        """Ask a job to end after its next epoch; it then ends as `pruned` (or finishes, if it was at its end)."""

    @abstractmethod
    def close(self) -> None:
        """End whatever is still under way, and all processes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
