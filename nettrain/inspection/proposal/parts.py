"""How rows are divided into parts."""

import numpy as np

from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.target import Target
from nettrain.errors import DataError
from nettrain.inspection.proposal.choice import Choice

FEWEST_ROWS = 10


def propose_split(dataset: Dataset, target: Target, group: str | None) -> Choice | None:
    """The keys of `dataset.split`; None where the data brings all parts.

    Raises:
        DataError: There are too few rows, or groups, for three parts.
    """
    rows = len(dataset)
    if rows < FEWEST_ROWS:
        raise DataError(
            f"{dataset.origin}: has {rows} rows; at least {FEWEST_ROWS} are needed to train, "
            "validate and test: add rows, or write a config without a split"
        )
    given = set() if dataset.part is None else {PARTS[part] for part in dataset.part if part > 0}
    fractions: dict[str, object] = {
        part: 0.2 if rows < 20_000 and not given else 0.1
        for part in ("validation", "test")
        if part not in given
    }
    if not fractions:
        return None
    said = f"the {' and '.join(sorted(given))} part is given; " if given else ""
    if group is not None:
        column = dataset.extra_columns[group]
        groups = len(np.unique(column.codes))
        return Choice(
            fractions | {"group": group}, f"{said}whole groups of {group!r}, of {groups:,}"
        )
    if target.classes is None:
        return Choice(fractions, f"{said}rows drawn with the seed")
    if np.bincount(target.values).min() < 2:
        return Choice(fractions, f"{said}a class of a single row cannot be divided: not stratified")
    return Choice(
        fractions | {"stratify": True}, f"{said}the same share of each class in all parts"
    )
