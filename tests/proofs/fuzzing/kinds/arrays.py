"""IDX, npy and npz files: any type, any shape, headers that lie, damage; and the files of splits."""

import gzip
import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.damage import damaged
from fuzzing.pick import pick
from hypothesis import strategies as st

TYPES = [
    "<f4",
    "<f8",
    ">f8",
    "<f2",
    "<i4",
    "<i8",
    ">i2",
    "|u1",
    "<u8",
    "|b1",
    "<U3",
    "|S3",
    "<M8[s]",
    "<c8",
    "|V3",
    "<m8[D]",
]
SHAPES = [
    (),
    (0,),
    (6,),
    (6, 1),
    (6, 3),
    (6, 0),
    (0, 3),
    (6, 4, 4),
    (6, 4, 4, 1),
    (6, 4, 4, 3),
    (1,) * 9,
    (5, 3),
    (6, 2, 2, 2, 2),
]
DESCRIBED = [
    "'<f4'",
    "'|O'",
    "[('a', '<f4')]",
    "('<f4', (2,))",
    "'<q9'",
    "'<U0'",
    "'|V0'",
    "'<M8[s]'",
    "1",
    "__import__('os')",
]
LENGTHS = [
    "6",
    "-1",
    "0",
    "True",
    "4.0",
    "'4'",
    "9223372036854775807",
    "99999999999999999999",
    "1, " * 70,
    "((((",
    "",
]


def prepare(folder: Path) -> None:
    """Nothing is needed."""


@st.composite
def _array(draw: st.DrawFn) -> np.ndarray:
    shape, kind = pick(draw, SHAPES), pick(draw, TYPES)
    numbers = np.random.Generator(np.random.PCG64(draw(st.integers(0, 9)))).integers(
        0, 3, size=shape
    )
    if kind[1] in "fc" and draw(st.booleans()):
        numbers = np.where(numbers == 0, pick(draw, [np.nan, np.inf, 1e30, 5e-324]), numbers)
    try:
        found = np.asarray(numbers).astype(kind)
    except (TypeError, ValueError):
        found = np.zeros(shape, kind)
    return np.asfortranarray(found) if draw(st.booleans()) else found


def _saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


SOUND = {
    "x": _saved(np.arange(96, dtype=np.uint8).reshape(6, 4, 4)),
    "y": _saved(np.arange(6) % 2),
    "x_test": _saved(np.zeros((3, 4, 4), np.uint8)),
    "y_test": _saved(np.arange(3) % 2),
    "train": _saved(np.arange(12)),
    "validation": _saved(np.arange(12, 16)),
    "test": _saved(np.arange(16, 20)),
}


@st.composite
def _npy(draw: st.DrawFn, name: str) -> bytes:
    """The array of this name as it should be, another one, or a header that lies."""
    kind = pick(draw, "sssaah")
    if kind == "s" and name in SOUND:
        return SOUND[name]
    if kind != "h":
        return _saved(draw(_array()))
    shape = f"({pick(draw, LENGTHS)}, {pick(draw, LENGTHS)})"
    text = f"{{'descr': {pick(draw, DESCRIBED)}, 'fortran_order': {draw(st.booleans())}, 'shape': {shape}, }}"
    padded = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
    major = pick(draw, [1, 2, 3, 9])
    length = struct.pack("<H" if major == 1 else "<I", len(padded))
    return b"\x93NUMPY" + bytes([major, 0]) + length + padded + bytes(pick(draw, [0, 24, 96]))


@st.composite
def _npz(draw: st.DrawFn, names: list[str]) -> bytes:
    file = io.BytesIO()
    how = pick(
        draw, [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    )
    some = st.just(names[:-2]) | st.lists(st.sampled_from(names), max_size=4, unique=True)
    with zipfile.ZipFile(file, "w", how) as archive:
        for name in draw(some):
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), draw(_npy(name)), compress_type=how)
    return file.getvalue()


@st.composite
def _idx(draw: st.DrawFn) -> bytes:
    if draw(st.booleans()):
        return struct.pack(">BBBB3I", 0, 0, 8, 3, 6, 4, 4) + bytes(range(96))
    code = pick(draw, [8, 8, 8, 9, 0x0B, 0x0C, 0x0D, 0x0E, 0, 255])
    shape = draw(st.lists(st.sampled_from([0, 1, 4, 6, 6, 6, 2**31, 2**32 - 1]), max_size=5))
    size = pick(draw, [0, 6, 24, 96, 96, 192, 768])
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + bytes(size)


def _labels(draw: st.DrawFn, good: bytes) -> bytes:
    return draw(st.sampled_from([good, good]) | damaged(good) | _npy("y") | _idx())


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    kind = pick(draw, ["npy", "npz", "idx", "split"])
    labels = struct.pack(">BBBBI", 0, 0, 8, 1, 6) + bytes([0, 1] * 3)
    files: dict[str, Any]
    match kind:
        case "npy":
            files = {"x.npy": draw(_npy("x")), "y.npy": _labels(draw, SOUND["y"])}
            source = {"type": "npy", "path": "x.npy", "target": "y.npy"}
        case "npz":
            files = {"x.npz": draw(_npz(["x", "y", "x_test", "y_test", "../x", ""]))}
            source = {"type": "npz", "path": "x.npz"}
            if draw(st.booleans()):
                source |= {"x_test": "x_test", "y_test": "y_test"}
        case "idx":
            files = {"x.idx": draw(_idx()), "y.idx": _labels(draw, labels)}
            source = {"type": "idx", "images": "x.idx", "labels": "y.idx"}
        case _:
            files = {"x.npz": draw(_npz(["train", "validation", "test", "x", ""]))}
            source = {"type": "moons", "rows": 20}
    if kind in ("npy", "npz") and draw(st.booleans()):
        source["read"] = "disk"
    first = next(iter(files))
    files[first] = draw(st.just(files[first]) | st.just(files[first]) | damaged(files[first]))
    if draw(st.integers(0, 9)) == 7:
        files[first] = gzip.compress(files[first])
    if draw(st.integers(0, 49)) == 7:
        files[first] = pick(draw, [FIFO, ENDLESS, FOLDER, DANGLING, b""])
    call = pick(draw, ["load", "load", "propose"]) if kind != "split" else "split"
    return Case("arrays", {"call": call, "source": source}, files)


def words() -> list[str]:
    """What a guided change puts in: pieces of headers."""
    return [*TYPES, *DESCRIBED, *LENGTHS]


def cases() -> st.SearchStrategy[Case]:
    """Files, their source, and what is asked of it."""
    return _cases()


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or rows come of it."""
    import nettrain
    from nettrain.cli.data_argument import is_data, mapping_for
    from nettrain.data.source import Source

    first = folder / next(iter(case.files))
    match case.arguments["call"]:
        case "propose":
            is_data(first)
            mapping_for(first, None)
        case "split":
            dataset = {"source": case.arguments["source"], "split": {"file": str(first)}}
            training = {"epochs": 1, "kernels": "numpy"}
            config = {"name": "run", "dataset": dataset, "model": "mlp", "training": training}
            nettrain.train(config, output_directory=folder)
        case _:
            dataset = Source.parse(case.arguments["source"]).absolute(folder).load(0)
            dataset.features.array  # noqa: B018, rows on the disk are read here
