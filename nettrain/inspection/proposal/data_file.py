"""Which source reads a data file or folder, and what in it is to be predicted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nettrain.data.open_table import OpenTable
from nettrain.data.readers.arrays import array_names
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.idx import labels_beside
from nettrain.data.readers.image_file import read_header
from nettrain.data.readers.image_list import list_images
from nettrain.data.source import Source
from nettrain.data.table_source import TableSource
from nettrain.errors import DataError, nearest
from nettrain.inspection.proposal.choice import Choice

TARGET_NAMES = ("target", "label", "labels", "class", "y", "outcome")
# The usual names of arrays: rows, targets, and those of a predefined test part.
_ARRAYS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x", "y", "x_test", "y_test"),
    ("data", "target", "", ""),
    ("images", "labels", "", ""),
    ("features", "labels", "", ""),
)
_MOST_PIXELS = 64  # per side: what a small network on a CPU takes


@dataclass(frozen=True)
class DataFile:
    """Data that nobody has described yet.

    Attributes:
        path: Of the file or folder.
        keys: Of the source that reads it, with the target.
        paths: Those of the keys that hold paths.
        table: Its columns, where it has named ones.
    """

    path: Path
    keys: dict[str, Choice]
    paths: tuple[str, ...] = ("path",)
    table: OpenTable | None = None

    @property
    def kind(self) -> str:
        """The name of the source."""
        return str(self.keys["type"].value)


def locate(path: Path, target: str | None) -> DataFile:
    """Find the source that reads some data, and its target.

    Args:
        path: A table, an npz, npy or IDX file, or a folder of images.
        target: The column or array to predict; for npy the file that holds it; None: guessed.

    Raises:
        DataError: The data is missing, empty, of no known kind, or has no such target.
    """
    if not path.exists():
        folder = path.parent
        near = (
            nearest(path.name, [file.name for file in folder.iterdir()]) if folder.is_dir() else ""
        )
        raise DataError(f"{path}: no such file or folder{near}")
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    kind = "images" if path.is_dir() else file_kind(path)
    finders = {"images": _images, "npz": _npz, "npy": _npy, "idx": _idx}
    return finders.get(kind, _table)(path, kind, target)


def _table(path: Path, kind: str, target: str | None) -> DataFile:
    source = Source.parse({"type": kind, "path": str(path)})
    if not isinstance(source, TableSource):
        raise DataError(f"{path}: {kind} is no table")
    table = source.absolute(Path.cwd()).open()
    names = table.names
    if len(names) < 2:
        found = f"one column, {names[0]!r}" if names else "no columns"
        raise DataError(
            f"{path}: has {found}; a target and at least one column to learn from are needed"
        )
    column = _guessed_column(names) if target is None else _named_column(path, names, target)
    keys = {"type": Choice(kind), "path": Choice(str(path)), "target": column}
    return DataFile(path, keys, table=table)


def _named_column(path: Path, names: Sequence[str], target: str) -> Choice:
    if target in names:
        return Choice(target)
    if target.lstrip("-").isdigit() and -len(names) <= int(target) < len(names):
        return Choice(names[int(target)], f"column {target}")
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    raise DataError(
        f"{path}: --target: no column {target!r}{nearest(target, names)} (there are: {shown})"
    )


def _guessed_column(names: Sequence[str]) -> Choice:
    for name in TARGET_NAMES:
        for column in names:
            if column.strip().lower() == name:
                return Choice(column, "guessed by its name; --target names another")
    return Choice(names[-1], "guessed: the last column; --target names another")


def _images(path: Path, kind: str, target: str | None) -> DataFile:
    _refuse_target(path, target, "the folders of the images are their classes")
    files = list_images(path, labelled=True).files
    headers = [read_header(file) for file in files]
    sizes = {(header.height, header.width) for header in headers}
    sides = sorted(side for size in sizes for side in size)
    keys = {"type": Choice(kind), "path": Choice(str(path))}
    if len(sizes) > 1 or sides[-1] > _MOST_PIXELS:
        side = min(_MOST_PIXELS, sides[len(sides) // 2])
        reason = (
            f"of {len(sizes):,} sizes, {sides[0]} to {sides[-1]} pixels"
            if len(sizes) > 1
            else f"all are {sides[0]} to {sides[-1]} pixels; smaller ones train faster"
        )
        keys["size"] = Choice([side, side], reason)
    colors = {header.color for header in headers}
    if len(colors) > 1:
        keys["color"] = Choice("rgb", "some have colours, some are grey")
    return DataFile(path, keys)


def _npz(path: Path, kind: str, target: str | None) -> DataFile:
    names = list(dict.fromkeys(array_names(path)))  # a zip file may have two members of one name
    lower = {name.lower(): name for name in names}
    found: dict[str, str] = {}
    for x, y, x_test, y_test in _ARRAYS:
        if x in lower and (y in lower or target in names):
            found = {"x": lower[x], "y": target or lower[y]}
            if x_test in lower and y_test in lower and target is None:
                found |= {"x_test": lower[x_test], "y_test": lower[y_test]}
            break
    if target is not None and target not in names:
        raise DataError(
            f"{path}: --target: no array {target!r}{nearest(target, names)} "
            f"(there are: {', '.join(names)})"
        )
    if not found and len(names) == 2:
        y = target or names[1]
        found = {"x": next(name for name in names if name != y), "y": y}
    if not found:
        raise DataError(
            f"{path}: which array holds the rows and which the targets? (there are: "
            f"{', '.join(names)}); name them x and y, or write a config with the keys x and y"
        )
    keys = {"type": Choice(kind), "path": Choice(str(path))}
    keys |= {key: Choice(name) for key, name in found.items()}
    return DataFile(path, keys)


def _npy(path: Path, kind: str, target: str | None) -> DataFile:
    stem = path.stem
    beside = [*(stem.replace(x, y) for x, y in (("x", "y"), ("X", "y"))), "y", "labels", "targets"]
    candidates = [path.with_name(f"{name}.npy") for name in beside if name != stem]
    file = (
        next((one for one in candidates if one.is_file()), None) if target is None else Path(target)
    )
    if file is None or not file.is_file():
        missing = "" if target is None else f"{target}: no such file; "
        raise DataError(
            f"{path}: {missing}name the npy file that holds the targets: --target y.npy"
        )
    reason = f"guessed: beside {path.name}; --target names another" if target is None else ""
    keys = {"type": Choice(kind), "path": Choice(str(path)), "target": Choice(str(file), reason)}
    return DataFile(path, keys, ("path", "target"))


def _idx(path: Path, kind: str, target: str | None) -> DataFile:
    _refuse_target(path, target, "the labels are in the IDX file beside the images")
    labels = labels_beside(path)
    if labels is None:
        raise DataError(
            f"{path}: no labels beside it; name images and labels as MNIST does: "
            "...-images-idx3-ubyte and ...-labels-idx1-ubyte"
        )
    keys = {
        "type": Choice(kind),
        "images": Choice(str(path)),
        "labels": Choice(str(labels), "beside the images"),
    }
    test = path.with_name(path.name.replace("train-", "t10k-"))
    test_labels = labels_beside(test) if test != path and test.is_file() else None
    if test_labels is not None:
        keys |= {"test_images": Choice(str(test)), "test_labels": Choice(str(test_labels))}
    return DataFile(path, keys, ("images", "labels", "test_images", "test_labels"))


def _refuse_target(path: Path, target: str | None, why: str) -> None:
    if target is not None:
        raise DataError(f"{path}: --target is for tables and arrays: {why}; leave it out")
