"""One BLAS thread: the bits of a product depend on the number of threads, so none of ours uses more."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = Lock()
_users = 0
_limit: Any = None  # what restores the setting


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Inside, every BLAS call of this process uses one thread; afterwards as many as before.

    The setting belongs to the process: where several threads are inside, the first one to enter
    sets it, and the last one to leave restores it.
    """
    global _users, _limit
    with _lock:
        if _users == 0:
            _limit = ThreadpoolController().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0 and _limit is not None:
                _limit.restore_original_limits()
                _limit = None
