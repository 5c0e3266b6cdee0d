"""Constant learning rate."""

from dataclasses import dataclass

from nettrain.schedules import Schedule


@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """Constant. lr(t) = lr."""

    def factor(self, t: float, horizon: float) -> float:
        """Returns 1."""
        return 1.0
