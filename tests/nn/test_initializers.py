"""Every initializer against its fan formula, over many draws; the streams that the values come from."""

import math

import numpy as np
import pytest
from pydantic import ValidationError

from nettrain import streams
from nettrain.component import adapter, names, to_mapping
from nettrain.errors import ConfigError
from nettrain.layers.dense import Dense
from nettrain.nn.initializer import Initializer
from nettrain.nn.network import Network

SHAPE = (60, 20)

# By YAML name: every mapping worth a row, then mean, variance and the farthest from the mean, from fan_in and fan_out.
ROWS = {
    "constant": [({"value": 0.25}, 0.25, lambda i, o: 0.0, lambda i, o: 0.0)],
    "he": [
        ({"distribution": "normal"}, 0.0, lambda i, o: 2 / i, None),
        ({"distribution": "uniform"}, 0.0, lambda i, o: 2 / i, lambda i, o: math.sqrt(6 / i)),
    ],
    "lecun": [
        ({"distribution": "normal"}, 0.0, lambda i, o: 1 / i, None),
        ({"distribution": "uniform"}, 0.0, lambda i, o: 1 / i, lambda i, o: math.sqrt(3 / i)),
    ],
    "normal": [({"mean": 0.5, "deviation": 2.0}, 0.5, lambda i, o: 4.0, None)],
    "orthogonal": [({"gain": 1.5}, 0.0, lambda i, o: 2.25 / max(i, o), None)],
    "random_signs": [({}, 0.0, lambda i, o: 1.0, lambda i, o: 1.0)],
    # a normal distribution cut at 2: 1 - 2 * 2 phi(2) / (2 Phi(2) - 1) of the variance is left
    "truncated_normal": [
        (
            {"mean": -1.0, "deviation": 0.5},
            -1.0,
            lambda i, o: 0.7737413035499232 / 4,
            lambda i, o: 1.0,
        )
    ],
    "uniform": [({"low": -1.0, "high": 3.0}, 1.0, lambda i, o: 16 / 12, lambda i, o: 2.0)],
    "values": [({"values": [[1.0, -1.0] * 10] * 60}, 0.0, lambda i, o: 1.0, lambda i, o: 1.0)],
    "xavier": [
        ({"distribution": "normal"}, 0.0, lambda i, o: 2 / (i + o), None),
        (
            {"distribution": "uniform"},
            0.0,
            lambda i, o: 2 / (i + o),
            lambda i, o: math.sqrt(6 / (i + o)),
        ),
    ],
    "zeros": [({}, 0.0, lambda i, o: 0.0, lambda i, o: 0.0)],
}
every = pytest.mark.parametrize(
    ("name", "fields"), [(name, row[0]) for name, rows in ROWS.items() for row in rows]
)
of_any_shape = pytest.mark.parametrize(
    ("name", "fields"),
    [(name, row[0]) for name, rows in ROWS.items() if name != "values" for row in rows],
)
BY_SHAPE = {
    "orthogonal",
    "values",
}  # the shape of the array decides, and no fans that are given beside it
FIXED = {"constant", "values", "zeros"}


def made(name, fields):
    return Initializer.parse({"type": name} | fields)


def expected(name, fields):
    return next(row[1:] for row in ROWS[name] if row[0] == fields)


def test_every_initializer_has_a_row():
    assert set(ROWS) == set(names(Initializer))


@every
def test_mean_and_variance_are_those_of_the_formula(name, fields):
    draws = [
        made(name, fields).sample(SHAPE, *SHAPE, streams.generator(0, "test", i))
        for i in range(200)
    ]
    mean, variance, _ = expected(name, fields)
    values, variance = np.array(draws), variance(*SHAPE)
    assert values.shape == (200, *SHAPE)
    n = values.size  # 240,000: the errors below are five deviations and more
    assert abs(values.mean() - mean) <= 5 * np.sqrt(variance / n)
    assert values.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / n))


@of_any_shape
def test_fans_decide_and_not_the_shape(name, fields):
    values = made(name, fields).sample((400, 400), 7, 3, streams.generator(0, "test"))
    fans = (400, 400) if name in BY_SHAPE else (7, 3)
    assert values.var() == pytest.approx(expected(name, fields)[1](*fans), rel=0.02)


@of_any_shape
def test_values_end_where_the_distribution_does(name, fields):
    values = made(name, fields).sample((400, 400), 400, 400, streams.generator(0, "test"))
    mean, variance, extent = expected(name, fields)
    farthest = np.abs(values - mean).max()
    if extent is None:
        assert farthest > 4 * np.sqrt(
            variance(400, 400)
        )  # as a normal distribution's 160,000 values do
    else:
        assert 0.999 * extent(400, 400) <= farthest <= extent(400, 400)


@every
def test_the_same_stream_gives_the_same_values(name, fields):
    first, again = (
        made(name, fields).sample(SHAPE, *SHAPE, streams.generator(5, "w")) for _ in range(2)
    )
    assert first.tobytes() == again.tobytes()
    if name not in FIXED:
        assert not np.array_equal(
            first, made(name, fields).sample(SHAPE, *SHAPE, streams.generator(6, "w"))
        )


@every
def test_the_yaml_form_reads_back(name, fields):
    initializer = made(name, fields)
    assert to_mapping(initializer) == {"type": name} | fields
    assert Initializer.parse(to_mapping(initializer)) == initializer


@pytest.mark.parametrize(
    "shape", [(5, 3), (3, 5), (4, 4), (3, 2, 2, 7), (3, 2, 2, 20), (6, 1), (1, 1), (4,)]
)
def test_orthogonal_columns_or_rows_are_orthonormal_times_the_gain(shape):
    w = (
        made("orthogonal", {"gain": 2.0})
        .sample(shape, 1, 1, streams.generator(0, "w"))
        .reshape(-1, shape[-1])
    )
    product = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-12)


def test_orthogonal_matrices_have_no_preferred_sign():
    first = [
        made("orthogonal", {}).sample((3, 3), 3, 3, streams.generator(i, "w"))[0, 0] > 0
        for i in range(400)
    ]
    assert np.mean(first) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(400))


@pytest.mark.parametrize(("mapping", "said"), [
    ({"type": "uniform", "low": 1.0, "high": 1.0}, "low must be below high, got low 1 and high 1"),
    ({"type": "normal", "deviation": 0}, "greater than 0"),
    ({"type": "constant"}, "value"),
])  # fmt: skip
def test_a_wrong_initializer_is_told(mapping, said):
    with pytest.raises(ValidationError) as error:
        adapter(Initializer).validate_python(mapping)
    assert said in str(error.value)


@pytest.mark.parametrize(("values", "shape", "said"), [
    ([[1, 2], [3]], (2, 2), "differ in length"),
    ([[1, 2, 3]], (2, 2), "shape \\(1, 3\\), but the parameter has \\(2, 2\\)"),
])  # fmt: skip
def test_values_must_have_the_shape_of_the_parameter(values, shape, said):
    with pytest.raises(ConfigError, match=said):
        made("values", {"values": values}).sample(shape, 2, 2, streams.generator(0, "w"))


def test_values_may_leave_out_axes_of_length_one():
    edges = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    filters = made("values", {"values": edges}).sample(
        (3, 3, 1, 1), 9, 9, streams.generator(0, "w")
    )
    np.testing.assert_array_equal(filters[:, :, 0, 0], edges)


def test_parameters_are_seeded_by_their_name_and_not_by_their_order():
    short = Network([Dense(units=4), Dense(units=3)], (5,), seed=1)
    other = Network([Dense(units=4, bias=False), Dense(units=3), Dense(units=2)], (5,), seed=1)
    for name in ("dense_1.w", "dense_2.w"):
        assert short.vector.views[name].tobytes() == other.vector.views[name].tobytes()
    assert not np.array_equal(
        short.vector.views["dense_1.w"],
        Network([Dense(units=4)], (5,), seed=2).vector.views["dense_1.w"],
    )


def test_parameters_of_one_shape_start_unlike_each_other():
    network = Network([Dense(units=5), Dense(units=5)], (5,), seed=0)
    assert not np.array_equal(network.vector.views["dense_1.w"], network.vector.views["dense_2.w"])


def test_float32_and_float64_networks_start_from_the_same_draws():
    narrow, wide = (
        Network([Dense(units=4)], (5,), seed=3, dtype=dtype) for dtype in ("float32", "float64")
    )
    assert narrow.vector.values.tobytes() == wide.vector.values.astype(np.float32).tobytes()
