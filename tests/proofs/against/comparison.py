"""What two programs computed, compared: the largest deviations, and the first that is too large."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np


class Deviation(Exception):
    """Two programs disagree.

    Attributes:
        what: Which quantity.
    """

    def __init__(self, what: str, message: str) -> None:
        super().__init__(f"{what}: {message}")
        self.what = what


class Refused(Exception):
    """A case that nettrain refuses in words: there is nothing to compare."""


@dataclass
class Comparison:
    """The comparisons of a campaign.

    Attributes:
        counts: Arrays compared, by quantity.
        largest: The largest deviation, by quantity, as a share of what it was compared with.
        notes: Cases that were set aside, by the reason.
    """

    counts: Counter[str] = field(default_factory=Counter)
    largest: dict[str, float] = field(default_factory=dict)
    notes: Counter[str] = field(default_factory=Counter)

    def close(
        self, what: str, ours: object, theirs: object, tolerance: float, scale: float | None = None
    ) -> None:
        """Compare two arrays. NaN equals NaN, and infinity itself.

        Args:
            what: Which quantity; what stands behind a colon names the place in the message alone.
            ours, theirs: Of one shape.
            tolerance: The largest deviation, as a share of the scale.
            scale: What deviations are measured by; None: the largest finite number of theirs.

        Raises:
            Deviation: They differ by more.
        """
        quantity = what.partition(":")[0]
        a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
        if a.shape != b.shape:
            raise Deviation(what, f"shape {a.shape} is not {b.shape}")
        self.counts[quantity] += 1
        finite = np.isfinite(a) & np.isfinite(b)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        if not (finite | same).all():
            place = tuple(map(int, np.argwhere(~(finite | same))[0]))
            raise Deviation(what, f"at {place}: {a[place]} is not {b[place]}")
        if not finite.any():
            return
        if scale is None:
            scale = float(np.abs(b[finite]).max())
        differences = np.abs(np.where(finite, a, 0) - np.where(finite, b, 0))
        difference = float(differences.max())
        share = float(difference / scale if scale else difference)
        if not share <= tolerance:
            place = tuple(map(int, np.unravel_index(differences.argmax(), a.shape)))
            raise Deviation(
                what, f"at {place}: {a[place]!r} is not {b[place]!r}; {share:.3g} of {scale:.3g}"
            )
        self.largest[quantity] = max(self.largest.get(quantity, 0.0), share)

    def equal(self, what: str, ours: object, theirs: object) -> None:
        """Compare what must be equal."""
        self.counts[what.partition(":")[0]] += 1
        if ours != theirs:
            raise Deviation(what, f"{ours!r} is not {theirs!r}")
