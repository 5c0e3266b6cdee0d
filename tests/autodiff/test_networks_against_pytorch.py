"""Whole small networks, their losses and every gradient, against PyTorch in float64: tests/golden/networks.npz."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.functional import vjp

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "networks.npz")
CASES = sorted({name.partition("/")[0] for name in GOLDEN.files if "/" in name})
LEAVES = ("x", "w1", "b1", "w2", "b2", "w3", "b3")

# The sum over a batch, from outputs and targets
LOSSES = {
    "cross_entropy": lambda outputs, y: -F.pick(F.log_softmax(outputs), y).sum(),
    "binary_cross_entropy": lambda outputs, y: (F.softplus(outputs) - outputs * y).sum(),
    "mse": lambda outputs, y: ((outputs - y) * (outputs - y)).mean(axis=1).sum(),
}


@pytest.mark.parametrize("case", CASES)
def test_a_network_and_its_gradients_are_pytorchs(case):
    def golden(name):
        return GOLDEN[f"{case}/{name}"]

    activation, loss = case.split(", ")
    f = getattr(F, activation)

    def outputs(x, w1, b1, w2, b2, w3, b3):
        return f(f(x @ w1 + b1) @ w2 + b2) @ w3 + b3

    def mean_loss(*leaves):
        return LOSSES[loss](outputs(*leaves), golden("targets")) * (1 / len(golden("x")))

    leaves = [golden(name) for name in LEAVES]
    found, _ = vjp(outputs, *leaves)
    np.testing.assert_allclose(found, golden("outputs"), rtol=1e-10, atol=1e-14)
    value, backward = vjp(mean_loss, *leaves)
    np.testing.assert_allclose(value, golden("loss"), rtol=1e-10)
    for name, gradient in zip(LEAVES, backward(np.ones_like(value)), strict=True):
        np.testing.assert_allclose(
            gradient, golden(f"d{name}"), rtol=1e-10, atol=1e-14, err_msg=f"d{name}"
        )


def test_every_activation_meets_every_loss():
    assert {tuple(case.split(", ")) for case in CASES} == {
        (f, loss) for f in ("relu", "tanh", "sigmoid") for loss in LOSSES
    }
