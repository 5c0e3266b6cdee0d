"""A table file whose columns are known and not read yet."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

from nettrain.data.collect import Cells, Store
from nettrain.data.features import Category
from nettrain.data.readers.number_format import NumberFormat
from nettrain.data.written_columns import Block
from nettrain.errors import DataError

Column = Cells | Category  # numbers (n,), NaN where missing, or texts


class OpenTable(ABC):
    """A file whose columns are known and not read yet.

    Attributes:
        names: Of all columns.
        place: Of those names, as messages name it.
        hint: What to add to the message where a name is not found.
        missing: The cells that stand for a missing value, where the file has such marks.
        marks: The missing marks that occurred in each column; known once it is read.
        notes: What was assumed about the file, a sentence each; complete once it is read.
        booleans: The columns that hold true and false alone; known once it is read.
        mixed: The error of each column of numbers in which a text stands that may be a number in
            another format; known once it is read.
        typed: Whether the file tells numbers from texts; otherwise the cells do.
        has_header: Whether the file names its columns; otherwise they are named by position.
    """

    names: tuple[str, ...]
    place: str
    hint: str = ""
    missing: tuple[str, ...] = ()
    booleans: frozenset[str] = frozenset()
    typed: bool = True
    has_header: bool = True

    def __init__(self) -> None:
        self.marks: dict[str, set[str]] = {}
        self.mixed: dict[str, DataError] = {}
        self.notes: list[str] = []

    @abstractmethod
    def read(
        self, names: Sequence[str], numeric: dict[str, bool], store: Store
    ) -> tuple[dict[str, Column], Cells | None]:
        """The named columns, and the line of each row if the file has lines.

        Args:
            names: Of the columns.
            numeric: The kind of those whose cells do not decide it: True for numbers, False for
                texts.
            store: Where the cells go.
        """

    @abstractmethod
    def written(self, names: Sequence[str]) -> Iterator[Block]:
        """The values of the named columns as they stand in the file, in place of `read`."""

    def check_mixed(self, formats: Mapping[str, NumberFormat]) -> None:
        """Raises DataError for a column of numbers and texts that no format makes all numbers."""
        for name, error in self.mixed.items():
            if name not in formats:
                raise error
