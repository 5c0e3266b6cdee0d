"""Fine-tuning: a run that begins with the weights of another."""

import shutil

import numpy as np
import pytest

import nettrain
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.training.artifacts.checkpoint import Checkpoint
from nettrain.training.train import prepare_run

LAYERS = [{"type": "dense", "units": 5}, "batch_norm", "tanh", "dense"]
MODEL = {"type": "sequential", "layers": LAYERS}
BASE = {"model": MODEL, "regularization": {}, "training.ema": 0.9}


@pytest.fixture
def base(toy, data, tmp_path):
    """A finished run with a moving average and running statistics."""
    nettrain.train(toy(BASE), data, output_directory=tmp_path, run_name="base")
    return tmp_path / "base"


def begun(toy, data, initialize_from, model=MODEL, **changes):
    """The network as it is before the first step."""
    config = {
        "model": model,
        "regularization": {},
        "initialize_from": initialize_from,
        "seed": 9,
    } | changes
    return prepare_run(toy(config), data).network


def best(path):
    return Checkpoint.read(path / "checkpoints" / "best.safetensors")


def test_it_begins_with_what_the_other_run_is_evaluated_with(toy, data, base):
    network = begun(toy, data, str(base))
    assert {name: view.tobytes() for name, view in network.vector.views.items()} == {
        name: array.tobytes() for name, array in best(base).group("average").items()
    }
    assert {name: array.tobytes() for name, array in network.state.items()} == {
        name: array.tobytes() for name, array in best(base).group("state").items()
    }


@pytest.mark.parametrize("which", ["last", "best"])
def test_a_checkpoint_may_be_named_itself(toy, data, base, which):
    path = base / "checkpoints" / f"{which}.safetensors"
    network = begun(toy, data, {"run": str(path)})
    assert np.array_equal(
        network.vector.views["dense_1.w"], Checkpoint.read(path).group("average")["dense_1.w"]
    )


def test_a_layer_that_is_left_out_begins_anew_whatever_its_shape(toy, base, data):
    fresh = begun(toy, data, None)
    x, y = data[0], data[1] % 2
    network = begun(toy, (x, y), {"run": str(base), "leave_out": ["dense_2"]})
    assert network.output_shape == (2,) != fresh.output_shape
    assert np.array_equal(
        network.vector.views["dense_1.w"], best(base).group("average")["dense_1.w"]
    )
    bias = begun(toy, data, {"run": str(base), "leave_out": ["dense_2.b"]})
    assert np.array_equal(bias.vector.views["dense_2.b"], fresh.vector.views["dense_2.b"])
    assert np.array_equal(bias.vector.views["dense_2.w"], best(base).group("average")["dense_2.w"])


def test_every_mismatch_is_named_at_once(toy, data, base):
    model = {
        "type": "sequential",
        "layers": [{"type": "dense", "units": 4}, "tanh", {"type": "dense", "units": 6}, "dense"],
    }
    with pytest.raises(ConfigError) as error:
        begun(toy, data, {"run": str(base), "leave_out": ["batch_norm_1.mean", "dens_2"]}, model)
    path = base / "checkpoints" / "best.safetensors"
    said = [
        problem.partition(": leave it out")[0].removeprefix("initialize_from: ")
        for problem in error.value.problems
    ]
    shared = {
        name
        for name, array in best(base).tensors.items()
        if name.startswith(("average.batch", "state."))
    }
    left = [name.partition(".")[2] for name in shared if not name.endswith("batch_norm_1.mean")]
    assert set(said) == {
        f"leave_out: neither the model nor {path} has 'dens_2'; did you mean 'dense_2'?",
        f"dense_1.w has shape (3, 5) in {path} and (3, 4) in the model",
        f"dense_1.b has shape (5,) in {path} and (4,) in the model",
        f"dense_2.w has shape (5, 3) in {path} and (4, 6) in the model",
        f"dense_2.b has shape (3,) in {path} and (6,) in the model",
        f"dense_3.w (6, 3) is not in {path}",
        f"dense_3.b (3,) is not in {path}",
        *(f"{name} (5,) of {path} is not in the model" for name in left),
    }
    assert "leave it out (leave_out: [dense_3]), or make the models alike" in str(error.value)


@pytest.mark.parametrize(("given", "said"), [
    ("bas", "does not exist; a checkpoint is a .safetensors file or a run directory"),
    ("base/checkpoints", "is not a run directory"),
    ("base/config.yaml", "is not a checkpoint of nettrain"),
    ("base/checkpoints/bst.safetensors", "does not exist"),
])  # fmt: skip
def test_what_is_no_run_is_an_error_and_nothing_is_written(toy, data, tmp_path, base, given, said):
    before = sorted(tmp_path.iterdir())
    config = toy({"model": MODEL, "regularization": {}, "initialize_from": str(tmp_path / given)})
    with pytest.raises(ConfigError) as found:
        nettrain.train(config, data, output_directory=tmp_path)
    assert str(found.value).startswith(f"initialize_from: {tmp_path / given}: {said}")
    assert sorted(tmp_path.iterdir()) == before


def test_a_relative_path_counts_from_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "a.yaml").write_text(
        "dataset: {source: xor}\nmodel: {type: mlp, hidden: [2]}\ninitialize_from: ../runs/base\n"
    )
    config = load(tmp_path / "configs" / "a.yaml")
    assert (
        config.initialize_from.run == str(tmp_path / "runs" / "base")
        and config.initialize_from.leave_out == ()
    )
    assert load(config) == config


@pytest.mark.parametrize("batch", [2, 9])
def test_a_broken_run_goes_on_even_where_the_other_run_is_gone(
    toy, data, base, tmp_path, stop_at, figures, batch
):
    changes = {
        "model": MODEL,
        "regularization": {},
        "initialize_from": {"run": str(base), "leave_out": ["dense_2"]},
    }
    nettrain.train(toy(changes), data, output_directory=tmp_path, run_name="whole")
    with pytest.raises(nettrain.NettrainError):
        nettrain.train(
            toy(changes),
            data,
            output_directory=tmp_path,
            run_name="broken",
            callbacks=[stop_at(batch, "SIGINT")],
        )
    shutil.rmtree(base)
    nettrain.resume(tmp_path / "broken", data)
    assert figures(tmp_path / "broken") == figures(tmp_path / "whole")
