"""What single losses promise beyond the contract of all: their fields, their kinks, what they are least for, what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettrain import streams
from nettrain.autodiff.backward import backward
from nettrain.autodiff.check import check
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.nn.loss import Loss

random = streams.generator(0, "loss options")
Z = 3 * random.normal(size=(6, 4))
VALUES = 3 * random.normal(size=(6, 4))
LABELS = random.integers(0, 2, (6, 4)).astype(float)


def rows(loss, outputs, targets):
    return Loss.parse(loss).rows(Tensor(np.asarray(outputs)), Tensor(np.asarray(targets))).value


def gradient(loss, outputs, targets):
    z = Tensor(np.asarray(outputs, dtype=float), requires_grad=True)
    return backward(Loss.parse(loss).rows(z, Tensor(np.asarray(targets))).sum())[z]


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 5.0])
@pytest.mark.parametrize("alpha", [None, 0.0, 0.3, 1.0])
def test_focal_is_equation_5_of_its_paper(gamma, alpha):
    p = 1 / (1 + np.exp(-Z))
    expected = np.zeros(len(Z))
    for (i, k), y in np.ndenumerate(LABELS):
        q, a = (p[i, k], alpha) if y == 1 else (1 - p[i, k], None if alpha is None else 1 - alpha)
        expected[i] -= (1 if a is None else a) * (1 - q) ** gamma * np.log(q)
    focal = {"type": "focal", "gamma": gamma, "alpha": alpha}
    np.testing.assert_allclose(rows(focal, Z, LABELS), expected, rtol=1e-8)
    assert check(lambda z: Loss.parse(focal).rows(z, Tensor(LABELS)), Z) is None


def test_focal_without_focus_and_balance_is_binary_cross_entropy():
    focal = {"type": "focal", "gamma": 0, "alpha": None}
    np.testing.assert_allclose(
        rows(focal, Z, LABELS), rows("binary_cross_entropy", Z, LABELS), rtol=1e-13
    )


def test_focal_passes_over_easy_rows():
    easy, hard = np.array([[3.0]]), np.array([[-3.0]])
    ratio = rows("focal", hard, [[1.0]]) / rows("focal", easy, [[1.0]])
    assert ratio > 100 * rows("binary_cross_entropy", hard, [[1.0]]) / rows(
        "binary_cross_entropy", easy, [[1.0]]
    )


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_quantile_is_the_pinball(q):
    expected = np.where(VALUES >= Z, q * (VALUES - Z), (1 - q) * (Z - VALUES)).mean(axis=1)
    np.testing.assert_allclose(rows({"type": "quantile", "q": q}, Z, VALUES), expected, rtol=1e-8)
    assert (
        check(lambda z: Loss.parse({"type": "quantile", "q": q}).rows(z, Tensor(VALUES)), Z) is None
    )


QUANTILES = {"type": "quantile", "quantiles": [0.1, 0.5, 0.8]}


def test_several_quantiles_are_the_mean_of_the_single_ones_all_targets_at_the_first_then_at_the_next():
    z, y = 3 * random.normal(size=(5, 6)), 3 * random.normal(size=(5, 2))
    single = [
        rows({"type": "quantile", "q": q}, z[:, 2 * i : 2 * i + 2], y)
        for i, q in enumerate(QUANTILES["quantiles"])
    ]
    np.testing.assert_allclose(rows(QUANTILES, z, y), np.mean(single, axis=0), rtol=1e-12)
    assert check(lambda z: Loss.parse(QUANTILES).rows(z, Tensor(y)), z) is None
    single_precision = Loss.parse(QUANTILES).rows(
        Tensor(z.astype(np.float32)), Tensor(y.astype(np.float32))
    )
    assert single_precision.value.dtype == np.float32


def test_predicted_quantiles_are_in_rising_order_for_each_target():
    z = np.array([[3.0, 10.0, 1.0, 30.0, 2.0, 20.0], [1.0, 6.0, 2.0, 5.0, 3.0, 4.0]])
    found = Loss.parse(QUANTILES).predictions(z, "regression")
    assert found.tolist() == [[1, 10, 2, 20, 3, 30], [1, 4, 2, 5, 3, 6]]
    two = Loss.parse({"type": "quantile", "quantiles": [0.1, 0.9]})
    assert two.predictions(np.array([[2.0, 1.0]]), "regression").tolist() == [[1, 2]]


@pytest.mark.parametrize(("fields", "said"), [
    ({"quantiles": [0.1, 0.1]}, "quantiles must rise"),
    ({"quantiles": [0.5, 0.1]}, "quantiles must rise"),
    ({"quantiles": [0.1, 0.9], "q": 0.3}, "give q or quantiles"),
    ({"quantiles": [i / 101 for i in range(1, 101)]}, "at most 99"),
    ({"quantiles": []}, "at least 1"),
])  # fmt: skip
def test_quantiles_that_make_no_sense_are_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        Loss.parse({"type": "quantile"} | fields)


def test_up_to_99_quantiles_are_taken():
    assert (
        len(Loss.parse({"type": "quantile", "quantiles": [i / 100 for i in range(1, 100)]}).levels)
        == 99
    )


def test_a_rate_that_overflows_is_infinite_and_no_warning():
    with np.errstate(over="raise"):
        found = Loss.parse("poisson").predictions(np.array([[1000.0]]), "regression")
    assert found.tolist() == [[np.inf]]


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_targets_are_not_smoothed_by_default(name):
    assert Loss.parse(name).label_smoothing == 0.0


@pytest.mark.parametrize(("columns", "end"), [(8, ", 0"), (9, ", 0, ...")])
def test_eight_probabilities_of_a_wrong_row_are_shown(columns, end):
    _, said = Loss.parse("kl_divergence").validate_targets(np.eye(columns)[:1] * 2)
    assert said.startswith("(2" + ", 0" * 6 + end + ") are no")


@pytest.mark.parametrize(
    ("loss", "least"),
    [
        ("mse", np.mean),
        ("mae", np.median),
        ("quantile", np.median),
        ({"type": "quantile", "q": 0.9}, lambda y: np.quantile(y, 0.9)),
    ],
)
def test_the_best_constant_is_the_mean_the_median_or_the_quantile(loss, least):
    y = random.exponential(size=(101, 1))
    near = least(y) + np.linspace(-0.5, 0.5, 201)
    losses = [rows(loss, np.full_like(y, z), y).mean() for z in near]
    assert near[np.argmin(losses)] == pytest.approx(least(y), abs=1e-9)


def test_poisson_does_best_where_the_rate_is_the_mean_count():
    counts = np.array([[0.0], [1.0], [5.0]])
    z = np.full((3, 1), np.log(2.0))
    assert gradient("poisson", z, counts).sum() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(Loss.parse("poisson").predictions(z, "regression"), 2.0)


def test_kl_divergence_is_0_at_its_target_and_cross_entropy_for_certain_ones():
    shares = np.array([[0.2, 0.3, 0.5, 0.0]])
    with np.errstate(divide="ignore"):
        z = np.maximum(np.log(shares), -100)
    assert rows("kl_divergence", z, shares)[0] == pytest.approx(0, abs=1e-12)
    codes = np.array([0, 3, 1, 1, 2, 0])
    np.testing.assert_allclose(
        rows("kl_divergence", Z, np.eye(4)[codes]), rows("cross_entropy", Z, codes), rtol=1e-12
    )


def test_logistic_is_binary_cross_entropy_in_other_letters():
    codes = np.array([0, 1, 1, 0, 1, 0])
    logistic, binary = Loss.parse("logistic"), Loss.parse("binary_cross_entropy")
    z = Z[:, :1]
    np.testing.assert_allclose(
        rows("logistic", z, logistic.encode(codes, 2)),
        rows("binary_cross_entropy", z, codes[:, None]),
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        logistic.predictions(z, "classification"),
        binary.predictions(z, "classification"),
        rtol=1e-12,
    )


def test_hinge_is_0_beyond_the_margin_and_has_no_gradient_on_it():
    z = np.array([[2.0, 1.0, -1.0], [2.0, 0.5, 0.0]])
    assert rows("hinge", z, [0, 0]).tolist() == [0, 0]
    assert rows("hinge", z, [1, 1]).tolist() == [2, 3]
    assert gradient("hinge", z, [0, 0]).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_row_on_the_boundary_counts_as_a_mistake_of_the_perceptron():
    assert rows("perceptron", [[0.0], [0.0]], [[1.0], [-1.0]]).tolist() == [0, 0]
    assert gradient(
        "perceptron", [[0.0], [0.0], [2.0], [-2.0]], [[1.0], [-1.0], [1.0], [1.0]]
    ).tolist() == [[-1], [1], [0], [-1]]


def test_the_loss_of_smoothed_targets_is_that_of_the_mixture():
    codes, s = np.array([0, 3, 1, 1, 2, 0]), 0.2
    everything = np.mean([rows("cross_entropy", Z, np.full(6, k)) for k in range(4)], axis=0)
    smoothed = {"type": "cross_entropy", "label_smoothing": s}
    np.testing.assert_allclose(
        rows(smoothed, Z, codes),
        (1 - s) * rows("cross_entropy", Z, codes) + s * everything,
        rtol=1e-12,
    )
    assert check(lambda z: Loss.parse(smoothed).rows(z, Tensor(codes)), Z) is None


def test_smoothing_two_classes_is_the_same_with_one_output_as_with_two():
    codes = np.array([0, 1, 1, 0, 1, 0])
    one = rows(
        {"type": "binary_cross_entropy", "label_smoothing": 0.2},
        Z[:, 1:2] - Z[:, :1],
        codes[:, None].astype(float),
    )
    np.testing.assert_allclose(
        one, rows({"type": "cross_entropy", "label_smoothing": 0.2}, Z[:, :2], codes), rtol=1e-12
    )


@pytest.mark.parametrize(
    "name", ["cross_entropy", "hinge", "logistic", "perceptron", "binary_cross_entropy", "focal"]
)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_the_largest_prediction_is_the_class_that_the_scores_decide_on(name, data):
    loss = Loss.parse(name)
    size = 2 if name in ("logistic", "perceptron") else data.draw(st.integers(2, 5))
    outputs = loss.outputs("classification", size)
    scores = data.draw(st.lists(st.integers(-20, 20), min_size=outputs, max_size=outputs))
    decision = int(scores[0] > 0) if outputs == 1 else int(np.argmax(scores))
    assert loss.predictions(np.array([scores], dtype=float), "classification").argmax() == decision


@pytest.mark.parametrize("name", ["logistic", "perceptron"])
def test_losses_of_two_classes_refuse_three(name):
    with pytest.raises(ConfigError) as raised:
        Loss.parse(name).outputs("classification", 3)
    assert (
        str(raised.value)
        == f"loss: {name} is for two classes, the target has 3; use `loss: cross_entropy` or `loss: hinge`"
    )


@pytest.mark.parametrize(
    ("name", "targets", "reason"),
    [
        ("mse", [[-1.0]], None),
        ("poisson", [[0.0, 2.5], [3.0, 1.0]], None),
        ("poisson", [[0.0], [3.0], [-2.0]], (2, "-2 is no count, which is 0 or more")),
        ("kl_divergence", [[0.3, 0.7], [1.0, 0.0], [0.33333, 0.66667]], None),
        (
            "kl_divergence",
            [[0.3, 0.7], [0.5, 0.6]],
            (1, "(0.5, 0.6) are no probabilities, which are 0 or more and sum to 1"),
        ),
        (
            "kl_divergence",
            [[0.3, 0.7], [-0.5, 1.5]],
            (1, "(-0.5, 1.5) are no probabilities, which are 0 or more and sum to 1"),
        ),
        (
            "kl_divergence",
            [[1.0], [1.0]],
            (0, "a single column is no distribution: name one target column per class"),
        ),
    ],
)
def test_a_loss_says_which_targets_it_cannot_take(name, targets, reason):
    assert Loss.parse(name).validate_targets(np.array(targets)) == reason
