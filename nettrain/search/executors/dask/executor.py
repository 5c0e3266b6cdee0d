"""The executor of a cluster: Dask's scheduler places runs, and retries those of dead workers."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Future, KilledWorker

from nettrain import errors
from nettrain.errors import RunError
from nettrain.search.executors.base import DatasetInfo, Ended, Executor, Job, Reported
from nettrain.search.executors.dask import worker as dask_worker
from nettrain.search.executors.dask.cluster import GRACE, Cluster, SchedulerLost, unshared
from nettrain.search.executors.job import describe_failure

WATCH = 1.0  # seconds between two looks at which workers there are
RESULT = 5.0  # seconds for a result of a few kilobytes to come; its worker may have died with it


@dataclass
class _UnderWay:
    """worker: the address of the one that has reported last."""

    job: Job
    future: Future
    began: float
    worker: str | None = None


class Dask(Executor):
    """Makes one run per worker at a time.

    A run whose worker dies is made again, as often as the scheduler's `allowed-failures` says. When
    the scheduler dies and comes back at its address, all that was under way is submitted again.

    Args:
        address: Of a scheduler, or the name of a batch system; None: a cluster on this machine,
            which ends with the executor.
        max_parallelism: How many jobs may be under way; None: as many as workers, or as cores for a
            cluster of its own.
    """

    def __init__(self, address: str | None = None, max_parallelism: int | None = None) -> None:
        self._max_parallelism = max_parallelism
        self._name = f"nettrain-{uuid.uuid4().hex[:12]}"
        self._under_way: dict[int, _UnderWay] = {}
        self._events: SimpleQueue[Reported | RunError | tuple[int, Future]] = SimpleQueue()
        self._submitted = 0
        self._next_look = 0.0
        self._cluster = Cluster(address, max_parallelism)
        self.notes = self._cluster.notes
        self._listen()
        self._look()

    def _listen(self) -> None:
        self._client = self._cluster.client
        self._client.subscribe_topic(self._name, self._receive)

    def prepare(
        self, config: Mapping[str, Any], monitor: str | None = None, *, allow_plugins: bool = False
    ) -> DatasetInfo:
        """In every worker."""
        text = json.dumps(config)
        futures = [
            self._client.submit(
                dask_worker.prepare,
                text,
                monitor,
                allow_plugins,
                key=f"{self._name}-data-{uuid.uuid4().hex}",
                workers=[address],
                allow_other_workers=True,
            )
            for address in self._cluster.workers()
        ]
        answers = [json.loads(future.result()) for future in futures]
        for answer in answers:
            if "refused" in answer:
                raise getattr(errors, answer["refused"], errors.NettrainError)(answer["message"])
        return DatasetInfo(**answers[0]["info"])

    def submit(self, job: Job) -> None:
        """To the scheduler. Storage that is not shared is told with the next event."""
        try:
            self._submit(job)
        except SchedulerLost:
            self._submit_again([*(one.job for one in self._under_way.values()), job])

    def _submit(self, job: Job) -> None:
        folder = Path(job.parent)
        key = f"{self._name}-{self._submitted}"
        self._submitted += 1
        try:
            try:
                folder = self._cluster.share(folder)
            except RunError as error:
                self._events.put(error)
            future = self._client.submit(
                dask_worker.make,
                json.dumps(asdict(job)),
                str(folder),
                self._name,
                key=key,
                pure=False,
            )
        except OSError:
            raise SchedulerLost from None
        self._under_way[job.index] = _UnderWay(job, future, time.monotonic())
        self._await(job.index, future)

    def next_event(self, timeout: float | None = None) -> Reported | Ended | None:
        """What workers and the scheduler report.

        Raises:
            RunError: The scheduler is gone and does not come back, or all workers have been gone
                for a minute.
        """
        last = None if timeout is None else time.monotonic() + timeout
        while True:
            left = WATCH if last is None else min(WATCH, last - time.monotonic())
            try:
                self._look()
                event = self._event(self._events.get(timeout=max(left, 0.0)))
            except Empty:
                if last is not None and time.monotonic() >= last:
                    return None
                continue
            except SchedulerLost:
                self._submit_again([one.job for one in self._under_way.values()])
                continue
            if event is not None:
                return event

    def _submit_again(self, jobs: Sequence[Job]) -> None:
        """Once the scheduler is back, which knows of none."""
        self._under_way.clear()
        try:
            self._cluster.connect_again()
            self._listen()
            for job in jobs:
                self._submit(job)
        except SchedulerLost:
            self._submit_again(jobs)

    def prune(self, index: int) -> None:
        """Tell the worker that has reported this run; before its first report none is known."""
        under_way = self._under_way.get(index)
        if under_way is not None and under_way.worker is not None:
            self._client.run(
                dask_worker.cancel,
                under_way.future.key,
                workers=[under_way.worker],
                on_error="ignore",
            )

    def close(self) -> None:
        """End the runs under way after their batch, and a cluster of its own with its workers."""
        futures = [one.future for one in self._under_way.values()]
        self._under_way = {}
        try:
            with suppress(OSError):
                if futures and self._client.status == "running":
                    self._abandon(futures)
        finally:
            self._cluster.close()

    def _look(self) -> None:
        """Workers may come and go."""
        if time.monotonic() < self._next_look:
            return
        count = len(self._cluster.workers())
        self.slots = max(1, min(count, self._max_parallelism or count))
        self._next_look = time.monotonic() + WATCH

    def _await(self, index: int, future: Future) -> None:
        future.add_done_callback(lambda done: self._events.put((index, done)))

    def _receive(self, event: tuple[float, dict[str, Any]]) -> None:
        """A report; in the client's own thread."""
        _, message = event
        under_way = self._under_way.get(message["index"])
        if under_way is not None:
            under_way.worker = message.pop("worker")
            self._events.put(Reported(**message))

    def _event(self, event: Reported | RunError | tuple[int, Future]) -> Reported | Ended | None:
        if isinstance(event, RunError):
            raise event
        if isinstance(event, Reported):
            return event if event.index in self._under_way else None
        index, future = event
        under_way = self._under_way.get(index)
        if under_way is None or under_way.future is not future:
            return None  # of a scheduler that is gone
        ended = self._ended(under_way)
        if ended is None:
            self._await(index, future)
        else:
            del self._under_way[index]
        return ended

    def _ended(self, under_way: _UnderWay) -> Ended | None:
        """How a finished task ended; None where its worker died with the result: it is retried."""
        index, future, seconds = (
            under_way.job.index,
            under_way.future,
            time.monotonic() - under_way.began,
        )
        try:
            if future.status == "error":
                error = future.exception(timeout=RESULT)
                if isinstance(error, KilledWorker):
                    deaths = error.allowed_failures + 1
                    message = (
                        f"its worker died {deaths} times; if nobody killed it, the machine is "
                        "short of memory"
                    )
                    return Ended(index, "killed", None, message, seconds)
                status, message = describe_failure(error)
                return Ended(index, status, None, message, seconds)
            if future.status == "cancelled" or self._client.status != "running":
                raise SchedulerLost
            answer = json.loads(future.result(timeout=RESULT))
        except TimeoutError:
            return None
        except OSError:
            raise SchedulerLost from None
        if "unshared" in answer:
            raise unshared(answer["unshared"], Path(under_way.job.parent))
        return Ended(**answer["ended"])

    def _abandon(self, futures: list[Future]) -> None:
        """Wait until the workers have let go of the runs."""
        self._client.cancel(futures)
        last = time.monotonic() + GRACE
        while time.monotonic() < last and any(
            self._client.run(dask_worker.busy, self._name, on_error="ignore").values()
        ):
            time.sleep(0.02)
