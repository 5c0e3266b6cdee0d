"""`predict --keep`: columns of the input beside the predictions, as they stand there."""

import csv
import datetime
import json
import os
from pathlib import Path

import polars
import pytest

from nettrain.cli.prediction_file import writer_for
from nettrain.data.written_columns import WrittenColumns
from nettrain.errors import ConfigError, DataError
from nettrain.inference.prediction_table import blocks

CELLS = {
    "id": ["007", "0010", "1e3", "NA", ""],
    "day": ["2024-01-31", "31.1.2024", "", "null", "01/02/03"],
    "price": ["1,50", "1.234,56", "-0,5", " 7 ", "1 000"],
    "last, first": ["Ö, Zoë", 'say "hi"', "two\nlines", "-", "+41 44 123 45 67"],
}


def keep(trained, command, source, *words):
    found = command("predict", trained / "runs/flowers", source, *words)
    assert found.exit_code == 0, found.output
    return found


@pytest.fixture
def new(tmp_path, monkeypatch):
    """new.csv: five rows, of which a blank line and one without any value are none."""
    monkeypatch.chdir(tmp_path)
    with open("new.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*CELLS, "width", "height"])
        for i, cells in enumerate(zip(*CELLS.values(), strict=True)):
            writer.writerow([*cells, i - 2, 2 - i])
            file.write("\r\n" if i == 1 else ",,,,,\r\n" if i == 2 else "")
    return tmp_path


@pytest.mark.parametrize("words", [
    ["--keep", "id,day,price", "--keep", "last, first"],
    ["--keep", "id, day", "--keep", "price,id", "--keep", "last, first"],
])  # fmt: skip
def test_cells_stay_as_they_are_written(trained, command, new, words):
    text = keep(trained, command, "new.csv", *words).stdout
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert list(rows[0]) == [*CELLS, "prediction", "probability"]
    assert {name: [row[name] for row in rows] for name in CELLS} == CELLS | {
        "price": ["1,50", "1.234,56", "-0,5", "7 ", "1 000"]  # a space before a cell separates
    }
    alone = keep(trained, command, "new.csv").stdout.splitlines()[1:]
    assert alone == [f"{row['prediction']},{row['probability']}" for row in rows]


def test_columnar_files_hold_text_as_text(trained, command, new):
    words = ["--keep", "id", "--keep", "day"]
    for ending in ("parquet", "feather"):
        keep(trained, command, "new.csv", *words, "-o", f"p.{ending}")
    for table in (polars.read_parquet("p.parquet"), polars.read_ipc("p.feather")):
        assert table["id"].to_list() == CELLS["id"] and table["day"].to_list() == CELLS["day"]
        assert table.dtypes[-2:] == [polars.String, polars.Float64]


def test_values_of_json_keep_their_types(trained, command, new):
    values = [7, "007", None, True, 1.5, [1, {"a": None}]]
    lines = [json.dumps({"width": i, "height": -i, "id": one}) for i, one in enumerate(values)]
    Path("new.jsonl").write_text("\n".join([*lines, json.dumps({"width": 1, "height": 1})]))
    keep(trained, command, "new.jsonl", "--keep", "id", "-o", "p.jsonl")
    written = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    assert [row["id"] for row in written] == [*values, None]
    text = keep(trained, command, "new.jsonl", "--keep", "id").stdout
    assert [row["id"] for row in csv.DictReader(text.splitlines())] == [
        "7", "007", "", "true", "1.5", '[1, {"a": null}]', "",
    ]  # fmt: skip
    keep(trained, command, "new.jsonl", "--keep", "id", "-o", "p.parquet")
    assert polars.read_parquet("p.parquet")["id"].to_list() == [
        "7", "007", None, "true", "1.5", '[1, {"a": null}]', None,
    ]  # fmt: skip


@pytest.mark.parametrize(("parts", "expected"), [
    ([[7, None], [1.5]], [7.0, None, 1.5]),
    ([[None], [2**62]], [None, 2**62]),
    ([[7], ["a"], [True]], ["7", "a", "true"]),
    ([[7, {"a": 1}], [[2]]], ["7", '{"a": 1}', "[2]"]),
    ([[2**200]], [str(2**200)]),
    ([["\ud800"], ["x"]], ["\\ud800", "x"]),
    ([[None], [None]], [None, None]),
])  # fmt: skip
def test_no_value_of_json_is_lost_in_a_columnar_file(parts, expected, tmp_path):
    content = b"".join(writer_for(Path("p.parquet")).chunks(["id"], [[values] for values in parts]))
    assert polars.read_parquet(content)["id"].to_list() == expected
    for ending in (".jsonl", ".csv"):
        assert b"".join(writer_for(Path(f"p{ending}")).chunks(["id"], [[["\ud800"]]])).endswith(
            b"\\ud800\n" if ending == ".csv" else b'"\\ud800"}\n'
        )


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_columns_of_columnar_files_keep_their_types(trained, command, new, kind):
    dates = [datetime.date(2024, 1, 31), None, datetime.date(1999, 12, 31)]
    table = polars.DataFrame(
        {
            "id": polars.Series([1, None, 3], dtype=polars.Int16),
            "day": dates,
            "tags": [["a"], [], ["b", "c"]],
            "width": [0.5, 1, 2],
            "height": [1, 2, 3],
        }
    )
    table.write_parquet("new.parquet") if kind == "parquet" else table.write_ipc("new.arrow")
    words = ["--keep", "day,id,tags"]
    keep(trained, command, f"new.{kind}", *words, "-o", f"p.{kind}")
    read = polars.read_parquet if kind == "parquet" else polars.read_ipc
    assert read(f"p.{kind}").select("day", "id", "tags").equals(table.select("day", "id", "tags"))
    keep(trained, command, f"new.{kind}", *words, "-o", "p.jsonl")
    first, second, _ = map(json.loads, Path("p.jsonl").read_text().splitlines())
    assert (first["day"], first["id"], first["tags"]) == ("2024-01-31", 1, ["a"])
    assert (second["day"], second["id"], second["tags"]) == (None, None, [])
    text = keep(trained, command, f"new.{kind}", "--keep", "id,day").stdout.splitlines()
    assert [line.rsplit(",", 2)[0] for line in text] == [
        "id,day", "1,2024-01-31", ",", "3,1999-12-31"
    ]  # fmt: skip


def test_no_cell_of_a_csv_file_is_a_formula_and_that_is_said(trained, command, new):
    Path("f.csv").write_text("=id,width,height\n=1+1,1,2\n-7,1,2\n@a,1,2\n+41 44,1,2\n")
    found = keep(trained, command, "f.csv", "--keep", "=id")
    ids = [line.split(",")[0] for line in found.stdout.splitlines()]
    assert ids == ["'=id", "'=1+1", "-7", "'@a", "+41 44"]
    assert "behind an apostrophe" in found.stderr and "(cells like that: 3)" in found.stderr
    found = keep(trained, command, "f.csv", "--keep", "=id", "-o", "f.jsonl")
    lines = [json.loads(line)["=id"] for line in Path("f.jsonl").read_text().splitlines()]
    assert lines == ["=1+1", "-7", "@a", "+41 44"] and "apostrophe" not in found.stderr


@pytest.mark.parametrize(("words", "said"), [
    (["--keep", "idd"], "new.csv:1: --keep: no column 'idd'; did you mean 'id'?"),
    (["--keep", "id,nam,dya"], "no column 'dya'; did you mean 'day'?"),
    (["--keep", ","], "--keep: names no column; leave the option out"),
    (["--keep", "id", "--threshold", "2"], "--threshold 2: expected best_f1, or a number between"),
])  # fmt: skip
def test_what_cannot_be_kept_is_named(trained, command, new, words, said):
    found = command("predict", trained / "runs/flowers", "new.csv", *words, "-o", "p.csv")
    assert found.exit_code == 2 and said in found.stderr and not Path("p.csv").exists()


@pytest.mark.parametrize(("column", "words", "free"), [
    ("prediction", [], False),
    ("probability", [], False),
    ("probability_tulip", [], True),
    ("probability_tulip", ["--probabilities"], False),
])  # fmt: skip
def test_no_column_stands_twice_in_the_output(trained, command, new, column, words, free):
    Path("again.csv").write_text(f"width,height,{column}\n1,2,3\n")
    found = command("predict", trained / "runs/flowers", "again.csv", "--keep", column, *words)
    assert found.exit_code == (0 if free else 2)
    said = f"--keep {column}: the output has a column {column!r} of its own; rename it in the input"
    assert free or said in found.stderr


def test_a_file_without_header_has_columns_by_place(trained, command, folder):
    Path("f.csv").write_text("".join(f"{i},{i % 5},k{i % 2},00{i}\n" for i in range(40)))
    Path("f.yaml").write_text(
        "dataset: {source: {type: csv, path: f.csv, header: false, target: 2, ignore: 3}}\n"
        "model: {type: mlp, hidden: []}\ntraining: {epochs: 1}\n"
    )
    assert command("fit", "f.yaml", "--quiet").exit_code == 0
    text = command("predict", "runs/f", "f.csv", "--keep", "column_3").stdout.splitlines()
    assert [line.split(",")[0] for line in text[:3]] == ["column_3", "000", "001"]


def test_rows_without_named_columns_keep_none(command, folder):
    Path("m.yaml").write_text(
        "dataset: {source: digits, limit: 60}\nmodel: {type: mlp, hidden: []}\ntraining: {epochs: 1}\n"
    )
    assert command("fit", "m.yaml", "--quiet").exit_code == 0
    import numpy as np

    np.save("x.npy", np.zeros((2, 8, 8), np.uint8))
    found = command("predict", "runs/m", "x.npy", "--keep", "id")
    assert found.exit_code == 2 and "--keep id: only tables have named columns" in found.stderr


def test_a_block_after_another_is_joined_with_its_predictions():
    import numpy as np

    kept = WrittenColumns(("id",), iter([[["a", "b"]], [["c"]], [[]]]))
    found = list(blocks([("p", np.array([1, 2, 3]))], kept))
    assert found == [[["a", "b"], [1, 2]], [["c"], [3]], [[], []]]
    with pytest.raises(DataError, match="2 rows now and had 3 before: it has changed"):
        list(blocks([("p", np.arange(3))], WrittenColumns(("id",), iter([[["a", "b"]]]))))


def test_nothing_is_left_where_writing_fails_midway(trained, command, new, monkeypatch):
    Path("old.csv").write_text("mine")

    def fail(columns, kept):
        yield [["tulip"], [0.5]]
        raise DataError("the input has changed")

    monkeypatch.setattr("nettrain.inference.prediction_table.blocks", fail)
    before = sorted(os.listdir())
    for output in ("old.csv", "new-one.csv", "p.jsonl.gz"):
        found = command("predict", trained / "runs/flowers", "new.csv", "-o", output, "--overwrite")
        assert found.exit_code == 2 and found.stderr.endswith("the input has changed\n")
    assert sorted(os.listdir()) == before and Path("old.csv").read_text() == "mine"


def test_the_missing_extra_is_named_before_anything_is_read(command, tmp_path, monkeypatch):
    monkeypatch.setattr("nettrain.cli.prediction_file.find_spec", lambda name: None)
    for ending in ("parquet", "feather"):
        found = command("predict", "no-run", "no-file.csv", "-o", tmp_path / f"p.{ending}")
        assert found.exit_code == 2 and 'pip install "nettrain[tables]"' in found.stderr
    with pytest.raises(ConfigError, match="needs polars"):
        writer_for(Path("p.arrow"))
