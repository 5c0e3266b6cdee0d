"""Metrics that are equal by construction are shown once, top-5 with many classes, losses with their unit."""

import pytest

from nettrain.inspection.metric_rows import Reading, metric_rows

PLAIN = {"loss": 0.5, "accuracy": 0.9, "balanced_accuracy": 0.8, "log_loss": 0.5, "recall": 0.8}
CASES = {
    "twins": ([PLAIN, PLAIN], ["loss", "accuracy", "balanced_accuracy"]),
    "smoothed": (
        [PLAIN, PLAIN | {"log_loss": 0.4}],
        ["loss", "accuracy", "balanced_accuracy", "log_loss"],
    ),
    "class predicted that never occurs": ([PLAIN | {"recall": 0.6}], [*list(PLAIN)[:3], "recall"]),
    "regression": ([{"loss": 2.0, "mae": 1.0, "mse": 2.0, "r2": 0.5}], ["loss", "mae", "r2"]),
    "standardized": ([{"loss": 0.2, "mae": 1.0, "mse": 2.0}], ["loss", "mae", "mse"]),
    "in one part alone": ([PLAIN, {"loss": 0.5, "recall": 0.1}], list(PLAIN)),
    "nothing": ([], []),
}


@pytest.mark.parametrize("name", CASES)
def test_of_metrics_with_the_same_values_one_is_shown_and_the_other_named(name):
    values, names = CASES[name]
    rows = metric_rows(values)
    assert rows.names == names
    every = dict.fromkeys(name for one in values for name in one)
    assert set(every) - set(names) == set(rows.twins.values())
    assert all(f"{out} is the same as {kept}" in rows.remark for kept, out in rows.twins.items())


def test_a_baseline_without_a_loss_is_shown_by_the_twin_of_the_loss():
    rows = metric_rows([PLAIN])
    assert rows.value({"log_loss": 1.1}, "loss") == 1.1
    assert rows.value({"accuracy": 0.3}, "accuracy") == 0.3 and rows.value({}, "loss") is None


@pytest.mark.parametrize(("classes", "shown"), [(6, False), (19, False), (20, True), (None, True)])
def test_top5_accuracy_is_shown_from_twenty_classes_up(classes, shown):
    rows = metric_rows([{"accuracy": 0.5, "top5_accuracy": 0.9}], Reading(classes))
    assert ("top5_accuracy" in rows.names) == shown


def test_a_loss_of_a_transformed_target_says_so():
    rows = metric_rows([{"loss": 0.2, "mse": 2.0}], Reading(loss="loss: mse of something else"))
    assert rows.remark == "loss: mse of something else"
