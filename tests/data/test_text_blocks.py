"""Blocks that polars converts against the strict reader: the same arrays, notes and messages."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nettrain.data.dataset import Dataset
from nettrain.data.readers import text_block, text_column, text_table
from nettrain.data.source import Source
from nettrain.errors import DataError

pytest.importorskip("polars")

Read = tuple[object, ...] | str


def contents(dataset: Dataset) -> tuple[object, ...]:
    """All that a reader may get wrong."""
    features, target = dataset.features, dataset.target
    return (
        features.numbers.tobytes(),
        features.names,
        [(name, one.values, one.codes.tolist()) for name, one in features.categories.items()],
        (target.values.tobytes(), target.classes, target.missing_hint),
        dataset.lines.tolist(),
        dataset.notes,
        dataset.formats,
    )


def read(path: Path, *, blocks: bool, fields: dict[str, object]) -> Read:
    source = Source.parse({"type": "csv", "path": str(path), "target": "y", **fields})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_table, "blocks_are_read", lambda: blocks)
        try:
            return contents(source.load(0))
        except DataError as error:
            return str(error)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_table, "_FIRST_ROWS", 3)
    monkeypatch.setattr(text_table, "_ROWS", 2)
    monkeypatch.setattr(text_table, "_BLOCK", 64)


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each block, whether all of its columns were certain."""
    found: list[bool] = []
    add = text_column._add_block

    def counted(*arguments: object) -> bool:
        found.append(add(*arguments))
        return found[-1]

    monkeypatch.setattr(text_column, "_add_block", counted)
    return found


FIRST = ["1,a,0", "2,b,1", "3,c,0"]
PLAIN = [f"{i}.5,{'abc'[i % 3]},{i % 2}" for i in range(40)]
CERTAIN = {
    "plain": PLAIN,
    "gaps": [*PLAIN, ",a,1", "NA,b,0", *PLAIN, "nan,,1", *PLAIN],
    "quotes": [f'"{i}","say ""{i % 2}"", yes",{i % 2}' for i in range(30)],
    "spaces": [f"{i}, a ,1" for i in range(20)],
    "signs and exponents": [f"{sign}{i}.e-05,a,1" for i in range(10) for sign in ("", "+", "-")],
    "other scripts": [f"{i},é漢{i % 2}\u00a0,1" for i in range(30)],
    "zeros": [f"0.{i},0,1" for i in range(30)],
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("case", CERTAIN)
def test_blocks_are_converted_as_the_strict_reader_does(
    case: str, end: str, tmp_path: Path, converted: list[bool]
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(end.join(["x,c,y", *FIRST, *CERTAIN[case]]).encode())
    fast = read(path, blocks=True, fields={})
    assert len(converted) > 1 and all(converted)
    assert fast == read(path, blocks=False, fields={}) and not isinstance(fast, str)


DOUBTFUL = {
    "a text among numbers": [*PLAIN, "oops,a,0", *PLAIN],
    "two faults, the lower column first": [*PLAIN, "1,a,oops", "1,a,0", "oops,a,0", *PLAIN],
    "a ragged row": [*PLAIN, "1,a", *PLAIN],
    "two ragged rows of the right sum": [*PLAIN, "1,a", "1,a,0,5", *PLAIN],
    "an open quote": [*PLAIN, '1,"a,0', *PLAIN],
    "a quote behind a quoted cell": [*PLAIN, '1,"a"b,0', *PLAIN],
    "a quote inside a cell": [*PLAIN, '1,a"b,0', *PLAIN],
    "a line end inside quotes": [*PLAIN, '1,"a\nb",0', *PLAIN],
    "a quote behind a space": [*PLAIN, '1, "a,b",0', *PLAIN],
    "blank lines": [*PLAIN, "", *PLAIN, " ", *PLAIN],
    "rows without a value": [*PLAIN, ",,", *PLAIN, ' ,"",\t', *PLAIN],
    "old macintosh line ends": ["\r".join(PLAIN)],
    "leading zeros": [*PLAIN, "007,a,0", *PLAIN],
    "a signed leading zero": [*PLAIN, '"-01",a,0', *PLAIN],
    "an infinite number": [*PLAIN, "1e999,a,0", *PLAIN],
    "inf": [*PLAIN, "-inf,a,0", *PLAIN],
    "nan that is no mark": [*PLAIN, "NAN,a,0", *PLAIN],
    "an underscore": [*PLAIN, "1_000,a,0", *PLAIN],
    "digits of another script": [*PLAIN, "١٢,a,0", *PLAIN],
    "a thousands separator": [*PLAIN, '"1,234",a,0', *PLAIN],
    "a decimal comma": [*PLAIN, '"1,5",a,0', *PLAIN],
    "many trailing lines": [*PLAIN, "", "", ""],
    "a missing target": [*PLAIN, "1,a,?", *PLAIN],
}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_is_read_and_told_as_the_strict_reader_does(
    case: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["x,c,y", *FIRST, *DOUBTFUL[case]]), newline="", encoding="utf-8")
    assert read(path, blocks=True, fields={}) == read(path, blocks=False, fields={})


CELLS = st.one_of(
    st.integers(-50, 1000).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["", " ", "NA", "?", "-9", "-9.0", "a", "b c", " a", "a ", "007", "-0", "00", "1e5", "5.",
         "1,5", '"', 'x"y', "\u00a0", "\x1c", "\x0b", "1_0", "inf", "NaN", "nan", "\n", "\r", "é"]
    ),
)  # fmt: skip
ROWS = st.lists(st.tuples(CELLS, CELLS, st.integers(0, 3).map(str)), min_size=4, max_size=40)
FIELDS = st.sampled_from([
    {}, {"missing": ["-9", "NA", "", "nan"]}, {"missing": ["?"]}, {"categorical": ["x"]},
    {"numeric": ["x"]}, {"columns": {"x": {"missing": [-9]}}}, {"ignore": ["c"]},
])  # fmt: skip


def quoted(cell: str, *, always: bool) -> str:
    if always or any(character in cell for character in ',"\n\r'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS, st.sets(st.integers(0, 39)), FIELDS, st.booleans(), st.booleans())
@example([("1", "a", "0")] * 4, {2}, {}, False, False)
def test_odd_tables_are_read_as_the_strict_reader_does(
    tmp_path: Path,
    rows: list[tuple[str, ...]],
    plain: set[int],
    fields: dict[str, object],
    always: bool,
    raw: bool,
) -> None:
    """Rows are repeated, so that whole blocks of them are certain; raw cells may be malformed."""
    lines = ["x,c,y"]
    for place, row in enumerate(rows):
        cells = row if raw else [quoted(cell, always=always) for cell in row]
        lines += [",".join(cells)] * (8 if place in plain else 1)
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines), newline="", encoding="utf-8")
    assert read(path, blocks=True, fields=fields) == read(path, blocks=False, fields=fields)


def test_a_forked_child_leaves_blocks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_block, "_pool_owner", None)
    assert text_block.blocks_are_read()
    monkeypatch.setattr(text_block, "_pool_owner", -1)
    assert not text_block.blocks_are_read()


def test_an_encoding_and_numbers_of_every_size_survive(tmp_path: Path) -> None:
    random = np.random.Generator(np.random.Philox(0))
    numbers = random.normal(size=300) * 10.0 ** random.integers(-300, 300, 300)
    path = tmp_path / "t.csv"
    text = "\n".join(["x,c,y", *FIRST, *(f"{x!r},ü,1" for x in numbers.tolist())])
    path.write_bytes(text.encode("latin-1"))
    fields = {"encoding": "latin-1"}
    fast = read(path, blocks=True, fields=fields)
    assert fast == read(path, blocks=False, fields=fields)
    assert numbers.tobytes() in fast[0]


@pytest.mark.parametrize("before", range(9))
@pytest.mark.parametrize(
    ("cell", "leading"),
    [(b"007", True), (b"-01", True), (b'"+00"', True), (b" 00", True), (b"0.05", False), (b"1-00", False), (b"0", False)],
)  # fmt: skip
def test_a_leading_zero_is_seen_wherever_the_pieces_of_a_block_part(
    monkeypatch: pytest.MonkeyPatch, before: int, cell: bytes, leading: bool
) -> None:
    monkeypatch.setattr(text_block, "_PIECE", 5)
    content = b"5" * before + b";" * (before > 0) + cell + b";1\n"
    assert text_block._has_leading_zero(content, ";") == leading
