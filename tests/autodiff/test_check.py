"""The gradient check catches planted faults, and forgives kinks."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.check import check
from nettrain.autodiff.ops.arithmetic import Multiply
from nettrain.autodiff.ops.matmul import Matmul
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Tanh
from nettrain.autodiff.ops.softmax import Softmax
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
