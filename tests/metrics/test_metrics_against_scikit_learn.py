"""Every metric, and the baseline, against scikit-learn's figures in tests/golden/metrics.json."""

import json
from pathlib import Path

import numpy as np
import pytest

from nettrain.component import find, names
from nettrain.metrics import (
    Decision,
    Metric,
    all_metrics,
    baseline,
    metric_names,
    outcome_of,
    per_class_table,
    per_target_table,
)

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "metrics.json").read_text())
TASKS = ("classification", "multilabel", "regression")
FIGURES = [
    pytest.param(name, case, id=f"{name}: {case['task']}, {case['case']}")
    for case in GOLDEN["outcomes"]
    for name in case["figures"]
]


def outcome(case):
    decision = Decision(levels=tuple(case.get("levels", ())))
    arrays = (np.array(case["targets"]), np.array(case["predictions"]))
    return outcome_of(case["task"], *arrays, decision)


def array(figures):
    return np.array(figures, dtype=float)  # null becomes NaN


@pytest.mark.parametrize("name", names(Metric))
def test_every_metric_has_golden_rows_for_every_outcome_it_measures(name):
    metric = find(Metric, name)()
    measured = {type(outcome(case)) for case in GOLDEN["outcomes"] if name in case["figures"]}
    assert measured == set(metric.outcomes)


@pytest.mark.parametrize(("name", "case"), FIGURES)
def test_the_value_is_scikit_learns(name, case):
    value = find(Metric, name)().value(outcome(case))
    expected = case["figures"][name]["value"]
    assert (value is None) == (expected is None)
    if value is not None:
        assert type(value) is float
        assert value == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("name", "case"), [row for row in FIGURES if "each" in row.values[1]["figures"][row.values[0]]]
)
def test_the_figure_of_each_class_label_or_target_is_scikit_learns(name, case):
    each = find(Metric, name)().each(outcome(case))
    np.testing.assert_allclose(each, array(case["figures"][name]["each"]), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", names(Metric))
def test_a_metric_with_a_figure_each_has_golden_rows_for_it(name):
    for case in GOLDEN["outcomes"]:
        if name in case["figures"]:
            assert ("each" in case["figures"][name]) == (
                find(Metric, name)().each(outcome(case)) is not None
            )


@pytest.mark.parametrize(
    "case", GOLDEN["outcomes"], ids=lambda case: f"{case['task']}, {case['case']}"
)
def test_all_metrics_gives_every_defined_figure_and_no_other(case):
    defined = {
        name: figure["value"]
        for name, figure in case["figures"].items()
        if figure["value"] is not None
    }
    assert all_metrics(outcome(case)) == pytest.approx(defined, rel=1e-12, abs=0)
    assert set(defined) <= set(metric_names(case["task"])) == set(case["figures"])


@pytest.mark.parametrize(
    "case",
    [c for c in GOLDEN["outcomes"] if c["task"] != "regression"],
    ids=lambda case: case["case"],
)
def test_the_class_table_has_precision_recall_f1_and_support(case):
    table = per_class_table(outcome(case))
    assert [name for name in table if name not in ("label_accuracy", "roc_auc")] == [
        "precision",
        "recall",
        "f1",
        "support",
    ]
    for name in ("precision", "recall", "f1"):
        np.testing.assert_allclose(table[name], array(case["figures"][name]["each"]), rtol=1e-12)
    assert table["support"].tolist() == case["support"]


@pytest.mark.parametrize(
    "case",
    [c for c in GOLDEN["outcomes"] if c["task"] == "regression"],
    ids=lambda case: case["case"],
)
def test_the_target_table_has_every_regression_metric(case):
    table = per_target_table(outcome(case))
    defined = {name for name, figure in case["figures"].items() if "each" in figure}
    assert table.keys() == defined
    for name, column in table.items():
        np.testing.assert_allclose(column, array(case["figures"][name]["each"]), rtol=1e-12)


@pytest.mark.parametrize(
    "case",
    [c for c in GOLDEN["outcomes"] if c["task"] == "classification"],
    ids=lambda case: case["case"],
)
def test_the_confusion_matrix_is_scikit_learns(case):
    assert outcome(case).confusion_matrix.tolist() == case["confusion_matrix"]


@pytest.mark.parametrize("row", GOLDEN["baselines"], ids=lambda row: row["case"])
def test_the_baseline_is_the_dummy_model(row):
    predictions = np.array(row["predictions"])
    targets = np.array(row["train_targets"])[: len(predictions)]
    found = baseline(np.array(row["train_targets"]), targets, row["task"], row["k"])
    assert type(found) is type(outcome_of(row["task"], targets, predictions))
    np.testing.assert_allclose(
        found.predicted if row["task"] == "regression" else found.probabilities,
        predictions,
        rtol=1e-12,
    )
    assert found.targets is targets


def test_every_task_has_a_baseline_row():
    assert {row["task"] for row in GOLDEN["baselines"]} == set(TASKS)
