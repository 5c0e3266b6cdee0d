"""The USPS digits."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.readers.arrays import read_npz
from nettrain.data.readers.named_set import NamedSet, packed_files
from nettrain.data.readers.number_file import read_numbers
from nettrain.data.readers.predefined_split import RowsAndTargets, join_parts
from nettrain.data.source import Source
from nettrain.data.task import to_classes

# The book's own page, hastie.su.domains/ElemStatLearn/data.html, has the files and no checksums:
# these are a copy that cannot change.
SET = NamedSet(
    "usps",
    packed_files(
        "https://raw.githubusercontent.com/dgkim5360/the-elements-of-statistical-learning-notebooks/"
        "004d7fc15711986d76dcccbed203ad1a74c06c62/data/zipcode",
        {
            "zip.train": "sha256:66ebf231ab51f2cf6ac1a892d0f98ccffee1079d7a5db638c1f11f366046ca16",
            "zip.test": "sha256:8dacc3c6e136af6c3488de9e5113a7daf140c8c2f1f0b61c54ee02f03f1a962f",
        },
    ),
    source="https://hastie.su.domains/ElemStatLearn/data.html",
)
ARRAYS = "usps.npz"


@dataclass(frozen=True, kw_only=True)
class Usps(Source):
    """USPS: 16 x 16 grey pixels, -1 ... 1, of a digit from an envelope -> the digit.

    7291 images (16, 16, 1) float32 to train, and 2007, harder ones, that are the predefined
    test part. LeCun et al. 1990, as distributed with Hastie, Tibshirani & Friedman, "The
    Elements of Statistical Learning". zip.train and zip.test (a digit and 256 numbers per line,
    plain or gzip), or usps.npz with x_train, y_train, x_test, y_test, in $NETTRAIN_DATA/usps,
    or in the user's cache folder, downloaded where they are absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part last."""
        arrays = SET.directory / ARRAYS
        train, test = _from_arrays(arrays) if arrays.is_file() else map(_from_text, SET.find())
        dataset = join_parts(train, test, "usps")
        return (
            dataset
            if dataset.target is None
            else replace(
                dataset,
                target=to_classes(replace(dataset.target, names=("digit",), label_type="integer")),
            )
        )


def _from_text(path: Path) -> RowsAndTargets:
    numbers = read_numbers(path, 257)
    return numbers[:, 1:].reshape(-1, 16, 16).astype(np.float32), numbers[:, 0]


def _from_arrays(path: Path) -> tuple[RowsAndTargets, RowsAndTargets]:
    arrays = read_npz(path, {name: name for name in ("x_train", "y_train", "x_test", "y_test")})
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
