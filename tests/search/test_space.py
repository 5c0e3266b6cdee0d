"""The space of a sweep: what can be drawn is what was asked for, drawn from (seed, i) alone, and a grid is every combination once."""

import itertools
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nettrain.component import adapter
from nettrain.search.sweep.parameter import Parameter, problems
from nettrain.search.sweep.proposers.grid import Grid
from nettrain.search.sweep.proposers.random import RandomSettings
from nettrain.search.sweep.space import Space

SHARES = st.floats(0, 1, exclude_max=True)
NUMBERS = st.floats(-1e6, 1e6)


def parameter(**keys):
    return adapter(Parameter).validate_python(keys).resolved(whole=False)


def space(**parameters):
    return Space({path: parameter(**keys) for path, keys in parameters.items()})


def quantiles(found, count=1000):
    return [found.draw(k / count) for k in range(count)]


@given(NUMBERS, st.floats(1e-6, 1e6), SHARES)
def test_a_uniform_number_is_where_its_share_says(low, width, share):
    high = low + width
    drawn = parameter(min=low, max=high).draw(share)
    assert low <= drawn <= high
    assert drawn == pytest.approx(
        low + share * (high - low), rel=1e-12, abs=1e-12 * max(abs(low), abs(high))
    )


@given(st.floats(1e-8, 1e3), st.floats(1.001, 1e8), SHARES)
def test_a_logarithmic_number_has_a_uniform_logarithm(low, factor, share):
    high = low * factor
    drawn = parameter(min=low, max=high, distribution="log_uniform").draw(share)
    assert low <= drawn <= high
    assert math.log(drawn) == pytest.approx(
        math.log(low) + share * math.log(factor), rel=1e-9, abs=1e-9
    )


@given(st.integers(-50, 50), st.integers(1, 60))
def test_every_integer_of_a_range_is_as_likely(low, width):
    found = parameter(min=low, max=low + width, distribution="int_uniform")
    count = width + 1
    drawn = [found.draw((k + 0.5) / (7 * count)) for k in range(7 * count)]
    assert all(isinstance(value, int) for value in drawn)
    assert {value: drawn.count(value) for value in set(drawn)} == dict.fromkeys(
        range(low, low + width + 1), 7
    )


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(1, 300))
def test_every_integer_of_a_logarithmic_range_is_drawn_as_often_as_its_width(low, width):
    found = parameter(min=low, max=low + width, distribution="int_log_uniform")
    drawn = quantiles(found, 20_000)
    whole = math.log(low + width + 0.5) - math.log(low - 0.5)
    assert min(drawn) == low and max(drawn) == low + width
    for value in (low, low + width):
        share = (math.log(value + 0.5) - math.log(value - 0.5)) / whole
        assert drawn.count(value) == pytest.approx(20_000 * share, abs=2)


def test_a_step_is_written_as_a_user_would_write_it():
    assert [parameter(min=0, max=0.5, step=0.1).value(k) for k in range(6)] == [
        0.0,
        0.1,
        0.2,
        0.3,
        0.4,
        0.5,
    ]
    assert [
        parameter(min=1, max=10, step=4, distribution="int_uniform").value(k) for k in range(3)
    ] == [1, 5, 9]
    assert parameter(min=0, max=0.5, step=0.1).count == 6


@given(st.floats(-100, 100), st.floats(0.01, 10), st.integers(1, 40), SHARES)
def test_a_stepped_number_is_a_whole_number_of_steps_from_the_least(low, step, count, share):
    found = parameter(min=low, max=low + step * count, step=step)
    assert found.count == count + 1
    drawn = found.draw(share)
    assert drawn == pytest.approx(low + step * int(share * (count + 1)), abs=1e-9)


@given(st.integers(0, 2**32), st.integers(0, 1000))
def test_a_value_depends_on_seed_index_and_its_own_path_alone(seed, index):
    both = space(a={"min": 0, "max": 1}, b={"values": list(range(100))})
    assert both.drawn(seed, index) == both.drawn(seed, index)
    alone = space(b={"values": list(range(100))})
    assert alone.drawn(seed, index)["b"] == both.drawn(seed, index)["b"]


def test_trials_and_seeds_differ():
    found = space(a={"min": 0, "max": 1}, b={"min": 0, "max": 1})
    drawn = [json.dumps(found.drawn(seed, index)) for seed in range(5) for index in range(20)]
    assert len(set(drawn)) == 100
    assert all(found.drawn(0, index)["a"] != found.drawn(0, index)["b"] for index in range(20))


def test_random_trials_do_not_depend_on_the_order_in_which_they_are_asked_for():
    found = space(a={"min": 0, "max": 1})
    forward = [RandomSettings(found, 3).ask(index) for index in range(10)]
    assert [RandomSettings(found, 3).ask(index) for index in reversed(range(10))] == forward[::-1]


SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@given(SIZES)
def test_a_grid_is_every_combination_once_the_last_changing_fastest(sizes):
    found = space(
        **{f"p{place}": {"values": list(range(size))} for place, size in enumerate(sizes)}
    )
    settings = list(found.grid())
    assert [tuple(setting.values()) for setting in settings] == list(
        itertools.product(*(range(size) for size in sizes))
    )
    proposer = Grid(found)
    assert [proposer.ask(index) for index in range(len(settings))] == settings and proposer.ask(
        len(settings)
    ) is None
    assert Grid(found).ask(len(settings) - 1) == settings[-1]


CONDITIONAL = {
    "type": {"values": ["adam", "momentum", "nesterov"]},
    "beta": {"values": [0.8, 0.9], "when": {"type": ["momentum", "nesterov"]}},
    "deep": {"values": [1, 2, 3], "when": {"beta": 0.9, "type": "nesterov"}},
}


def test_a_conditional_grid_leaves_out_what_is_not_asked_for():
    settings = [tuple(setting.values()) for setting in space(**CONDITIONAL).grid()]
    assert settings == [("adam",), ("momentum", 0.8), ("momentum", 0.9), ("nesterov", 0.8),
                        ("nesterov", 0.9, 1), ("nesterov", 0.9, 2), ("nesterov", 0.9, 3)]  # fmt: skip


@given(st.integers(0, 10_000))
def test_a_drawn_setting_has_what_its_conditions_ask_for_and_nothing_else(index):
    setting = space(**CONDITIONAL).drawn(0, index)
    assert ("beta" in setting) == (setting["type"] in ("momentum", "nesterov"))
    assert ("deep" in setting) == (setting.get("beta") == 0.9 and setting["type"] == "nesterov")


def test_conditions_may_stand_before_what_they_name():
    found = space(deep=CONDITIONAL["deep"], beta=CONDITIONAL["beta"], type=CONDITIONAL["type"])
    assert list(found.problems()) == []
    assert sorted(len(setting) for setting in found.grid()) == [1, 2, 2, 2, 3, 3, 3]
    assert list(found.drawn(0, 1)) == [
        path for path in ("deep", "beta", "type") if path in found.drawn(0, 1)
    ]


def test_a_list_that_is_itself_a_value_is_one_condition():
    found = space(
        hidden={"values": [[8], [8, 8]]}, dropout={"values": [0.1], "when": {"hidden": [8, 8]}}
    )
    assert list(found.grid()) == [{"hidden": [8]}, {"hidden": [8, 8], "dropout": 0.1}]


@pytest.mark.parametrize(("parameters", "said"), [
    ({"a": {"values": [1], "when": {"b": 1}}}, "when: 'b' is no parameter of this sweep"),
    ({"a": {"values": ["x"], "when": {"typ": 1}}, "type": {"values": [1]}},
     "when: 'typ' is no parameter of this sweep; did you mean 'type'?"),
    ({"a": {"values": [1], "when": {"b": "adm"}}, "b": {"values": ["adam"]}}, "when: b is never 'adm'; did you mean 'adam'?"),
    ({"a": {"values": [1], "when": {"b": 3}}, "b": {"values": [1, 2]}}, "when: b is never 3; it is one of [1, 2]"),
    ({"a": {"values": [1], "when": {"b": 0.5}}, "b": {"min": 0, "max": 1}}, "when: b is a range, which hardly ever has one certain value"),
    ({"a": {"values": [1], "when": {"b": 1}}, "b": {"values": [1], "when": {"a": 1}}}, "when: the conditions are circular"),
])  # fmt: skip
def test_conditions_that_can_never_hold_are_told(parameters, said):
    found = list(space(**parameters).problems())
    assert len(found) == 1 and found[0][1].startswith(said)


@pytest.mark.parametrize(("keys", "said"), [
    ({"min": 0, "max": 1, "distribution": "log_uniform"}, "a logarithmic scale begins above 0, got 0"),
    ({"min": -1, "max": 1, "distribution": "int_log_uniform"}, "a logarithmic scale begins above 0, got -1"),
    ({"min": 1, "max": 1}, "min 1 is not below max 1"),
    ({"min": 2, "max": 1}, "min 2 is not below max 1"),
    ({"min": 1}, "expected values, or both min and max"),
    ({}, "expected values, or both min and max"),
    ({"values": []}, "the list is empty"),
    ({"values": [1], "min": 1}, "values and a range (min) cannot be used together"),
    ({"min": 1, "max": 2, "step": 3}, "one step of 3 leads from min 1 beyond max 2"),
    ({"min": 0, "max": 1, "step": 1e-9}, "makes more than 1,000,000 values"),
    ({"min": 0.5, "max": 2, "distribution": "int_uniform"}, "int_uniform takes whole numbers, got 0.5"),
    ({"min": 1, "max": 2, "step": 0.5, "distribution": "int_uniform"}, "int_uniform takes whole numbers, got 0.5"),
    ({"min": 1, "max": 2, "step": 0.5, "distribution": "log_uniform"}, "a step and a logarithmic scale cannot be used together"),
])  # fmt: skip
def test_a_parameter_that_cannot_be_drawn_is_told(keys, said):
    found = list(problems(parameter(**keys)))
    assert len(found) == 1 and found[0][1].startswith(said)
