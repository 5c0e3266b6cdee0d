"""Adam with decoupled weight decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative
from nettrain.optim.adam import Adam


@dataclass(frozen=True, kw_only=True)
class Adamw(Adam):
    """w -= lr weight_decay w, then Adam's step: the decay is not scaled by the moments, as that of `regularization.l2` is.

    Weights decay, biases and normalisation parameters do not. Loshchilov & Hutter 2019, "Decoupled weight decay regularization",
    Algorithm 2, in PyTorch's form: the decay is scaled by the whole rate lr(t), not by the schedule's factor alone.
    """

    weight_decay: Annotated[
        NonNegative, Field(description="share of a weight that a step of rate 1 takes away")
    ] = 0.01

    def decay(self, lr: float) -> float:
        return 1 - lr * self.weight_decay
