"""The architectures: which layers they stand for."""
from itertools import pairwise

import numpy as np
import pytest

from nettrain.autodiff.tensor import Tensor
from nettrain.component import names, to_mapping
from nettrain.errors import ConfigError
from nettrain.nn.architecture import Architecture
from nettrain.nn.network import Network

HE, XAVIER = "he", "xavier"

# By YAML name: mapping, row shape, outputs, dropout, and the layers as they are placed: name, output shape, parameters.
ROWS = {
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
    ],
    "sequential": [
        ({"layers": [{"type": "dense", "units": 4}, "tanh", {"type": "dense"}]}, (3,), 2, 0.0, [
            ("dense_1", (4,), 16), ("activation_1", (4,), 0), ("dense_2", (2,), 10)]),
        ({"layers": ["flatten", {"type": "dropout", "rate": 0.1}, {"type": "dense", "bias": False}, "softmax"]}, (2, 2, 1), 3, 0.0, [
            ("flatten_1", (4,), 0), ("dropout_1", (4,), 0), ("dense_1", (3,), 12), ("activation_1", (3,), 0)]),
        ({"layers": [{"type": "dense", "units": 7}]}, (3,), 2, 0.0, [("dense_1", (7,), 28)]),
    ],
}  # fmt: skip
every = pytest.mark.parametrize(
    ("name", "fields", "shape", "outputs", "dropout", "placed"), [(name, *row) for name, rows in ROWS.items() for row in rows]
)


def expanded(name, fields, shape, outputs, dropout):
    return Architecture.parse({"type": name} | fields).expand(shape, outputs, dropout)


def test_every_architecture_has_rows():
    assert set(ROWS) == set(names(Architecture))


@every
def test_the_layers_it_stands_for(name, fields, shape, outputs, dropout, placed):
    network = Network(expanded(name, fields, shape, outputs, dropout), shape)
    assert [(p.name, p.output_shape, p.size) for p in network.placed] == placed
    assert network(Tensor(np.zeros((2, *shape), np.float32))).shape == (2, *placed[-1][1])


@every
def test_the_yaml_form_reads_back(name, fields, shape, outputs, dropout, placed):
    model = Architecture.parse({"type": name} | fields)
    assert to_mapping(model)["type"] == name
    assert Architecture.parse(to_mapping(model)) == model


@pytest.mark.parametrize("sizes", [(3, 2), (64, 64, 64, 10), (256, 30, 10), (1, 1, 1)])
def test_an_mlp_has_the_sum_of_n_l_times_n_l_minus_1_plus_1_parameters(sizes):
    inputs, *hidden, outputs = sizes
    network = Network(expanded("mlp", {"hidden": hidden}, (inputs,), outputs, 0.0), (inputs,))
    assert len(network.vector) == sum(n * (before + 1) for before, n in pairwise(sizes))


def test_256_ink_pixels_and_10_digits():
    network = Network(expanded("mlp", {"hidden": [20]}, (16, 16, 1), 10, 0.0), (16, 16, 1))
    assert (network.placed[1].input_shape, network.output_shape) == ((256,), (10,))


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
    assert [p.layer.initializer.name() for p in network.placed if p.layer.name() == "dense"] == wanted


def test_dropout_for_a_sequential_model_is_an_error_that_says_where_it_belongs():
    with pytest.raises(ConfigError, match=r"regularization.dropout: 0.5 has no place.*put dropout layers into model.layers"):
        expanded("sequential", {"layers": ["relu"]}, (3,), 2, 0.5)
