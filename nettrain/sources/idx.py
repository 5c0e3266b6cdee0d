"""Images and labels in IDX, MNIST's format."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.align import align
from nettrain.data.arrays import features_from
from nettrain.data.dataset import Dataset
from nettrain.data.readers.idx import locate_idx, read_idx
from nettrain.data.readers.predefined_split import join_parts
from nettrain.data.rows.stored import Read, StoredRows, stored_rows
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.task import to_classes
from nettrain.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Idx(Source):
    """images (n, h, w) or (n, h, w, c), labels (n,) whole numbers, which are the classes; plain or gzip.

    Images that stay on the disk (`read`), in plain files, are read a batch at a time. The header is held against the file's size before
    anything is allocated. Raises DataError for a file that is cut short or no IDX file.
    LeCun, Cortes & Burges, "The MNIST database", describe the format.
    """

    images: Annotated[
        Text,
        Field(description="file, relative to the config", examples=["train-images-idx3-ubyte.gz"]),
    ]
    labels: Annotated[
        Text | None,
        Field(
            description="file; null: images to be predicted only",
            examples=["train-labels-idx1-ubyte.gz"],
        ),
    ] = None
    test_images: Annotated[Text | None, Field(description="file of the official test part")] = None
    test_labels: Annotated[Text | None, Field(description="file of the official test part")] = None
    read: Read = "auto"

    def __post_init__(self) -> None:
        if (self.test_images is None) != (self.test_labels is None):
            raise ValueError("test_images and test_labels belong together: give both or neither")

    def absolute(self, directory: Path) -> Self:
        """The same with absolute paths."""
        keys = ("images", "labels", "test_images", "test_labels")
        given = {key: value for key in keys if (value := getattr(self, key)) is not None}
        return self.replace(
            **{key: str(directory / Path(value).expanduser()) for key, value in given.items()}
        )

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the official test part behind the others."""
        if self.labels is None:
            raise DataError(f"{self.images}: `labels` is missing: which IDX file holds them?")
        rows = self._images()
        train = rows[0], _labels(self.labels)
        test = None if self.test_labels is None else (rows[1], _labels(self.test_labels))
        found = join_parts(train, test, self.images)
        if found.target is None:
            return found
        return Dataset(found.features, to_classes(found.target), found.part, self.images)

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """The images alone, those of the official test part behind the others."""
        train, *test = self._images()
        return join_parts((train, None), (test[0], None) if test else None, self.images)

    def _images(self) -> Sequence[np.ndarray | StoredRows]:
        """Of the training part, and of the test part if there is one."""
        paths = [Path(path) for path in (self.images, self.test_images) if path is not None]
        return stored_rows([locate_idx(path) for path in paths], self.read) or [
            read_idx(path) for path in paths
        ]

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The images alone if no target is wanted."""
        if with_target:
            return align(
                self.replace(test_images=None, test_labels=None).load(seed),
                schema,
                with_target=True,
            )
        (images,) = self.replace(test_images=None, test_labels=None)._images()
        return align(
            Dataset(features_from(images, self.images), None, origin=self.images),
            schema,
            with_target=False,
        )


def _labels(path: str) -> np.ndarray:
    y = read_idx(Path(path))
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise DataError(
            f"{path}: expected one whole number an image, got {y.dtype} of shape {y.shape}; are images and labels exchanged?"
        )
    return y
