"""What metrics promise beyond agreeing with scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nettrain import streams
from nettrain.component import find, names
from nettrain.metrics import (
    ClassOutcome,
    Decision,
    LabelOutcome,
    Metric,
    ValueOutcome,
    all_metrics,
    baseline,
    bounds,
    direction,
    metric_names,
    per_class_table,
    undefined_reason,
)
from nettrain.metrics._outcome import OUTCOMES

# Which way each metric is better: a metric without a row fails.
HIGHER_IS_BETTER = {
    "accuracy": True,
    "balanced_accuracy": True,
    "coverage": True,
    "f1": True,
    "interval_width": False,
    "label_accuracy": True,
    "log_loss": False,
    "mae": False,
    "mse": False,
    "pinball_loss": False,
    "precision": True,
    "r2": True,
    "recall": True,
    "rmse": False,
    "roc_auc": True,
    "subset_accuracy": True,
    "top5_accuracy": True,
}


def test_direction_knows_every_metric_of_every_part():
    assert list(HIGHER_IS_BETTER) == names(Metric)
    for name, higher in HIGHER_IS_BETTER.items():
        assert [direction(f"{part}_{name}") for part in ("train", "validation", "test")] == [
            higher
        ] * 3


@pytest.mark.parametrize("name", ["train_loss", "validation_loss", "train_penalty"])
def test_loss_and_penalty_are_better_lower(name):
    assert direction(name) is False


@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "validation_acuracy",
        "val_accuracy",
        "validation",
        "validation_",
        "",
        "_accuracy",
    ],
)
def test_direction_is_none_for_what_is_no_metric(name):
    assert direction(name) is None


def perfect(n=12):
    codes = np.arange(n) % 3
    return [
        ClassOutcome(codes, np.eye(3)[codes]),
        LabelOutcome(np.eye(3)[codes], np.eye(3)[codes]),
        ValueOutcome(np.arange(n * 2.0).reshape(n, 2), np.arange(n * 2.0).reshape(n, 2)),
    ]


@pytest.mark.parametrize("outcome", perfect(), ids=lambda outcome: type(outcome).__name__)
def test_a_perfect_outcome_is_the_best_of_every_metric(outcome):
    for name, value in all_metrics(outcome).items():
        assert value == pytest.approx(1.0 if HIGHER_IS_BETTER[name] else 0.0, rel=0, abs=1e-15), (
            name
        )


outcomes = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(0, 3)),
        arrays(np.float32, (n, 4), elements=st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0])),
        st.permutations(range(n)),
    )
)


@settings(max_examples=60, deadline=None)
@given(outcomes)
def test_the_order_of_rows_changes_no_metric(drawn):
    targets, scores, order = drawn
    for outcome, shuffled in (
        (ClassOutcome(targets, scores), ClassOutcome(targets[order], scores[order])),
        (LabelOutcome(scores > 0.3, scores), LabelOutcome(scores[order] > 0.3, scores[order])),
    ):
        assert all_metrics(outcome) == pytest.approx(all_metrics(shuffled), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(outcomes)
def test_roc_auc_is_the_share_of_pairs_in_order_with_ties_counted_half(drawn):
    targets, scores, _ = drawn
    each = find(Metric, "roc_auc")().each(ClassOutcome(targets, scores))
    for c in range(4):
        above, below = scores[targets == c, c][:, None], scores[targets != c, c]
        pairs = (above > below) + 0.5 * (above == below)
        np.testing.assert_allclose(each[c], pairs.mean() if pairs.size else np.nan, rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(outcomes)
def test_the_confusion_matrix_adds_up(drawn):
    targets, scores, _ = drawn
    outcome = ClassOutcome(targets, scores)
    assert outcome.confusion_matrix.sum() == len(targets)
    assert (
        per_class_table(outcome)["support"].tolist() == np.bincount(targets, minlength=4).tolist()
    )
    assert all_metrics(outcome)["accuracy"] == pytest.approx(
        (targets == outcome.predicted).mean(), rel=1e-12
    )


def test_a_tie_predicts_the_first_class():
    assert ClassOutcome(np.array([1]), np.array([[0.25, 0.375, 0.375]])).predicted.tolist() == [1]


def test_a_certain_mistake_costs_a_finite_log_loss():
    outcome = ClassOutcome(np.array([1]), np.array([[1.0, 0.0]]))
    assert find(Metric, "log_loss")().value(outcome) == pytest.approx(52 * np.log(2))


def test_the_table_of_labels_has_every_metric_that_a_label_has():
    outcome = LabelOutcome(np.eye(3), np.eye(3))
    table = per_class_table(outcome)
    assert list(table) == ["precision", "recall", "f1", "label_accuracy", "roc_auc", "support"]
    assert all(column.tolist() == [1, 1, 1] for column in table.values())


def test_a_label_is_predicted_from_one_half_upwards():
    assert LabelOutcome(
        np.ones((1, 3)), np.array([[0.5, 0.49999, 0.50001]])
    ).predicted.tolist() == [[True, False, True]]


def test_a_constant_target_scores_0_where_its_mean_is_rounded():
    targets = np.full((3, 1), 0.1)
    assert targets.mean() != 0.1
    assert all_metrics(ValueOutcome(targets, np.full((3, 1), 0.2)))["r2"] == 0.0
    assert all_metrics(ValueOutcome(targets, targets))["r2"] == 1.0


def test_errors_of_float32_values_are_measured_in_float64():
    tenth = np.full((1, 1), 0.1, dtype=np.float32)
    assert all_metrics(ValueOutcome(np.zeros_like(tenth), tenth))["mse"] == float(tenth[0, 0]) ** 2


def test_roc_auc_of_two_classes_ranks_by_the_score_of_class_1():
    scores = np.array([[0.5, 0.1], [0.5, 0.2], [0.5, 0.3]])
    assert find(Metric, "roc_auc")().value(ClassOutcome(np.array([0, 0, 1]), scores)) == 1.0


def test_the_baseline_predicts_the_first_of_tied_classes():
    assert baseline(
        np.array([2, 1, 1, 2, 0]), np.array([0, 0]), "classification", 4
    ).predicted.tolist() == [1, 1]


def test_the_baseline_of_a_regression_explains_nothing():
    y = np.arange(10.0)[:, None]
    assert all_metrics(baseline(y, y, "regression", 1))["r2"] == 0.0


def test_the_baseline_ranks_no_row_above_another():
    codes = np.arange(9) % 3
    assert all_metrics(baseline(codes, codes, "classification", 3))["roc_auc"] == 0.5


LABELS = np.array([[0, 1], [1, 1]])
UNDEFINED = {
    "one row has no variance": (
        "r2",
        ValueOutcome(np.ones((1, 2)), np.zeros((1, 2))),
        "the targets of one row have no variance to explain: it takes two rows or more",
    ),
    "one class": (
        "roc_auc",
        ClassOutcome(np.array([1, 1, 1]), np.full((3, 2), 0.5)),
        "all 3 rows are of one class",
    ),
    "an absent class": (
        "roc_auc",
        ClassOutcome(np.array([0, 2, 2]), np.full((3, 4), 0.25)),
        "2 of 4 classes have no row among these 3",
    ),
    "a constant label": (
        "roc_auc",
        LabelOutcome(LABELS, LABELS / 2),
        "label 2 of 2 is the same in all 2 rows",
    ),
    "five classes": (
        "top5_accuracy",
        ClassOutcome(np.array([0, 2]), np.full((2, 5), 0.2)),
        "there are 5 classes, and five guesses among five or fewer are always right",
    ),
    "a score that is NaN": (
        "accuracy",
        ClassOutcome(np.array([0, 0]), np.array([[np.nan, 0.5], [0.9, 0.1]])),
        "1 of 2 predictions are not finite (NaN or infinite)",
    ),
    "a label's score that is NaN": (
        "f1",
        LabelOutcome(LABELS, np.array([[0.5, 0.5], [0.5, np.nan]])),
        "1 of 2 predictions are not finite (NaN or infinite)",
    ),
    "a value that is NaN, one that is infinite": (
        "mae",
        ValueOutcome(np.zeros((3, 2)), np.array([[np.nan, np.nan], [1, np.inf], [2, 2]])),
        "2 of 3 predictions are not finite (NaN or infinite)",
    ),
    "no rows": ("accuracy", ClassOutcome(np.zeros(0, int), np.zeros((0, 2))), "there are no rows"),
}


@pytest.mark.parametrize(("name", "outcome", "reason"), UNDEFINED.values(), ids=UNDEFINED)
def test_a_metric_that_is_not_defined_is_left_out_and_has_a_reason(name, outcome, reason):
    assert name not in all_metrics(outcome)
    assert undefined_reason(name, outcome) == reason


def test_the_loss_lacks_a_value_only_where_predictions_are_not_finite():
    outcomes = [ValueOutcome(np.zeros((1, 1)), np.array([[value]])) for value in (0.5, np.inf)]
    assert [undefined_reason("loss", outcome) for outcome in outcomes] == [
        None,
        "1 of 1 predictions are not finite (NaN or infinite)",
    ]


@pytest.mark.parametrize("outcome", perfect(), ids=lambda outcome: type(outcome).__name__)
def test_a_metric_has_a_reason_exactly_where_it_is_missing(outcome):
    missing = set(metric_names(task_of(outcome))) - set(all_metrics(outcome))
    assert missing == {
        name for name in metric_names(task_of(outcome)) if undefined_reason(name, outcome)
    }


def task_of(outcome):
    return next(task for task, cls in OUTCOMES.items() if cls is type(outcome))


QUANTILES = Decision(levels=(0.2, 0.6, 0.7))


def small_outcomes():
    """Outcomes of every kind in which samples lose classes and hold ties."""
    chance = streams.generator(0, "outcomes")
    codes, labels = chance.integers(0, 7, 12), (chance.random((12, 3)) < 0.4).astype(float)
    scores = chance.integers(1, 5, (12, 7)).astype(float)
    values = chance.integers(0, 3, (12, 2)).astype(float)
    return [
        ClassOutcome(codes, scores / scores.sum(axis=1, keepdims=True)),
        ClassOutcome(codes % 2, np.stack([1 - scores[:, 0] / 5, scores[:, 0] / 5], axis=1)),
        LabelOutcome(labels, chance.integers(0, 4, (12, 3)) / 3),
        ValueOutcome(values, values + chance.integers(-1, 2, (12, 2))),
        ValueOutcome(np.ones((12, 1)), np.ones((12, 1))),
        ValueOutcome.of(
            values, np.sort(chance.random((12, 3, 2)), axis=1).reshape(12, 6) * 3, QUANTILES
        ),
    ]


@pytest.mark.parametrize("name", names(Metric))
def test_the_metric_of_a_sample_is_that_of_its_rows(name):
    metric = find(Metric, name)()
    samples = streams.generator(0, "samples").multinomial(12, np.full(12, 1 / 12), 60)
    samples[0] = 12 * np.eye(12)[0]  # one row twelve times
    samples = samples.T
    for outcome in small_outcomes():
        if isinstance(outcome, metric.outcomes):
            found = metric.resampled(outcome, samples.astype(float))
            assert found == pytest.approx(
                Metric.resampled(metric, outcome, samples), rel=1e-12, abs=1e-12, nan_ok=True
            )


@pytest.mark.parametrize("name", names(Metric))
def test_no_metric_leaves_its_bounds(name):
    metric = find(Metric, name)()
    lowest, highest = bounds(name)
    assert (lowest, highest) == metric.bounds != (-np.inf, np.inf)
    for outcome in small_outcomes():
        if isinstance(outcome, metric.outcomes):
            value = metric.value(outcome)
            assert value is None or lowest <= value <= highest
