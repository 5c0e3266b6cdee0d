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


@pytest.mark.compiled
@pytest.mark.parametrize("shape", [(9,), (255,), (256,), (257,), (40, 8), (3, 7, 13)])
def test_every_block_of_counters_and_every_part_of_a_block_is_numpys(monkeypatch, shape):
    monkeypatch.setattr(philox, "MANY", 9)
    made = [
        np.random.Generator(np.random.Philox(key=[2**63 + 5, 17], counter=[2**62, 7, 11, 13]))
        for _ in range(2)
    ]
    for _ in range(2):
        found = np.full(shape, np.nan, np.float32)
        with np.errstate(over="ignore"):  # where the loops run as Python, products warn
            philox.fill_uniform(made[0], found)
        np.testing.assert_array_equal(found, made[1].random(shape, np.float32))
    assert made[0].random() == made[1].random()


def test_loops_draw_between_two_blocks_and_numpy_within_one(monkeypatch):
    drawn = []
    monkeypatch.setattr(philox, "MANY", 16)
    monkeypatch.setattr(philox, "_draw_loop", lambda out, counter, key: drawn.append(len(out)))
    for size, dtype in ((15, "f4"), (16, "f4"), (17, "f4"), (20, "f4"), (64, "f8")):
        philox.fill_uniform(StepStream(3, "a").seek(5, 2), np.empty(size, dtype))
    assert drawn == [8, 16, 16]  # all but the last block
    stream = StepStream(3, "a").seek(5, 2)
    for size in (8, 20, 20):  # the third begins within a block
        philox.fill_uniform(stream, np.empty(size, "f4"))
    assert drawn == [8, 16, 16, 16]


@pytest.mark.parametrize(("counter", "drawn"), [(2**63 - 1, [8]), (2**63, []), (2**64 - 1, [])])
def test_loops_draw_where_the_counter_cannot_come_to_its_end(monkeypatch, counter, drawn):
    found = []
    monkeypatch.setattr(philox, "MANY", 16)
    monkeypatch.setattr(philox, "_draw_loop", lambda out, counter, key: found.append(len(out)))
    philox.fill_uniform(
        np.random.Generator(np.random.Philox(key=1, counter=counter)), np.empty(16, "f4")
    )
    assert found == drawn


@pytest.mark.parametrize("many", [1, 1000])
def test_an_array_that_is_not_contiguous_is_refused(monkeypatch, many):
    monkeypatch.setattr(philox, "MANY", many)
    with pytest.raises(ValueError, match="contiguous"):
        philox.fill_uniform(StepStream(3, "a").seek(5, 2), np.empty((20, 8), np.float32)[:, ::2])


@pytest.mark.parametrize("many", [9, philox.MANY])
@pytest.mark.parametrize(
    "make",
    [
        lambda: generator(0, "of another kind"),
        lambda: np.random.Generator(np.random.Philox(key=1, counter=2**64 - 2)),
    ],
    ids=["PCG64", "counter at its end"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_other_generators_and_types_are_numpys_own(monkeypatch, make, dtype, many):
    monkeypatch.setattr(philox, "MANY", many)
    found = np.empty(2 * many, dtype)
    philox.fill_uniform(make(), found)
    np.testing.assert_array_equal(found, make().random(len(found), dtype))
