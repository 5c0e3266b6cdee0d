"""The processes that train one network together, and what they can do with each other."""

import json
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from nettrain.errors import NettrainError

Made = TypeVar("Made")


class PeersLost(NettrainError):
    """A signal came while other processes were waited for, which may have ended.

    Attributes:
        signal: Its number.
    """

    def __init__(self, signal: int) -> None:
        super().__init__("interrupted while another process was waited for")
        self.signal = signal
        self.exit_code = 128 + signal


class FailedTogether(NettrainError):
    """What some of the processes could not do, so that none goes on."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class ProcessGroup(ABC):
    """Processes that run the same program. All of them make the same calls in the same order.

    Attributes:
        rank: The number of this process, from 0 on. Only 0 writes files and prints.
        size: How many there are.
        allows_different_bits: Whether they may round differently.
        signalled: Returns the number of a signal that asks to stop, or None. Waiting for others
            ends with PeersLost some time after one.
    """

    def __init__(self, rank: int, size: int, *, allows_different_bits: bool = False) -> None:
        self.rank, self.size = rank, size
        self.allows_different_bits = allows_different_bits
        self.signalled: Callable[[], int | None] = lambda: None

    @abstractmethod
    def all_gather(self, own: np.ndarray, out: np.ndarray, counts: Sequence[int]) -> None:
        """Give every process the arrays of all, one after the other.

        Args:
            own: (counts[rank],), contiguous; no part of `out`.
            out: (sum of counts,), contiguous.
            counts: The length of each process's array.
        """

    @abstractmethod
    def exchange(self, sent: Sequence[np.ndarray], received: Sequence[np.ndarray]) -> None:
        """Give every process an array of its own, and take one from each.

        Args:
            sent: One for each process, contiguous; none of them is sent to this one.
            received: Buffers of the lengths that the others send; of length 0: nothing comes.
        """

    def broadcast(self, array: np.ndarray) -> None:
        """Overwrite a contiguous array with that of process 0."""
        flat = array.reshape(-1)
        own = flat.copy() if self.rank == 0 else flat[:0]
        self.all_gather(own, flat, [flat.size, *[0] * (self.size - 1)])

    def gather_values(self, own: Any) -> list[Any]:
        """What each process hands in: numbers, strings, lists and mappings, as JSON holds them."""
        content = np.frombuffer(json.dumps(own).encode(), np.uint8)
        counts = np.zeros(self.size, np.int64)
        self.all_gather(np.array([len(content)]), counts, [1] * self.size)
        received = np.empty(counts.sum(), np.uint8)
        self.all_gather(content, received, counts.tolist())
        parts = np.split(received, np.cumsum(counts)[:-1])
        return [json.loads(part.tobytes()) for part in parts]

    def together(self, make: Callable[[], Made]) -> Made:
        """What `make` returns here, once it has returned something in every process.

        Raises:
            NettrainError: All have raised it.
            FailedTogether: Some have raised one; the message tells which ones.
        """
        try:
            made, failed = [make()], None
        except NettrainError as error:
            made, failed = [], error
        told = None if failed is None else {"message": str(failed), "exit_code": failed.exit_code}
        failures = self.gather_values(told)
        if failed is not None and failures.count(told) == self.size:
            raise failed
        if any(failures):
            raise _failed(failures)
        return made[0]

    def from_first(self, make: Callable[[], str]) -> str:
        """The text that process 0 makes. Raises FailedTogether where it cannot."""
        made = self.together(lambda: make() if self.rank == 0 else "")
        return self.gather_values(made)[0]

    def places(self) -> list[str]:
        """The machine of each process."""
        return self.gather_values(socket.gethostname())


class OneProcess(ProcessGroup):
    """This process alone."""

    def __init__(self) -> None:
        super().__init__(0, 1)

    def all_gather(self, own: np.ndarray, out: np.ndarray, counts: Sequence[int]) -> None:
        """Copy it."""
        out[...] = own

    def exchange(self, sent: Sequence[np.ndarray], received: Sequence[np.ndarray]) -> None:
        """There is nobody else."""

    def together(self, make: Callable[[], Made]) -> Made:
        """Errors stay what they are."""
        return make()


def _failed(failures: Sequence[dict[str, Any] | None]) -> FailedTogether:
    ranks: dict[str, list[int]] = {}
    for rank, failure in enumerate(failures):
        if failure is not None:
            ranks.setdefault(failure["message"], []).append(rank)
    lines = [f"process {', '.join(map(str, of))}: {message}" for message, of in ranks.items()]
    return FailedTogether("\n".join(lines), max(one["exit_code"] for one in failures if one))
