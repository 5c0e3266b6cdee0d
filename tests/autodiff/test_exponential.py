"""The exponentials of compiled loops, which have no library behind them: within one unit in the last place, to both ends."""

import math

import numpy as np
import pytest

from nettrain.autodiff.ops.exponential import exp, expm1

pytestmark = pytest.mark.compiled

# From where the result is 0 to where it is inf, both ends and halves of ln 2, where the power of 2 changes.
ENDS = {
    np.float32: (-103.98, -103.97, -87.4, 88.72, 88.73, 89.0, -104.0, 1e30, -1e30),
    np.float64: (-745.14, -745.13, -708.4, 709.78, 709.79, 710.0, -746.0, 1e300, -1e300),
}


def points(dtype):
    lowest, highest = (-104, 89) if dtype is np.float32 else (-746, 710)
    generator = np.random.Generator(np.random.PCG64(1))
    near = generator.uniform(-1, 1, 400)
    far = generator.uniform(lowest, highest, 400)
    halves = (np.arange(-40, 40) + 0.5) * math.log(2)
    around = [np.nextafter(halves, to) for to in (-np.inf, np.inf)]
    tiny = 10.0 ** -np.arange(1, 30, 4)
    return np.concatenate([near, far, halves, *around, tiny, -tiny, [0.0], ENDS[dtype]]).astype(
        dtype
    )


def exact(x):
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_exponential_is_within_one_unit_in_the_last_place(dtype):
    function = exp.single if dtype is np.float32 else exp.double
    with np.errstate(all="ignore"):
        for x in points(dtype):
            found, expected = function(x), exact(float(x))
            right = dtype(expected)
            if np.isinf(right):
                assert found == right, x
            else:
                assert abs(float(found) - expected) <= np.spacing(right), x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_less_one_it_is_as_exact_near_zero(dtype):
    function = expm1.single if dtype is np.float32 else expm1.double
    with np.errstate(all="ignore"):
        for x in points(dtype):
            if x <= 0:
                found, expected = function(x), math.expm1(float(x))
                assert abs(float(found) - expected) <= 1.5 * np.spacing(abs(dtype(expected))), x


@pytest.mark.parametrize("function", [exp, expm1], ids=["exp", "expm1"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_no_number_stays_none(function, dtype):
    one = function.single if dtype is np.float32 else function.double
    with np.errstate(all="ignore"):
        assert np.isnan(one(dtype(np.nan)))
        assert one(dtype(-np.inf)) == (0 if function is exp else -1)
        if function is exp:
            assert one(dtype(np.inf)) == np.inf


def test_outside_of_loops_they_are_the_librarys():
    assert exp(0.5) == math.exp(0.5) and expm1(-0.5) == math.expm1(-0.5)
