"""What `diagnostics: true` recorded of every layer."""

import json
import math
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.report.marks import class_colours, panels, short
from nettrain.report.plot import Plot
from nettrain.report.run_view import RunView

PANELS = {
    "gradient_norm": "gradient norm",
    "update_ratio": "last update / weights",
    "dead": "dead units (share)",
    "saturated": "saturated units (share)",
}


class Diagnostics(Plot):
    """Gradient norms, updates, dead and saturated units of each layer over the epochs."""

    title = "Layer diagnostics"
    reading = (
        "Gradient norms that fall by orders of magnitude from the last layer to the first vanish; "
        "a share of dead units that grows means that a layer is dying."
    )

    def lacks(self, view: RunView) -> str | None:
        """It needs diagnostics.jsonl."""
        found = any(_layers(row) for row in _rows(view))
        return None if found else "it was trained without `diagnostics: true`"

    def draw(self, view: RunView) -> Figure:
        """One panel per quantity, one line per layer that has it."""
        rows = _rows(view)
        keys = [key for key in PANELS if any(key in v for r in rows for v in _layers(r).values())]
        names = list(dict.fromkeys(name for row in rows for name in _layers(row)))
        colours = dict(zip(names, class_colours(len(names)), strict=True))
        figure, axes = panels(len(keys), columns=2, height=2.4)
        handles = {}
        for panel, key in zip(axes, keys, strict=True):
            for name in names:
                points = [
                    (row["epoch"], _layers(row)[name][key])
                    for row in rows
                    if _finite(_layers(row).get(name, {}).get(key))
                ]
                if points:
                    epochs, values = zip(*points, strict=True)
                    (handles[name],) = panel.plot(epochs, values, color=colours[name])
            panel.set(xlabel="epoch", ylabel=PANELS[key])
            if key in ("gradient_norm", "update_ratio"):
                panel.set_yscale("log")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        labels = [short(name) for name in handles]
        figure.legend(list(handles.values()), labels, loc="outside right upper")
        return figure


def _rows(view: RunView) -> list[dict[str, Any]]:
    rows = []
    try:
        lines = (view.record.path / "diagnostics.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        try:
            rows.append(dict(json.loads(line)))
        except (ValueError, TypeError):
            break  # torn by a crash
    return rows


def _layers(row: dict[str, Any]) -> dict[str, dict[str, float]]:
    return row.get("layers", {})


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
