"""The warning about categories that training did not have."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from nettrain.data.features import MISSING, Features

_LOG = logging.getLogger(__name__)
_NAMED = 2  # unseen categories that the warning names


def warn_of_unseen(
    features: Features, learned: Mapping[str, Sequence[str]], consequence: str
) -> None:
    """Warn once of all categories not seen in training, with the number of rows of each.

    Args:
        features: The rows.
        learned: The values of each column that training had.
        consequence: What becomes of others, such as `are encoded as zeros`.
    """
    unseen = []
    for name, values in learned.items():
        column, known = features.categories[name], frozenset(values)
        counts = np.bincount(column.codes[column.codes != MISSING], minlength=len(column.values))
        unseen += [
            f"{name} {column.values[code]!r} ({_rows(int(counts[code]))})"
            for code in np.flatnonzero(counts)
            if column.values[code] not in known
        ]
    if unseen:
        more = f" and {len(unseen) - _NAMED} more" if len(unseen) > _NAMED else ""
        _LOG.warning(
            "categories not seen in training %s: %s%s",
            consequence,
            ", ".join(unseen[:_NAMED]),
            more,
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
