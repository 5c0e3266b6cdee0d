"""The contract of every loss: rows against a formula, derivatives, outputs that cannot overflow."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.backward import backward
from nettrain.autodiff.check import check
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names, to_mapping
from nettrain.nn.loss import Loss

CODES = np.array([0, 2, 1, 2])
LABELS = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
COUNTS = np.array([[0.0, 1.0, 7.0], [2.0, 0.0, 0.0], [3.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
SHARES = np.array([[0.25, 0.5, 0.25], [0.0, 1.0, 0.0], [0.1, 0.2, 0.7], [0.6, 0.0, 0.4]])
VALUES = np.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [3.0, 1.0, -2.0], [0.1, 0.2, 0.3]])
OUTPUTS = streams.generator(0, "outputs").normal(size=(4, 3)) * 2
P = 1 / (1 + np.exp(-OUTPUTS))
SOFT = np.exp(OUTPUTS) / np.exp(OUTPUTS).sum(axis=1, keepdims=True)
ONE_AGAINST_REST = np.eye(3)[CODES]
TWO = CODES // 2
SIGN = 2.0 * TWO[:, None] - 1
OF_TWO = np.stack([1 - P[:, 0], P[:, 0]], axis=1)
ERROR = OUTPUTS - VALUES


def focal(y, p):
    """Lin et al. 2017, eq. 4, gamma 2, summed over outputs."""
    q = np.where(y == 1, p, 1 - p)
    return -((1 - q) ** 2 * np.log(q)).sum(axis=1)


def weston_watkins(z, y):
    """The sum over the other classes, a class at a time."""
    return np.array(
        [
            sum(max(0.0, 1 + z[i, j] - z[i, c]) for j in range(z.shape[1]) if j != c)
            for i, c in enumerate(y)
        ]
    )


# By YAML name, a case a task: (task, size, outputs needed, targets as data gives them, as `rows` wants them, rows, predictions) at OUTPUTS.
ROWS = {
    "binary_cross_entropy": [
        ("multilabel", 3, 3, LABELS, LABELS, -(LABELS * np.log(P) + (1 - LABELS) * np.log(1 - P)).sum(1), P),
        ("classification", 3, 3, CODES, ONE_AGAINST_REST, -(ONE_AGAINST_REST * np.log(P) + (1 - ONE_AGAINST_REST) * np.log(1 - P)).sum(1),
         P / P.sum(axis=1, keepdims=True)),
        ("classification", 2, 1, TWO, TWO[:, None], -np.log(np.where(TWO, P[:, 0], 1 - P[:, 0])), OF_TWO),
    ],
    "cross_entropy": [("classification", 3, 3, CODES, CODES, -np.log(SOFT[np.arange(4), CODES]), SOFT)],
    "focal": [
        ("multilabel", 3, 3, LABELS, LABELS, focal(LABELS, P), P),
        ("classification", 3, 3, CODES, ONE_AGAINST_REST, focal(ONE_AGAINST_REST, P), P / P.sum(axis=1, keepdims=True)),
        ("classification", 2, 1, TWO, TWO[:, None], focal(TWO[:, None], P[:, :1]), OF_TWO),
    ],
    "hinge": [
        ("classification", 3, 3, CODES, CODES, weston_watkins(OUTPUTS, CODES), SOFT),
        ("classification", 2, 2, TWO, TWO, weston_watkins(OUTPUTS[:, :2], TWO), SOFT[:, :2] / SOFT[:, :2].sum(1, keepdims=True)),
    ],
    "huber": [("regression", 3, 3, VALUES, VALUES, np.where(abs(ERROR) <= 1, ERROR**2 / 2, abs(ERROR) - 0.5).mean(1), OUTPUTS)],
    "kl_divergence": [
        ("regression", 3, 3, SHARES, SHARES, (SHARES * np.log(np.where(SHARES > 0, SHARES, 1) / SOFT)).sum(1), SOFT),
    ],
    "logistic": [("classification", 2, 1, TWO, SIGN, np.log(1 + np.exp(-SIGN * OUTPUTS[:, :1]))[:, 0], OF_TWO)],
    "mae": [("regression", 3, 3, VALUES, VALUES, abs(ERROR).mean(1), OUTPUTS)],
    "mse": [("regression", 3, 3, VALUES, VALUES, (ERROR**2).mean(1), OUTPUTS)],
    "perceptron": [("classification", 2, 1, TWO, SIGN, np.where(SIGN * OUTPUTS[:, :1] <= 0, abs(OUTPUTS[:, :1]), 0)[:, 0], OF_TWO)],
    "poisson": [("regression", 3, 3, COUNTS, COUNTS, (np.exp(OUTPUTS) - COUNTS * OUTPUTS).mean(1), np.exp(OUTPUTS))],
    "quantile": [("regression", 3, 3, VALUES, VALUES, abs(ERROR).mean(1) / 2, OUTPUTS)],
}  # fmt: skip
CASES = [
    pytest.param(name, *case, id=f"{name}, {case[0]} of {case[1]}")
    for name, cases in ROWS.items()
    for case in cases
]
FIELDS = ("name", "task", "size", "outputs", "targets", "encoded", "rows", "predictions")
every = pytest.mark.parametrize(FIELDS, CASES)
but_poisson = pytest.mark.parametrize(
    FIELDS, [case for case in CASES if case.values[0] != "poisson"]
)  # whose rate is e^z


def encoded_targets(name, targets, size):
    found = Loss.parse(name).encode(targets, size)
    return found if found.dtype.kind == "i" and found.ndim == 1 else found.astype(np.float64)


def test_every_loss_has_a_row_for_every_task():
    assert set(ROWS) == set(names(Loss))
    assert all(
        {case[0] for case in cases} == set(Loss.parse(name).tasks) for name, cases in ROWS.items()
    )


@every
def test_values_are_the_formulas(name, task, size, outputs, targets, encoded, rows, predictions):
    loss, z = Loss.parse(name), OUTPUTS[:, :outputs]
    assert loss.outputs(task, size) == outputs
    found = encoded_targets(name, targets, size)
    np.testing.assert_array_equal(found, encoded)
    np.testing.assert_allclose(loss.rows(Tensor(z), Tensor(found)).value, rows, rtol=1e-12)
    np.testing.assert_allclose(loss.predictions(z, task), predictions, rtol=1e-12)


@every
def test_derivatives_agree_with_finite_differences(
    name, task, size, outputs, targets, encoded, rows, predictions
):
    found = Tensor(encoded_targets(name, targets, size))
    assert check(lambda z: Loss.parse(name).rows(z, found), OUTPUTS[:, :outputs]) is None


@every
def test_a_batch_gives_what_its_rows_give_alone(
    name, task, size, outputs, targets, encoded, rows, predictions
):
    loss, z, y = Loss.parse(name), OUTPUTS[:, :outputs], encoded_targets(name, targets, size)
    alone = [loss.rows(Tensor(z[i : i + 1]), Tensor(y[i : i + 1])).value for i in range(4)]
    np.testing.assert_allclose(
        loss.rows(Tensor(z), Tensor(y)).value, np.concatenate(alone), rtol=1e-13
    )


@but_poisson
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sign", [-1, 1])
def test_outputs_of_1000_give_finite_losses_derivatives_and_predictions(
    name, task, size, outputs, targets, encoded, rows, predictions, dtype, sign
):
    loss, y = Loss.parse(name), encoded_targets(name, targets, size)
    z = Tensor(
        (sign * np.where(OUTPUTS[:, :outputs] > 0, 1000, -1000)).astype(dtype), requires_grad=True
    )
    found = loss.rows(z, Tensor(y if y.dtype.kind == "i" else y.astype(dtype)))
    assert found.value.dtype == dtype and np.isfinite(found.value).all()
    assert np.isfinite(backward(found.sum())[z]).all()
    assert np.isfinite(loss.predictions(z.value, task)).all()


@every
def test_predictions_are_float64_and_those_of_classes_add_to_one(
    name, task, size, outputs, targets, encoded, rows, predictions
):
    found = Loss.parse(name).predictions(OUTPUTS[:, :outputs].astype(np.float32), task)
    assert found.dtype == np.float64 and found.shape == (4, size)
    if task == "classification":
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


LINKS = {
    "values": lambda z: z,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "exponential": np.exp,
}


@every
def test_a_loss_says_what_its_predictions_are_of_the_outputs(
    name, task, size, outputs, targets, encoded, rows, predictions
):
    found = LINKS[Loss.parse(name).predicts](OUTPUTS[:, :outputs])
    if outputs < size:  # the second class of two
        predictions = predictions[:, 1:]
    if task == "classification" and outputs > 1:  # one against the rest
        found = found / found.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, predictions, rtol=1e-12)


SIGMOID = ("sigmoid", "softmax")
APPLIED = {  # activations that would be applied twice as a last layer
    "binary_cross_entropy": SIGMOID,
    "cross_entropy": ("softmax",),
    "focal": SIGMOID,
    "hinge": ("softmax",),
    "kl_divergence": ("softmax",),
    "logistic": SIGMOID,
    "perceptron": ("step", *SIGMOID),
}


@pytest.mark.parametrize("name", names(Loss))
def test_a_loss_says_which_activations_it_applies_itself(name):
    assert Loss.parse(name).applies_activation == APPLIED.get(name, ())


@but_poisson
def test_rows_reach_their_lower_bound_at_the_best_outputs_and_are_never_below(
    name, task, size, outputs, targets, encoded, rows, predictions
):
    loss, y = Loss.parse(name), encoded_targets(name, targets, size)
    if task == "regression":
        best = np.log(np.maximum(y, 1e-300)) if name == "kl_divergence" else y
    elif y.ndim == 1:
        best = 1000 * np.eye(size)[y]
    else:
        best = np.where(y > 0, 1000.0, -1000.0)
    np.testing.assert_allclose(
        loss.rows(Tensor(best), Tensor(y)).value, loss.lower_bound, atol=1e-12
    )
    assert (loss.rows(Tensor(OUTPUTS[:, :outputs]), Tensor(y)).value >= loss.lower_bound).all()


def test_the_poisson_loss_has_no_lower_bound():
    assert Loss.parse("poisson").lower_bound == -np.inf


@pytest.mark.parametrize("name", names(Loss))
def test_the_yaml_form_reads_back(name):
    assert Loss.parse(to_mapping(Loss.parse(name))) == Loss.parse(name)


def test_binary_cross_entropy_is_n_times_the_mean_over_examples_of_the_sum_over_classes():
    loss = Loss.parse("binary_cross_entropy").rows(Tensor(OUTPUTS), Tensor(LABELS)).mean().item()
    by_hand = (
        -sum(
            LABELS[i, k] * np.log(P[i, k]) + (1 - LABELS[i, k]) * np.log(1 - P[i, k])
            for i in range(4)
            for k in range(3)
        )
        / 4
    )
    assert loss == pytest.approx(by_hand, rel=1e-12)


def test_the_gradient_of_a_sigmoid_unit_with_binary_cross_entropy_is_output_minus_target():
    """The error as the textbooks show it: 0.8 - 0 = 0.8, 0.9 - 1 = -0.1."""
    p = np.array([[0.8], [0.9]])
    z = Tensor(np.log(p / (1 - p)), requires_grad=True)
    errors = backward(
        Loss.parse("binary_cross_entropy").rows(z, Tensor(np.array([[0.0], [1.0]]))).sum()
    )[z]
    np.testing.assert_allclose(errors, [[0.8], [-0.1]], rtol=1e-12)
