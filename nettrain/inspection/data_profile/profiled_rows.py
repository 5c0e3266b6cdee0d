"""The rows that a profile looks at: those of all parts, of many a sample."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from nettrain import streams
from nettrain.data.dataset import PARTS, Dataset
from nettrain.data.features import MISSING, Category
from nettrain.data.loaded_data import LoadedData
from nettrain.data.schema import Schema
from nettrain.data.target import Target, Task
from nettrain.data.transform import Transform
from nettrain.inspection.data_profile.row_hashes import RowHashes

MOST_ROWS = 50_000
MOST_IMAGES = 2_000
MOST_COLUMNS = 1_000  # that are searched for suspicions
MOST_CELLS = 2_000_000  # of a wide table ...
MOST_PIXELS = 40_000_000  # ... and of images: what is looked at in a second
FEWEST_ROWS = 1_000  # of a table however wide
SHOWN = 5  # lines and examples of a suspicion

Divider = Literal["part", "group", "time"]


@dataclass(frozen=True)
class ProfiledRows:
    """Raw rows in the order of their source, without those that no part has.

    Attributes:
        origin: The file or set.
        part: (n,) the index in `PARTS` of the part of each row.
        where: (n,) the line of each row in its file, or its number from 0.
        has_lines: Whether `where` holds lines.
        files: The file that each row (n,) is, if each is one.
        numbers: The columns of numbers by name, (n,) float64, NaN where missing.
        texts: The columns of texts by name.
        images: (n, h, w, c); None for tables.
        target: Of the rows; None for an autoencoder.
        task: What the target makes; None where there is none.
        extra: Columns by name that are no features: of the split, of groups, or left out and likely
            to name groups.
        formats: The columns of numbers that are not written plainly, and how they are.
        total: Rows of all parts, of which these are a sample where there are more.
        transforms: Of the features; None: those that nettrain chooses.
        divided_by: The columns that divide the rows, by what they hold: part, group or time.
        weighted: Whether classes have weights in training.
        has_keys: Whether the source has keys for its columns, such as `ignore`.
        hashes: Of all rows, not of a sample alone; None: unknown.
    """

    origin: str
    part: np.ndarray
    where: np.ndarray
    has_lines: bool
    files: np.ndarray | None
    numbers: dict[str, np.ndarray]
    texts: dict[str, Category]
    images: np.ndarray | None
    target: Target | None
    task: Task | None
    extra: dict[str, Category]
    formats: Mapping[str, object]
    total: int
    transforms: Sequence[Transform] | None = None
    divided_by: Mapping[Divider, str] = field(default_factory=dict)
    weighted: bool = False
    has_keys: bool = True
    hashes: RowHashes | None = None

    def __len__(self) -> int:
        return len(self.part)

    @classmethod
    def of(cls, loaded: LoadedData, most: int | None = None) -> "ProfiledRows":
        """The rows of a run, drawn with a fixed seed where there are more than `most`."""
        most = _most_rows(loaded.dataset) if most is None else most
        total = sum(map(len, loaded.rows.values()))
        chosen = {name: _drawn(rows, most / total) for name, rows in loaded.rows.items()}
        shared = {name: rows for name, rows in chosen.items() if name not in loaded.separate_parts}
        rows = np.concatenate([*shared.values(), np.empty(0, np.intp)]).astype(np.intp)
        part = np.concatenate([np.full(len(rows), _code(name)) for name, rows in shared.items()])
        order = np.argsort(rows, kind="stable")
        pieces = [(loaded.dataset, rows[order], part[order])]
        for name, own in loaded.separate_parts.items():
            if name in chosen:
                pieces.append((own, chosen[name], np.full(len(chosen[name]), _code(name))))
        return replace(_joined(pieces, loaded.schema, total), hashes=RowHashes.of(loaded))

    @property
    def sampled(self) -> bool:
        """Whether there are more rows than these."""
        return len(self) < self.total

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts that have rows."""
        return tuple(PARTS[code] for code in np.unique(self.part))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the features."""
        return (*self.numbers, *self.texts)

    def lines(self, rows: Sequence[int] | np.ndarray) -> tuple[int, ...]:
        """The lines of the first of some rows, in ascending order."""
        return tuple(int(line) for line in np.sort(self.where[np.asarray(rows, int)])[:SHOWN])

    def without(self, names: Collection[str]) -> "ProfiledRows":
        """The rows without some features."""
        return replace(
            self,
            numbers={name: x for name, x in self.numbers.items() if name not in names},
            texts={name: column for name, column in self.texts.items() if name not in names},
        )

    def transforms_of(self, column: str) -> frozenset[str]:
        """The names of the transforms that the configuration has for a column."""
        return frozenset(
            one.name()
            for one in self.transforms or ()
            if (columns := getattr(one, "columns", None)) is None or column in columns
        )

    def in_training(self) -> np.ndarray:
        """Which rows (n,) are those to train on."""
        return self.part == PARTS.index("train")


def _most_rows(dataset: Dataset) -> int:
    """The rows that are looked at in about a second."""
    shape = dataset.features.numbers.shape
    if len(shape) > 2:
        return min(MOST_IMAGES, max(MOST_PIXELS // int(np.prod(shape[1:])), 100))
    columns = min(shape[1] + len(dataset.features.categories), MOST_COLUMNS)
    return min(MOST_ROWS, max(MOST_CELLS // max(columns, 1), FEWEST_ROWS))


def _drawn(rows: np.ndarray, share: float) -> np.ndarray:
    if share >= 1:
        return rows
    generator = streams.generator(0, "profile.rows")
    return np.sort(generator.permutation(rows)[: max(int(len(rows) * share), 1)])


def _code(part: str) -> int:
    return PARTS.index(part)


def _joined(
    pieces: list[tuple[Dataset, np.ndarray, np.ndarray]], schema: Schema, total: int
) -> ProfiledRows:
    taken = [dataset.take(rows) for dataset, rows, _ in pieces]
    first = taken[0]
    is_table = first.features.numbers.ndim == 2
    x = np.concatenate([one.features.array for one in taken])
    names = first.features.names or tuple(f"column_{i}" for i in range(x.shape[1]))
    has_lines = first.lines is not None
    where = [
        rows if one.lines is None or not has_lines else one.lines
        for one, (_, rows, _) in zip(taken, pieces, strict=True)
    ]
    files = [one.files for one in taken if one.files is not None]
    return ProfiledRows(
        origin=first.origin,
        part=np.concatenate([part for _, _, part in pieces]),
        where=np.concatenate(where),
        has_lines=has_lines,
        files=np.concatenate(files) if len(files) == len(taken) else None,
        numbers=(
            {name: x[:, i].astype(np.float64) for i, name in enumerate(names)} if is_table else {}
        ),
        texts={
            name: _stacked([one.features.categories[name] for one in taken])
            for name in first.features.categories
        },
        images=None if is_table else x,
        target=_target([one.target for one in taken]),
        task=None if first.target is None else schema.task,
        extra=first.extra_columns if len(taken) == 1 else {},
        formats=first.formats,
        total=total,
    )


def _stacked(columns: list[Category]) -> Category:
    """One column of several, whose values may differ; without those that do not occur."""
    present = [
        [column.values[code] for code in np.unique(column.codes[column.codes != MISSING])]
        for column in columns
    ]
    values = tuple(dict.fromkeys(value for some in present for value in some))
    codes = {value: code for code, value in enumerate(values)}
    parts = []
    for column in columns:
        lookup = np.array([*(codes.get(value, MISSING) for value in column.values), MISSING])
        parts.append(lookup[column.codes])
    return Category(np.concatenate(parts), values)


def _target(targets: list[Target | None]) -> Target | None:
    given = [target for target in targets if target is not None]
    if not given or len(given) < len(targets):
        return None
    first = given[0]
    values = np.concatenate([target.values for target in given])
    return Target(values, first.names, first.classes, first.task, first.label_type)
