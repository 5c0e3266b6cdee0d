"""Rows that stay in their file: the same numbers as in memory, read once for the fingerprint, refused with a remedy, and never held."""

import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import nettrain
from nettrain.data import pipeline
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.fingerprint import fingerprint
from nettrain.data.prepare import prepare
from nettrain.data.rows import stored as stored_rows
from nettrain.data.rows.array_files import StableFile
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.rows.stored import StoredRows
from nettrain.data.source import Source
from nettrain.data.split import ALL_ROWS, Split
from nettrain.data.transform import Transform
from nettrain.errors import DataError, NettrainError, RunError
from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run

MEMORY = Source.parse("memory")

N = 40
Y = np.arange(N) % 3


def pixels(kind: str, *row: int) -> np.ndarray:
    random = np.random.Generator(np.random.Philox(5))
    if np.dtype(kind).kind == "f":
        return random.normal(size=(N, *row)).astype(kind)
    return random.integers(0, 2 if kind == "bool" else 120, (N, *row)).astype(kind)


def npy(folder: Path, x: np.ndarray) -> dict[str, object]:
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", Y)
    return {"type": "npy", "path": str(folder / "x.npy"), "target": str(folder / "y.npy")}


def npz(folder: Path, x: np.ndarray, **other: np.ndarray) -> dict[str, object]:
    np.savez(folder / "t.npz", x=x, y=Y, **other)
    return {"type": "npz", "path": str(folder / "t.npz")} | {key: key for key in other}


def npz_in_two_parts(folder: Path, x: np.ndarray) -> dict[str, object]:
    return npz(folder, x, x_test=x[:7] // 2, y_test=Y[:7])


IDX_KINDS = {"uint8": 0x08, "int16": 0x0B, "float32": 0x0D, "float64": 0x0E}


def write_idx(path: Path, x: np.ndarray) -> str:
    data = x.astype(x.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(
        struct.pack(f">BBBB{x.ndim}I", 0, 0, IDX_KINDS[x.dtype.name], x.ndim, *x.shape) + data
    )
    return str(path)


def idx(folder: Path, x: np.ndarray) -> dict[str, object]:
    return {
        "type": "idx",
        "images": write_idx(folder / "x", x),
        "labels": write_idx(folder / "y", Y.astype(np.uint8)),
    }


def idx_in_two_parts(folder: Path, x: np.ndarray) -> dict[str, object]:
    test = {
        "test_images": write_idx(folder / "x2", x[:5]),
        "test_labels": write_idx(folder / "y2", Y[:5].astype(np.uint8)),
    }
    return idx(folder, x) | test


FORMS = {
    "npy": (npy, pixels("uint8", 6, 5)),
    "npy with channels": (npy, pixels("uint8", 6, 5, 3)),
    "npy of float32": (npy, pixels("float32", 4, 5, 2)),
    "npy of other integers": (npy, pixels("int16", 6, 5)),
    "npy of truth values": (npy, pixels("bool", 6, 5)),
    "npy with the highest byte first": (npy, pixels(">f4", 3, 2)),
    "npz": (npz, pixels("uint8", 6, 5, 3)),
    "npz with a test part": (npz_in_two_parts, pixels("uint8", 6, 5, 3)),
    "idx": (idx, pixels("uint8", 6, 5)),
    "idx of wide numbers": (idx, pixels("float32", 6, 5)),
    "idx with a test part": (idx_in_two_parts, pixels("int16", 6, 5, 3)),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_on_the_disk_are_those_in_memory(form: str, tmp_path: Path) -> None:
    write, x = FORMS[form]
    fields = write(tmp_path, x)
    there, here = (Source.parse(fields | {"read": read}).load(0) for read in ("disk", "memory"))
    rows, array = there.features.numbers, here.features.numbers
    assert isinstance(rows, StoredRows) and isinstance(array, np.ndarray)
    assert (rows.shape, rows.dtype, rows.ndim, len(rows)) == (
        array.shape,
        array.dtype,
        4,
        len(array),
    )
    np.testing.assert_array_equal(rows[:], array, strict=True)
    np.testing.assert_array_equal(there.target.values, here.target.values)
    np.testing.assert_array_equal(there.part, here.part)
    inputs = Source.parse(fields | {"read": "disk"}).load_inputs(0)
    np.testing.assert_array_equal(inputs.features.numbers[:], array)


def stored(folder: Path, x: np.ndarray) -> StoredRows:
    return Source.parse(npz_in_two_parts(folder, x) | {"read": "disk"}).load(0).features.numbers


@pytest.mark.parametrize(
    "rows", [[3], [0, 1, 2], [39, 40, 41], [46, 3, 3, 4, 2], [], [5, 6, 45, 46, 0]], ids=str
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_any_rows_go_where_they_are_wanted(rows: list[int], dtype: str, tmp_path: Path) -> None:
    x = pixels("uint8", 4, 3, 2)
    whole = np.concatenate([x, x[:7] // 2])
    out = np.full((len(rows), 4, 3, 2), 77, dtype)
    stored(tmp_path, x).take(np.array(rows, np.int64), out)
    np.testing.assert_array_equal(out, whole[np.array(rows, np.int64)].astype(dtype), strict=True)


def test_rows_of_rows_are_read_only_when_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = pixels("uint8", 4, 3, 2)
    rows = stored(tmp_path, x)
    calls = read_calls(monkeypatch)
    some = rows.subset(np.array([9, 46, 2, 1])).subset(np.array([3, 1]))
    assert not calls
    np.testing.assert_array_equal(some[:], np.stack([x[1], x[6] // 2]))
    assert sum(calls) == 2 * 24


def test_whoever_takes_all_rows_unawares_is_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"rows\[:\]"):
        np.asarray(stored(tmp_path, pixels("uint8", 4, 3, 2)))


def read_calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each read from now on."""
    calls: list[int] = []
    read = StableFile.read

    def counted(self: StableFile, into: memoryview, offset: int) -> None:
        calls.append(len(into))
        read(self, into, offset)

    monkeypatch.setattr(StableFile, "read", counted)
    return calls


def test_a_read_that_gives_less_than_asked_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = pixels("uint8", 6, 5, 3)
    rows, whole = stored(tmp_path, x), os.preadv
    monkeypatch.setattr(
        os, "preadv", lambda file, buffers, offset: whole(file, [buffers[0][:7]], offset)
    )
    np.testing.assert_array_equal(rows[:], np.concatenate([x, x[:7] // 2]))


def test_where_there_is_no_preadv_threads_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = pixels("uint8", 6, 5, 3)
    rows, expected = stored(tmp_path, x), np.concatenate([x, x[:7] // 2])
    monkeypatch.delattr(os, "preadv")
    wrong: list[int] = []

    def check(seed: int) -> None:
        random = np.random.Generator(np.random.Philox(seed))
        for _ in range(100):
            chosen = random.integers(0, len(rows), 5)
            if not np.array_equal(rows[chosen], expected[chosen]):
                wrong.append(seed)

    threads = [Thread(target=check, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def compressed(folder: Path, x: np.ndarray) -> dict[str, object]:
    np.savez_compressed(folder / "t.npz", x=x, y=Y)
    return {"type": "npz", "path": str(folder / "t.npz")}


def packed(folder: Path, x: np.ndarray) -> dict[str, object]:
    fields = idx(folder, x)
    (folder / "x").write_bytes(gzip.compress((folder / "x").read_bytes()))
    return fields


OBSTACLES = {
    "a packed idx": (packed, pixels("uint8", 3, 3), "is packed; unpack it with gunzip"),
    "compressed Fortran order": (
        compressed,
        np.asfortranarray(pixels("uint8", 3, 3)),
        "x is compressed and in Fortran order; save numpy.ascontiguousarray",
    ),
    "texts": (npy, np.full((N, 2, 2), "a"), "holds <U1, not numbers"),
    "parts of different numbers": (
        lambda p, x: npz(p, x, x_test=x[:3].astype(np.float32), y_test=Y[:3]),
        pixels("uint8", 3, 3),
        "holds float32, the first part uint8",
    ),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_what_cannot_stay_says_why_if_it_should_and_is_loaded_if_it_need_not(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, x, problem = OBSTACLES[case]
    fields = write(tmp_path, x)
    with pytest.raises(DataError) as caught:
        Source.parse(fields | {"read": "disk"}).load(0)
    assert problem in str(caught.value) and str(caught.value).endswith("or leave `read` out")
    monkeypatch.setattr(stored_rows, "MAX_IN_MEMORY", 1)
    if case != "texts":
        assert isinstance(Source.parse(fields).load(0).features.numbers, np.ndarray)


COPIED = {
    "a compressed npz": (compressed, pixels("uint8", 3, 3)),
    "a compressed table": (compressed, pixels("float32", 4)),
    "Fortran order": (npy, np.asfortranarray(pixels("uint8", 3, 3, 2))),
    "a table in Fortran order": (npy, np.asfortranarray(pixels("int16", 5))),
}


@pytest.mark.parametrize("case", COPIED)
def test_what_is_packed_or_in_another_order_is_copied_to_the_cache_once(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write, x = COPIED[case]
    fields = write(tmp_path, x)
    here, there, again = (
        Source.parse(fields | {"read": read}).load(0) for read in ("memory", "disk", "disk")
    )
    for one in (there, again):
        assert isinstance(one.features.numbers, StoredRows)
        np.testing.assert_array_equal(one.features.array, here.features.numbers, strict=True)
        assert one.features.names == here.features.names
    assert len([*(tmp_path / "cache/nettrain/arrays").iterdir()]) == 1


@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "int16"])
def test_a_table_of_numbers_trains_from_the_disk_as_from_memory(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fields = npy(tmp_path, pixels(kind, 5))
    found = []
    for read in ("memory", "disk"):
        result = nettrain.train(config(fields | {"read": read}), output_directory=tmp_path)
        model = nettrain.load(result.run_directory)
        part = model.training_data.datasets["test"]
        found.append((result.metrics, model.evaluation(part).metrics["loss"]))
    assert found[0] == found[1]


def test_by_default_large_images_stay_and_small_ones_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = idx_in_two_parts(tmp_path, pixels("uint8", 6, 5))
    monkeypatch.setattr(stored_rows, "MAX_IN_MEMORY", 45 * 30)
    assert isinstance(Source.parse(fields).load(0).features.numbers, np.ndarray)
    monkeypatch.setattr(stored_rows, "MAX_IN_MEMORY", 45 * 30 - 1)
    assert isinstance(Source.parse(fields).load(0).features.numbers, StoredRows)


def changed_inside(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(200)
        file.write(b"\1")
    os.utime(path, ns=(1, 1))


CHANGES = {"cut short": lambda path: os.truncate(path, 1000), "written to": changed_inside}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_in_use_is_told(change: str, tmp_path: Path) -> None:
    rows = (
        Source.parse(npy(tmp_path, pixels("uint8", 6, 5, 3)) | {"read": "disk"})
        .load(0)
        .features.numbers
    )
    before = rows[:3]
    CHANGES[change](tmp_path / "x.npy")
    with pytest.raises(
        DataError, match=r"x\.npy: has changed while its rows were in use .* leave the file alone"
    ):
        rows[:3]
    assert before.any()


def test_a_file_that_ends_too_early_is_told(tmp_path: Path) -> None:
    rows = stored(tmp_path, pixels("uint8", 6, 5, 3))
    with pytest.raises(DataError, match=r"ends at byte .* cut short"):
        rows.arrays._files[0].read(memoryview(bytearray(10)), 10**6)


CHAINS = {
    "as the data wants": None,
    "none": [],
    "scale": [{"type": "scale", "divide_by": 255}],
    "standardize": ["standardize"],
    "center": ["center"],
    "minmax": [{"type": "minmax", "low": -1}],
    "log, standardize": [{"type": "log", "shift": 9}, "standardize"],
    "standardize, clip": ["standardize", {"type": "clip", "low": -1}],
    "standardize, minmax": ["standardize", "minmax"],
    "one_hot": ["one_hot"],
    "quantile": [{"type": "quantile", "quantiles": 7}],
    "robust_scale": ["robust_scale"],
    "impute": [{"type": "impute", "strategy": "median"}],
}


@pytest.mark.parametrize("kind", ["uint8", "float32"])
@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_transforms_give_the_same_bits_wherever_rows_wait(
    chain: str, kind: str, dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one array, as bytes that are transformed when a batch takes them, and from the disk."""
    fields = npy(tmp_path, pixels(kind, 6, 5, 3))
    found = []
    for read, bound in (("memory", 2**40), ("memory", 0), ("disk", 2**40)):
        monkeypatch.setattr(pipeline, "AS_BYTES", bound)
        transforms = (
            None if CHAINS[chain] is None else [Transform.parse(one) for one in CHAINS[chain]]
        )
        found.append(
            prepare(
                DatasetConfig(
                    source=Source.parse(fields | {"read": read}),
                    split=Split(test=0.3),
                    transforms=transforms,
                ),
                dtype=dtype,
            )
        )
    first, *others = found
    assert isinstance(first.parts["train"].x, np.ndarray) and isinstance(
        others[1].parts["train"].x, LazyRows
    )
    assert isinstance(others[0].parts["train"].x, LazyRows) == (kind == "uint8")
    for other in others:
        assert other.pipeline.pack()[0] == first.pipeline.pack()[0]
        for name, array in first.pipeline.pack()[1].items():
            np.testing.assert_array_equal(other.pipeline.pack()[1][name], array, strict=True)
        for name, part in first.parts.items():
            np.testing.assert_array_equal(other.parts[name].x[:], part.x, strict=True)
            rows = np.array([5, 1, 1, 9])
            x, y = np.empty((4, *part.x.shape[1:]), dtype), np.empty(4, np.int64)
            other.parts[name].gather(rows, x, y)
            np.testing.assert_array_equal(x, part.x[rows])
            np.testing.assert_array_equal(y, part.y[rows])


def test_portions_cover_all_rows_and_bound_what_they_take() -> None:
    for shape in ((10000, 4), (5, 3000, 3000), (4097, 28, 28, 1), (3, 0)):
        found = list(chunks(shape))
        assert [chunk.start for chunk in found] == [
            0,
            *(chunk.stop for chunk in found[:-1]),
        ] and found[-1].stop == shape[0]
        most = max(chunk.stop - chunk.start for chunk in found)
        assert most <= 4096 and (most == 1 or most * np.prod(shape[1:]) <= 2**22)


def with_gap(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[8, 2, 1] = np.nan
    return x


REFUSED = {
    "gaps": (
        with_gap(pixels("float32", 3, 3)),
        {"transforms": ["standardize"]},
        "x.npy: row 8: pixel [2, 1, 0] is missing",
        "impute",
    ),
    "a logarithm of 0": (
        pixels("uint8", 3, 3),
        {"transforms": [{"type": "log", "shift": -5.0}]},
        "no logarithm of",
        "set log.shift",
    ),
    "too large for float32": (
        pixels("uint8", 3, 3),
        {"transforms": [{"type": "scale", "factor": 1e38}]},
        "is infinite in float32",
        "correct the value",
    ),
    "an autoencoder": (
        pixels("uint8", 3, 3),
        {"target": "self"},
        "the rows must be in memory",
        "read: memory",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_rows_on_the_disk_cannot_have_is_told_before_training(
    case: str, tmp_path: Path
) -> None:
    x, keys, problem, remedy = REFUSED[case]
    if "transforms" in keys:
        keys = keys | {"transforms": [Transform.parse(one) for one in keys["transforms"]]}
    with pytest.raises(NettrainError) as caught:
        source = Source.parse(npy(tmp_path, x) | {"read": "disk"})
        prepare(DatasetConfig(source=source, split=ALL_ROWS, **keys))
    assert problem in str(caught.value) and remedy in str(caught.value)


def test_one_reading_tells_fingerprint_and_transforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = pixels("uint8", 6, 5, 3)
    source = Source.parse(npy(tmp_path, x) | {"read": "disk"})
    calls = read_calls(monkeypatch)
    found = prepare(DatasetConfig(source=source, split=Split(validation=0.2)))
    assert "scale (divide_by 119)" in found.notes[-1] and x.max() == 119
    assert (
        sum(calls) == x.size + 90
    )  # and one row, from which the shape behind the transforms is seen


def test_the_fingerprint_tells_any_change_and_only_changes(tmp_path: Path) -> None:
    x = pixels("uint8", 6, 5, 3)
    source = Source.parse(npy(tmp_path, x) | {"read": "disk"})
    seen = [fingerprint([source.load(0)]), fingerprint([source.load(0)])]
    x[39, 5, 4, 2] ^= 1
    npy(tmp_path, x)
    changed = source.load(0)
    whole = fingerprint([changed])
    assert seen[0] == seen[1] != whole != fingerprint([changed.take(np.arange(N)[::-1])])


@pytest.mark.parametrize("kind", ["uint8", "float32", "int16"])
def test_the_survey_finds_what_numpy_finds(kind: str, tmp_path: Path) -> None:
    x = pixels(kind, 6, 5, 3)
    if kind == "float32":
        x = with_gap(x)
    if kind == "int16":
        x[3, 0, 0] = -300
    rows = Source.parse(npy(tmp_path, x) | {"read": "disk"}).load(0).features.numbers
    assert rows.largest() == np.nanmax(np.abs(x)) and rows.has_gaps() == (kind == "float32")
    some = rows.subset(np.arange(5, 8))
    assert some.largest() == np.nanmax(np.abs(x[5:8])) and not some.has_gaps()


CONFIG = {
    "dataset": {"split": {"validation": 0.2, "test": 0.2}, "transforms": ["standardize"]},
    "model": {"type": "mlp", "hidden": [5]},
    "training": {"epochs": 4, "batch_size": 6},
}


def config(fields: dict[str, object]) -> dict[str, object]:
    return CONFIG | {"dataset": CONFIG["dataset"] | {"source": fields}}


def figures(folder: Path) -> list[str]:
    """Everything but the seconds."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [
        json.dumps({key: value for key, value in json.loads(line).items() if "seconds" not in key})
        for line in lines
    ]


def test_a_run_has_the_same_bits_in_memory_and_on_the_disk_for_any_threads(tmp_path: Path) -> None:
    fields = npz_in_two_parts(tmp_path, pixels("uint8", 6, 5, 3))
    dataset = {"source": fields, "split": {"validation": 0.2}}
    found = []
    for name, read, threads in (("a", "memory", 1), ("b", "disk", 1), ("c", "disk", 2)):
        settings = CONFIG | {"dataset": dataset | {"source": fields | {"read": read}}}
        result = nettrain.train(settings, output_directory=tmp_path, run_name=name, threads=threads)
        found.append((figures(tmp_path / name), result.metrics))
    assert found[0] == found[1] == found[2]


def test_a_run_on_stored_rows_goes_on_where_it_stopped_unless_they_changed(tmp_path: Path) -> None:
    x = pixels("uint8", 6, 5, 3)
    fields = npy(tmp_path, x) | {"read": "disk"}
    nettrain.train(config(fields), output_directory=tmp_path, run_name="whole")
    nettrain.train(
        config(fields), sets=["training.epochs=2"], output_directory=tmp_path, run_name="part"
    )
    nettrain.resume(tmp_path / "part", sets=["training.epochs=4"])
    assert figures(tmp_path / "part") == figures(tmp_path / "whole")
    x[7, 0, 0] ^= 1
    npy(tmp_path, x)
    with pytest.raises(RunError, match="the data has changed since the run began"):
        nettrain.resume(tmp_path / "part", sets=["training.epochs=6"])


def test_a_model_predicts_and_is_judged_on_stored_rows(tmp_path: Path) -> None:
    x = pixels("uint8", 6, 5, 3)
    fields = npy(tmp_path, x) | {"read": "disk"}
    nettrain.train(config(fields), output_directory=tmp_path, run_name="run")
    model = nettrain.load(tmp_path / "run")
    assert (
        isinstance(model.training_data.datasets["test"].features.numbers, StoredRows)
        and not model.data_changed
    )
    there = model.evaluation(model.training_data.datasets["test"]).metrics
    rows = model.training_data.rows["test"]
    assert there["loss"] == pytest.approx(model.evaluate(x[rows], Y[rows])["loss"], rel=1e-12)


SCRIPT = """
import sys
import nettrain
from pathlib import Path
folder = Path(sys.argv[1])
config = {"dataset": {"source": {"type": "npy", "path": str(folder / "x.npy"), "target": str(folder / "y.npy"), "read": sys.argv[2]},
          "split": {"validation": 0.1}}, "model": {"type": "mlp", "hidden": []}, "training": {"epochs": 1, "batch_size": 256}}
nettrain.train(config, output_directory=folder, run_name=sys.argv[2])
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")).split()[1])
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the largest resident set is read from /proc"
)
@pytest.mark.parametrize(
    ("read", "least", "most"),
    [("auto", 0, 200), pytest.param("memory", 300, 2000, marks=pytest.mark.slow)],
)
def test_training_on_300_megabytes_takes_less_than_200_unless_they_are_loaded(
    read: str, least: int, most: int, tmp_path: Path
) -> None:
    shape = (24_000, 64, 64, 3)
    with (tmp_path / "x.npy").open("wb") as file:  # sparse: zeros that take no room
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        file.truncate(file.tell() + int(np.prod(shape)))
    np.save(tmp_path / "y.npy", np.arange(shape[0]) % 2)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path, read], capture_output=True, text=True, check=True
    )
    assert least < int(done.stdout) / 1024 < most


class CutShort(Callback):
    """At the end of an epoch somebody cuts the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def epoch_end(self, run: Run, row: Row) -> None:
        os.truncate(self.path, 1000)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_file_that_is_cut_during_training_ends_the_run_with_a_message(
    threads: int, tmp_path: Path
) -> None:
    fields = npy(tmp_path, pixels("uint8", 6, 5, 3)) | {"read": "disk"}
    with pytest.raises(
        DataError, match=r"x\.npy: has changed while its rows were in use \(from .* to 1000 bytes\)"
    ):
        nettrain.train(
            config(fields),
            output_directory=tmp_path,
            threads=threads,
            callbacks=[CutShort(tmp_path / "x.npy")],
        )
