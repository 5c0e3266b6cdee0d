"""The computation graph drawn: operations as boxes, leaves as rounded ones, shapes on the edges."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from nettrain.inspection.graph import Graph, Node
from nettrain.inspection.layered_layout import Layout, layered
from nettrain.report.style import BLACK, BLUE, GREEN, GREY, PURPLE, RED, styled

INCH = 0.072  # of a letter of 8 points
LINE = 0.14  # inches between two lines of text
PADDING = 0.09
GAP, LAYER_GAP = 0.25, 0.42
COLOURS = {
    "input": BLUE,
    "target": PURPLE,
    "parameter": GREEN,
    "state": GREEN,
    "constant": GREY,
    "operation": BLACK,
    "layer": BLACK,
    "loss": RED,
}


def graph_figure(graph: Graph) -> Figure:
    """The whole graph, from the inputs at the top to the loss at the bottom."""
    with styled():
        sizes = {node.name: _size(node) for node in graph.nodes.values()}
        layout = layered(
            {name: list(node.inputs) for name, node in graph.nodes.items()},
            {name: width for name, (width, _) in sizes.items()},
            GAP,
        )
        tallest = _tallest(layout, {name: height for name, (_, height) in sizes.items()})
        depths = [sum(tallest[:i]) + i * LAYER_GAP + own / 2 for i, own in enumerate(tallest)]
        margin = 0.15
        width = layout.width + 2 * margin
        height = sum(tallest) + (len(tallest) - 1) * LAYER_GAP + 2 * margin
        figure = Figure(figsize=(max(width, 2.0), height))
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set(xlim=(-margin, max(width, 2.0) - margin), ylim=(height - margin, -margin))
        axes.axis("off")
        for edge, route in layout.routes.items():
            passed = [
                (x, depths[layer] + half * tallest[layer] / 2)
                for x, layer in route[1:-1]
                for half in (-1, 1)
            ]
            ends = [(x, depths[layer]) for x, layer in (route[0], route[-1])]
            _edge(axes, graph, edge, [ends[0], *passed, ends[1]], sizes)
        for name, (x, layer) in layout.positions.items():
            _box(axes, graph.nodes[name], x, depths[layer], sizes[name])
        return figure


def _size(node: Node) -> tuple[float, float]:
    lines = [node.title, *node.lines]
    return max(map(len, lines)) * INCH + 2 * PADDING, len(lines) * LINE + PADDING


def _tallest(layout: Layout, heights: dict[str, float]) -> list[float]:
    """The height of each layer: that of its tallest box."""
    tallest = [0.0] * layout.layers
    for name, (_, layer) in layout.positions.items():
        tallest[layer] = max(tallest[layer], heights[name])
    return tallest


def _box(axes: Axes, node: Node, x: float, y: float, size: tuple[float, float]) -> None:
    width, height = size
    style = "square,pad=0" if node.kind == "operation" else "round,pad=0,rounding_size=0.08"
    colour = COLOURS[node.kind]
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle=style,
            facecolor="white",
            edgecolor=colour,
            linewidth=1.0,
            zorder=2,
        )
    )
    for i, text in enumerate([node.title, *node.lines]):
        axes.text(
            x,
            y - height / 2 + PADDING / 2 + (i + 0.5) * LINE,
            text,
            ha="center",
            va="center",
            fontsize=8 if i == 0 else 7,
            fontweight="bold" if i == 0 else "normal",
            fontfamily="DejaVu Sans Mono",
            color=colour if i == 0 else BLACK,
            zorder=3,
        )


def _edge(
    axes: Axes,
    graph: Graph,
    edge: tuple[str, str],
    route: Sequence[tuple[float, float]],
    sizes: dict[str, tuple[float, float]],
) -> None:
    source, target = edge
    (x0, y0), (x1, y1) = route[0], route[-1]
    points = [(x0, y0 + sizes[source][1] / 2), *route[1:-1], (x1, y1 - sizes[target][1] / 2)]
    xs, ys = zip(*points, strict=True)
    axes.plot(xs[:-1], ys[:-1], color=GREY, linewidth=0.8, zorder=1)
    axes.annotate(
        "",
        points[-1],
        points[-2],
        arrowprops={
            "arrowstyle": "-|>",
            "color": GREY,
            "linewidth": 0.8,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=1,
    )
    label = graph.nodes[source].shape
    if label and graph.nodes[source].kind in ("operation", "layer", "input"):
        (xa, ya), (xb, yb) = points[0], points[1]
        axes.text(
            (xa + xb) / 2,
            (ya + yb) / 2,
            label,
            fontsize=6,
            ha="center",
            va="center",
            color=GREY,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            zorder=1.5,
        )
