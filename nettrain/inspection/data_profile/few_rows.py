"""Parts of so few rows that their metrics are chance."""

from collections.abc import Iterator

import numpy as np

from nettrain.data.dataset import PARTS
from nettrain.inspection.data_profile.profiled_rows import ProfiledRows
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import plural

_FEWEST = 10  # rows of a part: one of them moves the accuracy by a tenth


def few_row_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """A suspicion for a validation or test part of a few rows."""
    counts = dict(zip(PARTS, np.bincount(rows.part, minlength=len(PARTS)), strict=True))
    few = [f"{name} {n}" for name, n in counts.items() if name != "train" and 0 < n < _FEWEST]
    if few and not rows.sampled:
        yield Suspicion(
            "few_rows",
            "warning",
            f"{plural(len(rows), 'row')}, of them {' and '.join(few)}: metrics of so few say "
            "little",
            "`nettrain cv CONFIG`, which tests on every row once",
        )
