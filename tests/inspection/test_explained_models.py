"""Curves, calibration, importance and partial dependence are those of scikit-learn."""

import json
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.data.features import Category, Features
from nettrain.errors import ConfigError
from nettrain.inspection.calibration import brier_score, predicted_events, reliability
from nettrain.inspection.dependence import grid_of, mean_predictions, partial_dependence
from nettrain.inspection.importance import permutation_importance, permuted_scores
from nettrain.inspection.raw_features import correlated_columns, with_permuted
from nettrain.inspection.threshold_curves import precision_recall_curve, roc_curve
from nettrain.metrics import ClassOutcome, LabelOutcome

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "inspection.json").read_text())
CLOSE = {"rtol": 1e-9, "atol": 1e-12}


@pytest.mark.parametrize("case", GOLDEN["binary"])
def test_curves_and_calibration_of_two_classes_equal_scikit_learn(case):
    y, p = np.array(case["y"]), np.array(case["p"])
    outcome = ClassOutcome(y, np.stack([1 - p, p], axis=1))
    roc, pr = roc_curve(y == 1, p), precision_recall_curve(y == 1, p)
    false_positive, true_positive, thresholds = case["roc"]
    np.testing.assert_allclose(roc.false_positive_rate, false_positive, **CLOSE)
    np.testing.assert_allclose(roc.true_positive_rate, true_positive, **CLOSE)
    np.testing.assert_allclose(roc.thresholds[1:], thresholds, **CLOSE)
    assert roc.area == pytest.approx(case["area"], rel=1e-9)
    precision, recall, cuts = case["pr"]
    np.testing.assert_allclose(pr.precision, precision, **CLOSE)
    np.testing.assert_allclose(pr.recall, recall, **CLOSE)
    np.testing.assert_allclose(pr.thresholds[1:], cuts, **CLOSE)
    assert pr.average_precision == pytest.approx(case["average_precision"], rel=1e-9)
    predicted, observed = case["calibration"]
    curve = reliability(*predicted_events(outcome))
    np.testing.assert_allclose(curve.predicted, predicted, **CLOSE)
    np.testing.assert_allclose(curve.observed, observed, **CLOSE)
    assert curve.counts.sum() == len(y)
    assert brier_score(outcome) == pytest.approx(case["brier"], rel=1e-9)


def test_the_brier_score_of_several_classes_is_that_of_scikit_learn():
    case = GOLDEN["several"]
    outcome = ClassOutcome(np.array(case["y"]), np.array(case["p"]))
    assert brier_score(outcome) == pytest.approx(case["brier"], rel=1e-9)


def test_ece_is_the_mean_gap_weighted_by_rows():
    curve = reliability(np.array([0.05, 0.05, 0.95, 0.95]), np.array([True, False, True, True]))
    assert curve.ece == pytest.approx((2 * 0.45 + 2 * 0.05) / 4)


def test_several_classes_are_held_to_the_probability_of_the_predicted_one():
    outcome = ClassOutcome(np.array([0, 2]), np.array([[0.5, 0.3, 0.2], [0.1, 0.7, 0.2]]))
    confidence, right = predicted_events(outcome)
    assert confidence.tolist() == [0.5, 0.7]
    assert right.tolist() == [True, False]


def test_every_label_is_an_event():
    outcome = LabelOutcome(np.array([[0.0, 1.0]]), np.array([[0.25, 0.5]]))
    assert [one.tolist() for one in predicted_events(outcome)] == [[0.25, 0.5], [False, True]]
    assert brier_score(outcome) == (0.25**2 + 0.5**2) / 2


@pytest.mark.parametrize("curve", [roc_curve, precision_recall_curve])
def test_without_positive_rows_there_is_no_curve(curve):
    assert curve(np.zeros(3, bool), np.arange(3.0)) is None


def linear_model(case):
    weights, bias = np.array(case["coefficients"]), case["intercept"]
    return lambda features: features.array @ weights + bias


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_importances_and_dependence_equal_scikit_learn(task):
    case = GOLDEN[task]
    y, features = np.array(case["y"]), Features(np.array(case["x"]), ("a", "b", "c"))
    model = linear_model(case)

    def score(shuffled):
        if task == "classification":
            return float(((model(shuffled) > 0) == y).mean())
        return float(1 - ((model(shuffled) - y) ** 2).sum() / ((y - y.mean()) ** 2).sum())

    def predict(changed):
        z = model(changed)
        return (1 / (1 + np.exp(-z)) if task == "classification" else z)[:, np.newaxis]

    scores = permuted_scores(score, features, np.array(case["permutations"]))
    importances = score(features) - np.stack(list(scores.values()))
    np.testing.assert_allclose(importances, case["importances"], **CLOSE)
    grid = grid_of(features, "a", 6)
    np.testing.assert_allclose(grid, case["grid"], **CLOSE)
    dependence = mean_predictions(predict, features, "a", grid)
    np.testing.assert_allclose(dependence.ravel(), case["dependence"], **CLOSE)


def test_a_categorical_column_is_shuffled_as_one():
    colours = Category(np.array([0, 1, 2]), ("blue", "green", "red"))
    features = Features(np.zeros((3, 0)), (), {"colour": colours})
    shuffled = with_permuted(features, "colour", np.array([2, 0, 1]))
    assert shuffled.categories["colour"].codes.tolist() == [2, 0, 1]
    assert features.categories["colour"].codes.tolist() == [0, 1, 2]


def test_correlated_columns_are_named_the_strongest_first():
    a = np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    numbers = np.stack([a, -2 * a, a + np.eye(5)[1], np.array([1.0, -1, 1, -1, 0])], axis=1)
    one, other = Category(np.array([0, 0, 1, 1, -1]), ("x", "y")), ("p", "q")
    features = Features(
        numbers, tuple("abcd"), {"e": one, "f": Category(np.array([1, 1, 0, 0, 0]), other)}
    )
    pairs = correlated_columns(features)
    assert {pair[:2] for pair in pairs[:2]} == {("a", "b"), ("e", "f")}
    assert {pair[:2] for pair in pairs[2:]} == {("a", "c"), ("b", "c")}
    assert sorted(pair[2] for pair in pairs[:2]) == pytest.approx([-1, 1])


def test_the_grid_holds_what_occurs():
    codes = Category(np.array([2, -1, 0, 2]), ("a", "b", "c"))
    features = Features(np.array([[3.0], [1.0], [np.nan], [3.0]]), ("x",), {"y": codes})
    assert grid_of(features, "x") == (1.0, 3.0)
    assert grid_of(features, "y") == ("a", "c")


def test_importance_of_a_run_is_reproducible_and_has_intervals(trained_runs):
    predictor = nettrain.load(trained_runs / "runs" / "b")
    rows = predictor.training_data.part("test")
    found = permutation_importance(predictor, rows, repeats=5)
    assert found == permutation_importance(predictor, rows, repeats=5)
    assert found.metric == "accuracy" and found.rows == len(rows)
    assert {one.feature for one in found.features} == {"width", "height"}
    for one in found.features:
        low, high = one.interval
        assert low <= one.mean <= high and len(one.values) == 5
    errors = permutation_importance(predictor, rows, metric="log_loss", repeats=5)
    assert errors.features[0].mean > 0


def test_what_does_not_exist_is_named_with_the_nearest(trained_runs):
    predictor = nettrain.load(trained_runs / "runs" / "a")
    rows = predictor.training_data.part("test")
    with pytest.raises(ConfigError, match="did you mean 'width'"):
        partial_dependence(predictor, rows, "widht")
    with pytest.raises(ConfigError, match="did you mean 'accuracy'"):
        permutation_importance(predictor, rows, metric="acuracy")
