"""Arrays and DataFrames handed in from Python."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from nettrain.component import Text
from nettrain.data.dataset import Dataset
from nettrain.data.dataset_file import read_dataset
from nettrain.data.in_memory import with_extra_columns
from nettrain.data.source import Source
from nettrain.errors import DataError
from nettrain.files import absolute_path


@dataclass(frozen=True, kw_only=True)
class Memory(Source):
    """Rows in memory: the `data=(x, y)` of `nettrain.train`, (x, y, weights), or a DataFrame.

    weights say how much each row counts in the loss. This source stands in the configuration of
    such runs, which keep no copy of the data. A sweep, a cross-validation or an ensemble keeps one
    in its directory, which its runs read.
    """

    path: Annotated[
        Text | None, Field(description="where a search has kept the rows; null: nowhere")
    ] = None

    def absolute(self, directory: Path) -> Self:
        """The same with an absolute path."""
        if self.path is None:
            return self
        return self.replace(path=str(absolute_path(self.path, directory)))

    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """The rows that a search has kept."""
        if self.path is None:
            raise DataError(
                "dataset.source: memory: the data of this run was handed in from Python and is not "
                "stored; hand it in again (data=(x, y)), or give a file (eval --data FILE)"
            )
        return with_extra_columns(read_dataset(Path(self.path)), extra_columns)
