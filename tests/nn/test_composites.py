"""Layers made of layers: names, what flows through them, and where a mistake inside them is told."""

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.config.load import load
from nettrain.errors import ConfigError
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

DENSE, NORM, CONV = (
    {"type": "dense", "units": 3},
    {"type": "batch_norm"},
    {"type": "conv", "filters": 4},
)


def residual(*layers):
    return {"type": "residual", "layers": list(layers)}


def parallel(*branches, merge="concatenate"):
    return {"type": "parallel", "branches": [list(branch) for branch in branches], "merge": merge}


def network(*layers, shape=(3,), **keywords):
    return Network([Layer.parse(layer) for layer in layers], shape, dtype="float64", **keywords)


def test_layers_inside_are_counted_in_their_own_list():
    found = network(
        DENSE,
        residual(DENSE, "relu", DENSE, NORM),
        residual(NORM),
        parallel([DENSE, DENSE], [residual(DENSE)]),
    )
    assert list(found.vector.views) == [
        "dense_1.w", "dense_1.b", "residual_1.dense_1.w", "residual_1.dense_1.b", "residual_1.dense_2.w", "residual_1.dense_2.b",
        "residual_1.batch_norm_1.gamma", "residual_1.batch_norm_1.beta", "residual_2.batch_norm_1.gamma", "residual_2.batch_norm_1.beta",
        "parallel_1.branch_1.dense_1.w", "parallel_1.branch_1.dense_1.b", "parallel_1.branch_1.dense_2.w", "parallel_1.branch_1.dense_2.b",
        "parallel_1.branch_2.residual_1.dense_1.w", "parallel_1.branch_2.residual_1.dense_1.b",
    ]  # fmt: skip
    assert list(found.state) == [
        f"residual_{n}.batch_norm_1.{key}" for n in (1, 2) for key in ("mean", "variance")
    ]


def test_a_residual_adds_what_goes_around_it():
    x, inner = streams.generator(0, "x").normal(size=(4, 3)), network(DENSE, "tanh", DENSE)
    whole = network(residual(DENSE, "tanh", DENSE))
    whole.vector.values[...] = inner.vector.values
    np.testing.assert_array_equal(whole(Tensor(x)).value, x + inner(Tensor(x)).value)


def projected(layers, shape, **fields):
    found = network(residual(*layers) | fields, shape=shape)
    return {
        name: view.shape for name, view in found.vector.views.items() if "projection" in name
    }, found.output_shape


@pytest.mark.parametrize(("layers", "shape", "fields", "parameters", "output_shape"), [
    ([DENSE], (5,), {}, {"residual_1.projection.dense_1.w": (5, 3)}, (3,)),
    ([DENSE], (3,), {}, {}, (3,)),
    ([DENSE], (3,), {"projection": True}, {"residual_1.projection.dense_1.w": (3, 3)}, (3,)),
    ([DENSE, NORM], (5,), {}, {"residual_1.projection.dense_1.w": (5, 3), "residual_1.projection.batch_norm_1.gamma": (3,),
        "residual_1.projection.batch_norm_1.beta": (3,)}, (3,)),
    ([CONV | {"padding": "same", "stride": 2}], (7, 8, 2), {}, {"residual_1.projection.conv_1.w": (1, 1, 2, 4)}, (4, 4, 4)),
    ([CONV | {"padding": "same", "stride": [1, 3]}], (7, 8, 4), {}, {"residual_1.projection.conv_1.w": (1, 1, 4, 4)}, (7, 3, 4)),
    (["relu"], (7, 8, 4), {"projection": False}, {}, (7, 8, 4)),
])  # fmt: skip
def test_a_residual_projects_where_shapes_differ_or_where_it_is_told_to(
    layers, shape, fields, parameters, output_shape
):
    assert projected(layers, shape, **fields) == (parameters, output_shape)


def test_a_projection_is_added_to_what_the_layers_give():
    x = streams.generator(0, "x").normal(size=(4, 5, 6, 2))
    found = network(residual(CONV | {"padding": "same", "stride": 2}), shape=(5, 6, 2))
    w = found.vector.views["residual_1.projection.conv_1.w"][0, 0]
    inner = network(CONV | {"padding": "same", "stride": 2}, shape=(5, 6, 2))
    for name, view in inner.vector.views.items():
        view[...] = found.vector.views[f"residual_1.{name}"]
    np.testing.assert_allclose(
        found(Tensor(x)).value, x[:, ::2, ::2] @ w + inner(Tensor(x)).value, rtol=1e-12
    )


def test_parallel_branches_get_the_same_input_and_an_empty_one_hands_it_on():
    x = streams.generator(0, "x").normal(size=(4, 3))
    side_by_side = network(parallel(["tanh"], [], ["relu"]))(Tensor(x)).value
    np.testing.assert_array_equal(
        side_by_side, np.concatenate([np.tanh(x), x, np.maximum(x, 0)], axis=1)
    )
    total = network(parallel(["tanh"], [], ["relu"], merge="sum"))(Tensor(x)).value
    product = network(parallel(["tanh"], [], ["relu"], merge="product"))(Tensor(x)).value
    np.testing.assert_allclose(product, np.tanh(x) * x * np.maximum(x, 0), rtol=1e-6)
    np.testing.assert_array_equal(total, np.tanh(x) + x + np.maximum(x, 0))


def test_images_are_concatenated_by_their_channels():
    found = network(parallel(["tanh"], []), shape=(4, 5, 3))
    assert found.output_shape == (4, 5, 6) == found(Tensor(np.ones((2, 4, 5, 3)))).shape[1:]


def test_the_work_inside_is_counted():
    found = network(
        residual(DENSE, "relu", {"type": "dense", "units": 3, "bias": False}),
        parallel([DENSE, DENSE], [DENSE]),
    )
    assert [(p.size, p.layer.flops(p.input_shape)) for p in found.layers] == [
        (12 + 9, 36),
        (36, 54),
    ]


def test_a_dense_layer_inside_starts_as_the_next_activation_wants_be_it_inside_or_behind():
    branches = parallel([DENSE], [DENSE, "selu", DENSE], merge="sum")
    found = network(
        residual(DENSE, "tanh", DENSE), branches, "relu", residual(residual(DENSE)), DENSE
    )
    first, second, _, third, _ = (p.layer for p in found.layers)
    assert [first.layers[i].initializer.name() for i in (0, 2)] == ["xavier", "he"]
    assert second.branches[0][0].initializer.name() == "he"
    assert [second.branches[1][i].initializer.name() for i in (0, 2)] == ["lecun", "he"]
    assert third.layers[0].layers[0].initializer.name() == "xavier"


def test_dropout_inside_draws_from_a_stream_of_its_own():
    drop = {"type": "dropout", "rate": 0.5}
    y = network(parallel([drop], [drop], [residual(drop)]), shape=(50,))(
        Tensor(np.ones((4, 50))), training=True
    ).value
    masks = [y[:, :50] > 0, y[:, 50:100] > 0, y[:, 100:] > 1]
    assert all((a != b).any() for i, a in enumerate(masks) for b in masks[:i])


@pytest.mark.parametrize(("layers", "shape", "said"), [
    ([residual(DENSE) | {"projection": False}], (5,),
        ["model: layer 1 (residual_1): ", "(5,) go in, (3,) come out", "leave `projection: false` out"]),
    ([DENSE, residual(DENSE, residual({"type": "dense", "units": 4}) | {"projection": False})], (5,),
        ["model: layer 2 (residual_1): layer 2 (residual_1): ", "(3,) go in, (4,) come out"]),
    ([residual("flatten")], (2, 2, 3), ["layer 1 (residual_1): ", "(2, 2, 3) go in, (12,) come out, and no projection makes"]),
    ([residual("flatten") | {"projection": True}], (2, 2, 3), ["(2, 2, 3) go in, (12,) come out, and no projection makes"]),
    ([residual(CONV)], (7, 8, 3), ["(7, 8, 3) go in, (5, 6, 4) come out, and no projection makes"]),
    ([residual(CONV) | {"projection": False}], (7, 8, 3), ["(7, 8, 3) go in, (5, 6, 4) come out, and no projection makes"]),
    ([residual("relu", DENSE)], (4, 4, 1), ["layer 1 (residual_1): layer 2 (dense_1): ", "(4, 4, 1)", "put a flatten layer in front"]),
    ([residual({"type": "dense"})], (3,), ["layer 1 (residual_1): layer 1 (dense_1): ", "leave `units` out"]),
    ([parallel([DENSE], [], merge="sum")], (5,), ["layer 1 (parallel_1): ", "shapes (3,) and (5,)", "to sum them", "all axes"]),
    ([parallel(["flatten"], [])], (2, 2, 1), ["shapes (4,) and (2, 2, 1)", "to concatenate them", "all axes but the last"]),
    ([parallel(["relu"], ["relu", DENSE])], (2, 2, 1), ["layer 1 (parallel_1): branch 2: layer 2 (dense_1): ", "(2, 2, 1)"]),
])  # fmt: skip
def test_what_does_not_fit_inside_is_named_with_its_place_and_shapes(layers, shape, said):
    with pytest.raises(ConfigError) as error:
        network(*layers, shape=shape)
    assert all(part in str(error.value) for part in said), error.value


CONFIG = """\
dataset: iris
model:
  type: sequential
  layers:
    - relu
    - type: residual
      layers:
        - {type: dense, units: 0}
        - {type: dense, unit: 4}
    - type: parallel
      branches:
        - [tanh, {type: dense, units: many}]
        - - type: residual
            layers: [{type: dense, units: -1}, tanhh]
      merge: add
"""


def test_a_mistake_inside_keeps_its_whole_place(tmp_path):
    path = tmp_path / "nested.yaml"
    path.write_text(CONFIG)
    with pytest.raises(ConfigError) as error:
        load(path)
    told = "\n".join(error.value.problems)
    for place in (
        "nested.yaml:8: model.layers[1].layers[0].units", "nested.yaml:9: model.layers[1].layers[1].unit",
        "nested.yaml:12: model.layers[2].branches[0][1].units", "nested.yaml:14: model.layers[2].branches[1][0].layers[0].units",
        "nested.yaml:14: model.layers[2].branches[1][0].layers[1]", "nested.yaml:15: model.layers[2].merge",
    ):  # fmt: skip
        assert place in told, told
    assert "did you mean 'tanh'" in told and "did you mean 'units'" in told
