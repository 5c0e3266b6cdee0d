"""The next batch gathered while this one computes."""

from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

import numpy as np

from nettrain.training.engine.batch import Batch

BatchRequest = tuple[np.ndarray, int, int]  # rows, step, micro-batch: what `Batch.gather` takes


class Prefetch:
    """A thread that gathers announced rows into a second batch, from which `gather` copies them.

    Rows that were not announced are gathered when they are asked for: results do not depend on what
    was announced. An exception of the thread is raised by the `gather` that asked for its rows. Use
    as a context manager, which ends the thread.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._staged = Batch(batch.part, len(batch), batch.x.dtype, batch.augmenter, batch.read)
        self._asked: SimpleQueue[BatchRequest | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._announced: BatchRequest | None = None
        self._thread = Thread(target=self._work, name="prefetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._asked.put(None)
        self._thread.join()

    def announce(self, request: BatchRequest) -> None:
        """Begin to gather what the next call of `gather` will want."""
        self._announced = request
        self._asked.put(request)

    def gather(self, rows: np.ndarray, step: int = 0, micro_batch: int = 0) -> None:
        """Fill the batch, as its own `gather` does."""
        announced, self._announced = self._announced, None
        failure = (
            None if announced is None else self._done.get()
        )  # also where other rows are wanted: both would use the same streams
        if (
            announced is None
            or announced[1:] != (step, micro_batch)
            or not np.array_equal(announced[0], rows)
        ):
            self._batch.gather(rows, step, micro_batch)
        elif failure is not None:
            raise failure
        else:
            self._batch.copy_from(self._staged, len(rows))

    def _work(self) -> None:
        with np.errstate(
            over="ignore", invalid="ignore", divide="ignore"
        ):  # as in the loop: each thread has its own
            while (request := self._asked.get()) is not None:
                try:
                    self._staged.gather(*request)
                    self._done.put(None)
                except BaseException as error:  # raised in the thread that waits
                    self._done.put(error)
