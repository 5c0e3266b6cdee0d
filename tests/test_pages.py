"""Long vectors: zeros like any others, which begin at different places of large pages."""

import numpy as np
import pytest

from nettrain.pages import LARGE_PAGE, LONG, long_zeros


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [0, 8, LONG - 8, LONG, LONG + 8, 5 * LONG + 24])
def test_a_vector_is_zeros_of_its_own(size, dtype):
    n = size // np.dtype(dtype).itemsize
    first, second = long_zeros(n, dtype), long_zeros(n, dtype)
    for vector in (first, second):
        assert vector.shape == (n,) and vector.dtype == dtype
        assert vector.flags.c_contiguous and vector.flags.aligned and vector.flags.writeable
        assert not vector.any()
    first[:] = 1
    assert not second.any()


def test_long_vectors_begin_at_different_places_of_a_page():
    vectors = [long_zeros(LONG, "float32") for _ in range(16)]
    starts = {vector.ctypes.data % LARGE_PAGE for vector in vectors}
    assert len(starts) == 16 and max(starts) < LARGE_PAGE // 16
    assert all(start % 64 == 0 for start in starts)  # a cache line
