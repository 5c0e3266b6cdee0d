"""The results as Markdown tables."""

import json
from collections.abc import Iterable, Sequence

import splits
from aggregate import Comparison, Duel
from catalogue import TABLES
from methods import METHODS
from results import Fit

DUELISTS = ("histgb", "lightgbm", "xgboost", "catboost")


def markdown(fits: Iterable[Fit], subject: str = "tabular") -> str:
    """Methods, duels of `subject`, tables."""
    recorded = json.loads(splits.FILE.read_text(encoding="utf-8"))
    comparison = Comparison(fits, {name: record["rows"] for name, record in recorded.items()})
    comparison.methods.sort(key=list(METHODS).index)
    return "\n\n".join(
        [_methods(comparison), _duels(comparison, subject), _scores(comparison), _seconds(comparison)]
    )  # fmt: skip


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, numbers to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _methods(comparison: Comparison) -> str:
    head = ["method", "tables", "error / HistGB's", "regression", "classes", "log loss / HistGB's",
            "mean rank", "normalised score", "wins : losses against HistGB (significant)",
            "fit, CPU s", "predict 1,000 rows, ms", "peak MB"]  # fmt: skip
    rows = []
    for name in comparison.methods:
        one = comparison.aggregate(name)
        rows.append(
            [
                METHODS[name].title,
                str(one.tables),
                *map(_two, (one.error, one.regression_error, one.classification_error, one.log_loss)),
                *map(_two, (one.rank, one.normalised)),
                _duel(one.against),
                *map(_two, (one.fit_seconds, one.predict_ms)),
                f"{one.peak_mb:.0f}",
            ]
        )  # fmt: skip
    return table(head, rows)


def _duels(comparison: Comparison, subject: str) -> str:
    rows = [
        [METHODS[name].title, _duel(comparison.duel(subject, name))]
        for name in comparison.methods
        if name != subject and subject in comparison.methods
    ]
    return table([f"{METHODS[subject].title} against", "wins : losses (significant)"], rows)


def _scores(comparison: Comparison) -> str:
    head = ["accuracy or R2", "rows", *comparison.methods]
    rows = []
    for name in comparison.tables:
        found = {method: comparison.score(method, name) for method in comparison.methods}
        best = max(score for score in found.values() if score is not None)
        cells = [_bold(score, best) for score in found.values()]
        kind = " (R2)" if TABLES[name].task == "regression" else ""
        rows.append([name + kind, f"{comparison.rows[name]:,}", *cells])
    return table(head, rows)


def _seconds(comparison: Comparison) -> str:
    rows = []
    for name in comparison.tables:
        fits = [list(comparison.fits[m].get(name, {}).values()) for m in comparison.methods]
        cells = [f"{sum(f.fit_cpu for f in of) / len(of):.1f}" if of else "-" for of in fits]
        rows.append([name, *cells])
    return table(["fit, CPU s", *comparison.methods], rows)


def _duel(duel: Duel) -> str:
    return f"{duel.wins} : {duel.losses} ({duel.clear_wins} : {duel.clear_losses})"


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _bold(score: float | None, best: float) -> str:
    if score is None:
        return "-"
    return f"**{score:.4f}**" if score == best else f"{score:.4f}"
