"""DataFrames in, labels out in the type in which they came: pandas, polars and pyarrow alike."""

import datetime

import numpy as np
import polars
import pytest

import nettrain
from nettrain.data.dataset_file import read_dataset, write_dataset
from nettrain.data.fingerprint import fingerprint
from nettrain.data.in_memory import dataset_in_memory, with_target
from nettrain.errors import ConfigError, DataError

pandas = pytest.importorskip("pandas")

CONFIG = {"name": "frame", "model": {"type": "mlp", "hidden": [4]}, "training": {"epochs": 2}}
ROWS = 40
COLUMNS = {
    "size": [None if i == 3 else i / 7 for i in range(ROWS)],
    "colour": [("red", "blue", None)[i % 3] for i in range(ROWS)],
    "small": [i % 4 == 0 for i in range(ROWS)],
    "count": [i % 5 for i in range(ROWS)],
    "label": [("no", "yes")[i % 2] for i in range(ROWS)],
}
FRAMES = {
    "pandas": lambda columns: pandas.DataFrame(columns),
    "pandas, own types": lambda columns: pandas.DataFrame(columns).convert_dtypes(),
    "pandas, objects": lambda columns: pandas.DataFrame(columns, dtype=object),
    "polars": lambda columns: polars.DataFrame(columns),
    "pyarrow": lambda columns: pytest.importorskip("pyarrow").table(columns),
}


@pytest.fixture(scope="module")
def csv_run(tmp_path_factory):
    """A run on the columns in a CSV file, and the file."""
    folder = tmp_path_factory.mktemp("frames")
    polars.DataFrame(COLUMNS).with_columns(polars.col("small").cast(int)).write_csv(
        folder / "frame.csv"
    )
    source = {"type": "csv", "path": str(folder / "frame.csv"), "target": "label"}
    result = nettrain.train(CONFIG | {"dataset": {"source": source}}, output_directory=folder)
    return result, folder


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_trains_and_predicts_bit_for_bit_like_its_csv_file(kind, csv_run, tmp_path):
    from_file, folder = csv_run
    frame = FRAMES[kind](COLUMNS)
    result = nettrain.train(CONFIG, frame, target="label", output_directory=tmp_path)
    assert result.metrics == from_file.metrics
    model, same = nettrain.load(result.run_directory), nettrain.load(from_file.run_directory)
    rows = same.read(folder / "frame.csv", with_target=False)
    assert np.array_equal(model.probabilities(frame), same.predictions_of(rows))
    reordered = FRAMES[kind](dict(reversed([*COLUMNS.items()])))
    assert np.array_equal(model.predict(reordered), model.predict(frame))
    assert model.evaluate(frame) == model.evaluate(frame, COLUMNS["label"])


LABELS = {
    "integers": [3, 7],
    "negative": [-1, 1],
    "booleans": [False, True],
    "floats": [1.0, 2.0],
    "strings": ["b", "a"],
    "digits as strings": ["0", "1"],
    "NumPy integers": np.array([3, 7], np.int8),
    "NumPy booleans": np.array([False, True]),
    "NumPy strings": np.array(["a", "b"]),
    "objects": np.array([5, 6], object),
    "objects, booleans": np.array([True, False], object),
}
NULLABLE = {int: "Int64", bool: "boolean", float: "Float64", str: "string"}
HOLDERS = {
    "list": list,
    "array": np.asarray,
    "series": pandas.Series,
    "nullable": lambda labels: pandas.Series(labels).astype(NULLABLE.get(type(labels[0]), object)),
    "categorical": lambda labels: pandas.Series(pandas.Categorical(labels)),
    "polars": lambda labels: polars.Series("y", list(labels)),
    "frame": lambda labels: pandas.DataFrame({"y": labels}),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("labels", LABELS)
def test_labels_survive_the_way_through_a_dataset_in_their_type(labels, holder, tmp_path):
    y = np.asarray(LABELS[labels])[np.arange(6) % 2]
    data = (np.arange(12.0).reshape(6, 2), HOLDERS[holder](y.tolist()))
    loaded = nettrain.data.loader.Loader().load(memory(), 0, data=data)
    back = loaded.schema.labels[loaded.dataset.target.values]
    assert back.tolist() == y.tolist() and {*map(type, back.tolist())} == {*map(type, y.tolist())}


def memory(**keys):
    from nettrain.data.dataset_config import DatasetConfig
    from nettrain.data.source import Source

    return DatasetConfig(source=Source.parse("memory"), **keys)


@pytest.mark.parametrize("labels", LABELS)
def test_a_loaded_model_predicts_labels_that_equal_those_of_training(labels, tmp_path):
    y = np.asarray(LABELS[labels])[np.arange(20) % 2]
    x = np.arange(20.0)[:, None] % 2
    config = CONFIG | {"training": {"epochs": 40}, "optimizer": {"type": "adam", "lr": 0.1}}
    result = nettrain.train(config, (x, y), output_directory=tmp_path)
    predicted = nettrain.load(result.run_directory).predict(x)
    assert (predicted == y).mean() == 1 and {*map(type, predicted.tolist())} == {
        *map(type, y.tolist())
    }


def frame(**columns):
    return polars.DataFrame({"size": [1.0, 2.0, 3.0]} | columns)


@pytest.mark.parametrize(("x", "said"), [
    (frame(day=[datetime.date(2026, 1, day) for day in (1, 2, 3)]), "'day' holds dates or times"),
    (frame(day=[datetime.timedelta(day) for day in (1, 2, 3)]), "'day' holds dates or times"),
    (frame(parts=[[1], [2], [3]]), "'parts' holds objects of type ndarray; expected numbers"),
    (pandas.DataFrame({"a": [1, "two", 3]}), r"'a' holds values of several kinds \(1, 'two'\)"),
    (pandas.DataFrame({"a": [object()] * 3}), "'a' holds objects of type object"),
    (pandas.DataFrame([[1, 2]] * 3, columns=["a", "a"]), "several columns are named 'a'"),
    (pandas.DataFrame({"a": []}), r"columns \(a\) and no rows in them"),
    (pandas.DataFrame(index=range(3)), "it has no columns to learn from"),
    (frame().lazy(), r"a lazy frame has no rows yet; call its collect\(\) first"),
    (np.array([["a"], ["b"], ["c"]]), "columns of strings come in a DataFrame"),
])  # fmt: skip
def test_what_cannot_be_learned_from_is_named(x, said):
    with pytest.raises(DataError, match=said):
        dataset_in_memory((x, [0, 1, 0]), autoencoder=False)


@pytest.mark.parametrize(("data", "target", "error", "said"), [
    (frame(), "sise", DataError, "data: target: no column 'sise'; did you mean 'size'"),
    ((np.ones(3), np.ones(3)), "size", ConfigError, "target: names columns of a DataFrame"),
    (frame(), None, DataError, "with a DataFrame that holds the target, name it"),
    ((frame(), frame()), None, DataError, "target 'size' is a column of x too"),
])  # fmt: skip
def test_a_target_that_is_not_there_is_named(data, target, error, said):
    with pytest.raises(error, match=said):
        dataset_in_memory(with_target(data, target), autoencoder=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    run = nettrain.train(
        CONFIG, polars.DataFrame(COLUMNS), target="label", output_directory=folder
    ).run_directory
    return nettrain.load(run)


@pytest.mark.parametrize(("changes", "said"), [
    ({"colour": None, "color": ["red"] * ROWS}, "missing 'colour'; did you mean 'color'"),
    ({"size": ["1"] * ROWS}, "column 'size': expected numbers, got strings such as '1'"),
])  # fmt: skip
def test_a_frame_that_does_not_fit_the_model_is_refused(model, changes, said):
    columns = {k: v for k, v in (COLUMNS | changes).items() if v is not None}
    with pytest.raises(DataError, match=said):
        model.predict(polars.DataFrame(columns))


def test_columns_that_the_model_does_not_know_are_passed_over(model):
    whole = polars.DataFrame(COLUMNS)
    extra = whole.with_columns(day=polars.lit(datetime.date(2026, 1, 1)))
    assert np.array_equal(model.predict(extra), model.predict(whole.drop("label")))


def test_a_column_of_strings_may_be_missing_in_every_row(model):
    columns = COLUMNS | {"colour": [None] * ROWS}
    kinds = [polars.DataFrame(columns), pandas.DataFrame(columns)]
    assert np.array_equal(*[model.probabilities(kind) for kind in kinds])


def test_arrays_for_a_model_with_columns_of_strings_are_refused(model):
    with pytest.raises(DataError, match="needs the strings of the columns colour: give it a DataF"):
        model.predict(np.ones((3, 4)))


def test_a_model_of_arrays_takes_the_columns_of_a_frame_in_their_order(tmp_path):
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    trained = nettrain.load(nettrain.train(CONFIG, (x, y), output_directory=tmp_path).run_directory)
    named = pandas.DataFrame(x, columns=["a", "b"])
    assert np.array_equal(trained.probabilities(named), trained.probabilities(x))


def test_a_column_of_a_frame_can_divide_its_rows(tmp_path):
    part = ["train", "train", "train", "validation"]
    whole = polars.DataFrame(COLUMNS | {"part": [part[i % 4] for i in range(ROWS)]})
    config = CONFIG | {"dataset": {"split": {"column": "part"}}}
    result = nettrain.train(config, whole, target="label", output_directory=tmp_path)
    assert {*result.metrics} == {"train", "validation"}
    assert "part" not in nettrain.load(result.run_directory).schema.texts


SEARCHES = {
    "cv": lambda frame, **keys: nettrain.cross_validate(
        CONFIG, frame, target="label", folds=2, group="count", **keys
    ),
    "ensemble": lambda frame, **keys: nettrain.ensemble(
        CONFIG | {"ensemble": {"members": 2}}, frame, target="label", **keys
    ),
    "sweep": lambda frame, **keys: nettrain.sweep(
        {
            "base": CONFIG,
            "method": "grid",
            "metric": {"name": "train_loss"},
            "parameters": {"optimizer.lr": {"values": [0.01, 0.1]}},
        },
        frame,
        target="label",
        **keys,
    ),
}
RESUMES = {
    "cv": nettrain.resume_cross_validation,
    "ensemble": nettrain.resume_ensemble,
    "sweep": nettrain.resume_sweep,
}


@pytest.mark.parametrize("kind", SEARCHES)
def test_searches_take_frames_and_resume_with_the_rows_that_they_kept(kind, tmp_path):
    keys = {"output_directory": tmp_path, "executor": "serial"}
    result = SEARCHES[kind](pandas.DataFrame(COLUMNS), **keys)
    resumed = RESUMES[kind](result.directory, executor="serial")
    if kind == "sweep":
        assert resumed.best == result.best
    else:
        assert resumed == result


def test_a_dataset_is_read_back_exactly_as_it_was_written(tmp_path):
    data = with_target(polars.DataFrame(COLUMNS), "label")
    dataset = dataset_in_memory((*data, np.linspace(1, 2, ROWS)), autoencoder=False)
    write_dataset(tmp_path / "data.npz", dataset)
    back = read_dataset(tmp_path / "data.npz")
    assert fingerprint([back]) == fingerprint([dataset])
    assert back.target.label_type == dataset.target.label_type == "string"


@pytest.mark.parametrize(("damage", "said"), [
    (lambda path: path.unlink(), "cannot be read: No such file"),
    (lambda path: path.write_bytes(path.read_bytes()[:200]), "damaged, the rows in memory"),
    (lambda path: np.savez(path, texts=np.zeros(2, np.uint8)), "damaged, the rows in memory"),
])  # fmt: skip
def test_a_damaged_dataset_is_refused(damage, said, tmp_path):
    path = tmp_path / "data.npz"
    write_dataset(path, dataset_in_memory((np.eye(3), [0, 1, 0]), autoencoder=False))
    damage(path)
    with pytest.raises(DataError, match=said):
        read_dataset(path)


def test_strings_that_look_like_numbers_are_noted():
    x = pandas.DataFrame({"price": ["1,5", "2,5", "3,5"]})
    (note,) = dataset_in_memory((x, [0, 1, 0]), autoencoder=False).notes
    assert note.startswith("column 'price': most cells look like numbers with a decimal comma")
