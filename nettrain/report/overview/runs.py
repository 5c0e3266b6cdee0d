"""The runs of a group: a table, and their learning curves on one pair of axes."""

from collections.abc import Iterator, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.inspection.recorded_run import RecordedRun
from nettrain.inspection.runs import run_entry
from nettrain.report.curve_data import finite_points
from nettrain.report.inline import inline_svg
from nettrain.report.marks import WIDTH, class_colours, logarithmic_if_steep, short
from nettrain.report.section import Cell, Section, Table
from nettrain.report.style import SEQUENTIAL, styled

FEW = 8  # runs whose curves can be told apart by colour
MOST_ROWS = 200  # of a table
PARTS = {"validation_loss": "-", "train_loss": ":"}


def runs_section(records: Sequence[RecordedRun], title: str = "Runs") -> Section:
    """A table of the runs: how far each came, and its main metric."""
    entries = [run_entry(record) for record in records]
    rows: list[list[Cell]] = [
        [e.name, e.state, e.data, e.model, e.metric, e.validation, e.test, e.seconds]
        for e in entries[:MOST_ROWS]
    ]
    headings = ["run", "state", "data", "model", "metric", "validation", "test", "seconds"]
    reading = "Each has a page of its own: nettrain report and its directory."
    left_out = len(entries) - len(rows)
    notes = [f"The first {MOST_ROWS}; {left_out} are left out."] if left_out else []
    return Section(title, reading, tables=[Table(headings, rows)], notes=notes)


def curves_section(records: Sequence[RecordedRun], *, ranked: bool = False) -> Iterator[Section]:
    """The loss of all runs over the epochs; nothing where no run has finished an epoch.

    Args:
        records: The runs.
        ranked: The best comes first, and colours are ranks.
    """
    trained = [
        record for record in records if any(finite_points(record.epochs, key)[0] for key in PARTS)
    ]
    if not trained:
        return
    if not ranked and len(trained) > FEW:
        trained.sort(key=_least_loss)
        ranked = True
    with styled():
        picture = inline_svg(_figure(trained, ranked), "runs-curves", "Learning curves")
    reading = "Solid lines are the validation loss, dotted ones the training loss."
    if ranked:
        reading = "A line is the validation loss of a run, yellow the best and violet the worst."
    yield Section("Learning curves", reading, picture)


def _least_loss(record: RecordedRun) -> float:
    """The lowest validation loss, or training loss where there is no other."""
    losses = (finite_points(record.epochs, key)[1] for key in PARTS)
    return min(next(values for values in losses if values))


def _figure(records: Sequence[RecordedRun], ranked: bool) -> Figure:
    figure = Figure(figsize=(WIDTH, 3.4))
    axes = figure.subplots()
    colours = class_colours(len(records))
    if ranked:
        shades = mpl.colormaps[SEQUENTIAL](np.linspace(1, 0, len(records)))
        colours = [mpl.colors.to_hex(shade) for shade in shades]
    for record, colour in reversed(list(zip(records, colours, strict=True))):
        label: str | None = None if ranked else short(record.path.absolute().name, 24)
        shown = [key for key in PARTS if finite_points(record.epochs, key)[0]]
        for key in shown[:1] if ranked else shown:
            epochs, values = finite_points(record.epochs, key)
            axes.plot(epochs, values, PARTS[key], color=colour, linewidth=1.2, label=label)
            label = None
    axes.set(xlabel="epoch", ylabel="loss per row")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    logarithmic_if_steep(axes)
    if not ranked:
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.02, 0.5))
    return figure
