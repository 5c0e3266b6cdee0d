"""Tables that stay on the disk: the same bits as in memory, and what goes wrong is told."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nettrain
from nettrain.data import cache as cache_module
from nettrain.data import table_source
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.fingerprint import fingerprint
from nettrain.data.prepare import prepare
from nettrain.data.rows import base, cells, columns
from nettrain.data.rows.inputs import StoredInputs
from nettrain.data.source import Source
from nettrain.data.split import Split
from nettrain.data.stored_columns import ColumnRows
from nettrain.data.transform import Transform
from nettrain.errors import DataError
from nettrain.inspection.proposal.choice import Wishes
from nettrain.inspection.proposal.propose import propose_config

N = 300
ORDER = np.random.Generator(np.random.Philox(1)).permutation(N)[:120]
BACK = np.arange(N)[::-1]
LAST = np.arange(20)[::-1]


@pytest.fixture(autouse=True)
def small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cells, "_BLOCK", 8 * 10 * 64)
    monkeypatch.setattr(cells, "_FEWEST_ROWS", 16)
    monkeypatch.setattr(base, "MAX_CHUNK_ROWS", 50)
    monkeypatch.setattr(columns, "_MOST_AT_ONCE", 8 * N * 2)


def rows(seed: int = 0) -> list[dict[str, object]]:
    random = np.random.Generator(np.random.Philox(seed))
    found = []
    for i in range(N):
        x = float(random.normal())
        found.append({
            "x": None if i % 17 == 3 else round(x, 6),
            "k": int(random.integers(0, 9)),
            "skew": float(np.exp(3 * random.normal())),
            "color": None if i % 23 == 5 else ["red", "green", "blue"][int(random.integers(0, 3))],
            "city": f"city {int(random.integers(0, 60))}",
            "day": f"2024-{1 + i % 12:02}-{1 + i % 28:02}",
            "w": 1.0 + i % 3,
            "y": ["no", "yes"][int(x + random.normal() > 0)],
            "z": x * 2 + float(random.normal()),
        })  # fmt: skip
    return found


def write(
    folder: Path, kind: str, found: list[dict[str, object]] | None = None
) -> dict[str, object]:
    found = rows() if found is None else found
    path = folder / f"t.{kind}"
    if kind == "csv":
        lines = [",".join(found[0])]
        lines += [",".join("" if v is None else str(v) for v in row.values()) for row in found]
        path.write_text("\n".join(lines))
    elif kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, found)))
    else:
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame(found)
        if kind == "parquet":
            frame.write_parquet(path, row_group_size=70)
        else:
            frame.write_ipc(path)
    return {"type": kind, "path": str(path), "target": "y", "ignore": ["z"]}


def both(fields: dict[str, object], *extra: str) -> list[Dataset]:
    return [Source.parse(fields | {"read": read}).load(0, extra) for read in ("memory", "disk")]


KINDS = ["csv", "jsonl", "parquet", "arrow"]
FIELDS = {
    "plain": {},
    "weights": {"weights": "w"},
    "categories named by numbers": {"categorical": ["k", "skew"]},
    "a target of numbers": {"target": "z", "ignore": ["y"]},
    "marks of a column": {"columns": {"k": {"missing": [3]}, "color": {"missing": ["red"]}}},
    "no numbers": {"features": ["color", "city"], "ignore": []},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", FIELDS)
def test_a_table_on_the_disk_is_the_table_in_memory(
    kind: str, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nettrain.data.readers.frames._PART", 8 * 8 * 40)
    here, there = both(write(tmp_path, kind) | FIELDS[case], "day")
    for one, other in ((here, there), (here.take(ORDER), there.take(ORDER))):
        assert isinstance(other.features.numbers, ColumnRows)
        np.testing.assert_array_equal(other.features.array, one.features.numbers, strict=True)
        assert other.features.names == one.features.names
        for name in one.features.categories:
            column, stored = one.features.categories[name], other.features.categories[name]
            assert stored.values == column.values
            np.testing.assert_array_equal(stored.codes, column.codes, strict=True)
            np.testing.assert_array_equal(stored.take(LAST).codes, column.take(LAST).codes)
        np.testing.assert_array_equal(other.target.values, one.target.values, strict=True)
        assert [other.place(row) for row in (0, 7, 99)] == [one.place(row) for row in (0, 7, 99)]
        assert (other.target.classes, other.target.names) == (one.target.classes, one.target.names)
        assert (other.formats, other.notes) == (one.formats, one.notes)
        assert fingerprint([other]) == fingerprint([one])


def test_texts_that_are_numbers_otherwise_and_codes_with_zeros_stay_so(tmp_path: Path) -> None:
    lines = [f'"{i},5","1.{i % 10}00,00",{i:03},{["a", "b"][i % 2]}' for i in range(N)]
    lines[200:200] = ["7,,0,a", ",,,"]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["p,q,code,y", *lines]))
    here, there = both({"type": "csv", "path": str(path), "target": "y"})
    assert {*here.formats} == {"p", "q"} and "code" in here.features.categories
    assert fingerprint([there]) == fingerprint([here]) and there.notes == here.notes
    np.testing.assert_array_equal(there.features.array, here.features.array)


CHAINS = {
    "as the data wants": None,
    "robust_scale, smooth_clip, ordinal": [
        "impute", {"type": "drop", "columns": ["city", "day"]}, "robust_scale", "smooth_clip",
        "ordinal",
    ],
    "everything": [
        "datetime", {"type": "rare_categories", "min_count": 20}, {"type": "impute",
        "strategy": "most_frequent", "flag": True},
        {"type": "target_statistics", "columns": ["city"]}, {"type": "log", "columns": ["skew"]},
        {"type": "quantile", "columns": ["x", "skew"], "to": "normal"}, "piecewise_linear",
        {"type": "minmax", "columns": ["k"]}, {"type": "one_hot", "max_size": 3}, "ordinal",
        "standardize",
    ],
    "median, tree": [
        {"type": "impute", "strategy": "median"}, {"type": "drop", "columns": ["day"]},
        {"type": "piecewise_linear", "knots": "tree"}, "center", {"type": "clip", "low": -3},
        {"type": "hash_words", "columns": ["city"], "size": 8}, "one_hot",
    ],
    "codes before statistics": [
        "impute", {"type": "ordinal", "columns": ["color"]}, {"type": "drop", "columns": ["day"]},
        {"type": "target_statistics"}, "robust_scale",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("target", "dtype"), [("y", "float32"), ("z", "float64")])
@pytest.mark.parametrize("chain", CHAINS)
def test_transforms_learn_and_give_the_same_bits_from_the_disk(
    chain: str, target: str, dtype: str, tmp_path: Path
) -> None:
    found = []
    fields = write(tmp_path, "csv") | {"target": target, "ignore": ["y" if target == "z" else "z"]}
    for read in ("memory", "disk"):
        chosen = CHAINS[chain]
        config = DatasetConfig(
            source=Source.parse(fields | {"read": read}),
            split=Split(validation=0.2, test=0.2),
            transforms=None if chosen is None else tuple(map(Transform.parse, chosen)),
        )
        found.append(prepare(config, dtype=dtype))
    here, there = found
    assert there.pipeline.pack()[0] == here.pipeline.pack()[0] and there.notes == here.notes
    assert there.fingerprint == here.fingerprint
    for name, array in here.pipeline.pack()[1].items():
        np.testing.assert_array_equal(there.pipeline.pack()[1][name], array, strict=True)
    for name, part in here.parts.items():
        stored = there.parts[name]
        assert isinstance(stored.x, StoredInputs)
        np.testing.assert_array_equal(stored.x[:], part.x, strict=True)
        chosen_rows = np.array([5, 1, 1, 9])
        x, y = (
            np.empty((4, *part.x.shape[1:]), dtype),
            np.empty((4, *part.y.shape[1:]), part.y.dtype),
        )
        stored.gather(chosen_rows, x, y)
        np.testing.assert_array_equal(x, part.x[chosen_rows])
        np.testing.assert_array_equal(y, part.y[chosen_rows])


def test_rows_with_a_column_exchanged_are_not_taken_for_those_without(tmp_path: Path) -> None:
    source = Source.parse(write(tmp_path, "csv") | {"read": "disk"})
    pipeline = prepare(DatasetConfig(source=source)).pipeline
    features = source.load(0).features
    exchanged = replace(
        features,
        categories=features.categories | {"color": features.categories["color"].take(BACK)},
    )
    for one in (features, exchanged, features.take(BACK)):
        stored, whole = (pipeline.inputs(x, "float32") for x in (one, one.in_memory()))
        np.testing.assert_array_equal(stored[:], whole, strict=True)


CONFIG = {
    "dataset": {"split": {"validation": 0.2, "test": 0.2}},
    "model": {"type": "mlp", "hidden": [5]},
    "training": {"epochs": 2, "batch_size": 16},
}


def config(fields: dict[str, object]) -> dict[str, object]:
    return CONFIG | {"dataset": CONFIG["dataset"] | {"source": fields}}


def test_a_run_has_the_same_bits_and_is_resumed_from_the_disk_or_from_memory(
    tmp_path: Path,
) -> None:
    fields = write(tmp_path, "csv")
    metrics = []
    for read in ("memory", "disk"):
        result = nettrain.train(config(fields | {"read": read}), output_directory=tmp_path)
        metrics.append(result.metrics)
    assert metrics[0] == metrics[1]
    resumed = nettrain.resume(result.run_directory, sets=["training.epochs=3"])
    whole = nettrain.train(config(fields), sets=["training.epochs=3"], output_directory=tmp_path)
    assert resumed.metrics == whole.metrics
    model = nettrain.load(whole.run_directory)
    assert not model.data_changed


def test_a_configuration_is_proposed_from_the_disk_as_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(str(write(tmp_path, "csv")["path"]))
    here = propose_config(path, Wishes("y"))
    monkeypatch.setattr(table_source, "MAX_TABLE", 0)
    there = propose_config(path, Wishes("y"))
    assert there.mapping() == here.mapping() and (tmp_path / "cache" / "nettrain").exists()


def test_the_cache_is_read_again_until_the_file_or_a_key_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = write(tmp_path, "csv")
    folder = tmp_path / "cache" / "nettrain" / "tables"

    def load(**more: object) -> Dataset:
        return Source.parse(fields | {"read": "disk"} | more).load(0)

    load()
    opened: list[object] = []
    original = table_source.TableSource._load
    monkeypatch.setattr(
        table_source.TableSource,
        "_load",
        lambda self, *rest, **keys: [opened.append(self), original(self, *rest, **keys)][1],
    )
    load()
    assert not opened and len([*folder.iterdir()]) == 1
    load(categorical=["k"])
    write(tmp_path, "csv", rows(1))
    assert load().features.array[0, 1] == rows(1)[0]["k"]
    assert len(opened) == 2 and len([*folder.iterdir()]) == 3


DAMAGES = {
    "a byte": lambda path: path.write_bytes(path.read_bytes().replace(b"red", b"rad", 1)),
    "a cell": lambda path: path.write_bytes(b"\1" + path.read_bytes()[1:]),
    "cut short": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["tables", "inputs"])
def test_a_damaged_file_of_the_cache_is_made_again(
    damage: str, kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source.parse(write(tmp_path, "csv") | {"read": "disk"})
    before = prepare(DatasetConfig(source=source)).parts["train"].x[:]
    file = max(
        (tmp_path / "cache" / "nettrain" / kind).iterdir(), key=lambda path: path.stat().st_size
    )
    content = file.read_bytes()
    DAMAGES[damage](file)
    if file.read_bytes() == content:
        pytest.skip("no text in it")
    after = prepare(DatasetConfig(source=source))
    assert "damaged, and made again" in caplog.text and file.read_bytes() == content
    np.testing.assert_array_equal(after.parts["train"].x[:], before)


def test_a_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cells.SectionWriter, "_write", full)
    with pytest.raises(
        DataError, match=r"No space left .*nettrain cache.*XDG_CACHE_HOME.*read: mem"
    ):
        Source.parse(write(tmp_path, "csv") | {"read": "disk"}).load(0)
    assert not [*(tmp_path / "cache" / "nettrain" / "tables").iterdir()]


def test_a_fault_of_the_table_is_told_as_in_memory_and_leaves_nothing(tmp_path: Path) -> None:
    fields = write(tmp_path, "csv")
    with (tmp_path / "t.csv").open("a") as file:
        file.write("\n1,2,oops,red,a,2024-01-01,1,no,2")
    said = []
    for read in ("memory", "disk"):
        with pytest.raises(DataError) as caught:
            Source.parse(fields | {"read": read}).load(0)
        said.append(str(caught.value))
    assert said[0] == said[1] and "t.csv:302: column 'skew'" in said[0]
    assert not [*(tmp_path / "cache" / "nettrain" / "tables").iterdir()]


def test_a_column_whose_texts_do_not_fit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nettrain.data.collect.OnDisk.most_text", 2000)
    with pytest.raises(DataError, match=r"column 'city' has more than 19 distinct texts.*`ignore`"):
        Source.parse(write(tmp_path, "csv") | {"read": "disk"}).load(0)


def test_what_killed_processes_left_is_removed_and_what_others_write_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "nettrain" / "tables"
    folder.mkdir(parents=True)
    old, new = folder / ".t.table.1.1", folder / ".t.table.2.2"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (1, 1))
    Source.parse(write(tmp_path, "csv") | {"read": "disk"}).load(0)
    assert not old.exists() and new.exists()


def test_a_file_of_the_cache_that_is_cut_while_in_use_is_told(tmp_path: Path) -> None:
    source = Source.parse(write(tmp_path, "csv") | {"read": "disk"})
    part = prepare(DatasetConfig(source=source)).parts["train"]
    os.truncate(part.x._file.path, 10)
    with pytest.raises(DataError, match="has been cut short while it was in use"):
        part.x[:5]


def test_files_that_are_removed_while_in_use_are_still_read(tmp_path: Path) -> None:
    source = Source.parse(write(tmp_path, "csv") | {"read": "disk"})
    part = prepare(DatasetConfig(source=source)).parts["train"]
    before = part.x[:5]
    for file in cache_module.cached_files():
        file.path.unlink()
    np.testing.assert_array_equal(part.x[:5], before)


def test_large_tables_stay_on_the_disk_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = write(tmp_path, "csv")
    size = (tmp_path / "t.csv").stat().st_size
    for most, kind in ((size, np.ndarray), (size - 1, ColumnRows)):
        monkeypatch.setattr(table_source, "MAX_TABLE", most)
        assert isinstance(Source.parse(fields).load(0).features.numbers, kind)


MAKE = """
import sys
from nettrain.data.source import Source
print(Source.parse({"type": "csv", "path": sys.argv[1], "target": "y", "read": "disk"}).load(0).features.array.sum())
"""


def test_two_processes_that_make_the_same_file_both_get_it(tmp_path: Path) -> None:
    path = write(tmp_path, "csv")["path"]
    both = [
        subprocess.Popen([sys.executable, "-c", MAKE, str(path)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [process.communicate()[0] for process in both]
    assert said[0] == said[1] != b"" and [process.returncode for process in both] == [0, 0]
    assert len([*(tmp_path / "cache" / "nettrain" / "tables").iterdir()]) == 1


KILLED = """
import os, signal, sys
from nettrain.data.rows.cells import SectionWriter
from nettrain.data.source import Source
write = SectionWriter._write
def killed(self, rows):
    write(self, rows)
    os.kill(os.getpid(), signal.SIGKILL)
SectionWriter._write = killed
Source.parse({"type": "csv", "path": sys.argv[1], "target": "y", "read": "disk"}).load(0)
"""


def test_what_a_killed_process_has_begun_is_not_taken_for_the_table(tmp_path: Path) -> None:
    fields = write(tmp_path, "csv")
    folder = tmp_path / "cache" / "nettrain" / "tables"
    done = subprocess.run([sys.executable, "-c", KILLED, str(fields["path"])], check=False)
    assert done.returncode < 0 and [file.name[0] for file in folder.iterdir()] == ["."]
    here, there = both(fields)
    assert fingerprint([there]) == fingerprint([here])
