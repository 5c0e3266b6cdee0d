"""Image files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, PlainValidator

from nettrain.component import Count, Text
from nettrain.data.align import align
from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.image_file import Color
from nettrain.data.readers.image_list import ImageList, list_images
from nettrain.data.rows.images import ImageRows, Size
from nettrain.data.rows.stored import ReadMode
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.data.target import Target
from nettrain.errors import DataError
from nettrain.files import absolute_path


def _size(value: object) -> Size | None:
    """[h, w], or one number for both."""
    if value is None:
        return None
    sides = value if isinstance(value, Sequence) and not isinstance(value, str) else (value, value)
    whole = [
        side for side in sides if isinstance(side, int) and not isinstance(side, bool) and side > 0
    ]
    if len(whole) != 2 or len(sides) != 2:
        raise ValueError("expected [height, width], or one number for both, in whole pixels")
    return whole[0], whole[1]


@dataclass(frozen=True, kw_only=True)
class Images(Source):
    """Image files (PNG, JPEG), (h, w, c) uint8 -> the class.

    path is one of these:
    - a folder that holds a folder for each class, whose name is that of the class (images in
      folders below count too; links to folders outside are not followed);
    - a folder that holds `train`, and `validation` and `test` if there are any, each with such
      class folders: a predefined split;
    - a CSV file with the columns path (relative to the file) and label, and `part` (train,
      validation, test) if wanted;
    - for `predict`, any folder of images, or a single one.
    Classes and files are in the order of their names. Files that are no PNG or JPEG by their name
    are skipped, with a warning.

    Images are shown as viewers show them: turned as their Exif orientation says (torchvision and
    Keras do not turn them). Transparency is left out, as torchvision leaves it out; palettes become
    their colours; 16 bits of grey are kept, as float32 v / 257, 0 ... 255. Grey from colours is
    0.299 R + 0.587 G + 0.114 B. `size` scales with Pillow's bilinear filter, which averages when it
    makes smaller, torchvision's default; the image is stretched to [h, w] (torchvision takes one
    number for the shorter side).

    Images are decoded once, in threads, and stay bytes until a batch takes them. Those that take
    more than 256 MiB together, or all with `read: disk`, are decoded into a file in the user's
    cache folder, from where later runs read them too, as long as the images stay unchanged. Needs
    Pillow: pip install "nettrain[images]".

    Raises:
        DataError: Before training, for sizes or colours that differ where `size` and `color` are
            not given, damaged or enormous files, an empty class folder, and a class that training
            does not have.
    """

    path: Annotated[
        Text, Field(description="folder or CSV file, relative to the config", examples=["flowers"])
    ]
    size: Annotated[
        Size | None,
        PlainValidator(_size, json_schema_input_type=tuple[Count, Count] | Count | None),
        Field(
            description="[height, width], or one number for both, to scale to; null: all are alike",
            examples=[[32, 32]],
        ),
    ] = None
    color: Annotated[
        Color | None, Field(description="to convert images to; null: what all of them have")
    ] = None
    read: Annotated[
        ReadMode,
        Field(
            description="where decoded images are kept: memory, disk (a file in the cache folder), "
            "or auto: disk if they exceed 256 MiB"
        ),
    ] = "auto"

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        return self.replace(path=str(absolute_path(self.path, directory)))

    def with_path(self, path: Path) -> Source:
        """Other images, scaled and coloured in the same way."""
        if path.is_dir() or file_kind(path) in ("images", "csv"):
            return self.replace(path=str(path))
        return super().with_path(path)

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All images, the parts in their order."""
        listed = list_images(Path(self.path), labelled=True)
        return self._dataset(listed, self.color)

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """Every image, in the colours that the model knows."""
        listed = list_images(Path(self.path), labelled=with_target)
        if listed.parts is not None and Path(self.path).is_dir():
            raise DataError(
                f"{self.path}: holds the parts {', '.join(dict.fromkeys(listed.parts))}; name one "
                f"of them, such as {Path(self.path) / listed.parts[-1]}"
            )
        colors: dict[int, Color] = {1: "grey", 3: "rgb"}
        color, known = self.color, None
        if len(schema.shape) == 3:
            color, known = colors.get(schema.shape[2], color), schema.shape[:2]
        return align(self._dataset(listed, color, known), schema, with_target=with_target)

    def _dataset(
        self, listed: ImageList, color: Color | None, known: Size | None = None
    ) -> Dataset:
        rows = ImageRows.of(listed.files, self.size, color, known)
        target = None
        if listed.labels is not None:
            codes, classes = listed.targets()
            target = Target(codes, ("label",), classes)
        return Dataset(
            Features(rows.decoded(self.read)),
            target,
            listed.assigned(),
            self.path,
            files=np.array(listed.names, dtype=object),
            notes=rows.notes,
        )
