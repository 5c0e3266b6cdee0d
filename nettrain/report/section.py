"""What a page consists of: sections with a sentence on how to read them, a picture, tables."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """Rows of cells; numbers are aligned right.

    Attributes:
        headings: One per column; empty: no heading row.
        rows: One cell per column.
        caption: Above it.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """One section of a page.

    Attributes:
        title: Its heading.
        reading: How to read it, in one sentence.
        picture: An inline SVG.
        tables: Below the picture.
        notes: Sentences below the tables.
        code: Text that is shown as it is, folded.
        problem: Why the section is empty.
    """

    title: str
    reading: str = ""
    picture: str = ""
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    code: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Page:
    """A whole page.

    Attributes:
        title: Its heading.
        summary: Under the heading, a sentence each.
        sections: In order.
    """

    title: str
    summary: Sequence[str] = ()
    sections: Sequence[Section] = field(default_factory=list)


def shown(cell: Cell) -> str:
    """A cell as text: numbers in four significant digits, at least four decimals below one."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.4f}" if 1e-3 <= abs(cell) < 1e3 or cell == 0 else f"{cell:.4g}"


def value_text(value: object) -> str:
    """A setting as text: numbers in four significant digits, strings as they are."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value)) or "none"
    if isinstance(value, dict):
        inner = {key: one for key, one in value.items() if one is not None and key != "type"}
        settings = ", ".join(f"{key} {value_text(one)}" for key, one in inner.items())
        kind = str(value.get("type", ""))
        return f"{kind} ({settings})".strip() if settings else kind
    return str(value)


def interval(ends: Sequence[float] | None) -> str:
    """`0.9500 to 0.9812`, never broken over two lines; `-` where there is none."""
    if not ends:
        return "-"
    return f"{shown(float(ends[0]))} to {shown(float(ends[1]))}".replace(" ", "\N{NO-BREAK SPACE}")
