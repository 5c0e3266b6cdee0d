"""The bundled handwritten digits."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.features import Features
from nettrain.data.source import Source
from nettrain.data.target import Target

_FILE = Path(__file__).parent / "bundled" / "digits.npz"


@dataclass(frozen=True, kw_only=True)
class Digits(Source):
    """Digits (bundled): ink counts 0 ... 16 of 8 x 8 cells -> the digit.

    1797 images (8, 8, 1) uint8, ten classes. Alpaydin & Kaynak 1998, UCI (CC BY 4.0); equal to
    scikit-learn's load_digits.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, in scikit-learn's order; there is no predefined test part."""
        with np.load(_FILE, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
        target = Target(
            labels.astype(np.int64), ("digit",), tuple(map(str, range(10))), label_type="integer"
        )
        return Dataset(Features(images[..., np.newaxis]), target, origin="digits")
