"""The rate of dropout layers, which may follow a schedule."""

from typing import Annotated

from pydantic import BeforeValidator

from nettrain.component import Share
from nettrain.schedules import Number, Scheduled, from_mapping

DropoutRate = Annotated[Share | Scheduled, BeforeValidator(from_mapping)]


def check_rate(rate: Number) -> None:
    """Raises ValueError where a scheduled rate is not in [0, 1)."""
    if isinstance(rate, Scheduled) and rate.value >= 1:
        raise ValueError(f"rate.value must be in [0, 1), got {rate.value:g}")
