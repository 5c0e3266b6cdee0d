"""Weights of rows from every kind of source, weights of classes, and what a part makes of both."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nettrain.data.arrays import weights_from
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.features import Features
from nettrain.data.loader import Loader
from nettrain.data.prepare import prepare
from nettrain.data.source import Source
from nettrain.data.split import RowRanges, Split
from nettrain.data.target import Target
from nettrain.data.weights import ClassWeights, settle_class_weights
from nettrain.errors import ConfigError, DataError

MEMORY = Source.parse("memory")

X, Y, W = np.arange(8.0).reshape(4, 2), np.array([0, 1, 1, 1]), np.array([0.5, 0.0, 2.0, 1.0])
TABLE = "w,a,b,kind\n0.5,1,2,x\n0,3,4,y\n2,5,6,y\n1,7,8,y\n"


@pytest.fixture
def table(tmp_path):
    def write(text, **fields):
        (tmp_path / "table.csv").write_text(text)
        return Source.parse(
            {
                "type": "csv",
                "path": str(tmp_path / "table.csv"),
                "target": "kind",
                "weights": "w",
                **fields,
            }
        )

    return write


def of_classes(codes, names, weights=None):
    return Dataset(
        Features(np.zeros((len(codes), 1)), ("x",)),
        Target(np.array(codes), ("kind",), names),
        weights=weights,
    )


@pytest.mark.parametrize("fields", [{}, {"weights": 0}, {"features": ["a", "b"]}])
def test_a_column_of_weights_is_no_feature(table, fields):
    dataset = table(TABLE, **fields).load(0)
    assert dataset.weights.tolist() == W.tolist()
    assert dataset.features.names == ("a", "b")


def test_weights_follow_their_rows(table):
    found = prepare(
        DatasetConfig(
            source=table(TABLE),
            split=Split(rows=RowRanges(train=(2, 4), validation=(0, 2))),
            transforms=[],
        )
    )
    assert [found.parts[part].weights.tolist() for part in ("train", "validation")] == [
        [2.0, 1.0],
        [0.5, 0.0],
    ]
    assert found.parts["train"].x.tolist() == [[5, 6], [7, 8]]


def test_rows_without_weights_have_none(table):
    assert (
        prepare(DatasetConfig(source=table(TABLE, weights=[], ignore="w"), transforms=[]))
        .parts["train"]
        .weights
        is None
    )


def test_arrays_bring_their_weights(tmp_path):
    np.savez(tmp_path / "all.npz", x=X, y=Y, importance=W, xt=X[:2], yt=Y[:2], wt=W[:2])
    for name, array in (("x", X), ("y", Y), ("w", W)):
        np.save(tmp_path / f"{name}.npy", array)
    npz = {"type": "npz", "path": str(tmp_path / "all.npz"), "weights": "importance"}
    assert Source.parse(npz).load(0).weights.tolist() == W.tolist()
    assert Source.parse(npz | {"x_test": "xt", "y_test": "yt"}).load(0).weights.tolist() == [
        *W,
        1,
        1,
    ]
    assert Source.parse(npz | {"x_test": "xt", "y_test": "yt", "weights_test": "wt"}).load(
        0
    ).weights.tolist() == [*W, *W[:2]]
    npy = {"type": "npy", "path": "x.npy", "target": "y.npy", "weights": "w.npy"}
    assert Source.parse(npy).absolute(tmp_path).load(0).weights.tolist() == W.tolist()
    assert (
        prepare(DatasetConfig(source=MEMORY, transforms=[]), data=(X, Y, W))
        .parts["train"]
        .weights.tolist()
        == W.tolist()
    )


def test_data_with_other_weights_has_another_fingerprint():
    prints = [
        prepare(DatasetConfig(source=MEMORY, transforms=[]), data=data).fingerprint
        for data in ((X, Y), (X, Y, W), (X, Y, W + 1))
    ]
    assert len(set(prints)) == 3


def test_another_file_may_lack_the_weights(table, tmp_path):
    source = table(TABLE)
    schema = prepare(DatasetConfig(source=source, transforms=[])).pipeline.schema
    (tmp_path / "with.csv").write_text("a,b,kind,w\n1,2,y,3\n")
    (tmp_path / "without.csv").write_text("a,b,kind\n1,2,y\n")
    again = {
        name: source.with_path(tmp_path / name).load_for(schema, with_target=True)
        for name in ("with.csv", "without.csv")
    }
    assert again["with.csv"].weights.tolist() == [3.0]
    assert again["without.csv"].weights is None
    assert (
        source.with_path(tmp_path / "with.csv").load_for(schema, with_target=False).weights is None
    )
    np.savez(tmp_path / "bare.npz", x=X, y=Y)
    assert (
        Source.parse({"type": "npz", "path": "p.npz", "weights": "w"})
        .with_path(tmp_path / "bare.npz")
        .weights
        is None
    )


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        (
            TABLE,
            {"weights": "wait"},
            "table.csv:1: weights: no column 'wait' (there are: w, a, b, kind)",
        ),
        (
            TABLE,
            {"weights": "ww"},
            "table.csv:1: weights: no column 'ww'; did you mean 'w'? (there are: w, a, b, kind)",
        ),
        (TABLE, {"weights": 9}, "table.csv: weights: there is no column 9, the columns are 0 to 3"),
        (
            TABLE,
            {"weights": "kind"},
            "column 'kind' is named under two of `target`, `features`, `ignore` and `weights`; name it once",
        ),
        (
            TABLE.replace("\n2,", "\n-2,"),
            {},
            "table.csv:4: weights column 'w': the weight is -2, and must be a finite number of 0 or more",
        ),
        (
            TABLE.replace("\n2,", "\n,"),
            {},
            "table.csv:4: weights column 'w': the weight is missing or NaN, and must be a finite number",
        ),
        (TABLE.replace("\n2,", "\nmuch,"), {}, "table.csv:4: column 'w'"),
        (
            "w,a,kind\n0,1,x\n0,2,y\n",
            {},
            "weights column 'w': every weight is 0, so no row would count",
        ),
    ],
)
def test_weights_that_cannot_be_are_told_with_their_place(table, text, fields, message):
    with pytest.raises(DataError) as raised:
        table(text, **fields).load(0)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), "weights: expected a weight for each of the 4 rows, got the shape (3,)"),
        (
            np.ones((4, 2)),
            "weights: expected a weight for each of the 4 rows, got the shape (4, 2)",
        ),
        (["a", "b", "c", "d"], "weights: expected numbers as row weights, got an array of <U1"),
        (
            [1, 2, -1, 3],
            "weights: row 2: the weight is -1, and must be a finite number of 0 or more; 0 leaves the row out of the loss",
        ),
        (
            [1, np.inf, 1, 3],
            "weights: row 1: the weight is inf, and must be a finite number of 0 or more",
        ),
        (
            [np.nan, 1, 1, 3],
            "weights: row 0: the weight is missing or NaN, and must be a finite number of 0 or more",
        ),
        (
            [0, 0, 0, 0],
            "weights: every weight is 0, so no row would count; give the rows that count a weight above 0",
        ),
    ],
)
def test_arrays_of_weights_that_cannot_be_are_refused(weights, message):
    with pytest.raises(DataError) as raised:
        prepare(DatasetConfig(source=MEMORY), data=(X, Y, weights))
    assert str(raised.value).startswith(message)


def test_a_column_of_weights_may_have_two_axes_and_any_kind_of_number():
    assert weights_from(np.array([[1], [2]], dtype=np.uint8), 2).tolist() == [1.0, 2.0]
    assert weights_from([True, False], 2).dtype == np.float64


def test_data_of_four_arrays_is_refused():
    with pytest.raises(
        DataError, match=r"data: expected \(x, y\) or \(x, y, weights\), got 4 arrays"
    ):
        prepare(DatasetConfig(source=MEMORY), data=(X, Y, W, W))


def test_balanced_classes_count_the_same_in_all():
    """scikit-learn's compute_class_weight("balanced") of 1, 2 and 5 rows: n / (k n_c)."""
    codes = np.repeat([0, 1, 2], [1, 2, 5])
    weights = settle_class_weights("balanced", of_classes(codes, ("a", "b", "c")))
    assert weights == pytest.approx({"a": 8 / 3, "b": 4 / 3, "c": 8 / 15})
    own = np.arange(1.0, 9.0)
    weights = settle_class_weights("balanced", of_classes(codes, ("a", "b", "c"), own))
    sums = [own[codes == code].sum() * weights[name] for code, name in enumerate("abc")]
    assert sums == pytest.approx([own.sum() / 3] * 3)


def test_a_class_without_training_rows_weighs_1_and_does_not_count():
    assert settle_class_weights("balanced", of_classes([0, 0, 2, 2], ("a", "b", "c"))) == {
        "a": 1.0,
        "b": 1.0,
        "c": 1.0,
    }


def test_row_and_class_weights_multiply():
    parts = prepare(
        DatasetConfig(source=MEMORY, transforms=[]),
        data=(X, np.array(["n", "y", "y", "y"]), W),
        class_weights={"y": 3.0},
    ).parts
    assert parts["train"].weights.tolist() == [0.5, 0.0, 6.0, 3.0]


def test_classes_that_are_numbers_are_named_by_them():
    adapter = TypeAdapter(ClassWeights)
    given = adapter.validate_python({0: 1, 1: 2.5})
    assert given == {"0": 1.0, "1": 2.5}
    assert (
        prepare(
            DatasetConfig(source=MEMORY, transforms=[]), data=(X, Y), class_weights=given
        ).class_weights
        == given
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("balance", "expected balanced, or a mapping from class names to weights"),
        (2, "expected balanced, or a mapping from class names to weights"),
        ({}, "expected balanced, or a mapping from class names to weights"),
        ({"a": -1}, "expected a finite number of 0 or more as the weight of class 'a', got -1"),
        (
            {"a": float("nan")},
            "expected a finite number of 0 or more as the weight of class 'a', got nan",
        ),
        ({"a": "2"}, "expected a finite number of 0 or more as the weight of class 'a', got '2'"),
        ({True: 1}, "expected the name of a class, got True; put it in quotes"),
        ({"a": 0, "b": 0}, "expected a weight above 0 for one class at least"),
    ],
)
def test_class_weights_that_cannot_be_are_refused(value, message):
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(ClassWeights).validate_python(value)
    assert message in str(raised.value)


def test_a_class_that_does_not_exist_is_told_with_the_nearest():
    with pytest.raises(ConfigError) as raised:
        prepare(
            DatasetConfig(source=MEMORY),
            data=(X, np.array(["ham", "spam", "spam", "ham"])),
            class_weights={"sparm": 2.0},
        )
    assert (
        str(raised.value)
        == "training.class_weights: 'sparm' is no class of the target; did you mean 'spam'? (there are: ham, spam)"
    )


def test_numbers_have_no_class_weights():
    with pytest.raises(
        ConfigError,
        match=r"training.class_weights: only classes have weights, and the target is numbers",
    ):
        prepare(
            DatasetConfig(source=MEMORY),
            data=(X, np.array([0.1, 2.5, 3.5, 4.5])),
            class_weights="balanced",
        )


def test_a_part_whose_rows_all_weigh_nothing_is_refused():
    split = Split(rows=RowRanges(train=(0, 2), validation=(2, 4)))
    with pytest.raises(
        DataError, match=r"all 2 rows of one part have the weight 0, so its loss has no mean"
    ):
        prepare(
            DatasetConfig(source=MEMORY, split=split, transforms=[]),
            data=(X, np.array(["a", "b", "b", "b"])),
            class_weights={"b": 0.0},
        )


def test_a_file_gives_each_row_of_the_source_its_weight_times_its_own(table, tmp_path):
    np.save(tmp_path / "more.npy", [[1.0], [1], [2], [3]])
    found = load_data(
        DatasetConfig(
            source=table(TABLE),
            weights=str(tmp_path / "more.npy"),
            split=Split(rows=RowRanges(train=(2, 4), test=(0, 1))),
        ),
        0,
    )
    assert found.datasets["train"].weights.tolist() == [4.0, 3.0] and found.datasets[
        "test"
    ].weights.tolist() == [0.5]
    assert found.fingerprint != load_data(DatasetConfig(source=table(TABLE)), 0).fingerprint
    np.save(tmp_path / "sole.npy", [1.0, 2, 3, 4])
    assert load_data(
        DatasetConfig(source=table(TABLE, weights=[]), weights=str(tmp_path / "sole.npy")), 0
    ).datasets["train"].weights.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), "w.npy: expected a weight for each of the 4 rows, got the shape (3,)"),
        ([1, -1, 1, 1], "w.npy: row 1: the weight is -1"),
    ],
)
def test_a_file_of_weights_that_cannot_be_is_named(table, tmp_path, weights, message):
    np.save(tmp_path / "w.npy", weights)
    with pytest.raises(DataError) as raised:
        load_data(DatasetConfig(source=table(TABLE), weights=str(tmp_path / "w.npy")), 0)
    assert message in str(raised.value)
    with pytest.raises(DataError, match=r"gone\.npy: no such file"):
        load_data(DatasetConfig(source=table(TABLE), weights=str(tmp_path / "gone.npy")), 0)


def test_a_file_that_is_read_anew_is_not_what_a_loader_remembers(table, tmp_path):
    loader, path = Loader(), tmp_path / "w.npy"
    for value in (2.0, 5.0):
        np.save(path, np.full(4, value))
        assert (
            load_data(
                DatasetConfig(source=table(TABLE, weights=[], ignore="w"), weights=str(path)),
                0,
                loader=loader,
            )
            .datasets["train"]
            .weights[0]
            == value
        )
