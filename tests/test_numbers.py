"""What counts as a number in a file that anyone may have written."""

import math
import sys

import pytest

from nettrain.numbers import is_finite

LARGEST = sys.float_info.max


@pytest.mark.parametrize(
    ("value", "finite"),
    [
        (0, True),
        (-1.5, True),
        (LARGEST, True),
        (-LARGEST, True),
        (10**400, False),
        (-(10**400), False),
        (math.inf, False),
        (-math.inf, False),
        (math.nan, False),
        (True, False),
        (None, False),
        ("1", False),
        ([1], False),
    ],
)
def test_numbers_are_those_that_a_float_can_hold(value, finite):
    assert is_finite(value) is finite
