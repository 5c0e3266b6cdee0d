"""What a class says of itself: the first paragraph, which holds the equation, and the rest."""

import inspect
from typing import NamedTuple


class Docstring(NamedTuple):
    """summary: the first paragraph, on one line; details: what follows, as it stands."""

    summary: str
    details: str

    @classmethod
    def of(cls, described: type) -> "Docstring":
        """Of a class, which must have one of its own (its base's tells of the kind)."""
        text = inspect.cleandoc(described.__dict__.get("__doc__") or "")
        summary, _, details = text.partition("\n\n")
        return cls(" ".join(summary.split()), details)
