"""What a reader assumes about a table it says in a note; what it cannot know it asks for by its key."""

import codecs
import warnings
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.features import MISSING
from nettrain.data.missing_target import with_complete_target
from nettrain.data.prepare import prepare
from nettrain.data.readers.number_text import number_format
from nettrain.data.readers.text_table import sniff_delimiter
from nettrain.data.source import Source
from nettrain.errors import DataError, NettrainError


def csv(folder: Path, content: str | bytes, **fields: object) -> Source:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source.parse({"type": "csv", "path": str(path), "target": "y", **fields})


def load(folder: Path, content: str | bytes, **fields: object) -> Dataset:
    return csv(folder, content, **fields).load(0)


def table(cells: list[str], delimiter: str = ";", name: str = "a") -> str:
    """A column of cells beside a target."""
    rows = [f"{cell}{delimiter}{i % 2}" for i, cell in enumerate(cells)]
    return "\n".join([f"{name}{delimiter}y", *rows, ""])


LOOKS = {
    "2,00": "a decimal comma",
    "-0,82": "a decimal comma",
    "1.234,56": "a decimal comma",
    "12,345": "a comma",
    "1,234,567.8": "a thousands separator",
    "1 000": "a thousands separator",
    "1'000": "a thousands separator",
    "$5": "a currency sign",
    "3,50 €": "a currency sign",
    "-$1,200": "a currency sign",
    "20 EUR": "a currency sign",
    "7%": "a percent sign",
    "7,5 %": "a percent sign",
    "\u22125": "a minus sign",
}


# The cells of a column, what they are, and the format that says so; None: a text stays.
WRITTEN = [
    (["2,00", "3,5", "8"], [2, 3.5, 8], "a decimal comma"),
    (["-0,82", "1.234,56"], [-0.82, 1234.56], "a decimal comma"),
    (["12,345", "0,5"], [12.345, 0.5], "a decimal comma"),
    (["1,234", "1,234,567.8"], [1234, 1234567.8], "a comma (decimal or between thousands)"),
    (["1 000", "2\u202f500"], [1000, 2500], "a thousands separator"),
    (["1'000", "12"], [1000, 12], "a thousands separator"),
    (["$5", "-$1,200", "($3.50)"], [5, -1200, -3.5], "a currency sign"),
    (["3,50 €", "20 €"], [3.5, 20], "a currency sign"),
    (["20 EUR", "1.5"], [20, 1.5], "a currency sign"),
    (["7%", "12.5 %"], [7, 12.5], "a percent sign"),
    (["\u22125", "4"], [-5, 4], "a minus sign that is not a hyphen"),
]


@pytest.mark.parametrize("cell", LOOKS)
def test_a_text_that_looks_like_a_number_is_recognized(cell: str) -> None:
    assert str(number_format(cell)).startswith(LOOKS[cell])


@pytest.mark.parametrize(("cells", "numbers", "kind"), WRITTEN)
def test_a_column_of_written_numbers_is_read_as_numbers_and_that_is_said(
    cells: list[str], numbers: list[float], kind: str, tmp_path: Path
) -> None:
    found = load(tmp_path, table(cells * 2))
    assert found.features.names == ("a",)
    assert found.features.array[:, 0].tolist() == numbers * 2
    (note,) = found.notes
    assert note.startswith(f"numbers with {kind}, read as numbers: column 'a' (")
    as_target = load(tmp_path, f"x;{table(cells * 2)}".replace("\n", "\n1;")[:-2], target="a")
    assert as_target.target is not None and as_target.target.values[:, 0].tolist() == numbers * 2


@pytest.mark.parametrize(("cells", "numbers", "kind"), WRITTEN)
def test_a_trained_model_reads_its_columns_in_the_formats_of_training(
    cells: list[str], numbers: list[float], kind: str, tmp_path: Path
) -> None:
    source = csv(tmp_path, table(cells * 2))
    schema = prepare(DatasetConfig(source=source)).pipeline.schema
    csv(tmp_path, table([cells[0], cells[0]]))  # alone, 12,345 would be ambiguous
    read = source.load_for(schema, with_target=True)
    assert read.features.array[:, 0].tolist() == [numbers[0]] * 2
    csv(tmp_path, table([cells[0], "5 cm"]))
    with pytest.raises(DataError, match=r"t\.csv:3: column 'a': expected a number as training"):
        source.load_for(schema, with_target=True)


def test_a_comma_that_may_be_either_is_asked_for(tmp_path: Path) -> None:
    content = table(["12,345", "1,000"] * 2)
    (note,) = load(tmp_path, content).notes
    assert "read as text; say which it is by the source's `decimal: ','` or `thousands" in note
    assert load(tmp_path, content, decimal=",").features.array[:2, 0].tolist() == [12.345, 1]
    assert load(tmp_path, content, thousands=",").features.array[:2, 0].tolist() == [12345, 1000]
    with pytest.raises(DataError, match=r"target 'a': most cells look like numbers .*`categor"):
        load(tmp_path, content, target="a")
    as_classes = load(tmp_path, content, target="a", categorical="a")
    assert as_classes.target is not None and as_classes.target.classes and not as_classes.notes


def test_with_a_decimal_comma_a_point_stands_between_thousands(tmp_path: Path) -> None:
    content = table(["1.500", "2.750", "12"] * 2)
    assert load(tmp_path, content).features.array[0, 0] == 1.5
    assert load(tmp_path, content, decimal=",").features.array[0, 0] == 1500


@pytest.mark.parametrize(
    "cells", [["11%", "0.3"], ["$5", "€6"], ["1,5", "n.v."], ["007,5", "1,5"], ["1.2.3", "1,5"]]
)
def test_a_column_of_several_formats_stays_text(cells: list[str], tmp_path: Path) -> None:
    assert "a" in load(tmp_path, table(cells * 2)).features.categories


def test_what_a_column_holds_can_be_said(tmp_path: Path) -> None:
    content = "zip;co;when;y\n10;-200;20240131;0\n20;3;20240201;1\n"
    columns = {
        "zip": {"type": "category"},
        "co": {"missing": [-200]},
        "when": {"type": "ignore"},
    }
    found = load(tmp_path, content, columns=columns)
    assert [*found.features.categories] == ["zip"] and found.features.names == ("co",)
    assert np.isnan(found.features.array[0, 0]) and found.features.array[1, 0] == 3
    with pytest.raises(DataError, match=r"columns: no column 'zp'; did you mean 'zip'"):
        load(tmp_path, content, columns={"zp": {"type": "text"}})


@pytest.mark.parametrize("cell", ["red", "2020-01-01", "10:30", "1.2.3.4", "A1", "1,2,3", "5 cm"])
def test_other_texts_are_not_taken_for_numbers(cell: str, tmp_path: Path) -> None:
    assert number_format(cell) is None
    assert not load(tmp_path, table([cell, "blue"] * 3)).notes


def test_a_number_with_a_separator_among_plain_ones_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"t\.csv:4: .* got '1,234', which looks like a number with"
    ):
        load(tmp_path, table(["5", "6", "1,234"]))
    assert load(tmp_path, table(["5", "6", "1,23"])).features.array[:, 0].tolist() == [5, 6, 1.23]


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ("0,82;-1,38;2,20\n1,02;0,31;0,27\n", ";"),
        ("0,82|1,5\n1,02|3,5\n", "|"),
        ("1,5\t2,5\n3,5\t4,5\n", "\t"),
        ("1,2;3,4\n5,6;7,8\n", ";"),
        ("x;1,y\nz;2,w\n", ","),
        ("1,2,3\n4,5,6\n", ","),
    ],
)
def test_the_delimiter_leaves_cells_that_are_numbers(sample: str, delimiter: str) -> None:
    assert sniff_delimiter(sample) == delimiter


def test_decimal_commas_without_a_header_are_not_taken_for_one(tmp_path: Path) -> None:
    found = load(tmp_path, "0,82;-1,38;2,20\n1,02;0,31;0,27\n", target=-1)
    assert found.features.array.tolist() == [[0.82, -1.38], [1.02, 0.31]]


NO_HEADER = "no header found: the first row is data (`header: true` if it names the columns)"


def test_a_first_row_of_numbers_is_data_and_that_is_said(tmp_path: Path) -> None:
    content = "2019,2020,2021\n1.5,2.5,0\n3.5,4.5,1\n"
    found = load(tmp_path, content, target=2)
    assert len(found) == 3 and found.notes == (NO_HEADER,)
    for target in ("2021", -1):
        found = load(tmp_path, content, target=target, header=True)
        assert len(found) == 2 and found.target.names == ("2021",) and not found.notes
    assert load(tmp_path, content, target="2021").target.names == ("2021",)


def test_a_whole_number_names_a_column_where_it_is_no_place(tmp_path: Path) -> None:
    content = "2019,2020,2021\n1.5,2.5,0\n3.5,4.5,1\n"
    assert load(tmp_path, content, target=2021, header=True).target.names == ("2021",)
    with pytest.raises(
        DataError, match=r"no column 2021, the columns are 0 to 2; .* target: '2021'"
    ):
        load(tmp_path, content, target=2021)
    with pytest.raises(DataError, match="1 is both the place of column '2' and a column's name"):
        load(tmp_path, "1,2,y\n5,6,0\n", target="y", ignore=1, header=True)
    assert load(tmp_path, "0,1,y\n5,6,0\n", target="y", ignore=1).features.names == ("0",)


def test_a_first_row_of_texts_that_recur_below_is_data(tmp_path: Path) -> None:
    found = load(tmp_path, "sunny,no\nrain,yes\nsunny,yes\nrain,no\n", target=-1)
    assert len(found) == 4 and found.notes == (NO_HEADER,)
    found = load(tmp_path, "outlook,play\nrain,yes\nsunny,yes\nrain,no\n", target=-1)
    assert len(found) == 3 and "`header: false` if it is data" in found.notes[0]
    assert not load(tmp_path, "outlook,play\nrain,yes\nsunny,no\n", target="play").notes


def test_the_numbers_of_rows_may_have_no_name(tmp_path: Path) -> None:
    found = load(tmp_path, ",age,city,y\n0,31,Bern,1\n1,27,Oslo,0\n", target="y")
    assert found.features.names == ("column_0", "age") and len(found) == 2
    assert load(tmp_path, ",red,no\nb,red,yes\n", target=-1).notes == (NO_HEADER,)


@pytest.mark.parametrize("mark", ["", "NA", "NULL", "None", "n/a", "<NA>", "#N/A", "NaN", "?"])
def test_a_usual_mark_is_a_missing_value(mark: str, tmp_path: Path) -> None:
    assert np.isnan(load(tmp_path, table([mark, "1", "2"])).features.array[0, 0])


@pytest.mark.parametrize("mark", ["-", "missing", "not asked"])
def test_a_missing_mark_that_is_not_known_is_named_with_the_key(mark: str, tmp_path: Path) -> None:
    cells = [mark] * 6 + ["1", "2", "3", "4"]
    (note,) = load(tmp_path, table(cells)).notes
    assert f"column 'a': {mark!r} stands beside numbers in 6 of 10 cells" in note
    assert f"set the source's `columns: {{a: {{missing: [{mark!r}]}}}}`" in note
    found = load(tmp_path, table(cells), columns={"a": {"missing": [mark]}})
    assert np.isnan(found.features.numbers[:6]).all() and not found.notes
    found = load(tmp_path, table(cells), missing=[mark])
    assert np.isnan(found.features.numbers[:6]).all() and not found.notes


@pytest.mark.parametrize("mark", ["-200", "-200.0", -200, -200.0, "-2e2"])
def test_missing_numbers_are_compared_as_numbers(mark: object, tmp_path: Path) -> None:
    cells = ["1", "-200", "-200.0", "-200.00", "-2E2", "5"]
    found = load(tmp_path, table(cells), missing=[mark])
    assert np.isnan(found.features.numbers[:, 0]).tolist() == [False, *[True] * 4, False]
    texts = load(tmp_path, table(cells), missing=[mark], categorical="a").features.categories["a"]
    assert texts.values == ("1", "5") and np.count_nonzero(texts.codes == MISSING) == 4
    source = csv(tmp_path, table(cells), missing=[mark])
    assert Source.parse({"type": "csv", "path": source.path, "missing": source.missing}).missing


@pytest.mark.parametrize(("value", "written"), [(None, "'NULL'"), (True, "'true'")])
def test_what_yaml_reads_as_something_else_is_asked_for_in_quotes(
    value: object, written: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"write {written} in quotes"):
        csv(tmp_path, "a,y\n", missing=[value])


def test_rows_without_any_value_are_blank_lines(tmp_path: Path) -> None:
    content = "a,b,y\n1,2,0\n,,\n3,4,1\n , ,\n,,\n"
    found = load(tmp_path, content)
    assert found.features.numbers.tolist() == [[1, 2], [3, 4]] and found.lines.tolist() == [2, 4]
    assert found.notes == ("rows without any value are skipped: 3 (the first in line 3)",)
    source = csv(tmp_path, content)
    schema = prepare(DatasetConfig(source=source)).pipeline.schema
    assert len(source.load_for(schema, with_target=False)) == 2


def test_leading_zeros_make_codes_and_not_quantities(tmp_path: Path) -> None:
    found = load(tmp_path, table(["007", "07", "7", "7"]))
    assert found.features.categories["a"].values == ("007", "07", "7")
    assert "column 'a': its numbers have leading zeros ('007')" in found.notes[0]
    target = load(tmp_path, table(["01", "1"] * 3), target="a").target
    assert target.classes == ("01", "1") and target.values.tolist() == [0, 1] * 3
    plain = load(tmp_path, table(["0", "0.5", "-0.25", "10", "00", "-01"][:4]))
    assert plain.features.numbers[:, 0].tolist() == [0, 0.5, -0.25, 10] and not plain.notes
    asked = load(tmp_path, table(["007", "07", "7"]), numeric="a")
    assert asked.features.numbers[:, 0].tolist() == [7, 7, 7] and not asked.notes
    with pytest.raises(DataError, match="under `categorical` and `numeric`"):
        load(tmp_path, table(["7"]), numeric="a", categorical="a")


def test_a_late_leading_zero_makes_codes_of_the_whole_column(tmp_path: Path) -> None:
    found = load(tmp_path, table([*(str(i) for i in range(20000)), "007", "A1"]))
    values = found.features.categories["a"].values
    assert len(values) == 20002 and "7" in values and "007" in values and "A1" in values


@pytest.mark.parametrize("columns", [3, 5000])
@pytest.mark.parametrize("width", [15, 140_000])
def test_long_headers_rows_and_cells_are_read(columns: int, width: int, tmp_path: Path) -> None:
    if columns * width > 10**6:
        columns = 5
    names = [f"{'g' * width}{i}" for i in range(columns)]
    rows = [",".join([*("1.5" for _ in names), str(i % 2)]) for i in range(4)]
    found = load(tmp_path, "\n".join([",".join([*names, "label"]), *rows]), target="label")
    assert found.features.names == tuple(names) and len(found) == 4
    cells = [f'"{"x " * width}{i}",{i}' for i in range(3)]
    found = load(tmp_path, "\n".join(["a,y", *cells]))
    assert [len(value) for value in found.features.categories["a"].values] == [2 * width + 1] * 3


def test_a_quote_that_is_never_closed_is_still_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.csv:3: .*a quote is opened and never closed"):
        load(tmp_path, 'a,y\n1,0\n"' + "2,1\n" * 50_000)


MARKED = {
    "utf-16": [codecs.BOM_UTF16_LE + "a,y\né,0\nü,1\n".encode("utf-16-le")],
    "utf-16 ": [codecs.BOM_UTF16_BE + "a,y\né,0\nü,1\n".encode("utf-16-be")],
    "utf-32": [codecs.BOM_UTF32_LE + "a,y\né,0\nü,1\n".encode("utf-32-le")],
}


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_a_byte_order_mark_names_the_encoding(name: str, encoding: str, tmp_path: Path) -> None:
    if encoding == "utf-16" and "32" in name:
        return
    found = load(tmp_path, MARKED[name][0], encoding=encoding)
    assert found.features.categories["a"].values == ("é", "ü")
    noted = any(f"encoding: {name.strip()}" in note for note in found.notes)
    assert noted == (encoding != "utf-16")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_recognized(encoding: str, tmp_path: Path) -> None:
    content = "a,y\nx,0\nz,1\n".encode(encoding)
    with pytest.raises(DataError, match=f"holds NUL characters.*probably {encoding}"):
        load(tmp_path, content)
    assert load(tmp_path, content, encoding=encoding).features.categories["a"].values == ("x", "z")


@pytest.mark.parametrize("classes", [["NA", "EU"], ["?", "known"], ["1", "NA"]])
def test_a_class_that_counts_as_missing_is_named_with_the_key(
    classes: list[str], tmp_path: Path
) -> None:
    content = table(classes * 4)
    mark = next(name for name in classes if name in ("NA", "?"))
    with pytest.raises(DataError) as caught:
        with_complete_target(load(tmp_path, content, target="a"), "error")
    assert f"(rows like that: 4); {mark!r} counts as missing" in str(caught.value)
    remedy = str(caught.value).partition("`missing: ")[2].partition("`")[0]
    missing = [item.strip("' ") for item in remedy.strip("[]").split(",")]
    if "1" not in classes:
        assert load(tmp_path, content, target="a", missing=missing).target.classes == tuple(
            sorted(classes)
        )


@pytest.mark.parametrize(
    ("kind", "number"),
    [("csv", 1e300), ("npz", 1e300), ("parquet", 1e300), ("npz", np.inf), ("parquet", -np.inf)],
)
def test_a_number_too_large_for_float32_is_named_with_its_row(
    kind: str, number: float, tmp_path: Path
) -> None:
    x = np.arange(40.0)
    x[7] = number
    y = np.arange(40) % 2
    path = tmp_path / f"t.{kind}"
    fields: dict[str, object] = {"type": kind, "path": str(path)}
    if kind == "csv":
        path.write_text("a,y\n" + "".join(f"{a},{b}\n" for a, b in zip(x, y, strict=True)))
        fields["target"] = "y"
    elif kind == "npz":
        np.savez(path, x=x[:, np.newaxis], y=y)
    else:
        polars = pytest.importorskip("polars")
        polars.DataFrame({"a": x, "y": y}).write_parquet(path)
        fields["target"] = "y"
    place = r"t\.csv:9: " if kind == "csv" else rf"t\.{kind}: row 7: "
    with warnings.catch_warnings(action="error"), pytest.raises(NettrainError, match=place):
        prepare(DatasetConfig(source=Source.parse(fields)))


def test_a_mark_among_very_many_numbers_is_named(tmp_path: Path) -> None:
    cells = ["-"] * 30_001 + [str(i) for i in range(30_000)]
    (note,) = load(tmp_path, table(cells)).notes
    assert "'-' stands beside numbers in 30001 of 60001 cells" in note


def test_what_is_assumed_of_a_file_to_predict_is_said_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = csv(tmp_path, "a,b,y\n" + "1,2,0\n3,5,1\n" * 5)
    config = {"dataset": {"source": source}, "model": "mlp", "training": {"epochs": 1}}
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    new = tmp_path / "new.csv"
    new.write_text("a,b\n1,2\n,\n3,4\n", encoding="utf-16")
    assert len(nettrain.load(tmp_path / "run").read(new, with_target=False)) == 2
    assert "new.csv: encoding: utf-16" in caplog.text
    assert "new.csv: rows without any value are skipped: 1 (the first in line 3)" in caplog.text


HEADLESS = {  # rows to predict for a model of `class, a, b`, and what is predicted of them
    "with the target": ([0, 1, 2, 3], None),
    "with a class that is new": ([0, 1, 2, 9], None),
    "with an ID in its place": (range(100), "'column_0', the target, holds '4', which is no class"),
}


@pytest.mark.parametrize("case", HEADLESS)
def test_a_column_of_other_numbers_is_not_taken_for_the_target(case: str, tmp_path: Path) -> None:
    first, problem = HEADLESS[case]
    source = csv(tmp_path, "0,1,2\n1,3,5\n2,4,4\n3,4,5\n" * 5, target=0, header=False)
    config = {"dataset": {"source": source}, "model": "mlp", "training": {"epochs": 1}}
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    new = tmp_path / "new.csv"
    new.write_text("".join(f"{number},1,2\n" for number in first))
    model = nettrain.load(tmp_path / "run")
    if problem is None:
        assert len(model.read(new, with_target=False)) == len(first)
    else:
        with pytest.raises(DataError, match=problem):
            model.read(new, with_target=False)


def test_a_column_without_a_name_that_numbers_the_rows_leaves_the_header_one(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{i},{i * i},{'ab'[i % 2]}\n" for i in range(6))
    found = load(tmp_path, ",x,y\n" + rows, target=-1)
    assert (found.features.names, len(found)) == (("column_0", "x"), 6)
    assert found.target.names == ("y",)
    gap = load(tmp_path, ",4,a\n" + rows, target=-1, missing=[""])
    assert len(gap) == 7  # the first row holds a number: it is one with a gap
