"""Folders of images: PNG, JPEG, GIF, BMP, TIFF of any mode and size, damaged; odd names and files."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing.case import DANGLING, ENDLESS, FIFO, FOLDER, Case
from fuzzing.damage import damaged
from fuzzing.pick import pick
from fuzzing.schema import schema, small, wild
from hypothesis import strategies as st
from PIL import Image

MOST_MEMORY = 2 * 2**30  # a picture of few bytes may have 89 million pixels, Pillow's bound
MODES = ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I", "F", "I;16", "YCbCr", "HSV", "LAB"]
FORMATS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "tif": "TIFF", "webp": "WEBP"}
NAMES = [
    "a/1",
    "a/2",
    "a/3",
    "b/1",
    "b/2",
    "b/3",
    "b/deep/3",
    "3",
    ".hidden/1",
    "a/.1",
    "é/1",
    "train/a/1",
    "test/a/1",
    "<b>/1",
]


def prepare(folder: Path) -> None:
    """Nothing is needed."""


@cache
def _image(mode: str, kind: str, width: int, height: int) -> bytes:
    noise = np.random.Generator(np.random.PCG64(0)).integers(0, 256, (height, width, 3), np.uint8)
    file = io.BytesIO()
    try:
        Image.fromarray(noise).convert(mode).save(file, kind)
    except (OSError, ValueError, KeyError):  # not every format holds every mode
        Image.fromarray(noise).save(file, kind)
    return file.getvalue()


def _bomb(width: int, height: int) -> bytes:
    """A PNG that says it is of this size, and holds few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**4)))
        + chunk(b"IEND", b"")
    )


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    files: dict[str, Any] = {}
    if draw(st.booleans()):
        files = {f"pets/{name}/0.png": _image("RGB", "PNG", 4, 4) for name in "ab"}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        ending = pick(draw, ["png"] * 12 + ["jpg"] * 6 + sorted(FORMATS))
        side = st.sampled_from([1, 4, 4, 4, 7])
        content: Any = _image(pick(draw, MODES), FORMATS[ending], draw(side), draw(side))
        match draw(st.integers(0, 20)):
            case 7 | 8 | 9:
                content = draw(damaged(content))
            case 10:
                content = pick(draw, [FIFO, ENDLESS, FOLDER, DANGLING, b"", b"no image"])
            case 11:
                content = _bomb(
                    *pick(draw, [(10**5, 10**5), (2**31 - 1, 1), (0, 0), (20_000, 4_000)])
                )
        files[f"pets/{name}.{pick(draw, [ending] * 20 + ['txt', 'PNG', ''])}"] = content
    properties = schema()["$defs"]["source.images"]["properties"]
    grammar = wild() if draw(st.booleans()) else small()
    optional = {
        key: grammar.values(item, 1)
        for key, item in properties.items()
        if key not in ("type", "path", "size")
    }
    keys = draw(st.fixed_dictionaries({}, optional=optional)) if draw(st.booleans()) else {}
    sizes = [4, 4, 4, 4, 1, 7, [4, 7], 0, -1, 10**9, 2**31 - 1, [1, 2**31 - 1], "4", [4], [4, 4, 3]]
    if draw(st.booleans()):
        keys["size"] = pick(draw, sizes)
    call = pick(draw, ["load", "propose"])
    return Case(
        "images", {"call": call, "source": keys | {"type": "images", "path": "pets"}}, files
    )


def cases() -> st.SearchStrategy[Case]:
    """A folder, keys of its source, and what is asked of it."""
    return _cases()


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or rows come of it."""
    from pydantic import ValidationError
    from pydantic_core import PydanticCustomError

    from nettrain.cli.data_argument import mapping_for
    from nettrain.data.source import Source

    if case.arguments["call"] == "propose":
        mapping_for(folder / "pets", None)
        return
    try:
        source = Source.parse(case.arguments["source"]).absolute(folder)
    except (ValidationError, PydanticCustomError):
        return  # what the kind `config` looks at
    source.load(0).features.array  # noqa: B018, images that stay on the disk are read here
