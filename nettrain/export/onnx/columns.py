"""The features of a batch while an ONNX graph transforms them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nettrain.export.onnx.builder import Builder


@dataclass(frozen=True)
class TextColumn:
    """A categorical column.

    Attributes:
        value: The ONNX value (n, 1) of strings; an empty one is a missing cell.
        fill: What stands for a missing cell; None: it stays missing.
    """

    value: str
    fill: str | None = None


@dataclass(frozen=True)
class Columns:
    """The features as ONNX values; what `Features` is for arrays.

    Attributes:
        numbers: (n, d) or (n, h, w, c), NaN where missing; None: there are none.
        names: Of the d columns; empty for images.
        texts: The categorical columns by name.
        codes: The columns of codes by name, int64 (n, 1).
    """

    numbers: str | None
    names: tuple[str, ...] = ()
    texts: dict[str, TextColumn] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def mapped(
        self,
        builder: Builder,
        function: Callable[[str], str],
        places: Sequence[int] | None = None,
    ) -> "Columns":
        """The numbers mapped by a function of ONNX values, all of them or those at some places."""
        if self.numbers is None:
            return self
        if places is None:
            return replace(self, numbers=function(self.numbers))
        return replace(
            self, numbers=on_places(builder, self.numbers, function, places, len(self.names))
        )

    def matrix(self, builder: Builder) -> str | None:
        """The numbers, and behind them the codes; None where there are neither."""
        codes = [builder.cast(code, builder.dtype) for code in self.codes.values()]
        return self.joined(builder, codes, list(self.codes)).numbers if codes else self.numbers

    def joined(self, builder: Builder, more: Sequence[str], names: Sequence[str]) -> "Columns":
        """More columns of numbers after those that are there."""
        parts = [*([] if self.numbers is None else [self.numbers]), *more]
        numbers = parts[0] if len(parts) == 1 else builder.add("Concat", *parts, axis=1)
        return replace(self, numbers=numbers, names=(*self.names, *names))


def on_places(
    g: Builder, x: str, function: Callable[[str], str], places: Sequence[int], width: int
) -> str:
    """x (n, width) with the columns at some places mapped."""
    if not len(places):
        return x
    chosen = g.add("Gather", x, g.constant(np.asarray(places, np.int64)), axis=1)
    both = g.add("Concat", x, function(chosen), axis=1)
    order = np.arange(width)
    order[np.asarray(places)] = width + np.arange(len(places))
    return g.add("Gather", both, g.constant(order.astype(np.int64)), axis=1)
