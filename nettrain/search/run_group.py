"""The run group: the work in one search's directory, by one process at a time, on one executor."""

import math
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nettrain.errors import Diverged, NettrainError
from nettrain.inspection.file_shapes import SUMMARY, json_object
from nettrain.search.directory import SearchKind
from nettrain.search.executors.base import Ended, Executor, Job, Reported
from nettrain.search.executors.registry import executor_for
from nettrain.search.observer import Observer, Outcome
from nettrain.training.artifacts.directory import locked
from nettrain.training.artifacts.files import remove_temporaries
from nettrain.training.loop import Interrupted
from nettrain.training.signals import stop_signals

WAIT = 0.2  # seconds between two looks at signals
SHOWN = 2  # metrics of a run that observers see
WRITTEN = (".", "splits", "checkpoints")  # folders of a search; those of a run are its own affair

RunResult = Mapping[str, Any]  # `nettrain.training.run.Result` as JSON has it


class RunFailed(NettrainError):
    """A run failed though its data and network had been found good."""

    exit_code = 1


class JobSource(ABC):
    """Gives the jobs of a search one by one, and takes what becomes of them."""

    @abstractmethod
    def next_job(self) -> Job | None:
        """The next job; None where there is none, or none before another has ended."""

    @abstractmethod
    def receive(self, event: Reported | Ended) -> None:
        """An event of a job that was given."""


class RunGroup:
    """Runs that belong together: trials of a sweep, folds of a cv, members of an ensemble.

    Attributes:
        path: The directory, absolute.
        executor: Where the runs are made.
        observer: What sees them go by.
        resume_command: What the user types to resume.
    """

    def __init__(
        self,
        path: Path,
        executor: Executor,
        observer: Observer,
        resume_command: str,
        signalled: Callable[[], int | None] = lambda: None,
    ) -> None:
        self.path = path
        self.executor = executor
        self.observer = observer
        self.resume_command = resume_command
        self._signalled = signalled

    @classmethod
    @contextmanager
    def at_work(
        cls, path: Path, kind: SearchKind, executor: Executor, observer: Observer | None = None
    ) -> Iterator["RunGroup"]:
        """Lock the directory, and let signals end the work between two events.

        What a process that was killed has left half written is removed.

        Raises:
            RunError: Another process works in the directory.
        """
        command = f"{kind.command} --resume {shlex.quote(str(path))}"
        with locked(path), stop_signals() as signalled:
            for folder in WRITTEN:
                remove_temporaries(path / folder)
            group = cls(path, executor, observer or Observer(), command, signalled)
            for note in executor.notes:
                group.observer.note(note)
            yield group

    def job(self, index: int, config: Mapping[str, Any], name: str, *, allow_plugins: bool) -> Job:
        """A run in the group's directory, which reports as often as the observer wants it to."""
        pause = self.observer.pause
        monitor = None if math.isinf(pause) else "train_loss"
        return Job(index, config, str(self.path), name, monitor, pause, allow_plugins=allow_plugins)

    def run(self, source: JobSource) -> None:
        """Make all jobs of a source, as many at the same time as the executor has slots.

        Raises:
            Interrupted: A signal came.
        """
        under_way = 0
        while True:
            while under_way < self.executor.slots and (job := source.next_job()) is not None:
                under_way += 1
                self.executor.submit(job)
            if not under_way:
                return
            event = self.executor.next_event(WAIT)
            self.observer.waited()
            if event is not None:
                under_way -= isinstance(event, Ended)
                source.receive(event)
            if (number := self._signalled()) is not None:
                raise Interrupted(f"interrupted; to resume: {self.resume_command}", number)

    def run_required(self, jobs: Sequence[Job], *, part: str | None = None) -> list[RunResult]:
        """The results of jobs that are all needed, in their order.

        Those that an earlier session has finished are not made again.

        Args:
            jobs: With different indices.
            part: The part of the data whose metrics observers see; None: the most held out.

        Raises:
            Diverged, RunFailed: The first run that does not finish.
            Interrupted: A signal came.
        """
        source = _RequiredRuns(jobs, self, part)
        self.run(source)
        return [source.results[job.index] for job in jobs]


class _RequiredRuns(JobSource):
    """Jobs of which none may fail."""

    def __init__(self, jobs: Sequence[Job], group: RunGroup, part: str | None) -> None:
        known = {job.index: finished_result(Path(job.parent) / job.name) for job in jobs}
        self.results = {index: result for index, result in known.items() if result is not None}
        self._jobs = {job.index: job for job in jobs}
        self._waiting = [job for job in jobs if job.index not in self.results]
        self._group = group
        self._part = part

    def next_job(self) -> Job | None:
        if not self._waiting:
            return None
        job = self._waiting.pop(0)
        self._group.observer.started(job.name, {})
        return job

    def receive(self, event: Reported | Ended) -> None:
        job, observer = self._jobs[event.index], self._group.observer
        if isinstance(event, Reported):
            observer.reported(job.name, event.epoch, event.value)
            return
        if event.status != "finished" or event.result is None:
            raise _failure(job, event, self._group.resume_command)
        self.results[job.index] = event.result
        observer.ended(run_outcome(job.name, job.index, event.result, self._part))


def run_outcome(
    name: str, index: int | None, result: RunResult, part: str | None = None
) -> Outcome:
    """What observers see of a finished run. part: as in `RunGroup.run_required`."""
    metrics = result["metrics"]
    part = part or next(part for part in ("test", "validation", "train") if part in metrics)
    shown = {f"{part}_{metric}": value for metric, value in list(metrics[part].items())[:SHOWN]}
    return Outcome(
        name,
        None if name == "final" else index,
        scores={metric: value for metric, value in shown.items() if value is not None},
        seconds=result["seconds"],
        epochs=result["epochs"],
    )


def finished_result(directory: Path) -> RunResult | None:
    """The result of a run that has come to its end; None where it has not, or there is none."""
    result = json_object(directory / "summary.json", SUMMARY)
    complete = all(result.get(key) is not None for key in ("metrics", "seconds", "epochs"))
    return result if complete and result["metrics"] else None


@contextmanager
def ready_executor(executor: str | Executor, workers: int | None) -> Iterator[Executor]:
    """An executor by its name, closed at the end of the block; or one that the caller closes."""
    if isinstance(executor, Executor):
        yield executor
        return
    with executor_for(executor, workers) as made:
        yield made


def _failure(job: Job, event: Ended, resume_command: str) -> NettrainError:
    path = Path(job.parent) / job.name
    if event.status == "diverged":
        return Diverged(f"{path}: {event.message}")
    how = event.status.replace("_", " ")
    return RunFailed(f"{path}: {how}: {event.message}; to try once more: {resume_command}")
