"""The sections of a page about one run or ensemble; what cannot be shown says why."""

import shlex
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from nettrain.errors import NettrainError
from nettrain.files import read_bytes
from nettrain.inference.model import Model
from nettrain.inspection.calibration_rows import validation_chose_epoch
from nettrain.inspection.linear_metrics import linear_metrics
from nettrain.inspection.metric_rows import metric_rows, reading_of
from nettrain.inspection.raw_features import column_names
from nettrain.inspection.runs import run_entry
from nettrain.metrics import ClassOutcome, LabelOutcome, per_class_table
from nettrain.nn.summary import LayerSummary, summarize
from nettrain.report.inline import inline_svg
from nettrain.report.plot import plot_names, plot_of
from nettrain.report.run_view import PARTS, RunView
from nettrain.report.section import Cell, Section, Table, interval, value_text
from nettrain.report.style import styled
from nettrain.report.worst_rows import cells, worst_rows

# The figures in the order of the page; a kind that is not named here comes last.
ORDER = (
    "curves", "diagnostics", "confusion", "roc", "pr", "calibration", "fit", "residuals", "errors",
    "importance", "dependence", "boundary", "descent", "embedding", "first_layer", "filters",
    "feature_maps", "weights", "lr",
)  # fmt: skip
MOST_CLASSES = 100  # rows of the table per class
MOST_COLUMNS = 8  # of the worst rows
MOST_PAIRS = 5  # of correlated columns


def run_sections(view: RunView, prefix: str = "f") -> Iterator[Section]:
    """The sections in order.

    Args:
        view: Of the run.
        prefix: Begins the ids of the pictures.
    """
    yield _trained(view)
    yield from results_sections(view)
    kinds = sorted(plot_names(), key=lambda n: ORDER.index(n) if n in ORDER else len(ORDER))
    missing = {}
    for name in kinds:
        reason = plot_of(name).lacks(view)
        if reason is None:
            yield _figure(view, name, prefix)
        else:
            missing[name] = reason
        if name == "confusion":
            yield from _per_class(view)
    yield from _layers(view)
    yield from _environment(view)
    yield _commands(view)
    rows = [(plot_of(name).title, reason) for name, reason in missing.items()]
    if rows:
        reading = "Figures that do not apply to this run, or that it cannot show any more."
        yield Section("Not shown", reading, tables=[Table(["figure", "why"], rows)])


def _trained(view: RunView) -> Section:
    record, summary = view.record, view.record.summary
    entry = run_entry(record)
    facts: list[tuple[str, Cell]] = [
        ("data", entry.data),
        ("model", entry.model),
        ("loss", _text(record.value("loss.type"))),
        ("optimizer", _text(record.value("optimizer.type"))),
        ("learning rate", value_text(record.value("optimizer.lr"))),
        ("batch size", record.value("training.batch_size")),
        ("seed", record.value("seed")),
        ("state", entry.state),
        ("stopped by", summary.get("stop_reason")),
        ("epochs", len(record.epochs) or summary.get("epochs")),
        ("best epoch", view.best_epoch),
        ("training time", None if entry.seconds is None else f"{entry.seconds:.3g} s"),
    ]
    facts += [(f"rows of {name}", len(rows)) for name, rows in record.rows.items() if rows.ndim]
    if view.lacks("model") is None:
        schema = view.predictor.schema
        facts.append(("task", schema.task))
        facts.append(("inputs", " x ".join(map(str, schema.shape)) if schema.shape else ""))
        if schema.classes:
            facts.append(("classes", len(schema.classes)))
        facts.append(("calibrated", _calibration(view)))
    try:
        config = read_bytes(record.path / "config.yaml").decode(errors="replace")
    except OSError:
        config = ""
    known = [fact for fact in facts if fact[1] not in (None, "", "-")]
    return Section(
        "What was trained",
        "The data, the model and how it was trained; the whole configuration is folded below.",
        tables=[Table([], known)],
        notes=[*summary.get("notes", ()), *summary.get("warnings", ())],
        code=config,
        problem=view.lacks("model") or view.lacks("rows") or "",
    )


def _calibration(view: RunView) -> str:
    """What `nettrain calibrate` has made, and how far to believe it."""
    model = view.predictor
    if model.conformal is not None:
        found = f"intervals for {100 * model.conformal.level:g} % of new values"
    elif isinstance(model, Model) and model.temperature != 1:
        found = f"temperature {model.temperature:.4g}"
    else:
        return ""
    if validation_chose_epoch(model.config):
        found += "; the validation rows, if made on them, have also chosen the best epoch"
    return found


def results_sections(view: RunView, title: str = "Results") -> Iterator[Section]:
    """The metrics with intervals, beside the baseline and a linear model; nothing without them."""
    metrics: dict[str, dict[str, float]] = {
        part: values
        for part, values in (view.record.summary.get("metrics") or {}).items()
        if isinstance(values, dict)
    }
    baseline = view.record.summary.get("baseline") or {}
    part = next((name for name in PARTS if name in metrics), "")
    intervals, linear = (
        (view.record.summary.get(name) or {}).get(part) or {} for name in ("intervals", "linear")
    )
    if view.lacks("rows") is None:
        part = view.part
        metrics = {part: view.evaluation.metrics} | metrics
        baseline = baseline | {part: view.evaluation.baseline}
        intervals = view.intervals
        linear = linear_metrics(view.predictor, view.dataset, view.train)
    if not metrics:
        return
    reading = None
    if view.lacks("model") is None:
        model = view.predictor
        reading = reading_of(model.config, model.loss, model.classes)
    shown = metric_rows(list(metrics.values()), reading)
    others = [name for name in PARTS if name in metrics and name != part]
    headings = ["metric", part, "95 % interval", "baseline"]
    headings += [*(["linear model"] if linear else []), *others]
    rows: list[list[Cell]] = [
        [
            name,
            metrics[part].get(name),
            interval(intervals.get(name)),
            shown.value(baseline.get(part) or {}, name),
            *([shown.value(linear, name)] if linear else []),
            *(metrics[other].get(name) for other in others),
        ]
        for name in shown.names
    ]
    yield Section(
        title,
        "The interval says how far a metric would vary with other rows of the same kind; a model "
        "is worth its trouble if it beats the baseline, which ignores the inputs.",
        tables=[Table(headings, rows)],
        notes=[shown.remark] if shown.remark else [],
    )


def _figure(view: RunView, name: str, prefix: str) -> Section:
    """A figure, or why it cannot be drawn; of tables the worst errors are a table."""
    kind = plot_of(name)
    try:
        if name == "errors" and view.lacks("images"):
            return Section(kind.title, kind.reading, tables=[_worst(view)])
        with styled():
            picture = inline_svg(kind.draw(view), f"{prefix}-{name}", kind.title)
    except NettrainError as error:
        return Section(kind.title, problem=str(error))
    notes = _correlated(view) if name == "importance" else []
    return Section(kind.title, kind.reading, picture, notes=notes)


def _correlated(view: RunView) -> list[str]:
    return [
        f"{one} and {other} are strongly correlated ({r:+.2f})."
        for one, other, r in view.importance.correlated[:MOST_PAIRS]
    ]


def _worst(view: RunView) -> Table:
    rows = worst_rows(view)
    columns = column_names(view.dataset.features)[:MOST_COLUMNS]
    sure = ["probability"] if rows[0].probability is not None else []
    return Table(
        ["row", "true", "predicted", *sure, *columns],
        [
            [
                row.where,
                row.truth,
                row.predicted,
                *([] if row.probability is None else [row.probability]),
                *cells(view, row.index, columns),
            ]
            for row in rows
        ],
    )


def _per_class(view: RunView) -> Iterator[Section]:
    if view.lacks("rows", "probabilities"):
        return
    outcome = cast(ClassOutcome | LabelOutcome, view.outcome)
    table = per_class_table(outcome)
    order = np.argsort(table["f1"], kind="stable")
    if len(order) <= MOST_CLASSES:
        order = np.arange(len(order))
    rows: list[list[Cell]] = [
        [view.class_names[i], *(_number(column[i]) for column in table.values())]
        for i in order[:MOST_CLASSES].tolist()
    ]
    left_out = len(order) - len(rows)
    what = "class" if isinstance(outcome, ClassOutcome) else "label"
    yield Section(
        f"Metrics per {what}",
        "Precision is the share of what was predicted that is right, recall the share of what is "
        "there that was found, and support the number of rows.",
        tables=[Table([what, *(name.replace("_", " ") for name in table)], rows)],
        notes=[f"The {MOST_CLASSES} with the lowest F1; {left_out} are left out."] * (left_out > 0),
    )


def _layers(view: RunView) -> Iterator[Section]:
    if view.lacks("network"):
        return
    network = cast(Model, view.predictor).network
    rows: list[list[Cell]] = []

    def add(layer: LayerSummary, depth: int) -> None:
        shape = " x ".join(map(str, layer.output_shape)) or "-"
        indent = "\N{NO-BREAK SPACE}" * 3 * depth
        rows.append([indent + layer.name, layer.type, shape, layer.parameters, layer.flops])
        for inner in layer.inside:
            add(inner, depth + 1)

    layers = summarize(network.layers, network.input_shape)
    for layer in layers:
        add(layer, 0)
    total = [sum(layer.parameters for layer in layers), sum(layer.flops for layer in layers)]
    rows.append(["total", "", "", *total])
    yield Section(
        "Layers",
        "Output shapes are those of one row; FLOPs count multiplications and additions per row.",
        tables=[Table(["layer", "type", "output shape", "parameters", "FLOPs per row"], rows)],
    )


def _environment(view: RunView) -> Iterator[Section]:
    environment = view.record.environment
    versions = environment.get("versions")
    facts = [
        (name, str(value))
        for name, value in environment.items()
        if isinstance(value, str | int | float)
    ]
    facts += sorted(versions.items()) if isinstance(versions, dict) else []
    if facts:
        reading = "With the same versions and processor the run reproduces bit for bit."
        yield Section("Environment", reading, tables=[Table([], facts)])


def _commands(view: RunView) -> Section:
    path, command = str(view.record.path), view.record.environment.get("command")
    lines = []
    if isinstance(command, list):
        lines.append("# as it was started\n" + shlex.join(map(str, command)))
    if view.record.kind == "run":
        config = shlex.quote(f"{path}/config.yaml")
        lines.append(f"# train again from the resolved configuration\nnettrain fit {config}")
        lines.append(f"# prove that it reproduces\nnettrain verify {shlex.quote(path)}")
    lines.append(f"# evaluate again\nnettrain eval {shlex.quote(path)}")
    reading = "These commands train, check and evaluate the same model again."
    return Section("Reproduce", reading, code="\n\n".join(lines))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> Cell:
    """Counts as integers; NaN, which means undefined, as nothing."""
    if isinstance(value, np.integer):
        return int(value)
    return None if np.isnan(value) else float(value)
