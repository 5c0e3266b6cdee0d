"""Which metrics a table shows: those that are equal by construction once, top-5 where it tells."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nettrain.config.run_config import RunConfig
    from nettrain.nn.loss import Loss

# The first is left out where both have the same values: cross-entropy without smoothing or
# weights, errors of a target that is not transformed, macro recall of classes that all occur.
_TWINS = (("log_loss", "loss"), ("mse", "loss"), ("mae", "loss"), ("recall", "balanced_accuracy"))
TOP5_CLASSES = 20  # with fewer, five guesses say little
_SAME = 1e-4  # relative; float32 sums in another order differ by less


@dataclass(frozen=True)
class Reading:
    """How the metrics of a model are to be read.

    Attributes:
        classes: How many there are; None: not known, or there are none.
        loss: What the loss is measured in, a sentence without its end; empty where it needs none.
    """

    classes: int | None = None
    loss: str = ""


@dataclass(frozen=True)
class MetricRows:
    """The metrics that are shown.

    Attributes:
        names: In order.
        twins: By a name that is shown, the one that is left out since its values are the same.
        remark: What stands below the table.
    """

    names: list[str]
    twins: dict[str, str]
    remark: str

    def value(self, values: Mapping[str, float], name: str) -> float | None:
        """A value by name, or that of its twin: a baseline has a log-loss, but no loss."""
        return values.get(name, values.get(self.twins.get(name, "")))


def metric_rows(
    values: Sequence[Mapping[str, float]], reading: Reading | None = None
) -> MetricRows:
    """What to show of several sets of metrics, such as those of each part. JSON keeps all."""
    known = reading or Reading()
    names = list(dict.fromkeys(name for one in values for name in one))
    if known.classes is not None and known.classes < TOP5_CLASSES:
        names = [name for name in names if name != "top5_accuracy"]
    twins: dict[str, str] = {}
    for left_out, kept in _TWINS:
        if kept not in twins and {left_out, kept} <= set(names) and _same(values, left_out, kept):
            names.remove(left_out)
            twins[kept] = left_out
    remarks = [f"{left_out} is the same as {kept}" for kept, left_out in twins.items()]
    if known.loss and "loss" not in twins:
        remarks.insert(0, known.loss)
    return MetricRows(names, twins, "; ".join(remarks))


def reading_of(config: "RunConfig", loss: "Loss", classes: Sequence[str] | None) -> Reading:
    """How to read the metrics of a model of this configuration, its decisions written out."""
    transforms = [one.name() for one in config.dataset.target_transforms or ()]
    unit = f"loss: {loss.name()} of the target after {', '.join(transforms)}"
    others = "the other metrics are in the target's own units"
    return Reading(
        classes=None if classes is None else len(classes),
        loss=f"{unit}; {others}" if transforms else "",
    )


def _same(values: Iterable[Mapping[str, float]], first: str, second: str) -> bool:
    pairs = [(one.get(first), one.get(second)) for one in values]
    return all(
        a is None
        if b is None
        else a is not None and math.isclose(a, b, rel_tol=_SAME, abs_tol=1e-9)
        for a, b in pairs
    )
