"""The shards of a batch divided among processes, whose gradients are added in the one order."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from nettrain.training.distributed.group import ProcessGroup
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.tree_sum import Addition, additions


class Shares(NamedTuple):
    """How the sum over a number of shards is divided among processes.

    Attributes:
        contributed: The shards of each process; there may be none.
        alone: The additions of which each process has both terms.
        left: The shards whose gradients each process is left with after these.
        last: The other additions.
    """

    contributed: tuple[range, ...]
    alone: tuple[tuple[Addition, ...], ...]
    left: tuple[tuple[int, ...], ...]
    last: tuple[Addition, ...]


@cache
def shares(count: int, size: int) -> Shares:
    """Divide `count` shards among `size` processes: a run of shards for each."""
    contributed = tuple(
        range(rank * count // size, (rank + 1) * count // size) for rank in range(size)
    )
    alone = tuple(
        tuple(one for one in additions(count) if own.start <= one.into and one.end <= own.stop)
        for own in contributed
    )
    done = {one for found in alone for one in found}
    added = {one.other for one in done}
    left = tuple(tuple(shard for shard in own if shard not in added) for own in contributed)
    return Shares(
        contributed, alone, left, tuple(one for one in additions(count) if one not in done)
    )


class DistributedPartition(Partition):
    """Each process computes a run of the shards; which ones decides nothing but the time.

    Args:
        shards: Of a batch that has as many rows.
        group: The processes.

    Attributes:
        signal: The number of a signal that one of the processes had got in the last step; 0: none.
        seconds: Spent in exchanges so far, waiting for slower processes included.
        sent: Bytes sent to each other process so far.
    """

    def __init__(self, shards: int, group: ProcessGroup) -> None:
        super().__init__(shards)
        self.group = group
        self.signal = 0
        self.seconds = 0.0
        self.sent = 0
        self._received: dict[int, np.ndarray] = {}

    @property
    def width(self) -> int:
        """How many shards are computed here at most."""
        return max(1, len(shares(self.shards, self.group.size).contributed[self.group.rank]))

    @property
    def all_here(self) -> bool:
        """Whether there is no other process."""
        return self.group.size == 1

    def computed(self, count: int) -> range:
        """The shards of this process; where it has none another's, whose results are dropped.

        So every process knows what the shards of a batch exchange, and takes part.
        """
        own = shares(count, self.group.size).contributed[self.group.rank]
        return own or range(own.start, own.start + 1)

    @property
    def rows(self) -> Callable[[int], slice]:
        """Those of the shards that are computed here."""

        @cache
        def own_rows(n: int) -> slice:
            computed, parts = self.computed(self.count(n)), self.parts(n)
            return slice(parts[computed[0]].start, parts[computed[-1]].stop)

        return own_rows

    def additions(self, count: int) -> Sequence[Addition]:
        """Those of the sum over the shards that have both terms here."""
        return shares(count, self.group.size).alone[self.group.rank]

    def gather(self, count: int, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """The arrays of all shards, given those of the shards that are computed here."""
        shape, dtype, size = arrays[0].shape, arrays[0].dtype, arrays[0].size
        counts = [size * len(own) for own in shares(count, self.group.size).contributed]
        own = np.concatenate([array.reshape(-1) for array in arrays])
        out = np.empty(count * size, dtype)
        self._all_gather(own[: counts[self.group.rank]], out, counts)
        return list(out.reshape(count, *shape))

    def losses(self, count: int, totals: Sequence[np.ndarray]) -> Sequence[float]:
        """The losses of all shards. Whether a process was asked to stop travels with them."""
        counts = [1 + len(own) for own in shares(count, self.group.size).contributed]
        signal = self.group.signalled() or 0
        own = np.array([signal, *map(float, totals)])[: counts[self.group.rank]]
        out = np.empty(sum(counts))
        self._all_gather(own, out, counts)
        signals = np.cumsum([0, *counts[:-1]])
        self.signal = int(out[signals].max())
        return np.delete(out, signals).tolist()

    def add_up(self, count: int, gradients: Sequence[np.ndarray]) -> None:
        """Complete the sum that `additions` began, in the first of the gradients.

        Every process completes one slice of it, from the slices that all others send, and sends the
        result to all: reduce-scatter and all-gather, as an MPI_Allreduce of large vectors, but in
        the order of the tree, which MPI does not promise.
        """
        rank, size = self.group.rank, self.group.size
        divided = shares(count, size)
        cuts = np.linspace(0, len(gradients[0]), size + 1).astype(int).tolist()
        slices = [slice(start, stop) for start, stop in pairwise(cuts)]
        first, mine = divided.contributed[rank].start, slices[rank]
        terms = {shard: gradients[shard - first][mine] for shard in divided.left[rank]}
        nothing = gradients[0][:0]
        for turn in range(max(map(len, divided.left))):
            sending = [nothing] * size
            if turn < len(divided.left[rank]):
                gradient = gradients[divided.left[rank][turn] - first]
                sending = [gradient[part] for part in slices]
            receiving = [nothing] * size
            for other, left in enumerate(divided.left):
                if other != rank and turn < len(left):
                    receiving[other] = terms[left[turn]] = self._buffer(left[turn], nothing, mine)
            with self._timed(sum(one.nbytes for i, one in enumerate(sending) if i != rank)):
                self.group.exchange(sending, receiving)
        for one in divided.last:
            terms[one.into] += terms[one.other]
        counts = [part.stop - part.start for part in slices]
        self._all_gather(terms[0].copy(), gradients[0], counts)

    def _buffer(self, shard: int, like: np.ndarray, part: slice) -> np.ndarray:
        """What another process sends of the gradient of a shard."""
        if shard not in self._received:
            self._received[shard] = np.empty(part.stop - part.start, like.dtype)
        return self._received[shard]

    def _all_gather(self, own: np.ndarray, out: np.ndarray, counts: Sequence[int]) -> None:
        with self._timed(own.nbytes * (self.group.size - 1)):
            self.group.all_gather(own, out, counts)

    @contextmanager
    def _timed(self, sent: int) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start
        self.sent += sent
