"""Spreadsheets are tables like any other; a sheet can be named, and damage is an error."""

from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.source import Source
from nettrain.errors import DataError, NettrainError

pytest.importorskip("fastexcel")
ROWS: list[list[object]] = [
    ["age", "city", "ok", "mixed", "y"],
    *([i + 0.5 if i % 7 else None, "BO"[i % 2], i % 3 == 0, i if i != 900 else "n/a", "ab"[i % 2]]
      for i in range(1200)),
]  # fmt: skip


@pytest.fixture
def file(workbook, tmp_path):
    return workbook(tmp_path / "t.xlsx", {"People": ROWS, "Notes": [["a"], [1]]})


def source(path: Path, **keys: object) -> Source:
    return Source.parse({"type": "excel", "path": str(path), "target": "y", **keys})


def test_numbers_texts_gaps_and_marks_are_those_of_the_cells(file):
    found = source(file).load(0)
    assert file_kind(file) == "excel" and found.features.names == ("age", "ok", "mixed")
    age, ok, mixed = found.features.array.T
    assert np.array_equal(np.isnan(age), np.arange(1200) % 7 == 0) and age[8] == 8.5
    assert np.array_equal(ok, np.arange(1200) % 3 == 0)
    assert np.isnan(mixed[900]) and mixed[901] == 901  # a mark far down changes no type
    assert found.features.categories["city"].values == ("B", "O")
    assert any("sheet 'People' of 'People', 'Notes'" in note for note in found.notes)


def test_a_run_is_trained_and_predicts(file, tmp_path):
    config = {
        "dataset": {"source": {"type": "excel", "path": str(file), "target": "y"}},
        "model": "mlp",
        "training": {"epochs": 1},
    }
    run = nettrain.train(config, output_directory=tmp_path / "runs").run_directory
    assert len(nettrain.load(run).read(file, with_target=False)) == 1200


MISTAKES = {
    "no such sheet": ({"sheet": "Peopel"}, r"has no sheet 'Peopel' \(there are: People, Notes\)"),
    "no such target": ({"target": "z"}, r"no column 'z'"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_named(file, case):
    keys, message = MISTAKES[case]
    with pytest.raises(NettrainError, match=message):
        source(file, **keys).load(0)


@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", b"\xd0\xcf\x11\xe0 either"])
def test_a_damaged_file_is_an_error(tmp_path, content):
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    assert file_kind(path) == "excel"
    with pytest.raises(DataError, match=r"t\.xlsx: cannot be read"):
        source(path).load(0)


def test_an_empty_sheet_is_an_error(workbook, tmp_path):
    with pytest.raises(DataError, match="sheet 'A' is empty"):
        source(workbook(tmp_path / "e.xlsx", {"A": []})).load(0)
