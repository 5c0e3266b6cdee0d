"""Moving pictures: the frames of one figure, as an animated GIF or as a page with a slider."""

import base64
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from nettrain.report.page import TEMPLATES, template_environment
from nettrain.report.run_view import RunView
from nettrain.report.section import shown
from nettrain.report.style import styled
from nettrain.version import __version__

MOST_FRAMES = 60
COLOURS = 64  # of the palette that all frames share
DPI = {"gif": 100, "html": 120}
LENGTH = 5000  # milliseconds from the first frame to the last
FASTEST, SLOWEST = 60, 400  # milliseconds per frame
REST = 2000  # milliseconds on the last frame


@dataclass(frozen=True)
class Movie:
    """Frames that are drawn into one figure.

    Attributes:
        figure: Into which they are drawn.
        captions: What each frame shows: "epoch 5".
        show: Draws a frame by its place.
        moving: The artists that a frame changes, with those that must be drawn over them, in the
            order of drawing; the rest is drawn once.
    """

    figure: Figure
    captions: Sequence[str]
    show: Callable[[int], None]
    moving: Callable[[], Sequence[Artist]]


def gif_bytes(movie: Movie) -> bytes:
    """The frames as a GIF that starts again at its end. Equal movies give equal bytes."""
    frames = _frames(movie, DPI["gif"])
    each = _milliseconds(len(frames))
    content = io.BytesIO()
    frames[0].save(
        content,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[*[each] * (len(frames) - 1), REST],
        loop=0,
        optimize=True,  # what a frame leaves unchanged is transparent in it
    )
    return content.getvalue()


def movie_page(movie: Movie, title: str, reading: str) -> bytes:
    """The frames as a page with a slider and a play button, which needs nothing else.

    Its policy (CSP) allows no script but its own and no connection; every text is escaped.

    Args:
        movie: What is shown.
        title: The heading.
        reading: How to read the picture.
    """
    script, style = (
        (TEMPLATES / name).read_text(encoding="utf-8") for name in ("movie.js", "movie.css")
    )
    frames = _frames(movie, DPI["html"])
    text = (
        template_environment()
        .get_template("movie.html")
        .render(
            title=title,
            reading=reading,
            frames=list(zip(map(_data_uri, frames), movie.captions, strict=True)),
            size=frames[0].size,
            milliseconds=_milliseconds(len(frames)),
            script=script,
            style=style,
            script_hash=_source_hash(script),
            style_hash=_source_hash(style),
            version=__version__,
        )
    )
    return text.encode()


def chosen_epochs(epochs: Sequence[int]) -> list[int]:
    """All epochs, or so many of them, evenly chosen, with the first and the last."""
    if len(epochs) <= MOST_FRAMES:
        return list(epochs)
    last = len(epochs) - 1
    return [epochs[round(place * last / (MOST_FRAMES - 1))] for place in range(MOST_FRAMES)]


def epoch_caption(view: RunView, epoch: int) -> str:
    """`epoch 5: train loss 0.1234, validation accuracy 0.9500`, as far as it was recorded."""
    row = next((row for row in view.record.epochs if row.get("epoch") == epoch), {})
    known = ("train_loss", f"validation_{view.main_metric}")
    values = [
        f"{name.replace('_', ' ')} {shown(row[name])}"
        for name in known
        if isinstance(row.get(name), float)
    ]
    return f"epoch {epoch}" + (f": {', '.join(values)}" if values else "")


def _frames(movie: Movie, dpi: int) -> list[Image.Image]:
    """Images with one palette, so that what does not move is the same in all of them."""
    canvas: Any = FigureCanvasAgg(movie.figure)
    movie.figure.set_dpi(dpi)
    pictures = []
    with styled():
        background = _background(movie, canvas)
        for place in range(len(movie.captions)):
            movie.show(place)
            canvas.restore_region(background)
            for artist in movie.moving():
                movie.figure.draw_artist(artist)
            pictures.append(Image.fromarray(np.array(canvas.buffer_rgba())).convert("RGB"))
    palette = _palette(pictures)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]


def _background(movie: Movie, canvas: Any) -> Any:
    """All that stands still: most of a drawing's time goes into ticks and their labels."""
    movie.show(0)
    canvas.draw()
    movie.figure.set_layout_engine("none")  # the first frame's layout is that of all
    for artist in movie.moving():
        artist.set_animated(True)
    canvas.draw()
    return canvas.copy_from_bbox(movie.figure.bbox)


def _palette(pictures: Sequence[Image.Image]) -> Image.Image:
    """The most frequent colours, exactly as they are: flat areas and the background keep theirs."""
    some = [pictures[0], pictures[len(pictures) // 2], pictures[-1]]
    pixels = np.concatenate([np.asarray(picture).reshape(-1, 3) for picture in some])
    packed = pixels.astype(np.int64) @ (1 << 16, 1 << 8, 1)
    colours, counts = np.unique(packed, return_counts=True)
    colours = colours[np.argsort(-counts, kind="stable")]
    _, first = np.unique(colours & 0xF8F8F8, return_index=True)  # one of those that look alike
    chosen = colours[np.sort(first)[:COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette(
        np.stack([chosen >> 16, chosen >> 8 & 255, chosen & 255], 1).ravel().tolist()
    )
    return palette


def _milliseconds(frames: int) -> int:
    return min(SLOWEST, max(FASTEST, LENGTH // frames))


def _data_uri(image: Image.Image) -> str:
    content = io.BytesIO()
    image.save(content, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _source_hash(text: str) -> str:
    """As a Content-Security-Policy names what it allows."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
