"""Every schedule against 200 rates of PyTorch's schedulers: tests/golden/schedules.npz; and what schedules promise beyond."""
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.component import names
from nettrain.schedules import Schedule

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "schedules.npz")
CASES = json.loads(str(GOLDEN["cases"]))
LR = float(GOLDEN["lr"])


def rates(schedule, steps_per_epoch, epochs, lr=LR):
    return np.array([schedule.rate(lr, step, steps_per_epoch, epochs) for step in range(steps_per_epoch * epochs)])


@pytest.mark.parametrize("case", CASES)
def test_200_rates_are_pytorchs(case):
    row = CASES[case]
    found = rates(Schedule.parse(row["schedule"]), row["steps_per_epoch"], row["epochs"])
    assert len(found) == 200
    np.testing.assert_allclose(found, GOLDEN[case], rtol=1e-12, atol=0)


def test_every_schedule_has_golden_rates_with_and_without_warm_up():
    found = {(row["schedule"]["type"], "warmup" in row["schedule"]) for row in CASES.values()}
    assert found == {(name, warmup) for name in names(Schedule) for warmup in (False, True)}


@pytest.mark.parametrize("name", names(Schedule))
@given(warmup=st.floats(0, 12), steps=st.integers(1, 13), epochs=st.integers(1, 9))
def test_a_rate_is_positive_never_above_the_base_and_rises_only_in_warm_up(name, warmup, steps, epochs):
    found = rates(Schedule.parse({"type": name, "warmup": warmup}), steps, epochs, lr=1.0)
    assert found.min() > 0 or name == "cosine"
    assert found.min() >= 0
    assert found.max() <= 1.0
    rising = np.arange(steps * epochs) / steps < warmup
    assert (np.diff(found[rising]) >= 0).all()
    assert (np.diff(found[~rising]) <= 0).all()


@pytest.mark.parametrize("name", [name for name in names(Schedule) if not Schedule.parse(name).depends_on_horizon])
@given(steps=st.integers(1, 40), epochs=st.integers(2, 60))
def test_a_schedule_that_does_not_depend_on_the_horizon_keeps_its_rates_when_a_run_is_extended(name, steps, epochs):
    schedule = Schedule.parse(name)
    assert np.array_equal(rates(schedule, steps, epochs - 1), rates(schedule, steps, epochs)[: steps * (epochs - 1)])


@given(every=st.integers(1, 7), steps=st.integers(1, 97), epochs=st.integers(1, 30), warmup=st.integers(0, 5))
def test_a_step_falls_exactly_at_the_first_batch_of_its_epoch(every, steps, epochs, warmup):
    found = rates(Schedule.parse({"type": "step", "every": every, "by": 0.5, "warmup": warmup}), steps, epochs, lr=1.0)
    epoch = np.arange(steps * epochs) // steps
    assert np.array_equal(found[epoch >= warmup], 0.5 ** ((epoch[epoch >= warmup] - warmup) // every))


def test_only_cosine_depends_on_the_horizon():
    assert [name for name in names(Schedule) if Schedule.parse(name).depends_on_horizon] == ["cosine"]
