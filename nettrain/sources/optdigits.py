"""The digits of optdigits, complete."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nettrain.data.dataset import Dataset
from nettrain.data.readers.named_set import NamedSet, plain_files
from nettrain.data.readers.number_file import read_numbers
from nettrain.data.readers.predefined_split import RowsAndTargets, join_parts
from nettrain.data.source import Source
from nettrain.data.task import to_classes

SET = NamedSet(
    "optdigits",
    plain_files(
        "https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits",
        {
            "optdigits.tra": "sha256:"
            "e1b683cc211604fe8fd8c4417e6a69f31380e0c61d4af22e93cc21e9257ffedd",
            "optdigits.tes": "sha256:"
            "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
        },
    ),
    source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
)


@dataclass(frozen=True, kw_only=True)
class Optdigits(Source):
    """Optdigits: ink counts 0 ... 16 of 8 x 8 cells -> the digit.

    3823 images (8, 8, 1) uint8 to train, and 1797 by other writers that are the predefined test
    part (`digits`, which is bundled, is that part alone). Alpaydin & Kaynak 1998, UCI (CC BY
    4.0). optdigits.tra and optdigits.tes in $NETTRAIN_DATA/optdigits, or in the user's cache
    folder, downloaded where they are absent.
    """

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part last."""
        train, test = map(_pair, SET.find())
        dataset = join_parts(train, test, "optdigits")
        return (
            dataset
            if dataset.target is None
            else replace(
                dataset,
                target=to_classes(replace(dataset.target, names=("digit",), label_type="integer")),
            )
        )


def _pair(path: Path) -> RowsAndTargets:
    numbers = read_numbers(path, 65, ",")
    return numbers[:, :64].reshape(-1, 8, 8).astype(np.uint8), numbers[:, 64]
