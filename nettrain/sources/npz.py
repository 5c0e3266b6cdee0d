"""Arrays in NumPy's npz format."""
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from nettrain.component import Text
from nettrain.data.array_file import array_names, read_npz
from nettrain.data.arrays import features_from
from nettrain.data.conform import conform
from nettrain.data.dataset import Dataset
from nettrain.data.file_kind import file_kind
from nettrain.data.official import joined
from nettrain.data.schema import Schema
from nettrain.data.source import Source


@dataclass(frozen=True, kw_only=True)
class Npz(Source):
    """x (n, d) a table, (n, h, w) or (n, h, w, c) images; y (n,) numbers or texts, or (n, t) numbers.

    The two arrays of an official test part may be named too. Object arrays are refused: loading them would run pickle.
    Raises DataError for an array that is not there, lengths that differ, and a file that is damaged.
    """

    path: Annotated[Text, Field(description="file, relative to the config")]
    x: Annotated[Text, Field(description="name of the array of rows")] = "x"
    y: Annotated[Text, Field(description="name of the array of targets")] = "y"
    x_test: Annotated[Text | None, Field(description="name of the rows of an official test part")] = None
    y_test: Annotated[Text | None, Field(description="name of the targets of an official test part")] = None

    def __post_init__(self) -> None:
        if (self.x_test is None) != (self.y_test is None):
            raise ValueError("x_test and y_test belong together: give both or neither")

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        return self.replace(path=str(directory / Path(self.path).expanduser()))

    def like(self, path: Path) -> Source:
        """The same array names in another npz file; its test arrays, if any, are not asked for."""
        if file_kind(path) == "npz":
            return self.replace(path=str(path), x_test=None, y_test=None)
        return super().like(path)

    def load(self, seed: int, aside: tuple[str, ...] = ()) -> Dataset:
        """All rows, the official test part behind the others."""
        names = {"x": self.x, "y": self.y}
        if self.x_test is None or self.y_test is None:
            found = read_npz(Path(self.path), names)
            return joined((found["x"], found["y"]), None, self.path)
        found = read_npz(Path(self.path), names | {"x_test": self.x_test, "y_test": self.y_test})
        return joined((found["x"], found["y"]), (found["x_test"], found["y_test"]), self.path)

    def load_again(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The rows alone if no target is wanted; then a file with a single array needs no name."""
        if with_target:
            return conform(self.replace(x_test=None, y_test=None).load(seed), schema, with_target=True)
        there = array_names(Path(self.path))
        name = there[0] if self.x not in there and len(there) == 1 else self.x
        rows = read_npz(Path(self.path), {"x": name})["x"]
        return conform(Dataset(features_from(rows, self.path), None, origin=self.path), schema, with_target=False)
