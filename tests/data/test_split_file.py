"""`dataset.split.file`: the rows of each part from an npz file, such as the splits.npz of a run."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.config.load import load
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.divide import load_data
from nettrain.data.source import Source
from nettrain.data.split import RowRanges, Split, check_split
from nettrain.errors import ConfigError, NettrainError
from nettrain.training.artifacts.checkpoint import Checkpoint

MEMORY = Source.parse("memory")

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2


def split(folder: Path, **parts: object) -> Split:
    np.savez(folder / "rows.npz", **parts)
    return Split(file=str(folder / "rows.npz"))


def test_the_parts_hold_the_rows_of_the_file_in_its_order_repeated_ones_too(tmp_path):
    found = load_data(
        DatasetConfig(
            source=MEMORY, split=split(tmp_path, train=[3, 0, 3], test=np.array([9], np.uint8))
        ),
        0,
        data=(X, Y),
    )
    assert {part: rows.tolist() for part, rows in found.rows.items()} == {
        "train": [3, 0, 3],
        "test": [9],
    }
    assert (
        found.datasets["train"].features.numbers[:, 0].tolist() == [6, 0, 6]
        and found.rows["test"].dtype == np.int64
    )


def test_a_part_without_rows_is_none(tmp_path):
    assert set(
        load_data(
            DatasetConfig(source=MEMORY, split=split(tmp_path, train=[1, 2], validation=[])),
            0,
            data=(X, Y),
        ).rows
    ) == {"train"}


def test_the_file_decides_over_what_the_source_assigns(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y, xt=X[:2], yt=Y[:2])
    source = Source.parse(
        {"type": "npz", "path": str(tmp_path / "d.npz"), "x_test": "xt", "y_test": "yt"}
    )
    assert {
        part: rows.tolist()
        for part, rows in load_data(
            DatasetConfig(source=source, split=split(tmp_path, train=[0, 1], test=[2])), 0
        ).rows.items()
    } == {"train": [0, 1], "test": [2]}


def test_a_part_with_a_source_of_its_own_counts_there(tmp_path):
    moons = {"type": "moons", "rows": 30}
    arguments = {
        "test_source": Source.parse(moons),
        "split": split(tmp_path, train=[0, 1], test=[0, 29]),
    }
    found = load_data(
        DatasetConfig(source=Source.parse({"type": "moons", "rows": 6}), **arguments), 0
    )
    assert len(found.datasets["test"]) == 2
    without = load_data(
        DatasetConfig(
            source=Source.parse({"type": "moons", "rows": 6}),
            test_source=Source.parse(moons),
            split=split(tmp_path, train=[0]),
        ),
        0,
    )
    assert set(without.rows) == {"train"}


def test_a_group_beside_it_names_a_column_that_is_no_feature(tmp_path):
    (tmp_path / "t.csv").write_text(
        "a,who,y\n" + "".join(f"{i},{i // 2},{i % 2}\n" for i in range(8))
    )
    source = Source.parse({"type": "csv", "path": str(tmp_path / "t.csv"), "target": "y"})
    rows = split(tmp_path, train=[0, 1, 2], test=[6, 7]).file
    found = load_data(DatasetConfig(source=source, split=Split(file=rows, group="who")), 0)
    assert found.schema.numbers == ("a",) and "groups of 'who': train 2, test 1" in found.notes


BAD = {
    "no train": ({"test": [1]}, "no rows to train on: expected an array 'train'"),
    "an empty train": ({"train": [], "test": [1]}, "no rows to train on"),
    "an unknown part": ({"trian": [1]}, "there is an array 'trian'; did you mean 'train'?"),
    "fractions": (
        {"train": [0.5]},
        "train: expected row numbers, integers of the shape (n,); got float64 (1,)",
    ),
    "a table": ({"train": [[1, 2]]}, "got int64 (1, 2)"),
    "beyond the end": (
        {"train": [0, 10]},
        "train: there is no row 10: x has 10 rows, counted from 0; the file belongs to other data",
    ),
    "below 0": ({"train": [0, -1]}, "train: there is no row -1"),
    "train and test": (
        {"train": [0, 4, 5], "test": [7, 5]},
        "row 5 is both in train and in test; no row may be in two parts",
    ),
    "validation and test": (
        {"train": [0], "validation": [1, 2], "test": [2]},
        "row 2 is both in validation and in test",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_cannot_divide_says_why(case, tmp_path):
    parts, said = BAD[case]
    with pytest.raises(NettrainError) as caught:
        load_data(DatasetConfig(source=MEMORY, split=split(tmp_path, **parts)), 0, data=(X, Y))
    assert said.replace("x has", "data has") in str(caught.value) and "rows.npz" in str(
        caught.value
    )


def test_a_file_that_is_absent_or_no_npz_is_named(tmp_path):
    for name, said in (
        ("gone.npz", "gone.npz: no such file; check the path"),
        ("text.npz", "text.npz: cannot be read"),
    ):
        (tmp_path / "text.npz").write_text("train: 1\n")
        with pytest.raises(NettrainError, match=said):
            load_data(
                DatasetConfig(source=MEMORY, split=Split(file=str(tmp_path / name))), 0, data=(X, Y)
            )


@pytest.mark.parametrize(
    "keys", [{"test": 0.1}, {"stratify": True}, {"rows": RowRanges(train=(0, 1))}], ids=str
)
def test_a_file_excludes_shares_and_ranges(keys):
    with pytest.raises(
        ConfigError,
        match=r"dataset\.split\.file: rows from a file, and fractions .*leave one of them out",
    ):
        check_split(Split(file="rows.npz", **keys), ())


def test_its_path_counts_from_the_config_and_with_set_from_the_shell(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    text = "dataset: {source: xor, split: {file: rows.npz}, weights: w.npy}\nmodel: {type: mlp, hidden: [2]}\n"
    (tmp_path / "sub" / "a.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    dataset = load("sub/a.yaml").dataset
    assert (dataset.split.file, dataset.weights) == (
        str(tmp_path / "sub" / "rows.npz"),
        str(tmp_path / "sub" / "w.npy"),
    )
    assert load("sub/a.yaml", ["dataset.split.file=b.npz"]).dataset.split.file == str(
        tmp_path / "b.npz"
    )
    assert load("sub/a.yaml", ["dataset.weights=v.npy"]).dataset.weights == str(tmp_path / "v.npy")


def test_the_rows_of_a_run_make_the_same_run_again(tmp_path):
    config = {
        "dataset": {
            "source": "digits",
            "limit": 200,
            "split": {"validation": 0.2, "test": 0.2, "stratify": True},
        },
        "model": {"type": "mlp", "hidden": [8]},
        "training": {"epochs": 2},
        "seed": 5,
    }
    first = nettrain.train(config, output_directory=tmp_path)
    config["dataset"] = {"source": "digits", "split": {"file": f"{first.run_directory}/splits.npz"}}
    second = nettrain.train(config, output_directory=tmp_path)
    third = nettrain.train(f"{second.run_directory}/config.yaml", output_directory=tmp_path)
    assert first.metrics == second.metrics == third.metrics
    weights = [
        Checkpoint.read(Path(run.run_directory) / "checkpoints/best.safetensors").group(
            "parameters"
        )
        for run in (first, second)
    ]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    with np.load(f"{first.run_directory}/splits.npz") as splits:
        assert (
            nettrain.load(third.run_directory).training_data.rows["test"].tolist()
            == splits["test"].tolist()
        )


def test_a_seed_of_the_data_lets_runs_with_other_seeds_share_rows_and_split(tmp_path):
    config = {
        "dataset": {"source": "moons", "seed": 7, "split": {"test": 0.5}},
        "model": {"type": "mlp", "hidden": [2]},
        "training": {"epochs": 1},
    }
    runs = [nettrain.train(config | {"seed": seed}, output_directory=tmp_path) for seed in (0, 1)]
    data = [nettrain.load(run.run_directory).training_data for run in runs]
    assert data[0].fingerprint == data[1].fingerprint and np.array_equal(
        data[0].rows["test"], data[1].rows["test"]
    )
    assert runs[0].metrics != runs[1].metrics
    other = nettrain.train(
        config | {"dataset": config["dataset"] | {"seed": 8}}, output_directory=tmp_path
    )
    assert nettrain.load(other.run_directory).training_data.fingerprint != data[0].fingerprint
