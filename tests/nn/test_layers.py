"""The contract of every layer: what its YAML says, shapes known before the first row, rows that do not see each other, derivatives."""

import dataclasses

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.check import check
from nettrain.autodiff.tensor import Tensor
from nettrain.component import names, to_mapping
from nettrain.errors import ConfigError
from nettrain.nn.activation import Activation
from nettrain.nn.columns import TableShape, cardinalities_of
from nettrain.nn.layer import Layer, Scope
from nettrain.nn.network import Network

# By YAML name: mappings, each with the shape of an input row, of an output row, and of the parameters.
ROWS = {
    "activation": [
        ({"function": "relu"}, (3,), (3,), {}),
        ({"function": {"type": "leaky_relu", "slope": 0.3}}, (2, 3, 4), (2, 3, 4), {}),
        ({"function": "prelu"}, (3,), (3,), {"slope": (1,)}),
        ({"function": {"type": "prelu", "shared": False}}, (2, 2, 3), (2, 2, 3), {"slope": (3,)}),
        ({"function": "prelu"}, (2, 3), (2, 3), {"slope": (2, 1)}),
    ],
    "average_pool": [
        ({}, (4, 6, 2), (2, 3, 2), {}),
        ({"size": [3, 2], "stride": 1, "padding": "same"}, (4, 3, 1), (4, 3, 1), {}),
        ({"size": 3, "stride": [2, 4], "padding": [1, 2]}, (5, 3, 2), (3, 2, 2), {}),
    ],
    "batch_ensemble": [
        ({"units": 4}, (2, 3), (2, 4), {"r": (2, 3), "w": (3, 4), "s": (2, 4), "b": (2, 4)}),
        (
            {
                "units": 2,
                "scaling": "inputs",
                "scaling_initializer": "random_signs",
                "chunk": 2,
            },
            (3, 4),
            (3, 2),
            {"r": (3, 4), "w": (4, 2), "b": (2,)},
        ),
        (
            {"units": 1, "scaling": "none", "bias": False, "initializer": "he"},
            (2, 3),
            (2, 1),
            {"w": (3, 1)},
        ),
    ],
    "batch_norm": [
        ({}, (3,), (3,), {"gamma": (3,), "beta": (3,)}),
        ({"momentum": 0.3, "epsilon": 0.2}, (2, 3, 4), (2, 3, 4), {"gamma": (4,), "beta": (4,)}),
        ({"trainable": False}, (3,), (3,), {"gamma": (3,), "beta": (3,)}),
        ({}, (2, 3), (2, 3), {"gamma": (2, 3), "beta": (2, 3)}),
    ],
    "by_columns": [
        (
            {
                "numbers": [{"type": "dense", "units": 2}, "tanh"],
                "categories": [{"type": "embedding", "size": 3}],
                "cardinalities": [4, 3],
            },
            TableShape(4, (4, 3)),
            (8,),
            {
                "numbers.dense_1.w": (2, 2),
                "numbers.dense_1.b": (2,),
                "categories.embedding_1.w_1": (4, 3),
                "categories.embedding_1.w_2": (3, 3),
            },
        ),
        (
            {"cardinalities": [9]},
            TableShape(2, (9,)),
            (5,),
            {"categories.embedding_1.w_1": (9, 4)},
        ),
        (
            {"numbers": [{"type": "feature_scale"}], "cardinalities": []},
            (3,),
            (3,),
            {"numbers.feature_scale_1.s": (3,)},
        ),
        (
            {
                "numbers": [{"type": "members", "count": 2}],
                "categories": [{"type": "embedding", "members": 2}, "tanh"],
                "cardinalities": [5, 2],
            },
            TableShape(3, (5, 2)),
            (2, 4),
            {"categories.embedding_1.w_1": (5, 4), "categories.embedding_1.w_2": (2, 2)},
        ),
        (
            {
                "numbers": [{"type": "dense", "units": 2}],
                "indicators": [{"type": "dense", "units": 3, "bias": False}],
                "indicator_columns": 2,
                "cardinalities": [4],
            },
            TableShape(4, (4,), 2),
            (6,),
            {
                "numbers.dense_1.w": (1, 2),
                "numbers.dense_1.b": (2,),
                "indicators.dense_1.w": (2, 3),
                "categories.embedding_1.w_1": (4, 1),
            },
        ),
    ],
    "conv": [
        ({"filters": 3}, (4, 5, 2), (2, 3, 3), {"w": (3, 3, 2, 3), "b": (3,)}),
        (
            {"filters": 1, "kernel": [1, 3], "bias": False, "initializer": "orthogonal"},
            (2, 3, 1),
            (2, 1, 1),
            {"w": (1, 3, 1, 1)},
        ),
        (
            {"filters": 2, "kernel": [2, 3], "stride": [3, 2], "padding": "same"},
            (5, 4, 1),
            (2, 2, 2),
            {"w": (2, 3, 1, 2), "b": (2,)},
        ),
        (
            {"filters": 4, "kernel": 2, "stride": 3, "padding": [1, 2], "dilation": 2, "groups": 2},
            (4, 3, 6),
            (2, 2, 4),
            {"w": (2, 2, 3, 4), "b": (4,)},
        ),
        (
            {"filters": 2, "kernel": 1, "padding": 1},
            (2, 2, 3),
            (4, 4, 2),
            {"w": (1, 1, 3, 2), "b": (2,)},
        ),
        (
            {"filters": 6, "kernel": 2, "groups": 3, "bias_initializer": "he"},
            (3, 2, 3),
            (2, 1, 6),
            {"w": (2, 2, 1, 6), "b": (6,)},
        ),
    ],
    "dense": [
        ({"units": 4}, (3,), (4,), {"w": (3, 4), "b": (4,)}),
        ({"units": 1, "bias": False, "initializer": "he"}, (5,), (1,), {"w": (5, 1)}),
        ({"units": 2, "bias_initializer": {"type": "he"}}, (1,), (2,), {"w": (1, 2), "b": (2,)}),
        (
            {
                "units": 2,
                "parametrization": "ntk",
                "bias_learning_rate": 0.1,
                "start_from_rows": True,
            },
            (3,),
            (2,),
            {"w": (3, 2), "b": (2,)},
        ),
    ],
    "depthwise_conv": [
        ({}, (4, 3, 2), (2, 1, 2), {"w": (3, 3, 1, 2), "b": (2,)}),
        (
            {"kernel": [2, 1], "stride": 2, "padding": "same", "multiplier": 3, "bias": False},
            (3, 2, 2),
            (2, 1, 6),
            {"w": (2, 1, 1, 6)},
        ),
        (
            {"kernel": 2, "dilation": [2, 1], "padding": 1},
            (2, 2, 1),
            (2, 3, 1),
            {"w": (2, 2, 1, 1), "b": (1,)},
        ),
    ],
    "dropout": [
        ({"rate": 0.4}, (6,), (6,), {}),
        ({"rate": 0}, (2, 3, 1), (2, 3, 1), {}),
        ({}, (4,), (4,), {}),
    ],
    "embedding": [
        ({}, TableShape(3, (2, 9, 200)), (55,), {"w_1": (2, 1), "w_2": (9, 4), "w_3": (200, 50)}),
        (
            {"size": 3, "initializer": "zeros", "trainable": False},
            TableShape(1, (5,)),
            (3,),
            {"w_1": (5, 3)},
        ),
        (
            {"members": 2},
            TableShape(2, (6, 8)),
            (2, 5),
            {"w_1": (6, 4), "w_2": (8, 6)},
        ),
    ],
    "feature_scale": [
        ({}, (3,), (3,), {"s": (3,)}),
        ({}, (2, 2, 3), (2, 2, 3), {"s": (3,)}),
        ({}, (2, 3), (2, 3), {"s": (2, 3)}),
    ],
    "flatten": [({}, (2, 3, 4), (24,), {}), ({}, (5,), (5,), {})],
    "gaussian_noise": [
        ({"deviation": 0.3}, (6,), (6,), {}),
        ({"deviation": 0}, (3,), (3,), {}),
        ({}, (2, 3, 1), (2, 3, 1), {}),
    ],
    "global_average_pool": [({}, (2, 3, 4), (4,), {}), ({}, (1, 1, 1), (1,), {})],
    "global_max_pool": [({}, (2, 3, 4), (4,), {}), ({}, (1, 1, 1), (1,), {})],
    "group_norm": [
        ({"groups": 2}, (2, 3, 4), (2, 3, 4), {"gamma": (4,), "beta": (4,)}),
        ({"groups": 3, "epsilon": 0.2}, (6,), (6,), {"gamma": (6,), "beta": (6,)}),
        ({"groups": 2}, (2, 4), (2, 4), {"gamma": (2, 4), "beta": (2, 4)}),
        ({"groups": 2, "epsilon": 0.5}, (1, 2, 2), (1, 2, 2), {"gamma": (2,), "beta": (2,)}),
    ],
    "layer_norm": [
        ({}, (4,), (4,), {"gamma": (4,), "beta": (4,)}),
        ({"epsilon": 0.2}, (2, 3, 4), (2, 3, 4), {"gamma": (4,), "beta": (4,)}),
        ({}, (2, 4), (2, 4), {"gamma": (2, 4), "beta": (2, 4)}),
    ],
    "max_pool": [
        ({}, (4, 6, 2), (2, 3, 2), {}),
        ({}, (5, 3, 1), (2, 1, 1), {}),
        ({"size": [3, 2], "stride": 1, "padding": "same"}, (4, 3, 1), (4, 3, 1), {}),
        ({"size": 3, "stride": [2, 4], "padding": [1, 2]}, (5, 3, 2), (3, 2, 2), {}),
    ],
    "mean_of_members": [
        ({}, (2, 3), (3,), {}),
        ({"of": "softmax"}, (3, 2), (2,), {}),
        ({"of": "sigmoid"}, (2, 1), (1,), {}),
        ({"of": "exponential"}, (1, 3), (3,), {}),
    ],
    "members": [({"count": 3}, (2,), (3, 2), {})],
    "packed": [
        ({"units": 4}, (2, 3), (2, 4), {"w": (2, 3, 4), "b": (2, 4)}),
        (
            {"units": 2, "bias": False, "parametrization": "ntk", "start_from_rows": True},
            (3, 1),
            (3, 2),
            {"w": (3, 1, 2)},
        ),
    ],
    "parallel": [
        (
            {
                "branches": [
                    [{"type": "dense", "units": 2}],
                    ["tanh", {"type": "dense", "units": 3, "bias": False}],
                    [],
                ]
            },
            (4,),
            (9,),
            {
                "branch_1.dense_1.w": (4, 2),
                "branch_1.dense_1.b": (2,),
                "branch_2.dense_1.w": (4, 3),
            },
        ),
        ({"branches": [["softplus"], ["tanh"], []], "merge": "sum"}, (2, 3, 4), (2, 3, 4), {}),
        ({"branches": [["sigmoid"]]}, (3,), (3,), {}),
    ],
    "parametric_activation": [
        ({"function": "mish"}, (3,), (3,), {"a": (3,)}),
        ({"function": "selu", "learning_rate": 0.1}, (2, 2, 3), (2, 2, 3), {"a": (3,)}),
        ({"function": "mish"}, (2, 3), (2, 3), {"a": (2, 3)}),
    ],
    "periodic_embedding": [
        (
            {"frequencies": 2},
            (3,),
            (12,),
            {"q": (3, 2), "w": (3, 2, 3), "b": (3, 3), "r": (3, 2)},
        ),
        (
            {"variant": "plr", "size": 2, "frequencies": 3, "deviation": 0.2},
            (2,),
            (4,),
            {"q": (2, 3), "w": (2, 6, 2), "b": (2, 2)},
        ),
        (
            {"variant": "plr_lite", "size": 3, "frequencies": 2},
            (2,),
            (6,),
            {"q": (2, 2), "w": (4, 3), "b": (3,)},
        ),
    ],
    "piecewise_linear_embedding": [
        (
            {"size": 2, "bins": 3},
            (4,),
            (8,),
            {"u": (4, 2), "c": (4, 2), "w": (4, 3, 2)},
        ),
        (
            {"size": 1, "bins": 2, "activation": True},
            (1,),
            (1,),
            {"u": (1, 1), "c": (1, 1), "w": (1, 2, 1)},
        ),
        (
            {"size": 2, "bins": 2, "members": 3},
            (4,),
            (3, 8),
            {"u": (4, 6), "c": (4, 6), "w": (4, 2, 6)},
        ),
    ],
    "probe": [({}, (3,), (3,), {}), ({"every": 1}, (2, 3, 4), (2, 3, 4), {})],
    "reshape": [
        ({"shape": [4, 3, 1]}, (12,), (4, 3, 1), {}),
        ({"shape": [2, -1]}, (3, 2, 2), (2, 6), {}),
        ({"shape": [-1]}, (3,), (3,), {}),
    ],
    "residual": [
        (
            {"layers": [{"type": "dense", "units": 4}, "tanh", {"type": "dense", "units": 3}]},
            (3,),
            (3,),
            {"dense_1.w": (3, 4), "dense_1.b": (4,), "dense_2.w": (4, 3), "dense_2.b": (3,)},
        ),
        ({"layers": ["softplus"]}, (2, 3, 4), (2, 3, 4), {}),
        (
            {
                "layers": [
                    {"type": "residual", "layers": [{"type": "dense", "units": 2, "bias": False}]}
                ]
            },
            (2,),
            (2,),
            {"residual_1.dense_1.w": (2, 2)},
        ),
        (
            {"layers": ["softplus"], "projection": True},
            (3,),
            (3,),
            {"projection.dense_1.w": (3, 3)},
        ),
        (
            {
                "layers": [
                    {"type": "conv", "filters": 2, "stride": 2, "padding": "same", "bias": False},
                    "tanh",
                ]
            },
            (3, 4, 1),
            (2, 2, 2),
            {"conv_1.w": (3, 3, 1, 2), "projection.conv_1.w": (1, 1, 1, 2)},
        ),
    ],
    "separable_conv": [
        (
            {"filters": 3},
            (4, 3, 2),
            (2, 1, 3),
            {"depthwise": (3, 3, 1, 2), "pointwise": (1, 1, 2, 3), "b": (3,)},
        ),
        (
            {
                "filters": 2,
                "kernel": 2,
                "stride": 2,
                "padding": "same",
                "multiplier": 2,
                "bias": False,
            },
            (3, 2, 3),
            (2, 1, 2),
            {"depthwise": (2, 2, 1, 6), "pointwise": (1, 1, 6, 2)},
        ),
    ],
    "spatial_dropout": [
        ({"rate": 0.4}, (2, 3, 6), (2, 3, 6), {}),
        ({"rate": 0}, (3,), (3,), {}),
        ({}, (1, 2, 8), (1, 2, 8), {}),
    ],
    "upsample": [
        ({}, (2, 3, 2), (4, 6, 2), {}),
        ({"factor": [1, 3], "method": "bilinear"}, (3, 2, 2), (3, 6, 2), {}),
        ({"factor": 2, "method": "bilinear"}, (1, 4, 1), (2, 8, 1), {}),
    ],
    "zero_pad": [
        ({"padding": 1}, (2, 3, 2), (4, 5, 2), {}),
        ({"padding": [0, 2]}, (2, 1, 1), (2, 5, 1), {}),
        ({"padding": [[1, 0], 2]}, (2, 1, 1), (3, 5, 1), {}),
    ],
}
CASES = [(name, *row) for name, rows in ROWS.items() for row in rows]
every = pytest.mark.parametrize(("name", "fields", "shape", "output_shape", "parameters"), CASES)
# What differs between training and evaluation, and when it does not after all.
DIFFERENT = {
    "batch_norm": lambda layer: not layer.trainable,
    "dropout": lambda layer: layer.rate == 0,
    "gaussian_noise": lambda layer: layer.deviation == 0,
    "mean_of_members": lambda layer: False,
    "spatial_dropout": lambda layer: layer.rate == 0,
}


def made(name, fields):
    return Layer.parse({"type": name} | fields)


def rows(n, shape, seed=0):
    """Random numbers, and codes where the shape says so."""
    x, codes = streams.generator(seed, "rows").normal(size=(n, *shape)), cardinalities_of(shape)
    if codes:
        x[:, -len(codes) :] = (np.arange(n)[:, None] + np.arange(len(codes))) % codes
    return x


def network_of(layer, shape):
    """The layer alone in a float64 network, nothing in it as it starts."""
    network = Network([layer], shape, seed=4, dtype="float64")
    network.vector.values[...] = streams.generator(1, "weights").normal(size=len(network.vector))
    for name, array in network.state.items():
        array[...] = streams.generator(1, name).uniform(0.5, 2, size=array.shape)
    return network


def test_every_layer_has_rows():
    assert set(ROWS) == set(names(Layer))


@every
def test_the_yaml_form_reads_back(name, fields, shape, output_shape, parameters):
    layer = made(name, fields)
    assert to_mapping(layer)["type"] == name
    assert Layer.parse(to_mapping(layer)) == layer


@every
def test_the_shapes_told_are_the_real_ones(name, fields, shape, output_shape, parameters):
    layer = made(name, fields)
    network = network_of(layer, shape)
    assert layer.output_shape(shape) == output_shape == network.output_shape
    assert {key: p.shape for key, p in layer.parameters(shape).items()} == parameters
    assert network(Tensor(rows(3, shape))).shape == (3, *output_shape)
    trained = shape if layer.ends_network else output_shape  # members go apart to the loss
    assert network(Tensor(rows(3, shape)), training=True).shape == (3, *trained)


@every
def test_a_batch_gives_what_its_rows_give_alone(name, fields, shape, output_shape, parameters):
    network, x = network_of(made(name, fields), shape), rows(5, shape)
    together = network(Tensor(x)).value
    alone = np.concatenate([network(Tensor(x[i : i + 1])).value for i in range(5)])
    np.testing.assert_allclose(together, alone, rtol=1e-13, atol=1e-15)


@every
def test_only_the_layers_that_say_so_differ_between_training_and_evaluation(
    name, fields, shape, output_shape, parameters
):
    layer = made(name, fields)
    network, x = network_of(layer, shape), rows(5, shape)
    same = np.array_equal(network(Tensor(x)).value, network(Tensor(x), training=True).value)
    assert same == (name not in DIFFERENT or DIFFERENT[name](layer))


@every
@pytest.mark.parametrize("training", [False, True])
def test_derivatives_of_input_and_parameters_agree_with_finite_differences(
    name, fields, shape, output_shape, parameters, training
):
    layer = made(name, fields)
    keys = list(parameters)
    values = [streams.generator(2, key).normal(size=parameters[key]) for key in keys]

    state = {key: Tensor(array + 0.5) for key, array in layer.state(shape).items()}

    def output(x, *arrays):
        own = {
            f"it.{key}": array
            for key, array in (state | dict(zip(keys, arrays, strict=True))).items()
        }
        return layer.apply(x, Scope(own, training, lambda path: streams.generator(0, path), "it"))

    assert check(output, rows(3, shape), *values) is None


@every
def test_a_layer_is_a_value(name, fields, shape, output_shape, parameters):
    layer = made(name, fields)
    assert layer == made(name, fields) and hash(layer) == hash(made(name, fields))
    for field in dataclasses.fields(layer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(layer, field.name, None)


@pytest.mark.parametrize("name", names(Activation))
def test_a_bare_activation_in_a_list_stands_for_the_layer_that_applies_it(name):
    assert Layer.parse(name) == made("activation", {"function": name})


def test_dropout_drops_its_share_and_scales_the_rest_so_that_the_mean_stays():
    network = network_of(made("dropout", {"rate": 0.2}), (1000,))
    y = network(Tensor(np.ones((100, 1000))), training=True).value
    assert set(np.unique(y).round(12)) == {0.0, 1.25}
    assert (y == 0).mean() == pytest.approx(0.2, abs=5 * np.sqrt(0.16 / y.size))


def test_dropout_in_evaluation_is_the_very_input():
    x = Tensor(rows(2, (3,)))
    assert (
        made("dropout", {"rate": 0.9}).apply(
            x, Scope({}, False, lambda path: streams.generator(0, path), "it")
        )
        is x
    )


def test_flatten_lets_the_channels_run_fastest():
    x = rows(2, (2, 3, 4))
    assert np.array_equal(
        network_of(made("flatten", {}), (2, 3, 4))(Tensor(x)).value, x.reshape(2, 24)
    )


IMAGES = {
    "first": (
        [[1, 3, 5, 3], [4, 2, 3, 1], [3, 1, 1, 3], [0, 1, 0, 4]],
        [[4, 5], [3, 4]],
        [[2.5, 3], [1.25, 2]],
    ),
    "second": (
        [[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]],
        [[6, 8], [3, 4]],
        [[3.25, 5.25], [2, 2]],
    ),
}


@pytest.mark.parametrize(("image", "largest", "mean"), IMAGES.values(), ids=IMAGES)
def test_pools_of_the_worked_examples(image, largest, mean):
    x = Tensor(np.array(image, float)[None, :, :, None])
    assert network_of(made("max_pool", {}), (4, 4, 1))(x).value[0, :, :, 0].tolist() == largest
    assert network_of(made("average_pool", {}), (4, 4, 1))(x).value[0, :, :, 0].tolist() == mean


def test_spatial_dropout_drops_whole_channels_of_a_row():
    y = network_of(made("spatial_dropout", {"rate": 0.3}), (3, 4, 500))(
        Tensor(np.ones((40, 3, 4, 500))), training=True
    ).value
    assert (y == y[:, :1, :1]).all() and set(np.unique(y).round(12)) == {0.0, round(1 / 0.7, 12)}
    assert (y[:, 0, 0] == 0).mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / 20000))


def test_a_table_becomes_images_whose_channel_runs_fastest():
    x = rows(2, (24,))
    assert np.array_equal(
        network_of(made("reshape", {"shape": [3, -1, 2]}), (24,))(Tensor(x)).value,
        x.reshape(2, 3, 4, 2),
    )


def test_two_sizes_of_a_reshape_cannot_both_be_left_open():
    with pytest.raises(ValueError, match=r"only one size may be -1, got \[-1, -1\]"):
        made("reshape", {"shape": [-1, -1]})


def test_upsampling_repeats_each_pixel():
    x = rows(2, (2, 3, 2))
    y = network_of(made("upsample", {"factor": [2, 3]}), (2, 3, 2))(Tensor(x)).value
    assert np.array_equal(y, x.repeat(2, axis=1).repeat(3, axis=2))


def test_a_linear_unit():
    network = network_of(made("dense", {"units": 1, "bias": False}), (3,))
    network.vector.views["dense_1.w"][...] = [[-0.06], [2.5], [1.4]]
    assert network(Tensor(np.array([[2.7, 8.6, 0.002]]))).value.round(2).item() == 21.34


def test_the_initializer_of_dense_follows_the_next_activation():
    def chosen(*layers):
        return (
            Network([Layer.parse(layer) for layer in layers], (3,))
            .layers[0]
            .layer.initializer.name()
        )

    assert chosen({"type": "dense", "units": 2}, "relu") == "he"
    assert chosen({"type": "dense", "units": 2}, {"type": "dropout"}, "tanh", "relu") == "xavier"
    assert chosen({"type": "dense", "units": 2}) == "xavier"
    assert chosen({"type": "dense", "units": 2, "initializer": "zeros"}, "relu") == "zeros"


@pytest.mark.parametrize(("layers", "shape", "said"), [
    ([{"type": "dense", "units": 2}], (8, 8, 1), ["model: layer 1 (dense_1)", "(8, 8, 1)", "put a flatten layer in front"]),
    ([{"type": "conv", "filters": 2}], (784,), ["layer 1 (conv_1)", "(784,)", "put {type: reshape, shape: [28, 28, 1]} in front"]),
    ([{"type": "depthwise_conv"}], (15,), ["(depthwise_conv_1)", "(15,)", "{type: reshape, shape: [height, width, channels]} in front"]),
    ([{"type": "separable_conv", "filters": 2}], (28, 20), ["(28, 20)", "put {type: reshape, shape: [28, 20, 1]} in front"]),
    ([{"type": "conv", "filters": 2, "kernel": [2, 5]}], (8, 4, 1),
        ["kernel of 2 x 5 is larger than images of shape (8, 4, 1)", "take a smaller kernel, `padding: same`"]),
    ([{"type": "conv", "filters": 2, "padding": 1, "dilation": 3}], (4, 9, 1),
        ["3 x 3 that covers 7 x 7 (dilation (3, 3))", "(4, 9, 1) with (6, 11) pixels, zeros included"]),
    ([{"type": "conv", "filters": 4, "groups": 2}], (8, 8, 3), ["3 channels cannot be divided into 2 groups", "(8, 8, 3), 4 filters"]),
    ([{"type": "conv", "filters": 4, "groups": 3}], (8, 8, 3), ["4 filters cannot be divided into 3 groups", "divisor of both 3 and 4"]),
    ([{"type": "max_pool"}] * 3, (4, 5, 1), ["layer 3 (max_pool_3): max_pool: a kernel of 2 x 2 is larger than images of shape (1, 1, 1)"]),
    ([{"type": "average_pool", "size": [2, 7]}], (4, 5, 1), ["kernel of 2 x 7 is larger than images of shape (4, 5, 1)", "fewer"]),
    ([{"type": "max_pool", "padding": [2, 0]}], (4, 5, 1),
        ["(max_pool_1)", "2 pixels of padding above and 0 beside images of shape (4, 5, 1)", "take less padding than the size"]),
    ([{"type": "global_max_pool"}], (64,), ["global_max_pool takes images", "(64,)", "put {type: reshape, shape: [8, 8, 1]} in front"]),
    ([{"type": "group_norm", "groups": 4}], (8, 8, 6),
        ["(group_norm_1)", "6 channels cannot be divided into 4 groups (rows of shape (8, 8, 6))", "one of 1, 2, 3, 6"]),
    ([{"type": "reshape", "shape": [3, 3, 1]}], (10,), ["(reshape_1)", "(10,) hold 10 numbers", "[3, 3, 1] (9 numbers)", "or -1"]),
    ([{"type": "reshape", "shape": [3, -1]}], (10,), ["(10,)", "[3, -1]", "10 is no multiple of 3"]),
    ([{"type": "upsample"}], (10,), ["upsample takes images", "(10,)"]),
    ([{"type": "zero_pad", "padding": 1}], (10,), ["zero_pad takes images", "(10,)"]),
    (["relu", {"type": "dense", "units": 2}, {"type": "dense"}], (3,), ["layer 3 (dense_2)", "only the last dense layer may leave"]),
])  # fmt: skip
def test_a_layer_that_does_not_fit_is_named_with_the_shapes(layers, shape, said):
    with pytest.raises(ConfigError) as error:
        Network([Layer.parse(layer) for layer in layers], shape)
    assert all(part in str(error.value) for part in said), error.value
