"""An activation of your own: a smooth one that is cheap.

plugins: [plugins/activation.py]
model: {type: mlp, hidden: [16], activation: square_root}
"""

from dataclasses import dataclass

from nettrain import Activation, Tensor


@dataclass(frozen=True, kw_only=True)
class SquareRoot(Activation):
    """Inverse square root unit. y = x / sqrt(1 + x^2)."""

    bounds = (-1.0, 1.0)  # a unit near these is saturated, which `diagnostics: true` reports

    def apply(self, x: Tensor) -> Tensor:
        """Return the activation; the gradient follows from the operations used."""
        return x * (1 + x * x) ** -0.5
