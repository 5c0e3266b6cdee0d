"""A line that is redrawn in place: whole parts, the first of them always, as many as fit."""

from collections.abc import Sequence

from rich.text import Text

GAP = "  "


def status_line(parts: Sequence[str], width: int, *, shown_as: Sequence[int] = ()) -> Text:
    """Join the parts that fit.

    Args:
        parts: From the most to the least important; one that does not fit is left out whole, so
            that no number is cut.
        width: Of the terminal, in characters.
        shown_as: The order in which the parts stand, by index; empty: that of importance.
    """
    kept: set[int] = set()
    left = width + len(GAP)
    for index, part in enumerate(parts):
        needed = Text(part).cell_len + len(GAP)
        if part and (needed <= left or not kept):
            kept.add(index)
            left -= needed
    order = shown_as or range(len(parts))
    joined = GAP.join(parts[index] for index in order if index in kept)
    return Text(joined, no_wrap=True, overflow="ellipsis")
