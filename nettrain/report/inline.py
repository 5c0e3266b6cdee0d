"""Figures as SVG inside a page: no background, the page's text colour, names of their own."""

import re

from matplotlib.figure import Figure

from nettrain.report.style import BLACK, PAPER, figure_bytes

PIXELS_PER_INCH = 96  # of a browser
SMALLEST = 0.78  # of its size, to which a figure shrinks on a narrow screen before it scrolls


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """The figure as an `<svg>` element for a page, dark or light.

    Args:
        figure: To be drawn.
        name: Unique in the page; it begins every id of the SVG.
        label: For those who do not see it.
    """
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    svg = figure_bytes(figure, "svg").decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = svg.replace(BLACK, "currentColor").replace(PAPER.lower(), "var(--back)")
    text = label.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    least = figure.get_figwidth() * PIXELS_PER_INCH * SMALLEST
    attributes = f'role="img" aria-label="{text}" style="min-width: {least:.0f}px"'
    return svg.replace("<svg", f"<svg {attributes}", 1)
