"""SIGINT, SIGTERM and SIGHUP as a question that the loop asks between two batches."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = (signal.SIGINT, signal.SIGTERM)  # the second of these ends the process at once
# A terminal that is closed: the system tells, and the shell may tell once more.
HANGUP = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()


@contextmanager
def stop_signals() -> Iterator[Callable[[], int | None]]:
    """Inside, the first such signal only answers `signalled()`; a second one acts as before.

    Signals that are ignored stay so (`nohup`, jobs in the background). Python delivers signals to
    the main thread alone: in any other thread nothing is changed.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        for known, handler in earlier.items():
            if known in AGAIN:
                signal.signal(known, handler)

    handlers = {number: signal.getsignal(number) or signal.SIG_DFL for number in AGAIN + HANGUP}
    earlier = {one: handler for one, handler in handlers.items() if handler != signal.SIG_IGN}
    for number in earlier:
        signal.signal(number, note)
    try:
        yield lambda: received[0] if received else None
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
