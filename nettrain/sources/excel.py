"""Tables in spreadsheets."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Text
from nettrain.data.open_table import OpenTable
from nettrain.data.readers.frames import FrameTable
from nettrain.data.schema import Schema
from nettrain.data.table_source import TableSource


@dataclass(frozen=True, kw_only=True)
class Excel(TableSource):
    """Excel: a sheet of a spreadsheet (.xlsx, .xlsm, .xlsb, .xls, .ods) whose first row names.

    Columns of numbers and truth values become numbers, columns of texts and dates categories, and
    columns of both texts; empty cells are missing. Formulas count with the values that were saved.
    A process of its own reads the file, which a damaged one may end. Needs polars and fastexcel:
    pip install "nettrain[tables]".

    Raises:
        DataError: The file is damaged, or has no such sheet.
    """

    path: Annotated[Text, Field(description="file, relative to the config", examples=["wine.xlsx"])]
    sheet: Annotated[
        Text | None, Field(description="name of the sheet; null: the first", examples=["Sheet1"])
    ] = None

    def open(self, schema: Schema | None = None) -> OpenTable:
        """The sheet's columns."""
        return FrameTable(self.path, "excel", self.sheet)
