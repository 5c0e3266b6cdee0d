"""Files from anywhere: every format, damaged, oversized or no file at all, ends in a message, soon."""

import gzip
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from nettrain.data.readers import image_list
from nettrain.data.readers.arrays import locate_npy, locate_npz, read_npy, read_npz
from nettrain.data.source import Source
from nettrain.errors import DataError, NettrainError
from nettrain.files import LIMIT_KEY


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(compression: int = zipfile.ZIP_DEFLATED, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(array))
    return file.getvalue()


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


X, Y = np.arange(96, dtype=np.uint8).reshape(6, 4, 4), np.arange(6, dtype=np.uint8) % 2
TABLE = b"a,b,y\n1,x,0\n2.5,,1\n-3e1,z,0\n,x,1\n"
LINES = b'{"a": 1, "b": "x", "y": 0}\n{"a": 2.5, "b": null, "y": 1}\n{"a": -30, "y": 0}\n'

# A small valid file of each format: its bytes, and the keys of its source.
FILES: dict[str, tuple[bytes, dict[str, object]]] = {
    "csv": (TABLE, {"type": "csv", "target": "y"}),
    "csv, gzip": (gzip.compress(TABLE), {"type": "csv", "target": "y"}),
    "csv, utf-16": (TABLE.decode().encode("utf-16"), {"type": "csv", "target": "y"}),
    "jsonl": (LINES, {"type": "jsonl", "target": "y", "categorical": ["a"]}),
    "npz": (npz(x=X, y=Y), {"type": "npz"}),
    "npz, stored": (npz(zipfile.ZIP_STORED, x=X, y=Y), {"type": "npz", "read": "disk"}),
    "npz, lzma": (npz(zipfile.ZIP_LZMA, x=X, y=Y), {"type": "npz"}),
    "npz, bzip2": (npz(zipfile.ZIP_BZIP2, x=X, y=Y), {"type": "npz"}),
    "npy": (npy(X), {"type": "npy", "target": "y.npy"}),
    "idx": (idx(X), {"type": "idx", "labels": "y.idx"}),
    "idx, gzip": (gzip.compress(idx(X)), {"type": "idx", "labels": "y.idx"}),
    "images": (png(X[0]), {"type": "images", "size": 4}),
    "images of 16 bits": (png(X[0].astype(np.uint16) * 700), {"type": "images", "size": 4}),
}


def source(folder: Path, kind: str, content: bytes) -> Source:
    _, fields = FILES[kind]
    (folder / "y.npy").write_bytes(npy(Y))
    (folder / "y.idx").write_bytes(idx(Y))
    if fields["type"] == "images":
        for name in "ab":
            (folder / "pets" / name).mkdir(parents=True, exist_ok=True)
            (folder / "pets" / name / "1.png").write_bytes(FILES["images"][0])
        (folder / "pets" / "b" / "2.png").write_bytes(content)
        return Source.parse(fields | {"path": str(folder / "pets")})
    (folder / "file").write_bytes(content)
    key = "images" if fields["type"] == "idx" else "path"
    return Source.parse(fields | {key: "file"}).absolute(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("untrusted")


@pytest.mark.parametrize("kind", FILES)
def test_the_files_are_sound_before_they_are_damaged(kind: str, folder: Path) -> None:
    assert len(source(folder, kind, FILES[kind][0]).load(0)) >= 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", FILES)
@given(data=st.data())
@settings(max_examples=40, deadline=20_000, suppress_health_check=list(HealthCheck))
def test_changed_bytes_end_in_a_message_or_in_rows(
    kind: str, data: st.DataObject, folder: Path
) -> None:
    content = bytearray(FILES[kind][0])
    places = st.integers(0, len(content) - 1)
    for place, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        content[place] = byte
    end = data.draw(st.none() | places)
    damaged = source(folder, kind, bytes(content[:end]))
    try:
        dataset = damaged.load(0)
        dataset.features.array  # noqa: B018, rows on the disk are read here
    except NettrainError as error:
        assert str(error)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("what", ["FIFO", "device"])
def test_what_is_no_regular_file_is_refused_at_once(kind: str, what: str, tmp_path: Path) -> None:
    special = source(tmp_path, kind, FILES[kind][0])
    path = tmp_path / ("pets/b/2.png" if "images" in kind else "file")
    path.unlink()
    if what == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(DataError, match=f"{path.name}: cannot be read: is a {what}"):
        special.load(0)


def test_an_axis_of_no_length_does_not_hide_the_others(tmp_path: Path) -> None:
    shape = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 0, 2**31)
    with pytest.raises(DataError, match=r"file: its header .* promises no numbers"):
        source(tmp_path, "idx", shape).load(0)


@pytest.mark.parametrize("read", ["memory", "disk"])
def test_images_are_not_scaled_beyond_the_memory(read: str, tmp_path: Path) -> None:
    fields = {"type": "images", "path": str(pets(tmp_path)), "size": 2**31 - 1, "read": read}
    with pytest.raises(DataError, match=r"images of 2147483647 x 2147483647: takes .* in memory"):
        Source.parse(fields).load(0)


def header(text: str, data: bytes = bytes(64)) -> bytes:
    padded = text.encode("latin-1") + b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded + data


def described(descr: str = "'<f4'", shape: str = "(4, 4)") -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")


HEADERS = {
    "text unbalanced": header("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4}"),
    "a bracket open": header("{'descr': '<f4', 'shape': (((((("),
    "no text": header("\x00\xff\x01"),
    "a negative length": described(shape="(-1, 4)"),
    "a truth value as length": described(shape="(True, 4)"),
    "a text as length": described(shape="('4', 4)"),
    "a float as length": described(shape="(4.0, 4)"),
    "a length near 2**63": described(shape="(9223372036854775807, 4)"),
    "a length near 2**63 beside 0": described(shape="(9223372036854775807, 0)"),
    "a length beyond 2**63": described(shape="(99999999999999999999999, 0)"),
    "many axes": described(shape="(" + "1, " * 70 + ")"),
    "texts of no length": described("'<U0'"),
    "bytes of no length": described("'|V0'"),
    "raw bytes": described("'|V4'"),
    "times": described("'<M8[s]'"),
    "complex numbers": described("'<c8'"),
    "a record": described("[('a', '<f4')]"),
    "a sub-array": described("('<f4', (2,))"),
    "no such type": described("'<q9'"),
    "pickled objects": described("'|O'"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", HEADERS)
def test_headers_of_numpy_files_are_not_believed(case: str, tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_bytes(HEADERS[case])
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "x.npz", "w", compression) as archive:
            archive.writestr("x.npy", HEADERS[case])
        for read in (
            lambda: read_npy(tmp_path / "x.npy"),
            lambda: locate_npy(tmp_path / "x.npy"),
            lambda: read_npz(tmp_path / "x.npz", {"x": "x"}),
            lambda: locate_npz(tmp_path / "x.npz", "x", "x"),
        ):
            with pytest.raises(DataError):
                read()


ODD_TARGETS = {
    "no axis": np.array(1.0),
    "no rows": np.zeros(0),
    "three axes": np.zeros((6, 1, 1)),
    "times": np.array(["2020-01-01"] * 6, "M8[D]"),
    "bytes that are no text": np.array([b"\xff"] * 6),
}


@pytest.mark.parametrize("case", ODD_TARGETS)
def test_targets_of_odd_shapes_and_types_are_refused(case: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "t.npz", x=X, y=ODD_TARGETS[case])
    with pytest.raises(DataError, match=r"t\.npz"):
        Source.parse({"type": "npz", "path": str(tmp_path / "t.npz")}).load(0)


def test_targets_of_two_parts_that_are_of_different_types_are_refused(tmp_path: Path) -> None:
    for y_test in (np.array(["a"] * 6), np.array([b"a"] * 6), np.zeros((6, 2))):
        np.savez(tmp_path / "t.npz", x=X, y=Y, x_test=X, y_test=y_test)
        fields = {"type": "npz", "x_test": "x_test", "y_test": "y_test"}
        with pytest.raises(DataError, match="of the test part"):
            Source.parse(fields | {"path": str(tmp_path / "t.npz")}).load(0)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "NaN"])
@pytest.mark.parametrize("categorical", [[], ["a"]])
def test_json_numbers_without_end_are_refused(
    number: str, categorical: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t.jsonl").write_text(f'{{"a": 1, "y": 0}}\n{{"a": {number}, "y": 1}}\n')
    fields = {"type": "jsonl", "path": str(tmp_path / "t.jsonl"), "target": "y"}
    with pytest.raises(DataError, match=r"t\.jsonl:2: "):
        Source.parse(fields | {"categorical": categorical}).load(0)


BOMBS: dict[str, tuple[Callable[[], bytes], dict[str, object]]] = {
    "npz": (lambda: npz(x=np.zeros((10**5, 40)), y=np.zeros(10**5)), {"type": "npz"}),
    "csv": (lambda: gzip.compress(b"a,y\n" + b"1,0\n" * 300_000), {"type": "csv", "target": "y"}),
    "jsonl": (
        lambda: gzip.compress(b'{"a": 1, "y": 0}\n' * 10**5),
        {"type": "jsonl", "target": "y"},
    ),
    "idx": (
        lambda: gzip.compress(idx(np.zeros((10**5, 8, 8), np.uint8))),
        {"type": "idx", "labels": "y"},
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, fields = BOMBS[kind]
    (tmp_path / "bomb").write_bytes(make())
    (tmp_path / "y").write_bytes(idx(np.zeros(10**5, np.uint8)))
    key = "images" if kind == "idx" else "path"
    bomb = Source.parse(fields | {key: "bomb"}).absolute(tmp_path)
    monkeypatch.setenv(LIMIT_KEY, "1M")
    with pytest.raises(
        DataError, match=f"bomb.* unpack to .*more than the limit of 1 MB.*{LIMIT_KEY}"
    ):
        bomb.load(0)
    monkeypatch.setenv(LIMIT_KEY, "1G")
    assert len(bomb.load(0)) >= 10**5


def test_an_array_larger_than_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1000, 40)))
    monkeypatch.setattr("nettrain.files.available_memory", lambda: 10**5)
    with pytest.raises(DataError, match=r"x\.npy: takes 320 kB in memory, and 100 kB are free"):
        read_npy(tmp_path / "x.npy")


def pets(folder: Path) -> Path:
    for name in "ab":
        (folder / "pets" / name).mkdir(parents=True)
        (folder / "pets" / name / "1.png").write_bytes(png(X[0]))
    return folder / "pets"


def test_links_to_folders_outside_are_not_followed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = pets(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "1.png").write_bytes(png(X[1]))
    images = Source.parse({"type": "images", "path": str(root)})
    (root / "a" / "more").symlink_to(elsewhere)
    assert len(images.load(0)) == 2 and "1 links to folders are passed over (more)" in caplog.text
    (root / "same").symlink_to(root / "a")
    assert len(images.load(0)) == 3
    (root / "c").symlink_to(elsewhere)
    with pytest.raises(DataError, match="pets/c: a link to a folder outside of pets"):
        images.load(0)


def test_folders_of_too_many_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_list, "_MOST_FILES", 0)
    with pytest.raises(DataError, match="more than 0 files; give the folder of the images alone"):
        Source.parse({"type": "images", "path": str(pets(tmp_path))}).load(0)


def test_a_file_name_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    root = pets(tmp_path)
    os.rename(root / "a" / "1.png", os.fsencode(root / "a") + b"/\xff.png")
    with pytest.raises(DataError, match=r"pets: the file name b'a/\\xff.png' is not UTF-8"):
        Source.parse({"type": "images", "path": str(root)}).load(0)


def test_jsonl_of_utf_16_is_read_by_its_mark(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes('{"a": "é", "y": 0}\n{"a": "ü", "y": 1}\n'.encode("utf-16"))
    found = Source.parse({"type": "jsonl", "path": str(tmp_path / "t.jsonl"), "target": "y"}).load(
        0
    )
    assert found.features.categories["a"].values == ("é", "ü") and "utf-16" in found.notes[0]


def test_the_first_mistake_of_a_json_file_has_its_line(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_bytes(json.dumps({"a": 1}).encode() + b"\n\xff\n")
    with pytest.raises(DataError, match=r"t\.jsonl:2: not JSON"):
        Source.parse({"type": "jsonl", "path": str(tmp_path / "t.jsonl"), "target": "a"}).load(0)
