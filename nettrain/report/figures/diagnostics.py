"""What `diagnostics: true` recorded of every layer."""

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nettrain.numbers import is_finite
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
        found = any(row["layers"] for row in view.record.diagnostics)
        return None if found else "it was trained without `diagnostics: true`"

    def draw(self, view: RunView) -> Figure:
        """One panel per quantity, one line per layer that has it."""
        rows = view.record.diagnostics
        keys = [key for key in PANELS if any(key in v for r in rows for v in r["layers"].values())]
        names = list(dict.fromkeys(name for row in rows for name in row["layers"]))
        colours = dict(zip(names, class_colours(len(names)), strict=True))
        figure, axes = panels(len(keys), columns=2, height=2.4)
        handles = {}
        for panel, key in zip(axes, keys, strict=True):
            for name in names:
                points = [
                    (row["epoch"], row["layers"][name][key])
                    for row in rows
                    if is_finite(row["layers"].get(name, {}).get(key))
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
