"""One image file, PNG or JPEG, as numbers (h, w, c); read with Pillow."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nettrain.errors import ConfigError, DataError
from nettrain.files import cannot_read, open_regular

Color = Literal["grey", "rgb"]
CHANNELS = {"grey": 1, "rgb": 3}
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")  # Pillow's modes
_ORIENTATION = 0x0112  # the Exif tag
_SIDEWAYS = (5, 6, 7, 8)  # its values for images that are shown turned by a quarter
_PNG = b"\x89PNG\r\n\x1a\n"
_DEPTH = 24  # the byte of a PNG file that holds the bits per channel


@dataclass(frozen=True)
class Header:
    """What an image is before it is decoded.

    Attributes:
        height: As it is shown, after its Exif orientation.
        width: Likewise.
        color: Whether it has colours.
        depth: Bits per channel in the file, 8 or 16.
        kept: Bits per channel that decoding keeps: Pillow keeps 8, but for grey without alpha.
    """

    height: int
    width: int
    color: Color
    depth: int = 8
    kept: int = 8


def pillow() -> Any:
    """The module PIL.Image. Raises ConfigError where it is not installed."""
    try:
        return import_module("PIL.Image")
    except ModuleNotFoundError:
        raise ConfigError(
            "dataset.source: images are read with Pillow, which is not installed: "
            'pip install "nettrain[images]"'
        ) from None


def read_header(path: Path) -> Header:
    """What the image is. For one thread only, as it changes the warnings filter.

    Raises:
        DataError: It is no PNG or JPEG image, or has more pixels than Pillow takes for harmless.
    """
    bomb = pillow().DecompressionBombWarning
    with (
        warnings.catch_warnings(action="ignore"),
        warnings.catch_warnings(action="error", category=bomb),
        _opened(path) as (image, depth),
    ):
        width, height = image.size
        if _orientation(image) in _SIDEWAYS:
            height, width = width, height
        kept = 16 if image.mode.startswith("I") else 8
        color: Color = "grey" if image.mode in _GREY else "rgb"
        return Header(height, width, color, max(depth, kept), kept)


def read_image(
    path: Path, size: tuple[int, int], color: Color, dtype: type[np.number] = np.uint8
) -> np.ndarray:
    """Decode one image. Of damaged Exif data, which does no harm, Pillow may warn.

    Args:
        path: The file.
        size: (h, w), to which it is scaled where it has another size.
        color: Into which it is made.
        dtype: uint8, or float32, also 0 ... 255, which keeps the 16 bits of grey images.

    Returns:
        (h, w, c)

    Raises:
        DataError: The file is damaged.
    """
    with _opened(path) as (image, _):
        turned = _orientation(image) != 1
        image.load()
        if turned:
            image = import_module("PIL.ImageOps").exif_transpose(image)
        if image.mode.startswith("I"):
            image = _scaled_to_bytes(image, dtype)
        elif image.mode == "P":  # a palette's colours may be transparent, as alpha is elsewhere
            image = image.convert("RGBA")
        if image.mode != "F":
            image = image.convert("L" if color == "grey" else "RGB")
        height, width = size
        if image.size != (width, height):
            image = image.resize((width, height), pillow().Resampling.BILINEAR)
        pixels = np.asarray(image, dtype)
        channels = CHANNELS[color]
        if pixels.size == height * width:  # also a grey image of 16 bits that is made colours
            pixels = np.repeat(pixels.reshape(height, width, 1), channels, axis=2)
        return pixels.reshape(height, width, channels)


def _scaled_to_bytes(image: Any, dtype: type[np.number]) -> Any:
    """Grey of 16 bits, 0 ... 65535, as 0 ... 255: rounded to bytes, or as floats v / 257."""
    wide = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
    if dtype == np.uint8:
        return pillow().fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))
    return pillow().fromarray((wide / 257).astype(np.float32))


def _orientation(image: Any) -> int:
    """From the part of the file before the pixels; 1, upright, if it is damaged.

    Pillow would decode a PNG to look behind them.
    """
    try:
        return int(image.getexif().get(_ORIENTATION, 1)) if "exif" in image.info else 1
    except Exception:  # damaged Exif data is no reason to do without a good image
        return 1


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, int]]:
    """The image, not decoded yet, and the bits per channel of a PNG."""
    module = pillow()
    try:
        with open_regular(path) as file:
            start = file.read(_DEPTH + 1)
            file.seek(0)
            depth = start[_DEPTH] if start.startswith(_PNG) and len(start) > _DEPTH else 8
            with module.open(file, formats=("PNG", "JPEG")) as image:
                yield image, depth
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (module.DecompressionBombWarning, module.DecompressionBombError):
        raise DataError(
            f"{path}: the image has more than {module.MAX_IMAGE_PIXELS:,} pixels; scale it down, "
            "or remove it"
        ) from None
    except module.UnidentifiedImageError:
        raise DataError(
            f"{path}: is no PNG or JPEG image, or its beginning is damaged; replace or remove it"
        ) from None
    except Exception as error:  # at damaged files Pillow raises errors of nearly every kind
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_read(path, error) from None
        reason = str(error) or type(error).__name__
        raise DataError(
            f"{path}: the image cannot be decoded ({reason}); the file is damaged: replace or "
            "remove it"
        ) from None
