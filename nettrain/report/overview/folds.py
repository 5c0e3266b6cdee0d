"""A cross-validation: the metrics of every fold, their mean and its interval."""

from collections.abc import Iterator
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.inspection.recorded_run import RecordedRun, inner_runs
from nettrain.inspection.runs import MAIN_METRICS
from nettrain.report.inline import inline_svg
from nettrain.report.marks import panels
from nettrain.report.overview.runs import curves_section, runs_section
from nettrain.report.section import Cell, Section, Table, interval
from nettrain.report.style import BLUE, GREY, ORANGE, styled

MOST_PANELS = 4
FIRST = (*MAIN_METRICS, "loss", "roc_auc", "mae", "rmse", "f1")  # that are drawn
NAMED = 12  # folds up to which each is named on the axis


def fold_sections(record: RecordedRun) -> Iterator[Section]:
    """The sections in order."""
    runs = inner_runs(record)
    yield _means(record)
    folds = record.summary.get("folds") or []
    if folds:
        yield _each(folds)
    yield runs_section(runs)
    yield from curves_section(runs)


def _means(record: RecordedRun) -> Section:
    """Metrics that equal another in every fold (the loss and log_loss) are shown once."""
    summary = record.summary
    mean, std = summary.get("mean") or {}, summary.get("std") or {}
    intervals = summary.get("interval") or {}
    final = (summary.get("final") or {}).get("metrics") or {}
    test = final.get("test") or final
    rows: list[list[Cell]] = [
        [name, value, std.get(name), interval(intervals.get(name)),
         *([test.get(name)] if test else [])]
        for name, value in mean.items()
    ]  # fmt: skip
    headings = ["metric", "mean", "standard deviation", "95 % interval"]
    headings += ["final model (test)"] if test else []
    folds = summary.get("folds") or []
    names = _drawn([one["metrics"] for one in folds]) if folds else []
    picture = ""
    if names and len(folds) > 1:
        with styled():
            figure = _figure(folds, names, mean, intervals)
            picture = inline_svg(figure, "folds", "Metrics of the folds")
    return Section(
        "Results over the folds",
        "A dot is the metric of a fold, the line their mean and the band its 95 % interval, which "
        "allows for folds that share training rows (Nadeau and Bengio 2003).",
        picture,
        [Table(headings, rows)] if rows else [],
        summary.get("notes", ()),
        problem="" if rows else "its folds are not finished",
    )


def _each(folds: list[dict[str, Any]]) -> Section:
    names = list(folds[0]["metrics"])
    repeats = len({one.get("repeat") for one in folds}) > 1
    rows: list[list[Cell]] = [
        [_label(one, repeats), *(one["metrics"].get(name) for name in names)] for one in folds
    ]
    reading = "One fold that is far from the others has unusual rows, or was unlucky in training."
    return Section("Folds", reading, tables=[Table(["fold", *names], rows)])


def _label(fold: dict[str, Any], repeats: bool) -> str:
    name = f"{fold.get('fold')}"
    return f"{fold.get('repeat')}.{name}" if repeats else name


def _drawn(folds: list[dict[str, float]]) -> list[str]:
    """The main metric first, and no metric that another equals in every fold."""
    order = {name: place for place, name in enumerate(FIRST)}
    names = sorted(folds[0], key=lambda name: order.get(name, len(order)))
    chosen: dict[tuple[str, ...], str] = {}
    for name in names:
        chosen.setdefault(tuple(f"{one.get(name, 0):.6f}" for one in folds), name)
    return list(chosen.values())[:MOST_PANELS]


def _figure(
    folds: list[dict[str, Any]],
    names: list[str],
    mean: dict[str, float],
    intervals: dict[str, list[float]],
) -> Figure:
    repeats = len({one.get("repeat") for one in folds}) > 1
    figure, axes = panels(len(names), columns=2, height=max(1.3, 0.6 + 0.16 * min(len(folds), 12)))
    for panel, name in zip(axes, names, strict=True):
        values = [one["metrics"].get(name) for one in folds]
        if ends := intervals.get(name):
            panel.axvspan(*ends, color=ORANGE, alpha=0.25, linewidth=0)
        panel.axvline(mean[name], color=ORANGE, linewidth=1.4)
        panel.plot(values, range(len(folds)), "o", color=BLUE, markersize=4)
        labels = [_label(one, repeats) for one in folds] if len(folds) <= NAMED else []
        panel.set_yticks(range(len(labels)), labels)
        panel.set_ylim(len(folds) - 0.5, -0.5)
        panel.set(xlabel=name.replace("_", " "), ylabel="fold")
        panel.xaxis.set_major_locator(MaxNLocator(5))
        panel.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.6)
    return figure
