"""Which columns of a table are its target, its features, its weights: found by name or position."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import PlainValidator

from nettrain.component import Text
from nettrain.errors import DataError, nearest

_MOST_LISTED = 20


def _column_list(value: object) -> tuple[str | int, ...]:
    """One column or several, by name, or by position where there is no header."""
    items = value if isinstance(value, list | tuple) else [value]
    if not all(
        isinstance(item, str | int) and not isinstance(item, bool) and item != "" for item in items
    ):
        raise ValueError(
            "expected a column's name (or its place, counted from 0), or a list of them"
        )
    return tuple(items)


ColumnList = Annotated[
    tuple[str | int, ...],
    PlainValidator(_column_list, json_schema_input_type=Text | int | list[Text | int]),
]


class NamedColumns(Protocol):
    """A table whose columns have names.

    Attributes:
        names: Of all columns.
        place: Where those names stand, as messages say it.
        hint: What to add to the message where a name is not found.
    """

    names: tuple[str, ...]
    place: str
    hint: str


@dataclass(frozen=True, kw_only=True)
class ColumnKeys:
    """The columns that each key of a source names, by name or position."""

    target: tuple[str | int, ...] = ()
    features: tuple[str | int, ...] = ()
    ignore: tuple[str | int, ...] = ()
    weights: tuple[str | int, ...] = ()
    categorical: tuple[str | int, ...] = ()
    numeric: tuple[str | int, ...] = ()
    columns: tuple[str | int, ...] = ()
    extra: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class ColumnRoles:
    """The names of a table's columns by what they are used for.

    Attributes:
        target: To be predicted.
        features: To learn from.
        weights: How much each row counts; one column at most.
        extra: Neither feature nor target, and kept: the split and group columns.
        numeric: The kind of those whose cells do not decide it: True for numbers.
    """

    target: tuple[str, ...]
    features: tuple[str, ...]
    weights: tuple[str, ...]
    extra: tuple[str, ...]
    numeric: dict[str, bool]


def find_columns(
    key: str, columns: Sequence[str | int], table: NamedColumns, path: str
) -> tuple[str, ...]:
    """The names of the columns that one key names.

    Raises:
        DataError: Naming every one that is not there.
    """
    problems: list[str] = []
    names = _found(key, columns, table, path, problems)
    if problems:
        raise DataError("\n".join(problems))
    return names


def assign_roles(
    keys: ColumnKeys, table: NamedColumns, path: str, *, with_target: bool
) -> ColumnRoles:
    """What each column is used for.

    Args:
        keys: The columns that the keys of the source name.
        table: Has the columns.
        path: Of the file, as messages name it.
        with_target: Whether a target is needed.

    Raises:
        DataError: With everything that is wrong, a line each.
    """
    problems: list[str] = []
    if with_target and not keys.target:
        problems.append(
            f"{path}: `target` is missing: which column is to be predicted? "
            f"(there are: {listed(table.names)})"
        )
    named = {
        key: _found("dataset.split" if key == "extra" else key, columns, table, path, problems)
        for key, columns in vars(keys).items()
    }
    problems += _conflicts(named, path)
    unused = {*named["target"], *named["ignore"], *named["weights"], *named["extra"]}
    features = tuple(name for name in named["features"] or table.names if name not in unused)
    if not features and not problems:
        problems.append(
            f"{path}: no column is left to learn from (there are: {listed(table.names)}; target: "
            f"{listed(named['target'])})"
        )
    if problems:
        raise DataError("\n".join(problems))
    numeric = dict.fromkeys((*named["categorical"], *named["extra"]), False)
    numeric |= dict.fromkeys((*named["numeric"], *named["weights"]), True)
    return ColumnRoles(named["target"], features, named["weights"], named["extra"], numeric)


def listed(names: Sequence[str]) -> str:
    """The names, of many the first."""
    shown = ", ".join(names[:_MOST_LISTED])
    return f"{shown} and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else shown


def _conflicts(named: dict[str, tuple[str, ...]], path: str) -> Iterator[str]:
    """A sentence for every column that is named where it cannot be."""
    for name, times in Counter(named["features"]).items():
        if times > 1:
            yield f"{path}: features: column {name!r} is named {times} times; name it once"
    uses = Counter(
        name for key in ("target", "features", "ignore", "weights") for name in {*named[key]}
    )
    for name in sorted(name for name, times in uses.items() if times > 1):
        yield (
            f"{path}: column {name!r} is named under two of `target`, `features`, `ignore` and "
            "`weights`; name it once"
        )
    for name in sorted({*named["categorical"]} & {*named["numeric"]}):
        yield (
            f"{path}: column {name!r} is named under `categorical` and `numeric`; name it under one"
        )


def _found(
    key: str,
    columns: Sequence[str | int],
    table: NamedColumns,
    path: str,
    problems: list[str],
) -> tuple[str, ...]:
    """The names of the columns that are there; what is wrong with others joins the problems."""
    found = []
    for column in columns:
        try:
            name = _name_at(key, column, table.names, path) if isinstance(column, int) else column
        except DataError as error:
            problems.append(str(error))
            continue
        if name in table.names:
            found.append(name)
        else:
            problems.append(
                f"{table.place}: {key}: no column {name!r}{nearest(name, table.names)}{table.hint} "
                f"(there are: {listed(table.names)})"
            )
    return tuple(found)


def _name_at(key: str, position: int, names: Sequence[str], path: str) -> str:
    """The name of the column at a position; of an integer that is none, the column so named."""
    inside = -len(names) <= position < len(names)
    if str(position) in names and not (inside and names[position] == str(position)):
        if not inside:
            return str(position)
        raise DataError(
            f"{path}: {key}: {position} is both the place of column {names[position]!r} and "
            f"a column's name; write '{position}' in quotes, or the name {names[position]!r}"
        )
    if not inside:
        raise DataError(
            f"{path}: {key}: there is no column {position}, the columns are 0 to "
            f"{len(names) - 1}; if it is a column's name, write it in quotes: {key}: '{position}'"
        )
    return names[position]
