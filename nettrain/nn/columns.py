"""The columns of a table's rows: numbers, indicators, and codes of categories, in this order."""

from nettrain.nn.parameter import Shape


class TableShape(tuple[int, ...]):
    """The shape (d,) of rows whose last columns are indicators, 0 or 1, or codes of categories.

    It equals (d,), and goes wherever shapes go; layers that know kinds of column ask for more.

    Attributes:
        cardinalities: How many codes each of the last columns has.
        indicators: How many of the columns in front of those are indicators.
    """

    cardinalities: tuple[int, ...]
    indicators: int

    def __new__(
        cls, columns: int, cardinalities: tuple[int, ...], indicators: int = 0
    ) -> "TableShape":
        """Returns the shape of rows of so many columns, indicators and codes among them."""
        shape = super().__new__(cls, (columns,))
        shape.cardinalities = cardinalities
        shape.indicators = indicators
        return shape


def table_shape(shape: Shape, cardinalities: tuple[int, ...], indicators: int = 0) -> Shape:
    """Returns the shape of rows whose last columns are indicators or codes, if there are any."""
    if not cardinalities and not indicators:
        return shape
    return TableShape(shape[0], cardinalities, indicators)


def cardinalities_of(shape: Shape) -> tuple[int, ...]:
    """Returns how many codes each of the last columns has; empty where all are numbers."""
    return shape.cardinalities if isinstance(shape, TableShape) else ()


def indicators_of(shape: Shape) -> int:
    """Returns how many of the columns in front of the codes are indicators."""
    return shape.indicators if isinstance(shape, TableShape) else 0
