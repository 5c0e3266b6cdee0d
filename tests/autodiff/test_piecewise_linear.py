"""Bins of a piecewise-linear embedding that follow one another: then one loop finds the bin of each row."""

import numpy as np
import pytest

from nettrain.autodiff.ops.piecewise_linear import _bin_loop, _in_turn

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


@pytest.mark.parametrize(("units", "expected"), [(7.5, True), (8, True), (8.5, False), (9, False)])
def test_a_bin_may_begin_too_early_by_eight_units_of_rounding(units, expected):
    lower, slope = np.array([[units * np.finfo(float).eps - 1, 0.0]]), np.ones((1, 2))
    assert _in_turn.function(lower, slope, 0) == expected


LOWER, SLOPE = [-1.0, -0.5, 0.5, 0.0], [2.0, 1.0, 4.0, 0.0]  # the last bin there is not


@pytest.mark.parametrize(("x", "place", "share"), [
    (-2.0, 0, 0.0), (-1.0, 0, 0.0), (-0.75, 0, 0.5), (-0.5, 1, 0.0), (0.25, 1, 0.75), (0.5, 2, 0.0), (0.625, 2, 0.5),
    (0.75, 3, 0.0), (9.0, 3, 0.0), (np.inf, -1, None), (-np.inf, -1, None), (np.nan, -1, None),
])  # fmt: skip
def test_a_row_is_in_the_bin_that_it_has_not_reached_the_end_of(x, place, share):
    lower, slope = (np.array([[9.0] * 4, one]) for one in (LOWER, SLOPE))
    places, shares = np.full(2, 99), np.full(2, 99.0)
    _bin_loop.function(np.array([[7.0, 0.25], [7.0, x]]), lower, slope, 1, places, shares)
    assert places.tolist() == [1, place] and shares[0] == 0.75
    assert share is None or shares[1] == share


def test_where_the_last_bin_ends_all_bins_are_full():
    lower, slope = np.array([[0.0, 1.0]]), np.array([[1.0, 1.0]])
    places, shares = np.full(3, 99), np.full(3, 99.0)
    _bin_loop.function(np.array([[2.0], [2.5], [1.5]]), lower, slope, 0, places, shares)
    assert places.tolist() == [2, 2, 1] and shares[2] == 0.5


def test_bins_out_of_turn_have_no_place():
    places = np.full(1, 99)
    lower = np.array([[1.0, 0.0]])
    _bin_loop.function(np.array([[0.5]]), lower, np.ones((1, 2)), 0, places, np.zeros(1))
    assert places.tolist() == [-1]
