import gzip
import hashlib
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars
import pytest
from PIL import Image

from nettrain.component import names, to_mapping
from nettrain.data.dataset import PARTS, UNASSIGNED
from nettrain.data.missing_target import with_complete_target
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.errors import DataError, NettrainError
from nettrain.sources.triangle import is_inside


def idx(array: np.ndarray, kind: int = 0x08) -> bytes:
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape) + array.tobytes()
    )


IMAGES = np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)
LABELS = np.array([3, 1, 3, 0, 1], np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, workbook: Callable[..., Path]) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    frame = polars.DataFrame({"a": [1, 2, 3], "y": ["no", "yes", "no"]})
    frame.write_parquet(folder / "t.parquet")
    frame.write_ipc(folder / "t.arrow")
    frame.write_ndjson(folder / "t.jsonl")
    (folder / "t.csv").write_text("a,y\n1,no\n2,yes\n3,no\n", encoding="utf-8")
    workbook(folder / "t.xlsx", {"A": [["a", "y"], [1, "no"], [2, "yes"], [3, "no"]]})
    np.savez(
        folder / "t.npz",
        x=np.eye(3),
        y=np.array([0.5, 1.5, 2.5]),
        x_test=np.ones((2, 3)),
        y_test=np.array([1, 2]),
    )
    np.save(folder / "x.npy", IMAGES)
    np.save(folder / "y.npy", LABELS)
    (folder / "images.idx").write_bytes(idx(IMAGES))
    (folder / "labels.gz").write_bytes(gzip.compress(idx(LABELS)))
    (folder / "mnist").mkdir()
    for stem in ("train", "t10k"):
        (folder / "mnist" / f"{stem}-images-idx3-ubyte").write_bytes(idx(IMAGES))
        (folder / "mnist" / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(LABELS)))
    shutil.copytree(folder / "mnist", folder / "fashion-mnist")
    write_named_sets(folder)
    write_images(folder)
    return folder


def write_images(folder: Path) -> None:
    """Two classes, of which `train` has two images each and `test` one of one class."""
    for place, name in enumerate(
        (
            "train/cat/1.png",
            "train/cat/2.png",
            "train/dog/1.png",
            "train/dog/2.png",
            "test/dog/3.png",
        )
    ):
        (folder / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((3, 2, 3), 10 * place, np.uint8)).save(folder / "pets" / name)


def write_named_sets(folder: Path) -> None:
    """A few rows of each set, in the form of its files."""
    for name in ("usps", "semeion", "optdigits", "tables", "cifar10"):
        (folder / name).mkdir()
    pixels = " ".join(["-1.0", "0.5"] * 128)
    (folder / "usps" / "zip.train").write_text(
        f"6.0000 {pixels} \n5.0000 {pixels} \n", encoding="utf-8"
    )
    (folder / "usps" / "zip.test.gz").write_bytes(gzip.compress(f"9 {pixels}\n".encode()))
    for digit in range(10):
        with (folder / "semeion" / "semeion.data").open("a", encoding="utf-8") as file:
            file.write("0.0000 1.0000 " * 128 + "0 " * digit + "1 " + "0 " * (9 - digit) + "\n")
    (folder / "optdigits" / "optdigits.tra").write_text(
        ("0,16," * 32 + "3\n") + ("1,2," * 32 + "4\n"), encoding="utf-8"
    )
    (folder / "optdigits" / "optdigits.tes").write_text("0,1," * 32 + "3\n", encoding="utf-8")
    arrays = {
        "x_train": np.zeros((3, 32, 32, 3), np.uint8),
        "y_train": np.array([6, 9, 9]),
        "x_test": np.ones((1, 32, 32, 3), np.uint8),
    }
    np.savez(folder / "cifar10" / "cifar10_2k.npz", **arrays, y_test=np.array([3]))
    tables = folder / "tables"
    (tables / "winequality-red.csv").write_text(
        '"acid";"quality"\n7.4;5\n7.8;6\n', encoding="utf-8"
    )
    (tables / "winequality-white.csv").write_text(
        '"acid";"quality"\n7.0;6\n6.3;9\n6;6\n', encoding="utf-8"
    )
    housing = "longitude,total_bedrooms,median_house_value,ocean_proximity\n-122.2,129.0,452600.0,NEAR BAY\n-122.2,,358500.0,<1H OCEAN\n"
    (tables / "california_housing.csv").write_text(housing, encoding="utf-8")
    person = "39, {}, 77516, Bachelors, 13, Never-married, Sales, Not-in-family, White, Male, 2174, 0, 40, Cuba, {}\n"
    people = person.format("Private", "<=50K") + person.format("?", ">50K") + "\n"
    (tables / "adult.data.gz").write_bytes(gzip.compress(people.encode()))
    (tables / "adult.test").write_text(
        "|1x3 Cross validator\n" + person.format("Self-emp-inc", ">50K."), encoding="utf-8"
    )


# The fields, the rows, the shape of one, the classes (None: numbers), and whether a test part is official.
EXPECTED = {
    "adult": ({}, 3, (6,), ("<=50K", ">50K"), True),
    "arrow": ({"path": "t.arrow", "target": "y"}, 3, (1,), ("no", "yes"), False),
    "california_housing": ({}, 2, (2,), None, False),
    "cifar10": ({}, 4, (32, 32, 3), ("cat", "frog", "truck"), True),
    "csv": ({"path": "t.csv", "target": "y"}, 3, (1,), ("no", "yes"), False),
    "digits": ({}, 1797, (8, 8, 1), tuple("0123456789"), False),
    "excel": ({"path": "t.xlsx", "target": "y"}, 3, (1,), ("no", "yes"), False),
    "fashion_mnist": ({}, 10, (3, 2, 1), ("T-shirt/top", "Trouser", "Dress"), True),
    "idx": ({"images": "images.idx", "labels": "labels.gz"}, 5, (3, 2, 1), ("0", "1", "3"), False),
    "images": ({"path": "pets"}, 5, (3, 2, 3), ("cat", "dog"), True),
    "iris": ({}, 150, (4,), ("setosa", "versicolor", "virginica"), False),
    "jsonl": ({"path": "t.jsonl", "target": "y"}, 3, (1,), ("no", "yes"), False),
    "mnist": ({}, 10, (3, 2, 1), ("0", "1", "3"), True),
    "moons": ({"rows": 50}, 50, (2,), ("upper", "lower"), False),
    "npy": ({"path": "x.npy", "target": "y.npy"}, 5, (3, 2, 1), None, False),
    "npz": ({"path": "t.npz", "x_test": "x_test", "y_test": "y_test"}, 5, (3,), None, True),
    "optdigits": ({}, 3, (8, 8, 1), ("3", "4"), True),
    "parquet": ({"path": "t.parquet", "target": "y"}, 3, (1,), ("no", "yes"), False),
    "semeion": ({}, 10, (16, 16, 1), tuple("0123456789"), False),
    "sine": ({"rows": 50}, 50, (1,), None, False),
    "spirals": ({"rows": 51, "turns": 2}, 51, (2,), ("first", "second"), False),
    "triangle": ({"rows": 60}, 60, (2,), ("inside", "outside"), False),
    "usps": ({}, 3, (16, 16, 1), ("5", "6", "9"), True),
    "wine_quality": ({"color": "white"}, 3, (1,), None, False),
    "xor": ({"noise": 0}, 400, (2,), ("0", "1"), False),
}
WITHOUT_ROWS = ["memory"]  # stands for arrays that are handed in
SYNTHETIC = ["moons", "sine", "spirals", "triangle", "xor"]


def make(name: str, folder: Path) -> Source:
    return Source.parse({"type": name, **EXPECTED[name][0]}).absolute(folder)


def test_every_source_has_a_row() -> None:
    assert sorted([*EXPECTED, *WITHOUT_ROWS]) == names(Source)


@pytest.mark.parametrize("name", WITHOUT_ROWS)
def test_a_source_without_rows_says_what_to_do(name: str) -> None:
    with pytest.raises(DataError, match=r"data=\(x, y\)"):
        Source.parse(name).load(0)


@pytest.mark.parametrize("name", EXPECTED)
def test_source_gives_what_it_promises(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(folder))
    _, rows, shape, classes, official = EXPECTED[name]
    found = make(name, folder).load(0)
    assert (
        found.features.numbers.shape == (rows, *shape)
        and found.target.classes == classes
        and len(found.target) == rows
    )
    assert len(found.features.names) == (shape[0] if len(shape) == 1 else 0)
    assert found.target.values.dtype == (np.float64 if classes is None else np.int64)
    assert (
        found.part is not None and set(found.part) == {UNASSIGNED, PARTS.index("test")}
    ) == official


@pytest.mark.parametrize("name", EXPECTED)
def test_source_survives_yaml(name: str, folder: Path) -> None:
    assert Source.parse(to_mapping(make(name, folder))) == make(name, folder)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_synthetic_rows_depend_on_the_seed(name: str, folder: Path) -> None:
    first, same, other = (Source.parse(name).load(seed).features.numbers for seed in (1, 1, 2))
    assert np.array_equal(first, same) and not np.array_equal(first, other)


def test_digits_are_scikit_learns() -> None:
    found = Source.parse("digits").load(0)
    assert found.features.numbers.dtype == np.uint8 and found.features.numbers.max() == 16
    assert np.bincount(found.target.values).tolist() == [
        178,
        182,
        177,
        183,
        181,
        182,
        181,
        179,
        174,
        180,
    ]
    assert (
        hashlib.sha256(found.features.numbers.tobytes()).hexdigest().startswith("8f26b2bd9d135c25")
    )


def test_iris_has_fishers_values_where_copies_differ() -> None:
    numbers = Source.parse("iris").load(0).features.numbers
    assert numbers[34].tolist() == [4.9, 3.1, 1.5, 0.2] and numbers[37].tolist() == [
        4.9,
        3.6,
        1.4,
        0.1,
    ]
    assert np.allclose(numbers.mean(axis=0), [5.843333, 3.057333, 3.758, 1.199333], atol=1e-6)


def test_xor_without_noise_is_the_truth_table() -> None:
    found = Source.parse({"type": "xor", "noise": 0, "rows": 4}).load(0)
    table = {
        tuple(row): code
        for row, code in zip(
            found.features.numbers.tolist(), found.target.values.tolist(), strict=True
        )
    }
    assert table == {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 0}


def test_triangle_labels_are_true_and_balanced() -> None:
    found = Source.parse("triangle").load(3)
    assert np.array_equal(is_inside(found.features.numbers), found.target.values == 0)
    assert np.bincount(found.target.values).tolist() == [500, 500]
    assert is_inside(np.array([[0, 0], [0, 0.99], [0, -0.6], [0.8, 0.8]])).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_sine_is_the_sine_on_one_period() -> None:
    found = Source.parse({"type": "sine", "noise": 0}).load(0)
    x = found.features.numbers
    assert (
        np.allclose(found.target.values, np.sin(x))
        and -np.pi <= x.min() < -3
        and 3 < x.max() <= np.pi
    )


def test_moons_and_spirals_without_noise_lie_on_their_curves() -> None:
    moons = Source.parse({"type": "moons", "noise": 0}).load(0)
    centred = moons.features.numbers - np.where(
        moons.target.values[:, np.newaxis] == 0, [0, 0], [1, 0.5]
    )
    assert np.allclose(np.linalg.norm(centred, axis=1), 1)
    spirals = Source.parse({"type": "spirals", "noise": 0}).load(0)
    x, y = spirals.features.numbers.T
    turn = 2 * np.pi * 1.5 * np.hypot(x, y) + np.pi * spirals.target.values
    assert np.allclose(np.cos(turn - np.arctan2(y, x)), 1)


def test_idx_reads_wide_numbers_highest_byte_first(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(idx(np.array([[[1.5, -2]]], ">f8"), 0x0E))
    (tmp_path / "y").write_bytes(idx(np.array([70000], ">i4"), 0x0C))
    found = Source.parse(
        {"type": "idx", "images": str(tmp_path / "x"), "labels": str(tmp_path / "y")}
    ).load(0)
    assert found.features.numbers.ravel().tolist() == [1.5, -2] and found.target.classes == (
        "70000",
    )


def test_npz_targets_may_be_texts_and_rows_in_any_order(tmp_path: Path) -> None:
    np.savez_compressed(
        tmp_path / "t.npz",
        x=np.asfortranarray(np.arange(6).reshape(3, 2)),
        y=np.array(["b", "a", "b"]),
    )
    found = Source.parse({"type": "npz", "path": str(tmp_path / "t.npz")}).load(0)
    assert found.features.numbers.tolist() == [
        [0, 1],
        [2, 3],
        [4, 5],
    ] and found.target.values.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("t.csv", "csv"),
        ("t.npz", "npz"),
        ("x.npy", "npy"),
        ("images.idx", "idx"),
        ("labels.gz", "idx"),
        ("t.parquet", "parquet"),
        ("t.arrow", "arrow"),
        ("t.jsonl", "jsonl"),
        ("pets", "images"),
        ("pets/test/dog/3.png", "images"),
    ],
)
def test_another_file_is_read_by_what_it_holds(file: str, kind: str, folder: Path) -> None:
    assert Source.parse("digits").with_path(folder / file).name() == kind


@pytest.mark.parametrize("name", ["csv", "npy", "npz", "idx", "digits", "xor"])
def test_rows_to_predict_need_no_target(name: str, folder: Path, tmp_path: Path) -> None:
    trained = make(name, folder)
    found = trained.load(0)
    numbers = found.features.numbers[:4]
    files = {"csv": folder / "t.csv", "idx": folder / "images.idx"}
    if name not in files:
        files[name] = tmp_path / "new.npy"
        np.save(files[name], numbers)
    schema = Schema(
        numbers.shape[1:], found.features.names, (), "classification", ("y",), ("0", "1")
    )
    if name not in ("csv", "idx"):
        schema = (
            replace(schema, numbers=tuple(f"column_{i}" for i in range(numbers.shape[1])))
            if numbers.ndim == 2
            else schema
        )
    again = trained.with_path(files[name]).load_for(schema, with_target=False)
    assert again.target is None and np.array_equal(again.features.numbers[: len(numbers)], numbers)


def bad_npz(path: Path, **arrays: object) -> Source:
    np.savez(path / "bad.npz", **arrays)
    return Source.parse({"type": "npz", "path": str(path / "bad.npz")})


def bad_npy(path: Path, content: bytes) -> Source:
    (path / "bad.npy").write_bytes(content)
    return Source.parse(
        {"type": "npy", "path": str(path / "bad.npy"), "target": str(path / "bad.npy")}
    )


def bad_idx(path: Path, images: bytes, labels: bytes | None = None) -> Source:
    (path / "i").write_bytes(images)
    (path / "l").write_bytes(idx(LABELS) if labels is None else labels)
    return Source.parse({"type": "idx", "images": str(path / "i"), "labels": str(path / "l")})


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }\n"
TERABYTES = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(HEADER)) + HEADER
HUGE_IDX = struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 2**10, 2**10)
BAD = {
    "pickled objects": (
        lambda p: bad_npz(p, x=np.array([{}, {}]), y=[0, 1]),
        "bad.npz: x: holds pickled Python objects",
        "save numbers",
    ),
    "no such array": (
        lambda p: bad_npz(p, x_train=np.eye(2), y=[0, 1]),
        "x: there is no array 'x'",
        "there are: x_train, y",
    ),
    "lengths that differ": (
        lambda p: bad_npz(p, x=np.eye(3), y=[0, 1]),
        "3 rows and 2 targets",
        "as many",
    ),
    "five axes": (
        lambda p: bad_npz(p, x=np.ones((2, 1, 1, 1, 1)), y=[0, 1]),
        "expected the shape",
        "(n, h, w, c)",
    ),
    "complex numbers": (
        lambda p: bad_npz(p, x=np.eye(2) * 1j, y=[0, 1]),
        "expected numbers",
        "complex128",
    ),
    "no rows": (
        lambda p: bad_npz(p, x=np.ones((0, 2)), y=np.ones(0)),
        "no numbers in it",
        "(0, 2)",
    ),
    "NaN in the target": (
        lambda p: bad_npz(p, x=np.eye(2), y=[0, np.nan]),
        "row 1: the target 'target' is missing",
        "leave the rows out",
    ),
    "text targets in columns": (
        lambda p: bad_npz(p, x=np.eye(2), y=[["a", "b"]] * 2),
        "must be numbers",
        "'a'",
    ),
    "npy that is none": (
        lambda p: bad_npy(p, b"nonsense, and long enough"),
        "bad.npy: not a NumPy array",
        "magic",
    ),
    "npy of terabytes": (
        lambda p: bad_npy(p, TERABYTES + b"\0" * 64),
        "8000000000000 bytes, and 64 follow",
        "cut short",
    ),
    "idx cut short": (
        lambda p: bad_idx(p, idx(IMAGES)[:-1]),
        "the header promises (5, 3, 2), 30 bytes, and 29 follow",
        "cut short",
    ),
    "idx cut short and packed": (
        lambda p: bad_idx(p, gzip.compress(idx(IMAGES)[:-1])),
        "30 bytes, and 29 follow",
        "cut short",
    ),
    "idx of terabytes": (
        lambda p: bad_idx(p, HUGE_IDX),
        "2251799813685248 bytes, and 0",
        "cut short",
    ),
    "idx of terabytes, packed": (
        lambda p: bad_idx(p, gzip.compress(HUGE_IDX)),
        "2251799813685248 bytes",
        "at most",
    ),
    "idx with more than promised": (
        lambda p: bad_idx(p, idx(IMAGES) + b"x"),
        "more than the 30 bytes",
        "damaged",
    ),
    "idx of another magic": (
        lambda p: bad_idx(p, b"\x89PNG\r\n"),
        "not an IDX file: it starts with 89 50 4e 47",
        "00 00 08 03",
    ),
    "idx that ends in its header": (
        lambda p: bad_idx(p, idx(IMAGES)[:9]),
        "ends within its header",
        "cut short",
    ),
    "empty idx": (lambda p: bad_idx(p, b""), "it starts with nothing", "expected 00 00"),
    "idx of other lengths": (
        lambda p: bad_idx(p, idx(IMAGES[:4])),
        "4 rows and 5 targets",
        "as many",
    ),
    "images as labels": (
        lambda p: bad_idx(p, idx(IMAGES), idx(IMAGES)),
        "expected one whole number per image",
        "exchanged",
    ),
    "idx of damaged gzip": (
        lambda p: bad_idx(p, gzip.compress(idx(IMAGES))[:-12]),
        "cannot be read",
        "end",
    ),
    "no such file": (
        lambda p: Source.parse({"type": "npz", "path": str(p / "none.npz")}),
        "none.npz: no such file",
        "check the path",
    ),
    "zip that is none": (
        lambda p: replace(bad_npz(p, x=[1]), path=str(Path(__file__))),
        "cannot be read",
        "not a zip file",
    ),
    "npy without target": (
        lambda p: Source.parse({"type": "npy", "path": "x.npy"}),
        "`target` is missing",
        "which npy file",
    ),
    "idx without labels": (
        lambda p: Source.parse({"type": "idx", "images": "x"}),
        "`labels` is missing",
        "which IDX file",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_with_place_and_reason(case: str, tmp_path: Path) -> None:
    make_source, problem, remedy = BAD[case]
    with pytest.raises(NettrainError) as caught:
        with_complete_target(make_source(tmp_path).load(0), "error")
    assert problem in str(caught.value) and remedy in str(caught.value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("stem", ["t10k", "my"])
def test_labels_are_found_beside_idx_images(stem: str, packed: bool, tmp_path: Path) -> None:
    """As eval --data asks for another file."""
    images = tmp_path / f"{stem}-images-idx3-ubyte"
    images.write_bytes(idx(IMAGES))
    bare = Source.parse({"type": "csv", "path": "t.csv", "target": "y"}).with_path(images)
    with pytest.raises(DataError, match=r"`labels` is missing.*-labels-idx1-ubyte for"):
        bare.load(0)
    labels = tmp_path / f"{stem}-labels-idx1-ubyte{'.gz' if packed else ''}"
    labels.write_bytes(gzip.compress(idx(LABELS)) if packed else idx(LABELS))
    found = bare.load(0)
    assert [int(found.target.classes[code]) for code in found.target.values] == LABELS.tolist()
    assert found.notes == (f"labels: {labels.name}, beside {images.name}",)


def test_idx_images_that_a_source_names_keep_their_labels(tmp_path: Path) -> None:
    for name in ("x", "x2"):
        (tmp_path / name).write_bytes(idx(IMAGES))
    (tmp_path / "y").write_bytes(idx(LABELS))
    (tmp_path / "y2").write_bytes(idx(LABELS[::-1].copy()))
    named = Source.parse(
        {"type": "idx", "images": "x", "labels": "y", "test_images": "x2", "test_labels": "y2"}
    ).absolute(tmp_path)
    for images, labels in (("x", LABELS), ("x2", LABELS[::-1])):
        target = named.with_path(tmp_path / images).load(0).target
        assert [int(target.classes[code]) for code in target.values] == labels.tolist()
