"""Functions at extreme inputs, value and gradient, against PyTorch's numbers in tests/golden/functions.npz."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "functions.npz")
FUNCTIONS = {
    "sigmoid": F.sigmoid,
    "softplus": F.softplus,
    "leaky_relu": F.leaky_relu,
    "tanh": F.tanh,
    "softmax": F.softmax,
    "log_softmax": F.log_softmax,
    "logsumexp": lambda x: F.logsumexp(x, axis=-1),
}


def run(name):
    along_rows = f"weights.{name}" in GOLDEN
    x = Tensor(GOLDEN["rows" if along_rows else "points"], requires_grad=True)
    y = FUNCTIONS[name](x)
    weights = GOLDEN[f"weights.{name}"] if along_rows else 1
    return y.value, backward((y * weights).sum())[x]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_gradients_are_pytorchs_at_extreme_inputs(name):
    value, gradient = run(name)
    np.testing.assert_allclose(value, GOLDEN[f"value.{name}"], rtol=1e-8, atol=0)
    np.testing.assert_allclose(gradient, GOLDEN[f"gradient.{name}"], rtol=1e-8, atol=0)


def test_the_golden_inputs_are_extreme():
    assert set(np.abs(GOLDEN["points"])) == {0, 1e-8, 5, 30, 100, 700}
    assert {name.split(".")[1] for name in GOLDEN if name.startswith("value.")} == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_overflows_in_float32(name):
    x = Tensor(np.array([[-700, -100, -1e-8, 0, 100, 700, 3e38]], np.float32), requires_grad=True)
    y = FUNCTIONS[name](x)
    assert y.dtype == np.float32
    assert np.isfinite(y.value).all()
    assert np.isfinite(backward(y, np.ones(y.shape))[x]).all()
