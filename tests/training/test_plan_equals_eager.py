"""Replayed training has the bits of training operation by operation: for every layer, loss and optimizer that has a row in its contract."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from nettrain import streams
from nettrain.component import names
from nettrain.config.run_config import Regularization
from nettrain.data.part import Part
from nettrain.nn.layer import Layer
from nettrain.nn.loss import Loss
from nettrain.nn.network import Network
from nettrain.optim import Optimizer, Rule
from nettrain.training.engine.partition import Partition
from nettrain.training.engine.step import Step
from nettrain.training.engine.update import Update

TESTS = Path(__file__).parents[1]


def table(path, name):
    """The rows of a contract; there, a component without a row fails."""
    return runpy.run_path(str(TESTS / path))[name]


LAYERS = [(name, fields, shape) for name, fields, shape, *_ in table("nn/test_layers.py", "CASES")]
LOSSES = [
    (name, *case[:4])
    for name, cases in table("nn/test_losses.py", "ROWS").items()
    for case in cases
]
OPTIMIZERS = [name for name in names(Optimizer) if isinstance(Optimizer.parse(name), Rule)]
ROWS, BATCH = 13, 5  # a short batch of 3 ends the epoch


def layer(name, fields):
    return Layer.parse({"type": name} | fields)


def with_two_outputs(name, fields):
    """The layer in a network; what ends one stands behind the others."""
    tested = layer(name, fields)
    if tested.ends_network:
        return [layer("packed", {"units": 2}), tested]
    return [tested, layer("flatten", {}), layer("dense", {"units": 2})]


def trained(
    layers,
    shape,
    loss,
    y,
    size,
    replay,
    *,
    shards=1,
    optimizer="momentum",
    weights=None,
    epochs=2,
    dtype=np.float32,
    compiled=False,
):
    """Every loss, the weights and the state after some steps."""
    network = Network(layers, shape, seed=3, dtype=dtype, report=lambda path, text: None)
    x = streams.generator(0, "x").normal(size=(len(y), *shape)).astype(dtype)
    update = Update(
        network.vector,
        Optimizer.parse(optimizer),
        Regularization(l2=1e-3),
        clip_norm=10.0,
        compiled=compiled,
    )
    step = Step(
        network,
        loss,
        update,
        Part(x, y, weights=weights),
        size,
        BATCH,
        partition=Partition(shards),
        replay=replay,
        compiled=compiled,
    )
    with np.errstate(all="ignore"):
        losses = [
            step(np.arange(i, min(i + BATCH, len(y))), 0.05)
            for _ in range(epochs)
            for i in range(0, len(y), BATCH)
        ]
    return (
        losses,
        network.vector.values.copy(),
        {name: array.copy() for name, array in network.state.items()},
    )


def assert_same_bits(found, expected):
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
    for name, array in expected[2].items():
        np.testing.assert_array_equal(found[2][name], array)


def both(*arguments, **options):
    assert_same_bits(
        trained(*arguments, replay=True, **options), trained(*arguments, replay=False, **options)
    )


VALUES = streams.generator(0, "y").normal(size=(ROWS, 2)).astype(np.float32)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize(("name", "fields", "shape"), LAYERS)
def test_of_every_layer(name, fields, shape, shards):
    layers = with_two_outputs(name, fields)
    if shards > 1 and not layers[0].shardable(shape):
        return  # such a layer is never divided
    both(layers, shape, Loss.parse("mse"), VALUES, 2, shards=shards)


@pytest.mark.parametrize(
    ("weighted", "kind"), [(False, "dense"), (True, "dense"), (True, "packed")]
)
@pytest.mark.parametrize(("name", "task", "size", "outputs", "targets"), LOSSES)
def test_of_every_loss(name, task, size, outputs, targets, weighted, kind):
    y = np.resize(targets, (ROWS, *targets.shape[1:]))
    weights = np.linspace(0, 2, ROWS) if weighted else None
    layers = [
        Layer.parse({"type": kind, "units": 6}),
        Layer.parse("tanh"),
        Layer.parse({"type": kind, "units": outputs}),
    ]
    if kind == "packed":
        layers = [layer("members", {"count": 3}), *layers, layer("mean_of_members", {})]
    both(layers, (4,), Loss.parse(name), y, size, shards=2, weights=weights)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_of_every_optimizer(name):
    layers = [
        Layer.parse({"type": "dense", "units": 6}),
        Layer.parse("relu"),
        Layer.parse({"type": "dense", "units": 2}),
    ]
    both(layers, (4,), Loss.parse("mse"), VALUES, 2, shards=2, optimizer=name)


def both_kernels(*arguments, **options):
    loops, plain = (
        trained(*arguments, replay=True, dtype=np.float64, compiled=compiled, **options)
        for compiled in (True, False)
    )
    np.testing.assert_allclose(loops[0], plain[0], rtol=1e-9)
    np.testing.assert_allclose(loops[1], plain[1], rtol=1e-9, atol=1e-11)
    for name, array in plain[2].items():
        np.testing.assert_allclose(loops[2][name], array, rtol=1e-9, atol=1e-11)


@pytest.mark.compiled
@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize(("name", "fields", "shape"), LAYERS)
def test_with_compiled_loops_every_layer_trains_as_without_but_for_rounding(
    name, fields, shape, shards
):
    layers = with_two_outputs(name, fields)
    if shards == 1 or layers[0].shardable(shape):
        both_kernels(layers, shape, Loss.parse("mse"), VALUES.astype(np.float64), 2, shards=shards)


@pytest.mark.compiled
@pytest.mark.parametrize(("name", "task", "size", "outputs", "targets"), LOSSES)
def test_with_compiled_loops_every_loss_is_trained_on_as_without_but_for_rounding(
    name, task, size, outputs, targets
):
    layers = [
        Layer.parse({"type": "dense", "units": 6}),
        Layer.parse("sigmoid"),
        Layer.parse({"type": "dense", "units": outputs}),
    ]
    both_kernels(
        layers,
        (4,),
        Loss.parse(name),
        np.resize(targets, (ROWS, *targets.shape[1:])),
        size,
        weights=np.linspace(0, 2, ROWS),
    )
