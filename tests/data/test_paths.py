"""Paths of a config: the home, environment variables, and names that only look like them."""

from pathlib import Path

import pytest

from nettrain.data.source import Source
from nettrain.errors import DataError
from nettrain.files import absolute_path


def test_variables_and_the_home_stand_for_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("TABLES", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for written in ("$TABLES/t.csv", "${TABLES}/t.csv", "~/t.csv"):
        assert absolute_path(written, Path("/elsewhere")) == tmp_path / "t.csv"
    monkeypatch.setenv("SUB", "sub")
    assert absolute_path("$SUB/t.csv", tmp_path) == tmp_path / "sub" / "t.csv"


def test_a_file_that_is_called_so_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv("X", "other")
    (tmp_path / "$X.csv").write_text("a,y\n1,2\n")
    assert absolute_path("$X.csv", tmp_path) == tmp_path / "$X.csv"


def test_a_variable_that_is_not_set_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("TABLES", raising=False)
    source = Source.parse({"type": "csv", "path": "$TABLES/t.csv", "target": "y"})
    with pytest.raises(DataError, match="the environment has no variable TABLES"):
        source.absolute(tmp_path).load(0)


def test_digits_of_another_script_are_refused(tmp_path):
    digits = str.maketrans(
        "0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669"
    )
    rows = "".join(f"{str(i).translate(digits)},{'ab'[i % 2]}\n" for i in range(30))
    (tmp_path / "t.csv").write_text("x,y\n" + rows, encoding="utf-8")
    keys = {"type": "csv", "path": str(tmp_path / "t.csv"), "target": "y"}
    with pytest.raises(DataError, match="column 'x': most cells are numbers in digits of another"):
        Source.parse(keys).load(0)
    named = Source.parse(keys | {"categorical": ["x"]}).load(0)
    assert list(named.features.categories) == ["x"]
