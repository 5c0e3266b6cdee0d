"""The page of a sweep, of a cross-validation, or of several runs: side by side, not in depth."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from matplotlib.figure import Figure

from nettrain.config.messages import show
from nettrain.errors import NettrainError
from nettrain.inspection.compare import compare
from nettrain.inspection.recorded_run import RecordedRun, inner_runs
from nettrain.inspection.runs import run_entry
from nettrain.metrics import direction
from nettrain.report.inline import inline_svg
from nettrain.report.marks import class_colours, short
from nettrain.report.parallel_coordinates import parallel_coordinates
from nettrain.report.section import Cell, Page, Section, Table, interval, shown
from nettrain.report.style import GREY, styled

MOST_CURVES = 8  # that can be told apart; more are grey
MOST_ROWS = 200  # of a table of runs or trials


def overview_page(records: Sequence[RecordedRun], *, allow_plugins: bool, part: str | None) -> Page:
    """The page of a sweep or cross-validation, or of several directories."""
    if len(records) > 1:
        title = ", ".join(record.path.absolute().name for record in records)
        compared = _compared(records, allow_plugins, part)
        return Page(title, [f"{len(records)} runs side by side"], [*compared, *_runs(records)])
    record = records[0]
    inner = inner_runs(record)
    own = _folds(record) if record.kind == "cv" else _sweep(record)
    summary = [record.kind, record.state, f"{len(inner)} runs"]
    return Page(record.path.absolute().name, summary, [*own, *_runs(inner)])


def _compared(
    records: Sequence[RecordedRun], allow_plugins: bool, part: str | None
) -> Iterator[Section]:
    """What differs in the configurations, the metrics, and whether differences are real."""
    title = "Comparison"
    try:
        found = compare(
            [record.path for record in records], part=part or "test", allow_plugins=allow_plugins
        )
    except NettrainError as error:
        yield Section(title, problem=str(error))
        return
    names = [record.path.absolute().name for record in records]
    config = [
        [key, *("-" if value is None else show(value) for value in values)]
        for key, values in found.config.items()
    ]
    if config:
        reading = "Only keys of the configuration in which the runs differ are listed."
        yield Section("Differences", reading, tables=[Table(["key", *names], config)])
    metrics = dict.fromkeys(name for run in found.runs for name in run.metrics)
    rows: list[list[Cell]] = [
        [name, *(_with_interval(run.metrics, run.intervals, name) for run in found.runs)]
        for name in metrics
    ]
    labels = {run.path: name for run, name in zip(found.runs, names, strict=True)}
    tested: list[list[Cell]] = [
        [one.metric, f"{labels[one.second]} - {labels[one.first]}", one.difference,
         interval(one.interval), one.p_value, one.test]
        for one in found.differences
    ]  # fmt: skip
    tables = [Table(["metric", *names], rows)] if rows else []
    if tested:
        headings = ["metric", "difference", "value", "95 % interval", "p", "test"]
        tables.append(Table(headings, tested, "Differences on the same rows"))
    reading = "In parentheses the 95 % interval; a difference with p above 0.05 may be chance."
    yield Section(title, reading, tables=tables, notes=found.notes)


def _with_interval(metrics: dict[str, float], intervals: dict[str, Any], name: str) -> str:
    ends = intervals.get(name)
    return shown(metrics.get(name)) + (f" ({interval(ends)})" if ends else "")


def _folds(record: RecordedRun) -> Iterator[Section]:
    summary = record.summary
    mean, std = summary.get("mean") or {}, summary.get("std") or {}
    rows: list[list[Cell]] = [
        [name, value, std.get(name), interval((summary.get("interval") or {}).get(name))]
        for name, value in mean.items()
    ]
    reading = (
        "The interval of the mean allows for folds sharing training rows (Nadeau and Bengio 2003)."
    )
    problem = "" if rows else "its folds are not finished"
    headings = ["metric", "mean", "standard deviation", "95 % interval"]
    tables = [Table(headings, rows)] if rows else []
    notes = summary.get("notes", ())
    yield Section("Results over the folds", reading, tables=tables, notes=notes, problem=problem)


def _sweep(record: RecordedRun) -> Iterator[Section]:
    trials = _trials(record)
    configured = record.sweep.get("metric")
    metric = str(configured.get("name") if isinstance(configured, dict) else configured or "metric")
    higher = direction(metric) is not False
    finite = [trial for trial in trials if isinstance(trial.get("metric"), int | float)]
    finite = [trial for trial in finite if math.isfinite(trial["metric"])]
    finite.sort(key=lambda trial: -trial["metric"] if higher else trial["metric"])
    names = list(dict.fromkeys(key for trial in trials for key in trial.get("parameters", {})))
    rows: list[list[Cell]] = [
        [trial["index"], float(trial["metric"]),
         *(show(trial["parameters"].get(name)) for name in names)]
        for trial in finite[:MOST_ROWS]
    ]  # fmt: skip
    with styled():
        picture = inline_svg(
            parallel_coordinates(finite, names, metric, higher), "sweep", "Parallel coordinates"
        ) if len(finite) > 1 and names else ""  # fmt: skip
    yield Section(
        "Trials",
        "A line is a trial, yellow the best and violet the worst: where the yellow lines meet on "
        "an axis, that setting matters.",
        picture,
        [Table(["trial", metric, *names], rows)] if rows else [],
        record.summary.get("notes", ()),
        problem="" if rows else "no trial has finished",
    )
    importances = _json(record, "importances.json")
    known: list[list[Cell]] = [
        [name, None if value is None else float(value)] for name, value in importances.items()
    ]
    if known:
        reading = "How much of the metric's variation each parameter explains."
        yield Section("Importances", reading, tables=[Table(["parameter", "importance"], known)])


def _runs(records: Sequence[RecordedRun]) -> Iterator[Section]:
    entries = [run_entry(record) for record in records]
    rows: list[list[Cell]] = [
        [e.name, e.state, e.model, e.metric, e.validation, e.test, e.seconds]
        for e in entries[:MOST_ROWS]
    ]
    headings = ["run", "state", "model", "metric", "validation", "test", "seconds"]
    reading = "Each has a page of its own: nettrain report and its directory."
    yield Section("Runs", reading, tables=[Table(headings, rows)])
    trained = [record for record in records if record.epochs]
    if trained:
        with styled():
            picture = inline_svg(_curves(trained), "runs-curves", "Learning curves")
        reading = "Solid lines are the validation loss, dotted ones the training loss."
        yield Section("Learning curves", reading, picture)


def _curves(records: Sequence[RecordedRun]) -> Figure:
    figure = Figure(figsize=(7.2, 3.4))
    axes = figure.subplots()
    few = len(records) <= MOST_CURVES
    colours = class_colours(len(records)) if few else [GREY] * len(records)
    for record, colour in zip(records, colours, strict=True):
        label: str | None = short(record.path.absolute().name)
        for key, style in (("validation_loss", "-"), ("train_loss", ":")):
            points = [(row["epoch"], row[key]) for row in record.epochs if _finite(row.get(key))]
            if points:
                epochs, values = zip(*points, strict=True)
                axes.plot(epochs, values, style, color=colour, linewidth=1.2, label=label)
                label = None
    axes.set(xlabel="epoch", ylabel="loss per row")
    if few:
        axes.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _trials(record: RecordedRun) -> list[dict[str, Any]]:
    """The last line of each trial in trials.jsonl."""
    trials: dict[int, dict[str, Any]] = {}
    try:
        lines = (record.path / "trials.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            trial = dict(json.loads(line))
            trials[trial["index"]] = trial
        except (ValueError, TypeError, KeyError):
            break  # torn by a crash
    return list(trials.values())


def _json(record: RecordedRun, name: str) -> dict[str, Any]:
    try:
        found = json.loads((record.path / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
