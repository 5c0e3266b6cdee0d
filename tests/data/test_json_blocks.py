"""Blocks of JSON lines that polars converts against the strict reader: the same arrays and messages."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nettrain.data.readers import json_lines
from nettrain.data.readers.json_block import JsonBlock
from nettrain.data.source import Source
from nettrain.errors import DataError

pytest.importorskip("polars")


def read(path: Path, *, blocks: bool, fields: dict[str, object]) -> tuple[object, ...] | str:
    """All that a reader may get wrong, or its message."""
    source = Source.parse({"type": "jsonl", "path": str(path), "target": "y", **fields})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "blocks_are_read", lambda: blocks)
        try:
            found = source.load(0)
        except DataError as error:
            return str(error)
    features, target = found.features, found.target
    return (
        features.numbers.tobytes(),
        features.names,
        [(name, one.values, one.codes.tolist()) for name, one in features.categories.items()],
        (target.values.tobytes(), target.classes, target.label_type),
        found.lines.tolist(),
        found.notes,
    )


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "_ROWS", 2)
    monkeypatch.setattr(json_lines, "_BLOCK", 120)


PLAIN = [f'{{"x": {i}.25, "c": "{"abc"[i % 3]}", "k": {i}, "y": {i % 2}}}' for i in range(40)]
CERTAIN = {
    "plain": PLAIN,
    "gaps": ['{"x": null, "c": "a", "y": 1}', '{"c": null, "x": 1.5, "y": 0}', *PLAIN] * 2,
    "colons, braces and null in texts": ['{"x": 1, "c": "a: {null}, [", "y": 1}'] * 30,
    "truth values": ['{"x": true, "y": false, "c": "é"}', '{"x": false, "y": true}'] * 20,
    "a column of nulls": ['{"x": 1, "c": null, "y": 1}', '{"x": -0, "c": null, "y": 0}'] * 20,
}


@pytest.mark.parametrize("case", CERTAIN)
def test_blocks_are_converted_as_the_strict_reader_does(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(CERTAIN[case]), encoding="utf-8")
    found = []
    original = JsonBlock.of
    monkeypatch.setattr(
        JsonBlock, "of", lambda *rest: [block := original(*rest), found.append(block)][0]
    )
    fast = read(path, blocks=True, fields={})
    assert len(found) > 3 and all(block is not None for block in found)
    assert fast == read(path, blocks=False, fields={}) and not isinstance(fast, str)


DOUBTFUL = {
    "a text among numbers": [*PLAIN, '{"x": "5", "c": "a", "y": 1}', *PLAIN],
    "a number among texts": [*PLAIN, '{"x": 5, "c": 7, "y": 1}', *PLAIN],
    "a truth value among texts": [*PLAIN, '{"x": 5, "c": true, "y": 1}', *PLAIN],
    "a truth value among numbers": [*PLAIN, '{"x": true, "c": "a", "y": 1}', *PLAIN],
    "a key twice": [*PLAIN, '{"x": 5, "x": 6, "c": "a", "y": 1}', *PLAIN],
    "a key twice, once null": [*PLAIN, '{"x": 5, "x": null, "c": "a", "y": 1}', *PLAIN],
    "a key twice among texts of numbers": [*PLAIN, '{"x": 5, "c": 1, "c": "a", "c": "b", "y": 1}'],
    "no JSON": [*PLAIN, '{"x": 5, "c": "a", "y": 1', *PLAIN],
    "NaN": [*PLAIN, '{"x": NaN, "c": "a", "y": 1}', *PLAIN],
    "too large": [*PLAIN, '{"x": 1e999, "c": "a", "y": 1}', *PLAIN],
    "a large integer": [*PLAIN, f'{{"x": {10**25}, "c": "a", "y": 1}}', *PLAIN],
    "a list": [*PLAIN, '{"x": [1], "c": "a", "y": 1}', *PLAIN],
    "no object": [*PLAIN, "5", *PLAIN],
    "blank lines": [*PLAIN, "", *PLAIN, "  ", ""],
    "an escape": [*PLAIN, '{"x": 5, "c": "a\\"b\\u00e9", "y": 1}', *PLAIN],
    "another key": [*PLAIN, '{"z": 5, "x": 1, "c": "a", "y": 1}', *PLAIN],
    "carriage returns": [line + "\r" for line in PLAIN],
}


@pytest.mark.parametrize("fields", [{}, {"categorical": ["x"]}], ids=["", "categorical"])
@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_doubtful_is_read_and_told_as_the_strict_reader_does(
    case: str, fields: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(DOUBTFUL[case]), newline="")
    assert read(path, blocks=True, fields=fields) == read(path, blocks=False, fields=fields)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(st.sampled_from('a"{}[]:,\\ 5é\n'), max_size=4),
    st.sampled_from(["null", "5", "true", "2024-01-01"]),
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["x", "c", "y", "z"]), VALUES), max_size=30)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ROWS, st.integers(0, 10), st.booleans())
@example([{"x": 1, "y": 0}], 3, False)
def test_odd_lines_are_read_as_the_strict_reader_does(
    tmp_path: Path, rows: list[dict[str, object]], every: int, escaped: bool
) -> None:
    """Each row stands among plain ones, so that some blocks are certain."""
    lines = PLAIN[:8]
    for row in rows:
        lines += [json.dumps(row, ensure_ascii=escaped), *PLAIN[:every]]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert read(path, blocks=True, fields={}) == read(path, blocks=False, fields={})
