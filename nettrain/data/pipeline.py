"""What a model needs apart from its weights: raw columns, fitted transforms, classes."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from nettrain.data.cache import cached_name, digest_of
from nettrain.data.checked_inputs import checked_inputs, keeps_bytes_finite
from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.fitted import Fitted, PackedTransform, pack, transformed, unpack
from nettrain.data.mapped_table import mapped, shows_no_own_target
from nettrain.data.part import Part
from nettrain.data.rows.base import LazyRows, chunks
from nettrain.data.rows.inputs import StoredInputs
from nettrain.data.rows.mapped import MappedRows, compose
from nettrain.data.schema import Schema
from nettrain.data.target import Target
from nettrain.data.transform import OutsideDomain
from nettrain.data.unseen import unseen_together
from nettrain.data.weights import row_weights
from nettrain.errors import CheckpointError, DataError
from nettrain.version import __version__

# In bytes: if images as the network's inputs take more, they stay uint8 and are mapped per batch.
AS_BYTES = 2**27


@dataclass(frozen=True)
class Pipeline:
    """From raw columns to the network's input, and from its outputs back to original units.

    Attributes:
        schema: The raw columns and the task.
        transforms: Of the features, fitted.
        target_transforms: Of the targets, fitted.
        shape: Of one row of inputs, after all transforms.
        names: Of the inputs of a table; empty for images.
        cardinalities: How many codes each of the last inputs has, which are codes of categories;
            the others are numbers.
        indicators: How many of the last numbers are indicators, 0 or 1.
    """

    schema: Schema
    transforms: tuple[Fitted, ...]
    target_transforms: tuple[Fitted, ...]
    shape: tuple[int, ...]
    names: tuple[str, ...]
    cardinalities: tuple[int, ...] = ()
    indicators: int = 0

    @classmethod
    def of(
        cls,
        schema: Schema,
        transforms: tuple[Fitted, ...],
        target_transforms: tuple[Fitted, ...],
        row: Features,
    ) -> "Pipeline":
        """The pipeline of fitted transforms, which have made this of a row."""
        shape, cardinalities = _kinds(row)
        names = (*row.names, *row.codes)
        return cls(
            schema,
            transforms,
            target_transforms,
            shape,
            names,
            cardinalities,
            _last_indicators(row),
        )

    def inputs(
        self,
        features: Features,
        dtype: str,
        place: Callable[[int], str] = "row {}".format,
        trained_on: Target | None = None,
    ) -> np.ndarray | LazyRows:
        """The network's inputs (n, *shape).

        Those of a table on the disk are written to a file of the cache. Lazy rows of images, and
        many uint8 images, are mapped when a batch takes them, but checked now.

        Args:
            features: The raw columns.
            dtype: float32 or float64.
            place: Says where a row is.
            trained_on: The targets of rows of a table that a network is to be trained on.

        Raises:
            DataError: A number is missing or infinite, or a text is left.
        """
        numbers = features.numbers
        if numbers.ndim <= 2 and isinstance(numbers, LazyRows):
            return self._stored(features, numbers, dtype, place, trained_on)
        if numbers.ndim <= 2:
            return checked_inputs(features, self.transforms, dtype, place, trained_on=trained_on)
        size = len(numbers) * math.prod(self.shape) * np.dtype(dtype).itemsize
        if isinstance(numbers, LazyRows) or (numbers.dtype == np.uint8 and size > AS_BYTES):
            return self._mapped(numbers, dtype, place)
        x = np.empty((len(features), *self.shape), dtype)
        for chunk in chunks(numbers.shape):
            x[chunk] = self._images(numbers[chunk], dtype, place, chunk.start)
        return x

    def _stored(
        self,
        features: Features,
        numbers: LazyRows,
        dtype: str,
        place: Callable[[int], str],
        trained_on: Target | None,
    ) -> StoredInputs:
        """Inputs of a table on the disk, which are made in chunks, and once for all runs alike."""
        table, transforms = features, list(self.transforms)
        while trained_on is not None and any(map(_shows_no_own_target, transforms)):
            fitted = transforms.pop(0)
            table = mapped(table, fitted.transform, fitted.state, trained_on)

        def blocks() -> Iterator[np.ndarray]:
            with unseen_together():
                for chunk in chunks(numbers.shape):
                    some = table.take(np.arange(chunk.start, chunk.stop)).in_memory()
                    yield checked_inputs(some, transforms, dtype, place, chunk.start)

        packed, arrays = self.pack()
        parts = [__version__, dtype, json.dumps(packed), *features.identity()]
        parts += [name + array.tobytes().hex() for name, array in arrays.items()]
        if table is not features and trained_on is not None:
            parts.append(digest_of(trained_on.values))
        name, origin = cached_name(numbers.name, parts, ".inputs"), numbers.name
        shape = (len(features), *self.shape)
        return StoredInputs.of(name, blocks, shape, np.dtype(dtype), origin)

    def _mapped(
        self, numbers: np.ndarray | LazyRows, dtype: str, place: Callable[[int], str]
    ) -> MappedRows:
        chain = [(fitted.transform, fitted.state) for fitted in self.transforms]
        shape = self.schema.shape
        if numbers.dtype != np.uint8 or not keeps_bytes_finite(self.transforms, shape, dtype):
            for chunk in chunks(numbers.shape):
                self._images(numbers[chunk], dtype, place, chunk.start)
        return MappedRows(numbers, compose(chain), self.shape, np.dtype(dtype))

    def _images(
        self, pixels: np.ndarray, dtype: str, place: Callable[[int], str], start: int
    ) -> np.ndarray:
        return checked_inputs(Features(pixels), self.transforms, dtype, place, start)

    def targets(self, target: Target, dtype: str) -> np.ndarray:
        """Codes (n,) int64, labels (n, l), or numbers (n, t) after the target transforms."""
        if target.classes is not None:
            return target.values
        features = Features(target.values, target.names)
        for fitted in self.target_transforms:
            features = fitted.transform.apply_to_targets(features, fitted.state)
        return features.array.astype(dtype)

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Numbers (n, t) or quantiles (n, k t) of the network in original units, float64."""
        shape, values = values.shape, values.astype(np.float64)
        for fitted in reversed(self.target_transforms):
            values = values.reshape(-1, len(self.schema.targets))
            values = fitted.transform.invert(values, fitted.state)
        return values.reshape(shape)

    def part(
        self,
        dataset: Dataset,
        dtype: str,
        class_weights: Mapping[str, float] | None = None,
        *,
        training: bool = False,
    ) -> Part:
        """Raw rows made ready for the network; a row's weight is its own times that of its class.

        Args:
            dataset: The raw rows.
            dtype: float32 or float64, of inputs and targets.
            class_weights: Of every class by name.
            training: Whether a network is to be trained on them: transforms that learned from
                their targets then do not show a row its own.

        Raises:
            DataError: The inputs cannot be used, or all weights are 0.
        """
        trained_on = dataset.target if training else None
        x = self.inputs(dataset.features, dtype, dataset.place, trained_on)
        if self.schema.autoencoder:
            if isinstance(dataset.features.numbers, LazyRows):
                raise DataError(
                    f"{dataset.origin}: with `target: self` the rows must be in memory, because "
                    "they are the targets too; set dataset.source.read: memory"
                )
            x = x[:]
            y = x.reshape(len(x), -1)
            return Part(x, y, y, row_weights(dataset, None))
        if dataset.target is None:
            return Part(x)
        weights = row_weights(dataset, class_weights)
        try:
            y = self.targets(dataset.target, dtype)
        except OutsideDomain as error:
            raise DataError(f"{dataset.place(error.row)}: {error}") from None
        return Part(x, y, dataset.target.values, weights)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What JSON can hold, and arrays by name; `unpack` makes an equal pipeline of them."""
        transforms, arrays = pack(self.transforms, "transforms")
        target_transforms, of_targets = pack(self.target_transforms, "target_transforms")
        packed = {
            "schema": asdict(self.schema),
            "shape": list(self.shape),
            "names": list(self.names),
            "cardinalities": list(self.cardinalities),
            "indicators": self.indicators,
            "transforms": transforms,
            "target_transforms": target_transforms,
        }
        return packed, arrays | of_targets

    @classmethod
    def unpack(cls, packed: object, arrays: dict[str, np.ndarray]) -> "Pipeline":
        """The pipeline that `pack` wrote.

        Raises:
            CheckpointError: It cannot have come from there.
        """
        try:
            content = _PACKED.validate_python(packed)
            transforms = unpack(content.transforms, arrays, "transforms")
            of_targets = unpack(content.target_transforms, arrays, "target_transforms")
            pipeline = cls(
                content.schema,
                transforms,
                of_targets,
                content.shape,
                content.names,
                content.cardinalities,
                content.indicators,
            )
            pipeline._rehearse()
        except ValidationError as error:
            raise CheckpointError(
                f"the checkpoint's transforms cannot be read: {error.errors()[0]['msg']}; it is "
                "damaged"
            ) from None
        except (PydanticCustomError, DataError, LookupError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"the checkpoint's transforms do not fit together ({error}); it is damaged"
            ) from None
        return pipeline

    def _rehearse(self) -> None:
        """Send one row of missing numbers through: states that do not fit the schema fail here."""
        self.schema.check()
        if math.prod(self.schema.shape) > _LARGEST_ROW:
            raise ValueError(f"a row of {self.schema.shape} numbers")
        blank = {name: Category(np.array([MISSING]), ()) for name in self.schema.texts}
        with suppress(OutsideDomain):  # what fills a gap may have no logarithm: rows will tell
            row = transformed(
                Features(np.full((1, *self.schema.shape), np.nan), self.schema.numbers, blank),
                self.transforms,
            )
            kinds = _kinds(row)
            if kinds != (self.shape, self.cardinalities) or row.categories:
                raise ValueError(f"inputs of shape {kinds[0]}, expected {self.shape}")
        if self.schema.task == "regression":
            self.restore(
                self.targets(
                    Target(np.full((1, len(self.schema.targets)), np.nan), self.schema.targets),
                    "float64",
                )
            )


def _shows_no_own_target(fitted: Fitted) -> bool:
    return shows_no_own_target(fitted.transform)


def _kinds(row: Features) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The shape of transformed inputs, and the cardinalities of those that are codes."""
    cardinalities = tuple(column.cardinality for column in row.codes.values())
    shape = row.numbers.shape[1:]
    return (shape[0] + len(cardinalities),) if cardinalities else shape, cardinalities


def _last_indicators(row: Features) -> int:
    """How many indicators there are behind the last number that is none."""
    return sum(1 for _ in takewhile(row.indicators.__contains__, reversed(row.names)))


_LARGEST_ROW = 10**8


@dataclass(frozen=True)
class _Packed:
    schema: Schema
    transforms: list[PackedTransform]
    target_transforms: list[PackedTransform]
    shape: tuple[int, ...]
    names: tuple[str, ...]
    cardinalities: tuple[int, ...] = ()
    indicators: int = 0


_PACKED = TypeAdapter(_Packed)
