"""Learning curves as text in the terminal (plotext): no picture, no matplotlib."""

from importlib.util import find_spec
from typing import Any

from nettrain.errors import ConfigError
from nettrain.report.curve_data import CurvePanel, curve_panels, is_steep
from nettrain.report.run_view import RunView

KINDS = ("curves",)  # what is legible as characters
COLOURS = {"train": "blue", "validation": "orange", "learning rate": "gray"}
BRAILLE = "braille"
SYMBOLS = {  # without colours: the marker, and how the title names it
    "train": (BRAILLE, "\u2812\u2812 train"),
    "validation": ("+", "++ validation"),
    "learning rate": (BRAILLE, ""),
}
HEIGHT = 15  # lines per panel
NARROWEST, WIDEST = 40, 160


def check_drawable(kind: str) -> None:
    """Raises ConfigError for a kind that the terminal cannot draw, or where plotext is missing."""
    if kind not in KINDS:
        raise ConfigError(
            f"--terminal: draws {', '.join(KINDS)} alone; {kind} needs a file (-o {kind}.png)"
        )
    if find_spec("plotext") is None:
        raise ConfigError(
            '--terminal: plotext is not installed: pip install "nettrain[report]" draws curves in '
            "the terminal"
        )


def terminal_curves(view: RunView, width: int, *, coloured: bool) -> str:
    """The learning curves, one panel below the other.

    Args:
        view: Of the run.
        width: Of the terminal, in characters.
        coloured: With colour codes; else lines are told apart by their characters.

    Raises:
        ConfigError: The run has finished no epoch.
    """
    if reason := view.lacks("epochs"):
        raise ConfigError(f"{view.record.path}: has no curves: {reason}")
    width = min(max(width, NARROWEST), WIDEST)
    drawn = [_panel(panel, width, coloured) for panel in curve_panels(view)]
    best, last = view.best_epoch, view.record.epochs[-1]["epoch"]
    return "\n".join([*drawn, *([f"best epoch: {best} of {last}"] if best else [])])


def _panel(panel: CurvePanel, width: int, coloured: bool) -> str:
    import plotext

    figure: Any = plotext.figure
    figure.clear()
    plotext.terminal.limit(False, False)
    figure.theme("colorless")
    figure.legend(active=False)  # it would hide the curves
    figure.plot_size(width, HEIGHT)
    figure.label("epoch", "x")
    if is_steep([value for _, values in panel.lines.values() for value in values]):
        figure.ruler("y").scale("log")
    title = panel.label
    for name, (epochs, values) in panel.lines.items():
        if not values:
            continue
        symbol, shown = (BRAILLE, f"{name} ({COLOURS[name]})") if coloured else SYMBOLS[name]
        marker = plotext.marker(symbol, COLOURS[name] if coloured else None)
        figure.draw(figure.signal(epochs, values, marker=marker).lines())
        title += f"   {shown}" if len(panel.lines) > 1 else ""
        figure.ruler("x").ticks(_ticks(epochs))
    figure.title(title)
    text: str = figure.build().string(colorless=not coloured)
    figure.clear()
    return "\n".join(line.rstrip() for line in text.rstrip("\n").split("\n"))


def _ticks(epochs: list[int]) -> list[int]:
    """At most six epochs, evenly spaced."""
    step = max(1, -(-(epochs[-1] - epochs[0]) // 5))
    return list(range(epochs[0], epochs[-1] + 1, step))
