"""Every schedule against 200 rates of PyTorch's schedulers: tests/golden/schedules.npz."""

import json
from pathlib import Path

import numpy as np
import pytest

from nettrain.component import names
from nettrain.schedules import Schedule

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "schedules.npz")
CASES = json.loads(str(GOLDEN["cases"]))
PLATEAU = json.loads(str(GOLDEN["plateau_cases"]))
LR = float(GOLDEN["lr"])


@pytest.mark.parametrize("case", CASES)
def test_200_rates_are_pytorchs(case):
    row = CASES[case]
    schedule, steps = Schedule.parse(row["schedule"]), row["steps_per_epoch"]
    found = np.array(
        [schedule.rate(LR, step, steps, row["epochs"]) for step in range(steps * row["epochs"])]
    )
    assert len(found) == 200
    np.testing.assert_allclose(found, GOLDEN[case], rtol=1e-12, atol=1e-15)


def test_every_schedule_of_time_has_golden_rates_with_and_without_warm_up():
    found = {(row["schedule"]["type"], "warmup" in row["schedule"]) for row in CASES.values()}
    assert found == {
        (name, warmup) for name in names(Schedule) if name != "plateau" for warmup in (False, True)
    }


@pytest.mark.parametrize("case", PLATEAU)
def test_200_rates_on_plateaus_are_pytorchs(case):
    schedule = Schedule.parse(PLATEAU[case])
    memory, found = schedule.start(), []
    for value in GOLDEN["plateau_values"]:
        memory = schedule.observe(
            memory, float(value), higher_is_better=schedule.monitor == "validation_accuracy", lr=LR
        )
        found.append(LR * memory["scale"])
    np.testing.assert_allclose(found, GOLDEN[f"plateau: {case}"], rtol=1e-12, atol=0)
    assert len(set(found)) > 2
