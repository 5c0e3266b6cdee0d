"""Which image files there are, of which class and part.

A folder per class, a table of paths and labels, or images alone.
"""

import csv
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.data.dataset import PARTS, UNASSIGNED
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.text_file import decoding, encoding_of, open_text
from nettrain.errors import DataError, nearest
from nettrain.files import cannot_read

_LOG = logging.getLogger(__name__)
ENDINGS = (".png", ".jpg", ".jpeg")
_MOST_FILES = 5_000_000
_PARTS = {
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}


@dataclass(frozen=True)
class ImageList:
    """Image files in an order that depends on their names alone.

    Attributes:
        files: Their paths.
        names: As messages and predictions name them.
        labels: Of each; None where there are none.
        parts: train, validation or test for each; None where nothing says it.
    """

    files: list[Path]
    names: list[str]
    labels: list[str] | None = None
    parts: list[str] | None = None

    def targets(self) -> tuple[np.ndarray, tuple[str, ...]]:
        """(codes (n,), the sorted classes)."""
        labels = self.labels or []
        classes = sorted(set(labels))
        codes = {name: code for code, name in enumerate(classes)}
        return np.array([codes[label] for label in labels], dtype=np.int64), tuple(classes)

    def assigned(self) -> np.ndarray | None:
        """(n,) the part of each, as `Dataset.part`: the training part may still be divided."""
        if self.parts is None or set(self.parts) == {"train"}:
            return None
        return np.array(
            [UNASSIGNED if part == "train" else PARTS.index(part) for part in self.parts]
        )


def list_images(path: Path, *, labelled: bool) -> ImageList:
    """The images of a folder, of a CSV file, or a single one.

    Args:
        path: The folder or file.
        labelled: Whether labels are wanted.

    Raises:
        DataError: There are no images, a class has none in training, or a name is not UTF-8.
    """
    if path.is_dir():
        images = _in_class_folders(path) if labelled else _unlabelled(path)
        _check_names(path, images.names)
        return images
    kind = file_kind(path)
    if kind == "csv":
        return _in_table(path, labelled=labelled)
    if kind != "images":
        raise DataError(
            f"{path}: neither a folder of images, nor a CSV file of path,label, nor a PNG or JPEG "
            f"image; it looks like {kind}"
        )
    if labelled:
        raise DataError(
            f"{path}: a single image has no label; give a folder that holds a folder for each "
            "class, or a CSV of path,label"
        )
    return ImageList([path], [path.name])


def _unlabelled(root: Path) -> ImageList:
    files = _images_below(root)
    if not files:
        raise DataError(f"{root}: there are no PNG or JPEG images in this folder")
    return ImageList(files, [file.relative_to(root).as_posix() for file in files])


def _in_class_folders(root: Path) -> ImageList:
    folders = _folders(root)
    parts = {"": root}
    if "train" in folders and _folders(folders["train"]):
        strangers = [name for name in folders if name not in _PARTS]
        if strangers:
            raise DataError(
                f"{folders[strangers[0]]}: beside the folder train only validation and test are "
                "expected; move it away"
            )
        parts = {_PARTS[name]: folder for name, folder in folders.items()}
        if len(parts) < len(folders):
            raise DataError(
                f"{root}: several folders for one part ({', '.join(folders)}); keep one for each "
                "of train, validation, test"
            )
    files: list[Path] = []
    labels: list[str] = []
    assigned: list[str] = []
    for part in (part for part in ("", *PARTS) if part in parts):
        for name, folder in _classes(parts[part]).items():
            below = _images_below(folder)
            if not below:
                raise DataError(
                    f"{folder}: there are no PNG or JPEG images in this class folder; add some, or "
                    "remove the folder"
                )
            files += below
            labels += [name] * len(below)
            assigned += [part] * len(below)
    images = ImageList(
        files,
        [file.relative_to(root).as_posix() for file in files],
        labels,
        None if "" in parts else assigned,
    )
    _check_classes(images, str(root))
    return images


def _classes(root: Path) -> dict[str, Path]:
    folders = _folders(root)
    if not folders:
        raise DataError(
            f"{root}: there are no class folders in it; put the images of each class into a folder "
            "with its name"
        )
    loose = [file for file in _files(root) if _is_image(file)]
    if loose:
        raise DataError(
            f"{loose[0]}: an image beside the class folders {', '.join(list(folders)[:5])}; put it "
            "into one of them"
        )
    return folders


def _check_names(root: Path, names: Sequence[str]) -> None:
    """Raises DataError for a name that is no text, and could stand in no table of predictions."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            raise DataError(
                f"{root}: the file name {os.fsencode(name)!r} is not UTF-8; rename the file"
            ) from None


def _check_classes(images: ImageList, origin: str) -> None:
    """Raises DataError for a class that training does not have."""
    if images.parts is None or images.labels is None:
        return
    if "train" not in images.parts:
        raise DataError(f"{origin}: there are no images of the part train")
    labelled = list(zip(images.names, images.labels, images.parts, strict=True))
    known = {label for _, label, part in labelled if part == "train"}
    for name, label, part in labelled:
        if label not in known:
            raise DataError(
                f"{origin}: {name}: the class {label!r} occurs in the part {part} and not in train"
                f"{nearest(label, known)}; add images of it to train, or remove it"
            )


def _in_table(path: Path, *, labelled: bool) -> ImageList:
    files, labels, parts = [], [], []
    lines = _table(path)
    columns = next(lines, (1, []))[1]
    for name in ("path", "label") if labelled else ("path",):
        if name not in columns:
            raise DataError(
                f"{path}:1: the column {name!r} is missing{nearest(name, columns)}; the first "
                "line must name the columns: path,label and, if wanted, part"
            )
    for line, cells in lines:
        if len(cells) != len(columns):
            raise DataError(
                f"{path}:{line}: {len(cells)} cells where the first line names {len(columns)} "
                "columns"
            )
        row = dict(zip(columns, cells, strict=True))
        file = path.parent / row["path"]
        if not row["path"] or not _is_file(file):
            raise DataError(
                f"{path}:{line}: there is no image {file}; paths count from the folder of the table"
            )
        if labelled and not row["label"]:
            raise DataError(
                f"{path}:{line}: the label is missing; fill it in, or leave the row out"
            )
        if row.get("part", "train") not in PARTS:
            raise DataError(
                f"{path}:{line}: part: expected {', '.join(PARTS)}, got {row['part']!r}"
                f"{nearest(row['part'], PARTS)}"
            )
        files.append(file)
        labels.append(row.get("label", ""))
        parts.append(row.get("part", "train"))
    if not files:
        raise DataError(f"{path}: there are no images in this table")
    names = [os.path.relpath(file, path.parent) for file in files]
    if not labelled:
        return ImageList(files, names)
    images = ImageList(files, names, labels, parts if "part" in columns else None)
    _check_classes(images, str(path))
    return images


def _table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of each row that is not blank."""
    encoding, _ = encoding_of(path, "utf-8-sig")
    try:
        with decoding(path, encoding), open_text(path, encoding) as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                if any(cells):
                    yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise cannot_read(path, error) from None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def _folders(root: Path) -> dict[str, Path]:
    """The visible folders in it, by name. Raises DataError for a link that leads out of it."""
    try:
        folders = {
            entry.name: entry
            for entry in sorted(root.iterdir())
            if entry.is_dir() and not entry.name.startswith(".")
        }
        inside = root.resolve()
        for folder in folders.values():
            if folder.is_symlink() and inside not in folder.resolve().parents:
                raise DataError(
                    f"{folder}: a link to a folder outside of {root.name}, which is not followed; "
                    "move the images here, or list them in a CSV file of path,label"
                )
    except OSError as error:
        raise cannot_read(root, error) from None
    return folders


def _files(root: Path) -> list[Path]:
    return [entry for entry in sorted(root.iterdir()) if entry.is_file()]


def _images_below(root: Path) -> list[Path]:
    """Images in a folder and in those that it holds, sorted; links to folders are not followed.

    Other files and links to folders are skipped, and counted in a warning unless they are hidden.
    Raises DataError for more files than a data set has.
    """
    images: list[Path] = []
    others: list[Path] = []
    links: list[Path] = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links += [path for name in folders if (path := Path(folder, name)).is_symlink()]
        visible = [Path(folder, name) for name in sorted(files) if not name.startswith(".")]
        images += [file for file in visible if _is_image(file)]
        others += [file for file in visible if not _is_image(file)]
        if len(images) + len(others) > _MOST_FILES:
            raise DataError(
                f"{root}: more than {_MOST_FILES:,} files; give the folder of the images alone, or "
                "list them in a CSV file of path,label"
            )
    for skipped, what in (
        (others, "files that are no PNG or JPEG by their name"),
        (links, "links to folders"),
    ):
        if skipped:
            _LOG.warning(
                "%s: %d %s are passed over (%s)", root, len(skipped), what, skipped[0].name
            )
    return sorted(images)


def _is_image(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS
