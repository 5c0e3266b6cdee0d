"""Weights of rows and classes in training: what a weight means, which losses are weighted, what the run directory keeps of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

import nettrain
from nettrain import streams
from nettrain.diagnosis.layer_statistics import LayerStatistics
from nettrain.errors import NettrainError
from nettrain.inspection.lr_range_test import find_lr
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.train import prepare_run

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "losses.npz")
W = streams.generator(0, "row weights").integers(0, 4, 40).astype(float)
PLAIN = {  # full-batch descent in float64, without what depends on the number or the order of the rows
    "dtype": "float64",
    "dataset": {"source": "memory", "split": "none", "transforms": []},
    "model": {"type": "mlp", "hidden": [6], "activation": "tanh"},
    "optimizer": {"type": "sgd", "lr": 0.3},
    "training": {"epochs": 20, "batch_size": None, "shuffle": False},
}


@pytest.fixture
def trained(tmp_path, weights, toy):
    def run(data, changes=None, config=PLAIN):
        mapping = json.loads(json.dumps(config))
        for path, value in (changes or {}).items():
            section, key = path.split(".")
            mapping[section][key] = value
        result = nettrain.train(mapping, data, output_directory=tmp_path)
        return weights(Path(result.run_directory)), result

    return run


@pytest.fixture
def weighted(data):
    return (*data, W)


def test_a_weight_of_w_is_w_copies_of_the_row(trained, data):
    x, y = data
    copies = np.repeat(np.arange(len(x)), W.astype(int))
    found, _ = trained((x, y, W))
    expected, _ = trained((x[copies], y[copies]))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert np.abs(found - trained((x, y))[0]).max() > 0.01


def test_equal_weights_are_none(trained, data):
    found = [
        trained(given)[0].tobytes()
        for given in (data, (*data, np.ones(40)), (*data, np.full(40, 4.0)))
    ]
    assert len(set(found)) == 1


@pytest.mark.parametrize("class_weights", [{"1": 2.0}, {0: 1, 1: 2, 2: 1}])
def test_a_class_weight_is_the_weight_of_its_rows(trained, data, class_weights):
    found, _ = trained(data, {"training.class_weights": class_weights})
    expected, _ = trained((*data, np.where(data[1] == 1, 2.0, 1.0)))
    assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("case", ["weighted, a class", "weighted, a row"])
@pytest.mark.parametrize("replay", [False, True])
def test_a_step_descends_pytorchs_weighted_mean(case, replay):
    """The outputs are a table of parameters, so a step of sgd at rate 1 subtracts the gradient that PyTorch has for them."""
    outputs, codes, w = (GOLDEN[f"{case}/{name}"] for name in ("outputs", "targets", "weights"))
    n = len(outputs)
    config = PLAIN | {
        "model": {"type": "mlp", "hidden": [], "initializer": "zeros"},
        "optimizer": {"type": "sgd", "lr": 1.0},
    }
    run = prepare_run(config, (np.eye(n), codes, w))
    view = run.network.vector.views["dense_1.w"]
    view[...] = outputs
    run.step.computation.replay = replay
    total = run.step(np.arange(n), 1.0)
    np.testing.assert_allclose(total / w.sum(), GOLDEN[f"{case}/loss"], rtol=1e-8)
    np.testing.assert_allclose(outputs - view, GOLDEN[f"{case}/doutputs"], rtol=1e-8, atol=1e-14)


def test_replayed_weighted_steps_have_the_bits_of_eager_ones(toy, weighted):
    ends = []
    for replay in (True, False):
        run = prepare_run(toy(), weighted)
        run.step.computation.replay = replay
        for step in range(6):
            rows = np.arange(30)[step * 8 % 30 : step * 8 % 30 + 8]
            run.step(rows, 0.03)
        ends.append(run.network.vector.values.tobytes())
    assert ends[0] == ends[1]


def test_accumulated_batches_are_one_large_batch(trained, weighted):
    found, _ = trained(weighted, {"training.batch_size": 8, "training.accumulate": 5})
    np.testing.assert_allclose(found, trained(weighted)[0], rtol=1e-10)


def test_a_batch_without_weight_moves_nothing(weighted):
    x, y, w = weighted
    run = prepare_run(PLAIN, (x, y, np.where(np.arange(40) < 8, 0.0, w + 1)))
    before = run.network.vector.values.copy()
    assert run.step(np.arange(8), 0.3) == 0
    assert run.network.vector.values.tobytes() == before.tobytes()
    run.step(np.arange(8, 16), 0.3)
    assert run.network.vector.values.tobytes() != before.tobytes()


def test_the_losses_of_a_run_are_weighted_means_and_its_metrics_are_not(
    tmp_path, toy, weighted, log
):
    x, y, w = weighted
    result = nettrain.train(
        toy({"regularization": {}, "optimizer.lr": 1e-9}), weighted, output_directory=tmp_path
    )
    model = nettrain.load(result.run_directory)
    with np.load(Path(result.run_directory) / "splits.npz") as splits:
        for part, name in (("train", "train"), ("validation", "validation")):
            rows = splits[part]
            p = model.probabilities(x[rows])[np.arange(len(rows)), y[rows]]
            assert result.metrics[name]["loss"] == pytest.approx(
                -(w[rows] * np.log(p)).sum() / w[rows].sum(), rel=1e-5
            )
            assert result.metrics[name]["accuracy"] == pytest.approx(
                (model.predict(x[rows]).astype(int) == y[rows]).mean(), rel=1e-12
            )
            assert model.evaluate(x[rows], y[rows], w[rows])["loss"] == pytest.approx(
                result.metrics[name]["loss"], rel=1e-12
            )
            assert model.evaluate(x[rows], y[rows])["loss"] == pytest.approx(
                -np.log(p).mean(), rel=1e-5
            )
    row = log(result.run_directory)[-1]
    assert row["train_loss"] == pytest.approx(
        result.metrics["train"]["loss"], rel=1e-5
    )  # such a rate changes nothing
    assert row["validation_loss"] == pytest.approx(result.metrics["validation"]["loss"], rel=1e-12)


def test_balanced_is_written_out_and_gives_the_same_run_and_the_same_evaluation(
    tmp_path, toy, data, figures
):
    first = nettrain.train(
        toy({"training.class_weights": "balanced"}), data, output_directory=tmp_path
    )
    path = Path(first.run_directory)
    written = yaml.safe_load((path / "config.yaml").read_text())["training"]["class_weights"]
    with np.load(path / "splits.npz") as splits:
        codes = data[1][splits["train"]]
        rows = splits["validation"]
    assert written == pytest.approx({str(c): 30 / (3 * (codes == c).sum()) for c in range(3)})
    again = nettrain.train(path / "config.yaml", data, output_directory=tmp_path / "again")
    assert figures(path) == figures(Path(again.run_directory))
    evaluated = nettrain.load(path).evaluate(data[0][rows], data[1][rows])
    assert evaluated["loss"] == pytest.approx(first.metrics["validation"]["loss"], rel=1e-12)
    assert any(note.startswith("class weights, balanced: 0 ") for note in first.notes)


@pytest.mark.parametrize("batch", [2, 6])
def test_a_weighted_run_resumes_to_the_same_bits(
    tmp_path, toy, weighted, figures, stop_at, every_epoch, batch
):
    whole = nettrain.train(toy(), weighted, output_directory=tmp_path / "whole")
    with pytest.raises(NettrainError):
        nettrain.train(
            toy(),
            weighted,
            output_directory=tmp_path,
            run_name="cut",
            callbacks=[stop_at(batch, "SIGINT")],
        )
    nettrain.resume(tmp_path / "cut", weighted)
    assert figures(tmp_path / "cut") == figures(Path(whole.run_directory))


def test_other_weights_are_other_data(tmp_path, toy, weighted, stop_at):
    with pytest.raises(NettrainError):
        nettrain.train(
            toy(),
            weighted,
            output_directory=tmp_path,
            run_name="cut",
            callbacks=[stop_at(2, "SIGINT")],
        )
    with pytest.raises(NettrainError, match="the data has changed since the run began"):
        nettrain.resume(tmp_path / "cut", (*weighted[:2], weighted[2] + 1))


def test_steps_of_one_row_are_said_to_pass_over_weights(toy, weighted):
    notes = prepare_run(toy({"training.batch_size": 1}), weighted).notes
    assert any(
        "in steps of one row only a weight of 0 makes a difference; raise training.batch_size"
        in note
        for note in notes
    )


def test_a_column_of_weights_reaches_training_and_eval(tmp_path, data):
    x, y = data
    table = np.column_stack([x, W, y])
    for name, rows in (("a.csv", table), ("b.csv", table[:, [0, 1, 2, 4]])):
        header = "p,q,r,w,kind" if rows.shape[1] == 5 else "p,q,r,kind"
        np.savetxt(tmp_path / name, rows, "%.17g", delimiter=",", header=header, comments="")
    source = {"type": "csv", "path": str(tmp_path / "a.csv"), "target": "kind", "weights": "w"}
    result = nettrain.train(
        PLAIN | {"dataset": {"source": source, "transforms": [], "split": "none"}},
        output_directory=tmp_path,
    )
    with_arrays = nettrain.train(PLAIN, (x, y, W), output_directory=tmp_path)
    ends = [
        Checkpoint.read(Path(r.run_directory) / "checkpoints" / "last.safetensors").group(
            "parameters"
        )
        for r in (result, with_arrays)
    ]
    assert all(ends[0][name].tobytes() == ends[1][name].tobytes() for name in ends[0])
    model = nettrain.load(result.run_directory)
    losses = [
        model.evaluation(model.read(tmp_path / name, with_target=True)).metrics["loss"]
        for name in ("a.csv", "b.csv")
    ]
    assert losses[0] == pytest.approx(result.metrics["train"]["loss"], rel=1e-12)
    assert losses[1] == pytest.approx(model.evaluate(x, y)["loss"], rel=1e-12) != losses[0]


def test_diagnostics_look_at_the_weighted_loss(data):
    x, y = data
    copies = np.repeat(np.arange(len(x)), W.astype(int))
    found = []
    for given in ((x, y, W), (x[copies], y[copies])):
        run = prepare_run(PLAIN, given)
        part = run.step.part
        found.append(
            LayerStatistics(run.network, run.loss, part.x, part.y, part.weights).layers()[
                "dense_1"
            ]["gradient_norm"]
        )
    assert found[0] == pytest.approx(found[1], rel=1e-10)


def test_the_rate_test_sees_weighted_means(data):
    losses = [
        find_lr(prepare_run(PLAIN, (*data, np.full(40, weight)))).losses for weight in (1.0, 8.0)
    ]
    assert losses[0] == losses[1]
