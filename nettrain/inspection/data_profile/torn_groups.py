"""Groups torn over parts: rows of one patient, user or place in training and in test."""

import re
from collections.abc import Iterator

import numpy as np

from nettrain.data.dataset import PARTS
from nettrain.data.features import MISSING, Category
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.remedies import scalar
from nettrain.inspection.data_profile.suspicion import Suspicion

_GROUP = re.compile(
    r"(^|[_\s.-])(patient|subject|user|customer|client|person|individual|participant|session|household|family"
    r"|device|machine|visitor|account|member|student|speaker|group|id|identifier|uuid|guid)"
    r"([_\s.-]?(id|no|nr|num|number|name|key|code))?$",
    re.I,
)
_CASED = re.compile(r"[a-z](Id|ID)$")
_FEWEST_GROUPS = 10
_SMALLEST = 2.0  # rows of a group on average
_MOST_OF_ROWS = 0.005  # groups per row at least: fewer are categories


def group_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """A suspicion for each column that names groups which several parts share."""
    if "group" in rows.divided_by or len(rows.parts) < 2:
        return
    for name, column in (rows.numbers | rows.texts | rows.extra).items():
        if not names_groups(name):
            continue
        labels = _labels(column)
        groups = 0 if labels is None else int(labels.max()) + 1
        few = groups < max(_FEWEST_GROUPS, _MOST_OF_ROWS * len(rows))
        if labels is None or few or len(rows) < _SMALLEST * groups:
            continue
        in_training = np.isin(np.arange(groups), labels[rows.in_training()])
        elsewhere = np.isin(np.arange(groups), labels[~rows.in_training()])
        torn = in_training & elsewhere
        if not torn.any():
            continue
        others = " or ".join(part for part in PARTS[1:] if part in rows.parts)
        yield Suspicion(
            "torn_groups",
            "warning",
            f"column {name!r}: {int(torn.sum()):,} of its {groups:,} values stand in training rows "
            f"and in {others} rows too, so that a model can know them",
            f"`split: {{group: {scalar(name)}}}` in `dataset`, if it names patients or the like",
            (name,),
            rows.lines(np.flatnonzero(labels == np.flatnonzero(torn)[0])),
        )


def names_groups(name: str) -> bool:
    """Whether a column's name is that of patients, users, sessions or the like."""
    return bool(_GROUP.search(name) or _CASED.search(name))


def _labels(column: np.ndarray | Category) -> np.ndarray | None:
    """The number of the value (n,) of each row; None where a cell is missing or a fraction."""
    if isinstance(column, Category):
        if (column.codes == MISSING).any():
            return None
        return np.unique(column.codes, return_inverse=True)[1].reshape(-1)
    if np.isnan(column).any() or (column != np.floor(column)).any():
        return None
    return np.unique(column, return_inverse=True)[1].reshape(-1)
