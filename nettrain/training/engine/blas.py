"""One BLAS thread: the bits of a product depend on the number of threads, so no more are used."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

from threadpoolctl import LibController, ThreadpoolController

_lock = Lock()
_users = 0
_before: list[tuple[LibController, int]] = []  # of libraries with one setting for the process


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Inside, every BLAS call of this thread uses one BLAS thread; afterwards as many as before.

    Most libraries have one setting for the whole process: where several threads of it are inside,
    the first one to enter sets it, and the last one to leave restores it. A library that runs on
    OpenMP has a setting for each thread.
    """
    global _users
    libraries = _blas_libraries(len(sys.modules))
    own = [library for library in libraries if getattr(library, "threading_layer", "") == "openmp"]
    own_before = _limit(own)
    with _lock:
        if _users == 0:
            _before[:] = _limit([library for library in libraries if library not in own])
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _restore(_before)
        _restore(own_before)


@lru_cache(maxsize=1)
def _blas_libraries(modules: int) -> Sequence[LibController]:
    """The BLAS libraries in this process, looked for again once a module has been imported.

    The search takes milliseconds, as long as a hundred predictions of a single row.

    Args:
        modules: How many modules are imported: with one of them a library may have come.
    """
    controllers: Sequence[LibController] = (
        ThreadpoolController().select(user_api="blas").lib_controllers
    )
    return controllers


def _limit(libraries: Sequence[LibController]) -> list[tuple[LibController, int]]:
    """Set one thread; return what was set before."""
    before = [(library, library.get_num_threads()) for library in libraries]
    _restore([(library, 1) for library in libraries])
    return before


def _restore(settings: Sequence[tuple[LibController, int]]) -> None:
    for library, threads in settings:
        # threadpoolctl 3.7 and later let one thread alone change the setting of the process and
        # ignore all others without a word; `_lock` does what that is for.
        release = getattr(library, "clear_controlling_thread", lambda force: None)
        release(force=True)
        library.set_num_threads(threads)
        release(force=True)
