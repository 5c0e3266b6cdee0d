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
REALMLP = np.load(Path(__file__).parents[1] / "golden" / "table_layers.npz")
OF_REALMLP = ("coslog4", "flat_cos")


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
        (name, warmup)
        for name in names(Schedule)
        if name not in ("plateau", *OF_REALMLP)
        for warmup in (False, True)
    }


@pytest.mark.parametrize("name", OF_REALMLP)
def test_200_rates_are_those_of_realmlps_authors(name):
    found = [Schedule.parse(name).rate(1.0, step, 20, 10) for step in range(200)]
    np.testing.assert_allclose(found, REALMLP[f"schedule_{name}"], rtol=1e-11, atol=1e-12)


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
