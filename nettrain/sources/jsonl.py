"""Tables as JSON lines."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Text
from nettrain.data.open_table import OpenTable
from nettrain.data.readers.json_lines import JsonLinesTable
from nettrain.data.schema import Schema
from nettrain.data.table_source import TableSource


@dataclass(frozen=True, kw_only=True)
class Jsonl(TableSource):
    """JSON lines: one object per line, such as {"age": 39, "city": "Oslo"}; plain or gzip.

    Numbers and truth values become numbers, texts categories; null, and a key that is left out, is
    missing.

    Raises:
        DataError: With file and line, for what is no JSON, and for a column that holds both numbers
            and texts, or lists.
    """

    path: Annotated[
        Text, Field(description="file, relative to the config", examples=["wine.jsonl"])
    ]

    def open(self, schema: Schema | None = None) -> OpenTable:
        """The keys of all lines."""
        return JsonLinesTable(self.path)
