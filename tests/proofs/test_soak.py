"""Long runs, many runs, many trials: what grows is seen to grow, and nothing does."""

import pytest
from soak import Point, not_flat
from test_crash import result_of

FLAT = [Point(1, 50, 9, 900), Point(10, 60, 9, 100), Point(100, 61, 9, 110)]
GROWING = {
    "memory: 60 MB, then 90": Point(100, 90, 9, 100),
    "workers: 0 MB, then 40": Point(100, 60, 9, 100, 40),
    "open files: 9, then 10": Point(100, 60, 10, 100),
    "time: 100 us each, then 200": Point(100, 60, 9, 200),
}


@pytest.mark.parametrize("what", GROWING)
def test_what_grows_is_told(what):
    assert not_flat(FLAT) == []
    assert not_flat([*FLAT[:2], GROWING[what]]) == [what]


def test_trials_are_remembered_at_a_price():
    points = [*FLAT[:2], Point(10_010, 85, 9, 100)]
    assert not_flat(points, remembered=0.0015) == [] != not_flat(points)


@pytest.mark.slow
def test_memory_and_open_files_are_flat_in_long_runs_many_runs_and_sweeps():
    found = result_of("soak.py", "--count", 300)
    assert [len(part["points"]) for part in found["parts"]] == [3, 3, 3]
    assert [fault for fault in found["faults"] if " us each" not in fault] == []
