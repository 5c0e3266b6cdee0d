"""CIFAR-10."""

import logging
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nettrain.data.arrays import features_from, target_from
from nettrain.data.dataset import PARTS, UNASSIGNED, Dataset
from nettrain.data.readers.arrays import read_npz
from nettrain.data.readers.named_set import NamedSet, packed_files
from nettrain.data.readers.predefined_split import RowsAndTargets, join_parts
from nettrain.data.source import Source
from nettrain.data.task import to_classes
from nettrain.errors import DataError
from nettrain.files import UNREADABLE, cannot_read, check_unpacked, open_regular

_LOG = logging.getLogger(__name__)
# Of its three forms the binary one: the others are pickles, which can run code, and Matlab's.
SET = NamedSet(
    "cifar10",
    packed_files(
        "https://www.cs.toronto.edu/~kriz",
        {"cifar-10-binary.tar": "md5:c32a1d4ab5d03f1284b67883e8d87530"},
    ),
    source="https://www.cs.toronto.edu/~kriz/cifar.html",
)
SUBSET = "cifar10_2k.npz"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FOLDER = "cifar-10-batches-bin"  # in the archive
_TRAIN, _TEST = [f"data_batch_{i}.bin" for i in range(1, 6)], "test_batch.bin"
_PLANE = 32 * 32  # bytes of one colour


@dataclass(frozen=True, kw_only=True)
class Cifar10(Source):
    """CIFAR-10: 32 x 32 photograph -> what it shows.

    50,000 images (32, 32, 3) uint8 to train, and 10,000 that are the predefined test part.
    Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".
    cifar-10-binary.tar.gz in $NETTRAIN_DATA/cifar10, or in the user's cache folder, downloaded
    where it is absent. Where cifar10_2k.npz lies there instead, with x_train, y_train, x_test,
    y_test, that subset is taken, with a warning that says how many images it has.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part last."""
        subset, file = SET.directory / SUBSET, SET.files[0]
        whole = any((SET.directory / name).is_file() for name in (file.name, file.saved_as))
        if subset.is_file() and not whole:
            train, test = _from_arrays(subset)
            _LOG.warning(
                "cifar10: %s is a subset, %d images to train and %d to test; the whole set is %s "
                "from %s",
                subset,
                len(train[0]),
                len(test[0]),
                file.saved_as,
                SET.source,
            )
            dataset = join_parts(train, test, "cifar10")
        else:
            dataset = _from_archive(SET.find()[0])
        if dataset.target is None:
            return dataset
        target = to_classes(replace(dataset.target, names=("object",)))
        return replace(
            dataset,
            target=replace(
                target,
                classes=tuple(CLASSES[int(label)] for label in target.classes or ()),
                label_type="string",
            ),
        )


def _from_arrays(path: Path) -> tuple[RowsAndTargets, RowsAndTargets]:
    arrays = read_npz(path, {name: name for name in ("x_train", "y_train", "x_test", "y_test")})
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _from_archive(path: Path) -> Dataset:
    """Read in the order of the archive, which is unpacked once and nowhere stored."""
    parts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    try:
        with open_regular(path) as packed, tarfile.open(fileobj=packed, mode="r|*") as archive:
            for member in archive:
                name = member.name.removeprefix(f"{_FOLDER}/")
                file = archive.extractfile(member) if name in (*_TRAIN, _TEST) else None
                if file is not None:
                    check_unpacked(f"{path}: {name}", path.stat().st_size, member.size)
                    parts[name] = _records(file.read(), f"{path}: {name}")
    except (*UNREADABLE, tarfile.TarError) as error:
        raise cannot_read(path, error) from None
    absent = [name for name in (*_TRAIN, _TEST) if name not in parts]
    if absent:
        raise DataError(
            f"{path}: {', '.join(absent)} missing in it; remove the file to download it again"
        )
    images, labels = (np.concatenate([parts[name][i] for name in (*_TRAIN, _TEST)]) for i in (0, 1))
    tested = len(parts[_TEST][1])
    part = np.repeat([UNASSIGNED, PARTS.index("test")], [len(labels) - tested, tested])
    return Dataset(features_from(images), target_from(labels), part, "cifar10")


def _records(data: bytes, origin: str) -> tuple[np.ndarray, np.ndarray]:
    """(images (n, 32, 32, 3), labels (n,)) from records of the label and a plane per colour."""
    width = 1 + 3 * _PLANE
    if not data or len(data) % width:
        raise DataError(
            f"{origin}: {len(data)} bytes are not a whole number of records of {width}; remove the "
            "file to download it again"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, width)
    labels = records[:, 0].copy()
    if labels.max() >= len(CLASSES):
        raise DataError(
            f"{origin}: labels up to {labels.max()} for 10 classes; remove the file to download it "
            "again"
        )
    planes = records[:, 1:].reshape(-1, 3, 32, 32)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels
