"""A dataset of a table in one file of the cache: its cells, and behind them all else, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nettrain.data.cache import CHECKSUM, add_checksum
from nettrain.data.collect import OnDisk
from nettrain.data.dataset import Dataset
from nettrain.data.features import Category, Features
from nettrain.data.readers.number_format import NumberFormat
from nettrain.data.rows.cells import Section, SectionPlace
from nettrain.data.rows.memory_map import MemoryMap
from nettrain.data.stored_columns import (
    ColumnRows,
    Selection,
    StoredCategory,
    StoredColumn,
    StoredLines,
)
from nettrain.data.target import Target


def write_table(file: BinaryIO, dataset: Dataset, store: OnDisk) -> None:
    """Write behind the cells of a dataset all else that it consists of.

    Args:
        file: Opened for reading and writing; holds the sections of the store.
        dataset: Its columns are of these sections; its target and weights are in memory.
        store: Wrote the sections.
    """
    store.finish()
    features, target = dataset.features, dataset.target
    rows = features.numbers
    assert isinstance(rows, ColumnRows)
    content: dict[str, Any] = {
        "origin": dataset.origin,
        "notes": dataset.notes,
        "formats": {name: asdict(form) for name, form in dataset.formats.items()},
        "sections": [asdict(place) for place in store.places],
        "names": features.names,
        "numbers": [_described(column, store) for column in rows.columns],
        "first": _described(rows.first, store),
        "categories": _described_texts(features.categories, store),
        "extra": _described_texts(dataset.extra_columns, store),
        "lines": None,
        "weights": _write_array(file, dataset.weights),
        "target": None,
    }
    if isinstance(dataset.lines, StoredColumn):
        content["lines"] = _described(dataset.lines, store)
    if target is not None:
        content["target"] = {
            "values": _write_array(file, target.values),
            "names": target.names,
            "classes": target.classes,
            "label_type": target.label_type,
            "missing_hint": target.missing_hint,
        }
    text = json.dumps(content).encode()
    file.seek(0, 2)
    file.write(text)
    file.write(len(text).to_bytes(8, "little"))
    add_checksum(file)


def read_table(path: Path) -> Dataset:
    """The dataset that `write_table` wrote to a file, which is whole; its cells stay there."""
    file = MemoryMap(path)
    end = path.stat().st_size - CHECKSUM
    size = int(file.array(end - 8, np.int64, (1,))[0])
    content = json.loads(file.array(end - 8 - size, np.uint8, (size,)).tobytes())
    sections = [Section(file, SectionPlace(**place)) for place in content["sections"]]
    selection = Selection()
    numbers = [_column(one, sections, selection) for one in content["numbers"]]
    first = _column(content["first"], sections, selection)
    features = Features(
        ColumnRows(numbers, first),
        tuple(content["names"]),
        _texts(content["categories"], sections, selection),
    )
    lines = content["lines"]
    return Dataset(
        features,
        _target(file, content["target"]),
        origin=content["origin"],
        lines=None if lines is None else _column(lines, sections, selection, StoredLines),
        extra_columns=_texts(content["extra"], sections, selection),
        weights=_array(file, content["weights"]),
        formats={name: _format(form) for name, form in content["formats"].items()},
        notes=tuple(content["notes"]),
    )


def _target(file: MemoryMap, kept: dict[str, Any] | None) -> Target | None:
    if kept is None:
        return None
    values, classes = _array(file, kept["values"]), kept["classes"]
    assert values is not None
    return Target(
        values,
        tuple(kept["names"]),
        None if classes is None else tuple(classes),
        label_type=kept["label_type"],
        missing_hint=kept["missing_hint"],
    )


def _format(kept: dict[str, Any]) -> NumberFormat:
    return NumberFormat(**(kept | {"strip": tuple(kept["strip"])}))


def _described(column: StoredColumn, store: OnDisk) -> dict[str, Any]:
    lookup = column.lookup
    return {
        "section": store.number_of(column.section),
        "column": column.column,
        "lookup": None if lookup is None else lookup.tolist(),
        "kind": None if lookup is None else lookup.dtype.str,
        "marks": column.marks,
    }


def _column(
    kept: dict[str, Any],
    sections: Sequence[Section],
    selection: Selection,
    kind: type[StoredColumn] = StoredColumn,
) -> StoredColumn:
    lookup = None if kept["lookup"] is None else np.array(kept["lookup"], kept["kind"])
    section = sections[kept["section"]]
    return kind(section, kept["column"], selection, lookup, tuple(kept["marks"]))


def _described_texts(columns: dict[str, Category], store: OnDisk) -> list[dict[str, Any]]:
    return [
        {"name": name, "values": one.values, **_described(one.column, store)}
        for name, one in columns.items()
        if isinstance(one, StoredCategory)
    ]


def _texts(
    kept: list[dict[str, Any]], sections: Sequence[Section], selection: Selection
) -> dict[str, Category]:
    return {
        one["name"]: StoredCategory(_column(one, sections, selection), tuple(one["values"]))
        for one in kept
    }


def _write_array(file: BinaryIO, array: np.ndarray | None) -> dict[str, Any] | None:
    if array is None:
        return None
    file.write(bytes(-file.seek(0, 2) % 8))
    offset = file.tell()
    file.write(np.ascontiguousarray(array).data)
    return {"offset": offset, "dtype": array.dtype.str, "shape": array.shape}


def _array(file: MemoryMap, kept: dict[str, Any] | None) -> np.ndarray | None:
    if kept is None:
        return None
    return file.array(kept["offset"], np.dtype(kept["dtype"]), tuple(kept["shape"])).copy()
