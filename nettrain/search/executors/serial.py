"""The executor that makes one run after the other in this process, where a debugger sees all."""

from collections.abc import Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from nettrain.data.loader import Loader
from nettrain.search.executors.base import DatasetInfo, Ended, Executor, Job, Reported
from nettrain.search.executors.job import describe_dataset, run_job
from nettrain.training.callbacks import Callback
from nettrain.training.run import Run


class Closed(BaseException):
    """Ends the run that is under way when the executor is closed."""


class Serial(Executor):
    """One slot, in this process; a run that crashes the process ends the search too.

    The run has a thread of its own, which runs only while `next_event` waits for it.
    """

    slots = 1

    def __init__(self) -> None:
        self._loader = Loader()
        self._thread: _Thread | None = None

    def prepare(
        self, config: Mapping[str, Any], monitor: str | None = None, *, allow_plugins: bool = False
    ) -> DatasetInfo:
        """Load the data here, and keep it for the jobs."""
        return describe_dataset(config, monitor, allow_plugins=allow_plugins, loader=self._loader)

    def submit(self, job: Job) -> None:
        """It begins when the next event is asked for."""
        self._thread = _Thread(job, self._loader)
        self._thread.start()

    def next_event(self, timeout: float | None = None) -> Reported | Ended | None:
        """Let the run continue to its next report, or its end."""
        return self._thread.next_event(timeout) if self._thread is not None else None

    def prune(self, index: int) -> None:
        """Tell the run before it continues."""
        if self._thread is not None and self._thread.job.index == index:
            self._thread.pruned = True

    def close(self) -> None:
        """The run ends after its batch."""
        if self._thread is not None:
            self._thread.end()


class _Thread(Thread):
    """One run. It waits after each report until the next event is asked for."""

    def __init__(self, job: Job, loader: Loader) -> None:
        super().__init__(daemon=True)
        self.job = job
        self.pruned = False
        self._loader = loader
        self._closed = False
        self._waits = True
        self._continue: SimpleQueue[None] = SimpleQueue()
        self._events: SimpleQueue[Reported | Ended | BaseException] = SimpleQueue()

    def run(self) -> None:
        """What the thread does."""
        try:
            self._wait()
            self._events.put(run_job(self.job, self, self._loader, [_Stop(self)]))
        except Closed:
            return
        except BaseException as error:  # raised in the thread that waits for the event
            self._events.put(error)

    def next_event(self, timeout: float | None) -> Reported | Ended | None:
        if self._waits:
            self._waits = False
            self._continue.put(None)
        try:
            event = self._events.get(timeout=timeout)
        except Empty:
            return None
        if isinstance(event, BaseException):
            raise event
        self._waits = isinstance(event, Reported)
        return event

    def report(self, epoch: int, value: float) -> None:
        self._events.put(Reported(self.job.index, epoch, value))
        self._wait()

    def cancelled(self) -> bool:
        return self.pruned

    def end(self) -> None:
        self._closed = True
        self._continue.put(None)
        self.join()

    def check(self) -> None:
        if self._closed:
            raise Closed

    def _wait(self) -> None:
        self._continue.get()
        self.check()


class _Stop(Callback):
    """Ends the run after a batch, once the executor is closed."""

    def __init__(self, thread: _Thread) -> None:
        self._thread = thread

    def batch_end(self, run: Run) -> None:
        self._thread.check()
