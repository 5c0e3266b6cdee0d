"""How every picture looks. Files hold no dates, so that equal content gives equal bytes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib as mpl
from cycler import cycler
from matplotlib.backend_bases import get_registered_canvas_class
from matplotlib.figure import Figure

# Okabe & Ito 2008, "Color universal design": distinguishable with every kind of colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
SKY, YELLOW, BLACK, GREY = "#56B4E9", "#F0E442", "#000000", "#7F7F7F"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK)
SEQUENTIAL = "viridis"
PAPER = "#FEFEFE"  # behind a label: white in a file, the background of a page
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem; }}
figure {{ margin: 0; overflow-x: auto; background: white; padding: 1rem; display: inline-block; }}
</style></head>
<body><h1>{title}</h1><figure>{picture}</figure></body></html>
"""

STYLE: Any = {
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "image.cmap": SEQUENTIAL,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "savefig.dpi": 200,
    "svg.fonttype": "none",
    "svg.hashsalt": "nettrain",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
}


@contextmanager
def styled() -> Iterator[None]:
    """Inside, figures have the style of this module; the user's settings come back afterwards."""
    with mpl.rc_context(STYLE):
        yield


def figure_bytes(figure: Figure, kind: str) -> bytes:
    """The figure as a file of a kind: png, svg or pdf. Equal figures give equal bytes.

    `Figure.savefig` draws a figure with a layout twice; the first drawing is thrown away.
    """
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    content = io.BytesIO()
    on_screen = figure.dpi
    with styled():
        figure.dpi = STYLE["savefig.dpi"]
        canvas: Any = get_registered_canvas_class(kind)(figure)
        getattr(canvas, f"print_{kind}")(content, metadata=metadata[kind])
    figure.dpi = on_screen
    return content.getvalue()


def figure_page(figure: Figure, title: str) -> bytes:
    """The figure as a page that needs nothing else: the picture inline, light and dark."""
    svg = figure_bytes(figure, "svg").decode()
    picture = svg[svg.index("<svg") :]
    return PAGE.format(title=escape(title), picture=picture).encode()
