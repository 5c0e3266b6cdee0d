import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.component import adapter
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.split import ALL_ROWS, RowRanges, Split, check_split
from nettrain.data.split_rows import _nearest, limit_rows, split_rows
from nettrain.data.target import Target
from nettrain.errors import ConfigError, DataError, NettrainError


def dataset(codes: list[int] | np.ndarray, **keys: object) -> Dataset:
    codes = np.asarray(codes)
    classes = tuple(f"class {i}" for i in range(codes.max() + 1))
    return Dataset(
        Features(np.zeros((len(codes), 1)), ("a",)),
        Target(codes, classes=classes),
        origin="t.csv",
        **keys,
    )


shares = st.sampled_from([(0.2, 0.2), (0.25, 0.0), (0.0, 0.5), (0.1, 0.3), (0.45, 0.4)])


@given(rows=st.integers(10, 300), share=shares, seed=st.integers(0, 2**32))
def test_split_is_a_partition(rows: int, share: tuple[float, float], seed: int) -> None:
    parts = split_rows(
        dataset(np.zeros(rows, int)), Split(validation=share[0], test=share[1]), seed
    )
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(rows))
    for part, wanted in zip(("validation", "test"), share, strict=True):
        assert abs(len(parts.get(part, [])) - wanted * rows) <= 0.5
    assert all((np.diff(found) > 0).all() for found in parts.values())


@given(
    sizes=st.lists(st.integers(2, 60), min_size=2, max_size=6),
    share=shares,
    seed=st.integers(0, 99),
)
def test_stratified_parts_keep_every_class_within_one_row(
    sizes: list[int], share: tuple[float, float], seed: int
) -> None:
    codes = np.random.Generator(np.random.PCG64(seed)).permutation(
        np.repeat(np.arange(len(sizes)), sizes)
    )
    try:
        parts = split_rows(
            dataset(codes), Split(validation=share[0], test=share[1], stratify=True), seed
        )
    except DataError as error:
        assert "is none" in str(error)
        return
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(codes)))
    for part, wanted in zip(("validation", "test"), share, strict=True):
        counts = np.bincount(codes[parts.get(part, np.arange(0))], minlength=len(sizes))
        assert (np.abs(counts - wanted * np.array(sizes)) < 1).all()


@pytest.mark.parametrize(("sizes", "fraction", "expected"), [
    ([50, 30, 21], 0.2, [10, 6, 4]),
    ([11, 4, 5], 0.25, [3, 1, 1]),
    ([5, 4, 11], 0.25, [1, 1, 3]),
])  # fmt: skip
def test_stratified_counts_equal_the_largest_remainders(sizes, fraction, expected) -> None:
    codes = np.repeat([0, 1, 2], sizes)
    test = split_rows(dataset(codes), Split(test=fraction, stratify=True), 0)["test"]
    assert np.bincount(codes[test]).tolist() == expected


@pytest.mark.parametrize(("test", "validation", "left"), [
    (0.45, 0.4, [1, 1, 6]),
    (0.45, 0.5, [1, 1, 2]),  # one row for each of three parts is more than there are
    (0.8, 0.0, [1, 1, 8]),
])  # fmt: skip
def test_a_class_of_two_rows_keeps_one_to_train_on(test, validation, left) -> None:
    codes = np.repeat([0, 1, 2], [2, 2, 40])
    parts = split_rows(dataset(codes), Split(test=test, validation=validation, stratify=True), 0)
    assert np.bincount(codes[parts["train"]]).tolist() == left


def test_classes_have_the_same_fraction_of_each_part_where_a_class_cannot_give_its_own() -> None:
    codes = np.repeat([0, 1, 2], [2, 40, 58])
    parts = split_rows(dataset(codes), Split(test=0.9, stratify=True), 0)
    assert np.bincount(codes[parts["test"]]).tolist() == [1, 36, 53]


def test_of_equal_remainders_the_first_classes_have_the_row() -> None:
    sizes = np.tile([5, 8, 2], 20)  # 0.5, 0.8 and 0.2 rows of each, 30 in all
    codes = np.repeat(np.arange(60), sizes)
    test = split_rows(dataset(codes), Split(test=0.1, stratify=True), 0)["test"]
    assert np.bincount(codes[test], minlength=60).tolist() == [1, 1, 0] * 10 + [0, 1, 0] * 10


def test_stratified_rows_that_are_all_assigned_stay_as_they_are() -> None:
    part = np.array([0, 0, PARTS.index("test")])
    rows = split_rows(dataset([0, 1, 1], part=part), Split(stratify=True), 0)
    assert {name: found.tolist() for name, found in rows.items()} == {"train": [0, 1], "test": [2]}


def test_a_limit_is_drawn_for_each_part_by_itself() -> None:
    kept = limit_rows({part: np.arange(100) for part in PARTS}, 60, 0)
    drawn = [tuple(kept[part]) for part in PARTS]
    assert len({*drawn}) == 3


@pytest.mark.parametrize(("sizes", "total", "most", "taken"), [
    ([9, 1], 5, 2, [True, False]),  # 9 is nearer to 5 than nothing
    ([4, 2], 2, 2, [False, True]),  # 4 is as far from 2 as nothing
    ([9, 5], 1, 2, [False, True]),  # neither is nearer: the smallest
    ([1, 1, 1], 3, 2, [True, True, False]),
])  # fmt: skip
def test_a_group_is_taken_where_it_brings_the_size_nearer(sizes, total, most, taken) -> None:
    assert _nearest(np.array(sizes), total, most).tolist() == taken


def test_all_groups_but_those_that_other_parts_need_may_be_taken() -> None:
    parts = split_rows(grouped([1] * 10), Split(test=0.1, validation=0.8, group="who"), 0)
    assert {part: len(rows) for part, rows in parts.items()} == {
        "train": 1,
        "validation": 8,
        "test": 1,
    }


def test_split_depends_on_the_seed_alone() -> None:
    rows = [
        split_rows(dataset(np.zeros(100, int)), Split(test=0.3), seed)["test"] for seed in (1, 1, 2)
    ]
    assert np.array_equal(rows[0], rows[1]) and not np.array_equal(rows[0], rows[2])


def test_a_split_without_shares_trains_on_everything() -> None:
    assert list(split_rows(dataset([0, 1, 0]), Split(), 0)) == ["train"]


def test_predefined_rows_stay_and_fractions_divide_the_others() -> None:
    part = np.array([UNASSIGNED] * 80 + [PARTS.index("test")] * 20)
    rows = split_rows(dataset(np.zeros(100, int), part=part), Split(validation=0.25), 0)
    assert rows["test"].tolist() == list(range(80, 100))
    assert len(rows["validation"]) == 20 and rows["validation"].max() < 80


def test_row_ranges_are_taken_as_they_stand() -> None:
    rows = split_rows(
        dataset(np.zeros(10, int)), Split(rows=RowRanges(train=(2, 6), test=(6, 9))), 0
    )
    assert {part: found.tolist() for part, found in rows.items()} == {
        "train": [2, 3, 4, 5],
        "test": [6, 7, 8],
    }


def test_a_split_column_assigns_every_row() -> None:
    column = Category(np.array([1, 0, 1, 2]), ("test", "train", "validation"))
    rows = split_rows(
        dataset([0, 1, 0, 1], extra_columns={"part": column}), Split(column="part"), 0
    )
    assert {part: found.tolist() for part, found in rows.items()} == {
        "train": [0, 2],
        "test": [1],
        "validation": [3],
    }


@given(sizes=st.lists(st.integers(1, 80), min_size=1, max_size=3), limit=st.integers(3, 100))
def test_limit_keeps_the_share_of_each_part_and_the_order(sizes: list[int], limit: int) -> None:
    rows = {part: np.arange(size) * 2 for part, size in zip(PARTS, sizes, strict=False)}
    kept = limit_rows(rows, limit, 0)
    total = sum(sizes)
    for part, found in rows.items():
        assert set(kept[part]) <= set(found) and (np.diff(kept[part]) > 0).all()
        assert (
            len(kept[part]) == len(found)
            if limit >= total
            else abs(len(kept[part]) - len(found) * limit / total) <= 1
        )
    if limit < total and min(sizes) * limit >= total:
        assert sum(map(len, kept.values())) == limit


EXTRA = {"part": Category(np.array([0, 1, -1]), ("train", "tset"))}
ALL_TEST = {"part": Category(np.array([0, 0]), ("test",))}
PREDEFINED = np.array([UNASSIGNED, UNASSIGNED, PARTS.index("test")])
BAD = {
    "one row of a class": (
        dataset([0, 0, 0, 1]),
        Split(test=0.5, stratify=True),
        "t.csv: row 3: class 'class 1' has one row",
        "merge it with another",
    ),
    "predefined and asked for": (
        dataset([0, 1, 0], part=PREDEFINED),
        Split(test=0.5),
        "dataset.split.test: t.csv has a predefined test part",
        "leave this key out",
    ),
    "predefined and a range": (
        dataset([0, 1, 0], part=PREDEFINED),
        Split(rows=RowRanges(train=(0, 1), test=(1, 2))),
        "dataset.split.test",
        "leave this key out",
    ),
    "an empty part": (
        dataset([0, 1, 0, 1]),
        Split(validation=0.05),
        "0.05 of 4 rows is none",
        "make the fraction larger",
    ),
    "an empty range": (
        dataset([0, 1, 0]),
        Split(rows=RowRanges(train=(2, 2))),
        "dataset.split.rows.train: [2, 2] holds no rows",
        "below",
    ),
    "a range too long": (
        dataset([0, 1, 0]),
        Split(rows=RowRanges(train=(0, 9))),
        "[0, 9] ends beyond the 3 rows",
        "rows.train",
    ),
    "ranges that overlap": (
        dataset([0, 1, 0]),
        Split(rows=RowRanges(train=(0, 2), test=(1, 3))),
        "[1, 3] overlaps",
        "rows.test",
    ),
    "an unknown part": (
        dataset([0, 1, 0], extra_columns=EXTRA),
        Split(column="part"),
        "t.csv: row 1: split column 'part'",
        "'tset'; did you mean 'test'?",
    ),
    "a missing part": (
        dataset([0, 1], extra_columns={"part": Category(np.array([0, MISSING]), ("train",))}),
        Split(column="part"),
        "t.csv: row 1: split column 'part'",
        "got ''",
    ),
    "no such column": (
        dataset([0, 1, 0]),
        Split(column="part"),
        "dataset.split.column: t.csv has no column 'part'",
        "csv, parquet",
    ),
    "no such time": (
        dataset([0, 1, 0]),
        Split(time="when"),
        "dataset.split.time: t.csv has no column 'when'",
        "csv, parquet",
    ),
    "nothing to train on": (
        dataset([0, 1], extra_columns=ALL_TEST),
        Split(column="part"),
        "no rows are left to train on",
        "test 2",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_split_that_cannot_be_says_why(case: str) -> None:
    data, split, problem, remedy = BAD[case]
    with pytest.raises(NettrainError) as caught:
        split_rows(data, split, 0)
    assert problem in str(caught.value) and remedy in str(caught.value)


def test_stratify_without_classes_is_refused() -> None:
    numbers = Dataset(Features(np.zeros((4, 1)), ("a",)), Target(np.arange(4.0)[:, np.newaxis]))
    with pytest.raises(ConfigError, match="only classes have proportions"):
        split_rows(numbers, Split(test=0.5, stratify=True), 0)


CONTRADICTIONS = {
    "shares above one": (Split(validation=0.5, test=0.5), (), "keep the sum below 1"),
    "shares and ranges": (
        Split(test=0.1, rows=RowRanges(train=(0, 5))),
        (),
        "cannot be used together",
    ),
    "shares and column": (Split(test=0.1, column="part"), (), "cannot be used together"),
    "a share and a source": (
        Split(test=0.1),
        ("test",),
        "dataset.split.test: test_source is given too",
    ),
    "a range and a source": (
        Split(rows=RowRanges(train=(0, 5), validation=(5, 6))),
        ("validation",),
        "validation_source is given too",
    ),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_keys_that_contradict_each_other_are_refused(case: str) -> None:
    split, separate, message = CONTRADICTIONS[case]
    with pytest.raises(ConfigError, match=message):
        check_split(split, separate)


def test_a_split_reads_from_yaml() -> None:
    read = adapter(Split).validate_python({"rows": {"train": [0, 10], "test": [10, 12]}})
    assert read == Split(rows=RowRanges(train=(0, 10), test=(10, 12)))


def test_none_is_a_split_of_all_rows_and_stands_in_the_schema() -> None:
    assert adapter(Split).validate_python("none") == ALL_ROWS
    schema = adapter(Split).json_schema()
    assert schema["anyOf"][0] == {"const": "none"} and "$ref" in schema["anyOf"][1]


def grouped(sizes: list[int], **keys: object) -> Dataset:
    """Rows of as many groups, in turn as the sizes say."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return dataset(
        np.zeros(len(codes), int),
        extra_columns={"who": Category(codes, tuple(map(str, range(len(sizes)))))},
        **keys,
    )


@given(
    sizes=st.lists(st.integers(1, 30), min_size=3, max_size=40),
    share=shares,
    seed=st.integers(0, 99),
)
def test_no_group_is_in_two_parts_and_shares_are_met_within_a_group(
    sizes: list[int], share: tuple[float, float], seed: int
) -> None:
    found = grouped(sizes)
    parts = split_rows(found, Split(validation=share[0], test=share[1], group="who"), seed)
    codes = found.extra_columns["who"].codes
    assert np.array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(codes)))
    groups = [set(codes[rows].tolist()) for rows in parts.values()]
    assert len(set.union(*groups)) == sum(map(len, groups)) == len(sizes)
    if len(sizes) >= 10:
        assert abs(len(parts.get("test", [])) - share[1] * len(codes)) <= max(sizes)
        assert abs(len(parts.get("validation", [])) - share[0] * len(codes)) <= 2 * max(sizes)


def test_many_small_groups_meet_the_shares_nearly() -> None:
    parts = split_rows(grouped([3, 5, 4, 2] * 50), Split(validation=0.2, test=0.1, group="who"), 0)
    assert {part: len(rows) for part, rows in parts.items()} == pytest.approx(
        {"train": 490, "validation": 140, "test": 70}, abs=3
    )


def test_groups_are_divided_by_the_seed_alone() -> None:
    split = Split(test=0.3, group="who")
    rows = [split_rows(grouped([5] * 20), split, seed)["test"].tolist() for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]


def test_as_many_groups_as_parts_leave_one_each() -> None:
    parts = split_rows(grouped([50, 1, 1]), Split(validation=0.1, test=0.1, group="who"), 0)
    assert sorted(map(len, parts.values())) == [1, 1, 50]


BAD_GROUPS = {
    "too few groups": (
        grouped([50, 50]),
        Split(test=0.2, validation=0.2, group="who"),
        "'who' has 2 groups for 3 parts",
        "another column",
    ),
    "one group": (
        grouped([50]),
        Split(test=0.2, group="who"),
        "'who' has 1 group for 2 parts",
        "leave out test",
    ),
    "a missing group": (
        dataset([0, 1], extra_columns={"who": Category(np.array([0, MISSING]), ("a",))}),
        Split(test=0.5, group="who"),
        "t.csv: row 1: the group 'who' is missing",
        "fill it in",
    ),
    "no such column": (
        dataset([0, 1]),
        Split(test=0.5, group="who"),
        "dataset.split.group: t.csv has no column 'who'",
        "csv, parquet",
    ),
}


@pytest.mark.parametrize("case", BAD_GROUPS)
def test_groups_that_cannot_be_divided_say_why(case: str) -> None:
    data, split, problem, remedy = BAD_GROUPS[case]
    with pytest.raises(NettrainError) as caught:
        split_rows(data, split, 0)
    assert problem in str(caught.value) and remedy in str(caught.value)


RANGES = RowRanges(train=(0, 1))


@pytest.mark.parametrize(("key", "named", "others"), [
    ("group", "groups, and stratify", [{"stratify": True}, {"column": "part"}, {"rows": RANGES}]),
    ("time", "time, and stratify, groups", [{"stratify": True}, {"column": "part"}, {"rows": RANGES}, {"group": "who"}]),
    ("column", "a split column, and fractions", [{"stratify": True}, {"test": 0.1}, {"rows": RANGES}]),
    ("file", "rows from a file, and fractions", [{"stratify": True}, {"test": 0.1}, {"rows": RANGES}]),
])  # fmt: skip
def test_ways_to_divide_exclude_each_other(key: str, named: str, others: list[dict]) -> None:
    check_split(Split(**{key: "a"}), ())
    for other in others:
        with pytest.raises(
            ConfigError, match=rf"dataset.split.{key}: {named}.*leave one of them out"
        ):
            check_split(Split(**{key: "a"}, **other), ())


@pytest.mark.parametrize(
    "keys",
    [{"group": "a", "column": "b"}, {"time": "a", "column": "b"}, {"time": "a", "group": "b"}],
)
def test_with_a_file_columns_that_divide_rows_are_only_named(keys: dict[str, str]) -> None:
    check_split(Split(file="splits.npz", **keys), ())


def test_row_ranges_exclude_a_stratified_split() -> None:
    with pytest.raises(ConfigError, match=r"dataset\.split\.rows: row ranges and fractions"):
        check_split(Split(rows=RANGES, stratify=True), ())
