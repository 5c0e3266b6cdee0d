"""The perceptron loss on a threshold unit, one row at a time, is Rosenblatt's rule, and comes to rest on separable data."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.training.artifacts.checkpoint import Checkpoint

CONFIGS = Path(__file__).parents[2] / "configs"
EPOCHS = 30


def rosenblatt(x, y, lr):
    """(w, b, mistakes of each epoch): y in {-1, 1}; a row that is not strictly on its side adds lr y x to w and lr y to b."""
    w, b, mistakes = np.zeros(x.shape[1]), 0.0, []
    for _ in range(EPOCHS):
        mistakes.append(0)
        for row, side in zip(x, y, strict=True):
            if side * (row @ w + b) <= 0:
                w, b = w + lr * side * row, b + lr * side
                mistakes[-1] += 1
    return w, b, mistakes


def separable():
    """Whole numbers, so that sums are exact, on two sides of x_0 + 2 x_1 = 1, none of them nearer than 2."""
    x = streams.generator(0, "separable").integers(-20, 21, (60, 2)).astype(float)
    side = x[:, 0] + 2 * x[:, 1] - 1
    far = np.abs(side) > 2 * np.sqrt(5)
    return x[far], np.sign(side[far])


@pytest.fixture
def trained(tmp_path):
    def run(x, y, lr):
        config = {
            "dtype": "float64",
            "dataset": {"source": "memory", "split": "none", "transforms": []},
            "model": {"type": "mlp", "hidden": [], "initializer": "zeros"},
            "loss": "perceptron",
            "optimizer": {"type": "sgd", "lr": lr},
            "training": {"epochs": EPOCHS, "batch_size": 1, "shuffle": False},
        }
        result = nettrain.train(
            config, (x, np.where(y > 0, "right", "left")), output_directory=tmp_path
        )
        last = Checkpoint.read(
            Path(result.run_directory) / "checkpoints" / "last.safetensors"
        ).group("parameters")
        return last["dense_1.w"], last["dense_1.b"]

    return run


@pytest.mark.parametrize("lr", [1.0, 0.25])
def test_training_takes_rosenblatts_steps(trained, lr):
    x, y = separable()
    expected_w, expected_b, mistakes = rosenblatt(x, y, lr)
    w, b = trained(x, y, lr)
    assert w[:, 0].tolist() == expected_w.tolist() and b.tolist() == [expected_b]
    assert mistakes[0] > 0


def test_it_comes_to_rest_on_separable_data_within_novikoffs_bound(trained):
    x, y = separable()
    w, b = trained(x, y, 1.0)
    assert (y * (x @ w[:, 0] + b) > 0).all()
    _, _, mistakes = rosenblatt(x, y, 1.0)
    rows = np.column_stack([x, np.ones(len(x))])  # the bias is the weight of a constant 1
    best = np.array([1.0, 2.0, -1.0]) / np.sqrt(6)
    margin = (y * (rows @ best)).min()
    assert mistakes[-1] == 0
    assert sum(mistakes) <= (rows**2).sum(axis=1).max() / margin**2  # Novikoff 1962: (R / gamma)^2


@pytest.mark.parametrize(
    ("gate", "learnt"), [("and", True), ("or", True), ("nand", True), ("xor", False)]
)
def test_the_perceptron_learns_every_gate_but_the_exclusive_or(tmp_path, gate, learnt):
    result = nettrain.train(
        CONFIGS / "perceptron.yaml",
        sets=[f"dataset.source.target={gate}"],
        output_directory=tmp_path,
    )
    assert (result.metrics["train"]["accuracy"] == 1) == learnt


def test_a_threshold_unit_in_the_model_would_be_applied_twice(tmp_path):
    layers = [{"type": "dense"}, "step"]
    changes = {
        "dataset": {"source": "memory", "split": "none"},
        "model": {"type": "sequential", "layers": layers},
        "loss": "perceptron",
    }
    with pytest.raises(
        nettrain.NettrainError,
        match="the last layer is step, which the loss perceptron applies itself",
    ):
        nettrain.train(changes, separable(), output_directory=tmp_path)
