"""What a source gives: features, target, and which rows it has itself assigned to a part."""
from dataclasses import dataclass

import numpy as np

from nettrain.data.features import Features
from nettrain.data.target import Target

PARTS = ("train", "validation", "test")
UNASSIGNED = -1


@dataclass(frozen=True)
class Dataset:
    """`target` is None in a file that is only to be predicted.

    part (n,): an index into `PARTS` for rows that the source assigns (an official test set, a split column), `UNASSIGNED` for
    rows that `split` may divide; None where the source assigns nothing.
    """

    features: Features
    target: Target | None
    part: np.ndarray | None = None
