"""The augmentations of a run, applied to training batches by the random streams of each step."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nettrain.data.augmentation import Augmentation, Mix
from nettrain.data.fitted import Fitted
from nettrain.data.linear import LinearTransform
from nettrain.data.pipeline import Pipeline
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.rows.mapped import MappedRows
from nettrain.errors import ConfigError
from nettrain.streams import StepStream


class Augmenter:
    """Undoes the transforms, applies every augmentation, and transforms again.

    So strengths are in the units of the source, and what comes in from outside is black, whatever
    the transforms do; they must be linear. The random numbers depend on the seed, the
    augmentation's name and position, the step and the micro-batch alone.

    Args:
        augmentations: In the order in which they are applied.
        pipeline: Made the images.
        images: The transformed images (n, h, w, c) of the training part.
        seed: Of the run.
        dtype: Of the batches.

    Attributes:
        mixes: Whether rows are mixed with others.

    Raises:
        ConfigError: The rows are no images, or the transforms are not linear.
    """

    def __init__(
        self,
        augmentations: Sequence[Augmentation],
        pipeline: Pipeline,
        images: np.ndarray | LazyRows,
        *,
        seed: int,
        dtype: np.dtype,
    ) -> None:
        check_augmentations(augmentations, pipeline)
        self.mixes = any(augmentation.mixes for augmentation in augmentations)
        named = [
            (augmentation, f"augmentation.{index}.{augmentation.name()}")
            for index, augmentation in enumerate(augmentations)
        ]
        self._chain = [(augmentation, StepStream(seed, name)) for augmentation, name in named]
        shift, unit = linear(pipeline.transforms)
        shift = shift - black(images, shift, unit)
        self._shift, self._unit = (
            None if (a == neutral).all() else a.astype(dtype)
            for a, neutral in ((shift, 0), (unit, 1))
        )

    def __call__(self, x: np.ndarray, step: int, portion: int) -> Mix | None:
        """Change transformed images (n, h, w, c) in place. Returns how rows were mixed."""
        if self._unit is not None:
            x *= self._unit
        if self._shift is not None:
            x += self._shift
        mix = None
        for augmentation, stream in self._chain:
            mix = augmentation.apply(x, stream.seek(step, portion)) or mix
        if self._shift is not None:
            x -= self._shift
        if self._unit is not None:
            x /= self._unit
        return mix


def linear(transforms: Sequence[Fitted]) -> tuple[np.ndarray, np.ndarray]:
    """The shift and unit of y = (x - shift) / unit, which the linear transforms make together.

    Both have the shape of a row, or are scalars.

    Raises:
        ConfigError: A transform is not linear.
    """
    shift, unit = np.zeros(()), np.ones(())
    for fitted in transforms:
        if not isinstance(fitted.transform, LinearTransform):
            raise ConfigError(
                "dataset.augmentation: images are changed in the units of the source, and "
                f"what {fitted.transform.name()} does to pixels cannot be undone for that: leave "
                "it out of dataset.transforms; scale, center, standardize and minmax can be undone"
            )
        own_shift, own_unit = np.asarray(fitted.state["shift"]), np.asarray(fitted.state["unit"])
        shift = shift + unit * (own_shift - own_unit * fitted.transform.offset)
        unit = unit * own_unit
    return shift, unit


def black(images: np.ndarray | LazyRows, shift: np.ndarray, unit: np.ndarray) -> float:
    """The smallest number of all images, in the units of the source; of bytes 0."""
    if isinstance(images, MappedRows):
        raw = images.raw
        if raw.dtype == np.uint8:
            return 0.0
        return min(float(raw[chunk].min()) for chunk in chunks(raw.shape))
    return min(
        float((images[chunk].min(axis=0) * unit + shift).min()) for chunk in chunks(images.shape)
    )


def described(augmentations: Sequence[Augmentation]) -> str:
    """Returns `flip, shift (pixels 2)`: names, and the fields that are not at their default."""
    return ", ".join(map(_described, augmentations))


def _described(augmentation: Augmentation) -> str:
    fields = dataclasses.fields(augmentation)  # type: ignore[arg-type]
    changed = [
        f"{field.name} {value}"
        for field in fields
        if (value := getattr(augmentation, field.name)) != field.default
    ]
    return f"{augmentation.name()} ({', '.join(changed)})" if changed else augmentation.name()


def check_augmentations(augmentations: Sequence[Augmentation], pipeline: Pipeline) -> None:
    """Check that the rows are images that can be changed in these ways.

    Raises:
        ConfigError: They are not.
    """
    shape = pipeline.shape
    if len(shape) != 3:
        raise ConfigError(
            f"dataset.augmentation: is for images, of the shape (h, w, c), and these rows have "
            f"{shape}: leave it out; for tables there are the layers gaussian_noise and dropout"
        )
    h, w, _ = shape
    problems = [
        f"dataset.augmentation[{index}]: {one.name()} of images of {h} x {w} pixels {reason}"
        for index, one in enumerate(augmentations)
        if (reason := one.validate_size(h, w))
    ]
    if problems:
        raise ConfigError(problems)
    _, unit = linear(pipeline.transforms)
    warping = [index for index, one in enumerate(augmentations) if one.moves]
    if warping and unit.ndim == 3 and not (unit == unit[:1, :1]).all():
        names = ", ".join(fitted.transform.name() for fitted in pipeline.transforms)
        raise ConfigError(
            f"dataset.augmentation[{warping[0]}]: {augmentations[warping[0]].name()} moves pixels "
            f"to places where others have been, but the transforms ({names}) give every pixel a "
            "unit of its own, learned from images that do not move: a pixel that is always dark "
            "would count a hundredfold. Use `dataset.transforms: [{type: scale, divide_by: 255}]`, "
            "or another number for other pixels"
        )
