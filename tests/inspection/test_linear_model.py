"""The linear model beside a network: equal to scikit-learn's, and left out where it cannot be."""

import json
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.inspection import linear_model
from nettrain.inspection.linear_metrics import linear_metrics
from nettrain.inspection.linear_model import (
    fit_linear,
    identity,
    sigmoid,
    softmax,
)
from nettrain.metrics import all_metrics, outcome_of, task_metrics

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/linear_models.json").read_text())
# The name of the problem; the task, the link, and the metric that scikit-learn's score is.
TASKS = {
    "binary": ("classification", sigmoid, "accuracy"),
    "classes": ("classification", softmax, "accuracy"),
    "labels": ("multilabel", sigmoid, "subset_accuracy"),
    "numbers": ("regression", identity, "r2"),
}


@pytest.mark.parametrize("name", TASKS)
def test_predictions_and_metric_equal_scikit_learns(name):
    task, link, metric = TASKS[name]
    x, y, new, truth = (np.array(GOLDEN[name][key]) for key in ("x", "y", "new", "truth"))
    encoded = y[:, None] == np.arange(3) if name == "classes" else y.reshape(len(y), -1)
    predicted = fit_linear(x, encoded.astype(np.float64), link)(new)
    if name == "binary":
        predicted = np.hstack([1 - predicted, predicted])
    np.testing.assert_allclose(predicted, GOLDEN[name]["predicted"], rtol=1e-3, atol=1e-4)
    metrics = all_metrics(outcome_of(task, truth, predicted), task_metrics(task))
    assert metrics[metric] == pytest.approx(GOLDEN[name]["score"], abs=1e-3)


def test_links_do_not_overflow():
    z = np.array([[1e4, -1e4]])
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(z).tolist() == [[1, 0]] and softmax(z).tolist() == [[1, 0]]


def test_a_run_has_the_metrics_of_its_own_inputs_and_split(trained_runs):
    model = nettrain.load(trained_runs / "runs" / "a")
    data = model.training_data
    found = linear_metrics(model, data.part("test"), data.part("train"))
    assert set(found) == set(model.evaluation(data.part("test")).metrics) - {"loss"}
    assert found["accuracy"] > 0.6  # of two classes a standard deviation apart


def test_it_is_left_out_where_fitting_takes_long(trained_runs, monkeypatch):
    model = nettrain.load(trained_runs / "runs" / "a")
    data = model.training_data
    monkeypatch.setattr(linear_model, "LARGEST", 40 * 2 * 2 - 1)  # rows x inputs x classes
    assert linear_metrics(model, data.part("test"), data.part("train")) == {}
