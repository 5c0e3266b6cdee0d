"""Compiled loops: Numba (extra `fast`) with this project's options. Imported only where kernels are `numba`: it takes 0.3 s."""

from collections.abc import Callable
from typing import Any

import numba

_numba: Any = numba  # decorators hide what they make

# error_model: Python's zero check before each division forbids vector instructions (Adam: 1.18 ms with it, 0.15 without).
OPTIONS: dict[str, Any] = {"nopython": True, "nogil": True, "error_model": "numpy"}


def jit(function: Callable[..., Any]) -> Any:
    """The loop, compiled for each kind of arguments when it is first wanted, and kept on disk.

    As it is written, without fast mathematics: then it has the bits that NumPy has for the same operations, one by one, at the speed that
    it has with (Adam over 131,072 parameters: 39 us with, 39 to 44 without).

    NUMBA_CACHE_DIR says where it is kept; else beside the source file, or in the user's cache where that cannot be written. Where nothing
    can be, every process compiles anew. Numba compiles again when the file of a loop has changed, not
    when another has whose loops it calls.
    """
    return _compiled(function, fastmath=False)


def jit_sum(function: Callable[..., Any]) -> Any:
    """A loop whose terms may be added up in another order, which vector instructions need.

    To be called by other loops, so that it alone is rounded in its own way. Never nnan or ninf, with which a diverged run looks healthy.
    """
    return _compiled(function, fastmath={"reassoc", "contract", "nsz"})


def _compiled(function: Callable[..., Any], fastmath: Any) -> Any:
    try:
        return _numba.jit(cache=True, fastmath=fastmath, **OPTIONS)(function)
    except RuntimeError:  # there is no place that could be written
        return _numba.jit(fastmath=fastmath, **OPTIONS)(function)


def entry(loop: Any, *args: Any) -> Callable[..., Any]:
    """The compiled function for arguments of these types alone, to be called with such only.

    A call of the loop itself finds out the types of all arguments each time: 0.54 us for eight arrays, where this takes 0.33.
    With NUMBA_DISABLE_JIT, to debug, it is the Python function.
    """
    if not hasattr(loop, "overloads"):
        return loop
    kinds = tuple(_numba.typeof(x) for x in args)
    loop.compile(kinds)
    return loop.overloads[kinds].entry_point
