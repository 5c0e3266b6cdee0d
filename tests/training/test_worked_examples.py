"""Examples that every textbook has, through `train` as a user calls it."""

import numpy as np
import pytest

import nettrain
from nettrain.training.callbacks import Callback


@pytest.fixture
def train(tmp_path):
    """Train into a folder of its own."""
    return lambda config, data=None: nettrain.train(config, data, output_directory=tmp_path)


TRUTH_TABLE = np.array([(0, 0), (0, 1), (1, 0), (1, 1)])


def test_descent_finds_xor_with_two_hidden_sigmoid_units_and_a_line_never_does(train):
    config = {
        "dataset": {"source": "memory", "split": "none"}, "loss": "binary_cross_entropy", "optimizer": {"type": "adam", "lr": 0.1},
        "training": {"epochs": 600, "batch_size": None}, "seed": 3,
    }  # fmt: skip
    data = (TRUTH_TABLE, TRUTH_TABLE[:, 0] ^ TRUTH_TABLE[:, 1])
    found = train(config | {"model": {"type": "mlp", "hidden": [2], "activation": "sigmoid"}}, data)
    assert found.metrics["train"]["accuracy"] == 1 and found.metrics["train"]["loss"] < 0.1
    assert nettrain.load(found.run_directory).predict(TRUTH_TABLE).tolist() == [0, 1, 1, 0]
    line = train(config | {"model": {"type": "mlp", "hidden": []}}, data)
    assert line.metrics["train"]["accuracy"] <= 0.75


TRIANGLE = {
    "dataset": {"source": "triangle", "split": {"validation": 0.2, "test": 0.2, "stratify": True}},
    "optimizer": {"type": "adam", "lr": 0.03}, "training": {"epochs": 60, "batch_size": 32},
}  # fmt: skip


@pytest.mark.slow
def test_a_triangle_takes_three_units(train):
    wide = TRIANGLE | {
        "training": {"epochs": 300, "batch_size": 32},
        "model": {"type": "mlp", "hidden": [3], "activation": "tanh"},
    }
    assert (
        max(train(wide | {"seed": seed}).metrics["test"]["accuracy"] for seed in range(5)) >= 0.97
    )


def test_a_line_cannot_part_a_triangle_from_what_is_around_it(train):
    assert all(
        train(TRIANGLE | {"model": {"type": "mlp", "hidden": []}, "seed": s}).metrics["test"][
            "accuracy"
        ]
        < 0.9
        for s in range(2)
    )


def test_one_hidden_layer_approximates_the_sine(train):
    result = train({
        "dataset": {"source": "sine", "split": {"test": 0.2}}, "model": {"type": "mlp", "hidden": [16], "activation": "tanh"},
        "optimizer": {"type": "adam", "lr": 0.02}, "training": {"epochs": 100, "batch_size": 32},
    })  # fmt: skip
    assert result.metrics["test"]["r2"] >= 0.99
    x = np.linspace(-3, 3, 50)
    assert np.abs(nettrain.load(result.run_directory).predict(x) - np.sin(x)).max() < 0.1


def test_linear_activations_collapse_to_the_least_squares_line(train):
    x = np.linspace(-np.pi, np.pi, 40)
    result = train({
        "dtype": "float64", "dataset": {"source": "memory", "split": "none"}, "loss": "mse",
        "model": {"type": "mlp", "hidden": [4, 4], "activation": "identity"}, "optimizer": {"type": "adam", "lr": 0.02},
        "schedule": "cosine", "training": {"epochs": 500, "batch_size": None},
    }, (x, np.sin(x)))  # fmt: skip
    design = np.stack([x, np.ones_like(x)], axis=1)
    line = design @ np.linalg.lstsq(design, np.sin(x))[0]
    np.testing.assert_allclose(nettrain.load(result.run_directory).predict(x), line, atol=1e-6)


TABLE = (
    np.array([(1.4, 2.7, 1.9), (3.8, 3.4, 3.2), (6.4, 2.8, 1.7), (4.1, 0.1, 0.2)]),
    np.array([0, 0, 1, 0]),
)


def test_a_toy_table_is_learned_one_instance_at_a_time_by_output_minus_target(tmp_path):
    """One sigmoid unit: each step moves w by -lr (p - y) x, the error as output minus target."""
    lr, seen = 0.1, []

    class Watch(Callback):
        def begin(self, run):
            self.weights = run.network.vector.values.copy()
            self.x, self.y = run.parts["train"].x, run.parts["train"].y

        def batch_end(self, run):
            row = len(seen) % 4
            w, b = self.weights[:3], self.weights[3]
            error = 1 / (1 + np.exp(-(self.x[row] @ w + b))) - self.y[row]
            expected = self.weights - lr * error * np.append(self.x[row], 1)
            np.testing.assert_allclose(run.network.vector.values, expected, rtol=1e-9)
            seen.append(error)
            self.weights = run.network.vector.values.copy()

    config = {
        "dtype": "float64", "dataset": {"source": "memory", "split": "none"}, "loss": "binary_cross_entropy", "model": {"type": "mlp", "hidden": []},
        "optimizer": {"type": "sgd", "lr": lr}, "training": {"epochs": 200, "batch_size": 1, "shuffle": False},
    }  # fmt: skip
    result = nettrain.train(config, TABLE, output_directory=tmp_path, callbacks=[Watch()])
    assert len(seen) == 800 and np.abs(seen[-4:]).max() < np.abs(seen[:4]).max()
    assert result.metrics["train"]["accuracy"] == 1


@pytest.mark.parametrize(("schedule", "rates"), [
    ({"type": "step", "every": 5, "by": 0.5}, lambda epoch: 0.1 * 0.5 ** (epoch // 5)),
    ({"type": "step", "every": 20, "by": 0.1}, lambda epoch: 0.1 * 0.1 ** (epoch // 20)),
    ("constant", lambda epoch: 0.1),
])  # fmt: skip
def test_the_rate_that_a_run_logs_is_the_schedules(train, log, schedule, rates):
    config = {
        "dataset": {"source": "memory", "split": "none"}, "model": {"type": "mlp", "hidden": []}, "optimizer": {"type": "sgd", "lr": 0.1},
        "schedule": schedule, "training": {"epochs": 22, "batch_size": None},
    }  # fmt: skip
    rows = log(train(config, TABLE).run_directory)
    np.testing.assert_allclose(
        [row["lr"] for row in rows], [rates(epoch) for epoch in range(22)], rtol=1e-12
    )


def test_warm_up_rises_step_by_step_before_the_cosine_falls(train, log):
    config = {
        "dataset": {"source": "memory", "split": "none"}, "model": {"type": "mlp", "hidden": []}, "optimizer": {"type": "sgd", "lr": 0.1},
        "schedule": {"type": "cosine", "warmup": 4}, "training": {"epochs": 12, "batch_size": None},
    }  # fmt: skip
    rates = [row["lr"] for row in log(train(config, TABLE).run_directory)]
    np.testing.assert_allclose(rates[:4], [0.025, 0.05, 0.075, 0.1], rtol=1e-12)
    np.testing.assert_allclose(
        rates[4:], [0.05 * (1 + np.cos(np.pi * t / 8)) for t in range(8)], rtol=1e-12
    )


def test_the_penalty_is_logged_beside_a_loss_without_it(train, log, toy, data):
    config = toy({"regularization": {"l1": 0.01, "l2": 0.02}, "training.epochs": 1})
    result = train(config, data)
    row = log(result.run_directory)[0]
    last = nettrain.load(f"{result.run_directory}/checkpoints/last.safetensors").network
    weights = np.concatenate(
        [view.ravel() for name, view in last.vector.views.items() if name.endswith(".w")]
    ).astype(float)
    assert row["train_penalty"] == pytest.approx(
        0.01 * np.abs(weights).sum() + 0.02 * (weights**2).sum(), rel=1e-6
    )


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_penalty_shrinks_weights(train, data, toy, penalty):
    def size(amount):
        result = train(toy({"regularization": {penalty: amount}, "training.epochs": 40}), data)
        last = nettrain.load(f"{result.run_directory}/checkpoints/last.safetensors").network
        return np.abs(last.vector.values[last.vector.decayed]).sum()

    assert size(0.3) < 0.2 * size(0.0)


def test_transforms_are_fitted_on_the_training_rows_alone(train, toy):
    x = np.concatenate([np.linspace(0, 1, 30), np.full(10, 1e6)])[:, None]
    ranges = {"train": [0, 30], "validation": [30, 40]}
    config = toy(
        {
            "dataset": {
                "source": "memory",
                "split": {"rows": ranges},
                "transforms": ["standardize"],
            },
            "training.epochs": 1,
        }
    )
    pipeline = nettrain.load(train(config, (x, np.arange(40) % 2)).run_directory).pipeline
    state = pipeline.transforms[0].state
    assert [value for value in state.values() if np.allclose(value, x[:30].mean())]
    assert [value for value in state.values() if np.allclose(value, x[:30].std())]
