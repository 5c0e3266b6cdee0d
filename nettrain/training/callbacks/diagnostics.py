"""diagnostics.jsonl: the figures of every layer, one row an epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nettrain.diagnosis.layer_statistics import Layers, Probe, update_ratios
from nettrain.training.callbacks import Callback, Row
from nettrain.training.run import Run

ROWS = 256  # of the training part, evenly spread: one small batch an epoch, whatever the size of the data


class Diagnostics(Callback):
    """Looks into the network at each epoch's end, on the same training rows every time, and appends what it sees.

    Gradients are those of the epoch's final weights on these rows, in evaluation: dropout adds no noise, and epochs can be compared.
    The update ratio is that of the epoch's last step. For the bits of training it makes no difference whether anybody looks.

    layers  the figures of the last complete epoch
    """

    def __init__(self) -> None:
        self.layers: Layers = {}
        self.rows = 0
        self._ratios: dict[str, float] = {}

    def begin(self, run: Run) -> None:
        """Choose the rows; cut what came after the checkpoint."""
        part = run.step.part
        chosen = np.linspace(0, len(part) - 1, min(ROWS, len(part))).astype(np.int64)
        x = np.asarray(part.x[chosen], run.network.dtype)
        assert part.y is not None
        self._probe = Probe(
            run.network,
            run.loss,
            x,
            part.y[chosen],
            None if part.weights is None else part.weights[chosen],
        )
        self._before = run.network.vector.values.copy()
        if run.directory is not None:
            run.directory.diagnostics.cut(self.rows)

    def batch_end(self, run: Run) -> None:
        """Remember the weights before the epoch's last step, and compare them with those after it."""
        left = run.steps_per_epoch - run.progress.batch
        if left == 0:
            self._ratios = update_ratios(run.network, self._before)
        if left == 1 or run.steps_per_epoch == 1:
            self._before[...] = run.network.vector.values

    def epoch_end(self, run: Run, row: Row) -> None:
        """Look, and append."""
        self.layers = self._probe.layers()
        for path, ratio in self._ratios.items():
            self.layers[path]["update_ratio"] = ratio
        if run.directory is not None:
            run.directory.diagnostics.append({"epoch": row["epoch"], "layers": self.layers})
            self.rows += 1

    def state(self) -> dict[str, Any]:
        """The number of rows, the last figures, and the ratios of an epoch that ends after a restart."""
        return {"rows": self.rows, "layers": self.layers, "ratios": self._ratios}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The number of rows, the last figures, the ratios."""
        self.rows, self.layers, self._ratios = int(state["rows"]), state["layers"], state["ratios"]
