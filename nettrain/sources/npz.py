"""Arrays in NumPy's npz format."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from nettrain.component import Text
from nettrain.data.align import align
from nettrain.data.arrays import features_from, weights_from
from nettrain.data.dataset import Dataset
from nettrain.data.readers.arrays import array_names, locate_npz, read_npz
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.predefined_split import join_parts
from nettrain.data.rows.stored import Read, StoredRows, stored_rows
from nettrain.data.schema import Schema
from nettrain.data.source import Source
from nettrain.files import absolute_path

Arrays = dict[str, np.ndarray | StoredRows]


@dataclass(frozen=True, kw_only=True)
class Npz(Source):
    """NumPy arrays (npz): x (n, d) a table, (n, h, w) or (n, h, w, c) images; y (n,) or (n, t).

    y (n,) holds numbers or texts, y (n, t) numbers. An array of weights (n,) says how much each row
    counts in the loss. The arrays of a predefined test part may be named too; its rows count alike
    where their weights are not. Rows that stay on the disk (`read`) are read a batch at a time,
    those of numpy.savez_compressed from a copy in the cache. Object arrays are refused: loading
    them would run pickle.

    Raises:
        DataError: An array is not there, lengths differ, or the file is damaged.
    """

    path: Annotated[Text, Field(description="file, relative to the config", examples=["data.npz"])]
    x: Annotated[Text, Field(description="name of the array of rows")] = "x"
    y: Annotated[Text, Field(description="name of the array of targets")] = "y"
    weights: Annotated[
        Text | None,
        Field(description="name of the array of row weights in the loss; null: all count alike"),
    ] = None
    x_test: Annotated[
        Text | None, Field(description="name of the rows of a predefined test part")
    ] = None
    y_test: Annotated[
        Text | None, Field(description="name of the targets of a predefined test part")
    ] = None
    weights_test: Annotated[
        Text | None, Field(description="name of the row weights of a predefined test part")
    ] = None
    read: Read = "auto"

    def __post_init__(self) -> None:
        if (self.x_test is None) != (self.y_test is None):
            raise ValueError("x_test and y_test belong together: give both or neither")
        if self.weights_test is not None and (self.x_test is None or self.weights is None):
            raise ValueError(
                "weights_test are those of x_test, beside weights, which are those of x: give them "
                "too, or leave it out"
            )

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        return self.replace(path=str(absolute_path(self.path, directory)))

    def with_path(self, path: Path) -> Source:
        """The same array names in another npz file: no test arrays, and weights if it has some."""
        if file_kind(path) == "npz":
            weights = self.weights if self.weights in array_names(path) else None
            return self.replace(
                path=str(path), weights=weights, x_test=None, y_test=None, weights_test=None
            )
        return super().with_path(path)

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows, the predefined test part behind the others."""
        return self._load(with_target=True)

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """The same without the arrays of targets, which need not be there."""
        return self._load(with_target=False)

    def _load(self, *, with_target: bool) -> Dataset:
        keys = {"x": self.x, "y": self.y, "weights": self.weights}
        keys |= {"x_test": self.x_test, "y_test": self.y_test, "weights_test": self.weights_test}
        unwanted = () if with_target else ("y", "y_test")
        arrays = self._arrays(
            {key: name for key, name in keys.items() if name is not None and key not in unwanted}
        )
        test = (arrays["x_test"], _array(arrays, "y_test")) if "x_test" in arrays else None
        dataset = join_parts((arrays["x"], _array(arrays, "y")), test, self.path)
        return replace(dataset, weights=self._weights(arrays)) if "weights" in arrays else dataset

    def _arrays(self, names: dict[str, str]) -> Arrays:
        """By key; those of the rows may stay on the disk."""
        images = [key for key in ("x", "x_test") if key in names]
        stored = stored_rows(
            [locate_npz(Path(self.path), key, names[key]) for key in images], self.read
        )
        if stored is None:
            return {**read_npz(Path(self.path), names)}
        rest = {key: name for key, name in names.items() if key not in images}
        return {**read_npz(Path(self.path), rest), **dict(zip(images, stored, strict=True))}

    def _weights(self, arrays: Arrays) -> np.ndarray:
        """Those of the rows of x, then those of the test part."""
        parts = [weights_from(arrays["weights"], len(arrays["x"]), f"{self.path}: {self.weights}")]
        if "weights_test" in arrays:
            parts.append(
                weights_from(
                    arrays["weights_test"],
                    len(arrays["x_test"]),
                    f"{self.path}: {self.weights_test}",
                )
            )
        elif "x_test" in arrays:
            parts.append(np.ones(len(arrays["x_test"])))
        return np.concatenate(parts)

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The rows alone if no target is wanted; then a file with a single array needs no name."""
        names = array_names(Path(self.path))
        if with_target:
            dataset = self.replace(x_test=None, y_test=None, weights_test=None).load(seed)
            used = [self.x, self.y, *([] if self.weights is None else [self.weights])]
        else:
            x = names[0] if self.x not in names and len(names) == 1 else self.x
            rows = self._arrays({"x": x})["x"]
            dataset = Dataset(features_from(rows, self.path), None, origin=self.path)
            used = [x]
        others = [name for name in names if name not in (*used, self.y)]
        if others:
            taken = f"arrays {', '.join(map(repr, used))}, as the keys of the training source say"
            note = f"{taken}; not used: {', '.join(map(repr, others))}"
            dataset = replace(dataset, notes=(*dataset.notes, note))
        return align(dataset, schema, with_target=with_target)


def _array(arrays: Arrays, key: str) -> np.ndarray | None:
    """An array that is in memory, as targets are; None where it was not asked for."""
    array = arrays.get(key)
    return array if isinstance(array, np.ndarray) else None
