"""Processes that train together, as threads that exchange arrays in memory."""

import threading

import numpy as np

from nettrain.errors import NettrainError
from nettrain.training.distributed.group import ProcessGroup


class ThreadGroup(ProcessGroup):
    """Threads of this process, which meet at a barrier."""

    def __init__(self, rank, meeting, board, **options):
        super().__init__(rank, meeting.parties, **options)
        self._meeting, self._board = meeting, board

    def _meet(self, sent):
        self._board[self.rank] = sent
        self._meeting.wait(20)
        found = list(self._board)
        return found

    def all_gather(self, own, out, counts):
        assert own.shape == (counts[self.rank],) and out.shape == (sum(counts),)
        everyone = self._meet(own.copy())
        out[...] = np.concatenate(everyone)
        self._meeting.wait(20)

    def exchange(self, sent, received):
        everyone = self._meet([one.copy() for one in sent])
        for rank, buffer in enumerate(received):
            if rank != self.rank and len(buffer):
                buffer[...] = everyone[rank][self.rank]
        self._meeting.wait(20)


def in_processes(size, run, kind=ThreadGroup, **options):
    """What run(group) returns in each; what it raises in process 0, or else in the first that fails, is raised here."""
    meeting, board = threading.Barrier(size), [None] * size
    results, errors = [None] * size, [None] * size

    def work(rank):
        try:
            results[rank] = run(kind(rank, meeting, board, **options))
        except BaseException as error:
            errors[rank] = error
            if not isinstance(error, NettrainError):
                meeting.abort()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for error in [*(e for e in errors if not isinstance(e, threading.BrokenBarrierError)), *errors]:
        if error is not None:
            raise error
    return results
