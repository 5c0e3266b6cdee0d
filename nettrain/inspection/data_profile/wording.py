"""How findings are worded: names, values and shares in few words."""

from collections.abc import Iterable

_LISTED = 3
_LONGEST = 40  # characters of a value that are shown


def listed(names: Iterable[str], most: int = _LISTED) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def quoted(values: Iterable[str], most: int = _LISTED) -> str:
    """The first values in quotes, long ones cut, and how many more there are."""
    return listed([repr(shortened(value)) for value in values], most)


def shortened(value: str) -> str:
    """A value in at most 40 characters."""
    return value if len(value) <= _LONGEST else value[: _LONGEST - 3] + "..."


def share(count: int, total: int) -> str:
    """`12 of 150 rows (8 %)`: small shares with the digits that they need."""
    percent = 100 * count / max(total, 1)
    shown = f"{percent:.0f}" if percent >= 1 or not count else f"{percent:.1g}"
    return f"{count:,} of {total:,} rows ({shown} %)"


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`, `3 classes`, `4 categories`."""
    if count != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("ry") else noun
        noun += "es" if noun.endswith(("ss", "x", "ch")) else "s" * (not noun.endswith("ies"))
    return f"{count:,} {noun}"
