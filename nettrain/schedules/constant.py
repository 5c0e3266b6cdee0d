"""A rate that stays."""

from dataclasses import dataclass

from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """lr(t) = lr."""

    def factor(self, t: float, horizon: float) -> float:
        """Always 1."""
        return 1.0
