"""Python text as a careful person lays it out: double quotes, lines of at most 100 characters."""

from collections.abc import Iterable, Iterator

WIDTH = 100
INDENT = "    "


def literal(value: object) -> str:
    """A string, number, or list of them as Python text."""
    if isinstance(value, list | tuple):
        items = ", ".join(map(literal, value))
        return f"[{items}]" if isinstance(value, list) else f"({items}{',' * (len(value) == 1)})"
    text = repr(value)
    plain = text.startswith("'") and '"' not in text
    return f'"{text[1:-1]}"' if plain else text


def statement(target: str, expression: str, comment: str = "", depth: int = 1) -> list[str]:
    """The lines of `target = expression`.

    Args:
        target: What is assigned.
        expression: Its value, on one line.
        comment: At the end of the line, where there is room for it.
        depth: How many times the statement will be indented.
    """
    width = WIDTH - depth * len(INDENT)
    line = f"{target} = {expression}"
    if len(line) > width:
        return list(_broken(f"{target} = ", expression, "", width))
    noted = f"{line}  # {comment}"
    return [noted if comment and len(noted) <= width else line]


def _broken(before: str, expression: str, after: str, width: int) -> Iterator[str]:
    """What is in the last brackets on lines of its own, or else the whole in parentheses."""
    start = _last_bracket(expression)
    if start is None:
        yield f"{before}("
        yield f"{INDENT}{expression}"
        yield f"){after}"
        return
    yield f"{before}{expression[: start + 1]}"
    inner = expression[start + 1 : -1]
    if len(INDENT) + len(inner) <= width:
        yield f"{INDENT}{inner}"
    else:
        for item in _items(inner):
            whole = len(INDENT) + len(item) + 1 <= width
            lines = [f"{item},"] if whole else _broken("", item, ",", width - len(INDENT))
            yield from (f"{INDENT}{line}" for line in lines)
    yield f"{expression[-1]}{after}"


def _last_bracket(expression: str) -> int | None:
    """Where the brackets open that close at the end, in a call, an index or a list."""
    opened: list[int] = []
    start, operators = None, False
    for place, character in _outside_strings(expression):
        if character in "([{":
            opened.append(place)
        elif character in ")]}":
            start = opened.pop()
        elif not opened and character == " ":
            operators = True
    closes = expression.endswith((")", "]", "}")) and not operators
    return start if closes else None


def _items(inner: str) -> list[str]:
    """What the commas outside of all brackets separate."""
    depth, begin, items = 0, 0, []
    for place, character in _outside_strings(inner):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            items.append(inner[begin:place].strip())
            begin = place + 1
    return [*items, inner[begin:].strip()]


def _outside_strings(text: str) -> Iterable[tuple[int, str]]:
    quote, skip = "", False
    for place, character in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            yield place, character
