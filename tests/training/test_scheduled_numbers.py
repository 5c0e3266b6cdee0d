"""Dropout and weight decay that follow a schedule: their values, replayed steps, resumed runs, messages."""

import numpy as np
import pytest

import nettrain
from nettrain.autodiff.tensor import Tensor
from nettrain.component import to_mapping
from nettrain.config.load import load
from nettrain.config.run_config import Regularization
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network
from nettrain.optim import Optimizer
from nettrain.schedules import RunLength, Schedule, Scheduled, number_at, schedules_within
from nettrain.training.engine.closure_update import ClosureUpdate
from nettrain.training.engine.update import Update
from nettrain.training.train import prepare_run

FLAT = {"value": 0.4, "schedule": "flat_cos"}
BY_STEPS = {"value": 0.4, "schedule": {"type": "step", "every": 2, "by": 0.5}}
SCHEDULED = {
    "regularization": {
        "dropout": BY_STEPS,
        "l1": {"value": 0.01, "schedule": "exponential"},
        "l2": BY_STEPS,
    },
    "optimizer": {"type": "adamw", "lr": 0.03, "weight_decay": BY_STEPS},
}


def test_a_number_is_its_value_times_the_factor_of_its_schedule():
    number = Scheduled(value=0.4, schedule=Schedule.parse("flat_cos"))
    length = RunLength(steps_per_epoch=10, epochs=4)
    found = [number_at(number, step, length) for step in (0, 20, 30, 39)]
    assert found == pytest.approx([0.4, 0.4, 0.2, 0.2 * (1 + np.cos(np.pi * 0.95))])
    assert number_at(number, 30, None) == 0.4 and number_at(0.3, 30, length) == 0.3


@pytest.mark.parametrize("name", ["dropout", "spatial_dropout"])
def test_the_share_that_is_dropped_follows(name):
    network = Network([Layer.parse({"type": name, "rate": FLAT})], (1000,), dtype="float64")
    network.length = RunLength(10, 4)
    for step, share in ((0, 0.4), (30, 0.2), (40, 0.0)):
        y = network(Tensor(np.ones((50, 1000))), training=True, step=step).value
        assert (y == 0).mean() == pytest.approx(share, abs=0.01)
        assert y.max() == pytest.approx(1 / (1 - share))


def test_the_deviation_of_noise_follows():
    network = Network([Layer.parse({"type": "gaussian_noise", "deviation": FLAT})], (1000,))
    network.length = RunLength(10, 4)
    for step, deviation in ((0, 0.4), (30, 0.2), (40, 0.0)):
        y = network(Tensor(np.ones((50, 1000), np.float32)), training=True, step=step).value
        assert y.std() == pytest.approx(deviation, abs=0.01)


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("closure", [False, True])
def test_penalties_follow_in_gradient_and_value(kernels, closure):
    if kernels:
        pytest.importorskip("numba")
    network = Network([Layer.parse({"type": "dense", "units": 2})], (3,), dtype="float64")
    given = Regularization(
        l1=Scheduled(value=0.4, schedule=Schedule.parse("flat_cos")),
        l2=Scheduled(value=0.8, schedule=Schedule.parse("linear")),
    )
    w, length = network.vector.values[network.vector.decayed], RunLength(1, 4)
    if closure:
        rule = Optimizer.parse({"type": "lbfgs"})
        update = ClosureUpdate(network.vector, rule, given, seed=0, length=length)
    else:
        update = Update(
            network.vector, Optimizer.parse("sgd"), given, compiled=kernels, length=length
        )
    for l1, l2 in ((0.4, 0.8), (0.4, 0.6), (0.4, 0.4), (0.2, 0.2)):
        before = w.copy()
        network.vector.gradient[...] = 0
        if not closure:
            update(0.1)
            np.testing.assert_allclose(w, before - 0.1 * (2 * l2 * before + l1 * np.sign(before)))
        else:
            update(1.0, lambda wanted: 0.0)
        expected = l1 * np.abs(w).sum() + l2 * (w * w).sum()
        assert update.penalty() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["adamw", "lion"])
def test_weights_decay_by_the_current_number_and_rate_and_biases_do_not(name):
    optimizer = Optimizer.parse({"type": name, "weight_decay": FLAT})
    network = Network([Layer.parse({"type": "dense", "units": 2, "bias_initializer": "he"})], (3,))
    update = Update(network.vector, optimizer, Regularization(), length=RunLength(1, 4))
    start = network.vector.values.copy()
    kept = 1.0
    for lr, decay in ((0.1, 0.4), (0.2, 0.4), (0.3, 0.4), (0.4, 0.2)):
        network.vector.gradient[...] = 0
        update(lr)
        kept *= 1 - lr * decay
    w, b = network.vector.decayed, slice(network.vector.decayed.stop, None)
    np.testing.assert_allclose(network.vector.values[w], kept * start[w], rtol=1e-5)
    assert np.array_equal(network.vector.values[b], start[b])


@pytest.mark.parametrize("kernels", ["numpy", "numba"])
def test_replayed_steps_follow_as_steps_computed_anew(toy, data, kernels):
    if kernels == "numba":
        pytest.importorskip("numba")
    found = []
    for replay in (True, False):
        run = prepare_run(toy(SCHEDULED | {"training.kernels": kernels}), data)
        run.step.computation.replay = replay
        losses = [run.step(np.arange(8), 0.01) for _ in range(12)]
        found.append([*losses, *run.network.vector.values])
    tolerance = 0 if kernels == "numpy" else 1e-4
    # compiled kernels round differently from the steps computed anew, which use NumPy's
    np.testing.assert_allclose(*found, rtol=tolerance, atol=tolerance)


def test_an_extended_run_follows_as_the_longer_run(toy, data, tmp_path):
    def trained(name, epochs):
        config = toy(SCHEDULED | {"training.epochs": epochs})
        nettrain.train(config, data, output_directory=tmp_path, run_name=name)
        return tmp_path / name

    longer, short = trained("longer", 5), trained("short", 3)
    result = nettrain.resume(short, data, sets=["training.epochs=5"])
    assert not any("differs" in note for note in result.notes)
    rows = [(path / "metrics.jsonl").read_text().splitlines()[-1] for path in (longer, short)]
    assert rows[0].split('"seconds"')[0] == rows[1].split('"seconds"')[0]


def test_schedules_that_depend_on_the_length_are_found_wherever_they_stand(toy):
    layers = [{"type": "dropout", "rate": FLAT}, {"type": "residual", "layers": ["relu"]}, "dense"]
    config = load(
        toy(
            {
                "model": {"type": "sequential", "layers": layers},
                "regularization": {},
                "optimizer": SCHEDULED["optimizer"],
            }
        )
    )
    assert [one.name() for one in schedules_within(config.model)] == ["flat_cos"]
    assert [one.name() for one in schedules_within(config.optimizer)] == ["step"]
    assert load(to_mapping(config)) == config


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("regularization.dropout", {"value": 1.5, "schedule": "cosine"}, r"in \[0, 1\), got 1.5"),
        ("regularization.l2", {"value": -1, "schedule": "cosine"}, "of 0 or more, got -1"),
        (
            "regularization.dropout",
            {"value": 0.5, "schedule": "plateau"},
            "take a schedule of time",
        ),
        ("regularization.dropout", {"value": 0.5}, "dropout.schedule: this key is missing"),
        (
            "regularization.dropout",
            1.5,
            r"\[0, 1\) or a mapping \(keys: value, schedule\), got 1.5",
        ),
        (
            "optimizer",
            {"type": "adamw", "weight_decay": {"value": -1, "schedule": "cosine"}},
            "optimizer.weight_decay.value: expected a number of 0 or more, got -1",
        ),
    ],
)
def test_what_is_no_scheduled_number_says_why(toy, key, value, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(toy({key: value}))
    assert len(caught.value.problems) == 1
