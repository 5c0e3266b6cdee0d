"""Optimizers that ask for the loss themselves, through whole runs: what they reach, that they resume, what they refuse."""

import numpy as np
import pytest

import nettrain
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.training.artifacts.checkpoint import Checkpoint

FULL = {"training.batch_size": None, "regularization": {"l2": 1e-3}}
SEARCHES = {
    "lbfgs": {"type": "lbfgs", "history": 4},
    "random_search": {"type": "random_search", "candidates": 5},
    "genetic": {"type": "genetic", "population": 10, "elite": 2},
}


def fit(tmp_path, mapping, **changes):
    base = {"model": {"type": "mlp", "hidden": [4], "activation": "tanh"}, "dtype": "float64"}
    return nettrain.train(base | mapping | changes, output_directory=tmp_path)


XOR = {"dataset": {"source": {"type": "xor", "rows": 40}}, "loss": "binary_cross_entropy"}
SINE = {
    "dataset": {"source": {"type": "sine", "rows": 60}},
    "model": {"type": "mlp", "hidden": [8], "activation": "tanh"},
}


@pytest.mark.parametrize(("optimizer", "epochs", "schedule"), [
    ({"type": "lbfgs"}, 40, "constant"),
    ({"type": "random_search", "lr": 0.5}, 200, "constant"),
    ({"type": "genetic"}, 60, {"type": "exponential", "by": 0.97}),
])  # fmt: skip
def test_xor_is_learnt_without_a_step_of_descent(tmp_path, optimizer, epochs, schedule):
    result = fit(
        tmp_path,
        XOR,
        optimizer=optimizer,
        schedule=schedule,
        training={"epochs": epochs, "batch_size": None},
    )
    assert result.metrics["train"]["accuracy"] == 1


@pytest.mark.parametrize(("optimizer", "epochs", "r2"), [
    ({"type": "lbfgs"}, 100, 0.995),
    ({"type": "random_search", "lr": 0.3}, 300, 0.9),
    ({"type": "genetic"}, 150, 0.9),
])  # fmt: skip
def test_a_sine_is_fitted_without_a_step_of_descent(tmp_path, optimizer, epochs, r2):
    result = fit(
        tmp_path,
        SINE,
        optimizer=optimizer,
        schedule="linear",
        training={"epochs": epochs, "batch_size": None},
    )
    assert result.metrics["train"]["r2"] > r2


def test_lbfgs_needs_far_fewer_epochs_than_descent(tmp_path):
    training = {"epochs": 60, "batch_size": None}
    losses = [
        fit(tmp_path, SINE, optimizer=optimizer, training=training).metrics["train"]["loss"]
        for optimizer in ("lbfgs", {"type": "adam", "lr": 0.03}, {"type": "momentum", "lr": 0.05})
    ]
    assert losses[0] < 0.1 * min(losses[1:])


@pytest.mark.parametrize("batch_size", [None, 16, 1])
def test_full_batch_mini_batch_and_single_instance_descent_all_learn(tmp_path, batch_size):
    epochs = {None: 300, 16: 60, 1: 15}[batch_size]
    found = fit(
        tmp_path,
        XOR,
        optimizer={"type": "adam", "lr": 0.03},
        training={"epochs": epochs, "batch_size": batch_size},
    )
    assert found.metrics["train"]["accuracy"] == 1


def test_the_training_loss_of_every_epoch_is_that_before_its_step(tmp_path, log):
    fit(
        tmp_path,
        SINE,
        optimizer="lbfgs",
        training={"epochs": 12, "batch_size": None, "monitor": "train_r2"},
    )
    losses = [row["train_loss"] for row in log(tmp_path / "run")]
    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("optimizer", SEARCHES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 3, 5])
def test_a_broken_search_goes_on_to_the_bit(
    toy, data, tmp_path, stop_at, figures, optimizer, dtype, batch
):
    changes = FULL | {"optimizer": SEARCHES[optimizer], "dtype": dtype}
    nettrain.train(toy(changes), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            toy(changes),
            data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(batch, "SIGTERM")],
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")


@pytest.mark.parametrize("optimizer", SEARCHES)
def test_what_is_frozen_stays_and_the_rest_is_searched(toy, data, tmp_path, optimizer):
    layers = [{"type": "dense", "units": 5}, "tanh", {"type": "dense", "trainable": False}]
    changes = FULL | {
        "optimizer": SEARCHES[optimizer],
        "model": {"type": "sequential", "layers": layers},
    }
    starts, ends = {}, {}
    for epochs, found in ((1, starts), (6, ends)):
        nettrain.train(
            toy(changes | {"training.epochs": epochs}),
            data,
            output_directory=tmp_path,
            run_name=str(epochs),
        )
        found |= Checkpoint.read(tmp_path / str(epochs) / "checkpoints" / "last.safetensors").group(
            "parameters"
        )
    assert {name for name in ends if np.array_equal(ends[name], starts[name])} == {
        "dense_2.w",
        "dense_2.b",
    }


@pytest.mark.parametrize("optimizer", SEARCHES)
@pytest.mark.parametrize(("changes", "said"), [
    ({"batch_size": 32}, "training.batch_size: the optimizer {} takes all rows in each step: set training.batch_size: null"),
    ({"accumulate": 2}, "training.accumulate: the optimizer {} takes all rows in each step: leave it out"),
    ({"clip_norm": 1}, "training.clip_norm: the optimizer {} chooses the length of its steps itself: leave it out"),
    ({"clip_value": 1}, "training.clip_value: the optimizer {} chooses the length of its steps itself: leave it out"),
])  # fmt: skip
def test_what_a_search_cannot_do_is_told_before_training(optimizer, changes, said):
    training = {"batch_size": None} | changes
    with pytest.raises(ConfigError) as error:
        load(
            {
                "dataset": {"source": "xor"},
                "model": {"type": "mlp", "hidden": [2]},
                "optimizer": optimizer,
                "training": training,
            }
        )
    assert str(error.value) == said.format(optimizer)


def test_layers_with_rates_of_their_own_are_refused(toy, data, tmp_path):
    layers = [{"type": "dense", "units": 5, "learning_rate": 0.1}, "tanh", "dense"]
    changes = FULL | {"optimizer": "lbfgs", "model": {"type": "sequential", "layers": layers}}
    with pytest.raises(
        ConfigError,
        match="optimizer: lbfgs moves all layers at once: leave out the layers' learning_rate",
    ):
        nettrain.train(toy(changes), data, output_directory=tmp_path)


def test_an_elite_as_large_as_the_population_is_refused():
    with pytest.raises(
        ConfigError,
        match=r"optimizer.*elite must be below population, got elite 9 and population 9",
    ):
        load({
            "dataset": {"source": "xor"}, "model": {"type": "mlp", "hidden": [2]},
            "optimizer": {"type": "genetic", "elite": 9, "population": 9}, "training": {"batch_size": None},
        })  # fmt: skip
