"""How rows are divided into parts."""

import numpy as np

from nettrain.data.chronological import times_of
from nettrain.data.dataset import Dataset
from nettrain.data.default_split import (
    FEWEST_ROWS,
    FRACTION,
    free_rows,
    may_stratify,
    predefined_parts,
)
from nettrain.errors import DataError
from nettrain.inspection.proposal.choice import Choice, Wishes

_SOME_ROWS = 2_000  # of which 15 % choose the epoch well enough
_MANY_ROWS = 20_000  # of which a tenth is enough to judge by


def propose_split(dataset: Dataset, wishes: Wishes) -> Choice | None:
    """The keys of `dataset.split`; None where the data brings all parts.

    Raises:
        DataError: There are too few rows for three parts, or a time cannot be read.
    """
    rows = len(dataset)
    if rows < FEWEST_ROWS:
        raise DataError(
            f"{dataset.origin}: has {rows} rows; at least {FEWEST_ROWS} are needed to train, "
            "validate and test: add rows, or write a config with `split: none`"
        )
    given = predefined_parts(dataset)
    keys: dict[str, object] = {
        part: _fraction(part, rows, fixed_test="test" in given)
        for part in ("validation", "test")
        if part not in given
    }
    if not keys:
        return None
    said = f"the {' and '.join(sorted(given))} part is given; " if given else ""
    more, reason = _manner(dataset, wishes)
    return Choice(keys | more, said + reason)


def _fraction(part: str, rows: int, *, fixed_test: bool) -> float:
    """Of the rows, for a part: the more there are, the fewer of them measure well enough."""
    if rows >= _MANY_ROWS or fixed_test:
        return FRACTION / 2
    return 0.15 if part == "validation" and rows >= _SOME_ROWS else FRACTION


def _manner(dataset: Dataset, wishes: Wishes) -> tuple[dict[str, object], str]:
    """Further keys, and how the rows are drawn."""
    if wishes.time is not None:
        times_of(dataset, wishes.time, np.arange(len(dataset)))  # it must be readable
        return {"time": wishes.time}, f"the latest rows by {wishes.time!r} come last"
    if wishes.group is not None:
        groups = len(np.unique(dataset.extra_columns[wishes.group].codes))
        return {"group": wishes.group}, f"whole groups of {wishes.group!r}, of {groups:,}"
    if dataset.target is None or dataset.target.classes is None:
        return {}, "rows drawn with the seed"
    if not may_stratify(dataset, free_rows(dataset)):
        return {}, "a class of a single row cannot be divided: not stratified"
    return {"stratify": True}, "the same share of each class in all parts"
