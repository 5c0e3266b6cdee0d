"""The architectures: which layers they stand for."""

from itertools import pairwise

import numpy as np
import pytest

from nettrain.autodiff.tensor import Tensor
from nettrain.component import names, to_mapping
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.nn.architecture import Architecture
from nettrain.nn.columns import TableShape
from nettrain.nn.network import Network

HE, XAVIER = "he", "xavier"

# By YAML name: mapping, row shape, outputs, dropout, and the layers as they are bound: name, output shape, parameters.
ROWS = {
    "all_conv": [
        ({"width": 2}, (9, 10, 3), 4, 0.0, [
            ("conv_1", (9, 10, 2), 56), ("activation_1", (9, 10, 2), 0), ("conv_2", (9, 10, 2), 38), ("activation_2", (9, 10, 2), 0),
            ("conv_3", (5, 5, 2), 38), ("activation_3", (5, 5, 2), 0), ("conv_4", (5, 5, 4), 76), ("activation_4", (5, 5, 4), 0),
            ("conv_5", (5, 5, 4), 148), ("activation_5", (5, 5, 4), 0), ("conv_6", (3, 3, 4), 148), ("activation_6", (3, 3, 4), 0),
            ("conv_7", (1, 1, 4), 148), ("activation_7", (1, 1, 4), 0), ("conv_8", (1, 1, 4), 20), ("activation_8", (1, 1, 4), 0),
            ("conv_9", (1, 1, 4), 20), ("global_average_pool_1", (4,), 0)]),
        ({"width": 1, "batch_norm": True, "activation": "elu", "input_dropout": 0.2}, (9, 9, 1), 2, 0.5, [
            ("dropout_1", (9, 9, 1), 0), ("conv_1", (9, 9, 1), 9), ("batch_norm_1", (9, 9, 1), 2), ("activation_1", (9, 9, 1), 0),
            ("conv_2", (9, 9, 1), 9), ("batch_norm_2", (9, 9, 1), 2), ("activation_2", (9, 9, 1), 0),
            ("conv_3", (5, 5, 1), 9), ("batch_norm_3", (5, 5, 1), 2), ("activation_3", (5, 5, 1), 0), ("dropout_2", (5, 5, 1), 0),
            ("conv_4", (5, 5, 2), 18), ("batch_norm_4", (5, 5, 2), 4), ("activation_4", (5, 5, 2), 0),
            ("conv_5", (5, 5, 2), 36), ("batch_norm_5", (5, 5, 2), 4), ("activation_5", (5, 5, 2), 0),
            ("conv_6", (3, 3, 2), 36), ("batch_norm_6", (3, 3, 2), 4), ("activation_6", (3, 3, 2), 0), ("dropout_3", (3, 3, 2), 0),
            ("conv_7", (1, 1, 2), 36), ("batch_norm_7", (1, 1, 2), 4), ("activation_7", (1, 1, 2), 0),
            ("conv_8", (1, 1, 2), 4), ("batch_norm_8", (1, 1, 2), 4), ("activation_8", (1, 1, 2), 0),
            ("conv_9", (1, 1, 2), 6), ("global_average_pool_1", (2,), 0)]),
    ],
    "cnn": [
        ({"blocks": [{"filters": 2}]}, (4, 5, 1), 3, 0.0, [
            ("conv_1", (4, 5, 2), 20), ("activation_1", (4, 5, 2), 0), ("max_pool_1", (2, 2, 2), 0), ("flatten_1", (8,), 0),
            ("dense_1", (3,), 27)]),
        ({"blocks": [{"filters": 2, "kernel": [1, 3], "stride": 2, "repeat": 2, "batch_norm": True, "activation": "tanh", "pool": 0,
                      "dropout": 0.1}, {"filters": 3, "padding": "valid", "kernel": 2, "pool": 1}],
          "hidden": [5], "activation": "elu", "global_pool": "max"}, (8, 9, 3), 2, 0.5, [
            ("conv_1", (4, 5, 2), 18), ("batch_norm_1", (4, 5, 2), 4), ("activation_1", (4, 5, 2), 0),
            ("conv_2", (4, 5, 2), 12), ("batch_norm_2", (4, 5, 2), 4), ("activation_2", (4, 5, 2), 0), ("dropout_1", (4, 5, 2), 0),
            ("conv_3", (3, 4, 3), 27), ("activation_3", (3, 4, 3), 0), ("global_max_pool_1", (3,), 0),
            ("dense_1", (5,), 20), ("activation_4", (5,), 0), ("dropout_2", (5,), 0), ("dense_2", (2,), 12)]),
        ({"blocks": [{"filters": 2, "pool": 3}], "global_pool": "average"}, (4, 5, 1), 1, 0.0, [
            ("conv_1", (4, 5, 2), 20), ("activation_1", (4, 5, 2), 0), ("max_pool_1", (1, 1, 2), 0), ("global_average_pool_1", (2,), 0),
            ("dense_1", (1,), 3)]),
    ],
    "lenet5": [
        ({}, (28, 28, 1), 10, 0.0, [
            ("conv_1", (28, 28, 6), 156), ("activation_1", (28, 28, 6), 0), ("average_pool_1", (14, 14, 6), 0),
            ("conv_2", (10, 10, 16), 2416), ("activation_2", (10, 10, 16), 0), ("average_pool_2", (5, 5, 16), 0), ("flatten_1", (400,), 0),
            ("dense_1", (120,), 48120), ("activation_3", (120,), 0), ("dense_2", (84,), 10164), ("activation_4", (84,), 0),
            ("dense_3", (10,), 850)]),
        ({"activation": "relu", "pool": "max", "padding": "valid"}, (32, 32, 3), 2, 0.1, [
            ("conv_1", (28, 28, 6), 456), ("activation_1", (28, 28, 6), 0), ("max_pool_1", (14, 14, 6), 0),
            ("conv_2", (10, 10, 16), 2416), ("activation_2", (10, 10, 16), 0), ("max_pool_2", (5, 5, 16), 0), ("flatten_1", (400,), 0),
            ("dense_1", (120,), 48120), ("activation_3", (120,), 0), ("dropout_1", (120,), 0),
            ("dense_2", (84,), 10164), ("activation_4", (84,), 0), ("dropout_2", (84,), 0), ("dense_3", (2,), 170)]),
    ],
    "mlp": [
        ({"hidden": []}, (3,), 2, 0.0, [("dense_1", (2,), 8)]),
        ({"hidden": [], "activation": "tanh"}, (3,), 2, 0.5, [("dense_1", (2,), 8)]),
        ({"hidden": [4, 5]}, (3,), 2, 0.0, [
            ("dense_1", (4,), 16), ("activation_1", (4,), 0), ("dense_2", (5,), 25), ("activation_2", (5,), 0), ("dense_3", (2,), 12)]),
        ({"hidden": [4]}, (2, 2, 3), 1, 0.0, [
            ("flatten_1", (12,), 0), ("dense_1", (4,), 52), ("activation_1", (4,), 0), ("dense_2", (1,), 5)]),
        ({"hidden": [4, 4]}, (3,), 2, 0.25, [
            ("dense_1", (4,), 16), ("activation_1", (4,), 0), ("dropout_1", (4,), 0),
            ("dense_2", (4,), 20), ("activation_2", (4,), 0), ("dropout_2", (4,), 0), ("dense_3", (2,), 10)]),
        ({"hidden": [4, 5], "batch_norm": True}, (3,), 2, 0.25, [
            ("dense_1", (4,), 12), ("batch_norm_1", (4,), 8), ("activation_1", (4,), 0), ("dropout_1", (4,), 0),
            ("dense_2", (5,), 20), ("batch_norm_2", (5,), 10), ("activation_2", (5,), 0), ("dropout_2", (5,), 0), ("dense_3", (2,), 12)]),
        ({"hidden": [4], "activation": "prelu"}, (3,), 2, 0.0, [("dense_1", (4,), 16), ("activation_1", (4,), 1), ("dense_2", (2,), 10)]),
        ({"hidden": []}, TableShape(3, (5, 4)), 2, 0.0, [("by_columns_1", (4,), 10 + 4), ("dense_1", (2,), 10)]),
    ],
    "small_resnet": [
        ({"blocks": 1, "widths": [2, 3]}, (5, 6, 1), 4, 0.0, [
            ("conv_1", (5, 6, 2), 18), ("batch_norm_1", (5, 6, 2), 4), ("activation_1", (5, 6, 2), 0),
            ("residual_1", (5, 6, 2), 80), ("activation_2", (5, 6, 2), 0),
            ("residual_2", (3, 3, 3), 54 + 6 + 81 + 6 + 6 + 6), ("activation_3", (3, 3, 3), 0),
            ("global_average_pool_1", (3,), 0), ("dense_1", (4,), 16)]),
        ({"blocks": 2, "widths": [2], "batch_norm": False, "activation": "elu", "projection": True}, (3, 3, 2), 1, 0.2, [
            ("conv_1", (3, 3, 2), 38), ("activation_1", (3, 3, 2), 0), ("residual_1", (3, 3, 2), 80), ("activation_2", (3, 3, 2), 0),
            ("residual_2", (3, 3, 2), 80), ("activation_3", (3, 3, 2), 0), ("global_average_pool_1", (2,), 0), ("dropout_1", (2,), 0),
            ("dense_1", (1,), 3)]),
    ],
    "realmlp": [
        ({"hidden": [4]}, (3,), 2, 0.1, [
            ("periodic_embedding_1", (12,), 3 * (16 + 16 + 16 * 3 + 3)), ("feature_scale_1", (12,), 12), ("dense_1", (4,), 52),
            ("parametric_activation_1", (4,), 4), ("dropout_1", (4,), 0), ("dense_2", (2,), 10)]),
        ({"hidden": []}, TableShape(2, (5, 4)), 1, 0.0, [
            ("by_columns_1", (16,), 9 * 8), ("feature_scale_1", (16,), 16), ("dense_1", (1,), 17)]),
        ({"hidden": [], "embedding": False}, (2, 2, 1), 1, 0.0, [("flatten_1", (4,), 0), ("feature_scale_1", (4,), 4), ("dense_1", (1,), 5)]),
    ],
    "sequential": [
        ({"layers": [{"type": "dense", "units": 4}, "tanh", {"type": "dense"}]}, (3,), 2, 0.0, [
            ("dense_1", (4,), 16), ("activation_1", (4,), 0), ("dense_2", (2,), 10)]),
        ({"layers": ["flatten", {"type": "dropout", "rate": 0.1}, {"type": "dense", "bias": False}, "softmax"]}, (2, 2, 1), 3, 0.0, [
            ("flatten_1", (4,), 0), ("dropout_1", (4,), 0), ("dense_1", (3,), 12), ("activation_1", (3,), 0)]),
        ({"layers": [{"type": "dense", "units": 7}]}, (3,), 2, 0.0, [("dense_1", (7,), 28)]),
    ],
    "tabular": [
        ({"hidden": [4], "embedding": 2, "bins": 3, "members": 1}, (3,), 2, 0.1, [
            ("piecewise_linear_embedding_1", (6,), 6 + 6 + 18), ("feature_scale_1", (6,), 6), ("dense_1", (4,), 28),
            ("parametric_activation_1", (4,), 4), ("dropout_1", (4,), 0), ("dense_2", (2,), 10)]),
        ({"hidden": [], "embedding": None, "members": 1}, (2, 2, 1), 1, 0.0, [("flatten_1", (4,), 0), ("feature_scale_1", (4,), 4), ("dense_1", (1,), 5)]),
        ({"hidden": [4], "embedding": 2, "bins": 3, "members": 5}, (3,), 2, 0.1, [
            ("piecewise_linear_embedding_1", (5, 6), 5 * 30), ("feature_scale_1", (5, 6), 30), ("packed_1", (5, 4), 5 * 28),
            ("parametric_activation_1", (5, 4), 20), ("dropout_1", (5, 4), 0), ("packed_2", (5, 2), 50), ("mean_of_members_1", (2,), 0)]),
        ({"hidden": [], "embedding": None, "members": 2}, (3,), 1, 0.0, [
            ("members_1", (2, 3), 0), ("feature_scale_1", (2, 3), 6), ("packed_1", (2, 1), 8), ("mean_of_members_1", (1,), 0)]),
        ({"hidden": [], "embedding": 2, "bins": 3, "members": 1}, TableShape(3, (5,)), 1, 0.0, [
            ("by_columns_1", (6,), 20 + 10), ("feature_scale_1", (6,), 6), ("dense_1", (1,), 7)]),
        ({"hidden": [], "embedding": None, "members": 2}, TableShape(2, (7,)), 1, 0.0, [
            ("by_columns_1", (2, 4), 7 * 6), ("feature_scale_1", (2, 4), 8), ("packed_1", (2, 1), 10), ("mean_of_members_1", (1,), 0)]),
        ({"hidden": [], "embedding": 2, "bins": 3, "members": 2}, TableShape(4, (), 3), 1, 0.0, [
            ("by_columns_1", (2, 5), 20), ("feature_scale_1", (2, 5), 10), ("packed_1", (2, 1), 12), ("mean_of_members_1", (1,), 0)]),
    ],
    "tabm": [
        ({"members": 2, "width": 5}, (3,), 2, 0.1, [
            ("piecewise_linear_embedding_1", (48,), 3 * 16 * 50), ("members_1", (2, 48), 0),
            ("batch_ensemble_1", (2, 5), 96 + 240 + 10 + 10), ("activation_1", (2, 5), 0), ("dropout_1", (2, 5), 0),
            ("batch_ensemble_2", (2, 5), 10 + 25 + 10 + 10), ("activation_2", (2, 5), 0), ("dropout_2", (2, 5), 0),
            ("packed_1", (2, 2), 24), ("mean_of_members_1", (2,), 0)]),
        ({"members": 2, "width": 4, "variant": "mini", "embedding": None}, (3,), 1, 0.0, [
            ("members_1", (2, 3), 0), ("batch_ensemble_1", (2, 4), 6 + 12 + 4), ("activation_1", (2, 4), 0),
            ("batch_ensemble_2", (2, 4), 20), ("activation_2", (2, 4), 0), ("batch_ensemble_3", (2, 4), 20), ("activation_3", (2, 4), 0),
            ("packed_1", (2, 1), 10), ("mean_of_members_1", (1,), 0)]),
        ({"members": 3, "width": 4, "variant": "packed", "blocks": 1, "embedding": "periodic_embedding"}, (2,), 1, 0.0, [
            ("periodic_embedding_1", (8,), 32 + 96 + 6 + 32), ("members_1", (3, 8), 0), ("packed_1", (3, 4), 108), ("activation_1", (3, 4), 0),
            ("packed_2", (3, 1), 15), ("mean_of_members_1", (1,), 0)]),
    ],
}  # fmt: skip
every = pytest.mark.parametrize(
    ("name", "fields", "shape", "outputs", "dropout", "expected"),
    [(name, *row) for name, rows in ROWS.items() for row in rows],
)


def expanded(name, fields, shape, outputs, dropout):
    return Architecture.parse({"type": name} | fields).expand(shape, outputs, dropout)


def test_every_architecture_has_rows():
    assert set(ROWS) == set(names(Architecture))


@every
def test_the_layers_it_stands_for(name, fields, shape, outputs, dropout, expected):
    network = Network(expanded(name, fields, shape, outputs, dropout), shape)
    assert [(p.name, p.output_shape, p.size) for p in network.layers] == expected
    assert network(Tensor(np.zeros((2, *shape), np.float32))).shape == (2, *expected[-1][1])


@pytest.mark.parametrize("name", sorted(set(names(Architecture)) - {"sequential"}))
def test_a_bare_name_is_a_model_for_small_images(name):
    layers = Architecture.parse(name).expand((28, 28, 1), 10, 0.0)
    assert Network(layers, (28, 28, 1)).output_shape == (10,)


def test_a_bare_mlp_has_two_hidden_layers_of_64_units():
    assert Architecture.parse("mlp") == Architecture.parse({"type": "mlp", "hidden": [64, 64]})


@every
def test_the_yaml_form_reads_back(name, fields, shape, outputs, dropout, expected):
    model = Architecture.parse({"type": name} | fields)
    assert to_mapping(model)["type"] == name
    assert Architecture.parse(to_mapping(model)) == model


@pytest.mark.parametrize("sizes", [(3, 2), (64, 64, 64, 10), (256, 30, 10), (1, 1, 1)])
def test_an_mlp_has_the_sum_of_n_l_times_n_l_minus_1_plus_1_parameters(sizes):
    inputs, *hidden, outputs = sizes
    network = Network(expanded("mlp", {"hidden": hidden}, (inputs,), outputs, 0.0), (inputs,))
    assert len(network.vector) == sum(n * (before + 1) for before, n in pairwise(sizes))


@pytest.mark.parametrize(("fields", "shape", "parameters"), [
    ({"type": "lenet5"}, (28, 28, 1), 61_706),
    ({"type": "all_conv"}, (32, 32, 3), 1_369_738),                                # the paper: 1.4 million
    ({"type": "small_resnet"}, (32, 32, 3), 272_474),                              # the paper's 20 layers: 0.27 million
    ({"type": "small_resnet", "blocks": 9}, (32, 32, 3), 855_770),                 # 56 layers: 0.85 million
])  # fmt: skip
def test_presets_are_as_large_as_in_their_papers(fields, shape, parameters):
    assert (
        len(Network(Architecture.parse(fields).expand(shape, 10, 0.0), shape).vector) == parameters
    )


def test_a_preset_on_images_that_are_too_small_names_the_layer():
    with pytest.raises(
        ConfigError,
        match=r"layer 13 \(conv_7\): conv: a kernel of 3 x 3 is larger than images of shape \(2, 2, 8\)",
    ):
        Network(expanded("all_conv", {"width": 4}, (8, 8, 1), 10, 0.0), (8, 8, 1))


def test_a_mistake_in_a_block_is_told_with_its_place(tmp_path):
    path = tmp_path / "blocks.yaml"
    path.write_text(
        "dataset: digits\nmodel:\n  type: cnn\n  blocks:\n    - {filters: 3}\n    - {filter: 3, pool: -1}\n"
    )
    with pytest.raises(ConfigError) as error:
        load(path)
    told = str(error.value)
    assert (
        "blocks.yaml:6: model.blocks[1].filter: unknown key 'filter'; did you mean 'filters'"
        in told
    ), told
    assert "model.blocks[1].pool" in told


@pytest.mark.parametrize(("fields", "shape"), [
    ({"type": "mlp", "hidden": [4, 5], "batch_norm": True}, (6,)),
    ({"type": "cnn", "blocks": [{"filters": 3, "repeat": 2, "batch_norm": True}]}, (8, 8, 1)),
    ({"type": "all_conv", "width": 2, "batch_norm": True}, (9, 9, 1)),
    ({"type": "small_resnet", "blocks": 1, "widths": [4]}, (8, 8, 1)),
])  # fmt: skip
def test_batch_norm_stands_behind_a_dense_or_convolutional_layer_without_a_bias_and_before_its_activation(
    fields, shape
):
    layers = Architecture.parse(fields).expand(shape, 2, 0.0)
    lists = [
        layers,
        *(
            [*layer.layers, layers[place + 1]]
            for place, layer in enumerate(layers)
            if layer.name() == "residual"
        ),
    ]
    found = [
        (a, c)
        for some in lists
        for a, b, c in zip(some, some[1:], some[2:], strict=False)
        if b.name() == "batch_norm"
    ]
    assert len(found) == sum(layer.name() == "batch_norm" for some in lists for layer in some) > 0
    assert all(
        a.name() in ("dense", "conv") and not a.bias and c.name() == "activation" for a, c in found
    )


def test_256_ink_pixels_and_10_digits():
    network = Network(expanded("mlp", {"hidden": [20]}, (16, 16, 1), 10, 0.0), (16, 16, 1))
    assert (network.layers[1].input_shape, network.output_shape) == ((256,), (10,))


def test_dropout_takes_the_configured_share():
    layers = expanded("mlp", {"hidden": [4]}, (3,), 2, 0.25)
    assert [layer.rate for layer in layers if layer.name() == "dropout"] == [0.25]


@pytest.mark.parametrize(("fields", "wanted"), [
    ({"hidden": [4, 4]}, [HE, HE, XAVIER]),
    ({"hidden": [4], "activation": "tanh"}, [XAVIER, XAVIER]),
    ({"hidden": [4], "activation": "tanh", "initializer": "he"}, [HE, HE]),
    ({"hidden": [4], "batch_norm": True}, [HE, XAVIER]),
    ({"hidden": [4], "activation": "selu"}, ["lecun", XAVIER]),
    ({"hidden": []}, [XAVIER]),
])  # fmt: skip
def test_each_dense_layer_starts_as_the_activation_behind_it_wants(fields, wanted):
    network = Network(expanded("mlp", fields, (3,), 2, 0.0), (3,))
    assert [
        p.layer.initializer.name() for p in network.layers if p.layer.name() == "dense"
    ] == wanted


def test_dropout_for_a_sequential_model_is_an_error_that_says_where_it_belongs():
    with pytest.raises(
        ConfigError,
        match=r"regularization.dropout: 0.5 has no place.*put dropout layers into model.layers",
    ):
        expanded("sequential", {"layers": ["relu"]}, (3,), 2, 0.5)
