import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from nettrain.component import names
from nettrain.data.dataset_config import DatasetConfig
from nettrain.data.prepare import prepare
from nettrain.data.readers.named_set import NamedSet, SetFile, data_directory, packed_files
from nettrain.data.source import Source
from nettrain.data.task import TargetRequirements
from nettrain.errors import DataError
from nettrain.sources import (
    adult,
    california_housing,
    cifar10,
    fashion_mnist,
    mnist,
    optdigits,
    semeion,
    usps,
    wine_quality,
)

SINGLE = (adult, california_housing, cifar10, fashion_mnist, mnist, optdigits, semeion, usps)
SETS = [*(module.SET for module in SINGLE), *wine_quality.SETS.values()]
NAMED = sorted({found.name for found in SETS})
REAL = pytest.mark.skipif(
    "NETTRAIN_DATA" not in os.environ,
    reason="real data sets: set NETTRAIN_DATA to the folder that holds them",
)


@pytest.mark.parametrize("found", SETS, ids=lambda found: f"{found.name} {found.files[0].name}")
def test_a_set_says_where_its_addresses_stand_and_has_a_checksum_for_each(found) -> None:
    assert found.source and found.name in names(Source)
    for file in found.files:
        kind, _, digest = file.checksum.partition(":")
        assert (file.address is None) == (file.checksum == "")
        assert file.address is None or (len(digest), kind) in ((32, "md5"), (64, "sha256"))


def test_a_download_is_saved_as_it_comes() -> None:
    (packed,) = packed_files("http://a.org/b", {"images": "md5:0"})
    assert (packed.address, packed.saved_as) == ("http://a.org/b/images.gz", "images.gz")
    assert (
        SetFile("t.csv", "http://a.org/other.csv").saved_as == "t.csv" == SetFile("t.csv").saved_as
    )


def test_a_set_without_addresses_says_which_files_to_put_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    (tmp_path / "bees").mkdir()
    (tmp_path / "bees" / "b.gz").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        NamedSet("bees", (SetFile("a"), SetFile("b"), SetFile("c")), source="bees.org/data").find()
    assert str(caught.value) == (
        f"the set 'bees' is not complete in {tmp_path / 'bees'}: put there a, c (plain or .gz; see bees.org/data), "
        "or set NETTRAIN_DATA to the folder that holds the folder bees"
    )


def test_named_sets_default_to_the_users_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETTRAIN_DATA", raising=False)
    assert data_directory().name == "nettrain" and data_directory().is_absolute()


def test_a_damaged_line_of_numbers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    (tmp_path / "optdigits").mkdir()
    (tmp_path / "optdigits" / "optdigits.tes").write_text("0,1," * 32 + "3\n", encoding="utf-8")
    for content, reason in (
        ("0,1\n", "tra:1: 2 cells where 65"),
        ("0,1," * 32 + "x\n", "tra:1: could not convert"),
        ("\n", "no numbers"),
    ):
        (tmp_path / "optdigits" / "optdigits.tra").write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=reason):
            Source.parse("optdigits").load(0)


def test_grades_of_wine_are_numbers_unless_classes_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "winequality-red.csv").write_text(
        '"acid";"quality"\n7.4;5\n7.8;6\n7;6\n', encoding="utf-8"
    )
    wine = Source.parse("wine_quality")
    assert prepare(DatasetConfig(source=wine)).pipeline.schema.task == "regression"
    assert prepare(
        DatasetConfig(source=wine),
        requirements=TargetRequirements("cross_entropy", ("classification",)),
    ).pipeline.schema.classes == ("5", "6")
    assert (
        prepare(DatasetConfig(source=wine.replace(classes=True))).pipeline.schema.task
        == "classification"
    )
    assert (
        prepare(
            DatasetConfig(source=wine.replace(classes=True)),
            requirements=TargetRequirements("mse", ("regression",)),
        ).pipeline.schema.task
        == "regression"
    )


# Rows in all, of the test part, missing numbers, missing texts, and how many rows each class has.
FACTS = {
    "adult": ({}, 48842, 16281, 0, 2799 + 2809 + 857, [37155, 11687]),
    "california_housing": ({}, 20640, 0, 207, 0, None),
    "cifar10": ({}, 3000, 1000, 0, 0, [305, 280, 303, 298, 304, 269, 319, 301, 309, 312]),
    "fashion_mnist": ({}, 70000, 10000, 0, 0, [7000] * 10),
    "mnist": ({}, 70000, 10000, 0, 0, [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958]),
    "optdigits": ({}, 5620, 1797, 0, 0, [554, 571, 557, 572, 568, 558, 558, 566, 554, 562]),
    "semeion": ({}, 1593, 0, 0, 0, [161, 162, 159, 159, 161, 159, 161, 158, 155, 158]),
    "usps": ({}, 9298, 2007, 0, 0, [1553, 1269, 929, 824, 852, 716, 834, 792, 708, 821]),
    "wine_quality": ({"color": "white"}, 4898, 0, 0, 0, None),
}


def test_every_named_set_has_its_facts() -> None:
    assert sorted(FACTS) == NAMED


@REAL
@pytest.mark.parametrize("name", FACTS)
def test_the_real_set_has_the_facts_that_its_makers_state(name: str) -> None:
    fields, rows, test, gaps, empty, classes = FACTS[name]
    found = Source.parse({"type": name, **fields}).load(0)
    numbers = found.features.numbers
    assert (
        len(found) == rows
        and (0 if found.part is None else np.count_nonzero(found.part == 2)) == test
    )
    assert (np.isnan(numbers).sum() if numbers.dtype.kind == "f" else 0) == gaps
    assert (
        sum(np.count_nonzero(column.codes < 0) for column in found.features.categories.values())
        == empty
    )
    assert (
        None if found.target.classes is None else np.bincount(found.target.values).tolist()
    ) == classes


@REAL
def test_usps_is_the_same_from_text_and_from_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = usps.SET.directory
    (tmp_path / "usps").mkdir()
    for name in ("zip.train.gz", "zip.test.gz"):
        (tmp_path / "usps" / name).symlink_to(real / name)
    arrays = Source.parse("usps").load(0)
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    text = Source.parse("usps").load(0)
    assert np.array_equal(text.features.numbers, arrays.features.numbers) and np.array_equal(
        text.target.values, arrays.target.values
    )


def archive(folder: Path, files: dict[str, bytes]) -> None:
    (folder / "cifar10").mkdir(exist_ok=True)
    with tarfile.open(folder / "cifar10" / "cifar-10-binary.tar.gz", "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def record(label: int, red: int, green: int, blue: int) -> bytes:
    """A record of the binary form: the label, then 1024 bytes of each colour; the first pixel of row 1 is marked in red."""
    planes = np.repeat(np.array([red, green, blue], np.uint8), 1024)
    planes[32] = 255
    return bytes([label]) + planes.tobytes()


BATCHES = {f"data_batch_{i}.bin": record(i, i, 10 * i, 20 * i) for i in (2, 1, 3, 4, 5)} | {
    "test_batch.bin": record(2, 7, 8, 9)
}


def test_cifar10_is_read_from_the_binary_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    archive(tmp_path, BATCHES | {"readme.html": b"hello"})
    (tmp_path / "cifar10" / "cifar10_2k.npz").write_bytes(
        b"passed over, because the whole set is there"
    )
    found = Source.parse("cifar10").load(0)
    assert (
        found.features.numbers.shape == (6, 32, 32, 3) and found.features.numbers.dtype == np.uint8
    )
    assert found.features.numbers[:, 5, 5].tolist() == [
        [i, 10 * i, 20 * i] for i in range(1, 6)
    ] + [[7, 8, 9]]
    assert found.features.numbers[0, 1, 0].tolist() == [255, 10, 20] and found.features.numbers[
        0, 0, 1
    ].tolist() == [1, 10, 20]
    assert [found.target.classes[code] for code in found.target.values] == [
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "bird",
    ]
    assert found.part.tolist() == [-1] * 5 + [2]


def test_the_subset_of_cifar10_says_that_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    (tmp_path / "cifar10").mkdir()
    x, y = np.zeros((4, 32, 32, 3), np.uint8), np.array([0, 1, 2, 3])
    np.savez(
        tmp_path / "cifar10" / "cifar10_2k.npz", x_train=x, y_train=y, x_test=x[:1], y_test=y[:1]
    )
    assert len(Source.parse("cifar10").load(0)) == 5
    assert (
        "is a subset, 4 images to train and 1 to test; the whole set is cifar-10-binary.tar.gz from"
        in caplog.text
    )


DAMAGED = {
    "a batch is missing": (
        {name: BATCHES[name] for name in list(BATCHES)[:4]},
        "data_batch_5.bin, test_batch.bin missing in it",
    ),
    "a record is cut short": (
        BATCHES | {"test_batch.bin": BATCHES["test_batch.bin"][:-1]},
        "test_batch.bin: 3072 bytes are not a whole",
    ),
    "nothing in a batch": (
        BATCHES | {"test_batch.bin": b""},
        "test_batch.bin: 0 bytes are not a whole",
    ),
    "an eleventh class": (
        BATCHES | {"test_batch.bin": record(10, 0, 0, 0)},
        "labels up to 10 for 10 classes",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_archive_of_cifar10_is_told(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    files, problem = DAMAGED[case]
    archive(tmp_path, files)
    with pytest.raises(DataError, match=problem):
        Source.parse("cifar10").load(0)


BROKEN = {
    "cut short": (lambda data: data[:-40], "test_batch.bin missing in it"),
    "no archive": (lambda data: data[40:], "cannot be read"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_archive_of_cifar10_is_told(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETTRAIN_DATA", str(tmp_path))
    archive(tmp_path, BATCHES)
    file, (breaking, problem) = tmp_path / "cifar10" / "cifar-10-binary.tar.gz", BROKEN[case]
    file.write_bytes(breaking(file.read_bytes()))
    with pytest.raises(DataError, match=rf"cifar-10-binary\.tar\.gz: {problem}"):
        Source.parse("cifar10").load(0)
