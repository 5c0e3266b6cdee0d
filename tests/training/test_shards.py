"""Batches in shards: the same bits on any number of threads, the gradient of the whole batch, shards only where rows stay apart."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.component import names
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network
from nettrain.training.engine.sharding import shards_for
from nettrain.training.engine.threads import ThreadPool
from nettrain.training.train import prepare_run, train

SIZES = (1, 2, 3)
generator = streams.generator(0, "shards")
X = generator.normal(size=(50, 6))
Y = np.array(["a", "b", "c"])[(X @ generator.normal(size=(6, 3))).argmax(axis=1)]
INSIDE = [{"type": "batch_norm"}, "relu", {"type": "dense", "units": 6}]
MODELS = {
    "plain": {"type": "mlp", "hidden": [8, 8]},
    "dropout": {"type": "mlp", "hidden": [8]},
    "batch norm": {"type": "mlp", "hidden": [8, 5], "batch_norm": True},
    "embeddings": {
        "type": "sequential",
        "layers": [
            {
                "type": "parallel",
                "branches": [["piecewise_linear_embedding"], ["periodic_embedding"]],
            },
            {"type": "dense", "units": 6, "parametrization": "ntk"},
            {"type": "parametric_activation", "function": "mish"},
            "dense",
        ],
    },
    "members": {"type": "tabular", "hidden": [5], "embedding": 2, "bins": 4, "members": 3},
    "nested": {
        "type": "sequential",
        "layers": [{"type": "dense", "units": 6}, {"type": "residual", "layers": INSIDE}, "dense"],
    },
}


def config(model, shards, **changes):
    training = {
        "epochs": 3,
        "batch_size": 16,
        "shards": shards,
    }  # 50 rows: a short batch of 2 ends the epoch
    regularization = {"dropout": 0.3} if model == "dropout" else {}
    return {
        "model": MODELS[model],
        "dtype": "float64",
        "training": training,
        "regularization": regularization,
    } | changes


def run_steps(model, shards, threads=1, replay=True, **changes):
    run = prepare_run(config(model, shards, **changes), (X, Y))
    run.step.computation.replay = replay
    with run.workers(threads):
        losses = [
            run.step(np.arange(start, min(start + 16, 50)), 0.01)
            for _ in range(3)
            for start in range(0, 50, 16)
        ]
    return (
        losses,
        run.network.vector.values.copy(),
        {name: array.copy() for name, array in run.network.state.items()},
    )


@pytest.mark.parametrize("shards", SIZES)
@pytest.mark.parametrize("model", MODELS)
def test_threads_change_no_bit(model, shards):
    losses, weights, state = run_steps(model, shards, dtype="float32")
    for threads in (2, 3):
        other_losses, other, other_state = run_steps(model, shards, threads, dtype="float32")
        assert other_losses == losses
        np.testing.assert_array_equal(other, weights)
        for name, array in state.items():
            np.testing.assert_array_equal(other_state[name], array)


@pytest.mark.parametrize("shards", SIZES[1:])
@pytest.mark.parametrize("model", ["plain", "batch norm", "nested"])
def test_shards_train_as_the_whole_batch_does(model, shards):
    losses, weights, state = run_steps(model, shards)
    whole_losses, whole, whole_state = run_steps(model, 1)
    np.testing.assert_allclose(losses, whole_losses, rtol=1e-9)
    np.testing.assert_allclose(weights, whole, rtol=1e-7, atol=1e-9)
    for name, array in state.items():
        np.testing.assert_allclose(array, whole_state[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("shards", SIZES)
@pytest.mark.parametrize("model", ["plain", "dropout"])
def test_a_replay_in_shards_has_the_bits_of_an_eager_run_in_them(model, shards):
    losses, weights, _ = run_steps(model, shards, dtype="float32")
    eager_losses, eager, _ = run_steps(model, shards, replay=False, dtype="float32")
    assert losses == eager_losses
    np.testing.assert_array_equal(weights, eager)


def test_each_shard_drops_units_of_its_own():
    run = prepare_run(config("dropout", 2), (X, Y))
    run.step.batch.gather(np.array([3] * 16))
    run.step.computation(16, step=0)
    first, second = (float(total) for total in run.step.computation._recorded[16].totals)
    assert first != second


def test_a_resumed_run_keeps_its_shards(tmp_path):
    result = train(config("plain", 3), (X, Y), output_directory=tmp_path, threads=2)
    assert "shards: 3" in (tmp_path / "run" / "config.yaml").read_text()
    assert result.epochs == 3


LAYERS = {
    "dense": [{"type": "dense", "units": 512}],
    "a probe, which sees the rows together": [{"type": "dense", "units": 512}, {"type": "probe"}],
    "a probe inside": [
        {"type": "parallel", "branches": [[{"type": "dense", "units": 512}, {"type": "probe"}]]}
    ],
    "wide, in tiles": [{"type": "dense", "units": 4096}, {"type": "dense", "units": 10}],
    "wide and much else": [{"type": "dense", "units": 4096}, {"type": "dense", "units": 600}],
}


IMAGES = {
    "convolutions": [{"type": "conv", "filters": 64}, "flatten", {"type": "dense", "units": 2}],
    "convolutions and many weights": [
        {"type": "conv", "filters": 64},
        "flatten",
        {"type": "dense", "units": 32},
    ],
    "more dense than convolution": [
        {"type": "conv", "filters": 4, "kernel": 1, "stride": 2},
        "flatten",
        {"type": "dense", "units": 512},
    ],
}


@pytest.mark.parametrize(
    ("layers", "batch_size", "expected"),
    [
        ("convolutions", 31, 1),
        ("convolutions", 32, 2),
        ("convolutions", 64, 4),
        ("convolutions", 1024, 8),
        ("convolutions and many weights", 32, 1),
        ("convolutions and many weights", 64, 2),
        ("more dense than convolution", 64, 1),
        ("more dense than convolution", 128, 2),
    ],
)
def test_shards_of_images_are_smaller_for_each_pixel_is_a_row_of_their_products(
    layers, batch_size, expected
):
    layers = Network([Layer.parse(layer) for layer in IMAGES[layers]], (26, 26, 16)).layers
    assert shards_for(layers, batch_size, 4) == expected


@pytest.mark.parametrize(
    ("layers", "batch_size", "expected"),
    [
        ("dense", 1, 1),
        ("dense", 127, 1),
        ("dense", 128, 2),
        ("dense", 4096, 8),
        ("a probe, which sees the rows together", 4096, 1),
        ("a probe inside", 4096, 1),
        ("wide, in tiles", 4096, 1),
        ("wide and much else", 4096, 4),
    ],
)
def test_the_number_of_shards_depends_on_layers_and_batch_alone(layers, batch_size, expected):
    layers = Network([Layer.parse(layer) for layer in LAYERS[layers]], (4096,)).layers
    assert shards_for(layers, batch_size, 4) == expected


@pytest.mark.parametrize(("layer", "expected"), [("batch_ensemble", 8), ("packed", 2)])
def test_shards_of_members_that_share_weights_are_smaller(layer, expected):
    dense = {"type": layer, "units": 256}
    listed = [{"type": "members", "count": 16}, dense, {"type": "packed", "units": 2}]
    layers = Network([Layer.parse(one) for one in listed], (256,)).layers
    assert shards_for(layers, 128, 4) == expected


def test_a_layer_that_does_not_say_so_is_not_divided():
    assert not Layer.independent_rows
    unsaid = {
        name for name in names(Layer) if not Layer.parse(EXAMPLES.get(name, name)).independent_rows
    }
    assert unsaid == {"by_columns", "parallel", "probe", "residual"}


EXAMPLES = {
    "activation": "relu",
    "batch_ensemble": {"type": "batch_ensemble", "units": 2},
    "parametric_activation": {"type": "parametric_activation", "function": "mish"},
    "conv": {"type": "conv", "filters": 2},
    "group_norm": {"type": "group_norm", "groups": 2},
    "separable_conv": {"type": "separable_conv", "filters": 2},
    "members": {"type": "members", "count": 2},
    "reshape": {"type": "reshape", "shape": [2, 3]},
    "zero_pad": {"type": "zero_pad", "padding": 1},
    "parallel": {"type": "parallel", "branches": [["relu"], ["tanh"]]},
    "residual": {"type": "residual", "layers": ["relu"]},
}


def test_workers_raise_what_a_task_raised_and_go_on():
    done = []

    def fail():
        raise ZeroDivisionError("planted")

    with ThreadPool(2) as workers:
        for failing in ([fail, lambda: done.append(1)], [lambda: done.append(2), fail]):
            with pytest.raises(ZeroDivisionError, match="planted"):
                workers.run(failing)
        workers.run([lambda: done.append(3)] * 5)
    assert sorted(done) == [1, 2, 3, 3, 3, 3, 3]


@pytest.mark.parametrize("model", ["plain", "batch norm"])
def test_an_evaluation_has_the_same_bits_on_any_number_of_threads(model):
    run = prepare_run(config(model, 1, dtype="float32"), (X, Y))
    run.network.batched_inference.chunk_size = 8
    alone = run.network.outputs(X)
    for threads in (2, 3):
        with ThreadPool(threads) as workers:
            np.testing.assert_array_equal(run.network.outputs(X, workers.run), alone)


def test_layers_that_see_rows_together_are_evaluated_one_portion_after_the_other():
    network = Network(
        [Layer.parse(layer) for layer in [{"type": "dense", "units": 2}, {"type": "probe"}]], (6,)
    )
    apart, asked = Network([Layer.parse({"type": "dense", "units": 2})], (6,)), []
    network.batched_inference.chunk_size = apart.batched_inference.chunk_size = 8
    network.outputs(X, asked.append)
    assert not network.independent_rows and asked == []
    apart.outputs(X, asked.append)
    assert [len(tasks) for tasks in asked] == [7]


@pytest.mark.parametrize("threads", [0, -1, 1025, 1.5, True, "2"])
def test_a_number_of_threads_that_is_none_is_told_before_anything_is_written(tmp_path, threads):
    with pytest.raises(ConfigError, match=r"threads: expected a whole number from 1 to 1024, got"):
        train(config("plain", 1), (X, Y), output_directory=tmp_path / "runs", threads=threads)
    assert not (tmp_path / "runs").exists()
