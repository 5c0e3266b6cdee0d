"""Tables for people: metrics beside the trivial baseline, classes, the confusion matrix, layers. Names are never read as markup."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from nettrain.config.messages import show

if TYPE_CHECKING:
    import numpy as np

    from nettrain.config.explanation import Key
    from nettrain.inspection.gradcheck import CheckedArray
    from nettrain.inspection.profile import Profile
    from nettrain.nn.summary import LayerSummary

PARTS = ("train", "validation", "test")
MOST_MISTAKES = 20
MOST_FIGURES = 4
MOST_FOLDS = 6  # more would not fit beside the means
DIAGNOSTICS = {
    "gradient_norm": "gradient norm",
    "weight_norm": "weight norm",
    "update_ratio": "last update / weights",
    "dead": "dead units",
    "saturated": "saturated units",
}
SHARES = ("dead", "saturated")


def metrics_table(
    metrics: Mapping[str, Mapping[str, float]], baseline: Mapping[str, Mapping[str, float]]
) -> Table:
    """A row a metric, a column a part, and the trivial model on the last of the parts."""
    parts = [part for part in PARTS if metrics.get(part)]
    table = _table("metric", *parts)
    judged = parts[-1] if parts else ""
    trivial = baseline.get(judged, {})
    if trivial:
        table.add_column(
            Text(f"trivial model\n({judged})"), justify="right", style="dim", overflow="fold"
        )
    for name in dict.fromkeys(name for part in parts for name in metrics[part]):
        cells = [number(metrics[part].get(name)) for part in parts]
        table.add_row(Text(name), *cells, *([number(trivial.get(name))] if trivial else []))
    return table


def folds_table(
    folds: Sequence[Mapping[str, Any]],
    mean: Mapping[str, float],
    std: Mapping[str, float],
    interval: Mapping[str, Sequence[float]],
    final: Mapping[str, Any] | None,
) -> Table:
    """A row a metric: each fold's where they have room, mean, standard deviation and interval, and the test part's, where it was used."""
    shown = folds if len(folds) <= MOST_FOLDS else []
    heads = [
        f"fold {one['fold']}" if folds[-1]["repeat"] == 1 else f"{one['repeat']}.{one['fold']}"
        for one in shown
    ]
    table = _table(
        "metric", *heads, "mean", "std", "95 % interval", *([] if final is None else ["test"])
    )
    for name in dict.fromkeys(name for one in folds for name in one["metrics"]):
        low, high = interval.get(name, (None, None))
        cells = [*(one["metrics"].get(name) for one in shown), mean.get(name), std.get(name)]
        between = "-" if low is None else f"{number(low)} to {number(high)}"
        table.add_row(
            Text(name),
            *map(number, cells),
            between,
            *([] if final is None else [number(final["metrics"].get(name))]),
        )
    return table


def member_table(members: Sequence[Mapping[str, Any]], part: str) -> Table:
    """A row a member: its epochs, the weight of its vote, and its first figures on a part."""
    names = list(members[0]["metrics"][part])[:MOST_FIGURES]
    table = _table("member", "epochs", "weight", *(f"{part} {name}" for name in names))
    for one in members:
        figures = [number(one["metrics"][part].get(name)) for name in names]
        table.add_row(Text(one["member"]), number(one["epochs"]), number(one["weight"]), *figures)
    return table


def gain_table(
    members: Sequence[Mapping[str, float]], mean: Mapping[str, float], ensemble: Mapping[str, float], part: str,
    out_of_bag: Mapping[str, float] | None,
) -> Table:  # fmt: skip
    """A row a metric: the least and the greatest of the members, their mean, the ensemble, and its score out of bag, if it has one."""
    heads = [f"lowest member ({part})", "mean member", "highest member", f"ensemble ({part})"]
    table = _table("metric", *heads, *([] if out_of_bag is None else ["out of bag"]))
    for name, figure in ensemble.items():
        own = [one[name] for one in members if name in one]
        cells = [min(own, default=None), mean.get(name), max(own, default=None), figure]
        table.add_row(
            Text(name),
            *map(number, cells),
            *([] if out_of_bag is None else [number(out_of_bag.get(name))]),
        )
    return table


def class_table(classes: Sequence[str], columns: Mapping[str, "np.ndarray"]) -> Table:
    """A row a class, label or target; a column a figure."""
    table = _table("", *columns)
    for name, *figures in zip(
        classes, *(values.tolist() for values in columns.values()), strict=True
    ):
        table.add_row(Text(name), *map(number, figures))
    return table


def confusion_table(classes: Sequence[str], matrix: Sequence[Sequence[int]], width: int) -> Table:
    """Row: true class, column: predicted class; where that is wider than `width`, the most frequent mistakes instead."""
    corner = "true \\ predicted"
    widths = [
        max(len(name), len(str(max(column))))
        for name, column in zip(classes, zip(*matrix, strict=True), strict=True)
    ]
    if max(map(len, [corner, *classes])) + sum(widths) + 3 * len(widths) > width:
        return _mistakes(classes, matrix)
    table = _table(corner, *classes)
    for index, (name, row) in enumerate(zip(classes, matrix, strict=True)):
        cells = [
            Text(str(count), style="bold" if index == column else "" if count else "dim")
            for column, count in enumerate(row)
        ]
        table.add_row(Text(name), *cells)
    return table


def layer_table(layers: Sequence["LayerSummary"], value_bytes: int) -> Table:
    """A row a layer, those inside a layer below it and further to the right: type, shape of an output row, the part of the image that a
    place of it depends on, parameters, multiplications and additions a row, memory of a batch at `value_bytes` an output."""
    images = any(layer.receptive_field for layer in layers)
    seen = ["receptive\nfield"] if images else []
    table = _table(
        "layer", "type", "output shape", *seen, "parameters", "FLOPs a row", "memory\na batch"
    )

    def add(layer: "LayerSummary", depth: int) -> None:
        shape, field = (
            " x ".join(map(str, sizes or ("-",)))
            for sizes in (layer.output_shape, layer.receptive_field)
        )
        figures = [f"{layer.parameters:,}", f"{layer.flops:,}", size(layer.values * value_bytes)]
        table.add_row(
            Text("  " * depth + layer.name),
            layer.type,
            shape,
            *([field] if images else []),
            *figures,
        )
        for inner in layer.inside:
            add(inner, depth + 1)

    for layer in layers:
        add(layer, 0)
    table.add_section()
    values = size(sum(layer.values for layer in layers) * value_bytes)
    sums = [
        f"{sum(layer.parameters for layer in layers):,}",
        f"{sum(layer.flops for layer in layers):,}",
        values,
    ]
    table.add_row("total", "", "", *([""] if images else []), *sums)
    return table


def size(count: int) -> str:
    """So many bytes, in three digits."""
    power = min(int(math.log10(max(count, 1))) // 3, 3)
    return f"{count / 1000**power:.3g} {('bytes', 'KB', 'MB', 'GB')[power]}"


def diagnostics_table(layers: Mapping[str, Mapping[str, float]]) -> Table:
    """A row a layer: norms of the gradient and the weights, what the last step changed, units that are dead or saturated."""
    shown = {
        key: head
        for key, head in DIAGNOSTICS.items()
        if any(key in figures for figures in layers.values())
    }
    table = _table("layer (last epoch)", *shown.values())
    for name, figures in layers.items():
        cells = [
            f"{figures[key]:{'.0%' if key in SHARES else '.3g'}}" if key in figures else "-"
            for key in shown
        ]
        table.add_row(Text(name), *cells)
    return table


def name_table(title: str, members: Sequence[tuple[str, str]]) -> Table:
    """A line a name, what it is beside it, cut where the line ends."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(Text(title), no_wrap=True, min_width=max(len(name) for name, _ in members))
    table.add_column("", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, summary in members:
        table.add_row(Text(name), Text(summary))
    return table


def key_table(keys: Sequence["Key"]) -> Table:
    """A row a key of a component or a section."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("key", "default", "what it is", "expected"):
        table.add_column(title, overflow="fold")
    for key in keys:
        table.add_row(
            Text(key.name),
            Text("required" if key.required else show(key.default)),
            Text(key.description),
            Text(key.expects),
        )
    return table


def gradient_table(arrays: Sequence["CheckedArray"]) -> Table:
    """A row a parameter: how much of it was tried, and where gradient and central difference differ most."""
    table = _table("parameter", "shape", "tried", "worst error", "at", "autodiff", "difference", "")
    for array in arrays:
        verdict = (
            Text("WRONG", style="bold")
            if not array.passed
            else Text("kink, right beside it" if array.kink else "right")
        )
        cells = [
            " x ".join(map(str, array.shape)),
            f"{array.checked:,} of {array.size:,}",
            f"{array.error:.1e}",
            str(list(array.index)),
        ]
        table.add_row(
            Text(array.name),
            *map(Text, cells),
            f"{array.autodiff:.6g}",
            f"{array.difference:.6g}",
            verdict,
        )
    return table


def profile_table(profile: "Profile") -> Table:
    """A row a part of a step: milliseconds forward, backward and in all, share of the step, GFLOP/s and its share of the machine's."""
    whole = profile.total()
    table = _table("ms a step", "forward", "backward", "in all", "share", "GFLOP/s", "of the peak")
    for part in [*profile.parts(), whole]:
        if part is whole:
            table.add_section()
        passes = ["" if ms is None else f"{ms:.4f}" for ms in (part.forward, part.backward)]
        rates = (
            ["", ""]
            if part.gflops is None
            else [f"{part.gflops:.1f}", f"{part.gflops / profile.peak:.0%}"]
        )
        table.add_row(
            Text(part.name), *passes, f"{part.ms:.4f}", f"{part.ms / whole.ms:.0%}", *rates
        )
    return table


def plain(text: str, style: str = "") -> Text:
    """Text in which nothing is read as markup."""
    return Text(text, style=style)


def number(value: float | None) -> str:
    """Four decimals where they say something, four digits elsewhere, and a whole number as it is."""
    if value is None or value != value:  # NaN: not defined here
        return "-"
    if isinstance(value, int) or (float(value).is_integer() and abs(value) >= 1000):
        return f"{int(value):,}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.4g}"


def _mistakes(classes: Sequence[str], matrix: Sequence[Sequence[int]]) -> Table:
    table = _table("true", "predicted", "rows")
    pairs = (
        (matrix[i][j], i, j)
        for i in range(len(classes))
        for j in range(len(classes))
        if i != j and matrix[i][j]
    )
    for count, true, predicted in sorted(pairs, reverse=True)[:MOST_MISTAKES]:
        table.add_row(Text(classes[true]), Text(classes[predicted]), str(count))
    return table


def _table(first: str, *columns: str) -> Table:
    """Bare columns, numbers to the right; on a narrow terminal cells fold instead of vanishing."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(Text(first), overflow="fold")
    for name in columns:
        table.add_column(Text(name), justify="right", overflow="fold")
    return table
