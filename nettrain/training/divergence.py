"""Why a run diverged: where the first value that is not finite stands, and what to do about it."""

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.training.run import Run


def explain(run: Run, rows: np.ndarray, what: str) -> str:
    """Epoch, what was seen, the first bad layer, the remedy."""
    remedies = [f"a lower optimizer.lr (now {run.config.optimizer.lr:g})"]
    if run.config.training.clip_norm is None:
        remedies.append("training.clip_norm: 1")
    remedies.append("dataset.transforms: [standardize], if the features are large")
    found = (
        [path for path in (run.directory.last, run.directory.best) if path.exists()]
        if run.directory
        else []
    )
    kept = f"; the last good checkpoint is {found[0]}" if found else ""
    bad = first_bad_layer(run, rows)
    return f"diverged in epoch {run.progress.epoch + 1}: {what}; first bad layer: {bad}; try {', or '.join(remedies)}{kept}"


def first_bad_layer(run: Run, rows: np.ndarray) -> str:
    """The first layer, in the order of the forward pass, with weights or outputs that are not finite."""
    for i, portion in enumerate(run.step.portions(rows)):
        run.step.gather(portion, run.update.steps, i)
        layer = _first_bad_layer(run, run.step.batch.x[: len(portion)].copy())
        if layer is not None:
            return layer
    return f"none, only the loss {run.loss.name()} itself"


def _first_bad_layer(run: Run, x: np.ndarray) -> str | None:
    value = Tensor(x)
    scope = run.network.scope(training=False)
    for bound in run.network.layers:
        for name in bound.parameters:
            if not np.isfinite(run.network.vector.views[f"{bound.name}.{name}"]).all():
                return f"{bound.name} ({name} is not finite)"
        value = bound.layer.apply(value, scope.child(bound.name))
        if not np.isfinite(value.value).all():
            return f"{bound.name} (its output is not finite)"
    return None
