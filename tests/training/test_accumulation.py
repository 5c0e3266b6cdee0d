"""Gradients accumulated over several batches, and clipped element by element."""

import numpy as np
import pytest

import nettrain
from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.layers.activation import Activation as ActivationLayer
from nettrain.layers.dense import Dense
from nettrain.layers.dropout import Dropout
from nettrain.nn.activation import Activation
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer
from nettrain.training.engine.step import Step
from nettrain.training.engine.update import Update

X = np.sin(np.arange(60)).reshape(20, 3)
Y = np.arange(20) % 2


def step_of(batch_size, *, dropout=0.0, replay=True, clip_value=None):
    layers = [
        Dense(units=5),
        ActivationLayer(function=Activation.parse("tanh")),
        Dropout(rate=dropout),
        Dense(units=2),
    ]
    network = Network(layers, (3,), dtype="float64")
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization(), clip_value=clip_value)
    return Step(
        network,
        Loss.parse("cross_entropy"),
        update,
        Part(X.copy(), Y),
        2,
        batch_size,
        replay=replay,
    )


@pytest.mark.parametrize("portion", [1, 3, 5, 7, 19])
@pytest.mark.parametrize("replay", [True, False])
def test_the_gradient_over_portions_is_that_of_the_whole_batch(portion, replay):
    rows = np.array([4, 0, 19, 7, 3, 11, 2, 18, 6, 5])
    whole, parts = step_of(10, replay=replay), step_of(portion, replay=replay)
    for _ in range(3):
        assert parts(rows, 0.5) == pytest.approx(whole(rows, 0.5), rel=1e-13)
        np.testing.assert_allclose(
            parts.network.vector.gradient, whole.network.vector.gradient, rtol=1e-10, atol=1e-15
        )
        np.testing.assert_allclose(
            parts.network.vector.values, whole.network.vector.values, rtol=1e-12
        )
    assert parts.update.steps == 3


def test_each_portion_draws_its_own_dropout():
    step = step_of(4, dropout=0.5)
    step.batch.gather(np.array([1, 1, 1, 1]))
    assert step.computation(4, step=0, micro_batch=0) != step.computation(4, step=0, micro_batch=1)


def test_a_portion_that_is_not_finite_updates_nothing():
    step = step_of(2)
    before = step.network.vector.values.copy()
    step.part.x[5] = np.nan
    assert not np.isfinite(step(np.array([0, 1, 5, 2]), 0.1))
    assert step.update.steps == 0 and step.network.vector.values.tobytes() == before.tobytes()


@pytest.mark.parametrize(("batch_size", "accumulate"), [(4, 2), (2, 4), (1, 8), (8, 1)])
def test_a_run_of_accumulated_batches_is_the_run_of_the_bigger_batch(
    toy, data, tmp_path, weights, log, batch_size, accumulate
):
    same = {"dtype": "float64", "regularization": {"l2": 1e-3}}
    changes = same | {"training.batch_size": batch_size, "training.accumulate": accumulate}
    nettrain.train(
        toy(same | {"training.batch_size": 8}), data, output_directory=tmp_path, run_name="bigger"
    )
    nettrain.train(toy(changes), data, output_directory=tmp_path, run_name="accumulated")
    np.testing.assert_allclose(
        weights(tmp_path / "accumulated"), weights(tmp_path / "bigger"), rtol=1e-9
    )
    assert [row["step"] for row in log(tmp_path / "accumulated")] == [
        row["step"] for row in log(tmp_path / "bigger")
    ]


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_a_run_broken_between_accumulated_steps_goes_on_to_the_bit(
    toy, data, tmp_path, stop_at, figures, batch
):
    changes = {"training.batch_size": 3, "training.accumulate": 4}
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


@pytest.mark.parametrize("clip_value", [None, 1e9, 0.05, 1e-3])
def test_no_element_of_the_gradient_is_beyond_clip_value(clip_value):
    free, clipped = step_of(20), step_of(20, clip_value=clip_value)
    before = free.network.vector.values.copy()
    free(np.arange(20), 1.0), clipped(np.arange(20), 1.0)
    expected = np.clip(
        before - free.network.vector.values, -(clip_value or np.inf), clip_value or np.inf
    )
    np.testing.assert_allclose(
        before - clipped.network.vector.values, expected, rtol=1e-9, atol=1e-15
    )
    assert clip_value != 0.05 or 0 < (np.abs(expected) < 0.05).mean() < 1


def test_values_are_clipped_before_the_norm():
    network = Network([Dense(units=2, bias=False)], (1,), dtype="float64")
    update = Update(network.vector, Optimizer.parse("sgd"), Regularization(), 1.0, clip_value=3.0)
    before = network.vector.values.copy()
    network.vector.gradient[...] = [4.0, 300.0]
    update(1.0)
    np.testing.assert_allclose(before - network.vector.values, np.array([1.0, 1.0]) / np.sqrt(2))
