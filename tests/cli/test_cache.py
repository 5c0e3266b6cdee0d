import json
import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder with a table, what was made of it, and a download."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "nettrain"
    for name, size in (("tables/wine.csv-HEX.table", 5000), ("inputs/wine.csv-HEX.inputs", 300)):
        path = folder / name.replace("HEX", f"{size:032x}")
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(size))
    (folder / "mnist").write_bytes(b"x")
    for days, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (path.stat().st_mtime - 86400 * 10 * days,) * 2)
    return folder


def test_what_is_kept_is_listed_and_removed_by_name_or_age(command, kept: Path) -> None:
    listed = command("cache")
    assert listed.exit_code == 0 and "5.3 KB in" in listed.stderr
    assert "columns" in listed.stdout and "downloaded data set" in listed.stdout
    files = json.loads(command("cache", "--json").stdout)["files"]
    assert [file["size"] for file in files] == [300, 1, 5000]
    assert files[0]["name"] == "wine.csv-00000000"
    done = command("cache", "--delete", "mnist", "--json")
    assert json.loads(done.stdout)["deleted"] == [str(kept / "mnist")]
    assert "removed 1 file, 5 KB" in command("cache", "--unused", "35").stderr
    assert len(json.loads(command("cache", "--json").stdout)["files"]) == 1
    assert "removed 1 file" in command("cache", "--unused", "0").stderr
    assert f"nothing is kept in {kept}" in command("cache").stderr


def test_a_name_that_is_not_kept_is_told(command, kept: Path) -> None:
    found = command("cache", "--delete", "mnst")
    assert found.exit_code == 2 and "did you mean 'mnist'" in found.stderr
    assert (kept / "mnist").exists()


def test_a_table_trained_from_the_disk_leaves_two_kinds_of_files(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    random = np.random.Generator(np.random.Philox(0))
    x = random.normal(size=(60, 2))
    lines = [f"{a:.3f},{b:.3f},{['a', 'b'][int(a > b)]}" for a, b in x.tolist()]
    (tmp_path / "t.csv").write_text("\n".join(["p,q,y", *lines]))
    config = {
        "dataset": {"source": {"type": "csv", "path": "t.csv", "target": "y", "read": "disk"}},
        "model": {"type": "mlp", "hidden": [4]},
        "training": {"epochs": 2},
    }
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    run = tmp_path / "runs" / "run"
    commands = [
        ("fit", tmp_path / "run.yaml", "-o", tmp_path / "runs"),
        ("eval", run),
        ("predict", run, tmp_path / "t.csv", "-o", tmp_path / "out.csv"),
        ("importance", run),
        ("report", run, "-o", tmp_path / "r.html"),
        ("verify", run),
        ("cv", tmp_path / "run.yaml", "-o", tmp_path / "runs", "--folds", 2),
        ("check", tmp_path / "run.yaml"),
        ("doctor", tmp_path / "run.yaml", "--seconds", 1),
        ("calibrate", run),
    ]
    for words in commands:
        done = command(*words)
        assert done.exit_code in (0, 4), done.stderr  # doctor may find something
    kinds = {file["kind"] for file in json.loads(command("cache", "--json").stdout)["files"]}
    assert kinds == {"columns", "transformed rows"}
