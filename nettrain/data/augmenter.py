"""The augmentations of a run, applied to the batches of its training part: by the step's own random streams, in the source's units."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from nettrain.data.augmentation import Augmentation, Mix
from nettrain.data.linear import LinearTransform
from nettrain.data.pipeline import Fitted, Pipeline
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.rows.mapped import MappedRows
from nettrain.errors import ConfigError
from nettrain.streams import StepStream


class Augmenter:
    """Undoes the transforms, which map pixels linearly, lets every augmentation change the images, and transforms again.

    So what comes in from outside is black wherever the transforms, or the source, put black; strengths are in units that the user knows,
    and nothing depends on how the transforms scale. What is drawn depends on the seed, the augmentation's name and place, the step and
    the portion alone.

    images  the transformed images (n, h, w, c) of the training part
    Raises ConfigError where the rows are no images, or the transforms do not allow it.
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
            (augmentation, f"augmentation.{place}.{augmentation.name()}")
            for place, augmentation in enumerate(augmentations)
        ]
        self._chain = [(augmentation, StepStream(seed, name)) for augmentation, name in named]
        shift, unit = linear(pipeline.transforms)
        shift = shift - black(images, shift, unit)
        self._shift, self._unit = (
            None if (a == neutral).all() else a.astype(dtype)
            for a, neutral in ((shift, 0), (unit, 1))
        )

    def __call__(self, x: np.ndarray, step: int, portion: int) -> Mix | None:
        """Change transformed images (n, h, w, c) in their place; gives how rows were mixed, where they were."""
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
    """shift and unit of y = (x - shift) / unit, which is what linear transforms do together; of the shape of a row, or numbers."""
    shift, unit = np.zeros(()), np.ones(())
    for fitted in transforms:
        if not isinstance(fitted.transform, LinearTransform):
            raise ConfigError(
                f"dataset.augmentation: images are changed in the units of the source, and what {fitted.transform.name()} does to pixels "
                "cannot be undone for that: leave it out of dataset.transforms, which may be scale, center, standardize and minmax"
            )
        own_shift, own_unit = np.asarray(fitted.state["shift"]), np.asarray(fitted.state["unit"])
        shift = shift + unit * (own_shift - own_unit * fitted.transform.offset)
        unit = unit * own_unit
    return shift, unit


def black(images: np.ndarray | LazyRows, shift: np.ndarray, unit: np.ndarray) -> float:
    """The smallest number of all images, in the units of the source; of bytes 0."""
    if isinstance(images, MappedRows):
        raw = images.raw
        return (
            0.0
            if raw.dtype == np.uint8
            else min(float(raw[chunk].min()) for chunk in chunks(raw.shape))
        )
    return min(
        float((images[chunk].min(axis=0) * unit + shift).min()) for chunk in chunks(images.shape)
    )


def described(augmentations: Sequence[Augmentation]) -> str:
    """`flip, shift (pixels 2)`: names, and the fields that are not at their default."""
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
    """Raises ConfigError where the rows are no images, or no images for these augmentations."""
    shape = pipeline.shape
    if len(shape) != 3:
        raise ConfigError(
            f"dataset.augmentation: is for images, of the shape (h, w, c), and these rows have {shape}: leave it out; what tables have "
            "instead are the layers gaussian_noise and dropout"
        )
    h, w, _ = shape
    reasons = [
        (place, augmentation.name(), augmentation.validate_size(h, w))
        for place, augmentation in enumerate(augmentations)
    ]
    if found := [
        f"dataset.augmentation[{place}]: {name} of images of {h} x {w} pixels {reason}"
        for place, name, reason in reasons
        if reason
    ]:
        raise ConfigError(found)
    _, unit = linear(pipeline.transforms)
    moving = [place for place, augmentation in enumerate(augmentations) if augmentation.moves]
    if moving and unit.ndim == 3 and not (unit == unit[:1, :1]).all():
        names = ", ".join(fitted.transform.name() for fitted in pipeline.transforms)
        raise ConfigError(
            f"dataset.augmentation[{moving[0]}]: {augmentations[moving[0]].name()} moves pixels to places where others have been, but the "
            f"transforms ({names}) give every pixel a unit of its own, learned from images that do not move: one that is always dark "
            "would count a hundredfold. Use `dataset.transforms: [{type: scale, divide_by: 255}]`, or another number for other pixels"
        )
