import csv
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from nettrain.component import to_mapping
from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING
from nettrain.data.missing_target import with_complete_target
from nettrain.data.readers.text_table import sniff_delimiter
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.errors import ConfigError, DataError, NettrainError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv")


def source(folder: Path, content: str | bytes, name: str = "t.csv", **fields: object) -> Source:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source.parse({"type": "csv", "path": str(path), **fields})


def cells(found: Dataset, column: str) -> list[object]:
    """A column as it stood in the file."""
    features = found.features
    if column in features.categories:
        category = features.categories[column]
        return [None if code == MISSING else category.values[code] for code in category.codes]
    return [
        None if np.isnan(value) else value
        for value in features.numbers[:, features.names.index(column)].tolist()
    ]


PLAIN = "a,b,y\n1,x,0\n2,,1\n"
SAME = {
    "plain": (PLAIN, {}),
    "semicolons": (PLAIN.replace(",", ";"), {}),
    "tabs": (PLAIN.replace(",", "\t"), {}),
    "bars": (PLAIN.replace(",", "|"), {}),
    "a delimiter of one's own": (PLAIN.replace(",", ":"), {"delimiter": ":"}),
    "windows line ends": (PLAIN.replace("\n", "\r\n"), {}),
    "old macintosh line ends": (PLAIN.replace("\n", "\r"), {}),
    "byte order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), {}),
    "gzip": (gzip.compress(PLAIN.encode()), {}),
    "utf-16": (PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
    "no line end at the end": (PLAIN.rstrip(), {}),
    "blank lines": (PLAIN.replace("\n", "\n\n") + "\n  \n", {}),
    "spaces after the delimiter": (PLAIN.replace(",", ", "), {}),
    "spaces before the delimiter": (PLAIN.replace(",", " ,"), {}),
    "quotes everywhere": ('"a","b","y"\n"1","x","0"\n"2","","1"\n', {}),
    "other missing marks": ("a,b,y\n1,x,0\n2,-,1\n", {"missing": ["-"]}),
    "unused columns": ("id,a,b,y,c\nq1,1,x,0,9\nq2,2,,1,9\n", {"ignore": ["id", "c"]}),
    "chosen columns": ("id,a,b,y,c\nq1,1,x,0,9\nq2,2,,1,9\n", {"features": ["a", "b"]}),
    "header said": (PLAIN, {"header": True}),
    "a number among the names": ("a,b,y,2019\n1,x,0,5\n2,,1,6\n", {"ignore": ["2019"]}),
    "a column without a name": (",a,b,y\n1,1,x,0\n2,2,,1\n", {"ignore": ["column_0"]}),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_table_is_read_however_it_is_written(case: str, folder: Path) -> None:
    content, fields = SAME[case]
    found = source(folder, content, target="y", **fields).load(0)
    assert cells(found, "a") == [1, 2] and cells(found, "b") == ["x", None]
    assert found.target.values.tolist() == [[0], [1]] and found.target.names == ("y",)


text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1
)
word = st.tuples(st.sampled_from(["", ",", '"', "a\nb", '"",', "; "]), text).map(
    lambda pair: f"w{pair[0]}{pair[1]}w"
)


@given(
    rows=st.lists(
        st.tuples(word, st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=20
    ),
    crlf=st.booleans(),
)
def test_what_a_csv_writer_writes_is_read_back(
    rows: list[tuple[str, float]], crlf: bool, folder: Path
) -> None:
    file = io.StringIO(newline="")
    table = [("label", "x", "y"), *((label, repr(x), i) for i, (label, x) in enumerate(rows))]
    csv.writer(file, lineterminator="\r\n" if crlf else "\n").writerows(table)
    found = source(folder, file.getvalue(), target="y", header=True, delimiter=",").load(0)
    assert cells(found, "label") == [row[0] for row in rows]
    assert cells(found, "x") == [row[1] for row in rows]


def test_rows_know_their_lines(folder: Path) -> None:
    found = source(folder, 'a,y\n1,0\n\n"2\n",1\n3,0\n', target="y", header=True).load(0)
    assert found.lines.tolist() == [2, 4, 6] and found.place(2).endswith("t.csv:6")


def test_lines_and_kinds_hold_beyond_the_first_portion(folder: Path) -> None:
    rows = 40000
    found = source(
        folder,
        "a,b,y\n" + "".join(f"{i},{'x' if i % 2 else ''},{i % 3}\n" for i in range(rows)),
        target="y",
    ).load(0)
    assert np.array_equal(found.lines, np.arange(2, rows + 2)) and np.array_equal(
        found.features.numbers[:, 0], np.arange(rows)
    )
    assert found.features.categories["b"].codes.tolist() == [
        0 if i % 2 else MISSING for i in range(rows)
    ]


def test_a_column_that_starts_empty_may_still_hold_texts(folder: Path) -> None:
    found = source(folder, "a,b,y\n" + "1,,0\n" * 20000 + "1,x,1\n", target="y").load(0)
    assert cells(found, "b")[-2:] == [None, "x"]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1e-3", 0.001),
        ("-.5", -0.5),
        ("+2.", 2.0),
        ("1E5", 1e5),
        (" 3 ", 3.0),
        ("?", None),
        ("NaN", None),
    ],
)
def test_numbers_in_all_their_forms(cell: str, value: float | None, folder: Path) -> None:
    assert cells(source(folder, f"a,y\n5,0\n{cell},1\n", target="y").load(0), "a") == [5, value]


def test_numeric_missing_marks_are_missing(folder: Path) -> None:
    assert cells(
        source(folder, "a,y\n5,0\n-999,1\n", target="y", missing=["-999"]).load(0), "a"
    ) == [5, None]


def test_text_targets_become_sorted_classes(folder: Path) -> None:
    target = source(folder, "a,y\n1,no\n2,yes\n3,maybe\n", target="y").load(0).target
    assert target.classes == ("maybe", "no", "yes") and target.values.tolist() == [1, 2, 0]


def test_numbers_listed_as_categorical_are_texts(folder: Path) -> None:
    found = source(
        folder, "zip,grade,y\n10,3,0\n9,3,1\n", target="grade", categorical=["zip", "grade"]
    ).load(0)
    assert found.features.categories["zip"].values == ("9", "10") and found.target.classes == ("3",)


def test_several_targets_are_columns_of_numbers(folder: Path) -> None:
    target = source(folder, "a,y,z\n1,0,5\n2,1,6\n", target=["z", "y"]).load(0).target
    assert target.names == ("z", "y") and target.values.tolist() == [[5, 0], [6, 1]]


@pytest.mark.parametrize("header", [False, None])
def test_without_a_header_columns_go_by_place(header: bool | None, folder: Path) -> None:
    found = source(folder, "1,x,0\n2,z,1\n", target=-1, ignore=0, header=header).load(0)
    assert (
        list(found.features.categories) == ["column_1"]
        and found.target.names == ("column_2",)
        and len(found) == 2
    )


def test_a_column_asked_for_aside_is_no_feature(folder: Path) -> None:
    found = source(folder, "a,part,y\n1,train,0\n2,test,1\n", target="y").load(
        0, extra_columns=("part",)
    )
    assert found.features.names == ("a",) and not found.features.categories
    assert found.extra_columns["part"].values == ("test", "train")


def test_relative_paths_count_from_the_config(folder: Path) -> None:
    made = Source.parse({"type": "csv", "path": "data/t.csv", "target": "y"}).absolute(folder)
    assert made.path == str(folder / "data/t.csv") and Source.parse(to_mapping(made)) == made


BAD = {
    "ragged row": (
        "a,b,y\n1,2,0\n1,2\n",
        {},
        "t.csv:3: 2 cells where 3 are expected (separated by ',')",
        "complete the row",
    ),
    "long row": ("a,b,y\n\n1,2,0,5\n", {}, "t.csv:3: 4 cells where 3", "quotes around cells"),
    "no such target": (
        "qual,b\n1,2\n",
        {"target": "quall"},
        "t.csv:1: target: no column 'quall'; did you mean 'qual'?",
        "qual, b",
    ),
    "no target named": ("a,b\n1,2\n", {"target": []}, "`target` is missing", "there are: a, b"),
    "no such place": ("1,2\n3,4\n", {"target": 2}, "target: there is no column 2", "0 to 1"),
    "name without header": ("1,2\n3,4\n", {}, "no column 'y'", "header: true"),
    "no such feature": (
        "a,y\n1,2\n",
        {"features": ["aa"]},
        "features: no column 'aa'; did you mean 'a'?",
        "there are",
    ),
    "no such ignored": ("a,y\n1,2\n", {"ignore": ["q"]}, "ignore: no column 'q'", "there are"),
    "column named twice": (
        "a,y\n1,2\n",
        {"ignore": ["y"]},
        "column 'y' is named under two of",
        "name it once",
    ),
    "no feature left": (
        "a,y\n1,2\n",
        {"ignore": ["a"]},
        "no column is left to learn from",
        "target: y",
    ),
    "empty file": ("", {}, "t.csv: the file is empty", "expected rows"),
    "blank file": ("\n \n", {}, "t.csv: the file is empty", "expected rows"),
    "header only": ("a,y\n", {}, "t.csv: a header (a, y) and no rows below it", "rows"),
    "repeated name": (
        "a,a,y\n1,2,0\n",
        {},
        "columns 0 and 1 (counted from 0) are both named 'a'",
        "rename",
    ),
    "text among numbers": (
        "a,y\n1,0\n2,1\nabc,0\n",
        {},
        "t.csv:4: column 'a': expected a number, got 'abc'",
        "source's `missing`",
    ),
    "underscore": (
        "a,y\n1,0\n2,1\n1_000,0\n",
        {},
        "t.csv:4: column 'a': expected a number, got '1_000'",
        "`ignore`",
    ),
    "digits of another script": (
        "a,y\n1,0\n2,1\n\u0663,0\n",
        {},
        "t.csv:4: column 'a': expected a number",
        "`categorical`",
    ),
    "late text": (
        "a,y\n" + "1,0\n" * 17000 + "x,1\n",
        {},
        "t.csv:17002: column 'a': expected a number, got 'x'",
        "`categorical`",
    ),
    "nan that is no mark": (
        "a,y\n1,0\n2,1\nnan,0\n",
        {"missing": [""]},
        "t.csv:4: column 'a': expected a number, got 'nan'",
        "`missing`",
    ),
    "infinite": (
        "a,y\n1,0\n-inf,1\n",
        {},
        "t.csv:3: column 'a': '-inf' is infinite",
        "correct the value",
    ),
    "too large": (
        "a,y\n1,0\n1e999,1\n",
        {},
        "t.csv:3: column 'a': '1e999' is infinite",
        "correct the value",
    ),
    "missing target": (
        "a,y\n1,0\n2,\n3,\n",
        {},
        "t.csv:3: the target 'y' is missing (rows like that: 2)",
        "leave the rows out",
    ),
    "missing label": ("a,y\n1,no\n2,?\n", {}, "t.csv:3: the target 'y' is missing", "fill it in"),
    "text in one of two targets": (
        "a,y,z\n1,0,no\n",
        {"target": ["y", "z"]},
        "t.csv:2: target 'z' holds texts",
        "must be numbers",
    ),
    "text behind a quote": (
        'a,y\n1,0\n"2"x,1\n',
        {},
        "t.csv:3: malformed row",
        "a quote inside is written twice",
    ),
    "unclosed quote": (
        'a,y\n1,0\n"2,1\n3,0\n4,0\n',
        {},
        "t.csv:3: malformed row: a quote is opened and never closed",
        "whole cells",
    ),
    "unclosed quote in the header": (
        '"a,y\n1,0\n',
        {},
        "t.csv:1: malformed row: a quote is opened and never closed",
        "whole cells",
    ),
    "another encoding": (
        "a,y\n1,0\n2,né\n".encode("latin-1"),
        {},
        "t.csv:3: not utf-8 text",
        "`encoding`",
    ),
    "unknown encoding": (
        "a,y\n1,0\n",
        {"encoding": "utf9"},
        "there is no encoding 'utf9'",
        "latin-1",
    ),
    "gzip cut short": (
        gzip.compress(PLAIN.encode() * 100)[:-20],
        {},
        "t.csv: cannot be read",
        "end",
    ),
    "gzip damaged": (b"\x1f\x8b" + b"\xff" * 50, {}, "t.csv: cannot be read", "compression"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_named_with_line_and_remedy(case: str, folder: Path) -> None:
    content, fields, problem, remedy = BAD[case]
    with pytest.raises(NettrainError) as caught:
        dataset = source(folder, content, **{"target": "y", **fields}).load(0)
        with_complete_target(dataset, "error")
    assert problem in str(caught.value) and remedy in str(caught.value).lower()
    assert isinstance(caught.value, DataError | ConfigError) and "\n" not in str(caught.value)


def test_a_path_that_is_no_file_is_named(folder: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv: no such file; check the path"):
        Source.parse({"type": "csv", "path": str(folder / "nothing.csv"), "target": "y"}).load(0)
    with pytest.raises(DataError, match="cannot be read: is a directory"):
        Source.parse({"type": "csv", "path": str(folder), "target": "y"}).load(0)


@pytest.mark.parametrize(
    "fields",
    [
        {"target": True},
        {"target": {"a": 1}},
        {"delimiter": ";;"},
        {"header": "yes"},
        {"separator": ";"},
    ],
)
def test_fields_out_of_bounds_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Source.parse({"type": "csv", "path": "t.csv", **fields})


@pytest.mark.parametrize(
    ("sample", "delimiter"),
    [
        ('a;b\n"1,5";2\n"2,5";3\n', ";"),
        ("name;note\nx;one, two, three\ny;four\n", ";"),
        ("one column\n1\n2\n", ","),
        ("a|b,c\n1|2,3\n4|5\n", "|"),
        ('a\tb\n"multi\nline"\t2\n', "\t"),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_one_that_divides_most_rows_alike(sample: str, delimiter: str) -> None:
    assert sniff_delimiter(sample) == delimiter


SCHEMA = Schema((2,), ("a", "b"), ("city",), "classification", ("y",), ("no", "yes"))


@pytest.mark.parametrize(
    "content",
    ["y,city,b,a\nyes,Oslo,2,1\n,Bern,4,3\n", "id,a,city,b\n7,1,Oslo,2\n8,3,Bern,4\n"],
    ids=["with a target", "without, but one column more"],
)
def test_prediction_takes_columns_by_name_in_any_order(content: str, folder: Path) -> None:
    found = (
        source(folder, "a,b,city,y\n1,2,x,no\n")
        .with_path(_written(folder, "new.csv", content))
        .load_for(SCHEMA, with_target=False)
    )
    assert found.target is None and found.features.names == ("a", "b")
    assert found.features.numbers.tolist() == [[1, 2], [3, 4]] and cells(found, "city") == [
        "Oslo",
        "Bern",
    ]


def test_a_column_of_texts_stays_one_where_all_its_cells_are_numbers(folder: Path) -> None:
    found = source(folder, "a,b,city\n1,2,7\n").load_for(SCHEMA, with_target=False)
    assert found.features.names == ("a", "b") and cells(found, "city") == ["7"]


def test_one_row_of_texts_below_a_header_can_be_predicted(folder: Path) -> None:
    schema = Schema((0,), (), ("city",), "classification", ("y",), ("no", "yes"))
    assert cells(source(folder, "city\nOslo\n").load_for(schema, with_target=False), "city") == [
        "Oslo"
    ]


def test_evaluation_reads_labels_as_the_codes_of_training(folder: Path) -> None:
    found = source(folder, "a,b,city,y\n1,2,x,yes\n3,4,x,yes\n").load_for(SCHEMA, with_target=True)
    assert found.target.values.tolist() == [1, 1] and found.target.classes == ("no", "yes")


def test_labels_that_were_whole_numbers_match_however_written(folder: Path) -> None:
    schema = Schema((1,), ("a",), (), "classification", ("y",), ("3", "4"))
    assert source(folder, "a,y\n1,4.0\n2,3\n").load_for(
        schema, with_target=True
    ).target.values.tolist() == [1, 0]


POSITIONAL = Schema((2,), ("column_1", "column_2"), (), "regression", ("column_0",), None)


@pytest.mark.parametrize(
    "content", ["9,1,2\n9,3,4\n", "1,2\n3,4\n"], ids=["with the target", "without"]
)
def test_without_a_header_columns_match_by_place(content: str, folder: Path) -> None:
    assert source(folder, content).load_for(
        POSITIONAL, with_target=False
    ).features.numbers.tolist() == [[1, 2], [3, 4]]


def test_pixels_in_columns_become_images_again(folder: Path) -> None:
    schema = Schema((2, 2, 1), (), (), "classification", ("digit",), ("0", "1"))
    found = source(folder, "p0,p1,p2,p3,digit\n1,2,3,4,0\n").load_for(schema, with_target=False)
    assert found.features.numbers.tolist() == [[[[1], [2]], [[3], [4]]]]


AGAIN_BAD = {
    "columns that differ": (
        "aa,city,b,q\n1,x,2,0\n",
        False,
        "missing 'a'; did you mean 'aa'?; not known to the model: 'aa', 'q'",
    ),
    "text for a number": (
        "a,b,city\n1,x,y\n",
        False,
        "t.csv:2: column 'b': expected a number, got 'x'",
    ),
    "a class that is new": (
        "a,b,city,y\n1,2,x,no\n1,2,x,maybe\n",
        True,
        "t.csv:3: target 'y' holds 'maybe', a class that training",
    ),
    "no target": ("a,b,city,why\n1,2,x,no\n", True, "no target column 'y' to evaluate against"),
    "a missing target": ("a,b,city,y\n1,2,x,\n", True, "t.csv:2: the target 'y' is missing"),
    "no rows": ("a,b,city,y\n", False, "no rows below it"),
}


@pytest.mark.parametrize("case", AGAIN_BAD)
def test_data_that_does_not_fit_the_model_says_how(case: str, folder: Path) -> None:
    content, with_target, message = AGAIN_BAD[case]
    with pytest.raises(DataError) as caught:
        dataset = source(folder, content).load_for(SCHEMA, with_target=with_target)
        with_complete_target(dataset, "error")
    assert message in str(caught.value)


def _written(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name
