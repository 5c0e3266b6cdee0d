"""How every picture looks. Files hold no dates, so that equal content gives equal bytes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from nettrain.errors import ConfigError

# Okabe & Ito 2008, "Color universal design": distinguishable with every kind of colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
SKY, YELLOW, BLACK, GREY = "#56B4E9", "#F0E442", "#000000", "#7F7F7F"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, YELLOW, BLACK)
SEQUENTIAL = "viridis"
ENDINGS = (".png", ".svg", ".pdf")

STYLE: Mapping[str, Any] = {
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
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
    with mpl.rc_context(dict(STYLE)):
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .png, .svg or .pdf. Raises ConfigError for any other ending."""
    if path.suffix.lower() not in ENDINGS:
        raise ConfigError(f"{path}: a picture's name ends in {', '.join(ENDINGS)}")
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with styled():
        figure.savefig(path, format=kind, metadata=metadata[kind])
