"""What is shown of a data set: its columns as they were understood, and what is suspicious."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from nettrain.cli.table import NumberTable

if TYPE_CHECKING:
    from nettrain.inspection.data_profile.column_summary import ColumnSummary
    from nettrain.inspection.data_profile.profile import DataProfile
    from nettrain.inspection.data_profile.suspicion import Suspicion

_MOST_COLUMNS = 30
_LONGEST = 24  # characters of the examples of a column
_LINES = 3
_BRIEF = 3


def column_table(profile: "DataProfile") -> NumberTable:
    """One row per column: type, missing and distinct values, range or examples, inputs.

    Of many columns the first are shown, and those with a suspicion.
    """
    known = any(column.inputs is not None for column in profile.columns)
    table = NumberTable(
        "column",
        "type",
        "missing",
        "distinct",
        "range or examples",
        *(["inputs"] if known else []),
        optional=["distinct", "missing", "inputs", "type"],
    )
    shown = _shown(profile)
    for column in shown:
        cells = [
            column.type if column.role == "feature" else f"{column.type} ({column.role})",
            f"{column.missing:,}" if column.missing else "",
            f"{column.distinct:,}",
            _values(column),
        ]
        inputs = "" if column.inputs is None else f"{column.inputs:,}"
        table.add_row(column.name, *cells, *([inputs] if known else []))
    remarks = []
    if len(shown) < len(profile.columns):
        remarks.append(f"{len(shown)} of {len(profile.columns):,} columns (--json shows all)")
    if profile.sampled < profile.rows:
        remarks.append(f"a sample of {profile.sampled:,} of {profile.rows:,} rows was looked at")
    table.caption = "; ".join(remarks)
    return table


def suspicion_lines(profile: "DataProfile", width: int) -> list[str]:
    """A paragraph for each: severity and message, the remedy below it, wrapped to a width."""
    lines = []
    for one in profile.suspicions:
        lines += _wrapped(f"{one.severity}: {one.message}{_place(one, profile)}", "  ", width)
        lines += _wrapped(f"  -> {one.remedy}", "     ", width)
    return lines


def brief_lines(profile: "DataProfile") -> list[str]:
    """A line for each of the worst errors and warnings; how to mend them is told by check."""
    suspicions = [one for one in profile.suspicions if one.severity != "note"]
    lines = [f"{one.severity}: {one.message}" for one in suspicions[:_BRIEF]]
    if suspicions:
        more = len(suspicions) - _BRIEF
        counted = f"and {more} more; " if more > 0 else ""
        lines.append(f"{counted}nettrain check tells what mends them")
    return lines


def without_told(notes: Iterable[str], suspicions: Sequence["Suspicion"]) -> list[str]:
    """The notes without those on columns that a suspicion is about."""
    told = [f"column {name!r}" for one in suspicions for name in one.columns]
    messages = {one.message for one in suspicions}
    return [
        note
        for note in notes
        if not any(note.startswith(beginning) for beginning in told)
        and note.removeprefix("warning: ") not in messages
    ]


def _shown(profile: "DataProfile") -> list["ColumnSummary"]:
    suspected = {name for one in profile.suspicions for name in one.columns}
    columns = list(profile.columns)
    if len(columns) <= _MOST_COLUMNS:
        return columns
    return (
        columns[: _MOST_COLUMNS // 2]
        + [column for column in columns[_MOST_COLUMNS // 2 :] if column.name in suspected][
            : _MOST_COLUMNS // 2
        ]
    )


def _values(column: "ColumnSummary") -> str:
    if column.low is None or column.high is None:
        return _cut(", ".join(column.examples))
    if column.low == column.high:
        return f"{column.low:.6g}"
    return f"{column.low:.6g} to {column.high:.6g}"


def _place(one: "Suspicion", profile: "DataProfile") -> str:
    """The first lines or files, where the message does not name any."""
    word = "line" if profile.has_lines else "row"
    files = one.examples if not one.columns else ()
    places = files or tuple(map(str, one.lines))
    if not places or f"such as {word}s " in one.message or places[0] in one.message.split():
        return ""
    named = "" if files else f"{word}s " if len(places) > 1 else f"{word} "
    more = " ..." if len(places) > _LINES else ""
    return f" ({named}{', '.join(places[:_LINES])}{more})"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
