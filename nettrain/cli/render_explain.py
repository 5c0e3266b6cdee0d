"""What `nettrain explain` draws: lists of names and tables of keys, whose words may fold."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from nettrain.config.messages import show

if TYPE_CHECKING:
    from nettrain.cli.plugin_page import Method
    from nettrain.config.explanation import Key


_MARGIN = 88  # columns that every line of a docstring may fill, however far it is indented


def name_table(title: str, members: Sequence[tuple[str, str]], width: int | None) -> Table:
    """One row per name; given a width, summaries are cut to one line, with an ellipsis."""
    table = _table(title, "")
    widest = max((len(name) for name, _ in [(title, ""), *members]), default=1)
    table.columns[0].no_wrap = True
    for name, summary in members:
        if width is not None:
            summary = _cut(summary, width - widest - 3)
        table.add_row(Text(name), Text(summary))
    return table


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + "…"


def key_table(keys: Sequence["Key"]) -> Table:
    """One row per key of a component or a section."""
    table = _table("key", "default", "description", "type")
    for key in keys:
        default = "required" if key.required else show(key.default)
        table.add_row(Text(key.name), Text(default), Text(key.description), Text(key.expects))
    return table


def method_table(methods: Sequence["Method"]) -> Table:
    """One row per method of a base: its signature, and what it has to return or do."""
    table = _table("method", "", "description")
    for method in methods:
        needed = "required" if method.required else "optional"
        table.add_row(Text(method.signature), needed, Text(method.description))
    return table


def flowing(text: str) -> Text:
    """Prose that the terminal breaks: lines that a docstring breaks at its margin are joined.

    A line ended at the margin if the first word of the next would not have fitted on it. Shorter
    ones, as of YAML, stay.
    """
    lines: list[str] = []
    end = 0  # where the last line of the source ended
    for line in text.splitlines():
        first = next(iter(line.split()), "")
        if first and end + 1 + len(first) > _MARGIN:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
        end = len(line)
    return plain("\n".join(lines))


def plain(text: str, style: str = "") -> Text:
    """Text in which nothing is read as markup."""
    return Text(text, style=style)


def _table(*titles: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in titles:
        table.add_column(Text(title), overflow="fold")
    return table
