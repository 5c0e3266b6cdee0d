"""The gradients of a user's own model and loss, on rows of the user's own data, against central differences."""

from pathlib import Path

import numpy as np
import pytest

from nettrain.config.plugins import in_use
from nettrain.errors import NettrainError
from nettrain.inspection.gradcheck import MOST, check_gradients
from nettrain.training.train import prepare_run

DENSE, LAST = {"type": "dense", "units": 6}, "dense"

# Models that use chance, hold state, branch, or have kinks.
MODELS = {
    "linear": {"type": "mlp", "hidden": []},
    "tanh": {"type": "mlp", "hidden": [6, 5], "activation": "tanh"},
    "relu": {"type": "mlp", "hidden": [6, 5]},
    "prelu": {"type": "mlp", "hidden": [6], "activation": "prelu"},
    "batch_norm": {"type": "mlp", "hidden": [6], "batch_norm": True},
    "dropout": {
        "type": "sequential",
        "layers": [DENSE, "tanh", {"type": "dropout", "rate": 0.4}, LAST],
    },
    "noise": {"type": "sequential", "layers": ["gaussian_noise", DENSE, "gelu", LAST]},
    "layer_norm": {"type": "sequential", "layers": [DENSE, "layer_norm", "silu", LAST]},
    "residual": {
        "type": "sequential",
        "layers": [DENSE, {"type": "residual", "layers": [DENSE, "mish"]}, LAST],
    },
    "parallel": {
        "type": "sequential",
        "layers": [{"type": "parallel", "branches": [[DENSE, "elu"], []]}, LAST],
    },
    "embeddings": {
        "type": "sequential",
        "layers": [{"type": "piecewise_linear_embedding", "size": 2}, "feature_scale", LAST],
    },
    "codes": {
        "type": "sequential",
        "layers": [{"type": "by_columns", "cardinalities": [4]}, "tanh", LAST],
    },
    "members": {"type": "tabular", "hidden": [4], "embedding": 2, "members": 3},
    "probe": {"type": "sequential", "layers": [DENSE, "probe", LAST]},
}
LOSSES = ["cross_entropy", "hinge", "focal"]


def checked(config, data, **options):
    return check_gradients(prepare_run(config, data, ["dtype=float64"]), **options)


@pytest.mark.parametrize("name", MODELS)
def test_our_gradients_pass(toy, data, name, capsys):
    found = checked(toy({"model": MODELS[name], "regularization": {}}), data)
    assert found.passed, [array for array in found.arrays if not array.passed]
    assert found.rows == 8 and max(array.error for array in found.arrays if not array.kink) <= 1e-6
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("loss", LOSSES)
def test_the_losses_pass(toy, data, loss):
    assert checked(toy({"loss": loss, "regularization": {}}), data).passed


def test_the_regression_losses_pass(toy, data):
    for loss in ("mse", "mae", "huber"):
        assert checked(
            toy({"loss": loss, "regularization": {}}), (data[0], data[0][:, :2] * 1.5)
        ).passed


def test_every_parameter_and_the_input_have_a_row(toy, data):
    found = checked(toy({"regularization": {}}), data, rows=5)
    assert [(array.name, array.shape, array.checked) for array in found.arrays] == [
        ("input", (5, 3), 15), ("dense_1.w", (3, 6), 18), ("dense_1.b", (6,), 6), ("dense_2.w", (6, 3), 18), ("dense_2.b", (3,), 3),
    ]  # fmt: skip


def test_of_a_large_parameter_a_sample_is_checked_and_always_the_same(toy, data):
    config = toy({"model.hidden": [50], "regularization": {}})
    first, second = checked(config, data), checked(config, data)
    (w,) = [array for array in first.arrays if array.name == "dense_1.w"]
    assert (w.size, w.checked) == (150, MOST)
    assert first == second


def test_frozen_parameters_have_no_gradient_to_check(toy, data):
    layers = [DENSE | {"trainable": False}, "tanh", LAST]
    found = checked(
        toy({"model": {"type": "sequential", "layers": layers}, "regularization": {}}), data
    )
    assert [array.name for array in found.arrays] == ["input", "dense_2.w", "dense_2.b"]


def test_weights_and_state_are_left_as_they_were(toy, data):
    run = prepare_run(
        toy({"model": MODELS["batch_norm"], "regularization": {}}), data, ["dtype=float64"]
    )
    before, state = (
        run.network.vector.values.copy(),
        {name: array.copy() for name, array in run.network.state.items()},
    )
    check_gradients(run)
    assert np.array_equal(run.network.vector.values, before)
    assert state and all(
        np.array_equal(run.network.state[name], array) for name, array in state.items()
    )


def test_a_kink_is_no_fault(toy, data):
    layers = [
        {"type": "dense", "units": 4, "initializer": "zeros"},
        "relu",
        LAST,
    ]  # every unit stands on its kink
    found = checked(
        toy({"model": {"type": "sequential", "layers": layers}, "regularization": {}}), data
    )
    assert found.passed and any(array.kink for array in found.arrays)


def test_more_rows_than_there_are_are_all_rows(toy, data):
    assert checked(toy({"regularization": {}}), data, rows=10_000).rows == 30


def test_a_loss_that_is_not_finite_is_told(toy, data):
    run = prepare_run(toy({"regularization": {}}), data, ["dtype=float64"])
    run.network.vector.values[0] = np.nan
    with pytest.raises(NettrainError, match=r"gradcheck: the loss of these 8 rows is nan"):
        check_gradients(run)


WRONG = '''\
from dataclasses import dataclass

import numpy as np

from nettrain.autodiff.primitive import ElementWise
from nettrain.autodiff.tensor import apply
from nettrain.nn.layer import Layer


class Squared(ElementWise):
    """y = x^2; dx = 2 x dy."""

    reads = (0,)

    def forward(self, out, x):
        np.multiply(x, x, out=out)

    def backward(self, grads, dy, out, x):
        np.multiply(x, dy, out=grads[0])
        grads[0] *= FACTOR


@dataclass(frozen=True, kw_only=True)
class Square(Layer):
    """y = x^2, by an operation of its own."""

    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return apply(Squared(), x)
'''


@pytest.mark.parametrize(
    ("factor", "right"), [("2", True), ("1", False), ("2.0001", False), ("float('nan')", False)]
)
def test_a_planted_wrong_gradient_is_caught(toy, data, tmp_path, monkeypatch, factor, right):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(WRONG.replace("FACTOR", factor))
    config = toy(
        {
            "plugins": ["mine.py"],
            "model": {"type": "sequential", "layers": [DENSE, "square", LAST]},
            "regularization": {},
        }
    )
    run = prepare_run(config, data, ["dtype=float64"], allow_plugins=True)
    with in_use(run.config.plugins):
        found = check_gradients(run)
    # What stands behind the wrong operation is right, what stands in front of it is not.
    assert {array.name: array.passed for array in found.arrays} == {
        "input": right, "dense_1.w": right, "dense_1.b": right, "dense_2.w": True, "dense_2.b": True,
    }  # fmt: skip
    assert found.passed is right


def test_a_gradient_that_is_no_number_is_no_kink(toy, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = WRONG.replace("np.multiply(x, x, out=out)", "np.abs(x, out=out)").replace("FACTOR", "1")
    Path("mine.py").write_text(
        text.replace("np.multiply(x, dy, out=grads[0])", "grads[0][...] = dy * x / np.abs(x)")
    )
    layers = [{"type": "dense", "units": 4, "initializer": "zeros"}, "square", LAST]
    config = toy(
        {
            "plugins": ["mine.py"],
            "model": {"type": "sequential", "layers": layers},
            "regularization": {},
        }
    )
    run = prepare_run(config, data, ["dtype=float64"], allow_plugins=True)
    with in_use(run.config.plugins), np.errstate(invalid="ignore"):
        assert not check_gradients(run).passed
