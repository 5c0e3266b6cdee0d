"""Tables in Parquet files."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Text
from nettrain.data.readers.frames import FrameTable
from nettrain.data.schema import Schema
from nettrain.data.table_source import OpenTable, TableSource


@dataclass(frozen=True, kw_only=True)
class Parquet(TableSource):
    """A table in a Parquet file.

    Columns of numbers and truth values become numbers, columns of texts categories; null and NaN are missing. Needs polars:
    pip install "nettrain[tables]". Raises DataError for columns of dates or lists, and a file that is damaged.
    """

    path: Annotated[
        Text, Field(description="file, relative to the config", examples=["wine.parquet"])
    ]

    def open(self, schema: Schema | None = None) -> OpenTable:
        """The file's columns."""
        return FrameTable(self.path, "parquet")
