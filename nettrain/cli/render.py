"""Tables of metrics beside the baseline, of folds, members, classes, and the confusion matrix."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.text import Text

from nettrain.cli.table import GAP, NumberTable
from nettrain.inspection.metric_rows import Reading, metric_rows

if TYPE_CHECKING:
    import numpy as np

PARTS = ("train", "validation", "test")
INTERVAL = "95 % interval"
MAX_CONFUSIONS = 20
MAX_MEMBER_METRICS = 4
MAX_FOLD_COLUMNS = 6  # more do not fit beside the means


def metrics_table(
    metrics: Mapping[str, Mapping[str, float]],
    baseline: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    linear: Mapping[str, Mapping[str, float]] | None = None,
    reading: Reading | None = None,
) -> NumberTable:
    """One row per metric, a column per part or file; of the last, interval and baselines.

    Where it is too wide, the other parts are left out first, then interval and linear model.

    Args:
        metrics: By part and name.
        baseline: The same of the baseline.
        intervals: By part and metric; None: none are shown.
        linear: The same of a linear model; None: none is shown.
        reading: How the metrics are to be read.
    """
    known = [part for part in PARTS if metrics.get(part)]
    parts = known + [part for part in metrics if part not in PARTS and metrics[part]]
    last = parts[-1] if parts else ""
    of_baseline, of_last = baseline.get(last, {}), (intervals or {}).get(last, {})
    of_linear, linear_heading = (linear or {}).get(last, {}), f"linear\n({last})"
    headings = [*parts, *([INTERVAL] if of_last else [])]
    optional = [*parts[:-1], INTERVAL, linear_heading]
    table = NumberTable("metric", *headings, optional=optional)
    if of_baseline:
        table.add_column(f"baseline\n({last})", dim=True)
    if of_linear:
        table.add_column(linear_heading, dim=True)
    rows = metric_rows([metrics[part] for part in parts], reading)
    for name in rows.names:
        cells = [number(metrics[part].get(name)) for part in parts]
        cells += [interval(of_last.get(name))] if of_last else []
        cells += [number(rows.value(of_baseline, name))] if of_baseline else []
        cells += [number(rows.value(of_linear, name))] if of_linear else []
        table.add_row(name, *cells)
    table.caption = rows.remark
    return table


def folds_table(
    folds: Sequence[Mapping[str, Any]],
    mean: Mapping[str, float],
    std: Mapping[str, float],
    intervals: Mapping[str, Sequence[float]],
    final: Mapping[str, Any] | None,
    final_intervals: Mapping[str, Sequence[float]] | None = None,
    reading: Reading | None = None,
) -> NumberTable:
    """One row per metric: each fold, mean, standard deviation, interval, and the test part."""
    shown = folds if len(folds) <= MAX_FOLD_COLUMNS else []
    headings = [
        f"fold {one['fold']}" if folds[-1]["repeat"] == 1 else f"{one['repeat']}.{one['fold']}"
        for one in shown
    ]
    test_interval = f"test {INTERVAL}"
    table = NumberTable(
        "metric",
        *headings,
        "mean",
        "std",
        INTERVAL,
        *([] if final is None else ["test"]),
        *([test_interval] if final_intervals else []),
        optional=[*reversed(headings), test_interval, "std"],
    )
    rows = metric_rows([*(one["metrics"] for one in folds), mean], reading)
    for name in rows.names:
        cells = [*(one["metrics"].get(name) for one in shown), mean.get(name), std.get(name)]
        test = [] if final is None else [number(final["metrics"].get(name))]
        test += [interval(final_intervals.get(name))] if final_intervals else []
        table.add_row(name, *map(number, cells), interval(intervals.get(name)), *test)
    table.caption = rows.remark
    return table


def member_table(members: Sequence[Mapping[str, Any]], part: str) -> NumberTable:
    """One row per member: its epochs, the weight of its vote, and its first metrics on a part."""
    shown = metric_rows([one["metrics"][part] for one in members])
    names = shown.names[:MAX_MEMBER_METRICS]
    table = NumberTable("member", "epochs", "weight", *(f"{part} {name}" for name in names))
    for one in members:
        metrics = [number(one["metrics"][part].get(name)) for name in names]
        table.add_row(one["member"], number(one["epochs"]), number(one["weight"]), *metrics)
    return table


def gain_table(
    members: Sequence[Mapping[str, float]],
    mean: Mapping[str, float],
    ensemble: Mapping[str, float],
    part: str,
    out_of_bag: Mapping[str, float] | None,
    intervals: Mapping[str, Sequence[float]] | None = None,
    reading: Reading | None = None,
) -> NumberTable:
    """One row per metric: lowest, mean and highest member, ensemble, out-of-bag score."""
    ensemble_heading = f"ensemble ({part})"
    headings = ["lowest member", "mean member", "highest member", ensemble_heading]
    headings += [INTERVAL] if intervals else []
    bag_heading = [] if out_of_bag is None else ["out of bag"]
    optional = [headings[0], headings[2], INTERVAL, *bag_heading]
    table = NumberTable("metric", *headings, *bag_heading, optional=optional)
    rows = metric_rows([ensemble, mean, *members], reading)
    for name in (name for name in rows.names if name in ensemble):
        value = ensemble[name]
        of_members = [one[name] for one in members if name in one]
        cells = [min(of_members, default=None), mean.get(name), max(of_members, default=None)]
        bag = [] if out_of_bag is None else [number(out_of_bag.get(name))]
        ends = [interval(intervals.get(name))] if intervals else []
        table.add_row(name, *map(number, [*cells, value]), *ends, *bag)
    table.caption = rows.remark
    return table


def class_table(classes: Sequence[str], columns: Mapping[str, "np.ndarray"]) -> NumberTable:
    """One row per class, label or target; one column per metric."""
    table = NumberTable("", *columns)
    values = [column.tolist() for column in columns.values()]
    for name, *metrics in zip(classes, *values, strict=True):
        table.add_row(name, *map(number, metrics))
    return table


def confusion_table(
    classes: Sequence[str], matrix: Sequence[Sequence[int]], width: int
) -> NumberTable:
    """Row: true class, column: predicted class; the most frequent confusions if too wide."""
    corner = "true \\ predicted"
    widths = [
        max(Text(name).cell_len, len(str(max(column))))
        for name, column in zip(classes, zip(*matrix, strict=True), strict=True)
    ]
    names = max(Text(name).cell_len for name in [corner, *classes])
    if names + sum(widths) + GAP * len(widths) > width:
        return _confusions(classes, matrix)
    table = NumberTable(corner, *classes, optional=[])
    for index, (name, row) in enumerate(zip(classes, matrix, strict=True)):
        cells = [
            Text(str(count), style="bold" if index == column else "" if count else "dim")
            for column, count in enumerate(row)
        ]
        table.add_row(name, *cells)
    return table


def _confusions(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> NumberTable:
    table = NumberTable("true", "predicted", "rows", optional=[])
    pairs = (
        (matrix[i][j], i, j)
        for i in range(len(classes))
        for j in range(len(classes))
        if i != j and matrix[i][j]
    )
    for count, true, predicted in sorted(pairs, reverse=True)[:MAX_CONFUSIONS]:
        table.add_row(classes[true], classes[predicted], str(count))
    return table


def interval(ends: Sequence[float] | None) -> str:
    """Both ends of an interval, a dash where there is none."""
    return "-" if ends is None else f"{number(ends[0])} to {number(ends[1])}"


def number(value: float | None) -> str:
    """Four decimals where they mean something, else four significant digits; integers as is."""
    if value is None or math.isnan(value):  # not defined here
        return "-"
    if isinstance(value, int) or (value.is_integer() and 1000 <= abs(value) < 1e9):
        return f"{int(value):,}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.4g}"
