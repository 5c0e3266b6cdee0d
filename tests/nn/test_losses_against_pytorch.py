"""Every loss that PyTorch has, rows and gradients, label smoothing and weights included: tests/golden/losses.npz."""

import json
from pathlib import Path

import numpy as np
import pytest

from nettrain.autodiff.backward import backward
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names
from nettrain.nn.loss import Loss

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "losses.npz")
CASES = json.loads(str(GOLDEN["cases"]))
OWN = {"focal", "perceptron", "quantile"}  # PyTorch has none: held to their papers' equations


@pytest.mark.parametrize("case", CASES)
def test_rows_and_gradients_are_pytorchs(case):
    outputs = Tensor(GOLDEN[f"{case}/outputs"], requires_grad=True)
    rows = Loss.parse(CASES[case]).rows(outputs, Tensor(GOLDEN[f"{case}/targets"]))
    np.testing.assert_allclose(rows.value, GOLDEN[f"{case}/rows"], rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(
        backward(rows.mean())[outputs], GOLDEN[f"{case}/doutputs"], rtol=1e-8, atol=1e-14
    )


@pytest.mark.parametrize("case", ["weighted, a class", "weighted, a row"])
def test_the_weighted_mean_and_its_gradient_are_pytorchs(case):
    outputs, weights = (
        Tensor(GOLDEN[f"{case}/outputs"], requires_grad=True),
        GOLDEN[f"{case}/weights"],
    )
    rows = Loss.parse("cross_entropy").rows(outputs, Tensor(GOLDEN[f"{case}/targets"]))
    loss = (rows * Tensor(weights)).sum() * (1 / weights.sum())
    np.testing.assert_allclose(loss.value, GOLDEN[f"{case}/loss"], rtol=1e-8)
    np.testing.assert_allclose(
        backward(loss)[outputs], GOLDEN[f"{case}/doutputs"], rtol=1e-8, atol=1e-14
    )


def test_every_loss_meets_pytorch_or_its_paper():
    assert {mapping["type"] for mapping in CASES.values()} | OWN == set(names(Loss))
