"""The warning about categories that training did not have."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from nettrain.data.features import MISSING, Features

_LOG = logging.getLogger(__name__)
_GATHERED: ContextVar[Counter[tuple[str, str, str]] | None] = ContextVar("unseen", default=None)
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
    counts: Counter[tuple[str, str, str]] = Counter()
    for name, values in learned.items():
        column, known = features.categories[name], frozenset(values)
        codes = column.codes
        rows = np.bincount(codes[codes != MISSING], minlength=len(column.values))
        for code in np.flatnonzero(rows):
            if column.values[code] not in known:
                counts[consequence, name, column.values[code]] += int(rows[code])
    gathered = _GATHERED.get()
    if gathered is None:
        _warn(counts)
    else:
        gathered.update(counts)


@contextmanager
def unseen_together() -> Iterator[None]:
    """Inside, warnings wait, so that there is one of all rows that are transformed in chunks."""
    around = _GATHERED.get()
    counts: Counter[tuple[str, str, str]] = Counter()
    token = _GATHERED.set(counts)
    try:
        yield
    finally:
        _GATHERED.reset(token)
    if around is None:
        _warn(counts)


@contextmanager
def unseen_ignored() -> Iterator[None]:
    """Inside, there are no warnings: the rows are made up of others."""
    token = _GATHERED.set(Counter())
    try:
        yield
    finally:
        _GATHERED.reset(token)


def _warn(counts: Mapping[tuple[str, str, str], int]) -> None:
    for consequence in dict.fromkeys(key[0] for key in counts):
        unseen = [
            f"{name} {value!r} ({_rows(count)})"
            for (one, name, value), count in counts.items()
            if one == consequence
        ]
        more = f" and {len(unseen) - _NAMED} more" if len(unseen) > _NAMED else ""
        _LOG.warning(
            "categories not seen in training %s: %s%s",
            consequence,
            ", ".join(unseen[:_NAMED]),
            more,
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
