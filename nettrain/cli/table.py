"""A table whose numbers are never broken: too wide, it is transposed, or leaves columns out."""

import re
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

Cell = str | Text
GAP = 3  # characters between two columns
NARROWEST_NAME = 12  # a name may fold down to this width, a number never


class NumberTable:
    """Names on the left, numbers on the right; drawn to fit the width it is given.

    Args:
        headings: one per column; the first is that of the names.
        optional: the columns that may be left out, the least important first; None: all but the
            first, from the right.
        complete: where all columns can be read when some are left out.
        ranked: whether the first rows are those that matter. Then a table that is too wide is
            transposed, and rows are left out in place of columns.
    """

    def __init__(
        self,
        *headings: str,
        optional: Sequence[str] | None = None,
        complete: str = "--json shows all",
        ranked: bool = False,
    ) -> None:
        self.headings = list(headings)
        self.rows: list[list[Cell]] = []
        self.caption = ""
        self._optional = list(reversed(headings[1:])) if optional is None else list(optional)
        self._complete = complete
        self._ranked = ranked
        self._sections: set[int] = set()
        self._dim: set[str] = set()

    def add_column(self, heading: str, *, dim: bool = False) -> None:
        """Add a column on the right that is never left out."""
        self.headings.append(heading)
        if dim:
            self._dim.add(heading)

    def add_row(self, *cells: Cell) -> None:
        """Add a row; a cell per column."""
        self.rows.append(list(cells))

    def add_section(self) -> None:
        """Draw a line under the rows so far."""
        self._sections.add(len(self.rows))

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Draw the widest layout that fits."""
        columns, left_out = self._columns(options.max_width)
        if left_out and self._ranked and len(self.rows) > 1:
            yield from self._transposed(options.max_width)
        else:
            yield from self._upright(columns, left_out, options.max_width)
        if self.caption:
            yield Text(self.caption, style="dim")

    def _upright(
        self, columns: Sequence[int], left_out: Sequence[str], width: int
    ) -> Iterator[RenderableType]:
        if columns:
            yield self._table(columns, width)
        else:
            yield from self._lists()
        if left_out:
            yield self._remark(", ".join(left_out))

    def _transposed(self, width: int) -> Iterator[RenderableType]:
        """A column per row, as many of the first ones as fit."""
        for shown in range(len(self.rows), 0, -1):
            turned = NumberTable(
                self.headings[0], *(str(row[0]) for row in self.rows[:shown]), optional=()
            )
            for column, heading in enumerate(self.headings[1:], 1):
                turned.add_row(_one_line(heading), *(row[column] for row in self.rows[:shown]))
            columns, _ = turned._columns(width)
            if columns or shown == 1:
                yield from turned._upright(columns, [], width)
                if shown < len(self.rows):
                    names = ", ".join(str(row[0]) for row in self.rows[shown:])
                    yield self._remark(f"{self.headings[0]} {names}")
                return

    def _remark(self, left_out: str) -> Text:
        return Text(f"left out at this width: {left_out} ({self._complete})", style="dim")

    def _columns(self, width: int) -> tuple[list[int], list[str]]:
        """The columns that fit (none if the needed ones do not), and the others' headings."""
        columns = list(range(len(self.headings)))
        left_out: list[str] = []
        for name in ["", *self._optional]:
            if name and name in self.headings:
                columns.remove(self.headings.index(name))
                left_out.append(_one_line(name))
            if len(columns) > 1 and self._least_width(columns) <= width:
                return columns, left_out
        return [], []

    def _least_width(self, columns: Sequence[int]) -> int:
        """With headings wrapped at spaces and names folded."""
        names = [str(row[0]) for row in self.rows]
        name = max((min(_longest_word(name), NARROWEST_NAME) for name in names), default=0)
        first = max(name, _longest_word(self.headings[0]))
        others = [self._number_width(column) for column in columns[1:]]
        return first + sum(others) + GAP * len(others)

    def _number_width(self, column: int) -> int:
        return max(self._cell_width(column), _longest_word(self.headings[column]))

    def _cell_width(self, column: int) -> int:
        return max((_width(row[column]) for row in self.rows), default=0)

    def _table(self, columns: Sequence[int], width: int) -> Table:
        whole = [max(self._cell_width(c), _width(self.headings[c])) for c in columns]
        wrap = sum(whole) + GAP * (len(columns) - 1) > width
        numbers = sum(
            (self._number_width(c) if wrap else whole[c_at]) for c_at, c in enumerate(columns) if c
        )
        room = max(width - numbers - GAP * (len(columns) - 1), 1)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for column in columns:
            heading = self.headings[column]
            if column == 0:
                table.add_column(Text(heading), overflow="fold")
                continue
            if wrap:
                heading = _wrapped(heading, self._number_width(column))
            style = "dim" if self.headings[column] in self._dim else ""
            table.add_column(Text(heading), justify="right", no_wrap=True, style=style)
        for index, row in enumerate(self.rows):
            if index in self._sections:
                table.add_section()
            name, *numbers_of_row = (row[column] for column in columns)
            table.add_row(_name(name, room), *map(_text, numbers_of_row))
        return table

    def _lists(self) -> Iterator[RenderableType]:
        """A block per row, a line per column."""
        headings = [_one_line(heading) for heading in self.headings]
        if not self.rows:
            yield Text(", ".join(filter(None, headings)))
        for row in self.rows:
            yield _text(row[0])
            for heading, cell in zip(headings[1:], row[1:], strict=True):
                yield Text(f"  {heading} ").append_text(_text(cell))


def _text(cell: Cell) -> Text:
    """Names and values are never read as markup."""
    return Text(cell) if isinstance(cell, str) else cell


def _width(cell: Cell) -> int:
    return max(Text(line).cell_len for line in str(cell).split("\n"))


def _name(cell: Cell, width: int) -> Text:
    """A name on as many lines as it needs; a styled one is folded by the table."""
    return Text(_wrapped(cell, width)) if isinstance(cell, str) else cell


def _wrapped(text: str, width: int) -> str:
    """Lines of at most `width`, broken at spaces and after the marks inside names."""
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and Text(lines[-1] + piece.rstrip()).cell_len > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def _pieces(text: str) -> list[str]:
    """What a name or heading may be broken between: `optimizer.` and `lr`, never a number."""
    return re.split(r"(?<=\s)(?=\S)|(?<=[._/-])(?=[^\W\d])", text)


def _longest_word(text: str) -> int:
    return max((Text(piece.rstrip()).cell_len for piece in _pieces(text)), default=0)


def _one_line(heading: str) -> str:
    return " ".join(heading.split())
