"""Threads that run the independent tasks of a step in parallel: results do not depend on them."""

import os
import socket
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

import numpy as np

from nettrain.autodiff.plan.shards import Task
from nettrain.errors import ConfigError
from nettrain.training.distributed.group import ProcessGroup

T = TypeVar("T")
U = TypeVar("U")

MOST_THREADS = 1024  # more is a mistake


def run_serially(tasks: Sequence[Task]) -> None:
    """Run tasks on this thread, one after the other."""
    for task in tasks:
        task()


def in_turn(do: Callable[[T, U], None], items: Iterable[T], places: Iterable[U]) -> list[Task]:
    """Tasks, one for each place, that take the next of the items until none is left.

    So threads end at about the same time, however long the items take.

    Args:
        do: Called with each item, and the place of the task that has taken it.
        items: Independent of each other.
        places: What one task alone may use.
    """
    waiting = deque(items)

    def take(place: U) -> None:
        while True:
            try:
                item = waiting.popleft()  # threads may call it at the same time
            except IndexError:
                return
            do(item, place)

    return [partial(take, place) for place in places]


def cores() -> int:
    """The number of processors that this process may use."""
    return len(_usable_processors())


def _usable_processors() -> Collection[int]:
    return (
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )


def usable_threads(threads: int | None, group: ProcessGroup | None = None) -> int:
    """The number of threads to use.

    Args:
        threads: What was asked for; None: as many as there are cores.
        group: Processes that share the cores they may use, where they are on one machine.

    Raises:
        ConfigError: It is no whole number from 1 to `MOST_THREADS`.
    """
    if threads is None:
        return cores() if group is None or group.size == 1 else _own_cores(group)
    if (
        isinstance(threads, bool)
        or not isinstance(threads, int)
        or not 1 <= threads <= MOST_THREADS
    ):
        raise ConfigError(
            f"threads: expected a whole number from 1 to {MOST_THREADS}, got {threads!r}"
        )
    return threads


def _own_cores(group: ProcessGroup) -> int:
    """As many as there are for each of the processes that may use the same ones."""
    here = [socket.gethostname(), sorted(_usable_processors())]
    return max(1, cores() // group.gather_values(here).count(here))


class ThreadPool:
    """Threads, the calling one among them. Each gets every n-th task and runs its own in order.

    Where the system allows no more threads, there are fewer, and the results are the same.

    NumPy and BLAS release the interpreter's lock while they compute. Use as a context manager,
    which ends the threads.
    """

    def __init__(self, threads: int) -> None:
        self._tasks: list[SimpleQueue[Sequence[Task] | None]] = []
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        for _ in range(threads - 1):
            tasks: SimpleQueue[Sequence[Task] | None] = SimpleQueue()
            try:
                Thread(target=self._work, args=(tasks,), daemon=True).start()
            except RuntimeError:  # "can't start new thread": a limit of processes or of memory
                break
            self._tasks.append(tasks)
        self.threads = len(self._tasks) + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for tasks in self._tasks:
            tasks.put(None)

    def run(self, tasks: Sequence[Task]) -> None:
        """Run the tasks; return when all are done. An exception in one of them is raised here."""
        helpers = max(0, min(len(tasks), self.threads) - 1)
        for i in range(helpers):
            self._tasks[i].put(tasks[i + 1 :: helpers + 1])
        failure: BaseException | None = None
        try:
            for task in tasks[:: helpers + 1]:
                task()
        finally:
            for _ in range(helpers):
                failure = self._done.get() or failure
        if failure is not None:
            raise failure

    def _work(self, queue: "SimpleQueue[Sequence[Task] | None]") -> None:
        with np.errstate(
            over="ignore", invalid="ignore", divide="ignore"
        ):  # as in the training loop: each thread has its own setting
            while (tasks := queue.get()) is not None:
                try:
                    for task in tasks:
                        task()
                    self._done.put(None)
                except BaseException as error:  # raised in the thread that waits
                    self._done.put(error)


class TaskRunner:
    """Runs the tasks of a run: serially, or on a pool of threads inside `on_threads`.

    Attributes:
        threads: That may be used now.
    """

    def __init__(self) -> None:
        self.threads = 1
        self._run = run_serially

    def run(self, tasks: Sequence[Task]) -> None:
        """Run independent tasks."""
        self._run(tasks)

    @contextmanager
    def on_threads(self, threads: int, useful: int) -> Iterator[None]:
        """Inside, tasks run on a pool.

        Args:
            threads: That may be used.
            useful: Tasks that there are at once at most; more threads are not started.
        """
        self.threads = threads
        with ThreadPool(min(threads, useful)) as pool:
            self._run = pool.run
            try:
                yield
            finally:
                self._run = run_serially
