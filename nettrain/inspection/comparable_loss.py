"""Whether several runs descend the same training loss, so that one surface is true of all."""

from collections.abc import Sequence

import numpy as np

from nettrain.component import to_mapping
from nettrain.errors import ConfigError
from nettrain.inference.model import Model
from nettrain.inspection.recorded_run import RecordedRun
from nettrain.training.resume import differences

# What the loss as a function of the weights depends on.
SAME = ("dataset", "model", "loss", "dtype", "regularization", "training.class_weights")
SHOWN = 3  # keys in a message


def check_same_loss(runs: Sequence[tuple[RecordedRun, Model]]) -> None:
    """Raises ConfigError where data, loss or model of a run are not those of the first."""
    (first, model), *others = runs
    expected = to_mapping(model.config)
    for record, other in others:
        changed = [
            key
            for key in differences(expected, to_mapping(other.config))
            if any(key == same or key.startswith(f"{same}.") for same in SAME)
        ]
        where = f"{record.path} and {first.path} do not descend the same loss"
        if changed:
            more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
            raise ConfigError(f"{where}: {', '.join(changed[:SHOWN])}{more} differ")
        if other.fingerprint != model.fingerprint:
            raise ConfigError(f"{where}: they were trained on different data")
        rows, these = first.rows.get("train"), record.rows.get("train")
        if rows is None or these is None or not np.array_equal(rows, these):
            raise ConfigError(
                f"{where}: their training rows differ; give them the same seed, or the same split"
            )
