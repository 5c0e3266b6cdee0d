"""Images and labels in IDX, the format of MNIST."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.align import align
from nettrain.data.arrays import features_from
from nettrain.data.dataset import Dataset
from nettrain.data.readers.idx import labels_beside, locate_idx, read_idx
from nettrain.data.readers.predefined_split import join_parts
from nettrain.data.rows.stored import Read, StoredRows, stored_rows
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.task import to_classes
from nettrain.errors import DataError
from nettrain.files import absolute_path


@dataclass(frozen=True, kw_only=True)
class Idx(Source):
    """IDX (MNIST's format): images (n, h, w) or (n, h, w, c), labels (n,) whole numbers.

    The labels are the classes. Files are plain or gzip. Where `labels` is left out, as for another
    file in `eval --data`, they are those beside the images under their usual name: for
    t10k-images-idx3-ubyte that is t10k-labels-idx1-ubyte, or t10k-labels-idx1-ubyte.gz. Images that
    stay on the disk (`read`), in plain files, are read a batch at a time. LeCun, Cortes & Burges,
    "The MNIST database", describe the format.

    Raises:
        DataError: A file is cut short or no IDX file, or the labels are not there. The header is
            compared with the size of the file before anything is allocated.
    """

    images: Annotated[
        Text,
        Field(description="file, relative to the config", examples=["train-images-idx3-ubyte.gz"]),
    ]
    labels: Annotated[
        Text | None,
        Field(
            description="file; null: the one beside the images under its usual name",
            examples=["train-labels-idx1-ubyte.gz"],
        ),
    ] = None
    test_images: Annotated[Text | None, Field(description="file of the predefined test part")] = (
        None
    )
    test_labels: Annotated[Text | None, Field(description="file of the predefined test part")] = (
        None
    )
    read: Read = "auto"

    def __post_init__(self) -> None:
        if (self.test_images is None) != (self.test_labels is None):
            raise ValueError("test_images and test_labels belong together: give both or neither")

    def absolute(self, directory: Path) -> Self:
        """The same with absolute paths."""
        keys = ("images", "labels", "test_images", "test_labels")
        given = {key: value for key in keys if (value := getattr(self, key)) is not None}
        return self.replace(
            **{key: str(absolute_path(value, directory)) for key, value in given.items()}
        )

    def with_path(self, path: Path) -> Source:
        """Other images; those that this source names keep their labels."""
        known = {self.images: self.labels, self.test_images: self.test_labels}
        if str(path) not in known:
            return super().with_path(path)
        return self.replace(
            images=str(path), labels=known[str(path)], test_images=None, test_labels=None
        )

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part behind the others."""
        labels, notes = self._labels_file()
        rows = self._images()
        train = rows[0], _read_labels(labels)
        test = None if self.test_labels is None else (rows[1], _read_labels(self.test_labels))
        dataset = join_parts(train, test, self.images)
        target = None if dataset.target is None else to_classes(dataset.target)
        return replace(dataset, target=target, notes=notes)

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """The images alone, those of the predefined test part behind the others."""
        train, *test = self._images()
        return join_parts((train, None), (test[0], None) if test else None, self.images)

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The images alone if no target is wanted."""
        alone = self.replace(test_images=None, test_labels=None)
        if with_target:
            return align(alone.load(seed), schema, with_target=True)
        (images,) = alone._images()
        features = features_from(images, self.images)
        return align(Dataset(features, None, origin=self.images), schema, with_target=False)

    def _labels_file(self) -> tuple[str, tuple[str, ...]]:
        """The file of the labels, and a note where it is assumed. DataError where none is there."""
        if self.labels is not None:
            return self.labels, ()
        images = Path(self.images)
        beside = labels_beside(images)
        if beside is not None:
            return str(beside), (f"labels: {beside.name}, beside {images.name}",)
        raise DataError(
            f"{self.images}: `labels` is missing: which IDX file holds them? Name it in the "
            "config, or put it beside the images under the usual name: ...-labels-idx1-ubyte for "
            "...-images-idx3-ubyte"
        )

    def _images(self) -> Sequence[np.ndarray | StoredRows]:
        """Of the training part, and of the test part if there is one."""
        paths = [Path(path) for path in (self.images, self.test_images) if path is not None]
        return stored_rows([locate_idx(path) for path in paths], self.read) or [
            read_idx(path) for path in paths
        ]


def _read_labels(path: str) -> np.ndarray:
    y = read_idx(Path(path))
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise DataError(
            f"{path}: expected one whole number per image, got {y.dtype} of shape {y.shape}; are "
            "images and labels exchanged?"
        )
    return y
