"""JSON lines: appended whole, forced to the disk, and cut to the rows that a checkpoint counts."""

import errno
import os

import pytest

from nettrain.errors import RunError
from nettrain.training.artifacts import files
from nettrain.training.artifacts.json_lines import JsonLines

ROWS = b'{"a": 1}\n{"a": 2}\n'


@pytest.fixture
def rows(tmp_path):
    return JsonLines(tmp_path / "rows.jsonl")


def test_rows_are_appended_with_null_for_what_json_cannot_hold(rows):
    rows.append({"a": 1, "b": float("nan")})
    rows.append({"a": [float("inf"), "ü"]})
    assert rows.path.read_bytes() == b'{"a": 1, "b": null}\n{"a": [null, "\\u00fc"]}\n'


def test_rows_are_forced_to_the_disk(rows, monkeypatch):
    forced = []
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: forced.append(os.fstat(descriptor)))
    rows.sync()
    assert forced == [] and not rows.path.exists()
    rows.append({})
    rows.sync()
    assert [one.st_ino for one in forced] == [rows.path.stat().st_ino]


def test_a_disk_that_does_not_take_the_rows_is_told_with_the_file(rows, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    rows.append({})
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(RunError) as error:
        rows.sync()
    assert str(error.value).startswith(f"{rows.path}: cannot be written: the disk is full")


@pytest.mark.parametrize(("there", "count", "left"), [
    (ROWS, 0, b""),
    (ROWS, 1, b'{"a": 1}\n'),
    (ROWS + b'{"a"', 2, ROWS),
    (ROWS + b"\n", 2, ROWS),
])  # fmt: skip
def test_rows_behind_the_counted_ones_are_cut(rows, there, count, left):
    rows.path.write_bytes(there)
    rows.cut(count)
    assert rows.path.read_bytes() == left


def test_what_has_the_right_number_of_rows_is_not_written_again(rows):
    rows.cut(0)
    assert not rows.path.exists()
    rows.path.write_bytes(ROWS)
    before = rows.path.stat()
    rows.cut(2)
    assert rows.path.stat() == before


@pytest.mark.parametrize(("there", "found"), [(None, 0), (b"", 0), (ROWS, 2)])
def test_rows_that_are_missing_are_an_error(rows, there, found):
    if there is not None:
        rows.path.write_bytes(there)
    with pytest.raises(RunError, match=f"has {found} rows, the checkpoint was written after 3"):
        rows.cut(3)
    assert (rows.path.read_bytes() if rows.path.exists() else None) == there


def test_rows_that_cannot_be_read_are_told_with_the_file(rows):
    rows.path.mkdir()
    with pytest.raises(RunError) as error:
        rows.cut(0)
    assert str(error.value) == f"{rows.path}: cannot be read: Is a directory"
