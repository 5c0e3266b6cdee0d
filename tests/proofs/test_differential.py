"""What differential testing is made of: the comparison, the reduction of a failing case, and what needs no peer."""

import math

import numpy as np
import pytest
from against.chance import Chance
from against.comparison import Comparison, Deviation
from against.coverage import Coverage
from against.random_configs import fields
from against.random_configs.runs import random_run
from against.recorder import Recorder
from against.reduction import smallest
from against.schedule_formulas import rate
from against.thresholds import low

import nettrain
from nettrain.autodiff.ops import matmul
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.schedules import Schedule


def test_schedules_are_their_formulas_in_rational_time():
    comparison = Comparison()
    for number in range(100):
        chance = Chance(1, "schedules", number)
        epochs, steps = chance.randint(1, 9), chance.randint(1, 12)
        schedule = Schedule.parse(fields.schedule(chance, epochs))
        every = range(epochs * steps + 2)
        ours = [schedule.rate(0.5, step, steps, epochs) for step in every]
        formula = [rate(schedule, 0.5, step, steps, epochs) for step in every]
        comparison.close(schedule.name(), ours, formula, 1e-12)
    assert len(comparison.counts) == 12


def test_most_random_runs_are_valid_and_the_same_again():
    valid = 0
    for number in range(12):
        case = random_run(Chance(1, "networks", number))
        assert case == random_run(Chance(1, "networks", number))
        try:
            load(case["config"] | {"dataset": case["config"]["dataset"] | {"source": "memory"}}, [])
            valid += 1
        except ConfigError:
            pass
    assert valid >= 10


@pytest.mark.parametrize("clip_norm", [None, 1e6], ids=["in bands", "whole"])
def test_a_recorded_gradient_is_that_of_the_update_wherever_it_is_completed(tmp_path, clip_norm):
    training = {"epochs": 1, "batch_size": 10, "shards": 2, "kernels": "numpy"}
    config = {
        "dtype": "float64",
        "dataset": {"split": "none"},
        "model": {"type": "mlp", "hidden": [12, 12]},
        "optimizer": {"type": "sgd", "lr": 0.5},
        "training": training | {"clip_norm": clip_norm},
    }
    x = np.random.Generator(np.random.PCG64(0)).normal(size=(20, 4))
    recorder = Recorder()
    with low(True):
        assert len(matmul.bands(12, 12)) > 1
        nettrain.train(config, (x, x[:, 0]), output_directory=tmp_path, threads=1, callbacks=[recorder])  # fmt: skip
    assert len(recorder.steps) == 2
    for step in recorder.steps:
        assert np.count_nonzero(step.gradient) > 150
        np.testing.assert_allclose(step.after, step.before - 0.5 * step.gradient, rtol=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs", "differ"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-9], False),
        ([1.0, 2.0], [1.0, 2.0 + 1e-7], True),
        ([math.nan, math.inf], [math.nan, math.inf], False),
        ([math.nan, 1.0], [0.0, 1.0], True),
        ([math.inf, 1.0], [-math.inf, 1.0], True),
        ([1.0], [1.0, 1.0], True),
        ([], [], False),
    ],
)
def test_a_deviation_is_what_exceeds_the_tolerance(ours, theirs, differ):
    comparison = Comparison()
    if not differ:
        comparison.close("x", ours, theirs, 1e-8)
        assert comparison.counts["x"] == 1 and comparison.largest.get("x", 0) <= 1e-8
        return
    with pytest.raises(Deviation, match="x: "):
        comparison.close("x", ours, theirs, 1e-8)


def test_a_failing_case_becomes_as_small_as_possible():
    layers = ["relu", {"type": "dense", "units": 7, "bias": False}, {"type": "conv", "filters": 9}]
    case = {"model": {"type": "sequential", "layers": layers}, "seed": 40, "loss": "mse"}

    def fails(tried):
        try:
            return any(
                isinstance(one, dict) and one.get("bias") is False
                for one in tried["model"]["layers"]
            )
        except (KeyError, TypeError):
            return False

    least = {"model": {"type": "sequential", "layers": [{"type": "dense", "bias": False}]}}
    assert smallest(case, fails) == least


def test_what_was_never_tried_is_missed():
    coverage = Coverage([Schedule], [], {"schedule.plateau": "left out"})
    for warmup in (0.0, 1.0):
        coverage.add(Schedule.parse({"type": "step", "every": 2.0 + warmup, "warmup": warmup}))
    missing = coverage.missing()
    assert "schedule.step.by" in missing and "schedule.cosine" in missing
    assert not {"schedule.step", "schedule.step.every", "schedule.plateau"} & set(missing)


def test_exact_boundaries_are_those_of_the_decimal_numbers():
    schedule = Schedule.parse({"type": "step", "every": 0.3, "by": 0.5})
    rates = np.array([rate(schedule, 1.0, step, 10, 1) for step in range(10)])
    assert np.array_equal(rates, 0.5 ** (np.arange(10) // 3))
