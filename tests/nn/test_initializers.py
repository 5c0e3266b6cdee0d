"""Every initializer against its fan formula, over many draws; the streams that the values come from."""
import numpy as np
import pytest

from nettrain import streams
from nettrain.component import names, to_mapping
from nettrain.layers.dense import Dense
from nettrain.nn.initializer import Initializer
from nettrain.nn.network import Network

SHAPE = (60, 20)

# By YAML name: every mapping worth a row, and the variance from fan_in and fan_out.
ROWS = {
    "he": ([{"distribution": "normal"}, {"distribution": "uniform"}], lambda i, o: 2 / i),
    "xavier": ([{"distribution": "normal"}, {"distribution": "uniform"}], lambda i, o: 2 / (i + o)),
    "zeros": ([{}], lambda i, o: 0.0),
}
CASES = [(name, fields) for name, (mappings, _) in ROWS.items() for fields in mappings]
every = pytest.mark.parametrize(("name", "fields"), CASES)


def made(name, fields):
    return Initializer.parse({"type": name} | fields)


def test_every_initializer_has_a_row():
    assert set(ROWS) == set(names(Initializer))


@every
def test_mean_and_variance_are_those_of_the_fan_formula(name, fields):
    draws = [made(name, fields).sample(SHAPE, *SHAPE, streams.generator(0, "test", i)) for i in range(200)]
    values, variance = np.array(draws), ROWS[name][1](*SHAPE)
    assert values.shape == (200, *SHAPE)
    n = values.size                                          # 240,000: the errors below are five deviations and more
    assert abs(values.mean()) <= 5 * np.sqrt(variance / n)
    assert values.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / n))


@every
def test_fans_decide_and_not_the_shape(name, fields):
    values = made(name, fields).sample((400, 400), 7, 3, streams.generator(0, "test"))
    assert values.var() == pytest.approx(ROWS[name][1](7, 3), rel=0.02)


@every
def test_uniform_values_end_at_root_3_deviations_and_normal_ones_go_beyond(name, fields):
    values = made(name, fields).sample((400, 400), 400, 400, streams.generator(0, "test"))
    beyond = np.abs(values).max() > np.sqrt(3 * ROWS[name][1](400, 400))
    assert beyond == (fields.get("distribution") == "normal")


@every
def test_the_same_stream_gives_the_same_values(name, fields):
    first, again = (made(name, fields).sample(SHAPE, *SHAPE, streams.generator(5, "w")) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    if name != "zeros":
        assert not np.array_equal(first, made(name, fields).sample(SHAPE, *SHAPE, streams.generator(6, "w")))


@every
def test_the_yaml_form_reads_back(name, fields):
    initializer = made(name, fields)
    assert to_mapping(initializer) == {"type": name} | fields
    assert Initializer.parse(to_mapping(initializer)) == initializer


def test_parameters_are_seeded_by_their_name_and_not_by_their_order():
    short = Network([Dense(units=4), Dense(units=3)], (5,), seed=1)
    other = Network([Dense(units=4, bias=False), Dense(units=3), Dense(units=2)], (5,), seed=1)
    for name in ("dense_1.w", "dense_2.w"):
        assert short.vector.views[name].tobytes() == other.vector.views[name].tobytes()
    assert not np.array_equal(short.vector.views["dense_1.w"], Network([Dense(units=4)], (5,), seed=2).vector.views["dense_1.w"])


def test_parameters_of_one_shape_start_unlike_each_other():
    network = Network([Dense(units=5), Dense(units=5)], (5,), seed=0)
    assert not np.array_equal(network.vector.views["dense_1.w"], network.vector.views["dense_2.w"])


def test_float32_and_float64_networks_start_from_the_same_draws():
    narrow, wide = (Network([Dense(units=4)], (5,), seed=3, dtype=dtype) for dtype in ("float32", "float64"))
    assert narrow.vector.values.tobytes() == wide.vector.values.astype(np.float32).tobytes()
