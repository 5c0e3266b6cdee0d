"""What every schedule promises, driven from one table; and the facts that each is known for."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError, ValidationError

from nettrain.component import names, to_mapping
from nettrain.schedules import MetricSchedule, Schedule

# name -> (fields, each other than its default; whether the rate may rise after the warm-up; whether it depends on the length of the run)
TABLE = {
    "constant": ({}, False, False),
    "cosine": ({"floor": 0.1}, False, True),
    "cosine_restarts": ({"period": 3.0, "stretch": 2.0, "floor": 0.1}, True, False),
    "coslog4": ({}, True, True),
    "exponential": ({"by": 0.7}, False, False),
    "flat_cos": ({"flat": 0.1}, False, True),
    "inverse_sqrt": ({"scale": 2.0}, False, False),
    "linear": ({"floor": 0.1}, False, True),
    "one_cycle": ({"rise": 0.4, "start": 0.2, "end": 0.1}, True, True),
    "piecewise": ({"boundaries": [1.5, 4.0], "factors": [0.5, 1.0, 0.25]}, True, False),
    "plateau": (
        {
            "monitor": "train_loss",
            "by": 0.5,
            "patience": 3,
            "threshold": 0.01,
            "min_lr": 1e-4,
            "cooldown": 2,
        },
        False,
        False,
    ),
    "polynomial": ({"power": 3.0, "floor": 0.1}, False, True),
    "step": ({"every": 3.0, "by": 0.5}, False, False),
}
REQUIRED = {"piecewise": {"boundaries": [2, 5], "factors": [1, 0.1, 0.01]}}


def default(name, **fields):
    return Schedule.parse({"type": name, **REQUIRED.get(name, {}), **fields})


def rates(schedule, steps_per_epoch, epochs, lr=1.0):
    return np.array(
        [
            schedule.rate(lr, step, steps_per_epoch, epochs)
            for step in range(steps_per_epoch * epochs)
        ]
    )


def test_every_schedule_has_a_row():
    assert list(TABLE) == names(Schedule)


@pytest.mark.parametrize("name", TABLE)
def test_it_reads_back_from_its_own_mapping(name):
    fields = {"warmup": 1.5} | TABLE[name][0]
    schedule = Schedule.parse({"type": name, **fields})
    assert to_mapping(schedule) == {"type": name} | fields
    assert Schedule.parse(to_mapping(schedule)) == schedule
    standard = to_mapping(default(name))
    assert all(standard[key] != value for key, value in fields.items())


# Schedules are tried in a loop: hypothesis draws numbers for all of them at once, which takes as long
# as it takes for one.


@given(warmup=st.floats(0, 12), steps=st.integers(1, 13), epochs=st.integers(1, 9))
def test_a_rate_is_never_negative_nor_above_the_base_and_rises_in_warm_up(warmup, steps, epochs):
    rising = np.arange(steps * epochs) / steps < warmup
    for name, (fields, may_rise, _) in TABLE.items():
        for given_fields in ({}, fields):
            found = rates(default(name, warmup=warmup, **given_fields), steps, epochs)
            assert found.min() >= 0, name
            assert found.max() <= 1.0, name
            assert (np.diff(found[rising]) >= 0).all(), name
            assert may_rise or (np.diff(found[~rising]) <= 1e-15).all(), name


@pytest.mark.parametrize("name", TABLE)
def test_a_schedule_says_whether_extending_a_run_changes_its_rates(name):
    fields, _, depends = TABLE[name]
    assert Schedule.parse({"type": name, **fields}).depends_on_horizon is depends


@given(steps=st.integers(1, 40), epochs=st.integers(3, 60))
def test_extending_a_run_changes_the_rates_of_those_that_say_so(steps, epochs):
    for name, (fields, _, depends) in TABLE.items():
        schedule = Schedule.parse({"type": name, **fields})
        shorter = rates(schedule, steps, epochs - 1)
        same = np.array_equal(shorter, rates(schedule, steps, epochs)[: len(shorter)])
        assert same is not depends, name


BY_TIME = [name for name in TABLE if not isinstance(default(name), MetricSchedule)]


@given(steps=st.integers(1, 13), epochs=st.integers(2, 9), warmup=st.integers(1, 5))
def test_after_a_warm_up_the_schedule_is_the_one_of_a_run_that_is_so_much_shorter(
    steps, epochs, warmup
):
    for name in BY_TIME:
        schedule = Schedule.parse({"type": name, **TABLE[name][0]})
        late = rates(schedule.replace(warmup=warmup), steps, epochs + warmup)[steps * warmup :]
        np.testing.assert_allclose(late, rates(schedule, steps, epochs), rtol=1e-9, err_msg=name)


@given(
    every=st.integers(1, 7),
    steps=st.integers(1, 97),
    epochs=st.integers(1, 30),
    warmup=st.integers(0, 5),
)
def test_a_step_falls_exactly_at_the_first_batch_of_its_epoch(every, steps, epochs, warmup):
    found = rates(default("step", every=every, by=0.5, warmup=warmup), steps, epochs)
    epoch = np.arange(steps * epochs) // steps
    assert np.array_equal(
        found[epoch >= warmup], 0.5 ** ((epoch[epoch >= warmup] - warmup) // every)
    )


@pytest.mark.parametrize("name", ["piecewise", "cosine_restarts"])
@given(steps=st.integers(1, 97), warmup=st.integers(0, 5))
def test_it_changes_exactly_at_the_first_batch_of_an_epoch(name, steps, warmup):
    fields = (
        {"boundaries": [3, 7], "factors": [0.5, 0.25, 1]}
        if name == "piecewise"
        else {"period": 3, "stretch": 1.5}
    )
    found = rates(default(name, **fields, warmup=warmup), steps, 9 + warmup)[steps * warmup :]
    if name == "piecewise":
        assert np.array_equal(found, np.repeat([0.5, 0.25, 1], [3 * steps, 4 * steps, 2 * steps]))
    else:
        assert found[3 * steps] == pytest.approx(1) and found[3 * steps - 1] < 0.9


FACTS = [  # (what is said of it, schedule, steps an epoch, epochs, step -> rate for a base rate of 1)
    (
        "halved every 5 epochs",
        {"type": "step", "every": 5, "by": 0.5},
        4,
        20,
        {0: 1, 19: 1, 20: 0.5, 40: 0.25, 79: 0.125},
    ),
    (
        "divided by 10 every 20",
        {"type": "step", "every": 20, "by": 0.1},
        2,
        60,
        {39: 1, 40: 0.1, 80: 0.01},
    ),
    (
        "exponential",
        {"type": "exponential", "by": 0.5},
        2,
        10,
        {0: 1, 1: 0.5**0.5, 2: 0.5, 10: 2**-5},
    ),
    ("cosine", {"type": "cosine"}, 1, 10, {0: 1, 5: 0.5}),
    (
        "warm-up, then cosine",
        {"type": "cosine", "warmup": 2},
        5,
        12,
        {0: 0.1, 4: 0.5, 9: 1, 10: 1, 35: 0.5},
    ),
    (
        "the Transformer's",
        {"type": "inverse_sqrt", "warmup": 4},
        10,
        20,
        {19: 0.5, 40: 1, 160: 0.5},
    ),
    (
        "coslog4",
        {"type": "coslog4"},
        1,
        15,
        {0: 0, 1: 0, 2: 0.93043097, 3: 0, 5: 0.93043097, 7: 0, 11: 0.93043097},
    ),
    ("flat, then cosine", {"type": "flat_cos"}, 2, 6, {0: 1, 6: 1, 8: 0.75, 9: 0.5, 10: 0.25}),
    (
        "one cycle",
        {"type": "one_cycle", "rise": 0.5, "start": 0.1, "end": 0.01},
        1,
        20,
        {0: 0.1, 5: 0.55, 10: 1, 15: 0.505},
    ),
]


@pytest.mark.parametrize(
    ("said", "mapping", "steps", "epochs", "expected"), FACTS, ids=[row[0] for row in FACTS]
)
def test_the_rates_are_what_the_name_says(said, mapping, steps, epochs, expected):
    found = rates(Schedule.parse(mapping), steps, epochs)
    assert {step: found[step] for step in expected} == pytest.approx(expected)


def observed(schedule, values, *, higher_is_better=False, lr=1.0):
    """The rates after each value; the memory goes through JSON each time, as in checkpoints."""
    memory, found = schedule.start(), []
    for value in values:
        memory = json.loads(
            json.dumps(schedule.observe(memory, value, higher_is_better=higher_is_better, lr=lr))
        )
        found.append(lr * memory["scale"])
    return found


def test_a_plateau_is_by_default_of_the_validation_loss_with_factor_a_tenth_patience_10_and_minimum_a_millionth():
    plateau = default("plateau")
    assert (plateau.by, plateau.patience, plateau.min_lr, plateau.monitor) == (
        0.1,
        10,
        1e-6,
        None,
    )  # None: as the best checkpoint


def test_on_a_plateau_the_rate_falls_by_10_after_10_epochs_without_a_better_loss_down_to_a_minimum():
    found = observed(default("plateau"), [0.5] * 100, lr=1e-3)
    falls = {
        epoch: rate
        for epoch, rate in enumerate(found, start=1)
        if epoch == 1 or rate < 0.99 * found[epoch - 2]
    }
    assert falls == pytest.approx({1: 1e-3, 12: 1e-4, 23: 1e-5, 34: 1e-6})


@pytest.mark.parametrize(("values", "higher_is_better", "falls"), [
    ([3, 2, 1, 0.5, 0.2, 0.1], False, False),
    ([3, 2, 1, 0.5, 0.2, 0.1], True, True),
    ([-3, -2, -1, -0.5, -0.2], True, False),       # an R2 that is negative still improves
    ([-0.5, -0.5001, -0.5002, -0.5003], True, True),
    ([1, float("nan"), float("nan"), float("nan")], False, True),
    ([float("nan"), 1, 0.5, 0.2], False, False),
    ([1, 0.99995, 0.9999, 0.99985], False, True),  # each better, none by the threshold
    ([float("nan"), float("nan")], False, True),   # waiting begins with the first epoch
])  # fmt: skip
def test_what_counts_as_an_improvement(values, higher_is_better, falls):
    schedule = default("plateau", patience=1, threshold=1e-2)
    assert (observed(schedule, values, higher_is_better=higher_is_better)[-1] < 1) is falls


def test_without_a_threshold_a_value_that_stands_still_is_no_improvement():
    assert observed(default("plateau", patience=1, threshold=0), [1, 1, 1]) == [1, 1, 0.1]


def test_a_rate_that_has_fallen_to_zero_stays_there():
    plateau = default("plateau", min_lr=0)
    memory = plateau.start() | {"scale": 0.0}
    assert plateau.observe(memory, 1.0, higher_is_better=False, lr=1.0)["scale"] == 0


LAST = {  # the rate at the end of a run, for the fields of TABLE
    "cosine": 0.1,
    "coslog4": 0.0,
    "flat_cos": 0.0,
    "linear": 0.1,
    "one_cycle": 0.1,
    "polynomial": 0.1,
}


def test_every_schedule_that_ends_with_the_run_has_a_last_rate():
    assert list(LAST) == [name for name, row in TABLE.items() if row[2]]


@pytest.mark.parametrize("name", LAST)
def test_at_the_end_of_the_run_and_beyond_the_rate_is_the_last(name):
    schedule = Schedule.parse({"type": name, **TABLE[name][0]})
    ends = [(0.5, 0.5), (3, 3), (3.5, 3), (9, 3), (0, 0), (2, 0)]
    found = [schedule.factor(t, horizon) for t, horizon in ends]
    assert found == pytest.approx([LAST[name]] * len(ends), abs=1e-15)
    assert schedule.factor(0.125, 0.5) == pytest.approx(schedule.factor(25, 100))


@pytest.mark.parametrize(("name", "standard"), [
    ("cosine_restarts", {"period": 10.0, "stretch": 1.0, "floor": 0.0}),
    ("exponential", {"by": 0.95}),
    ("one_cycle", {"rise": 0.3, "start": 0.04, "end": 4e-6}),
    ("polynomial", {"power": 2.0, "floor": 0.0}),
    ("step", {"every": 10.0, "by": 0.1}),
])  # fmt: skip
def test_a_bare_name_means_the_documented_numbers(name, standard):
    assert to_mapping(default(name)) == {"type": name, "warmup": 0.0} | standard


def test_the_inverse_square_root_has_the_scale_of_one_epoch_without_a_warm_up():
    schedule = default("inverse_sqrt")
    assert schedule.scale is None and schedule.factor(3, 10) == 0.5


@pytest.mark.parametrize(("fields", "message"), [
    ({"boundaries": [2, 1], "factors": [1, 1, 1]}, r"boundaries must rise, got \[2.0, 1.0\]"),
    ({"boundaries": [1, 2], "factors": [1, 0.1]}, "2 boundaries need 3 factors, got 2"),
])  # fmt: skip
def test_pieces_that_do_not_fit_are_an_error(fields, message):
    with pytest.raises((ValidationError, PydanticCustomError), match=message):
        Schedule.parse({"type": "piecewise", **fields})
