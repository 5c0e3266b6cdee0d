"""Tables in Parquet files."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Text
from nettrain.data.open_table import OpenTable
from nettrain.data.readers.frames import FrameTable
from nettrain.data.schema import Schema
from nettrain.data.table_source import TableSource


@dataclass(frozen=True, kw_only=True)
class Parquet(TableSource):
    """Parquet: a table in a columnar file.

    Columns of numbers and truth values become numbers, columns of texts categories; null and NaN
    are missing. A process of its own reads the file, which a damaged one may end. Needs polars:
    pip install "nettrain[tables]".

    Raises:
        DataError: A column holds lists, or the file is damaged.
    """

    path: Annotated[
        Text, Field(description="file, relative to the config", examples=["wine.parquet"])
    ]

    def open(self, schema: Schema | None = None) -> OpenTable:
        """The file's columns."""
        return FrameTable(self.path, "parquet")

    def _memory(self) -> int:
        """Columns are packed to about a quarter."""
        return 4 * super()._memory()
