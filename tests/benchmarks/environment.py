"""The environment that benchmarks run in, which is a user's: import this before NumPy.

A shell may set variables that choose BLAS's kernels, or keep Python from storing bytecode; a user's machine sets none of them.
"""

import os
import resource
import sys

FOREIGN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")

for name in FOREIGN:
    os.environ.pop(name, None)  # of the processes that are started too
sys.dont_write_bytecode = False


def resident_peak() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024**2 if sys.platform == "darwin" else 1024
    )
