"""Random schedules: their formulas in rational time, PyTorch's schedulers where there are such."""

from typing import Any

import numpy as np
from against.chance import Chance
from against.comparison import Comparison, Refused
from against.coverage import Coverage
from against.pytorch.schedulers import plateau, rates
from against.random_configs import fields
from against.schedule_formulas import rate

from nettrain.errors import NettrainError
from nettrain.schedules import MetricSchedule, Schedule

CASES = 300
TOLERANCE = 1e-12  # of the base rate
LEFT_OUT = {"schedule.plateau.monitor": "changes which metric is seen, not what is made of it"}


def draw(chance: Chance) -> dict[str, Any]:
    """A schedule, the length of a run, and the metrics of its epochs."""
    epochs = chance.randint(1, 12)
    schedule = fields.schedule(chance, epochs, metric=True)
    if chance.maybe() and isinstance(schedule, dict):
        _make_whole(chance, schedule)
    values = [chance.between(-1, 1) * 10 ** chance.randint(-2, 2) for _ in range(epochs + 20)]
    return {
        "schedule": schedule,
        "lr": chance.number(1e-4, 1),
        "epochs": epochs,
        "steps_per_epoch": chance.randint(1, 20),
        "values": [chance.pick(values) for _ in values] if chance.maybe() else values,
        "higher": chance.maybe(),
    }


def _make_whole(chance: Chance, schedule: dict[str, Any]) -> None:
    """Let periods be whole epochs, which PyTorch has."""
    for key in ("period", "stretch", "every", "warmup"):
        if key in schedule:
            schedule[key] = float(chance.randint(1, 4))
    if "boundaries" in schedule:
        count = len(schedule["boundaries"])
        schedule["boundaries"] = sorted(float(b) for b in chance.sample(range(1, 9), count))


def coverage() -> Coverage:
    """Every schedule."""
    return Coverage([Schedule], [], LEFT_OUT)  # type: ignore[type-abstract]


def compare(case: dict[str, Any], comparison: Comparison) -> tuple[Any, ...]:
    """Compare the rates of all steps. Returns what was tried."""
    try:
        schedule = Schedule.parse(case["schedule"])
    except NettrainError as error:
        raise Refused(str(error)) from None
    lr, length = case["lr"], (case["steps_per_epoch"], case["epochs"])
    steps = range(length[0] * length[1] + 3)  # some beyond the end, as in an extended run
    ours = np.array([schedule.rate(lr, step, *length) for step in steps])
    formula = [rate(schedule, lr, step, *length) for step in steps]
    comparison.close(f"formula: {schedule.name()}", ours, formula, TOLERANCE, lr)
    theirs = rates(schedule, lr, *length)
    if theirs is not None:
        warmup = length[0] * length[1] - len(theirs)
        comparison.close(f"PyTorch: {schedule.name()}", ours[warmup:-3], theirs, TOLERANCE, lr)
    if isinstance(schedule, MetricSchedule):
        memory, scales = schedule.start(), []
        for value in case["values"]:
            memory = schedule.observe(memory, value, higher_is_better=case["higher"], lr=lr)
            scales.append(lr * memory["scale"])
        expected = plateau(schedule, lr, case["values"], higher=case["higher"])
        comparison.close("PyTorch: plateau", scales, expected, TOLERANCE, lr)
    return (schedule,)
