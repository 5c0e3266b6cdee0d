"""From the scores of fits to figures of methods.

Error        1 - accuracy, or 1 - R2, the mean over the splits of a table. Relative to that of HistGradientBoosting on the same splits; over
             tables the geometric mean. No error at all counts as half a wrong row in all test rows together.
Log loss     The mean over the splits, relative and over the tables of classes in the same way.
Rank         Of the mean score in a table among the methods that have them all, equal scores sharing ranks; the mean over tables.
Normalised   (score - median) / (best - median) of those methods in a table, 0 below the median; the mean over tables.
Wins         Tables with the higher and the lower mean score, and how many of each are significant: p < 0.05 of the corrected resampled t
             test of the differences, split by split (Nadeau & Bengio 2003), not corrected for their number. With an official test part the
             splits differ in their training and validation rows alone.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalogue import TABLES, Table
from methods import REFERENCE
from results import Fit

from nettrain.inspection.statistics.corrected_t import corrected_t_test

SIGNIFICANT = 0.05
MANY = 1000  # test rows, so that what a call costs is little beside what rows cost


@dataclass(frozen=True)
class Duel:
    """Two methods over the tables that both have."""

    wins: int
    clear_wins: int
    losses: int
    clear_losses: int


@dataclass(frozen=True)
class Aggregate:
    """One method over tables. None: for want of tables of that kind, or of all tables for ranks.

    Attributes:
        tables: How many it has.
        error, regression_error, classification_error: Relative to the reference's.
        log_loss: Relative to the reference's.
        rank, normalised: Among the methods that have all tables.
        against: The duel with the reference.
        fit_seconds: CPU seconds, the geometric mean over tables.
        predict_ms: CPU milliseconds per 1,000 rows, likewise, over the tables that test 1,000.
        peak_mb: The largest.
    """

    tables: int
    error: float | None
    regression_error: float | None
    classification_error: float | None
    log_loss: float | None
    rank: float | None
    normalised: float | None
    against: Duel
    fit_seconds: float | None
    predict_ms: float | None
    peak_mb: float


class Comparison:
    """All fits that succeeded, by method and table; the rows of a table are counted in `rows`."""

    def __init__(self, fits: Iterable[Fit], rows: dict[str, int]) -> None:
        self.fits: dict[str, dict[str, dict[int, Fit]]] = {}
        for fit in fits:
            if fit.score is not None:
                self.fits.setdefault(fit.method, {}).setdefault(fit.table, {})[fit.split] = fit
        self.rows = rows
        self.methods = list(self.fits)
        self.tables = [name for name in TABLES if any(name in of for of in self.fits.values())]
        self.complete = [m for m in self.methods if all(t in self.fits[m] for t in self.tables)]

    def score(self, method: str, table: str) -> float | None:
        """The mean over the splits; None: there is none."""
        found = self.fits[method].get(table)
        return None if found is None else statistics.mean(fit.score for fit in found.values())

    def pairs(self, method: str, other: str, table: str) -> list[tuple[Fit, Fit]]:
        """The fits of two methods on the same splits."""
        ours, theirs = (self.fits.get(name, {}).get(table, {}) for name in (method, other))
        return [(ours[split], theirs[split]) for split in sorted(ours.keys() & theirs.keys())]

    def relative_error(self, method: str, table: str) -> float | None:
        """To the reference's; None: one of the two has no fit."""
        pairs = self.pairs(method, REFERENCE, table)
        if not pairs:
            return None
        least = 0.5 / (len(pairs) * test_rows(TABLES[table], self.rows[table]))
        ours, theirs = (
            max(statistics.mean(1 - fit.score for fit in side), least)
            for side in zip(*pairs, strict=True)
        )
        return ours / theirs

    def relative_log_loss(self, method: str, table: str) -> float | None:
        """To the reference's; None: one of the two has none."""
        pairs = [p for p in self.pairs(method, REFERENCE, table) if p[0].log_loss is not None]
        if not pairs:
            return None
        ours, theirs = (
            statistics.mean(fit.log_loss for fit in side) for side in zip(*pairs, strict=True)
        )
        return ours / theirs

    def duel(self, method: str, other: str) -> Duel:
        """Wins and losses of `method`."""
        counts = {1: [0, 0], -1: [0, 0]}
        for table in self.tables:
            pairs = self.pairs(method, other, table)
            differences = [ours.score - theirs.score for ours, theirs in pairs]
            total = math.fsum(differences)
            if not total:
                continue
            share = test_share(TABLES[table], self.rows[table])
            clear = len(pairs) > 1 and corrected_t_test(differences, share) < SIGNIFICANT
            side = counts[1 if total > 0 else -1]
            side[0] += 1
            side[1] += clear
        return Duel(*counts[1], *counts[-1])

    def aggregate(self, method: str) -> Aggregate:
        """The figures of one method."""
        own = [table for table in self.tables if table in self.fits[method]]
        errors = {table: self.relative_error(method, table) for table in own}
        kinds = {
            kind: geometric_mean([errors[t] for t in own if TABLES[t].task == kind])
            for kind in ("regression", "classification")
        }
        ranked = method in self.complete
        fits = [list(self.fits[method][table].values()) for table in own]
        tested = [test_rows(TABLES[table], self.rows[table]) for table in own]
        per_row = [
            max(statistics.mean(f.predict_cpu for f in of), 1e-4) / rows
            for rows, of in zip(tested, fits, strict=True)
            if rows >= MANY
        ]
        speed = geometric_mean(per_row)
        return Aggregate(
            tables=len(own),
            error=geometric_mean(list(errors.values())),
            regression_error=kinds["regression"],
            classification_error=kinds["classification"],
            log_loss=geometric_mean([self.relative_log_loss(method, table) for table in own]),
            rank=statistics.mean(self._rank(method, table) for table in own) if ranked else None,
            normalised=statistics.mean(self._normalised(method, t) for t in own) if ranked else None,
            against=self.duel(method, REFERENCE),
            fit_seconds=geometric_mean([max(statistics.mean(f.fit_cpu for f in of), 1e-3) for of in fits]),
            predict_ms=None if speed is None else speed * 1e6,
            peak_mb=max(f.peak_mb for of in fits for f in of),
        )  # fmt: skip

    def _rank(self, method: str, table: str) -> float:
        """1 for the best; equal ones share the mean of their ranks."""
        scores, own = self._scores(table), self.score(method, table)
        better = sum(score > own for score in scores)
        return better + (sum(score == own for score in scores) + 1) / 2

    def _normalised(self, method: str, table: str) -> float:
        scores, own = self._scores(table), self.score(method, table)
        best, median = max(scores), statistics.median(scores)
        if best == median:
            return float(own == best)
        return max(0.0, (own - median) / (best - median))

    def _scores(self, table: str) -> list[float]:
        return [self.score(method, table) for method in self.complete]


def test_rows(table: Table, rows: int) -> int:
    """How many rows are tested in each split."""
    return table.official or -(-rows // 5)


def test_share(table: Table, rows: int) -> float:
    """Test rows per training row."""
    return table.official / (0.8 * (rows - table.official)) if table.official else 1 / 3


def geometric_mean(values: Sequence[float | None]) -> float | None:
    """Of those that are there; None: there are none."""
    found = [value for value in values if value is not None]
    return statistics.geometric_mean(found) if found else None
