"""What counts as a number in a file that anyone may have written."""

import sys
from typing import TypeGuard


def is_finite(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number: neither NaN, infinite, nor an integer beyond every float.

    true and false are none, though Python takes them for integers. `math.isfinite` fails with
    OverflowError where an integer is larger than every float.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max
