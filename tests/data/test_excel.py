"""Spreadsheets are tables like any other; a sheet can be named, and damage is an error."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest

import nettrain
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.source import Source
from nettrain.errors import DataError, NettrainError

pytest.importorskip("fastexcel")
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def cell(value: object) -> str:
    if value is None:
        return "<c/>"
    if isinstance(value, bool):
        return f'<c t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """The smallest file that is one: a part per sheet, and the parts that list them."""
    names = list(sheets)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{i + 1}" r:id="s{i}"/>' for i, name in enumerate(names)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="s{i}" Type="{_OFFICE}/worksheet" Target="worksheets/{i}.xml"/>'
            for i in range(len(names))
        )
        + "</Relationships>",
    }
    for i, rows in enumerate(sheets.values()):
        lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
        parts[f"xl/worksheets/{i}.xml"] = (
            f'<worksheet xmlns="{_SPREADSHEET}"><sheetData>{lines}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


ROWS: list[list[object]] = [
    ["age", "city", "ok", "mixed", "y"],
    *([i + 0.5 if i % 7 else None, "BO"[i % 2], i % 3 == 0, i if i != 900 else "n/a", "ab"[i % 2]]
      for i in range(1200)),
]  # fmt: skip


@pytest.fixture
def file(tmp_path):
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


def test_an_empty_sheet_is_an_error(tmp_path):
    with pytest.raises(DataError, match="sheet 'A' is empty"):
        source(workbook(tmp_path / "e.xlsx", {"A": []})).load(0)
