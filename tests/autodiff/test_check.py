"""The gradient check catches planted faults, and forgives kinks."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.check import central_differences, check, errors, slopes
from nettrain.autodiff.ops.arithmetic import Multiply
from nettrain.autodiff.ops.matmul import Matmul
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Tanh
from nettrain.autodiff.ops.softmax import Softmax
from nettrain.autodiff.primitive import ElementWise
from nettrain.autodiff.tensor import apply

A = np.array([[0.3, -1.2, 0.8], [1.5, 0.4, -0.6], [-0.2, 0.9, 1.1]])
B = np.array([[1.0, 0.5, -0.3], [0.2, -0.7, 0.6], [0.8, 0.1, 1.3]])


class Scaled(Tanh):
    """Half a percent too large."""

    def backward(self, grads, dy, out, x):
        super().backward(grads, dy, out, x)
        grads[0][...] *= 1.005


class WrongSign(Multiply):
    """The second input's gradient has the other sign."""

    def backward(self, grads, dy, out, a, b):
        super().backward(grads, dy, out, a, b)
        if grads[1] is not None:
            np.negative(grads[1], out=grads[1])


class MissingTerm(Softmax):
    """Forgets that the sum depends on x too."""

    def backward(self, grads, dy, out, x, *, total):
        np.multiply(dy, out, out=grads[0])


class WrongAtOneElement(Tanh):
    """The last element is off by 1e-4."""

    def backward(self, grads, dy, out, x):
        super().backward(grads, dy, out, x)
        grads[0][-1, -1] += 1e-4


class Transposed(Matmul):
    """The gradient of a square b, transposed."""

    def backward(self, grads, dy, out, a, b):
        super().backward(grads, dy, out, a, b)
        if grads[1] is not None:
            grads[1][...] = grads[1].T.copy()


class NotWritten(Tanh):
    """Leaves NaN where it must write."""

    def backward(self, grads, dy, out, x):
        grads[0][...] = np.nan


PLANTED = [
    (Scaled, 1),
    (WrongSign, 2),
    (MissingTerm, 1),
    (WrongAtOneElement, 1),
    (Transposed, 2),
    (NotWritten, 1),
]


@pytest.mark.parametrize(("fault", "arity"), PLANTED, ids=lambda p: getattr(p, "__name__", None))
def test_a_planted_fault_is_caught_and_its_right_form_passes(fault, arity):
    assert check(lambda *x: apply(fault(), *x), *(A, B)[:arity]) is not None
    assert check(lambda *x: apply(fault.__base__(), *x), *(A, B)[:arity]) is None


@pytest.mark.parametrize(("fault", "arity"), PLANTED, ids=lambda p: getattr(p, "__name__", None))
def test_a_planted_fault_is_caught_inside_a_network(fault, arity):
    def network(x, w):
        hidden = x @ w
        return F.log_softmax(apply(fault(), *([hidden, w][:arity])))

    assert check(network, A, B) is not None


def test_the_disagreement_names_the_place_and_both_numbers():
    found = check(lambda x: apply(WrongAtOneElement(), x), A)
    assert (found.argument, found.index) == (0, (2, 2))
    assert found.autodiff - found.difference == pytest.approx(1e-4, rel=1e-3)
    for word in ("argument 0[2, 2]", "autodiff", "finite difference"):
        assert word in str(found)


def test_of_equal_errors_the_first_is_named_and_whole_numbers_are_points_too():
    found = check(lambda *x: apply(NotWritten(), x[0]) + apply(NotWritten(), x[1]), A, B)
    assert (found.argument, found.index) == (0, (0, 0))
    seen = []

    def cube(x):
        seen.append(x.value.copy())
        return x * x * x

    assert check(cube, [1, 2]) is None
    assert np.abs(np.array(seen) - [1, 2]).max() < 1e-5  # no point nearby was needed


class OutsideAtTheKink(Relu):
    """Says 5 at 0, where the slopes are 0 and 1."""

    def backward(self, grads, dy, out, x):
        super().backward(grads, dy, out, x)
        grads[0][x == 0] = 5


def test_a_gradient_outside_of_both_slopes_is_caught_although_it_is_right_nearby():
    found = check(lambda x: apply(OutsideAtTheKink(), x), [1.0, 0.0, 2.0])
    assert found.index == (1,) and found.autodiff == 5


class Claimed(ElementWise):
    """The constant 0 with a claimed gradient, at 0 and elsewhere: each is its own error."""

    def __init__(self, at_zero, nearby):
        self.at_zero, self.nearby, self.points, self.weights = at_zero, nearby, [], None

    def forward(self, out, x):
        out[...] = 0

    def backward(self, grads, dy, out, x):
        self.points.append(x.copy())
        self.weights = dy.copy()
        grads[0][...] = np.where(x == 0, self.at_zero, self.nearby)


@pytest.mark.parametrize(("at_zero", "nearby", "tolerance", "passes"), [
    (0.5, 1, 0.5, True),
    (0.5, 1, 0.49, False),
    (2, 1, 0.9, False),
    (0.5, 0, 0.005, True),  # by 100 tolerances outside of both slopes, and right nearby
    (0.5, 0, 0.00498, False),
    (0.5, 0.005, 0.005, True),
    (0.5, 0.00501, 0.005, False),
    (np.nan, 0, 0.1, False),
    (np.inf, 0, 0.1, False),
])  # fmt: skip
def test_an_error_may_be_as_large_as_the_tolerance_and_a_hundredfold_at_a_kink(
    at_zero, nearby, tolerance, passes
):
    claimed = Claimed(at_zero, nearby)
    assert (check(lambda x: apply(claimed, x), 0.0, tolerance=tolerance) is None) is passes


def test_a_gradient_that_is_wrong_nearby_too_is_tried_at_four_points():
    claimed = Claimed(0.5, 0.5)
    assert check(lambda x: apply(claimed, x), 0.0, tolerance=0.1).error == 0.5
    assert claimed.points[0] == 0 and len(set(map(float, claimed.points))) == 5


def test_the_weights_of_a_result_lie_between_a_half_and_one_and_a_half():
    claimed = Claimed(0, 0)
    assert check(lambda x: apply(claimed, x), np.zeros(200)) is None
    low, high = claimed.weights.min(), claimed.weights.max()
    assert 0.5 <= low < 0.6 and 1.4 < high < 1.5


def test_slopes_are_those_to_points_a_step_away_relative_to_an_element_above_1():
    x, visited = np.array([0.0, 0.5, -3.0, 8.0]), []

    def cubes():
        visited.append(x.copy())
        return float(np.sum(x**3))

    left, right = slopes(cubes, x, [(1,), (2,), (3,)], 2.0**-10)
    np.testing.assert_array_equal(x, [0, 0.5, -3, 8])
    h = 2.0**-10 * np.array([1, 3, 8])
    moves = np.array([moved - x for moved in visited[1:]])
    np.testing.assert_array_equal(moves.sum(axis=1), np.stack([-h, h], axis=1).ravel())
    assert [np.flatnonzero(move).tolist() for move in moves] == [[1], [1], [2], [2], [3], [3]]
    at = x[1:]
    np.testing.assert_allclose(left, 3 * at**2 - 3 * at * h + h**2, rtol=1e-10)
    np.testing.assert_allclose(right, 3 * at**2 + 3 * at * h + h**2, rtol=1e-10)


def test_slopes_are_float64_of_float32_elements_too_and_of_none():
    x = np.ones(2, np.float32)
    for elements in ([(0,), (1,)], []):
        for found in slopes(lambda: float(x.sum()), x, elements, 2.0**-10):
            assert found.dtype == np.float64 and found.shape == (len(elements),)


def test_differences_of_whole_numbers_and_of_float32_are_taken_in_float64():
    for point in ([1, 2], np.array([1, 2], np.float32)):
        found = central_differences(lambda x: float(np.sum(x**2)), [point], 0)
        np.testing.assert_allclose(found, [2, 4], rtol=1e-8)


# gradient, slope to the left, slope to the right: the errors
ERRORS = {
    "right": ((3, 3, 3), {}, (0, 0)),
    "relative to 1": ((0.75, 0.5, 0.5), {}, (0.25, 0.25)),
    "relative to the gradient": ((-8, 2, 2), {}, (1.25, 1.25)),
    "relative to the mean of the slopes": ((2, 6, 10), {}, (0.75, 0.5)),
    "relative to a least value": ((0.75, 0.5, 0.5), {"least": 0.125}, (1 / 3, 1 / 3)),
    "between the slopes": ((0.25, 0, 1), {}, (0.25, 0)),
    "outside of the slopes": ((2, 1, 0), {}, (0.75, 0.5)),
    "no number": ((np.nan, 1, 1), {}, (np.inf, np.inf)),
    "infinite": ((np.inf, 1, 1), {}, (np.inf, np.inf)),
    "infinite slopes": ((1, -np.inf, np.inf), {}, (np.inf, np.inf)),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_are_distances_to_the_mean_and_to_the_interval_of_the_slopes(name):
    values, least, expected = ERRORS[name]
    found = errors(*(np.array([float(v)]) for v in values), **least)
    np.testing.assert_allclose(np.array(found)[:, 0], expected, rtol=1e-15)


def test_the_points_nearby_are_a_thousandth_away_at_most_and_not_much_less():
    a = np.array([0.0, 0.5, -0.5, 1.0, 30.0, -30.0, 1000.0, 1000.0, 1000.0, 1000.0])
    away = []

    def relus_at_their_kinks(x):
        away.append(np.abs(x.value - a) / np.maximum(1, np.abs(a)))
        return F.relu(x - a)

    assert check(relus_at_their_kinks, a) is None
    assert 9e-4 < np.max(away) < 1.0011e-3
    assert np.max(away, axis=0)[6:].max() > 5e-4


KINKS = {
    "relu at 0": (F.relu, [0.0, 1.0, -1.0]),
    "leaky relu at 0": (lambda x: F.leaky_relu(x, 0.1), [0.0, 1.0]),
    "absolute value at 0": (F.absolute, [0.0, 2.0]),
    "maximum of equals": (lambda x: F.maximum(x, [1.0, 2.0]), [1.0, 2.0]),
    "minimum of equals": (lambda x: F.minimum(x, [1.0, 2.0]), [1.0, 2.0]),
    "largest of equals": (lambda x: x.max(), [1.0, 1.0, 1.0]),
    "smallest of equals": (lambda x: x.min(), [1.0, 1.0, 2.0]),
    "clip at its limits": (lambda x: F.clip(x, -1, 1), [-1.0, 1.0]),
    "a dead layer": (lambda x: F.relu(x @ np.zeros((3, 2)) + x[:, :2]), np.zeros((2, 3))),
}


@pytest.mark.parametrize("name", KINKS)
def test_a_right_gradient_passes_at_a_kink(name):
    f, x = KINKS[name]
    assert check(f, x) is None


@pytest.mark.parametrize("name", KINKS)
def test_a_wrong_gradient_is_caught_at_a_kink(name):
    f, x = KINKS[name]
    assert check(lambda x: apply(Scaled(), f(x)) + f(x), x) is not None
