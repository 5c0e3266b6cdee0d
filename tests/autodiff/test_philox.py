"""Philox's draws in compiled loops: NumPy's, bit for bit, and the generator moves as far."""

import numpy as np
import pytest

from nettrain.autodiff import philox
from nettrain.streams import StepStream, generator


@pytest.mark.compiled
@pytest.mark.parametrize("draws", [1, philox.MANY, philox.MANY + 1, philox.MANY + 7, 3 * 8221])
def test_it_draws_what_numpy_draws_time_after_time(draws):
    plain, loops = StepStream(3, "a").seek(5, 2), StepStream(3, "a").seek(5, 2)
    for _ in range(2):  # from between two blocks, then from within one
        found = np.full(draws, np.nan, np.float32)
        philox.fill_uniform(loops, found)
        np.testing.assert_array_equal(found, plain.random(draws, np.float32))


@pytest.mark.parametrize(
    "make",
    [
        lambda: generator(0, "of another kind"),
        lambda: np.random.Generator(np.random.Philox(key=1, counter=2**64 - 2)),
    ],
    ids=["PCG64", "counter at its end"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_generators_and_types_are_numpys_own(make, dtype):
    found = np.empty(2 * philox.MANY, dtype)
    philox.fill_uniform(make(), found)
    np.testing.assert_array_equal(found, make().random(len(found), dtype))
