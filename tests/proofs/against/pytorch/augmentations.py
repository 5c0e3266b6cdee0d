"""nettrain's augmentations by PyTorch's operations on images, with nettrain's random numbers.

Images are changed as they were before the transforms, counted from the darkest of their values.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from against.pytorch.places import Tensor
from torch.nn import functional as F

from nettrain import streams

PADS = {"black": "constant", "edge": "replicate", "reflect": "reflect"}
BEYOND = {"black": "zeros", "edge": "border", "reflect": "reflection"}
Mixed = tuple[np.ndarray, float]  # the partner of each row, and the share of the row itself


class Augmented:
    """The images of each step of a run.

    Args:
        config: Of the run.
        images: The training rows before the transforms (n, h, w, c).
    """

    def __init__(self, config: Any, images: np.ndarray) -> None:
        self._config = config
        self._black = images.min()
        self._raw = torch.tensor(images - self._black)
        self._shift, self._unit = _line(config.dataset.transforms, torch.tensor(images))

    def transformed(self) -> Tensor:
        """All images as they are."""
        return self._transformed(self._raw)

    def __call__(self, rows: np.ndarray, step: int, micro_batch: int) -> tuple[Tensor, Mixed | None]:  # fmt: skip
        """The images of a micro-batch, and how they were mixed."""
        x, mixed = self._raw[rows].permute(0, 3, 1, 2), None
        for index, one in enumerate(self._config.dataset.augmentation):
            name = f"augmentation.{index}.{one.name()}"
            generator = streams.StepStream(self._config.seed, name).seek(step, micro_batch)
            if one.name() == "mixup":
                x, mixed = mixup(one, x, generator)
            else:
                x = CHANGES[one.name()](one, x, generator)
        return self._transformed(x.permute(0, 2, 3, 1)), mixed

    def _transformed(self, x: Tensor) -> Tensor:
        return (x + self._black - self._shift) / self._unit


def _line(transforms: Any, x: Tensor) -> tuple[Any, Any]:
    """(shift, unit) of y = (x - shift) / unit; at most one transform."""
    if not transforms:
        return 0.0, 1.0
    (one,) = transforms
    low, high = x.amin(0), x.amax(0)
    width = torch.where(high > low, high - low, 1.0)
    match one.name():
        case "scale":
            return 0.0, one.divide_by / one.factor
        case "center":
            return x.mean(0), 1.0
        case "standardize":
            deviation = x.std(0, correction=0)
            return x.mean(0), torch.where(high > low, deviation, 1.0)
    unit = width / (one.high - one.low)
    return low - one.low * unit, unit


def brightness(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    return x * _factors(one, x, draw)


def contrast(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    mean = x.flatten(1).mean(1).reshape(-1, 1, 1, 1)
    return torch.lerp(mean, x, _factors(one, x, draw))


def _factors(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    return torch.tensor(draw.uniform(1 - one.strength, 1 + one.strength, (len(x), 1, 1, 1)))


def noise(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    n, c, h, w = x.shape
    return x + one.deviation * torch.tensor(draw.standard_normal((n, h, w, c))).permute(0, 3, 1, 2)


def mixup(one: Any, x: Tensor, draw: np.random.Generator) -> tuple[Tensor, Mixed]:
    share = float(draw.beta(one.alpha, one.alpha)) if one.alpha else 1.0
    partner = draw.permutation(len(x))
    return share * x + (1 - share) * x[partner], (partner, share)


def flip(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    chosen = torch.tensor(draw.random(len(x)) < one.probability)
    flipped = x.flip(3 if one.direction == "horizontal" else 2)
    return torch.where(chosen[:, None, None, None], flipped, x)


def cutout(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    n, _, h, w = x.shape
    rows, columns = draw.integers(0, h, n), draw.integers(0, w, n)
    x = x.clone()
    for image, row, column in zip(x, rows, columns, strict=True):
        top, left = int(row) - one.size // 2, int(column) - one.size // 2
        image[:, max(top, 0) : max(top + one.size, 0), max(left, 0) : max(left + one.size, 0)] = (
            one.value
        )
    return x


def crop(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    top, left = draw.integers(0, 2 * one.padding + 1, (2, len(x)))
    return _windows(x, one.padding, one.padding, top, left, one.fill)


def shift(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    n, _, h, w = x.shape
    rows, columns = (one.pixels,) * 2 if one.share is None else (round(one.share * side) for side in (h, w))  # fmt: skip
    rows, columns = (
        0 if one.direction == "horizontal" else rows,
        0 if one.direction == "vertical" else columns,
    )
    down, right = draw.integers(-rows, rows + 1, n), draw.integers(-columns, columns + 1, n)
    return _windows(x, rows, columns, rows - down, columns - right, one.fill)


def _windows(x: Tensor, rows: int, columns: int, top: Any, left: Any, fill: str) -> Tensor:
    """Of each image, padded by so many rows and columns, a window of its size."""
    h, w = x.shape[2:]
    padded = F.pad(x, (columns, columns, rows, rows), mode=PADS[fill])
    places = zip(padded, map(int, top), map(int, left), strict=True)
    return torch.stack([image[:, r : r + h, s : s + w] for image, r, s in places])


def rotate(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    angle = torch.deg2rad(torch.tensor(draw.uniform(-one.degrees, one.degrees, len(x))))
    turn = torch.polar(torch.ones_like(angle), angle)[:, None, None]
    r, s = _centred(x)
    places = torch.complex(s, r) * turn  # back by the angle: rows point down
    return _sampled(x, places.imag, places.real, one.fill)


def scale(one: Any, x: Tensor, draw: np.random.Generator) -> Tensor:
    factor = torch.tensor(draw.uniform(one.low, one.high, len(x)))[:, None, None]
    r, s = _centred(x)
    return _sampled(x, r / factor, s / factor, one.fill)


def _centred(x: Tensor) -> tuple[Tensor, Tensor]:
    h, w = x.shape[2:]
    r, s = torch.meshgrid(torch.arange(h) - (h - 1) / 2, torch.arange(w) - (w - 1) / 2, indexing="ij")  # fmt: skip
    return r[None].double(), s[None].double()


def _sampled(x: Tensor, r: Tensor, s: Tensor, fill: str) -> Tensor:
    """Bilinear, at rows and columns that count from the centre of the image."""
    h, w = x.shape[2:]
    grid = torch.stack([2 * s / (w - 1), 2 * r / (h - 1)], dim=-1)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode=BEYOND[fill], align_corners=True)


CHANGES: dict[str, Callable[[Any, Tensor, np.random.Generator], Tensor]] = {
    "brightness": brightness,
    "contrast": contrast,
    "crop": crop,
    "cutout": cutout,
    "flip": flip,
    "noise": noise,
    "rotate": rotate,
    "scale": scale,
    "shift": shift,
}
