"""One image file, PNG or JPEG, as bytes (h, w, c); read with Pillow."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nettrain.errors import ConfigError, DataError

Color = Literal["grey", "rgb"]
CHANNELS = {"grey": 1, "rgb": 3}
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes
_ORIENTATION = 0x0112  # the Exif tag
_LYING = (5, 6, 7, 8)  # its values for images that are shown turned by a quarter


@dataclass(frozen=True)
class Header:
    """What an image is before it is decoded: its height and width as it is shown, and whether it has colours."""

    height: int
    width: int
    color: Color


def pillow() -> Any:
    """The module PIL.Image. Raises ConfigError where it is not installed."""
    try:
        return import_module("PIL.Image")
    except ModuleNotFoundError:
        raise ConfigError(
            'dataset.source: images are read with Pillow, which is not installed: pip install "nettrain[images]"'
        ) from None


def read_header(path: Path) -> Header:
    """Raises DataError for what is no PNG or JPEG image, and for one with more pixels than Pillow takes for harmless. One thread only."""
    bomb = pillow().DecompressionBombWarning
    with (
        warnings.catch_warnings(action="ignore"),
        warnings.catch_warnings(action="error", category=bomb),
        _opened(path) as image,
    ):
        width, height = image.size
        if _orientation(image) in _LYING:
            height, width = width, height
        return Header(height, width, "grey" if image.mode in _GREY else "rgb")


def read_image(path: Path, size: tuple[int, int], color: Color) -> np.ndarray:
    """(h, w, c) uint8, scaled to `size` (h, w) where it has another.

    Raises DataError for a damaged file. Of damaged Exif data, which does no harm, Pillow may warn.
    """
    with _opened(path) as image:
        turned = _orientation(image) != 1
        image.load()
        if turned:
            image = import_module("PIL.ImageOps").exif_transpose(image)
        image = _in_bytes(image, color)
        height, width = size
        if image.size != (width, height):
            image = image.resize((width, height), pillow().Resampling.BILINEAR)
        return np.asarray(image).reshape(height, width, CHANNELS[color])


def _in_bytes(image: Any, color: Color) -> Any:
    if image.mode.startswith("I"):  # 16 bits: 0 ... 65535 becomes 0 ... 255
        wide = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        image = pillow().fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    elif image.mode == "P":  # a palette's colours may be transparent, as alpha is elsewhere
        image = image.convert("RGBA")
    return image.convert("L" if color == "grey" else "RGB")


def _orientation(image: Any) -> int:
    """From the part of the file before the pixels; Pillow would decode a PNG to look behind them. 1, upright, if it is damaged."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1)) if "exif" in image.info else 1
    except Exception:  # damaged Exif data is no reason to do without a good image
        return 1


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    module = pillow()
    try:
        with module.open(path, formats=("PNG", "JPEG")) as image:
            yield image
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (module.DecompressionBombWarning, module.DecompressionBombError):
        raise DataError(
            f"{path}: the image has more than {module.MAX_IMAGE_PIXELS:,} pixels; scale it down, or remove it"
        ) from None
    except module.UnidentifiedImageError:
        raise DataError(
            f"{path}: is no PNG or JPEG image, or its beginning is damaged; replace or remove it"
        ) from None
    except Exception as error:  # at damaged files Pillow raises errors of nearly every kind
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise DataError(
            f"{path}: the image cannot be decoded ({reason}); the file is damaged: replace or remove it"
        ) from None
