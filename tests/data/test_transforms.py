import logging
from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from nettrain.component import names, to_mapping
from nettrain.data.features import MISSING, Category, Codes, Features
from nettrain.data.target import Target
from nettrain.data.transform import OutsideDomain, State, Transform
from nettrain.errors import ConfigError, DataError

TABLE = Features(
    np.array([[1.0, 10, 5], [2, 30, 5], [6, 20, 5]]),
    ("a", "b", "same"),
    {"city": Category(np.array([1, 0, MISSING]), ("Bern", "Oslo"))},
)
GAPS = Features(
    np.array([[1.0, np.nan], [3, 8], [np.nan, 4], [5, 4]]),
    ("a", "b"),
    {"city": Category(np.array([1, MISSING, 1, 0]), ("B", "O"))},
)
IMAGES = Features(np.arange(24, dtype=np.uint8).reshape(2, 2, 3, 2))
DATES = Features(
    np.array([[7.0], [8], [9]]),
    ("a",),
    {
        "sold": Category(np.array([1, 0, MISSING]), ("2023-07-01 06:00", "2024-01-01 12:00")),
        "city": TABLE.categories["city"],
    },
)
LINEAR = ["standardize", "minmax", "scale", "center", "robust_scale"]
# Every transform that maps numbers alone, with fields under which it changes TABLE.
NUMERIC = {
    **{name: {} for name in LINEAR},
    "clamp": {},
    "clip": {"low": 2, "high": 20},
    "log": {},
    "quantile": {"to": "normal"},
    "smooth_clip": {},
}


def dates_expected():
    """Of DATES: year, month, weekday (Monday and Saturday), hour, days since 1970-01-01."""
    angles = [(0, 0, np.pi), (np.pi, 2 * np.pi * 5 / 7, np.pi / 2)]
    circles = [[x for a in row for x in (np.sin(a), np.cos(a))] for row in angles]
    gap = [9, *[np.nan] * 8]
    return [[7, 2024, *circles[0], 19723.5], [8, 2023, *circles[1], 19539.25], gap]


# What each transform makes of TABLE (impute: of GAPS): numbers and codes.
EXPECTED = {
    "standardize": (
        {},
        TABLE,
        [[-0.9258201, -1.2247449, 0], [-0.46291005, 1.2247449, 0], [1.38873015, 0, 0]],
    ),
    "minmax": ({"low": -1}, TABLE, [[-1, -1, -1], [-0.6, 1, -1], [1, 0, -1]]),
    "center": ({}, TABLE, [[-2, -10, 0], [-1, 10, 0], [3, 0, 0]]),
    "clamp": ({}, TABLE, TABLE.numbers),
    "clip": ({"low": 2, "high": 20}, TABLE, [[2, 10, 5], [2, 20, 5], [6, 20, 5]]),
    "log": (
        {},
        TABLE,
        [
            [np.log(2), np.log(11), np.log(6)],
            [np.log(3), np.log(31), np.log(6)],
            [np.log(7), np.log(21), np.log(6)],
        ],
    ),
    "quantile": ({}, TABLE, [[0, 0, 0.5], [0.5, 1, 0.5], [1, 0.5, 0.5]]),
    "scale": ({"divide_by": 10}, TABLE, [[0.1, 1, 0.5], [0.2, 3, 0.5], [0.6, 2, 0.5]]),
    "impute": ({"strategy": "most_frequent"}, GAPS, [[1, 4], [3, 8], [1, 4], [5, 4]]),
    "datetime": ({}, DATES, dates_expected()),
    "drop": ({"columns": ["b", "city"]}, TABLE, [[1, 5], [2, 5], [6, 5]]),
    "hash_words": (
        {"columns": ["city"], "size": 2},
        TABLE,
        [[1, 10, 5, 1, 0], [2, 30, 5, 1, 0], [6, 20, 5, 0, 0]],
    ),
    "ordinal": ({}, TABLE, [[1, 10, 5, 1], [2, 30, 5, 0], [6, 20, 5, 2]]),
    "one_hot": ({}, TABLE, [[1, 10, 5, 0, 1], [2, 30, 5, 1, 0], [6, 20, 5, 0, 0]]),
    "robust_scale": ({}, TABLE, [[-0.4, -1, 0], [0, 1, 0], [1.6, 0, 0]]),
    "smooth_clip": (
        {"bound": 4, "columns": ["a", "b"]},
        TABLE,
        [
            [4 / 17**0.5, 40 / 116**0.5, 5],
            [8 / 20**0.5, 120 / 916**0.5, 5],
            [24 / 52**0.5, 80 / 416**0.5, 5],
        ],
    ),
    "piecewise_linear": (
        {"bins": 2},
        TABLE,
        [[1, 10, 5, 0, 0, 0, 0], [2, 30, 5, 1, 0, 1, 1], [6, 20, 5, 1, 1, 1, 0]],
    ),
    "rare_categories": ({"min_count": 1}, TABLE, TABLE.numbers),
    "target_statistics": (
        {"smoothing": 1},
        TABLE,
        [[1, 10, 5, 0.5], [2, 30, 5, 1], [6, 20, 5, 1.5]],
    ),
}


def make(name: str, **fields: object) -> Transform:
    return Transform.parse({"type": name, **fields})


def learn(transform: Transform, features: Features) -> State:
    """What a transform learns of rows whose targets are 0, 1, 2 ..."""
    numbers = np.arange(len(features), dtype=float)[:, None]
    return transform.fit_to_target(features, Target(numbers))


def fit_apply(transform: Transform, features: Features) -> Features:
    return transform.apply(features, learn(transform, features))


def test_every_transform_has_a_row() -> None:
    assert sorted(EXPECTED) == names(Transform)


@pytest.mark.parametrize("name", EXPECTED)
def test_transform_gives_the_expected_numbers(name: str) -> None:
    fields, features, expected = EXPECTED[name]
    before = features.numbers.copy()
    found = fit_apply(make(name, **fields), features).matrix
    assert np.allclose(found, expected, atol=1e-7, equal_nan=True)
    assert np.array_equal(features.numbers, before, equal_nan=True)


ABC, CITY = ("a", "b", "same"), ["city"]
LEFT = {  # names of the numbers, and columns of texts, of what is not as it was
    "datetime": (
        (
            "a",
            "sold.year",
            *(f"sold.{part}_{end}" for part in ("month", "weekday", "hour") for end in ("sin", "cos")),
            "sold.elapsed",
        ),
        CITY,
    ),
    "drop": (("a", "same"), []),
    "hash_words": ((*ABC, "city#0", "city#1"), []),
    "impute": (("a", "b"), CITY),
    "one_hot": ((*ABC, "city=Bern", "city=Oslo"), []),
    "ordinal": (ABC, []),
    "piecewise_linear": ((*ABC, "a#1", "a#2", "b#1", "b#2"), CITY),
    "target_statistics": ((*ABC, "city:mean"), []),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_the_columns_that_a_transform_leaves_have_names(name: str) -> None:
    fields, features, _ = EXPECTED[name]
    found = fit_apply(make(name, **fields), features)
    numbers, texts = LEFT.get(name, (ABC, CITY))
    assert (found.names, list(found.categories)) == (numbers, texts)


def test_the_columns_of_texts_that_are_not_named_stay() -> None:
    other = Category(np.array([0, 1, 0]), ("x", "y"))
    features = replace(DATES, categories=DATES.categories | {"other": other})
    for name in ("hash_words", "one_hot", "ordinal", "target_statistics", "drop"):
        found = fit_apply(make(name, columns=["city"]), features)
        assert list(found.categories) == ["sold", "other"]
    found = fit_apply(make("datetime", columns=["sold"]), features)
    assert list(found.categories) == ["city", "other"]


def test_a_text_that_is_no_date_as_training_had_them_is_named() -> None:
    transform = make("datetime", columns=["sold"])
    sold = Category(np.array([0, 1, 1]), ("2024-01-01 12:00", "soon"))
    new = replace(DATES, categories={"sold": sold, "city": DATES.categories["city"]})
    with pytest.raises(OutsideDomain, match=r"column 'sold': expected a date .* got 'soon'"):
        transform.apply(new, transform.fit(DATES))


def test_numbers_beyond_those_of_training_are_clamped_to_their_ends() -> None:
    transform = make("clamp")
    new = Features(np.array([[-9.0, 99, 5], [9, -99, 6], [3, np.nan, 4]]), ABC)
    found = transform.apply(new, transform.fit(TABLE)).numbers
    np.testing.assert_array_equal(found, [[1, 30, 5], [6, 10, 5], [3, np.nan, 5]])


def test_words_count_by_their_hash_with_its_sign_and_a_cell_has_length_1() -> None:
    texts = Category(np.array([0, 1]), ("The cat, the DOG", "..."))
    features = Features(np.zeros((2, 0)), (), {"text": texts})
    found = fit_apply(make("hash_words", columns=["text"], size=64), features).numbers
    expected = np.zeros(64)
    for word in ("the", "cat", "the", "dog"):
        code = crc32(word.encode())
        expected[code % 64] += -1 if code >= 2**31 else 1
    np.testing.assert_allclose(
        found, [expected / np.linalg.norm(expected), np.zeros(64)], rtol=1e-12
    )


def test_a_quantile_transform_learns_no_more_quantiles_than_there_are_rows() -> None:
    for rows, learned in ((1, 2), (2, 2), (3, 3)):
        features = Features(np.arange(rows * 1.0)[:, None], ("a",))
        assert make("quantile").fit(features)["quantiles"].shape == (learned, 1)


def test_a_statistic_of_the_target_needs_one() -> None:
    with pytest.raises(ConfigError, match="target_statistics: it needs a target"):
        make("target_statistics").fit(TABLE)


@pytest.mark.parametrize("name", EXPECTED)
def test_transform_survives_yaml(name: str) -> None:
    transform = make(name, **EXPECTED[name][0])
    assert Transform.parse(to_mapping(transform)) == transform


@pytest.mark.parametrize("name", EXPECTED)
def test_state_is_arrays_and_lists_of_names(name: str) -> None:
    features = GAPS if name == "impute" else TABLE
    for value in learn(make(name, **EXPECTED[name][0]), features).values():
        if isinstance(value, np.ndarray):
            assert value.dtype.kind in "fiub"
        else:
            assert all(isinstance(item, str) for item in value)


INVERTIBLE = {*LINEAR, "clamp", "log", "quantile"}
STANDARD = {  # what a bare name means, where there are numbers to it
    "impute": {"strategy": "mean", "value": 0.0, "text": "missing", "flag": False},
    "log": {"shift": 1.0},
    "minmax": {"low": 0.0, "high": 1.0},
    "one_hot": {"most_values": 1000, "max_size": None},
    "piecewise_linear": {"bins": 16, "knots": "quantiles", "min_rows": 20},
    "quantile": {"to": "uniform", "quantiles": 1000},
    "rare_categories": {"min_count": 10, "merged": "other"},
    "scale": {"factor": 1.0, "divide_by": 1.0},
    "smooth_clip": {"bound": 3.0},
    "target_statistics": {"smoothing": "auto", "folds": 5},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_is_learned_is_applied_to_rows_in_chunks_and_inverted_where_it_can_be(
    name: str,
) -> None:
    transform = make(name, **EXPECTED[name][0])
    assert transform.by_chunks is True and transform.invertible is (name in INVERTIBLE)


@pytest.mark.parametrize("name", STANDARD)
def test_a_bare_name_means_the_documented_numbers(name: str) -> None:
    assert to_mapping(make(name)) == {"type": name, "columns": None} | STANDARD[name]


def test_times_have_phases_of_the_day_and_of_the_year() -> None:
    texts = ("2024-03-11 06:30:15.5", "2024-12-31 18:00:00.0")
    features = Features(np.zeros((2, 0)), (), {"t": Category(np.array([0, 1]), texts)})
    parts = make("datetime", parts=["hour", "month"], format="%Y-%m-%d %H:%M:%S.%f")
    found = fit_apply(parts, features).numbers
    hours, months = (
        [(6 + 30 / 60 + 15.5 / 3600) / 24, 0.75],
        [(2 + 10 / 31) / 12, (11 + 30 / 31) / 12],
    )
    angles = 2 * np.pi * np.stack([hours, hours, months, months], axis=1)
    expected = np.where([True, False] * 2, np.sin(angles), np.cos(angles))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_as_many_values_as_allowed_become_indicators_and_more_that_look_like_numbers_are_told() -> (
    None
):
    assert len(fit_apply(make("one_hot", most_values=2), TABLE).names) == 5
    texts = tuple(f"{i}.234,5" for i in range(1, 9))
    prices = Features(np.zeros((8, 0)), (), {"price": Category(np.arange(8), texts)})
    with pytest.raises(
        DataError, match=r"column 'price' has 8 distinct values; they look like numbers"
    ):
        make("one_hot", most_values=2).fit(prices)


@pytest.mark.parametrize("name", LINEAR)
@given(
    numbers=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 8), st.integers(1, 4)), elements=st.floats(-1e6, 1e6)
    )
)
def test_invert_undoes_apply(name: str, numbers: np.ndarray) -> None:
    transform = make(name)
    features = Features(numbers, tuple("abcd"[: numbers.shape[1]]))
    state = transform.fit(features)
    back = transform.invert(transform.apply(features, state).numbers, state)
    assert np.allclose(back, numbers, rtol=1e-9, atol=1e-9 * np.abs(numbers).max())


@pytest.mark.parametrize("name", NUMERIC)
def test_numeric_transforms_touch_the_named_columns_only(name: str) -> None:
    transform = make(name, columns=["b"], **NUMERIC[name])
    state = transform.fit(TABLE)
    got, everywhere = (
        transform.apply(TABLE, state).numbers,
        fit_apply(make(name, **NUMERIC[name]), TABLE).numbers,
    )
    assert np.array_equal(got[:, [0, 2]], TABLE.numbers[:, [0, 2]])
    assert np.array_equal(got[:, 1], everywhere[:, 1])
    if transform.invertible:
        assert np.allclose(transform.invert(got, state), TABLE.numbers)


@pytest.mark.parametrize("name", NUMERIC)
def test_numeric_transforms_take_images_and_leave_categories(name: str) -> None:
    assert fit_apply(make(name, **NUMERIC[name]), IMAGES).numbers.shape == IMAGES.numbers.shape
    assert fit_apply(make(name, **NUMERIC[name]), TABLE).categories == TABLE.categories


@pytest.mark.parametrize("name", NUMERIC)
def test_missing_numbers_stay_missing_and_count_for_nothing(name: str) -> None:
    got = fit_apply(make(name, **NUMERIC[name]), GAPS).numbers
    assert np.array_equal(np.isnan(got), np.isnan(GAPS.numbers))
    present = Features(np.array([[1.0], [3], [5]]), ("a",))
    fields = NUMERIC[name] | ({"quantiles": 4} if name == "quantile" else {})
    assert np.allclose(got[[0, 1, 3], 0], fit_apply(make(name, **fields), present).numbers[:, 0])


@pytest.mark.parametrize("name", NUMERIC)
def test_a_column_without_numbers_stays_missing(name: str) -> None:
    assert np.isnan(
        fit_apply(make(name, **NUMERIC[name]), Features(np.full((3, 1), np.nan), ("a",))).numbers
    ).all()


TRAINED = np.array([0.3, -1, 4, 2.5, 9, 7, 2.5, 2.5, -3, 11])[:, None]
NEW = np.array([-9, -3, -2, 0, 2.5, 2.6, 8, 11, 99.0])[:, None]
# scikit-learn 1.9.1, QuantileTransformer(n_quantiles=5, output_distribution=to): NEW mapped, and -1, 0.1, 0.5, 0.77, 2 mapped back.
SCIKIT_LEARN = {
    "uniform": (
        [
            0,
            0,
            0.06493506493506494,
            0.19480519480519481,
            0.5,
            0.5066666666666667,
            0.8421052631578947,
            1,
            1,
        ],
        [-3, -1.46, 2.5, 6.630000000000001, 11],
    ),
    "normal": (
        [
            -5.199337582605575,
            -5.199337582605575,
            -1.51461421633577,
            -0.8603241400016763,
            0,
            0.016711632998748692,
            1.0031479676625337,
            5.19933758270342,
            5.19933758270342,
        ],
        [
            -0.5567090894555609,
            3.097417559155435,
            5.371936919110197,
            6.807651019489656,
            10.567747492984594,
        ],
    ),
}


@pytest.mark.parametrize("to", SCIKIT_LEARN)
def test_quantiles_are_scikit_learns(to: str) -> None:
    expected, back = SCIKIT_LEARN[to]
    transform = make("quantile", to=to, quantiles=5)
    state = transform.fit(Features(TRAINED, ("a",)))
    assert np.allclose(
        transform.apply(Features(NEW, ("a",)), state).numbers[:, 0], expected, rtol=1e-8, atol=1e-12
    )
    assert np.allclose(
        transform.invert(np.array([[-1], [0.1], [0.5], [0.77], [2]]), state)[:, 0], back, rtol=1e-8
    )


@pytest.mark.parametrize("to", ["uniform", "normal"])
@given(
    numbers=hnp.arrays(
        np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0])
    )
)
def test_quantile_never_falls_and_gives_equal_values_one_place(
    to: str, numbers: np.ndarray
) -> None:
    order = np.sort(numbers)
    got = fit_apply(make("quantile", to=to, quantiles=7), Features(order[:, None], ("a",))).numbers[
        :, 0
    ]
    assert (np.diff(got) >= -1e-9).all() and np.isfinite(got).all()
    assert all(len(set(got[order == value])) == 1 for value in order)


@given(
    numbers=hnp.arrays(np.float64, st.integers(2, 40), elements=st.sampled_from([1.0, 2, 3, 4, 9])),
)
@example(numbers=np.array([2.0, 3, 1, 4, 2, 2]))
def test_quantile_gives_equal_values_the_middle_of_their_ranks(numbers: np.ndarray) -> None:
    got = fit_apply(make("quantile", quantiles=40), Features(numbers[:, None], ("a",))).numbers
    ordered = np.sort(numbers)
    first, behind = (np.searchsorted(ordered, numbers, side) for side in ("left", "right"))
    middle = (first + behind - 1) / 2 / (len(numbers) - 1)
    assert np.allclose(got[:, 0], middle, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 5.0, -0.7, 0.1 + 0.2, 1e9])
@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("minmax", {}, [0, 2, -0.5]),
        ("minmax", {"low": -1, "high": 3}, [-1, 7, -3]),
        ("standardize", {}, [0, 2, -0.5]),
        ("center", {}, [0, 2, -0.5]),
        ("robust_scale", {}, [0, 2, -0.5]),
    ],
)
def test_other_values_of_a_column_that_was_constant_in_training_keep_their_distance(
    name: str, fields: dict[str, object], expected: list[float], value: float
) -> None:
    trained = np.array([[value], [value], [np.nextafter(value, 9)]])[: 2 if value == 0 else 3]
    new = np.array([[value], [value + 2], [value - 0.5]])
    transform = make(name, **fields)
    state = transform.fit(Features(trained, ("a",)))
    got = transform.apply(Features(new, ("a",)), state).numbers
    assert np.allclose(got[:, 0], expected, rtol=1e-12, atol=1e-6)
    assert np.allclose(transform.invert(got, state), new, rtol=1e-12)


def test_many_zeros_stand_in_the_middle_of_their_ranks() -> None:
    amounts = Features(np.array([0.0] * 80 + list(range(1, 21)))[:, None], ("gain",))
    assert fit_apply(make("quantile"), amounts).numbers[0, 0] == pytest.approx(0.4, abs=0.01)


def test_log_is_exact_for_small_numbers_and_inverts() -> None:
    tiny = Features(np.array([[1e-12], [0], [5e7]]), ("a",))
    transform = make("log")
    got = transform.apply(tiny, transform.fit(tiny)).numbers
    assert got[0, 0] == pytest.approx(1e-12, rel=1e-11) and np.allclose(
        transform.invert(got, {}), tiny.numbers, rtol=1e-14, atol=0
    )
    assert make("log", shift=0).apply(Features(np.array([[np.e]]), ("a",)), {}).numbers[
        0, 0
    ] == pytest.approx(1)


def test_log_says_what_has_none() -> None:
    negative = Features(np.array([[1.0, 3], [2, -7.5], [2, -1]]), ("a", "b"))
    with pytest.raises(
        OutsideDomain,
        match=r"column 'b': no logarithm of -7.5 \+ shift 1 \(.*: 2\); set log.shift above 7.5",
    ) as caught:
        fit_apply(make("log"), negative)
    assert caught.value.row == 1
    assert fit_apply(make("log", shift=7.6, columns=["b"]), negative).numbers[
        1, 1
    ] == pytest.approx(np.log(0.1))
    with pytest.raises(DataError, match=r"^pixel \[0, 0, 0\]: no logarithm of 0 \+ shift 0"):
        fit_apply(make("log", shift=0), IMAGES)


def test_flags_say_where_cells_were_missing() -> None:
    transform = make("impute", flag=True)
    state = transform.fit(GAPS)
    got = transform.apply(GAPS, state)
    assert got.names == ("a", "b", "a_missing", "b_missing", "city_missing")
    assert got.numbers[:, 2:].tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0]]
    whole = Features(np.ones((1, 2)), ("a", "b"), {"city": Category(np.array([0]), ("B",))})
    assert transform.apply(whole, state).numbers.tolist() == [[1, 1, 0, 0, 0]]
    assert fit_apply(make("impute", flag=True, columns=["b"]), GAPS).names == (
        "a",
        "b",
        "b_missing",
    )
    assert fit_apply(make("impute", flag=True), TABLE).names == ("a", "b", "same", "city_missing")


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            Features(np.array([[np.nan, 1], [2, 3]]), ("a", "a_missing")),
            "there is a column 'a_missing' already; rename it",
        ),
        (IMAGES, "pixels have no columns"),
    ],
)
def test_flags_that_cannot_be_set_say_why(features: Features, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make("impute", flag=True).fit(features)


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -3.3e-7])
def test_a_constant_column_becomes_zero_despite_rounding(value: float) -> None:
    got = fit_apply(make("standardize"), Features(np.full((1000, 1), value), ("a",))).numbers
    assert np.abs(got).max() <= 1e-6


def test_standardize_measures_more_rows_than_one_portion() -> None:
    x = np.random.Generator(np.random.PCG64(0)).normal(100, 3, (10000, 2))
    state = make("standardize").fit(Features(x, ("a", "b")))
    assert np.allclose(state["shift"], x.mean(axis=0), rtol=1e-13) and np.allclose(
        state["unit"], x.std(axis=0), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("strategy", "fill"), [("mean", [3, 16 / 3]), ("median", [3, 4]), ("constant", [0, 0])]
)
def test_impute_fills_numbers(strategy: str, fill: list[float]) -> None:
    got = fit_apply(make("impute", strategy=strategy), GAPS).numbers
    assert [got[2, 0], got[0, 1]] == pytest.approx(fill)
    assert np.array_equal(got[[0, 1, 3], 0], [1, 3, 5])


@pytest.mark.parametrize(
    ("strategy", "filled"), [("most_frequent", "O"), ("constant", "missing"), ("mean", None)]
)
def test_impute_fills_texts(strategy: str, filled: str | None) -> None:
    column = fit_apply(make("impute", strategy=strategy), GAPS).categories["city"]
    assert len({*column.values}) == len(column.values)
    assert [None if code == MISSING else column.values[code] for code in column.codes] == [
        "O",
        filled,
        "O",
        "B",
    ]


def test_one_hot_learns_the_values_of_the_training_rows_and_names_its_columns() -> None:
    assert fit_apply(make("one_hot"), TABLE).names == ("a", "b", "same", "city=Bern", "city=Oslo")
    assert fit_apply(make("one_hot"), TABLE.take(np.array([1]))).names[3:] == ("city=Bern",)


def test_an_unseen_category_is_zeros_and_one_counted_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transform = make("one_hot")
    new = Features(
        np.zeros((3, 3)), TABLE.names, {"city": Category(np.array([0, 1, 1]), ("Oslo", "Rome"))}
    )
    with caplog.at_level(logging.WARNING):
        got = transform.apply(new, transform.fit(TABLE)).numbers
    assert got[:, 3:].tolist() == [[0, 1], [0, 0], [0, 0]]
    assert [record.getMessage() for record in caplog.records] == [
        "categories not seen in training are encoded as zeros: city 'Rome' (2 rows)"
    ]


def test_codes_are_those_of_scikit_learn_and_tell_missing_from_unseen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    transform = make("ordinal")
    state = transform.fit(TABLE)
    new = Category(np.array([2, 0, MISSING, 1]), ("Bern", "Rome", "Oslo"))
    with caplog.at_level(logging.WARNING):
        found = transform.apply(Features(np.zeros((4, 0)), (), {"city": new}), state)
    # OrdinalEncoder().fit([["Oslo"], ["Bern"]]) has Oslo 1 and Bern 0
    assert found.codes["city"].codes.tolist() == [1, 0, 2, 3]
    assert found.codes["city"].cardinality == 4 and not found.categories
    assert [record.getMessage() for record in caplog.records] == [
        "categories not seen in training share one code: city 'Rome' (1 row)"
    ]


@pytest.mark.parametrize("name", EXPECTED)
def test_no_transform_touches_codes(name: str) -> None:
    fields, features, _ = EXPECTED[name]
    if "city" in fields.get("columns", ()) or name == "impute":
        fields, features = {"columns": ["a"]}, Features(GAPS.numbers[[0, 1, 3]], GAPS.names)
    if name in ("drop", "hash_words"):
        texts = features.categories | {"city": TABLE.categories["city"]}
        features = Features(TABLE.numbers, TABLE.names, texts)
        fields = {"columns": ["city"]}
    codes = {"other": Codes(np.array([0, 4, 3]), 5)}
    found = fit_apply(make(name, **fields), replace(features, codes=codes))
    assert found.codes["other"] is codes["other"]


def test_columns_of_more_values_than_the_largest_size_are_left_to_the_next_transform() -> None:
    city = TABLE.categories["city"]
    texts = {"city": city, "one": Category(np.array([0, 0, MISSING]), ("x", "unused"))}
    features = Features(TABLE.numbers, TABLE.names, texts)
    found = fit_apply(make("one_hot", max_size=1), features)
    assert found.names == (*TABLE.names, "one=x") and list(found.categories) == ["city"]
    assert fit_apply(make("one_hot", max_size=2), features).categories == {}
    both = fit_apply(make("ordinal"), found)
    assert both.matrix.shape == (3, 5) and list(both.codes) == ["city"]


@pytest.mark.parametrize("name", EXPECTED)
def test_an_unknown_column_is_named_with_a_suggestion(name: str) -> None:
    with pytest.raises(
        ConfigError,
        match=rf"{name}\.columns: no column ('samee'|'citi'; did you mean 'city')",
    ):
        of_texts = name in ("one_hot", "ordinal", "rare_categories", "target_statistics")
        columns = {"columns": ["citi" if of_texts else "samee"]}
        make(name, **EXPECTED[name][0] | columns).fit_to_target(TABLE, Target(np.zeros((3, 1))))


NO_NUMBER = Features(np.full((3, 1), np.nan), ("age",))
NO_TEXT = Features(np.zeros((2, 0)), (), {"city": Category(np.array([-1, -1]), ())})
BAD = {
    "a column that is all missing": (
        "impute",
        {},
        NO_NUMBER,
        "column 'age': missing in all 3 training rows.*`ignore`",
    ),
    "texts that are all missing": (
        "impute",
        {"strategy": "most_frequent"},
        NO_TEXT,
        "column 'city': missing in all 2",
    ),
    "more values than a category has": (
        "one_hot",
        {"most_values": 1},
        TABLE,
        "column 'city' has 2 distinct values; leave it out",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_learned_says_why(case: str) -> None:
    name, fields, features, message = BAD[case]
    with pytest.raises(DataError, match=message):
        make(name, **fields).fit(features)


@pytest.mark.parametrize(
    "mapping",
    [
        {"type": "minmax", "low": 1, "high": 1},
        {"type": "scale", "divide_by": 0},
        {"type": "impute", "strategy": "mode"},
        {"type": "clip"},
        {"type": "clip", "low": 2, "high": 2},
        {"type": "quantile", "quantiles": 1},
        {"type": "quantile", "to": "gaussian"},
        {"type": "scale", "by": 2},
        {"type": "smooth_clip", "bound": 0},
        {"type": "piecewise_linear", "bins": 1},
        {"type": "piecewise_linear", "knots": "forest"},
        {"type": "target_statistics", "folds": 1},
        {"type": "target_statistics", "smoothing": -1},
        {"type": "rare_categories", "min_count": 0},
        {"type": "one_hot", "max_size": 0},
    ],
)
def test_fields_out_of_bounds_are_refused(mapping: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Transform.parse(mapping)
