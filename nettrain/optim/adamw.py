"""AdamW: Adam with decoupled weight decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import NonNegative
from nettrain.optim.adam import Adam


@dataclass(frozen=True, kw_only=True)
class Adamw(Adam):
    """AdamW. w -= lr weight_decay w;  m, v as in Adam;
    w -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon).

    Unlike the gradient of `regularization.l2`, the decay is not scaled by the moments. Weights
    decay; biases and normalization parameters do not. Loshchilov & Hutter 2019, "Decoupled weight
    decay regularization", Algorithm 2, in PyTorch's form: the decay is scaled by the whole rate
    lr(t), not by the schedule's factor alone.
    """

    weight_decay: Annotated[
        NonNegative, Field(description="fraction of a weight that a step with lr 1 subtracts")
    ] = 0.01

    def decay(self, lr: float) -> float:
        return 1 - lr * self.weight_decay
