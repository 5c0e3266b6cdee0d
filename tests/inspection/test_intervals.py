"""The intervals of a part's metrics: which there are, that they hold, that they stay in range."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.inspection.intervals import metric_intervals, resampled_metrics
from nettrain.inspection.statistics.wilson import wilson_interval
from nettrain.metrics import (
    ClassOutcome,
    LabelOutcome,
    RowLosses,
    ValueOutcome,
    all_metrics,
    bounds,
    metrics_of,
)


def outcome(kind, rows, seed=0):
    chance = streams.generator(seed, "outcome")
    if kind == "values":
        targets = chance.normal(size=(rows, 2))
        return ValueOutcome(targets, targets + chance.normal(size=(rows, 2)))
    if kind == "labels":
        targets = (chance.random((rows, 3)) < 0.5).astype(float)
        return LabelOutcome(targets, (targets + 2 * chance.random((rows, 3))) / 3)
    codes = chance.integers(0, 7, rows)
    scores = chance.random((rows, 7)) + np.eye(7)[codes] / 2
    return ClassOutcome(codes, scores / scores.sum(axis=1, keepdims=True))


KINDS = ("classes", "labels", "values")


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_and_the_loss_have_an_interval_around_them_within_their_range(kind):
    part, losses = outcome(kind, 200), RowLosses(streams.generator(1, "losses").random(200))
    metrics = {"loss": losses.mean()} | all_metrics(part)
    intervals = metric_intervals(metrics, part, losses)
    assert list(intervals) == list(metrics)
    for name, (low, high) in intervals.items():
        lowest, highest = (0, np.inf) if name == "loss" else bounds(name)
        assert lowest <= low < metrics[name] < high <= highest


def test_shares_of_right_rows_have_wilson_s_interval():
    part = outcome("classes", 50)
    hits = int((part.predicted == part.targets).sum())
    intervals = metric_intervals(all_metrics(part), part, None)
    assert intervals["accuracy"] == wilson_interval(hits, 50) and "loss" not in intervals


def test_where_every_row_is_right_only_shares_have_an_interval():
    codes = np.arange(8) % 2
    part = ClassOutcome(codes, np.eye(2)[codes])
    intervals = metric_intervals(all_metrics(part), part, RowLosses(np.zeros(8)))
    assert set(intervals) == {"accuracy"} and intervals["accuracy"][1] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_one_row_has_intervals_of_shares_alone(kind):
    part = outcome(kind, 1)
    intervals = metric_intervals(all_metrics(part) | {"loss": 1.0}, part, RowLosses(np.ones(1)))
    expected = {"classes": {"accuracy", "top5_accuracy"}, "labels": {"subset_accuracy"}}
    assert set(intervals) == expected.get(kind, set())


def test_the_interval_of_a_weighted_loss_is_that_of_the_weighted_mean():
    values, weights = streams.generator(0, "values").random((2, 100))
    weights[:40] = 0  # rows that do not count cannot widen it
    part = outcome("values", 100)
    weighted = metric_intervals({"loss": 0.5}, part, RowLosses(values, weights))["loss"]
    mean = RowLosses(values, weights).mean()
    assert mean == pytest.approx(np.average(values, weights=weights))
    assert weighted[0] < mean < weighted[1]
    assert (
        metric_intervals({"loss": 0.5}, part, RowLosses(np.where(weights, 0.5, 9), weights)) == {}
    )


def test_95_of_100_intervals_hold_the_true_value():
    held = {"accuracy": 0, "balanced_accuracy": 0, "log_loss": 0}
    truth = all_metrics(outcome("classes", 100_000, seed=999))
    for seed in range(200):
        part = outcome("classes", 150, seed)
        for name, (low, high) in metric_intervals(dict.fromkeys(held, 0.0), part, None).items():
            held[name] += low <= truth[name] <= high
    assert all(180 <= count <= 199 for count in held.values()), held


def test_outcomes_of_equal_seed_are_measured_on_the_same_samples():
    part = outcome("values", 30)
    shifted = ValueOutcome(part.targets, part.predicted + 0.0)
    first, second = (
        resampled_metrics(metrics_of(one), one, None, resamples=50) for one in (part, shifted)
    )
    for name in first:  # metrics of quantiles are not defined here
        np.testing.assert_array_equal(first[name], second[name])
    other = resampled_metrics(metrics_of(part), part, None, resamples=50, seed=1)
    assert not (first["mae"] == other["mae"]).any()


@pytest.mark.parametrize(
    ("rows", "counts"),
    [(100, {"accuracy": 1000, "roc_auc": 1000}), (7143, {"accuracy": 1000, "roc_auc": 100})],
)
def test_large_parts_get_fewer_samples(rows, counts):
    part = outcome("classes", rows)
    chosen = {name: metrics_of(part)[name] for name in counts}
    values = resampled_metrics(chosen, part, None)
    assert {name: len(of) for name, of in values.items()} == counts


def test_a_metric_that_would_take_seconds_has_no_interval():
    codes = np.arange(3000) % 500
    part = ClassOutcome(codes, np.eye(500)[codes])
    assert "roc_auc" not in resampled_metrics(metrics_of(part), part, None, resamples=1)
