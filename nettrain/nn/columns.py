"""The columns of a table's rows: numbers, and behind them codes of categories."""

from nettrain.nn.parameter import Shape


class TableShape(tuple[int, ...]):
    """The shape (d,) of rows whose last columns are codes of categories.

    It equals (d,), and goes wherever shapes go; layers that know codes ask for more.

    Attributes:
        cardinalities: How many codes each of the last columns has.
    """

    cardinalities: tuple[int, ...]

    def __new__(cls, columns: int, cardinalities: tuple[int, ...]) -> "TableShape":
        """Returns the shape of rows of so many columns, the codes among them."""
        shape = super().__new__(cls, (columns,))
        shape.cardinalities = cardinalities
        return shape


def table_shape(shape: Shape, cardinalities: tuple[int, ...]) -> Shape:
    """Returns the shape of rows whose last columns are codes, if there are any."""
    return TableShape(shape[0], cardinalities) if cardinalities else shape


def cardinalities_of(shape: Shape) -> tuple[int, ...]:
    """Returns how many codes each of the last columns has; empty where all are numbers."""
    return shape.cardinalities if isinstance(shape, TableShape) else ()
