"""What metrics promise beyond agreeing with scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic_core import PydanticCustomError

from nettrain import streams
from nettrain.component import find, names, plugged
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
    outcome_of,
    per_class_table,
    undefined_reason,
)
from nettrain.metrics._outcome import OUTCOMES
from nettrain.metrics._row_losses import RowLosses

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


@pytest.mark.parametrize(("decision", "classes"), [
    (Decision(), [1, 0, 0, 0]),
    (Decision(threshold=0.3), [1, 1, 1, 0]),
    (Decision(threshold=0.5), [1, 1, 0, 0]),
    (Decision(positive=0, threshold=0.8), [1, 1, 1, 0]),
    (Decision(positive=0, threshold=0.5), [1, 0, 0, 0]),
])  # fmt: skip
def test_from_the_threshold_on_a_row_is_of_the_positive_class(decision, classes):
    second = np.array([0.75, 0.5, 0.3, 0.125])
    probabilities = np.stack([1 - second, second], axis=1)
    assert decision.classes(probabilities).tolist() == classes


@pytest.mark.parametrize(("levels", "central"), [
    ((), 0), ((0.9,), 0), ((0.1, 0.5, 0.9), 1), ((0.25, 0.75), 0), ((0.1, 0.2, 0.6), 2),
])  # fmt: skip
def test_the_value_of_a_row_is_the_quantile_nearest_to_the_median(levels, central):
    decision, predictions = (
        Decision(levels=levels),
        np.arange(6.0 * max(len(levels), 1)).reshape(3, -1),
    )
    assert decision.central == central
    assert (
        decision.values(predictions).tolist()
        == predictions[:, 2 * central : 2 * central + 2].tolist()
    )


def test_the_baseline_of_quantiles_is_the_quantiles_of_the_training_targets_beside_their_mean():
    train = np.stack([np.arange(11.0), np.arange(11.0) ** 2], axis=1)
    targets = train[:4]
    found = baseline(train, targets, "regression", 2, levels=(0.1, 0.5, 0.9))
    assert found.targets is targets
    assert found.predicted.tolist() == [[5, 35]] * 4 and found.levels == (0.1, 0.5, 0.9)
    assert found.quantiles.tolist() == [[[1, 1], [5, 25], [9, 81]]] * 4
    assert found.lower.tolist() == [[1, 1]] * 4 and found.upper.tolist() == [[9, 81]] * 4


def test_the_baseline_is_a_mean_in_float64():
    train = np.array([[16777216], [1], [1]], np.float32)
    assert baseline(train, train, "regression", 1).predicted.tolist() == [[5592406]] * 3


def test_widths_and_pinball_losses_of_float32_values_are_measured_in_float64():
    low, high, y = (np.full((1, 1), value, np.float32) for value in (0.1, 0.7, 0.3))
    outcome = ValueOutcome.of(y, np.hstack([low, high]), Decision(levels=(0.25, 0.75)))
    a, b, c = (float(array[0, 0]) for array in (low, high, y))
    found = all_metrics(outcome)
    assert found["interval_width"] == b - a
    assert found["pinball_loss"] == (0.25 * (c - a) + 0.25 * (b - c)) / 2


def test_r2_of_two_rows_is_defined_and_a_constant_target_beside_another_scores_0():
    two = np.array([[1.0], [3.0]])
    assert all_metrics(ValueOutcome(two, two + np.array([[0], [1]])))["r2"] == 0.5
    targets = np.stack([np.full(3, 0.1), np.arange(3.0)], axis=1)
    outcome = ValueOutcome(targets, targets + 0.5)
    assert find(Metric, "r2")().each(outcome).tolist() == [0.0, 1 - 0.75 / 2]


@pytest.mark.parametrize("n", [1, 2, 30])
def test_r2_of_samples_keeps_its_digits_where_targets_lie_far_from_0(n):
    chance = streams.generator(0, "far", n)
    targets = chance.random((n, 2)) + np.array([1e7, 0])
    outcome, r2 = ValueOutcome(targets, targets + 0.1 * chance.random((n, 2))), find(Metric, "r2")()
    samples = chance.multinomial(n, np.full(n, 1 / n), 20).T
    expected = Metric.resampled(r2, outcome, samples)
    np.testing.assert_allclose(r2.resampled(outcome, samples.astype(float)), expected, rtol=1e-6)
    assert np.isnan(expected).all() == (n == 1)


def test_roc_auc_of_one_pair_is_1_or_0_and_of_two_classes_by_class_1_in_samples_too():
    roc_auc = find(Metric, "roc_auc")()
    pair = ClassOutcome(np.array([0, 1]), np.array([[0.5, 0.2], [0.5, 0.3]]))
    assert roc_auc.value(pair) == 1.0
    assert roc_auc.resampled(pair, np.ones((2, 1))).tolist() == [1.0]


COSTS = {"accuracy": 1.0, "log_loss": 1.0, "f1": 3.0, "recall": 3.0, "roc_auc": 16.0}


def test_what_a_sample_costs_in_multiplications_per_row():
    classes = ClassOutcome(np.zeros(3, int), np.full((3, 4), 0.25))
    values = ValueOutcome(np.zeros((3, 8)), np.zeros((3, 8)))
    assert {name: find(Metric, name)().sample_cost(classes) for name in COSTS} == COSTS
    assert find(Metric, "mse")().sample_cost(values) == 1.5
    assert find(Metric, "rmse")().sample_cost(values) == 1.5
    assert find(Metric, "r2")().sample_cost(values) == 4.5
    assert Metric.sample_cost(find(Metric, "mse")(), values) == 50


def test_what_is_no_metric_has_no_bounds_nor_has_one_that_names_none():
    assert bounds("nothing") == Metric.bounds == (-np.inf, np.inf)


def test_a_metric_that_is_plugged_in_is_one_of_all_while_it_is():
    class RightRows(type(find(Metric, "accuracy")())):
        """Rows that are right."""

    outcome = perfect()[0]
    with plugged((RightRows,)):
        assert all_metrics(outcome)["right_rows"] == 1.0
    assert "right_rows" not in all_metrics(outcome)


def test_only_the_metrics_that_are_asked_for_are_computed():
    outcome, chosen = perfect()[0], {"mine": find(Metric, "accuracy")()}
    assert all_metrics(outcome, chosen) == {"mine": 1.0}
    assert undefined_reason("mine", outcome, chosen) is None
    one = ClassOutcome(np.zeros(2, int), np.full((2, 2), 0.5))
    mine = {"mine": find(Metric, "roc_auc")()}
    assert undefined_reason("mine", one, mine) == "all 2 rows are of one class"


@pytest.mark.parametrize("n", [1, 1024, 2500])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_loss_is_that_of_all_rows_of_those_taken_and_of_samples(n, weighted):
    chance = streams.generator(0, "row losses", n)
    values, weights = chance.random(n), chance.random(n) + 0.5
    losses = RowLosses(values, weights) if weighted else RowLosses(values)
    used = weights if weighted else np.ones(n)
    assert losses.mean() == pytest.approx(np.average(values, weights=used), rel=1e-12)
    rows = chance.integers(0, n, n)
    taken = losses.take(rows)
    assert taken.mean() == pytest.approx(np.average(values[rows], weights=used[rows]), rel=1e-12)
    sample = np.bincount(rows, minlength=n)[:, None].astype(float)
    assert losses.resampled(sample).tolist() == pytest.approx([taken.mean()], rel=1e-12)


def test_a_sample_without_weight_has_no_mean_loss():
    losses = RowLosses(np.array([1.0, 2.0]), np.array([0.0, 0.5]))
    found = losses.resampled(np.array([[2.0, 0.0, 1.0], [0.0, 2.0, 1.0]]))
    np.testing.assert_array_equal(found, [np.nan, 2, 2])


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


@pytest.mark.parametrize("name", names(Metric))
def test_a_share_lies_between_0_and_1_and_an_error_above_0(name):
    share = (-np.inf if name == "r2" else 0, 1)
    assert bounds(name) == (share if HIGHER_IS_BETTER[name] else (0, np.inf))


def test_an_unknown_metric_is_refused_as_one():
    with pytest.raises(PydanticCustomError, match="metric 'acuracy' does not exist"):
        find(Metric, "acuracy")


@pytest.mark.parametrize("outcome", [
    ClassOutcome(np.arange(3) % 2, np.full((3, 2), 0.5), Decision(threshold=0.7)),
    LabelOutcome(np.eye(3), np.eye(3) / 2),
    ValueOutcome(np.eye(3), np.eye(3) / 2),
    ValueOutcome.of(np.eye(3), np.arange(18.0).reshape(3, 6), Decision(levels=(0.1, 0.9))),
], ids=lambda outcome: type(outcome).__name__)  # fmt: skip
def test_what_is_taken_has_some_of_the_rows_and_all_else(outcome):
    rows = np.array([2, 0, 0])
    taken = vars(outcome.take(rows))
    for name, value in vars(outcome).items():
        np.testing.assert_array_equal(
            taken[name], value[rows] if isinstance(value, np.ndarray) else value, strict=True
        )


def test_an_outcome_of_classes_has_the_decision_and_one_of_values_no_levels():
    decision, codes, scores = Decision(threshold=0.7), np.array([0, 1]), np.full((2, 2), 0.5)
    assert outcome_of("classification", codes, scores, decision).decision is decision
    assert outcome_of("classification", codes, scores).decision == Decision()
    assert outcome_of("regression", scores, scores).levels == ValueOutcome(scores, scores).levels
    assert ValueOutcome(scores, scores).levels == ()


def test_a_target_at_an_end_of_its_interval_is_covered():
    targets, zeros = np.array([[-0.5], [0.0], [1.0], [1.5]]), np.zeros((4, 1))
    outcome = ValueOutcome(targets, zeros, lower=zeros, upper=zeros + 1)
    assert all_metrics(outcome)["coverage"] == 0.5
    assert all_metrics(outcome)["interval_width"] == 1


@pytest.mark.parametrize("end", ["lower", "upper"])
def test_an_interval_that_lacks_an_end_is_none(end):
    targets = np.zeros((3, 1))
    outcome = ValueOutcome(targets, targets, **{end: targets})
    assert not {"coverage", "interval_width"} & set(all_metrics(outcome))


def test_of_six_classes_five_guesses_may_be_wrong():
    scores = np.tile(np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1]), (2, 1))
    assert all_metrics(ClassOutcome(np.array([0, 3]), scores))["top5_accuracy"] == 0.5


def test_a_target_whose_variance_underflows_counts_as_constant():
    targets = np.array([[0.0], [1e-200]])
    assert all_metrics(ValueOutcome(targets, targets + 1))["r2"] == 0.0
    assert all_metrics(ValueOutcome(targets, targets))["r2"] == 1.0
