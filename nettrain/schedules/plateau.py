"""Reduce the learning rate on a plateau of a metric."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from nettrain.component import Index, NonNegative, Positive
from nettrain.schedules import Memory, MetricSchedule


@dataclass(frozen=True, kw_only=True)
class Plateau(MetricSchedule):
    """Reduce on plateau. lr = max(lr * by, min_lr) after more than `patience` epochs without gain.

    Gain: an improvement of the metric by more than threshold * |best|.
    PyTorch: ReduceLROnPlateau(threshold_mode="rel"), which differs where the best is negative;
    its eps, the smallest change that is made, is 1e-8, here 0. Keras reduces one epoch earlier.
    """

    by: Annotated[Positive, Field(lt=1, description="factor of each reduction")] = 0.1
    patience: Annotated[
        Index,
        Field(description="epochs without improvement before the rate is reduced"),
    ] = 10
    threshold: Annotated[
        NonNegative, Field(description="minimum improvement, as a fraction of the best value")
    ] = 1e-4
    min_lr: Annotated[NonNegative, Field(description="lower bound of the rate")] = 1e-6
    cooldown: Annotated[
        Index, Field(description="epochs after a reduction that do not count towards patience")
    ] = 0

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
