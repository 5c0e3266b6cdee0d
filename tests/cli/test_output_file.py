"""`-o FILE`: nothing of the user's is lost, and the ending says what is written."""

import gzip
import json
import os
from pathlib import Path

import polars
import pytest

INPUT = "is the input of this command, which would be lost"


@pytest.fixture
def keep(trained, tmp_path, monkeypatch):
    """The current folder, with keep.csv, a link to it, a second name of it, and a link to nothing."""
    monkeypatch.chdir(tmp_path)
    text = (trained / "flowers.csv").read_text()
    Path("keep.csv").write_text(text)
    Path("link.csv").symlink_to("keep.csv")
    os.link("keep.csv", "name.csv")
    Path("other.csv").write_text("mine")
    Path("dangling.csv").symlink_to("nowhere.csv")
    return text


@pytest.mark.parametrize("output", ["keep.csv", "./keep.csv", "link.csv", "name.csv"])
@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_the_input_is_never_replaced(trained, command, keep, output, more):
    refused = command("predict", trained / "runs/flowers", "keep.csv", "-o", output, *more)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert refused.stderr == f"-o {Path(output)}: {INPUT}; choose another name\n"
    assert Path("keep.csv").read_text() == Path("name.csv").read_text() == keep


@pytest.mark.parametrize("output", ["other.csv", "dangling.csv"])
def test_a_file_that_exists_is_replaced_only_when_asked(trained, command, keep, output):
    before = Path("other.csv").read_text()
    refused = command("predict", trained / "runs/flowers", "keep.csv", "-o", output)
    assert (refused.exit_code, refused.stdout) == (2, "")
    remedy = "choose another name, or add --overwrite to replace it"
    assert refused.stderr == f"-o {Path(output)}: exists already; {remedy}\n"
    assert (Path("keep.csv").read_text(), Path("other.csv").read_text()) == (keep, before)
    assert not Path("nowhere.csv").exists()
    replaced = command("predict", trained / "runs/flowers", "keep.csv", "-o", output, "--overwrite")
    assert replaced.exit_code == 0
    assert Path(output).read_text().startswith("prediction,probability\n")
    assert Path("link.csv").is_symlink() and Path("dangling.csv").is_symlink()


def test_a_link_that_is_the_input_protects_its_file(trained, command, keep):
    refused = command("predict", trained / "runs/flowers", "link.csv", "-o", "keep.csv")
    assert refused.exit_code == 2 and Path("keep.csv").read_text() == keep


def test_the_ending_says_what_is_written(trained, command, keep):
    columnar = ("parquet", "PARQUET", "arrow", "feather")
    for ending in ("csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", *columnar):
        found = command(
            "predict", trained / "runs/flowers", "keep.csv", "--probabilities", "-o", f"p.{ending}"
        )
        assert found.exit_code == 0, found.stderr
    header, first, *rest = Path("p.csv").read_text().splitlines()
    names = ["prediction", "probability", "probability_red rose", "probability_tulip"]
    lines = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    assert header.split(",") == names and list(lines[0]) == names
    for ending in columnar:
        read = polars.read_parquet if ending.lower() == "parquet" else polars.read_ipc
        table = read(f"p.{ending}")
        assert table.columns == names and table.rows(named=True) == lines
    text = Path("p.csv").read_text()
    assert Path("p.tsv").read_text() == text.replace(",", "\t")
    assert gzip.decompress(Path("p.csv.gz").read_bytes()).decode() == text
    assert gzip.decompress(Path("p.jsonl.gz").read_bytes()) == Path("p.jsonl").read_bytes()
    assert len(lines) == len(rest) + 1 and first.split(",")[0] == lines[0]["prediction"]


@pytest.mark.parametrize(("output", "got"), [
    ("p", "got none"), (".csv", "got none"), ("p.xlsx", "got '.xlsx'"), ("p.parquet.gz", "got '.gz'"),
])  # fmt: skip
def test_another_ending_is_refused_before_anything_is_read(command, tmp_path, output, got):
    found = command("predict", "no-such-run", "no-such-file.csv", "-o", tmp_path / output)
    endings = ".csv, .tsv, .jsonl, .parquet, .arrow, .feather, .csv.gz, .tsv.gz, .jsonl.gz"
    said = f"the ending says what is written: expected one of {endings}, {got}"
    assert (found.exit_code, found.stderr) == (2, f"-o {tmp_path / output}: {said}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_schema_replaces_nothing_unasked(command, tmp_path):
    file = tmp_path / "nettrain.schema.json"
    file.write_text("mine")
    found = command("schema", "-o", file)
    assert found.exit_code == 2 and "exists already" in found.stderr and file.read_text() == "mine"
    assert command("schema", "-o", tmp_path / "s.yaml").exit_code == 2
    assert command("schema", "-o", file, "--overwrite").exit_code == 0
    assert json.loads(file.read_text())["title"] == "nettrain"
