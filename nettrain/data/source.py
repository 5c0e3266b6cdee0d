"""The base of all sources: where rows come from."""

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from nettrain.component import Component
from nettrain.data.align import align
from nettrain.data.dataset import Dataset
from nettrain.data.readers.file_kind import file_kind
from nettrain.data.readers.file_name import kind_by_name
from nettrain.data.schema import Schema
from nettrain.data.written_columns import WrittenColumns
from nettrain.errors import DataError


class Source(Component):
    """A file, a named set or a generator of rows. Sources load; they neither split nor scale."""

    kind = "source"
    package = "nettrain.sources"

    @classmethod
    def suggest(cls, name: str) -> str:
        """Names the source that reads a file, if a file was given as the source."""
        kind = kind_by_name(name)
        if kind is None:
            return super().suggest(name)
        key = "images" if kind == "idx" else "path"
        return f"; a file is written {{type: {kind}, {key}: {name}}}"

    def absolute(self, directory: Path) -> Self:
        """The same source with absolute paths; relative ones count from the config's directory."""
        return self

    @abstractmethod
    def load(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows.

        Args:
            seed: The run's, for synthetic sources.
            extra_columns: Columns that are neither feature nor target, such as the split column,
                for `Dataset.extra_columns`; only files with named columns have them.

        Raises:
            DataError: Naming file, line and column.
        """

    def with_path(self, path: Path) -> "Source":
        """The source that reads another file with the same keys (separator, missing marks)."""
        kind = "images" if path.is_dir() else file_kind(path)
        return Source.parse({"type": kind, "images" if kind == "idx" else "path": str(path)})

    def load_inputs(self, seed: int, extra_columns: tuple[str, ...] = ()) -> Dataset:
        """All rows without a target, for an autoencoder; a target column need not be there."""
        return dataclasses.replace(self.load(seed, extra_columns), target=None)

    def load_for(self, schema: Schema, *, with_target: bool, seed: int = 0) -> Dataset:
        """The columns that a trained model takes, found by name.

        Args:
            schema: Of the model.
            with_target: Whether the target is needed; otherwise it is ignored.
            seed: For synthetic sources.

        Raises:
            DataError: Columns are missing, or a label occurs that training did not have.
        """
        return align(self.load(seed), schema, with_target=with_target)

    def written_columns(self, asked: Sequence[str], schema: Schema) -> WrittenColumns:
        """Columns as they stand in the file, of the rows of `load_for`.

        Args:
            asked: Names, several in one text with commas between them.
            schema: Of the model, which helps to tell a header from a row.

        Raises:
            DataError: A column is not there, or the rows have no named columns.
        """
        raise DataError(
            f"--keep {','.join(asked)}: only tables have named columns; leave the option out "
            "(predictions for image files come with the names of the files)"
        )
