"""What is told of a network before it is trained: the receptive field is what a place really depends on; layers inside layers too."""

import math

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.architecture import Architecture
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network
from nettrain.nn.summary import summarize

CONV = {"type": "conv", "filters": 2}
WIDE = CONV | {"kernel": [1, 3], "dilation": [1, 3], "padding": "same"}
POOL = {"type": "average_pool", "size": 3, "stride": 2}
# Layers on images of 21 x 21, and the height and width that a place sees.
FIELDS = [
    (["relu", "batch_norm", {"type": "dropout", "rate": 0.1}], (1, 1)),
    ([CONV], (3, 3)),
    ([CONV, "relu", CONV], (5, 5)),
    ([CONV | {"kernel": [5, 2], "stride": [2, 1]}], (5, 2)),
    ([CONV | {"stride": 2}, CONV], (7, 7)),
    ([WIDE], (1, 7)),
    ([CONV | {"stride": [3, 1]}, WIDE, CONV], (9, 11)),
    (
        [{"type": "depthwise_conv"}, {"type": "separable_conv", "filters": 2, "kernel": [1, 3]}],
        (3, 5),
    ),
    ([CONV, "max_pool", CONV], (8, 8)),
    ([POOL, POOL], (7, 7)),
    (["upsample"], (1, 1)),
    ([{"type": "upsample", "factor": [3, 2]}, CONV | {"kernel": 7}], (3, 4)),
    ([{"type": "zero_pad", "padding": 3}, CONV], (3, 3)),
    (
        [
            {
                "type": "residual",
                "layers": [CONV | {"padding": "same"}, "relu", CONV | {"padding": "same"}],
            },
            CONV,
        ],
        (7, 7),
    ),
    ([{"type": "residual", "layers": [CONV | {"padding": "same", "stride": 2}]}, CONV], (7, 7)),
    ([{"type": "parallel", "branches": [[], [WIDE], [CONV | {"padding": "same"}]]}], (3, 7)),
    ([CONV, {"type": "reshape", "shape": [19, 19, 2]}], (3, 3)),
    ([CONV, "global_average_pool"], (21, 21)),
    (["max_pool", "flatten"], (2, 2)),
    (["flatten", {"type": "dense", "units": 3}], (21, 21)),
    ([{"type": "reshape", "shape": [9, 49, 1]}], (21, 21)),
]


def built(*layers, shape=(21, 21, 1)):
    found = Network([Layer.parse(layer) for layer in layers], shape, seed=1, dtype="float64")
    for name, view in found.vector.views.items():
        view[...] = streams.generator(3, name).uniform(0.5, 1, view.shape)  # nothing cancels
    return found


def seen(network, shape=(21, 21, 1)):
    """Height and width of what a place in the middle of the output depends on, by changing one pixel at a time."""
    x = streams.generator(0, "x").uniform(1, 2, size=shape)
    changed = np.repeat(x[None], shape[0] * shape[1], axis=0)
    changed.reshape(-1, shape[0] * shape[1])[np.diag_indices(shape[0] * shape[1])] += 1000
    y = network(Tensor(x[None])).value
    middle = (0, y.shape[1] // 2, y.shape[2] // 2) if y.ndim == 4 else (0,)
    differs = (network(Tensor(changed)).value[:, *middle[1:]] != y[middle]).reshape(
        shape[0], shape[1], -1
    )
    single = y.shape[-1] > 2 and y.ndim == 2  # places that stand side by side: one of them
    rows, columns = np.nonzero(differs[..., 0] if single else differs.any(axis=-1))
    return rows.max() - rows.min() + 1, columns.max() - columns.min() + 1


@pytest.mark.parametrize(("layers", "field"), FIELDS, ids=lambda value: str(value)[:80])
def test_a_place_depends_on_no_more_than_its_receptive_field_and_on_all_of_it(layers, field):
    network = built(*layers)
    assert summarize(network.layers, network.input_shape)[-1].receptive_field == field
    if layers[-1] != FIELDS[-1][0][-1]:  # a reshape scatters pixels: no rectangle at all
        assert seen(network) == field


def test_bilinear_pixels_see_two_on_either_side_at_most():
    network = built({"type": "upsample", "method": "bilinear"}, CONV | {"kernel": 1})
    assert (
        summarize(network.layers, network.input_shape)[0].receptive_field == (2, 2) == seen(network)
    )


def test_the_field_of_a_table_begins_where_it_becomes_images():
    network = built("relu", {"type": "reshape", "shape": [4, 4, 1]}, CONV, shape=(16,))
    assert [row.receptive_field for row in summarize(network.layers, (16,))] == [
        None,
        (1, 1),
        (3, 3),
    ]


def test_layers_inside_layers_are_told_with_their_paths_and_counted_once():
    shape = (8, 8, 3)
    network = Network(
        Architecture.parse({"type": "small_resnet", "blocks": 1, "widths": [2, 4]}).expand(
            shape, 5, 0.0
        ),
        shape,
    )
    rows = summarize(network.layers, shape)
    assert sum(row.parameters for row in rows) == len(network.vector)
    last = next(row for row in rows if row.path == "residual_2")
    assert [row.path for row in last.inside] == [f"residual_2.{name}" for name in (
        "conv_1", "batch_norm_1", "activation_1", "conv_2", "batch_norm_2", "projection.conv_1", "projection.batch_norm_1"
    )]  # fmt: skip
    assert [row.receptive_field for row in last.inside] == [(8, 8)] * 5 + [(7, 7)] * 2
    assert sum(row.parameters for row in last.inside) == last.parameters
    assert sum(row.flops for row in last.inside) == last.flops
    assert last.values == math.prod(last.output_shape) * 8


def test_the_receptive_field_of_the_paper_of_lenet_and_of_all_conv():
    rows = summarize(
        Network(Architecture.parse("lenet5").expand((32, 32, 1), 10, 0.0), (32, 32, 1)).layers,
        (32, 32, 1),
    )
    assert [row.receptive_field for row in rows if "conv" in row.path or "pool" in row.path] == [
        (5, 5),
        (6, 6),
        (14, 14),
        (16, 16),
    ]
