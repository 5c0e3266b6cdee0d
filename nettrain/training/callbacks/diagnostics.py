"""diagnostics.jsonl: the statistics of every layer, one row per epoch."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from nettrain.component import Index
from nettrain.diagnosis.layer_statistics import LayerStatistics, Statistics, update_ratios
from nettrain.training.artifacts.metadata import Number
from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run

ROWS = 256  # of the training part, evenly spread: one small batch per epoch, for data of any size


def statistics_of(run: Run) -> LayerStatistics:
    """Statistics of a run's network, always on the same training rows."""
    part = run.step.part
    if part.y is None:
        raise ValueError("a part without targets cannot be trained on")
    chosen = np.linspace(0, len(part) - 1, min(ROWS, len(part))).astype(np.int64)
    return LayerStatistics(
        run.network,
        run.loss,
        np.asarray(part.x[chosen], run.network.dtype),
        part.y[chosen],
        None if part.weights is None else part.weights[chosen],
    )


@dataclass(frozen=True, config={"extra": "forbid"})
class State:
    """The number of rows, the last statistics, the ratios of an epoch that ends after a restart."""

    rows: Index
    layers: dict[str, dict[str, Number]]
    ratios: dict[str, Number]


class Diagnostics(Callback):
    """Looks into the network at the end of each epoch, always on the same training rows.

    Gradients are those of the epoch's final weights on these rows, in evaluation mode: dropout adds
    no noise, and epochs can be compared. The update ratio is that of the epoch's last step.
    Training is bitwise identical with and without it.

    Attributes:
        layers: The statistics of the last complete epoch.
        rows: The number of rows in the file.
    """

    def __init__(self) -> None:
        self.layers: Statistics = {}
        self.rows = 0
        self._ratios: dict[str, float] = {}

    def begin(self, run: Run) -> None:
        """Choose the rows; cut what came after the checkpoint."""
        self._statistics = statistics_of(run)
        self._before = run.network.vector.values.copy()
        if run.directory is not None:
            run.directory.diagnostics.cut(self.rows)

    def batch_end(self, run: Run) -> None:
        """Remember the weights before the epoch's last step, and compare them with those after."""
        left = run.plan.steps_per_epoch - run.progress.batch
        if left == 0:
            self._ratios = update_ratios(run.network, self._before)
        if left == 1 or run.plan.steps_per_epoch == 1:
            self._before[...] = run.network.vector.values

    def epoch_end(self, run: Run, row: Row) -> None:
        """Look, and append."""
        self.layers = self._statistics.layers()
        for path, ratio in self._ratios.items():
            self.layers[path]["update_ratio"] = ratio
        if run.directory is not None:
            run.directory.diagnostics.append({"epoch": row["epoch"], "layers": self.layers})
            self.rows += 1

    def state(self) -> dict[str, Any]:
        """The number of rows, the last statistics, the ratios."""
        return asdict(State(self.rows, self.layers, self._ratios))

    def restore(self, state: Mapping[str, Any]) -> None:
        """The number of rows, the last statistics, the ratios."""
        restored = TypeAdapter(State).validate_python(dict(state))
        self.rows, self.layers, self._ratios = restored.rows, restored.layers, restored.ratios
