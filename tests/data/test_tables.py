"""Parquet, Arrow and JSON lines: the same columns, fields and errors as CSV, whatever the container."""

import gzip
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars
import pytest

import nettrain
from nettrain.data import table_columns
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.features import MISSING
from nettrain.data.missing_target import with_complete_target
from nettrain.data.prepare import prepare
from nettrain.data.readers import frames
from nettrain.data.source import Source
from nettrain.data.split import ALL_ROWS, Split
from nettrain.errors import ConfigError, DataError, NettrainError
from nettrain.files import LIMIT_KEY

COLUMNS = {
    "age": [39, None, 50, 38],
    "wage": [1.5, 2.5, None, 4.0],
    "rich": [True, False, True, None],
    "city": ["Oslo", None, "Bern", "Oslo"],
    "code": [7, 10, 7, None],
    "kind": ["b", "a", "b", "b"],
}
FRAMES = {"parquet": "write_parquet", "arrow": "write_ipc"}
KINDS = ["parquet", "arrow", "jsonl", "csv"]


def write(folder: Path, kind: str, columns: dict[str, list]) -> Path:
    path = folder / f"t.{kind}"
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if kind in FRAMES:
        getattr(polars.DataFrame(columns), FRAMES[kind])(path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        cells = [
            [
                "" if cell is None else str(int(cell)) if isinstance(cell, bool) else str(cell)
                for cell in row.values()
            ]
            for row in rows
        ]
        path.write_text("\n".join([",".join(columns), *map(",".join, cells), ""]), encoding="utf-8")
    return path


def load(path: Path, kind: str, **fields: object) -> Dataset:
    return Source.parse({"type": kind, "path": str(path), **fields}).load(0)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_gives_the_same_columns(kind: str, tmp_path: Path) -> None:
    found = load(write(tmp_path, kind, COLUMNS), kind, target="kind", categorical="code")
    assert found.features.names == ("age", "wage", "rich")
    nan = np.nan
    assert np.array_equal(
        found.features.numbers,
        [[39, 1.5, 1], [nan, 2.5, 0], [50, nan, 1], [38, 4, nan]],
        equal_nan=True,
    )
    city, code = found.features.categories["city"], found.features.categories["code"]
    assert city.values == ("Bern", "Oslo") and city.codes.tolist() == [1, MISSING, 0, 1]
    assert sorted(code.values) == ["10", "7"] and [
        code.values[c] if c >= 0 else None for c in code.codes
    ] == ["7", "10", "7", None]
    assert found.target.classes == ("a", "b") and found.target.values.tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_table_has_the_fields_of_csv(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, kind, COLUMNS | {"age": [39, 1, 50, 38]})
    assert load(path, kind, target=-1, features=["wage", "age"]).features.names == ("wage", "age")
    assert load(
        path, kind, target=["age", 0], ignore=["city", "kind"], categorical="code"
    ).target.names == ("age", "age")
    with pytest.raises(
        DataError, match=r"no column 'wages'; did you mean 'wage'\?.*there are: age, wage"
    ):
        load(path, kind, target="kind", ignore="wages")
    with pytest.raises(DataError, match="`target` is missing"):
        load(path, kind)
    with pytest.raises(DataError, match=r"the target 'city' is missing \(rows like that: 1\)"):
        with_complete_target(load(path, kind, target="city"), "error")


@pytest.mark.parametrize("trained", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_model_reads_another_kind_of_table_by_name(
    trained: str, other: str, tmp_path: Path
) -> None:
    source = Source.parse(
        {
            "type": trained,
            "path": str(write(tmp_path, trained, COLUMNS)),
            "target": "kind",
            "categorical": "code",
        }
    )
    schema = prepare(DatasetConfig(source=source)).pipeline.schema
    turned = {name: COLUMNS[name] for name in reversed(COLUMNS)} | {"more": [1, 2, 3, 4]}
    (tmp_path / "new").mkdir()
    again = source.with_path(write(tmp_path / "new", other, turned))
    assert again.name() == other
    found = again.load_for(schema, with_target=True)
    expected = source.load(0)
    assert np.array_equal(found.features.numbers, expected.features.numbers, equal_nan=True)
    assert found.features.names == expected.features.names and np.array_equal(
        found.target.values, expected.target.values
    )
    for name, column in expected.features.categories.items():
        new = found.features.categories[name]
        assert [new.values[c] for c in new.codes if c >= 0] == [
            column.values[c] for c in column.codes if c >= 0
        ]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl"])
def test_groups_weights_and_empty_columns_come_from_any_table(kind: str, tmp_path: Path) -> None:
    columns = {
        "x": [float(i) for i in range(30)],
        "who": [i // 3 for i in range(30)],
        "w": [1.0 + i % 2 for i in range(30)],
    }
    path = write(tmp_path, kind, columns | {"none": [None] * 30, "y": [i % 2 for i in range(30)]})
    source = Source.parse(
        {"type": kind, "path": str(path), "target": "y", "weights": "w", "ignore": "none"}
    )
    made = prepare(DatasetConfig(source=source, split=Split(group="who", test=0.3)))
    assert made.pipeline.names == ("x",) and {row // 3 for row in made.rows["test"]}.isdisjoint(
        {row // 3 for row in made.rows["train"]}
    )
    with pytest.raises(
        DataError, match=r"column 'none': missing in all 30 training rows.*leave the column out"
    ):
        prepare(DatasetConfig(source=source.replace(ignore=()), split=ALL_ROWS))


def test_other_types_of_numbers_and_texts_in_parquet_are_taken_too(tmp_path: Path) -> None:
    frame = polars.DataFrame({
        "small": polars.Series([1, None], dtype=polars.UInt8), "money": polars.Series(["1.25", "2.5"]).cast(polars.Decimal(10, 2)),
        "sort": polars.Series(["x", None], dtype=polars.Categorical), "y": polars.Series(["a", "b"], dtype=polars.Enum(["b", "a"])),
        "post": [1000.0, float("nan")],
    })  # fmt: skip
    frame.write_parquet(tmp_path / "t.parquet")
    found = load(tmp_path / "t.parquet", "parquet", target="y", categorical="post")
    assert np.array_equal(
        found.features.numbers, [[1, 1.25], [np.nan, 2.5]], equal_nan=True
    ) and found.target.classes == ("a", "b")
    assert (
        found.features.categories["sort"].codes.tolist()
        == [0, MISSING]
        == found.features.categories["post"].codes.tolist()
    )
    assert found.features.categories["post"].values == ("1000",)


def test_json_lines_may_leave_keys_out_be_packed_and_have_blank_lines(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(
        gzip.compress(b'{"a": 1, "y": "n"}\n\n{"y": "m", "b": "x"}\n')
    )
    found = load(tmp_path / "t.jsonl", "jsonl", target="y")
    assert np.array_equal(
        found.features.numbers, [[1], [np.nan]], equal_nan=True
    ) and found.lines.tolist() == [1, 3]
    assert found.features.categories["b"].codes.tolist() == [MISSING, 0]


def test_a_json_column_may_begin_with_nulls_beyond_the_first_portion(tmp_path: Path) -> None:
    lines = ['{"a": null, "y": 0.5}'] * 5000 + ['{"a": "x", "y": 1.5}'] * 2
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    column = load(tmp_path / "t.jsonl", "jsonl", target="y").features.categories["a"]
    assert np.count_nonzero(column.codes == MISSING) == 5000 and column.values == ("x",)


def frame(folder: Path, kind: str = "parquet", **columns: list) -> Path:
    return write(folder, kind, {"y": [0.5, 1.5], **columns})


def text(folder: Path, content: bytes) -> Path:
    (folder / "t.jsonl").write_bytes(content.replace(b'{"y"', b'{"a": 0, "y"'))
    return folder / "t.jsonl"


def cut(path: Path, size: int) -> Path:
    path.write_bytes(path.read_bytes()[:size])
    return path


# The file, what the message says of it, and the remedy.
BAD = {
    "a duration": (
        lambda f: frame(f, day=[timedelta(days=1)] * 2),
        "column 'day' holds values of type Duration",
        "`ignore`",
    ),
    "lists": (
        lambda f: frame(f, "arrow", bag=[[1], [2]]),
        "column 'bag' holds values of type List(Int64)",
        "`ignore`",
    ),
    "no rows in parquet": (
        lambda f: write(f, "parquet", {"y": [], "a": []}),
        "columns (y, a) and no rows",
        "",
    ),
    "parquet cut short": (
        lambda f: cut(frame(f, a=[1, 2]), 300),
        "t.parquet: cannot be read: ",
        "damaged",
    ),
    "arrow cut short": (
        lambda f: cut(frame(f, "arrow", a=[1, 2]), 300),
        "t.arrow: cannot be read: ",
        "damaged",
    ),
    "no such parquet": (
        lambda f: f / "none.parquet",
        "none.parquet: no such file",
        "check the path",
    ),
    "no JSON": (
        lambda f: text(f, b'{"y": 1}\n{"y": \n'),
        "t.jsonl:2: not JSON: Expecting value",
        "",
    ),
    "a JSON list": (
        lambda f: text(f, b'{"y": 1}\n[1]\n'),
        't.jsonl:2: expected an object, such as {"a": 1}, got [1]',
        "",
    ),
    "NaN in JSON": (
        lambda f: text(f, b'{"y": NaN}\n'),
        "t.jsonl:1: not JSON: NaN is no JSON number",
        "write null",
    ),
    "a key twice": (
        lambda f: text(f, b'{"y": 1, "y": 2}\n'),
        "t.jsonl:1: not JSON: the key 'y' stands twice",
        "",
    ),
    "not UTF-8": (lambda f: text(f, b'{"y": "\xff"}\n'), "t.jsonl:1: not JSON: 'utf-8' codec", ""),
    "a number among texts": (
        lambda f: text(f, b'{"y": "a"}\n{"y": 3}\n'),
        ":2: column 'y': expected a text, as in",
        "`categorical`",
    ),
    "a text among numbers": (
        lambda f: text(f, b'{"y": 1}\n{"y": "b"}\n'),
        "t.jsonl:2: column 'y': expected a number",
        'before, got "b"',
    ),
    "a nested object": (
        lambda f: text(f, b'{"y": {"z": 1}}\n'),
        "column 'y': expected a number, as in",
        'before, got {"z": 1}; correct',
    ),
    "a number too large": (
        lambda f: text(f, b'{"y": 1' + b"0" * 400 + b"}\n"),
        "t.jsonl:1: column 'y': expected a number",
        "",
    ),
    "an empty file": (lambda f: text(f, b"\n"), "t.jsonl: no rows in it", "an object a line"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_table_is_refused_with_place_and_reason(case: str, tmp_path: Path) -> None:
    make, problem, remedy = BAD[case]
    path = make(tmp_path)
    with pytest.raises(NettrainError) as caught:
        load(path, path.suffix[1:], target="y")
    assert problem in str(caught.value) and remedy in str(caught.value)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_texts_where_a_model_wants_numbers_are_named(kind: str, tmp_path: Path) -> None:
    source = Source.parse(
        {
            "type": kind,
            "path": str(write(tmp_path, kind, {"a": [1, 2], "y": [0.5, 1]})),
            "target": "y",
        }
    )
    schema = prepare(DatasetConfig(source=source)).pipeline.schema
    write(tmp_path, kind, {"a": ["one", "two"], "y": [0.5, 1]})
    with pytest.raises(DataError, match="column 'a': expected numbers, got texts such as 'one'"):
        source.load_for(schema, with_target=False)


def test_without_polars_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = frame(tmp_path)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(
        ConfigError, match=r't.parquet: .*not installed: pip install "nettrain\[tables\]"'
    ):
        load(path, "parquet", target="y")


def test_polars_is_imported_by_what_needs_it_alone() -> None:
    parsed = (
        "from nettrain.data.source import Source; Source.parse({'type': 'parquet', 'path': 'x'})"
    )
    code = f"import sys; {parsed}; print('polars' in sys.modules)"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        == "False\n"
    )


@pytest.mark.parametrize("kind", ["parquet", "arrow", "jsonl"])
def test_no_damaged_byte_is_more_than_a_message(kind: str, tmp_path: Path) -> None:
    whole = write(
        tmp_path, kind, {"a": [1.5, None] * 50, "s": ["x", "yy"] * 50, "y": [0, 1] * 50}
    ).read_bytes()
    chance = np.random.Generator(np.random.PCG64(0))
    refused = 0
    for _ in range(100):
        damaged = bytearray(whole)
        for place in chance.integers(len(whole), size=3):
            damaged[place] = chance.integers(256)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            load(tmp_path / "damaged", kind, target="y")
        except DataError:
            refused += 1
    assert refused > 50


def test_a_reader_that_is_taken_down_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = frame(tmp_path, a=[1, 2])
    script = tmp_path / "abort.py"
    for body, reason in (
        ("import os; os.abort()", "SIGABRT"),
        ("import sys; sys.exit(3)", "exit code 3"),
        ("print('{', end='')", "exit code 0"),
        ("""print('{"names": ["a", "y"], "rows": 2, "notes": []}', flush=True)""", "exit code 0"),
    ):
        script.write_text(body)
        frames._end_idle()
        monkeypatch.setattr(frames, "_SCRIPT", script)
        with pytest.raises(DataError, match=rf"t\.parquet: cannot be read: .*\({reason}\)"):
            load(path, "parquet", target="y")
    monkeypatch.undo()
    assert len(load(path, "parquet", target="y")) == 2


def test_a_small_parquet_of_very_many_rows_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = 3_000_000
    polars.select(a=polars.repeat(1, rows), y=polars.repeat(0, rows)).write_parquet(
        tmp_path / "t.parquet"
    )
    monkeypatch.setenv(LIMIT_KEY, "10M")
    with pytest.raises(
        DataError, match=rf"unpack to 48 MB, more than the limit of 10 MB.*{LIMIT_KEY}"
    ):
        load(tmp_path / "t.parquet", "parquet", target="y")


def test_waiting_readers_belong_to_the_process_that_started_them(tmp_path: Path) -> None:
    path = frame(tmp_path, a=[1, 2])
    assert len(load(path, "parquet", target="y")) == 2 and frames._IDLE
    child = os.fork()
    if not child:
        os._exit(len(frames._IDLE))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(load(path, "parquet", target="y")) == 2


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_labels_of_true_and_false_come_back_as_such(kind: str, tmp_path: Path) -> None:
    x = [float(i % 7) for i in range(20)]
    path = write(tmp_path, kind, {"x": x, "y": [value > 3 for value in x]})
    config = {
        "dataset": {"source": {"type": kind, "path": str(path), "target": "y"}},
        "model": {"type": "mlp", "hidden": [2]},
        "training": {"epochs": 1},
    }
    run = nettrain.train(config, output_directory=tmp_path / "runs")
    model = nettrain.load(run.run_directory)
    assert model.predict(np.array(x)[:, np.newaxis]).dtype == bool
    assert len(model.read(path, with_target=True)) == 20


def test_columns_of_numbers_keep_their_places_whatever_is_copied_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table_columns, "_TOGETHER", 2)
    monkeypatch.setattr(table_columns, "_ROWS", 3)
    table = np.arange(35.0).reshape(7, 5)
    columns = {f"x{i}": table[:, i].copy() for i in range(5)}
    found = table_columns.features_of(columns, list(columns))
    np.testing.assert_array_equal(found.numbers, table)
    assert found.names == ("x0", "x1", "x2", "x3", "x4") and not columns
