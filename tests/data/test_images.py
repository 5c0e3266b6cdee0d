"""Image files: what becomes of every kind of pixel, folders and tables, what is refused before training, and predictions for files."""

import csv
import io
import os
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from typer.testing import CliRunner

import nettrain
from nettrain.cli.main import app
from nettrain.data.readers.image_file import read_header, read_image
from nettrain.data.rows import images as image_rows
from nettrain.data.rows.stored import StoredRows
from nettrain.data.source import Source
from nettrain.errors import DataError, NettrainError

GREY = np.array([[0, 50, 100], [150, 200, 255]], np.uint8)
COLORS = np.stack([GREY, 255 - GREY, GREY // 2], axis=-1)
GOLDEN = Path(__file__).parents[1] / "golden" / "image_resize.npz"


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette(**options: object) -> bytes:
    image = Image.fromarray(np.array([[0, 1, 2], [2, 1, 0]], np.uint8), mode="P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    return saved(image, **options)


def with_alpha(array: np.ndarray) -> Image.Image:
    array = array if array.ndim == 3 else array[..., None]
    return Image.fromarray(np.concatenate([array, np.full((2, 3, 1), 9, np.uint8)], axis=-1))


def wide_colors() -> bytes:
    """A PNG of 16 bits a colour, which Pillow cannot write."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + (row.astype(">u2") * 257).tobytes() for row in COLORS)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 3, 2, 16, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def jpeg(array: np.ndarray, mode: str | None = None) -> bytes:
    image = Image.fromarray(array)
    return saved(image if mode is None else image.convert(mode), "JPEG", quality=100, subsampling=0)


PALETTE = np.array(
    [[[10, 20, 30], [40, 50, 60], [70, 80, 90]], [[70, 80, 90], [40, 50, 60], [10, 20, 30]]]
)
WIDE = np.array([[0, 128, 129], [257 * 100, 257 * 100 + 129, 65535]], np.uint16)
# The file's bytes, what it is, the bytes that are expected, and by how much they may differ (JPEG loses some).
KINDS: dict[str, tuple[bytes, str, np.ndarray, int]] = {
    "grey": (saved(Image.fromarray(GREY)), "grey", GREY, 0),
    "grey with alpha": (saved(with_alpha(GREY)), "grey", GREY, 0),
    "grey with a transparent shade": (
        saved(Image.fromarray(GREY), transparency=50),
        "grey",
        GREY,
        0,
    ),
    "black and white": (saved(Image.fromarray(GREY > 120)), "grey", (GREY > 120) * 255, 0),
    "grey of 16 bits": (
        saved(Image.fromarray(WIDE)),
        "grey",
        np.array([[0, 0, 1], [100, 101, 255]]),
        0,
    ),
    "colours": (saved(Image.fromarray(COLORS)), "rgb", COLORS, 0),
    "colours with alpha": (saved(with_alpha(COLORS)), "rgb", COLORS, 0),
    "colours of 16 bits": (wide_colors(), "rgb", COLORS, 0),
    "a palette": (palette(), "rgb", PALETTE, 0),
    "a palette with alpha": (palette(transparency=b"\0\x80\xff"), "rgb", PALETTE, 0),
    "a JPEG in grey": (jpeg(GREY), "grey", GREY, 3),
    "a JPEG in colours": (jpeg(COLORS), "rgb", COLORS, 8),
    "a JPEG for print": (jpeg(COLORS, "CMYK"), "rgb", COLORS, 8),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_pixel_becomes_bytes(kind: str, tmp_path: Path) -> None:
    data, color, expected, tolerance = KINDS[kind]
    (tmp_path / "a.png").write_bytes(data)
    header = read_header(tmp_path / "a.png")
    assert (header.height, header.width, header.color) == (2, 3, color)
    found = read_image(tmp_path / "a.png", (2, 3), header.color)
    assert found.dtype == np.uint8 and found.shape == (2, 3, 1 if color == "grey" else 3)
    assert np.abs(found.astype(int) - expected.reshape(found.shape)).max() <= tolerance


def test_grey_becomes_three_equal_colours_and_colours_their_brightness(tmp_path: Path) -> None:
    (tmp_path / "g.png").write_bytes(saved(Image.fromarray(GREY)))
    (tmp_path / "c.png").write_bytes(saved(Image.fromarray(COLORS)))
    np.testing.assert_array_equal(
        read_image(tmp_path / "g.png", (2, 3), "rgb"), np.stack([GREY] * 3, axis=-1)
    )
    brightness = COLORS @ [0.299, 0.587, 0.114]
    assert np.abs(read_image(tmp_path / "c.png", (2, 3), "grey")[..., 0] - brightness).max() <= 0.51


# What the standard calls row 0 and column 0 of the picture: 6 is shown turned clockwise by a quarter.
TURNED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda x: x,
    2: np.fliplr,
    3: lambda x: np.rot90(x, 2),
    4: np.flipud,
    5: lambda x: np.swapaxes(x, 0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: np.swapaxes(np.rot90(x, 2), 0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("form", ["colours", "grey of 16 bits", "JPEG"])
def test_images_are_turned_as_viewers_show_them(
    orientation: int, form: str, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(WIDE if form == "grey of 16 bits" else COLORS)
    (tmp_path / "a.png").write_bytes(saved(image, "JPEG" if form == "JPEG" else "PNG", exif=exif))
    header = read_header(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(saved(image, "JPEG" if form == "JPEG" else "PNG"))
    expected = TURNED[orientation](read_image(tmp_path / "b.png", (2, 3), header.color))
    assert (header.height, header.width) == expected.shape[:2]
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.png", expected.shape[:2], header.color), expected
    )


@pytest.mark.parametrize("at", [0, 9, 14, 20])
def test_damaged_exif_data_does_not_spoil_a_good_image(at: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 1
    data = bytearray(saved(Image.fromarray(COLORS), "JPEG", exif=exif))
    start = data.index(b"Exif\0\0") + 6
    data[start + at : start + at + 3] = b"\xff\xff\xff"
    for name in ("a/1.jpg", "b/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(bytes(data))
    assert source(tmp_path).load(0).features.numbers.shape == (
        2,
        2,
        3,
        3,
    )  # with warnings as errors, as in all tests


@pytest.mark.parametrize("name", ["smaller", "larger", "both", "half"])
def test_scaling_is_pytorchs_bilinear_interpolation_with_antialiasing(
    name: str, tmp_path: Path
) -> None:
    with np.load(GOLDEN) as golden:
        image, expected = golden["image"], golden[name]
    (tmp_path / "a.png").write_bytes(saved(Image.fromarray(image)))
    found = read_image(tmp_path / "a.png", expected.shape[:2], "rgb")
    assert np.abs(found - expected).max() <= 1.01  # in bytes, rounded once for each axis


def put(folder: Path, *names: str, size: tuple[int, int] = (2, 3), color: bool = True) -> Path:
    """Images of these names, each of another shade."""
    for place, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shape = (*size, 3) if color else size
        Image.fromarray(np.full(shape, 10 * place % 256, np.uint8)).save(folder / name)
    return folder


def source(path: Path, **fields: object) -> Source:
    return Source.parse({"type": "images", "path": str(path), **fields})


def test_a_folder_a_class_in_the_order_of_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(
        tmp_path,
        "b/2.png",
        "b/10.PNG",
        "b/more/0.jpeg",
        "a/1.jpg",
        ".hidden/x.png",
        "b/.hidden/x.png",
        "b/.x.png",
    )
    (tmp_path / "b" / "notes.txt").write_text("hello")
    (tmp_path / "README").write_text("hello")
    found = source(tmp_path).load(0)
    assert found.files.tolist() == ["a/1.jpg", "b/10.PNG", "b/2.png", "b/more/0.jpeg"]
    assert (
        found.target.classes == ("a", "b")
        and found.target.values.tolist() == [0, 1, 1, 1]
        and found.part is None
    )
    assert found.features.numbers[:, 0, 0, 0].tolist() == [30, 10, 0, 20]
    assert found.place(2) == f"{tmp_path}: b/2.png"
    assert (
        "1 files that are no PNG or JPEG by their name are passed over (notes.txt)" in caplog.text
    )


@pytest.mark.parametrize("validation", ["validation", "val", "valid"])
def test_folders_of_parts_are_official_parts(validation: str, tmp_path: Path) -> None:
    put(
        tmp_path,
        "train/a/1.png",
        "train/b/1.png",
        f"{validation}/b/1.png",
        "test/a/1.png",
        "test/a/2.png",
    )
    found = source(tmp_path).load(0)
    assert found.part.tolist() == [-1, -1, 1, 2, 2] and found.target.values.tolist() == [
        0,
        1,
        1,
        0,
        0,
    ]
    assert found.files.tolist() == [
        "train/a/1.png",
        "train/b/1.png",
        f"{validation}/b/1.png",
        "test/a/1.png",
        "test/a/2.png",
    ]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    assert source(put(tmp_path, "train/1.png", "plane/1.png")).load(0).target.classes == (
        "plane",
        "train",
    )


def table(folder: Path, text: str) -> Path:
    put(folder, "x/1.png", "x/2.png", "3.png")
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return folder / "t.csv"


def test_a_table_names_paths_labels_and_parts(tmp_path: Path) -> None:
    found = source(
        table(
            tmp_path,
            '\ufefflabel, part ,path\ndog,train,x/2.png\n\n"cat",train,3.png\ndog,test,x/1.png\n',
        )
    ).load(0)
    assert found.files.tolist() == [os.path.join("x", "2.png"), "3.png", os.path.join("x", "1.png")]
    assert (
        found.target.classes == ("cat", "dog")
        and found.target.values.tolist() == [1, 0, 1]
        and found.part.tolist() == [-1, -1, 2]
    )
    without = source(table(tmp_path, "path,label\nx/2.png,b\n3.png,a\n")).load(0)
    assert without.part is None and without.features.numbers[:, 0, 0, 0].tolist() == [10, 20]


def test_size_and_color_are_given_to_all(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png")
    put(tmp_path, "b/1.png", size=(8, 4), color=False)
    for size in (5, [5, 5]):
        assert source(tmp_path, size=size, color="grey").load(0).features.numbers.shape == (
            2,
            5,
            5,
            1,
        )
    assert source(tmp_path, size=[4, 7], color="rgb").load(0).features.numbers.shape == (2, 4, 7, 3)


def damaged(folder: Path, change: Callable[[bytes], bytes], name: str = "b/2.png") -> Source:
    put(folder, "a/1.png", "b/1.png")
    random = np.random.Generator(np.random.Philox(0))
    data = saved(
        Image.fromarray(random.integers(0, 256, (2, 3, 3), dtype=np.uint8)),
        "PNG" if name.endswith("png") else "JPEG",
    )
    (folder / name).write_bytes(change(data))
    return source(folder)


def mixed(folder: Path, **changes: object) -> Source:
    put(folder, "a/1.png", "b/1.png")
    put(folder, "b/2.png", **changes)
    return source(folder)


BAD: dict[str, tuple[Callable[[Path], Source], str, str]] = {
    "a PNG cut short": (
        lambda p: damaged(p, lambda data: data[:60]),
        "b/2.png: the image cannot be decoded",
        "replace or remove it",
    ),
    "a JPEG cut short": (
        lambda p: damaged(p, lambda data: data[:-30], "b/2.jpg"),
        "b/2.jpg: the image cannot be decoded",
        "damaged",
    ),
    "a PNG with a wrong checksum": (
        lambda p: damaged(p, lambda data: data[:45] + bytes([data[45] ^ 255]) + data[46:]),
        "b/2.png: the image cannot be",
        "damaged",
    ),
    "no image at all": (
        lambda p: damaged(p, lambda data: b"hello"),
        "b/2.png: is no PNG or JPEG image",
        "replace or remove it",
    ),
    "an empty file": (
        lambda p: damaged(p, lambda data: b""),
        "b/2.png: is no PNG or JPEG image",
        "replace or remove it",
    ),
    "another format under that name": (
        lambda p: damaged(p, lambda data: saved(Image.fromarray(COLORS), "BMP")),
        "b/2.png: is no PNG or JPEG image",
        "replace",
    ),
    "sizes that differ": (
        lambda p: mixed(p, size=(8, 4)),
        "a/1.png is 2 x 3",
        "set dataset.source.size, such as [2, 3]",
    ),
    "colours that differ": (
        lambda p: mixed(p, color=False),
        "b/2.png is grey",
        "set dataset.source.color: rgb or grey",
    ),
    "no such folder": (lambda p: source(p / "none"), "none: no such file", "check the path"),
    "an empty folder": (
        lambda p: source(p),
        "there are no class folders in it",
        "into a folder with its name",
    ),
    "images and no folders": (
        lambda p: source(put(p, "1.png", "2.png")),
        "there are no class folders in it",
        "into a folder",
    ),
    "an empty class folder": (
        lambda p: [put(p, "a/1.png"), (p / "b").mkdir(), source(p)][-1],
        "b: there are no PNG or JPEG images in this class",
        "remove",
    ),
    "an empty test class": (
        lambda p: [put(p, "train/a/1.png"), (p / "test/a").mkdir(parents=True), source(p)][-1],
        "test/a: there are no PNG",
        "remove",
    ),
    "a class that only the test folder has": (
        lambda p: source(put(p, "train/cat/1.png", "train/dog/1.png", "test/dogs/1.png")),
        "test/dogs/1.png: the class 'dogs' occurs in the part test and not in train; did you mean 'dog'?",
        "add images of it to train",
    ),
    "a class that only the validation folder has": (
        lambda p: source(put(p, "train/cat/1.png", "train/dog/1.png", "val/ox/1.png")),
        "'ox' occurs in the part validation",
        "remove it",
    ),
    "an image beside class folders": (
        lambda p: source(put(p, "a/1.png", "b/1.png", "2.png")),
        "2.png: an image beside",
        "into one of",
    ),
    "a folder beside train": (
        lambda p: source(put(p, "train/a/1.png", "more/a/1.png")),
        "more: beside the folder train",
        "move it away",
    ),
    "two folders for validation": (
        lambda p: source(put(p, "train/a/1.png", "val/a/1.png", "valid/a/1.png")),
        "several folders for one part",
        "keep one",
    ),
    "a table without paths": (
        lambda p: source(table(p, "paths,label\nx,y\n")),
        "t.csv:1: the column 'path' is missing",
        "did you mean",
    ),
    "a table without labels": (
        lambda p: source(table(p, "path\n3.png\n")),
        "the column 'label' is missing",
        "path,label",
    ),
    "an empty table": (
        lambda p: source(table(p, "")),
        "the column 'path' is missing",
        "path,label",
    ),
    "a table without rows": (
        lambda p: source(table(p, "path,label\n")),
        "there are no images in this table",
        "",
    ),
    "a table with a missing image": (
        lambda p: source(table(p, "path,label\n3.png,a\n4.png,b\n")),
        "t.csv:3: there is no image",
        "count from the folder of the table",
    ),
    "a table with a missing label": (
        lambda p: source(table(p, "path,label\n3.png,\n")),
        "t.csv:2: the label is missing",
        "fill it in",
    ),
    "a table with a short row": (
        lambda p: source(table(p, "path,label\n3.png\n")),
        "t.csv:2: 1 cells where the first line names 2",
        "",
    ),
    "a table with a wrong part": (
        lambda p: source(table(p, "path,label,part\n3.png,a,tests\n")),
        "t.csv:2: part: expected train, validation, test, got",
        "did",
    ),
    "a table that trains nothing": (
        lambda p: source(table(p, "path,label,part\n3.png,a,test\n")),
        "no images of the part train",
        "",
    ),
    "a table with a quote left open": (
        lambda p: source(table(p, 'path,label\n"3.png,a\n')),
        "t.csv: cannot be read",
        "",
    ),
    "a single image to train on": (
        lambda p: source(put(p, "1.png") / "1.png"),
        "a single image has no label",
        "a folder for each class",
    ),
    "another kind of file": (
        lambda p: [(p / "x.npy").write_bytes(b"\x93NUMPY"), source(p / "x.npy")][-1],
        "neither a folder of images",
        "it looks like npy",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_images_are_told_before_training(case: str, tmp_path: Path) -> None:
    made, problem, remedy = BAD[case]
    with pytest.raises(NettrainError) as caught:
        made(tmp_path).load(0)
    assert problem in str(caught.value) and remedy in str(caught.value)


@pytest.mark.parametrize("pixels", [5, 2])
def test_an_enormous_image_is_refused_before_it_is_decoded(
    pixels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/1.png", "b/1.png")
    monkeypatch.setattr(
        Image, "MAX_IMAGE_PIXELS", pixels
    )  # Pillow warns above it, and refuses above twice as many
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(
        DataError, match=rf"1\.png: the image has more than {pixels} pixels; scale it down"
    ):
        source(tmp_path).load(0)


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/1.png", "b/1.png")
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(NettrainError, match=r'pip install "nettrain\[images\]"'):
        source(tmp_path).load(0)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "nettrain" / "images"


def test_images_on_the_disk_are_decoded_once(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path / "pets", *(f"{name}/{i}.png" for name in "ab" for i in range(20)))
    here, there = source(folder).load(0), source(folder, read="disk").load(0)
    assert (
        isinstance(there.features.numbers, StoredRows) and there.features.numbers.dtype == np.uint8
    )
    np.testing.assert_array_equal(there.features.numbers[:], here.features.numbers)
    assert len(list(cache.iterdir())) == 1
    decoded: list[Path] = []
    monkeypatch.setattr(
        image_rows,
        "read_image",
        lambda path, *rest: [decoded.append(path), read_image(path, *rest)][1],
    )
    source(folder, read="disk").load(0)
    assert not decoded
    os.utime(folder / "b/3.png", ns=(1, 1))
    source(folder, read="disk").load(0)
    assert len(decoded) == 40
    source(folder, read="disk", color="grey").load(0)
    source(folder, read="disk", size=2).load(0)
    assert len(decoded) == 120 and len(list(cache.iterdir())) == 4


def test_large_folders_go_to_the_disk_by_themselves_and_small_ones_do_not(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = put(tmp_path / "pets", "a/1.png", "b/1.png")
    monkeypatch.setattr(image_rows, "MAX_IN_MEMORY", 36)
    assert isinstance(source(folder).load(0).features.numbers, np.ndarray) and not cache.exists()
    monkeypatch.setattr(image_rows, "MAX_IN_MEMORY", 35)
    assert isinstance(source(folder).load(0).features.numbers, StoredRows)
    assert (
        f"writing decoded pixels of 2 images of {folder} to {cache}" in caplog.text
        and "`nettrain cache` lists such files, and removes them" in caplog.text
    )
    assert isinstance(source(folder, read="memory").load(0).features.numbers, np.ndarray)


def test_a_damaged_image_leaves_no_half_decoded_file(tmp_path: Path, cache: Path) -> None:
    folder = put(tmp_path / "pets", "a/1.png", "b/1.png")
    (folder / "b" / "2.png").write_bytes((folder / "b" / "1.png").read_bytes()[:50])
    with pytest.raises(DataError, match=r"b/2\.png: the image cannot be decoded"):
        source(folder, read="disk").load(0)
    assert not list(cache.iterdir())


def test_where_decoded_images_cannot_be_written_it_is_said(tmp_path: Path, cache: Path) -> None:
    folder = put(tmp_path / "pets", "a/1.png", "b/1.png")
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.raises(
        DataError,
        match=r"cannot be written: .*; make room there, .*XDG_CACHE_HOME.* set .*size .* or dataset.source.read: memory",
    ):
        source(folder, read="disk").load(0)


@pytest.mark.parametrize("threads", [1, 5])
def test_the_number_of_threads_changes_no_image(
    threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path, *(f"a/{i:02}.png" for i in range(25)), "b/1.png")
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    numbers = source(folder).load(0).features.numbers
    assert numbers[:, 0, 0, 0].tolist() == [*(10 * i % 256 for i in range(25)), 250]


def run(folder: Path, **fields: object) -> Path:
    """A model trained for two epochs on bright and dark images."""
    for name, base in (("dark", 20), ("light", 200)):
        for i in range(8):
            (folder / "pictures" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 4, 3), base + i, np.uint8)).save(
                folder / "pictures" / name / f"{i}.png"
            )
    config = {
        "dataset": {
            "source": {"type": "images", "path": str(folder / "pictures"), **fields},
            "split": {"test": 0.25, "stratify": True},
        },
        "model": {"type": "mlp", "hidden": []},
        "optimizer": {"type": "adam", "lr": 0.1},
        "training": {"epochs": 20, "batch_size": 4},
    }
    nettrain.train(config, output_directory=folder, run_name="run")
    return folder / "run"


def command(*arguments: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return found.exit_code, found.stdout, found.stderr


def decided(text: str) -> list[tuple[str, str]]:
    """The file and the class of each line that `predict` wrote, which also holds a probability."""
    rows = list(csv.DictReader(text.splitlines()))
    assert all(0.5 <= float(row["probability"]) <= 1 for row in rows)
    return [(row["file"], row["prediction"]) for row in rows]


def test_predict_names_the_file_of_every_image(tmp_path: Path) -> None:
    model = run(tmp_path)
    code, text, _ = command("predict", model, tmp_path / "pictures", "--probabilities")
    rows = list(csv.DictReader(text.splitlines()))
    assert code == 0 and [row["file"] for row in rows] == [
        f"{name}/{i}.png" for name in ("dark", "light") for i in range(8)
    ]
    assert [row["prediction"] for row in rows] == ["dark"] * 8 + [
        "light"
    ] * 8 and "probability_dark" in rows[0]
    assert decided(command("predict", model, tmp_path / "pictures/light/3.png")[1]) == [
        ("3.png", "light")
    ]
    (tmp_path / "t.csv").write_text("path\npictures/light/3.png\npictures/dark/3.png\n")
    assert decided(command("predict", model, tmp_path / "t.csv")[1]) == [
        (os.path.join("pictures", "light", "3.png"), "light"),
        (os.path.join("pictures", "dark", "3.png"), "dark"),
    ]


def test_eval_judges_a_folder_of_classes(tmp_path: Path) -> None:
    model = run(tmp_path)
    put(
        tmp_path / "new", "dark/1.png", "light/0.png", size=(4, 4), color=False
    )  # both dark, and grey
    code, text, _ = command("eval", model, "--data", tmp_path / "new", "--json")
    assert code == 0 and '"accuracy": 0.5' in text
    put(tmp_path / "parts", "train/dark/1.png", "test/dark/1.png", size=(4, 4))
    code, _, error = command("eval", model, "--data", tmp_path / "parts")
    assert (
        code == 2
        and f"holds the parts train, test; name one of them, such as {tmp_path / 'parts' / 'test'}"
        in error
    )
    put(tmp_path / "other", "grey/1.png", size=(4, 4))
    code, _, error = command("eval", model, "--data", tmp_path / "other")
    assert (
        code == 2
        and "other: grey/1.png: target 'label' holds 'grey', a class that training did not have"
        in error
    )


def test_new_images_are_scaled_only_if_those_of_training_were(tmp_path: Path) -> None:
    put(tmp_path / "new", "1.png", size=(9, 7))
    code, _, error = command("predict", run(tmp_path / "fixed"), tmp_path / "new")
    assert (
        code == 2
        and "1.png: the image is 9 x 7 (height x width), the model knows 4 x 4: scale it, or train again"
        in error
    )
    code, text, _ = command("predict", run(tmp_path / "scaled", size=3), tmp_path / "new")
    assert (code, decided(text)) == (0, [("1.png", "dark")])


def test_a_model_trained_on_arrays_predicts_image_files(tmp_path: Path) -> None:
    x = np.repeat(np.array([10, 240], np.uint8), 8)[:, None, None] * np.ones((4, 4), np.uint8)
    np.savez(tmp_path / "t.npz", x=x, y=np.repeat(["dark", "light"], 8))
    config = {
        "dataset": {"source": {"type": "npz", "path": str(tmp_path / "t.npz")}},
        "model": {"type": "mlp", "hidden": []},
        "optimizer": {"type": "adam", "lr": 0.1},
        "training": {"epochs": 20},
    }
    nettrain.train(config, output_directory=tmp_path, run_name="run")
    Image.fromarray(np.full((4, 4, 3), 230, np.uint8)).save(
        tmp_path / "1.png"
    )  # in colours, for a model that knows grey
    code, text, _ = command("predict", tmp_path / "run", tmp_path / "1.png")
    assert (code, decided(text)) == (0, [("1.png", "light")])


def test_parts_of_a_folder_train_steer_and_judge(tmp_path: Path) -> None:
    names = [
        f"{part}/{name}/{i}.png"
        for part, count in (("train", 4), ("val", 1), ("test", 2))
        for name in "ab"
        for i in range(count)
    ]
    put(tmp_path / "pets", *names)
    config = {
        "dataset": {"source": {"type": "images", "path": str(tmp_path / "pets")}},
        "model": {"type": "mlp", "hidden": []},
        "training": {"epochs": 1},
    }
    result = nettrain.train(config, output_directory=tmp_path)
    assert "rows: train 8, validation 2, test 4" in result.notes
    with pytest.raises(
        NettrainError, match="has a predefined test part, which is used; leave this key out"
    ):
        nettrain.train(config, sets=["dataset.split.test=0.2"], output_directory=tmp_path)


@pytest.mark.parametrize("size", ["[3]", "[3, 0]", "0", "2.5", "big", "[3, 3, 3]", "true"])
def test_a_size_that_is_none_is_told(size: str, tmp_path: Path) -> None:
    config = {
        "dataset": {"source": {"type": "images", "path": str(tmp_path)}},
        "model": {"type": "mlp", "hidden": []},
    }
    with pytest.raises(
        NettrainError,
        match=r"source.size: expected \[height, width\], or one number for both, in whole pixels; got",
    ):
        nettrain.train(config, sets=[f"dataset.source.size={size}"], output_directory=tmp_path)


def test_grey_images_keep_their_16_bits(tmp_path: Path, cache: Path) -> None:
    folder = tmp_path / "scans"
    dark = np.array([[2008, 2048, 2088], [2047, 2049, 2050]], np.uint16)
    for name, array in (("a/1.png", dark), ("b/1.png", WIDE), ("b/2.png", GREY)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(saved(Image.fromarray(array)))
    expected = np.stack([dark / 257, WIDE / 257, GREY]).astype(np.float32)[..., np.newaxis]
    for read in ("memory", "disk"):
        found = source(folder, read=read).load(0)
        assert found.features.numbers.dtype == np.float32
        np.testing.assert_array_equal(found.features.numbers[:], expected)
        assert found.notes == (
            "grey images of 16 bits: 2; they are kept as numbers v / 257, 0 ... 255",
        )
    colored = source(folder, color="rgb", size=[4, 6]).load(0).features.numbers
    assert colored.shape == (3, 4, 6, 3) and np.ptp(colored, axis=-1).max() == 0
    assert len(np.unique(colored[0])) > 6 and 7 < colored[0].mean() < 9
    np.testing.assert_array_equal(colored[0, 0, 0], expected[0, 0, 0].repeat(3))


def test_16_bits_that_pillow_does_not_keep_are_told(tmp_path: Path) -> None:
    folder = put(tmp_path / "pets", "a/1.png", "b/1.png")
    (folder / "b" / "1.png").write_bytes(wide_colors())
    (note,) = source(folder, size=2).load(0).notes
    assert note.startswith("images of 16 bits with colours or transparency: 1; Pillow reads 8")


def test_an_edit_that_keeps_size_and_time_is_decoded_again(tmp_path: Path, cache: Path) -> None:
    folder = put(tmp_path / "pets", "a/1.png", "b/1.png")
    image = folder / "a" / "1.png"
    for shade in (GREY, 255 - GREY):
        content = saved(Image.fromarray(shade).convert("RGB"))
        image.write_bytes(content + bytes(500 - len(content)))  # behind its end a PNG may have more
        os.utime(image, ns=(1, 1))
        rows = source(folder, read="disk").load(0).features.numbers[:]
        np.testing.assert_array_equal(rows[0], np.stack([shade] * 3, axis=-1))
