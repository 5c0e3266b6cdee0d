"""Every optimizer, schedule and loss, trained from step 0 with NumPy's and with compiled kernels."""

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.component import names
from nettrain.nn.loss import Loss
from nettrain.optim import Optimizer
from nettrain.schedules import Schedule

pytestmark = pytest.mark.compiled

X = streams.generator(0, "rows").normal(size=(40, 3))
NUMBERS = 3 + X[:, 0] - 2 * X[:, 1]
CLASSES = (X[:, 0] > 0) + 1 * (X[:, 1] > 0.3)
SIDES = np.where(X[:, 0] > X[:, 1], "above", "below")
SHARES = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)

FULL_BATCH = {"batch_size": None, "epochs": 6}
# optimizer -> its settings, those of training
OPTIMIZERS = {
    "adadelta": ({"lr": 5.0}, {}),
    "adagrad": ({"lr": 0.1}, {}),
    "adam": ({"lr": 0.03}, {}),
    "adamw": ({"lr": 0.03, "weight_decay": 0.1}, {}),
    "amsgrad": ({"lr": 0.03}, {}),
    "genetic": ({"population": 8, "elite": 2}, FULL_BATCH),
    "lbfgs": ({}, FULL_BATCH),
    "lion": ({"lr": 0.01, "weight_decay": 0.1}, {}),
    "momentum": ({"lr": 0.05}, {}),
    "nadam": ({"lr": 0.03}, {}),
    "nesterov": ({"lr": 0.05}, {}),
    "radam": ({"lr": 0.03}, {}),
    "random_search": ({"candidates": 8}, FULL_BATCH),
    "rmsprop": ({"lr": 0.02}, {}),
    "sgd": ({"lr": 0.1}, {}),
}
# schedule -> its settings, which change the rate within 5 epochs
SCHEDULES = {
    "constant": {"warmup": 1.5},
    "cosine": {"warmup": 1},
    "cosine_restarts": {"period": 2},
    "coslog4": {},
    "exponential": {"by": 0.7},
    "flat_cos": {},
    "inverse_sqrt": {"warmup": 1},
    "linear": {"floor": 0.1},
    "one_cycle": {},
    "piecewise": {"boundaries": [1, 3], "factors": [1.0, 0.5, 0.1]},
    "plateau": {"patience": 1, "threshold": 0.5},
    "polynomial": {},
    "step": {"every": 2},
}
# loss -> targets
LOSSES = {
    "binary_cross_entropy": SIDES,
    "cross_entropy": CLASSES,
    "focal": CLASSES,
    "hinge": CLASSES,
    "huber": NUMBERS,
    "kl_divergence": SHARES,
    "logistic": SIDES,
    "mae": NUMBERS,
    "mse": NUMBERS,
    "perceptron": SIDES,
    "poisson": np.round(np.exp(X[:, 0])),
    "quantile": NUMBERS,
}


@pytest.mark.parametrize(
    ("kind", "table"), [(Optimizer, OPTIMIZERS), (Schedule, SCHEDULES), (Loss, LOSSES)]
)
def test_every_component_has_a_row(kind, table):
    assert list(table) == names(kind)


@pytest.fixture
def train_with_both(tmp_path, weights, log):
    """Train on X with both: the same weights but for rounding, and a smaller loss than at first."""

    def train(kernels, y, changes):
        training = {"epochs": 5, "batch_size": 8, **changes.pop("training", {})}
        config = {
            "name": kernels,
            "dtype": "float64",
            "dataset": {"source": "memory", "split": {}},
            "model": {"type": "mlp", "hidden": [6], "activation": "tanh"},
            "training": {**training, "kernels": kernels},
        }
        nettrain.train(config | changes, (X, y), output_directory=tmp_path)
        losses = [row["train_loss"] for row in log(tmp_path / kernels)]
        assert losses[-1] < losses[0]
        return weights(tmp_path / kernels)

    def both(y, **changes):
        plain, compiled = (train(kernels, y, dict(changes)) for kernels in ("numpy", "numba"))
        np.testing.assert_allclose(compiled, plain, rtol=1e-8, atol=1e-8)

    return both


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_trains_to_the_same_weights_but_for_rounding(train_with_both, name):
    settings, training = OPTIMIZERS[name]
    train_with_both(CLASSES, optimizer={"type": name, **settings}, training=training)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_trains_to_the_same_weights_but_for_rounding(train_with_both, name):
    monitor = {"monitor": "train_loss"} if name == "plateau" else {}
    train_with_both(
        CLASSES,
        schedule={"type": name, **SCHEDULES[name], **monitor},
        optimizer={"type": "adam", "lr": 0.03},
    )


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_trains_to_the_same_weights_but_for_rounding(train_with_both, name):
    train_with_both(LOSSES[name], loss=name, optimizer={"type": "adam", "lr": 0.03})
