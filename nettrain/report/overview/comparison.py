"""Several runs side by side: what differs, the metrics, and whether the differences are real."""

from collections.abc import Iterator, Sequence
from typing import Any

from nettrain.errors import NettrainError
from nettrain.inspection.compare import compare
from nettrain.inspection.comparison import Comparison
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.inspection.runs import MAIN_METRICS
from nettrain.report.inline import inline_svg
from nettrain.report.overview.interval_chart import Bar, interval_chart
from nettrain.report.overview.runs import curves_section, runs_section
from nettrain.report.section import Cell, Section, Table, interval, shown, value_text
from nettrain.report.style import styled


def comparison_sections(
    records: Sequence[RecordedRun], *, allow_plugins: bool, part: str | None
) -> Iterator[Section]:
    """The sections in order; runs that cannot be compared are listed with the reason.

    Args:
        records: Two or more directories.
        allow_plugins: Whether Python files that configurations name may be imported.
        part: On which metrics are measured; None: test.
    """
    names = [record.path.absolute().name for record in records]
    try:
        paths = [record.path for record in records]
        found = compare(paths, part=part or "test", allow_plugins=allow_plugins)
    except NettrainError as error:
        yield Section("Comparison", problem=str(error))
    else:
        yield _metrics(found, names)
        yield from _differences(found, names)
        yield from _config(found, names)
    yield runs_section(records)
    yield from curves_section(records)


def _config(found: Comparison, names: Sequence[str]) -> Iterator[Section]:
    rows: list[list[Cell]] = [
        [key, *("-" if value is None else value_text(value) for value in values)]
        for key, values in found.config.items()
    ]
    if rows:
        reading = "Only the keys of the configuration in which the runs differ are listed."
        yield Section("Settings", reading, tables=[Table(["key", *names], rows)])


def _metrics(found: Comparison, names: Sequence[str]) -> Section:
    metrics = dict.fromkeys(name for run in found.runs for name in run.metrics)
    rows: list[list[Cell]] = [
        [name, *(_with_interval(run.metrics, run.intervals, name) for run in found.runs)]
        for name in metrics
    ]
    rows.insert(0, ["rows", *(run.rows for run in found.runs)])
    metric = next((name for name in MAIN_METRICS if name in metrics), None)
    bars = [
        Bar(name, run.metrics[metric], run.intervals.get(metric))
        for name, run in zip(names, found.runs, strict=True)
        if metric in run.metrics
    ]
    picture = ""
    if metric and bars:
        with styled():
            label = f"{metric.replace('_', ' ')} ({found.part} part)"
            picture = inline_svg(interval_chart(bars, label), "compared", "Metrics of the runs")
    tables = [Table(["metric", *names], rows)] if metrics else []
    return Section(
        "Metrics",
        "Lines and parentheses are 95 % intervals: how far a metric would vary with other rows of "
        "the same kind.",
        picture,
        tables,
        found.notes,
        problem="" if metrics else f"no run has metrics of the {found.part} part",
    )


def _differences(found: Comparison, names: Sequence[str]) -> Iterator[Section]:
    labels = {run.path: name for run, name in zip(found.runs, names, strict=True)}
    rows: list[list[Cell]] = [
        [one.metric, f"{labels[one.second]} - {labels[one.first]}", one.difference,
         interval(one.interval), one.p_value, one.test]
        for one in found.differences
    ]  # fmt: skip
    if rows:
        headings = ["metric", "difference", "value", "95 % interval", "p", "test"]
        yield Section(
            "Differences",
            "Measured on the same rows: where the interval holds 0, or p is above 0.05, the "
            "difference may be chance.",
            tables=[Table(headings, rows)],
        )


def _with_interval(metrics: dict[str, float], intervals: dict[str, Any], name: str) -> str:
    ends = intervals.get(name)
    return shown(metrics.get(name)) + (f" ({interval(ends)})" if ends else "")
