"""Reads from a table the columns that a trained model knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nettrain.data.align import align_target, check_names, label_codes
from nettrain.data.collect import Store
from nettrain.data.column_override import take_out_marks
from nettrain.data.column_roles import ColumnList, find_columns
from nettrain.data.dataset import Dataset
from nettrain.data.features import MISSING, Category, Features
from nettrain.data.open_table import Column, OpenTable
from nettrain.data.readers.number_text import is_number
from nettrain.data.schema import Schema
from nettrain.data.table_columns import features_of, target_of, weighted
from nettrain.data.written_numbers import convert_written_numbers
from nettrain.errors import DataError, nearest


@dataclass(frozen=True)
class ModelColumns:
    """The columns of a trained model, in a table of new rows.

    Attributes:
        path: Of the table, for messages.
        table: The rows.
        schema: Of the model.
        marks: The marks of missing values that single columns have.
    """

    path: str
    table: OpenTable
    schema: Schema
    marks: Mapping[str, tuple[str, ...]]

    def load(self, store: Store, weights: ColumnList, *, with_target: bool) -> Dataset:
        """All rows.

        Args:
            store: Where the cells go.
            weights: The column of weights, which is read with the target only.
            with_target: Whether the rows are for an evaluation.

        Raises:
            DataError: A column is not there, or cannot be what it was in training.
        """
        table = self.table
        weighting = find_columns("weights", weights, table, self.path) if with_target else ()
        if with_target:
            self._check_target()
        schema = self._with_pixel_columns(weighting)
        check_names(self.path, schema, table.names)
        targets = schema.targets if with_target else self._guessed_target()
        one_column_of_classes = schema.task == "classification" and len(targets) == 1
        numeric = (
            dict.fromkeys(schema.texts, False)
            | dict.fromkeys((*schema.numbers, *weighting), True)
            | dict.fromkeys(targets, not one_column_of_classes)
        )
        inputs = (*schema.numbers, *schema.texts)
        wanted = {name: form for name, form in schema.formats.items() if name in numeric}
        if table.typed:
            numeric = {name: kind for name, kind in numeric.items() if name not in wanted}
        else:
            numeric |= dict.fromkeys(wanted, False)
        columns, lines = table.read([*inputs, *targets, *weighting], numeric, store)
        table.check_mixed(wanted)
        take_out_marks(columns, self.marks, table)
        convert_written_numbers(
            columns, wanted, Dataset(Features(np.empty((0, 0))), None, None, self.path, lines).place
        )
        features = features_of(columns, inputs)
        if len(schema.shape) > 1:
            features = Features(features.array.reshape(len(features), *schema.shape))
        notes = [*table.notes, *self._notes_on_order()]
        dataset = Dataset(features, None, origin=self.path, lines=lines, notes=tuple(notes))
        dataset = weighted(dataset, columns, weighting)
        if not with_target:
            if targets:
                self._check_guessed_target(columns[targets[0]])
            return dataset
        dataset = replace(dataset, target=target_of(columns, targets, dataset, table))
        return replace(dataset, target=align_target(dataset, schema))

    def _check_target(self) -> None:
        for name in self.schema.targets:
            if name not in self.table.names:
                raise DataError(
                    f"{self.path}: no target column {name!r} to evaluate against"
                    f"{nearest(name, self.table.names)}"
                )

    def _with_pixel_columns(self, weights: Sequence[str]) -> Schema:
        """Of a model of images: all columns but the target, pixel after pixel."""
        schema, table = self.schema, self.table
        if schema.numbers or schema.texts:
            return schema
        pixels = tuple(name for name in table.names if name not in (*schema.targets, *weights))
        if len(pixels) != np.prod(schema.shape):
            raise DataError(
                f"{self.path}: {len(pixels)} columns of pixels, the model was trained on images of "
                f"shape {schema.shape}"
            )
        return replace(schema, numbers=pixels)

    def _guessed_target(self) -> tuple[str, ...]:
        """In a file without header: the column of classes, if it is where training had it."""
        schema, table = self.schema, self.table
        one_column_of_classes = schema.task == "classification" and len(schema.targets) == 1
        there = {*schema.targets} <= {*table.names}
        return schema.targets if one_column_of_classes and there and not table.has_header else ()

    def _check_guessed_target(self, column: Column) -> None:
        """Without a header the order of the columns is assumed; the cells can disprove it.

        Other texts than those of training may be labels that are spelled otherwise. But numbers
        where training had texts, or the reverse, or mostly numbers that are no class, are another
        column.
        """
        labels = column.values if isinstance(column, Category) else ()
        classes = self.schema.classes or ()
        texts = not any(map(is_number, (*labels, *classes)))
        unknown = label_codes(labels, classes) == MISSING
        if texts or 2 * unknown.sum() <= len(labels):
            return
        label = labels[int(unknown.argmax())]
        raise DataError(
            f"{self.path}: the file has no header, and its columns are not those of training in "
            f"the same order: {self.schema.targets[0]!r}, the target, holds {label!r}, which is no "
            "class; give the columns of training in their order, with or without the target"
        )

    def _notes_on_order(self) -> list[str]:
        """What a file without header is assumed to hold."""
        schema, table = self.schema, self.table
        if table.has_header:
            return []
        absent = not {*schema.targets} <= {*table.names}
        target = (
            "without the target" if absent else f"the target ({', '.join(schema.targets)}) included"
        )
        return [
            f"no header: its {len(table.names)} columns are taken to be those of training in the "
            f"same order, {target}"
        ]
