"""Images that are blank, use little of their range, or have their axes in another order."""

from collections.abc import Iterator

import numpy as np

from nettrain.data.features import Features
from nettrain.data.images import notes_on_axes
from nettrain.inspection.data_profile.profiled_rows import SHOWN, ProfiledRows
from nettrain.inspection.data_profile.suspicion import Suspicion
from nettrain.inspection.data_profile.wording import share

_NARROW = 0.25  # of the range
_LARGE = 10.0  # inputs beyond it were not scaled
_BYTE = 255.0
_SIXTEEN_BITS = 65535.0
_SCALING = frozenset({"standardize", "minmax", "quantile", "scale"})


def image_suspicions(rows: ProfiledRows) -> Iterator[Suspicion]:
    """What is suspicious about images."""
    x = rows.images
    if x is None:
        return
    for note in notes_on_axes(Features(x[:1])):
        yield Suspicion(
            "channels_first",
            "warning",
            note.removeprefix("warning: "),
            "store the images as (n, height, width, channels)",
        )
    yield from _blank(rows, x)
    yield from _range(rows, x)


def _blank(rows: ProfiledRows, x: np.ndarray) -> Iterator[Suspicion]:
    flat = x.reshape(len(x), -1)
    blank = np.flatnonzero(flat.min(axis=1) == flat.max(axis=1))
    if len(blank):
        named = () if rows.files is None else tuple(map(str, rows.files[blank[:SHOWN]]))
        yield Suspicion(
            "blank_images",
            "warning",
            f"blank images, all pixels alike: {share(len(blank), len(x))}",
            "leave them out, if they are damaged or empty",
            lines=rows.lines(blank),
            examples=named,
        )


def _range(rows: ProfiledRows, x: np.ndarray) -> Iterator[Suspicion]:
    largest = float(np.fmax.reduce(np.abs(x), axis=None))
    scales = [getattr(one, "divide_by", None) for one in rows.transforms or ()]
    divisor = next((scale for scale in scales if isinstance(scale, float | int)), None)
    names = {one.name() for one in rows.transforms or ()}
    if divisor is not None and names & _SCALING == {"scale"}:
        if 0 < largest < _NARROW * divisor:
            yield _narrow(largest, f"{largest / divisor:.2g} after `scale`, which divides by")
        return
    if rows.transforms is not None and not names & _SCALING and largest > _LARGE:
        yield Suspicion(
            "unscaled_input",
            "warning",
            f"pixels reach the network as they are, up to {largest:g}",
            f"`{{type: scale, divide_by: {largest:g}}}` in `dataset.transforms`",
        )
    if x.dtype == np.uint8 or names & _SCALING:
        return
    full = _SIXTEEN_BITS if largest > _BYTE else _BYTE if rows.files is not None else None
    if full is not None and 1 < largest < _NARROW * full:
        yield _narrow(largest, "a small part of the range of 16 bits,")


def _narrow(largest: float, compared: str) -> Suspicion:
    return Suspicion(
        "narrow_range",
        "warning",
        f"the largest pixel is {largest:g}: {compared} too much",
        f"`{{type: scale, divide_by: {largest:g}}}` or `standardize` in `dataset.transforms`",
    )
