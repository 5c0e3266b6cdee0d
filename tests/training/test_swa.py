"""Stochastic weight averaging: PyTorch's numbers, what is evaluated and saved, resumed runs, messages."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.autodiff.tensor import Tensor
from nettrain.errors import ConfigError
from nettrain.initializers.zeros import Zeros
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network
from nettrain.nn.parameter import Parameter
from nettrain.nn.vector import ParameterVector
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.engine.swa import StochasticAverage, recomputed_statistics
from nettrain.training.loop import train_epochs
from nettrain.training.train import prepare_run

NAMES = {
    "dense_1.w": "w1", "dense_1.b": "b1", "batch_norm_1.gamma": "gamma", "batch_norm_1.beta": "beta",
    "dense_2.w": "w2", "dense_2.b": "b2",
}  # fmt: skip
NORMED = {
    "type": "sequential",
    "layers": [{"type": "dense", "units": 4}, "batch_norm", "tanh", "dense"],
}
SWA = {
    "training.swa": {"start": 2, "every": 2},
    "optimizer.lr": 0.1,
    "model": NORMED,
    "regularization": {},
}


def test_the_average_and_its_statistics_are_pytorchs():
    golden = np.load(Path(__file__).parents[1] / "golden" / "swa.npz")
    config = {
        "dataset": {"source": "memory", "split": "none", "transforms": [], "target_transforms": []},
        "dtype": "float64",
        "model": NORMED,
        "loss": "mse",
        "optimizer": {"type": "sgd", "lr": 0.1},
        "regularization": {},
        "training": {
            "epochs": 6, "batch_size": 5, "shuffle": False, "shards": 1, "kernels": "numpy", "swa": {"start": 3, "every": 2}
        },
    }  # fmt: skip
    run = prepare_run(config, (golden["x"], golden["y"]))
    for name, short in NAMES.items():
        run.network.vector.views[name][...] = golden[f"start.{short}"]
    train_epochs(run, [], lambda: None)
    weights = run.weights()
    for name, view in run.network.vector.named(weights.average).items():
        np.testing.assert_allclose(view, golden[f"end.{NAMES[name]}"], rtol=1e-8)
    for name in ("mean", "variance"):
        found = weights.average_state[f"batch_norm_1.{name}"]
        np.testing.assert_allclose(found, golden[f"end.{name}"], rtol=1e-8)
    weights.put_into(run.network)
    np.testing.assert_allclose(run.network.outputs(golden["x"]), golden["outputs"], rtol=1e-8)


def test_weights_enter_at_the_ends_of_the_epochs_that_are_asked_for():
    vector = ParameterVector({"w": Parameter((2,), Zeros())}, np.dtype("float64"))
    average = StochasticAverage(vector, start=4, every=3, steps_per_epoch=4)
    entered, seen = [16, 28], []
    assert [t for t in range(1, 32) if average.enters(t)] == entered
    for t in range(32):
        vector.values[...] = [t, t**2]
        average.update(t)
        seen += [vector.values.copy()] if t in entered else []
        count = average.count(t)
        assert count == len(seen) and type(count) is int
        np.testing.assert_allclose(average.values, np.mean(seen or [[0, 0]], axis=0), rtol=1e-12)


def test_statistics_are_the_mean_over_batches_in_training_mode():
    layers = [
        "dropout",
        {"type": "residual", "layers": [{"type": "batch_norm", "momentum": 0.25}]},
        {"type": "dense", "units": 2},
        {"type": "batch_norm", "momentum": 0.5},
    ]
    network = Network([Layer.parse(layer) for layer in layers], (3,), dtype="float32")
    for number, array in enumerate(network.state.values()):
        array += number + 1.5
    before = {name: array.copy() for name, array in network.state.items()}
    x, expected = np.sin(np.arange(24.0)).reshape(8, 3), {}
    for count, start in enumerate((0, 3, 6)):
        _, outputs = network.watched(
            Tensor(x[start : start + 3].astype(np.float32)), training=True, step=count
        )
        values = {one.path: one.value.value for one in outputs}
        for norm, above in (("residual_1.batch_norm_1", "dropout_1"), ("batch_norm_1", "dense_1")):
            of_batch = {"mean": values[above].mean(0), "variance": values[above].var(0, ddof=1)}
            for name, array in of_batch.items():
                expected.setdefault(f"{norm}.{name}", []).append(array)
    found = recomputed_statistics(network, x, 3)
    assert found.keys() == before.keys() and expected.keys() <= found.keys()
    for name, array in found.items():
        assert array.dtype == before[name].dtype
        of_all = np.mean(expected[name], axis=0) if name in expected else before[name]
        np.testing.assert_allclose(array, of_all, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(network.state[name], before[name])


def test_before_the_first_average_the_weights_themselves_are_evaluated(toy, data, tmp_path, log):
    nettrain.train(toy(SWA), data, output_directory=tmp_path, run_name="with")
    plain = {key: value for key, value in SWA.items() if key != "training.swa"}
    nettrain.train(toy(plain), data, output_directory=tmp_path, run_name="without")
    losses = [
        [row["validation_loss"] for row in log(tmp_path / name)] for name in ("with", "without")
    ]
    assert losses[0][0] == losses[1][0] and losses[0][1:] != losses[1][1:]
    trained = [
        Checkpoint.read(tmp_path / name / "checkpoints" / "last.safetensors").group("parameters")
        for name in ("with", "without")
    ]
    assert all((trained[0][name] == array).all() for name, array in trained[1].items())


def test_the_average_predicts_with_its_own_statistics(toy, data, tmp_path, log):
    result = nettrain.train(toy(SWA), data, output_directory=tmp_path)
    best = Checkpoint.read(tmp_path / "toy" / "checkpoints" / "best.safetensors")
    model = nettrain.load(tmp_path / "toy")
    for name, array in best.group("average").items():
        assert (model.network.vector.views[name] == array).all()
    for name, array in best.group("average_state").items():
        assert (model.network.state[name] == array).all()
    assert result.metrics["validation"]["loss"] == pytest.approx(
        log(tmp_path / "toy")[result.best_epoch - 1]["validation_loss"]
    )


@pytest.mark.parametrize("batch", [3, 8, 9, 16, 23])
def test_a_broken_run_goes_on_to_the_bit(toy, data, tmp_path, stop_at, figures, batch):
    nettrain.train(toy(SWA), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        stopped = [stop_at(batch, "SIGINT")]
        nettrain.train(
            toy(SWA), data, output_directory=tmp_path, run_name="broken", callbacks=stopped
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")
    whole, broken = (
        Checkpoint.read(tmp_path / name / "checkpoints" / "last.safetensors").tensors
        for name in ("whole", "broken")
    )
    assert whole.keys() == broken.keys()
    assert all((array == broken[name]).all() for name, array in whole.items())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training.ema": 0.9, "training.swa": {"start": 2}}, "leave one of them out"),
        ({"training.swa": {"start": 99}}, "epoch 99 is not among the"),
        ({"training.swa": {}}, "training.swa.start: this key is missing"),
    ],
)
def test_what_cannot_be_averaged_says_why(toy, data, tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        nettrain.train(toy(changes), data, output_directory=tmp_path)
