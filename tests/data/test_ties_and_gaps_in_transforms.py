"""Transforms where columns are few, texts tie or do not occur, and numbers are equal, missing or nearly so."""

import numpy as np
import pytest
from pydantic_core import PydanticCustomError

from nettrain import streams
from nettrain.component import names
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.target import Target
from nettrain.data.transform import Transform
from nettrain.errors import DataError
from nettrain.transforms._tree_knots import tree_knots

LINEAR = ["standardize", "minmax", "scale", "center", "robust_scale"]
EPS = float(np.finfo(np.float64).eps)


def make(name, **fields):
    return Transform.parse({"type": name, **fields})


def fit_apply(transform, features):
    return transform.apply(features, transform.fit(features))


def column(*numbers, dtype=np.float64):
    return Features(np.array(numbers, dtype)[:, None], ("a",))


def texts(values, **codes):
    n = len(next(iter(codes.values())))
    columns = {name: Category(np.array(each), values) for name, each in codes.items()}
    return Features(np.zeros((n, 0)), (), columns)


def test_an_unknown_transform_is_refused_as_one():
    with pytest.raises(PydanticCustomError, match="transform 'clmp' does not exist"):
        make("clmp")


def test_only_clamp_learns_from_the_targets_of_the_validation_part():
    fields = {"clip": {"low": 0}, "drop": {"columns": ["a"]}, "hash_words": {"columns": ["a"]}}
    every = {name: make(name, **fields.get(name, {})) for name in names(Transform)}
    assert [name for name, one in every.items() if one.learns_from_validation] == ["clamp"]
    assert every["hash_words"].size == 64


@pytest.mark.parametrize(("x", "y", "bins", "knots"), [
    ([0, 1, 1, 2], [0, 0, 5, 5], 2, [0, 0.5, 2]),  # the best cut lies between equal numbers
    ([*range(8)], [-1e4, -1e4 - 1, -1e4, -1e4, 1e4, 1e4, 1e4, 1e4 + 1], 4, [0, 3.5, 7]),  # rounding
    ([*range(4)], [(0, 1e6), (0, 1e6), (1, 1e6), (1, 1e6)], 4, [0, 1.5, 3]),  # one far from 0
])  # fmt: skip
def test_knots_of_a_tree_stand_where_the_target_changes_by_more_than_rounding(x, y, bins, knots):
    found = tree_knots(np.array(x, float), np.array(y, float).reshape(len(x), -1), bins, 1)
    assert found.tolist() == knots


def test_predictions_are_clamped_to_the_range_of_the_targets():
    transform, targets = make("clamp"), column(1.0, 5.0)
    found = transform.backward(np.array([[-9.0], [2.0], [99.0]]), transform.fit(targets))
    assert found.tolist() == [[1], [2], [5]]


@pytest.mark.parametrize(
    ("bounds", "expected"), [({"low": 2}, [2, 3, 9]), ({"high": 4}, [1, 3, 4])]
)
def test_one_bound_will_do_for_clip(bounds, expected):
    assert fit_apply(make("clip", **bounds), column(1, 3, 9)).numbers.ravel().tolist() == expected


def test_log_inverts_with_any_shift():
    transform = make("log", shift=3)
    x = column(-2.5, 0.5, 4)
    np.testing.assert_allclose(transform.backward(fit_apply(transform, x).array, {}), x.array)


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("shape", [(3, 2), (2, 2, 3, 2)])
def test_shift_and_unit_are_shaped_as_a_row(name, shape):
    found = make(name).measure(np.arange(float(np.prod(shape))).reshape(shape))
    assert [array.shape for array in found] == [shape[1:]] * 2


def test_a_factor_multiplies_and_a_divisor_divides():
    scaled = fit_apply(make("scale", factor=6, divide_by=2), column(1, 5))
    assert scaled.numbers.tolist() == [[3], [15]]


@pytest.mark.parametrize("name", ["minmax", "robust_scale"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_width_of_ten_roundings_is_none_and_one_of_eleven_is_one(name, sign):
    for roundings, width in ((10, 0), (11, 1)):
        ends = sign * (1 - roundings * EPS), sign
        found = fit_apply(make(name), column(*sorted(ends * 2))).numbers
        assert np.ptp(found) == pytest.approx(width, abs=1e-12)


@pytest.mark.parametrize("largest", [1.0, 1e-300])
def test_robust_scale_takes_half_the_width_where_the_middle_half_is_1e_30_of_it(largest):
    found = fit_apply(make("robust_scale"), column(0, 0, 0, 1e-30 * largest, largest)).numbers
    assert found.ravel().tolist() == [0, 0, 0, 2e-30, 2] if largest == 1 else found[-1] == 2


def test_a_column_without_numbers_has_no_median_and_no_unit():
    median, unit = make("robust_scale").measure(np.array([[np.nan, 1.0], [np.nan, 3.0]]))
    np.testing.assert_array_equal([median, unit], [[np.nan, 2], [np.nan, 1]])


def test_quantiles_are_0_below_all_numbers_and_1_above():
    transform = make("quantile")
    state = transform.fit(column(1, 2, 4))
    found = transform.apply(column(-9, 1, 3, 4, 9), state).numbers.ravel()
    assert found.tolist() == [0, 0, 0.75, 1, 1]


def test_columns_of_few_values_get_no_bins():
    transform = make("piecewise_linear", bins=4)
    state = transform.fit(column(1, 2, 1))
    assert state["sources"].dtype == np.int64 and state["sources"].shape == (0,)
    assert transform.apply(column(7), state).numbers.tolist() == [[7]]


# dates


def test_the_day_has_its_phase_of_the_month():
    dates = texts(("2024-03-01", "2024-03-16"), day=[0, 1])
    found = fit_apply(make("datetime", parts=["day"]), dates).numbers
    angles = 2 * np.pi * np.array([0, 15 / 30.4375])
    np.testing.assert_allclose(found, np.stack([np.sin(angles), np.cos(angles)], axis=1))


@pytest.mark.parametrize(("form", "month"), [("%d/%m/%Y", 2), ("%m/%d/%Y", 1)])
def test_a_format_that_is_given_decides_what_may_be_day_or_month(form, month):
    dates = texts(("01/02/2024",), sold=[0])
    found = fit_apply(make("datetime", parts=["elapsed"], format=form), dates).numbers
    assert found.tolist() == [[{1: 19724, 2: 19754}[month]]]
    with pytest.raises(DataError, match=r"column 'sold': .* may be .*columns: \[sold\]"):
        make("datetime").fit(dates)


def test_columns_that_are_no_dates_are_passed_over_and_texts_that_do_not_occur_ignored():
    values = ("2024-03-01 06:00", "2024-03-01 18:00", "soon")
    features = texts(values, city=[2, 2], sold=[0, 1])
    state = make("datetime").fit(features)
    assert state["columns"] == ["sold"]
    assert state["parts:sold"] == ["hour"]  # no elapsed: all on one day
    found = make("datetime").apply(features, state).numbers
    np.testing.assert_allclose(found, [[1, 0], [-1, 0]], atol=1e-12)


# categories


def test_pixels_stay_where_a_column_beside_them_is_left_out():
    city = texts(("a",), city=[0, 0], other=[0, 0]).categories
    pixels = Features(np.arange(24.0).reshape(2, 2, 3, 2), (), city)
    found = fit_apply(make("drop", columns=["city"]), pixels)
    assert found.numbers is pixels.numbers and [*found.categories] == ["other"]


def test_a_category_named_as_the_merged_ones_are_is_theirs():
    merged = fit_apply(
        make("rare_categories", min_count=2), texts(("b", "other", "z"), x=[0, 0, 1, 1, 2])
    )
    assert merged.categories["x"].values == ("b", "other")
    assert merged.categories["x"].codes.tolist() == [0, 0, 1, 1, 1]


def test_several_columns_have_indicators_side_by_side_which_are_known_as_such():
    features = texts(("b", "m", "o"), x=[0, 1, 2], y=[1, 1, 2], z=[0, 0, 1])
    found = fit_apply(make("one_hot"), features)
    assert found.names == ("x=b", "x=m", "x=o", "y=m", "y=o", "z=b", "z=m")
    assert found.numbers.tolist() == [
        [1, 0, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1, 0], [0, 0, 1, 0, 1, 0, 1],
    ]  # fmt: skip
    assert found.indicators == {*found.names}


# imputation


def test_a_mean_is_computed_in_float64():
    found = fit_apply(make("impute"), column(16777216, 1, 1, np.nan, dtype=np.float32)).numbers
    assert found[3, 0] == 5592406


def test_of_texts_that_are_as_frequent_the_smallest_fills():
    features = texts(("o", "b", "z"), city=[0, 1, 1, 0, 2, MISSING])
    city = fit_apply(make("impute", strategy="most_frequent"), features).categories["city"]
    assert city.values[city.codes[-1]] == "b"


@pytest.mark.parametrize(
    ("chosen", "filled"), [(["x"], ["x"]), (["y", "x"], ["x", "y"]), (None, ["x", "y"])]
)
def test_only_the_columns_that_are_named_are_filled_and_flagged(chosen, filled):
    features = texts(("a",), x=[0, MISSING], y=[MISSING, 0])
    found = fit_apply(make("impute", strategy="constant", columns=chosen, flag=True), features)
    assert [
        name for name, one in found.categories.items() if (one.codes != MISSING).all()
    ] == filled
    assert found.names == tuple(f"{name}_missing" for name in filled)
    assert found.indicators == {*found.names}


def test_of_pixels_all_are_filled_or_none():
    pixels = np.arange(16.0).reshape(4, 2, 2, 1)
    pixels[0, 1, 0, 0] = np.nan
    images = Features(pixels, (), texts(("a",), city=[0, 0, 0, MISSING]).categories)
    assert fit_apply(make("impute"), images).numbers[0, 1, 0, 0] == 10
    fills = make("impute", strategy="constant", columns=["city"])
    assert np.isnan(fit_apply(fills, images).numbers[0, 1, 0, 0])
    pixels[:, 1, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"^pixel \[1, 0, 0\]: missing in all 4 training rows"):
        make("impute").fit(images)


# means of the target


def test_means_of_a_constant_target_are_that_constant():
    features, target = texts(("a", "b"), x=[0, 1, 1]), Target(np.full((3, 1), 5.0))
    transform = make("target_statistics")
    state = transform.fit_to_target(features, target)
    assert state["means:x"].tolist() == [[5]] * 4


def test_of_two_rows_each_learns_from_the_other():
    features, target = texts(("a",), x=[0, 0]), Target(np.array([[1.0], [3.0]]))
    transform = make("target_statistics", smoothing=0.0)
    state = transform.fit_to_target(features, target)
    assert transform.apply_in_training(features, state, target).numbers.tolist() == [[3], [1]]


def test_folds_are_those_of_the_transforms_own_stream():
    n, y = 23, np.arange(23.0)
    fold = streams.generator(0, "target_statistics").permutation(n) % 5
    features, target = texts(("a",), x=[0] * n), Target(y[:, None])
    transform = make("target_statistics", smoothing=0.0)
    state = transform.fit_to_target(features, target)
    found = transform.apply_in_training(features, state, target).numbers
    np.testing.assert_allclose(found[:, 0], [y[fold != one].mean() for one in fold])


@pytest.mark.parametrize(("target", "columns"), [
    (Target(np.zeros((2, 2)), ("u", "v")), ("x:u", "x:v")),
    (Target(np.array([0, 1]), classes=("l", "m", "h")), ("x:l", "x:m", "x:h")),
    (Target(np.array([0, 1]), classes=("no", "yes")), ("x:mean",)),
])  # fmt: skip
def test_columns_of_means_are_named_after_targets_or_classes(target, columns):
    features, transform = texts(("a",), x=[0, 0]), make("target_statistics")
    state = transform.fit_to_target(features, target)
    assert transform.apply(features, state).names == columns
