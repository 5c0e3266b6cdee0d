"""Columns of dates: the format is found, or asked for; what is no date has its place."""

from pathlib import Path

import numpy as np
import polars
import pytest

from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.prepare import prepare
from nettrain.data.readers.date_text import AmbiguousDate, date_format, parse_date
from nettrain.data.source import Source
from nettrain.data.split import ALL_ROWS
from nettrain.errors import DataError

FORMATS = {
    ("2024-01-31", "1999-12-01"): "%Y-%m-%d",
    ("31.01.2024", "1.2.2024"): "%d.%m.%Y",
    ("31/01/2024", "01/02/2024"): "%d/%m/%Y",
    ("01/31/2024", "01/02/2024"): "%m/%d/%Y",
    ("20240131", "20240201"): "%Y%m%d",
    ("31 Jan 2024", "1 Feb 2024"): "%d %b %Y",
    ("2024-01-31T12:30:00", "2024-01-31T12:31:00"): "%Y-%m-%dT%H:%M:%S",
    ("2024-01-31 12:30", "2024-02-01 08:00"): "%Y-%m-%d %H:%M",
    ("08:30", "23:59"): "%H:%M",
    ("03/03/2024", "04/04/2024"): "%d/%m/%Y",
    ("red", "blue"): None,
    ("2024-01-31", "soon"): None,
    ("2024-13-45",): None,
    ("1.2.3.4", "1.2.3.5"): None,
    ("202411", "202412"): None,
    ("A-12", "B-13"): None,
    (): None,
}


@pytest.mark.parametrize(("texts", "form"), FORMATS.items())
def test_the_format_of_dates_is_found(texts: tuple[str, ...], form: str | None) -> None:
    assert date_format(texts) == form


def test_day_and_month_that_cannot_be_told_apart_are_asked_for() -> None:
    with pytest.raises(AmbiguousDate) as caught:
        date_format(["03/04/2024", "05/06/2024"])
    assert caught.value.formats == ["%d/%m/%Y", "%m/%d/%Y"]


def test_a_time_zone_is_taken_into_account() -> None:
    found = parse_date("2024-01-31T12:30:00+02:00", "%Y-%m-%dT%H:%M:%S%z")
    assert found is not None and (found.hour, found.tzinfo) == (10, None)


def csv(folder: Path, dates: list[str]) -> Source:
    rows = [f"{date};{i % 2}" for i, date in enumerate(dates)]
    (folder / "t.csv").write_text("\n".join(["when;y", *rows, ""]))
    return Source.parse({"type": "csv", "path": str(folder / "t.csv"), "target": "y"})


def test_a_column_of_dates_becomes_numbers_and_gaps_are_filled(tmp_path: Path) -> None:
    source = csv(tmp_path, ["31.01.2023", "", "01.02.2024", "15.06.2024"])
    data = prepare(DatasetConfig(source=source))
    assert any("transforms: datetime (when), impute, standardize (" in note for note in data.notes)
    assert data.pipeline.names[0] == "when.year" and "when.elapsed" in data.pipeline.names
    again = data.pipeline.part(source.load_for(data.pipeline.schema, with_target=True), "float32")
    assert np.array_equal(again.x, data.parts["train"].x)


def test_what_is_no_date_later_has_its_line(tmp_path: Path) -> None:
    source = csv(tmp_path, ["31.01.2023", "01.02.2024"])
    pipeline = prepare(DatasetConfig(source=source)).pipeline
    csv(tmp_path, ["31.01.2023", "2024-02-01"])
    rows = source.load_for(pipeline.schema, with_target=True)
    with pytest.raises(DataError, match=r"t.csv:3: column 'when': expected a date .*2024-02-01"):
        pipeline.inputs(rows.features, "float32", rows.place)


def test_an_ambiguous_column_names_the_key(tmp_path: Path) -> None:
    source = csv(tmp_path, ["03/04/2024", "05/06/2024"])
    with pytest.raises(DataError, match=r"column 'when': '03/04/2024' may be .*format: '%d/%m/%Y'"):
        prepare(DatasetConfig(source=source))


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_dates_in_columnar_files_are_dates(kind: str, tmp_path: Path) -> None:
    frame = polars.DataFrame({"when": ["2023-01-31", None, "2024-02-01"], "y": [0, 1, 0]})
    frame = frame.with_columns(
        polars.col("when").str.to_date(), time=polars.time(polars.col("y"), 30)
    )
    path = tmp_path / f"t.{kind}"
    frame.write_parquet(path) if kind == "parquet" else frame.write_ipc(path)
    source = Source.parse({"type": kind, "path": str(path), "target": "y"})
    data = prepare(DatasetConfig(source=source))
    assert any("datetime (when, time)" in note for note in data.notes)


def test_texts_that_hardly_repeat_are_left_out_with_a_note(tmp_path: Path) -> None:
    rows = [f"id {i};{'red' if i % 2 else 'blue'};{i % 2}" for i in range(50)]
    (tmp_path / "t.csv").write_text("\n".join(["name;color;y", *rows]))
    source = Source.parse({"type": "csv", "path": str(tmp_path / "t.csv"), "target": "y"})
    data = prepare(DatasetConfig(source=source, split=ALL_ROWS))
    assert data.pipeline.names == ("color=blue", "color=red")
    assert any(
        "column 'name' has 50 distinct values" in n and "is left out" in n for n in data.notes
    )
