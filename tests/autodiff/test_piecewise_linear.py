"""Bins of a piecewise-linear embedding that follow one another: then one loop finds the bin of each row."""

import numpy as np
import pytest

from nettrain.autodiff.ops.piecewise_linear import _in_turn

pytestmark = pytest.mark.compiled


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("lower", "slope", "expected"), [
    ([0, 1, 2], [1, 1, 1], True),
    ([-4, -2, 0.5], [0.5, 0.4, 3], True),
    ([0, 1, 3], [1, 1, 1], True),  # a gap
    ([1000, 1000.1, 1000.4], [1 / 0.1, 1 / 0.3, 1], True),  # but for rounding
    ([0, 1, 0], [1, 1, 0], True),  # a bin that there is not
    ([0, 0, 0], [0, 0, 0], True),
    ([0, 0.99, 2], [1, 1, 1], False),  # one that begins too early
    ([0, 1, 1.9], [1, 1, 1], False),
    ([0, -1, -2], [1, 1, 1], False),
    ([0, 1, 2], [-1, 1, 1], False),
    ([0, 1, 2], [1, -1, 1], False),
    ([0, 1, 2], [1, 0, 1], False),  # after one that there is not
])  # fmt: skip
def test_bins_are_in_turn_where_each_begins_behind_the_end_of_the_one_before(
    lower, slope, expected, dtype
):
    lowers, slopes = (np.array([[9, 5, 1], x], dtype) for x in (lower, slope))
    assert _in_turn(lowers, slopes, 1) == expected
