"""A rate that falls when a metric no longer improves."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Index, NonNegative, Positive
from nettrain.schedules import Memory, MetricSchedule


@dataclass(frozen=True, kw_only=True)
class Plateau(MetricSchedule):
    """lr = max(lr * by, min_lr), after more than `patience` epochs in which the metric has not improved on its best.

    An improvement is one by more than threshold * |best|. PyTorch's ReduceLROnPlateau (threshold_mode "rel", which differs where the best
    is negative; its eps, a change too small to make, is 1e-8, here 0). Keras lowers the rate one epoch earlier: at the patience-th.
    """

    by: Annotated[Positive, Field(lt=1, description="what each fall multiplies the rate with")] = (
        0.1
    )
    patience: Annotated[
        Index,
        Field(
            description="epochs without improvement that are borne; the next one lowers the rate"
        ),
    ] = 10
    threshold: Annotated[
        NonNegative, Field(description="share of the best value that counts as improvement")
    ] = 1e-4
    min_lr: Annotated[NonNegative, Field(description="rate below which it never falls")] = 1e-6
    cooldown: Annotated[Index, Field(description="epochs after a fall that are not counted")] = 0

    def start(self) -> Memory:
        return {"scale": 1.0, "best": None, "waited": 0, "resting": 0}

    def observe(self, memory: Memory, value: float, *, higher_is_better: bool, lr: float) -> Memory:
        scale, best = memory["scale"] or 0.0, memory["best"]
        waited, resting = int(memory["waited"] or 0), int(memory["resting"] or 0)
        gain = 0.0 if best is None else (value - best if higher_is_better else best - value)
        if value == value and (
            best is None or gain > self.threshold * abs(best)
        ):  # value == value: not NaN
            best, waited = value, 0
        else:
            waited += 1
        if resting > 0:
            resting, waited = resting - 1, 0
        if waited > self.patience:
            scale = min(scale, max(scale * self.by, self.min_lr / lr))
            resting, waited = self.cooldown, 0
        return {"scale": scale, "best": best, "waited": waited, "resting": resting}
