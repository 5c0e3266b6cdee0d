"""AdamW: Adam with decoupled weight decay."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BeforeValidator, Field

from nettrain.component import NonNegative
from nettrain.optim.adam import Adam
from nettrain.schedules import Scheduled, base_value, from_mapping


@dataclass(frozen=True, kw_only=True)
class Adamw(Adam):
    """AdamW. w -= lr weight_decay w;  m, v as in Adam;
    w -= lr (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon).

    Unlike the gradient of `regularization.l2`, the decay is not scaled by the moments. Weights
    decay; biases and normalization parameters do not. Loshchilov & Hutter 2019, "Decoupled weight
    decay regularization", Algorithm 2, in PyTorch's form: the decay is scaled by the whole rate
    lr(t), not by the schedule's factor alone, and by the factors that a parameter's rate has. Where
    a layer has a factor c, pytabkit (RealMLP) decays its weights by lr weight_decay c^2.
    """

    weight_decay: Annotated[
        NonNegative | Scheduled,
        BeforeValidator(from_mapping),
        Field(
            description="fraction of a weight that a step with lr 1 subtracts; a mapping lets it "
            "follow a schedule: {value: 0.02, schedule: flat_cos}"
        ),
    ] = 0.01

    def decay(self, lr: float) -> float:
        return 1 - lr * base_value(self.weight_decay)
