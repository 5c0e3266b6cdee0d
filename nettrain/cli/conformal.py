"""Conformal intervals on the command line: the option --level, and what is said of them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nettrain.inference.conformal import Conformal

Level = Annotated[
    float | None,
    typer.Option(
        "--level",
        metavar="NUMBER",
        help="Of the intervals of a calibrated model: the fraction of new values that should lie "
        "within. Default: that of calibrate.",
        show_default=False,
    ),
]


def describe(conformal: "Conformal") -> str:
    """One line: of what level the intervals are, and from how many rows."""
    return (
        f"lower to upper: intervals for {100 * conformal.level:g} % of new values "
        f"(conformal, from {conformal.scores.shape[-1]:,} rows)"
    )
