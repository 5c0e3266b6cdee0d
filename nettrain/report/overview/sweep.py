"""A sweep: the trials as parallel coordinates and as a table, importances, and the final run."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from matplotlib.figure import Figure

from nettrain.inspection.file_shapes import json_object
from nettrain.inspection.recorded_run import RecordedRun, inner_runs
from nettrain.metrics import direction
from nettrain.numbers import is_finite
from nettrain.report.inline import inline_svg
from nettrain.report.marks import WIDTH, short
from nettrain.report.overview.parallel_coordinates import parallel_coordinates
from nettrain.report.overview.runs import curves_section
from nettrain.report.run_sections import results_sections
from nettrain.report.run_view import RunView
from nettrain.report.section import Cell, Section, Table, value_text
from nettrain.report.style import BLUE, styled

MOST_ROWS = 200  # of the table


def sweep_sections(record: RecordedRun, *, allow_plugins: bool) -> Iterator[Section]:
    """The sections in order.

    Args:
        record: Of the sweep.
        allow_plugins: Whether Python files that its final run names may be imported.
    """
    metric, higher = metric_of(record)
    trials, finished = record.trials, finished_trials(record)
    yield _trials_section(record, trials, finished, metric, higher)
    yield from _importances(record)
    runs = {run.path.name: run for run in inner_runs(record)}
    if "final" in runs and runs["final"].state == "finished":
        view = RunView(runs["final"], allow_plugins=allow_plugins)
        yield from results_sections(view, "The final run")
    ranked = [str(trial.get("run_directory") or "").rpartition("/")[2] for trial in finished]
    yield from curves_section([runs[name] for name in ranked if name in runs], ranked=True)


def metric_of(record: RecordedRun) -> tuple[str, bool]:
    """The metric that a sweep compares, and whether higher is better."""
    configured = record.sweep.get("metric")
    metric = str(configured.get("name") if isinstance(configured, dict) else configured or "metric")
    return metric, direction(metric) is not False


def finished_trials(record: RecordedRun) -> list[dict[str, Any]]:
    """The trials that have a metric, the best first."""
    found = [trial for trial in record.trials if is_finite(trial.get("metric"))]
    _, higher = metric_of(record)
    return sorted(found, key=lambda trial: -trial["metric"] if higher else trial["metric"])


def _trials_section(
    record: RecordedRun,
    trials: list[dict[str, Any]],
    finished: list[dict[str, Any]],
    metric: str,
    higher: bool,
) -> Section:
    names = list(dict.fromkeys(key for trial in trials for key in trial.get("parameters", {})))
    headings = ["trial", metric, "seconds", *names]
    rows: list[list[Cell]] = [
        [trial["index"], float(trial["metric"]), trial.get("seconds"),
         *(value_text(trial["parameters"].get(name)) for name in names)]
        for trial in finished[:MOST_ROWS]
    ]  # fmt: skip
    picture = ""
    if len(finished) > 1 and names:
        with styled():
            figure = parallel_coordinates(finished, names, metric, higher)
            picture = inline_svg(figure, "sweep", "Parallel coordinates")
    states = Counter(str(trial.get("status")) for trial in trials)
    counts = ", ".join(f"{count} {state}" for state, count in states.most_common())
    notes = [f"Trials: {counts}."] if set(states) > {"finished"} else []
    if len(finished) > MOST_ROWS:
        notes.append(f"The table holds the best {MOST_ROWS} of {len(finished):,} trials.")
    return Section(
        "Trials",
        "A line is a trial, yellow the best and violet the worst: where the yellow lines meet on "
        "an axis, that setting matters.",
        picture,
        [Table(headings, rows)] if rows else [],
        [*notes, *record.summary.get("notes", ())],
        problem="" if rows else "no trial has finished",
    )


def _importances(record: RecordedRun) -> Iterator[Section]:
    found = json_object(record.path / "importances.json", {})
    known = [(name, float(v)) for name, v in found.items() if is_finite(v)]
    if not known:
        return
    known.sort(key=lambda item: -item[1])
    with styled():
        figure = _bars(known)
        picture = inline_svg(figure, "importances", "Importance of the parameters")
    reading = "A bar is the share of the metric's variation over the trials that a setting explains"
    table = Table(["parameter", "importance"], [[name, value] for name, value in known])
    yield Section("Importances", f"{reading}, alone or with others.", picture, [table])


def _bars(values: list[tuple[str, float]]) -> Figure:
    figure = Figure(figsize=(WIDTH, 0.7 + 0.24 * len(values)))
    axes = figure.subplots()
    axes.barh(range(len(values)), [value for _, value in values], color=BLUE, height=0.7)
    axes.set_yticks(range(len(values)), [short(name, 30) for name, _ in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_xlabel("importance (share of the variation)")
    return figure
