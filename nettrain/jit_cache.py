"""Numba's cache of machine code, read without what only compiling needs.

It is imported with the first loop, as Numba is.
"""

from typing import Any

from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys


class MachineCodeCache(FunctionCache):
    """The cache of one function.

    Before it looks for machine code, Numba's own imports all that a function may be compiled from,
    SciPy's linear algebra too where that is installed: 0.3 s. Here that is left to the compiler,
    which does it where nothing is found.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The machine code for a signature; None where there is none."""
        rtsys.initialize(target_context)  # machine code refers to Numba's runtime
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        return None
