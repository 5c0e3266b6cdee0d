"""Tables of a model's layers, their diagnostics, its gradients, and the time of a training step."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from nettrain.cli.table import NumberTable

if TYPE_CHECKING:
    from nettrain.inspection.gradcheck import CheckedArray
    from nettrain.inspection.profile import Profile
    from nettrain.nn.summary import LayerSummary

DIAGNOSTICS = {
    "gradient_norm": "gradient norm",
    "weight_norm": "weight norm",
    "update_ratio": "last update / weights",
    "dead": "dead units",
    "saturated": "saturated units",
}
FRACTIONS = ("dead", "saturated")


def layer_table(layers: Sequence["LayerSummary"], value_bytes: int) -> NumberTable:
    """One row per layer; layers inside a layer follow it, indented.

    Type, output shape, receptive field, parameters, floating-point operations per row, and memory
    per batch at `value_bytes` per output.
    """
    images = any(layer.receptive_field for layer in layers)
    field_heading = ["receptive\nfield"] if images else []
    table = NumberTable(
        "layer",
        "type",
        "output shape",
        *field_heading,
        "parameters",
        "FLOPs\nper row",
        "memory\nper batch",
        optional=[*field_heading, "memory\nper batch", "FLOPs\nper row", "type"],
    )

    def add(layer: "LayerSummary", depth: int) -> None:
        shape, field = (
            " x ".join(map(str, sizes or ("-",)))
            for sizes in (layer.output_shape, layer.receptive_field)
        )
        sizes = [f"{layer.parameters:,}", f"{layer.flops:,}", size(layer.values * value_bytes)]
        name = Text("  " * depth + layer.name)
        table.add_row(name, layer.type, shape, *([field] if images else []), *sizes)
        for inner in layer.inside:
            add(inner, depth + 1)

    for layer in layers:
        add(layer, 0)
    table.add_section()
    totals = [
        f"{sum(layer.parameters for layer in layers):,}",
        f"{sum(layer.flops for layer in layers):,}",
        size(sum(layer.values for layer in layers) * value_bytes),
    ]
    table.add_row("total", "", "", *([""] if images else []), *totals)
    return table


def size(count: int) -> str:
    """A number of bytes, in three significant digits."""
    power = min(int(math.log10(max(count, 1))) // 3, 3)
    return f"{count / 1000**power:.3g} {('bytes', 'KB', 'MB', 'GB')[power]}"


def diagnostics_table(layers: Mapping[str, Mapping[str, float]]) -> NumberTable:
    """One row per layer: norms of gradient and weights, last update, dead and saturated units."""
    shown = {
        key: heading
        for key, heading in DIAGNOSTICS.items()
        if any(key in values for values in layers.values())
    }
    table = NumberTable("layer (last epoch)", *shown.values(), complete="diagnostics.jsonl has all")
    for name, values in layers.items():
        cells = [
            f"{values[key]:{'.0%' if key in FRACTIONS else '.3g'}}" if key in values else "-"
            for key in shown
        ]
        table.add_row(name, *cells)
    return table


def gradient_table(arrays: Sequence["CheckedArray"]) -> NumberTable:
    """One row per parameter: elements checked, and the largest difference found."""
    table = NumberTable(
        "parameter",
        "shape",
        "checked",
        "largest error",
        "at",
        "autodiff",
        "difference",
        "result",
        optional=["at", "shape", "checked", "difference", "autodiff"],
    )
    for array in arrays:
        result = "ok" if array.passed else "MISMATCH"
        if array.passed and array.kink:
            result = "ok (beside a kink)"
        table.add_row(
            array.name,
            " x ".join(map(str, array.shape)),
            f"{array.checked:,} of {array.size:,}",
            f"{array.error:.1e}",
            str(list(array.index)),
            f"{array.autodiff:.6g}",
            f"{array.difference:.6g}",
            Text(result, style="" if array.passed else "bold"),
        )
    return table


def profile_table(profile: "Profile") -> NumberTable:
    """One row per part of a step: milliseconds, share of the step, GFLOP/s, share of the peak."""
    total = profile.total()
    table = NumberTable(
        "ms per step",
        "forward",
        "backward",
        "total",
        "share",
        "GFLOP/s",
        "of peak",
        optional=["of peak", "GFLOP/s", "forward", "backward"],
        complete="widen the terminal to see all",
    )
    for part in [*profile.parts(), total]:
        if part is total:
            table.add_section()
        passes = ["" if ms is None else f"{ms:.4f}" for ms in (part.forward, part.backward)]
        rates = (
            ["", ""]
            if part.gflops is None
            else [f"{part.gflops:.1f}", f"{part.gflops / profile.peak:.0%}"]
        )
        table.add_row(part.name, *passes, f"{part.ms:.4f}", f"{part.ms / total.ms:.0%}", *rates)
    return table
