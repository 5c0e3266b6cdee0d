"""Tables of any cells as CSV, JSON lines, Parquet, Arrow and Excel, sound or damaged; and what looks at them."""

import gzip
import io
import json
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from xml.sax.saxutils import escape

from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.damage import damaged
from fuzzing.pick import pick
from fuzzing.schema import schema, small, wild
from hypothesis import strategies as st

ENDINGS = {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet", "arrow": "arrow", "excel": "xlsx"}
NAMES = ["y", "a", "b", "x y", "", " a", "target", "0", "é", "<b>", "=a", "a" * 300]
CELLS = [
    "", " ", "NA", "nan", "NULL", "-", "?", "0", "1", "-1", "01", "1.5", "1,5", "1.234,56 €", "12 %", "1e400", "1e-400", "inf", "-inf",
    "9" * 400, "1_000", "0x1F", "true", "False", "yes", "2020-01-01", "2020-13-45", "31.12.1999", "12:30", "1999-12-31T23:59:60Z",
    "9999-12-31", "0000-00-00", "a", "A", "a\nb", 'a"b', "é", "\ud83d", "\0", "<script>", "=1+1", "@x", "\u0661\u0662", "½", "²", "a" * 70_000,
    "\u202e", "\x1b[2J", "+41 44", "1 000", "1'000", "(5)", "5-", "--5", "1.2.3", "1e5", "1E+5", ".5", "5.", "$5", "5 kg",
]  # fmt: skip


SOUND = [
    ["0", "1"], ["a", "b"], ["a", "b", ""], ["yes", "no"], ["1.5", "2", "3e3", "-4", "0"], ["1", "2", "3", "4", "NA"], ["1,5", "2,75", "10,0"],
    ["2020-01-01", "2021-02-03", "1999-12-31"], ["31.12.1999", "01.02.2003"], [f"id{i}" for i in range(40)], ["12:30", "23:59"], ["é", "<b>", "=1+1"],
]  # fmt: skip


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def words() -> list[str]:
    """What a guided change puts in: cells."""
    return CELLS


def cases() -> st.SearchStrategy[Case]:
    """A file, keys of its source, and what is asked of it."""
    return _cases()


@cache
def _cells() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.sampled_from(CELLS),
        st.integers(-3, 3).map(str),
        st.floats().map(repr),
        st.text(max_size=4),
    )


@st.composite
def _sound_columns(draw: st.DrawFn) -> dict[str, list[str]]:
    """Columns that can be learned from, with one odd cell at times: what lies behind the reading is reached."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
    rows, chance = draw(st.integers(12, 30)), Random(draw(st.integers(0, 999)))
    found = {name: chance.choices(pick(draw, SOUND), k=rows) for name in names}
    if draw(st.booleans()):
        found[pick(draw, names)][draw(st.integers(0, rows - 1))] = draw(_cells())
    return found


@st.composite
def _odd_columns(draw: st.DrawFn) -> dict[str, list[str]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True))
    rows = draw(st.integers(8, 20) | st.integers(0, 12))
    found = {}
    for name in names:
        usual = pick(
            draw,
            [
                ["0", "1"],
                ["a", "b", ""],
                ["1.5", "2", "3e3"],
                ["2020-01-01", "2021-02-03"],
                CELLS,
            ],
        )
        usual_cells = st.sampled_from(usual)
        cells = usual_cells | _cells() if draw(st.integers(0, 3)) == 3 else usual_cells
        found[name] = draw(st.lists(cells, min_size=rows, max_size=rows))
    return found


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    kind = pick(draw, sorted(ENDINGS))
    columns = draw(pick(draw, [_sound_columns, _sound_columns, _odd_columns])())
    content: Any = WRITERS[kind](draw, columns)
    content = draw(st.just(content) | st.just(content) | damaged(content))
    if kind in ("csv", "jsonl") and draw(st.integers(0, 9)) == 7:
        content = gzip.compress(content)
    if draw(st.integers(0, 49)) == 7:
        content = pick(draw, [FIFO, ENDLESS, FOLDER, DANGLING, b""])
    name = f"t.{pick(draw, [ENDINGS[kind]] * 30 + sorted(ENDINGS.values()))}"
    call = pick(draw, ["load", "propose", "profile"] * 3 + ["fit"])
    target = pick(draw, [*[*columns] * 3, "y", "missing"])
    keys = {}
    if draw(st.integers(0, 2)) == 2:
        properties = schema()["$defs"][f"source.{kind}"]["properties"]
        optional = {
            key: _named(wild if draw(st.booleans()) else small, item, columns)
            for key, item in properties.items()
        }
        chosen = draw(st.lists(st.sampled_from(sorted(optional)), max_size=2, unique=True))
        keys = {key: draw(optional[key]) for key in chosen if key not in ("type", "path")}
    source = {"target": target, **keys, "type": kind, "path": name}
    return Case(
        "table",
        {"call": call, "source": source, "target": draw(st.none() | st.just(target))},
        {name: content},
    )


def _named(grammar: Any, item: Any, columns: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a key; texts are names of columns as often as not."""
    names = st.sampled_from([*columns])
    return st.one_of(grammar().values(item, 1), names, st.lists(names, max_size=2))


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or rows come of it."""
    from pydantic import ValidationError
    from pydantic_core import PydanticCustomError

    import nettrain
    from nettrain.cli.data_argument import is_data, mapping_for
    from nettrain.config.load import load
    from nettrain.data.source import Source
    from nettrain.inspection.data_profile.profile import profile_data
    from nettrain.inspection.proposal.commented_yaml import commented_yaml

    arguments, [name] = case.arguments, case.files
    path = folder / name
    match arguments["call"]:
        case "load":
            try:
                source = Source.parse(arguments["source"]).absolute(folder)
            except (ValidationError, PydanticCustomError):
                return  # what the kind `config` looks at
            dataset = source.load(0)
            assert len(dataset.features.array) == len(dataset)
        case "propose":
            is_data(path)
            _, proposal = mapping_for(path, arguments["target"])
            (folder / "t.yaml").write_text(commented_yaml(proposal, folder), encoding="utf-8")
            load(folder / "t.yaml")
        case "profile":
            config = {
                "dataset": {"source": arguments["source"] | {"path": str(path)}},
                "model": "tabular",
            }
            profile_data(load(config))
        case "fit":
            mapping, _ = mapping_for(path, arguments["target"])
            sets = [
                "training.epochs=1",
                "model=mlp",
                "training.kernels=numpy",
                "baseline=[constant]",
            ]
            result = nettrain.train(load(mapping, sets), output_directory=folder)
            nettrain.load(result.run_directory).predict(path)


def _csv(draw: st.DrawFn, columns: dict[str, list[str]]) -> bytes:
    delimiter = pick(draw, [",", ",", ";", "\t", "|", " "])
    end = pick(draw, ["\n", "\n", "\r\n", "\r", "\n\n"])
    quoted = pick(draw, ["never", "always", "needed", "needed"])

    def cell(text: str) -> str:
        needed = any(one in text for one in (delimiter, '"', "\n", "\r"))
        return (
            f'"{text.replace(chr(34), chr(34) * 2)}"'
            if quoted == "always" or (quoted == "needed" and needed)
            else text
        )

    rows = [[*columns], *map(list, zip(*columns.values(), strict=True))]
    comment = pick(draw, ["", "", "", "# made by hand\n", "\ufeff", "\n", "sep=;\n"])
    text = (
        comment + end.join(delimiter.join(map(cell, row)) for row in rows) + pick(draw, [end, ""])
    )
    encoding = pick(draw, ["utf-8"] * 5 + ["utf-16", "latin-1", "utf-32"])
    return text.encode(encoding, errors="ignore" if encoding == "latin-1" else "surrogatepass")


def _jsonl(draw: st.DrawFn, columns: dict[str, list[str]]) -> bytes:
    def value(text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return pick(draw, [*[text] * 60, None, [text], {"a": text}, [[1]]])

    rows = zip(*columns.values(), strict=True)
    lines = [
        json.dumps({name: value(cell) for name, cell in zip(columns, row, strict=True)})
        for row in rows
    ]
    return "\n".join(lines).encode()


def _frame(draw: st.DrawFn, columns: dict[str, list[str]]) -> Any:
    import polars

    kinds = [*[polars.String, polars.Float64, polars.Int64] * 5, polars.Float32, polars.Int8, polars.Boolean, polars.Date, polars.Datetime("us", "UTC"),
             polars.Categorical, polars.Binary, polars.Duration, polars.List(polars.String), polars.Null, polars.Decimal(10, 2), polars.UInt64]  # fmt: skip
    found = {}
    for name, cells in columns.items():
        series = polars.Series(
            name, [cell.encode(errors="replace").decode() for cell in cells], dtype=polars.String
        )
        try:
            found[name] = series.cast(pick(draw, kinds), strict=False)
        except Exception:  # polars has casts that it does not know
            found[name] = series
    return polars.DataFrame(found)


def _parquet(draw: st.DrawFn, columns: dict[str, list[str]]) -> bytes:
    file = io.BytesIO()
    _frame(draw, columns).write_parquet(
        file, compression=pick(draw, ["zstd", "snappy", "uncompressed", "gzip"])
    )
    return file.getvalue()


def _arrow(draw: st.DrawFn, columns: dict[str, list[str]]) -> bytes:
    file = io.BytesIO()
    _frame(draw, columns).write_ipc(file, compression=pick(draw, ["zstd", "lz4", "uncompressed"]))
    return file.getvalue()


def _excel(draw: st.DrawFn, columns: dict[str, list[str]]) -> bytes:
    """The smallest workbook that readers take: numbers, texts, Booleans, errors, formulas, dates."""

    def cell(text: str, place: str) -> str:
        clean = "".join(one for one in text if one.isprintable())[:2000]
        match pick(draw, "nnsssbefd"):
            case "n":
                return f'<c r="{place}"><v>{escape(clean)}</v></c>'
            case "b":
                return f'<c r="{place}" t="b"><v>1</v></c>'
            case "e":
                return f'<c r="{place}" t="e"><v>#N/A</v></c>'
            case "f":
                return f'<c r="{place}"><f>1+1</f><v>{escape(clean)}</v></c>'
            case "d":
                return f'<c r="{place}" t="d"><v>2020-01-01T00:00:00</v></c>'
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(clean)}</t></is></c>'

    table = [[*columns], *map(list, zip(*columns.values(), strict=True))]
    rows = "".join(
        f'<row r="{r}">'
        + "".join(cell(text, f"{chr(65 + c)}{r}") for c, text in enumerate(row))
        + "</row>"
        for r, row in enumerate(table, start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(
        file, "w", pick(draw, [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    ) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


WRITERS = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "arrow": _arrow, "excel": _excel}
