"""Compiled loops by Numba (extra `fast`), which is imported when the first loop is compiled."""

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from types import FunctionType
from typing import Any

# error_model: Python's zero check before each division forbids vector instructions (Adam: 1.18 ms
# with it, 0.15 without). no_cfunc_wrapper: nothing calls a loop from C, and a wrapper for it takes
# a fifteenth of the time that compiling takes.
OPTIONS: dict[str, Any] = {
    "nopython": True,
    "nogil": True,
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}


class Loop:
    """A loop that Numba compiles when it is first needed, for each combination of argument types.

    The machine code is cached in NUMBA_CACHE_DIR; else beside the source file, or in the user's
    cache directory where that cannot be written; where nothing can, every process compiles anew.
    Numba compiles again when the file of a loop changes, but not when it calls loops of another
    file and that one changes. With NUMBA_DISABLE_JIT=1, for debugging, the loop runs as a Python
    function.
    """

    def __init__(self, function: Callable[..., Any], fastmath: Any) -> None:
        self.function = function
        self.fastmath = fastmath
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any) -> Any:
        """Run the compiled loop."""
        return self.compiled(*args)

    @cached_property
    def compiled(self) -> Any:
        """Numba's dispatcher; the loops that this one calls are compiled with it."""
        import numba  # 0.15 s that runs on NumPy's kernels do not spend

        from nettrain.jit_cache import MachineCodeCache

        function = _resolved(self.function)
        compiled: Any = numba.jit(fastmath=self.fastmath, **OPTIONS)(function)
        if hasattr(compiled, "_cache"):  # with NUMBA_DISABLE_JIT=1 it is the function itself
            with suppress(RuntimeError):  # no directory for the cache can be written
                compiled._cache = MachineCodeCache(function)  # type: ignore[no-untyped-call]
        return compiled

    def entry(self, *args: Any) -> Callable[..., Any]:
        """The machine code for arguments of these types, to be called with such only.

        The dispatcher looks up the types of all arguments at each call: 0.54 us for eight arrays,
        where this takes 0.33.
        """
        if not hasattr(self.compiled, "overloads"):
            return self.compiled
        import numba

        typeof: Any = numba.typeof
        kinds = tuple(typeof(x) for x in args)
        self.compiled.compile(kinds)
        return self.compiled.overloads[kinds].entry_point


class Overloaded:
    """A function for loops that has one implementation per float type.

    Outside compiled loops it is the plain function.
    """

    def __init__(
        self, plain: Callable[..., Any], single: Callable[..., Any], double: Callable[..., Any]
    ) -> None:
        self.plain, self.single, self.double = plain, single, double

    def __call__(self, x: Any) -> Any:
        """The plain function's value."""
        return self.plain(x)

    @cached_property
    def registered(self) -> Callable[..., Any]:
        """The plain function, for which Numba takes the implementation of the argument's type."""
        import numba

        single, double = _resolved(self.single), _resolved(self.double)

        def choose(x: Any) -> Callable[..., Any]:
            return single if x is numba.float32 else double

        numba.extending.overload(self.plain)(choose)
        return self.plain


def overloaded(
    single: Callable[..., Any], double: Callable[..., Any]
) -> Callable[[Callable[..., Any]], Overloaded]:
    """Function decorator: loops call `single` with float32 and `double` with float64."""
    return lambda plain: Overloaded(plain, single, double)


def jit(function: Callable[..., Any]) -> Loop:
    """Function decorator: a loop compiled as it is written, without fast-math.

    It is bitwise identical to NumPy's operations, one after the other, and as fast as with
    fast-math (Adam over 131,072 parameters: 39 us with, 39 to 44 without).
    """
    return Loop(function, fastmath=False)


def jit_sum(function: Callable[..., Any]) -> Loop:
    """Function decorator: a loop whose terms may be added in another order, by vector instructions.

    Other loops call it, so that only this sum is rounded differently. It never has nnan or ninf,
    with which a diverged run looks healthy.
    """
    return Loop(function, fastmath={"reassoc", "contract", "nsz"})


def _resolved(function: Callable[..., Any]) -> FunctionType:
    """A copy of the function whose globals hold Numba's objects in place of the lazy ones."""
    assert isinstance(function, FunctionType)
    names = {**function.__globals__}
    for name in function.__code__.co_names:
        value = names.get(name)
        if isinstance(value, Loop):
            names[name] = value.compiled
        elif isinstance(value, Overloaded):
            names[name] = value.registered
    resolved = FunctionType(
        function.__code__, names, function.__name__, function.__defaults__, function.__closure__
    )
    resolved.__module__, resolved.__qualname__ = function.__module__, function.__qualname__
    resolved.__annotations__ = function.__annotations__  # Numba compares signatures of overloads
    return resolved
