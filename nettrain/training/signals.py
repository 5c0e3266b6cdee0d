"""SIGINT and SIGTERM as a question that the loop asks between two batches."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals() -> Iterator[Callable[[], int | None]]:
    """Inside, the first such signal only answers `signalled()`; a second one acts as before.

    Python delivers signals to the main thread alone: in any other thread nothing is changed.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for known, handler in earlier.items():
            signal.signal(known, handler)

    earlier = {number: signal.getsignal(number) or signal.SIG_DFL for number in STOPPING}
    for number in STOPPING:
        signal.signal(number, note)
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
