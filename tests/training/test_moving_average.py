"""The moving average of the weights: its formula, that it is what is evaluated, saved beside the raw weights, and resumes."""

from types import SimpleNamespace

import numpy as np
import pytest

import nettrain
from nettrain import streams
from nettrain.errors import CheckpointError
from nettrain.initializers.zeros import Zeros
from nettrain.nn.parameter import Parameter
from nettrain.nn.vector import ParameterVector
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.callbacks import Callback
from nettrain.training.engine import ema
from nettrain.training.engine.ema import Average

EMA = {"training.ema": 0.9, "optimizer.lr": 0.1}


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_it_is_the_weighted_mean_of_all_weights_so_far_without_those_of_the_start(decay):
    vector = ParameterVector({"w": Parameter((4,), Zeros())}, np.dtype("float64"))
    vector.values[...] = 100.0
    average, seen = Average(decay, vector), []
    for t in range(1, 30):
        seen.append(streams.generator(0, "w", t).normal(size=4))
        vector.values[...] = seen[-1]
        average.update(t)
        weights = decay ** np.arange(t)[::-1]
        np.testing.assert_allclose(
            average.values, weights @ np.array(seen) / weights.sum(), rtol=1e-9
        )


def test_all_weights_since_the_start_are_averaged():
    average = Average(0.9, ParameterVector({"w": Parameter((4,), Zeros())}, np.dtype("float64")))
    assert [average.count(t) for t in (0, 1, 2, 7)] == [1, 1, 2, 7]


def test_the_loop_of_an_average_is_numpys_without_a_further_vector_and_used_where_that_is_asked_for(
    monkeypatch,
):
    calls, found = [], []

    def loop(*given):
        calls.append(1)
        average_loop.function(*given)

    average_loop = ema._average_loop
    monkeypatch.setattr(ema, "_average_loop", SimpleNamespace(compiled=loop))
    for compiled in (True, False):
        vector = ParameterVector({"w": Parameter((5,), Zeros())}, np.dtype("float32"))
        average = Average(0.9, vector, compiled=compiled)
        for t in range(1, 4):
            vector.values[...] = streams.generator(0, "w", t).normal(size=5)
            average.update(t)
        found.append(average.values.tobytes())
        assert len(calls) == 3
        held = [array for array in vars(average).values() if isinstance(array, np.ndarray)]
        assert sum(array.size for array in held) == (5 if compiled else 2 * 5)
    assert found[0] == found[1]


class Watch(Callback):
    """Notes the weights after every step."""

    def __init__(self):
        self.seen = []

    def batch_end(self, run):
        self.seen.append(
            {name: view.astype(np.float64) for name, view in run.network.vector.views.items()}
        )


def read(path, which):
    return Checkpoint.read(path / "checkpoints" / f"{which}.safetensors")


def test_both_checkpoints_hold_the_weights_and_their_average(toy, data, tmp_path, log):
    watch = Watch()
    result = nettrain.train(toy(EMA), data, output_directory=tmp_path, callbacks=[watch])
    for which, steps in (("last", 24), ("best", 4 * result.best_epoch)):
        found = read(tmp_path / "toy", which)
        kept = 0.9 ** np.arange(steps)[::-1]
        for name, trained in found.group("parameters").items():
            np.testing.assert_allclose(trained, watch.seen[steps - 1][name], rtol=1e-6)
            mean = np.tensordot(
                kept / kept.sum(), np.array([seen[name] for seen in watch.seen[:steps]]), axes=1
            )
            np.testing.assert_allclose(found.group("average")[name], mean, rtol=1e-4, atol=1e-6)
            assert not np.allclose(found.group("average")[name], trained, rtol=1e-3)


def test_the_average_is_what_is_evaluated_and_predicts(toy, data, tmp_path, log):
    result = nettrain.train(toy(EMA), data, output_directory=tmp_path)
    best = read(tmp_path / "toy", "best")
    model = nettrain.load(tmp_path / "toy")
    assert all(
        model.network.vector.views[name].tobytes() == array.tobytes()
        for name, array in best.group("average").items()
    )
    assert result.metrics["validation"]["loss"] == pytest.approx(
        log(tmp_path / "toy")[result.best_epoch - 1]["validation_loss"]
    )
    rows = np.load(tmp_path / "toy" / "splits.npz")["train"]
    found = model.evaluate(data[0][rows], np.array([str(y) for y in data[1][rows]]))
    assert result.metrics["train"]["loss"] == pytest.approx(found["loss"])


def test_training_itself_is_not_changed(toy, data, tmp_path, weights):
    nettrain.train(toy(EMA), data, output_directory=tmp_path, run_name="with")
    nettrain.train(toy({"optimizer.lr": 0.1}), data, output_directory=tmp_path, run_name="without")
    assert weights(tmp_path / "with").tobytes() == weights(tmp_path / "without").tobytes()


@pytest.mark.parametrize("batch", [1, 5, 10, 23])
def test_a_broken_run_with_an_average_goes_on_to_the_bit(
    toy, data, tmp_path, stop_at, figures, batch
):
    nettrain.train(toy(EMA), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            toy(EMA),
            data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(batch, "SIGINT")],
        )
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")


def test_a_checkpoint_that_lost_its_average_is_an_error(toy, data, tmp_path, stop_at):
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(toy(EMA), data, output_directory=tmp_path, callbacks=[stop_at(6, "SIGINT")])
    path = tmp_path / "toy" / "checkpoints" / "last.safetensors"
    last = Checkpoint.read(path)
    Checkpoint(
        {name: array for name, array in last.tensors.items() if not name.startswith("average.")},
        last.content,
    ).write(path)
    with pytest.raises(
        CheckpointError,
        match=r"holds no moving average of the weights, which training.ema needs; train again",
    ):
        nettrain.resume(tmp_path / "toy", data)
