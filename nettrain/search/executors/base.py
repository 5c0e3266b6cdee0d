"""The contract of executors: jobs go in and events come out, both as plain data."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

Status = Literal[
    "finished", "pruned", "diverged", "failed", "killed", "out_of_memory", "system_error"
]


@dataclass(frozen=True)
class Job:
    """One run: all that decides it, in a form that travels to another process or machine.

    Attributes:
        index: Given back with every event.
        config: A complete run configuration, as a mapping.
        parent: The folder in which the run directory is made.
        name: The directory's name there; one that exists is made again.
        monitor: A metric that is reported after each epoch; None: nothing is reported.
        pause: The least seconds between two reports; 0: every epoch is reported.
        held_out: Parts of the data that the run does not evaluate at its end.
        allow_plugins: Whether the Python files that the configuration names may be imported.
    """

    index: int
    config: Mapping[str, Any]
    parent: str
    name: str
    monitor: str | None = None
    pause: float = 0.0
    held_out: Sequence[str] = ()
    allow_plugins: bool = False


@dataclass(frozen=True)
class DatasetInfo:
    """What the data of a configuration is: its task, and the number of rows of each part."""

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
    """A run has ended: exactly one of these comes for each job.

    Attributes:
        status: failed: by its configuration, its data, or a fault of the code. killed: its process
            was. system_error: a full or failing disk, no permission, too many open files.
        result: `nettrain.training.run.Result` as a mapping, where it finished or was pruned.
        message: What went wrong, where it did not.
        seconds: From its start to its end.
    """

    index: int
    status: Status
    result: Mapping[str, Any] | None
    message: str
    seconds: float


class Executor(ABC):
    """Runs jobs at the same time, each on one thread.

    Use it as a context manager: at its end, none of its processes is left.

    Attributes:
        slots: How many jobs can be under way; one more may be submitted when one has ended.
        notes: What the user should know about where jobs run, a sentence each.
    """

    slots: int
    notes: Sequence[str] = ()

    @abstractmethod
    def prepare(
        self, config: Mapping[str, Any], monitor: str | None = None, *, allow_plugins: bool = False
    ) -> DatasetInfo:
        """Load the data of a complete configuration where jobs will run, before the first job.

        Raises:
            NettrainError: The configuration cannot be trained, or the metric is not logged.
        """

    @abstractmethod
    def submit(self, job: Job) -> None:
        """Begin a job. What goes wrong with it is in its `Ended`, never an exception here."""

    @abstractmethod
    def next_event(self, timeout: float | None = None) -> Reported | Ended | None:
        """What happened next; None after `timeout` seconds in which nothing did."""

    @abstractmethod
    def prune(self, index: int) -> None:
        """Ask a job to end after its next epoch.

        It then ends as `pruned`, or finishes if that was its last epoch.
        """

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
