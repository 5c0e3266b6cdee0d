"""Folds: sizes and shares as scikit-learn has them, no row or group twice, and what cannot be divided."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.target import Target
from nettrain.errors import NettrainError
from nettrain.inspection.statistics.corrected_t import estimate, t_quantile
from nettrain.search.cv.folds import assign

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "folds.json").read_text())


def dataset(codes, groups=None):
    codes = np.asarray(codes)
    extra_columns = (
        {}
        if groups is None
        else {"who": Category(np.asarray(groups), tuple(map(str, range(max(groups) + 1))))}
    )
    classes = tuple(f"class {code}" for code in range(codes.max() + 1))
    return Dataset(
        Features(np.zeros((len(codes), 1))),
        Target(codes, ("y",), classes),
        origin="t.csv",
        extra_columns=extra_columns,
    )


def numbers(rows):
    return Dataset(
        Features(np.zeros((rows, 1))), Target(np.zeros((rows, 1)), ("y",)), origin="t.csv"
    )


def sizes(found, folds):
    return np.bincount(found, minlength=folds).tolist()


@pytest.mark.parametrize(
    "case", GOLDEN["stratified"], ids=lambda case: f"{case['name']}, {case['folds']}"
)
def test_the_rows_of_each_class_in_each_fold_are_as_many_as_scikit_learn_s(case):
    codes = np.array(case["codes"])
    for seed in (0, 1):
        found = assign(dataset(codes), np.arange(len(codes)), case["folds"], seed=seed)
        assert [
            np.bincount(codes[found == fold], minlength=codes.max() + 1).tolist()
            for fold in range(case["folds"])
        ] == case["counts"]


@pytest.mark.parametrize(
    "case", GOLDEN["plain"], ids=lambda case: f"{case['rows']}, {case['folds']}"
)
def test_plain_folds_have_scikit_learn_s_sizes(case):
    assert (
        sizes(assign(numbers(case["rows"]), np.arange(case["rows"]), case["folds"]), case["folds"])
        == case["sizes"]
    )
    unstratified = assign(
        dataset(np.arange(case["rows"]) % 2), np.arange(case["rows"]), case["folds"], stratify=False
    )
    assert sizes(unstratified, case["folds"]) == case["sizes"]


@pytest.mark.parametrize(
    "case", GOLDEN["repeated"], ids=lambda case: f"{case['rows']}, {case['folds']}"
)
def test_repeated_folds_have_scikit_learn_s_sizes_and_other_rows_each_time(case):
    found = [
        assign(numbers(case["rows"]), np.arange(case["rows"]), case["folds"], repeat=repeat)
        for repeat in range(case["repeats"])
    ]
    assert [size for folds in found for size in sizes(folds, case["folds"])] == case["sizes"]
    assert not np.array_equal(found[0], found[1]) and not np.array_equal(found[1], found[2])


@pytest.mark.parametrize(
    "case", GOLDEN["grouped"], ids=lambda case: f"{case['name']}, {case['folds']}"
)
def test_grouped_folds_have_scikit_learn_s_sizes_and_no_group_twice(case):
    groups = np.array(case["groups"])
    found = assign(
        dataset(np.arange(len(groups)) % 2, case["groups"]),
        np.arange(len(groups)),
        case["folds"],
        group="who",
    )
    assert sizes(found, case["folds"]) == case["sizes"]
    assert all(len(set(found[groups == group])) == 1 for group in set(case["groups"]))


@given(
    counts=st.lists(st.integers(3, 40), min_size=1, max_size=5),
    folds=st.integers(2, 3),
    seed=st.integers(0, 2**32),
    drawn=st.data(),
)
def test_every_row_has_one_fold_and_classes_differ_by_one_row_at_most(counts, folds, seed, drawn):
    codes = np.array(
        drawn.draw(st.permutations(np.repeat(np.arange(len(counts)), counts).tolist()))
    )
    rows = (
        np.arange(len(codes))[::2]
        if all((codes[::2] == code).sum() >= folds for code in range(len(counts)))
        else np.arange(len(codes))
    )
    found = assign(dataset(codes), rows, folds, seed=seed)
    table = np.array(
        [np.bincount(codes[rows][found == fold], minlength=len(counts)) for fold in range(folds)]
    )
    assert found.shape == rows.shape and table.sum() == len(rows)
    assert (np.ptp(table, axis=0) <= 1).all() and np.ptp(table.sum(axis=1)) <= 1


@given(
    sizes_=st.lists(st.integers(1, 30), min_size=3, max_size=30),
    folds=st.integers(2, 3),
    seed=st.integers(0, 2**32),
)
def test_no_group_is_torn_apart_and_no_fold_is_empty(sizes_, folds, seed):
    groups = np.repeat(np.arange(len(sizes_)), sizes_)
    found = assign(
        dataset(groups % 2, groups.tolist()), np.arange(len(groups)), folds, group="who", seed=seed
    )
    assert all(len(set(found[groups == group])) == 1 for group in range(len(sizes_)))
    assert min(sizes(found, folds)) >= 1 and np.ptp(sizes(found, folds)) <= max(sizes_)


def test_folds_are_drawn_with_the_seed_alone():
    codes = np.arange(60) % 3
    found = [assign(dataset(codes), np.arange(60), 5, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])


GAP = Dataset(
    Features(np.zeros((2, 1))),
    None,
    origin="t.csv",
    extra_columns={"who": Category(np.array([0, MISSING]), ("a",))},
)
BAD = {
    "fewer rows of a class": (
        dataset([0, 0, 0, 0, 1, 1]),
        3,
        {},
        "class 'class 1' has 2 rows for 3 folds",
        "ask for 2 folds at most",
    ),
    "one row of a class": (
        dataset([0, 0, 0, 1]),
        2,
        {},
        "class 'class 1' has 1 row for 2 folds",
        "leave the class out",
    ),
    "fewer rows": (
        numbers(3),
        4,
        {},
        "t.csv: 3 rows cannot be divided into 4 folds",
        "ask for 3 at most",
    ),
    "fewer groups": (
        dataset([0, 1] * 4, [0, 0, 0, 1, 1, 1, 0, 0]),
        3,
        {"group": "who"},
        "'who' has 2 groups for 3",
        "ask for 2 folds",
    ),
    "one group": (
        dataset([0, 1], [0, 0]),
        2,
        {"group": "who"},
        "'who' has 1 group for 2 folds",
        "group by another column",
    ),
    "no such column": (
        dataset([0, 1]),
        2,
        {"group": "who"},
        "group 'who': t.csv has no such column",
        "csv, parquet",
    ),
    "a missing group": (
        GAP,
        2,
        {"group": "who"},
        "t.csv: row 1: the group 'who' is missing",
        "fill it in",
    ),
    "stratified numbers": (
        numbers(4),
        2,
        {"stratify": True},
        "--stratify: only classes have shares to keep",
        "leave it out",
    ),
    "stratified groups": (
        dataset([0, 1], [0, 1]),
        2,
        {"stratify": True, "group": "who"},
        "--group and --stratify cannot be used",
        "leave one",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_rows_that_cannot_be_divided_say_why(case):
    data, folds, arguments, problem, remedy = BAD[case]
    with pytest.raises(NettrainError) as caught:
        assign(data, np.arange(len(data)), folds, **arguments)
    assert problem in str(caught.value) and remedy in str(caught.value)


def test_a_class_that_is_absent_from_the_rows_is_none():
    assert sizes(assign(dataset([0, 1, 0, 1, 2]), np.arange(4), 2), 2) == [2, 2]


def test_rows_of_a_rare_class_are_divided_where_shares_may_vary():
    assert sizes(assign(dataset([0, 0, 0, 1]), np.arange(4), 2, stratify=False), 2) == [2, 2]


@pytest.mark.parametrize("case", GOLDEN["t"], ids=lambda case: f"{case['degrees']}, {case['p']}")
def test_quantiles_of_student_s_t_are_scipy_s(case):
    assert t_quantile(case["p"], case["degrees"]) == pytest.approx(case["t"], rel=1e-12)


def test_the_median_of_student_s_t_is_0():
    assert t_quantile(0.5, 4) == pytest.approx(0, abs=1e-15)


def test_the_interval_is_the_one_computed_by_hand():
    # s^2 = (0.01^2 + 0 + 0.01^2) / 2 = 1e-4, times 1/3 + 1/2; t of 2 degrees at 0.975: 4.3027
    found = estimate([0.89, 0.90, 0.91], test_share=1 / 2)
    half = 4.302652729911275 * (5 / 6 * 1e-4) ** 0.5
    assert found.mean == pytest.approx(0.9) and found.std == pytest.approx(0.01)
    assert found.interval == pytest.approx((0.9 - half, 0.9 + half))


def test_equal_scores_have_an_interval_of_no_width():
    found = estimate([0.5, 0.5], test_share=1.0)
    assert (found.mean, found.std, found.interval) == (0.5, 0.0, (0.5, 0.5))


@pytest.mark.parametrize(
    ("scores", "bounds", "interval"),
    [
        ([0.9, 1.0, 0.95], (0, 1), (0.7536, 1.0)),
        ([0.01, 0.2, 0.05], (0, np.inf), (0.0, 0.4801)),
        ([0.9, 1.0, 0.95], (-np.inf, np.inf), (0.7536, 1.1464)),
    ],
)
def test_an_interval_never_leaves_the_range_of_its_metric(scores, bounds, interval):
    found = estimate(scores, test_share=1 / 2, bounds=bounds).interval
    assert found == pytest.approx(interval, abs=1e-4)
