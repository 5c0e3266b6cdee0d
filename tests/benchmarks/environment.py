"""The environment that benchmarks run in, which is a user's: import this before NumPy.

A shell may set variables that choose BLAS's kernels, or keep Python from storing bytecode; a user's machine sets none of them.
"""

import os
import sys

FOREIGN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")

for name in FOREIGN:
    os.environ.pop(name, None)  # of the processes that are started too
sys.dont_write_bytecode = False
