"""The Semeion digits."""

from dataclasses import dataclass

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.readers.named_set import NamedSet, plain_files
from nettrain.data.readers.number_file import read_numbers
from nettrain.data.source import Source
from nettrain.data.target import Target

SET = NamedSet(
    "semeion",
    plain_files(
        "http://archive.ics.uci.edu/ml/machine-learning-databases/semeion",
        {"semeion.data": "md5:cb545d371d2ce14ec121470795a77432"},
    ),
    source="github.com/pytorch/vision, torchvision/datasets/semeion.py",
)


@dataclass(frozen=True, kw_only=True)
class Semeion(Source):
    """Semeion: 16 x 16 black or white pixels of a handwritten digit -> the digit.

    1593 images (16, 16, 1) uint8 of 0 and 1, about 80 writers. There is no predefined test
    part, and rows come in runs of one digit. Tactile Srl / Semeion Research Center, UCI (CC BY
    4.0). semeion.data (256 pixels and ten indicators per line, plain or gzip) in
    $NETTRAIN_DATA/semeion, or in the user's cache folder, downloaded where it is absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, in the order of the file."""
        numbers = read_numbers(SET.find()[0], 266)
        images = numbers[:, :256].reshape(-1, 16, 16, 1).astype(np.uint8)
        target = Target(
            numbers[:, 256:].argmax(axis=1),
            ("digit",),
            tuple(map(str, range(10))),
            label_type="integer",
        )
        return Dataset(Features(images), target, origin="semeion")
