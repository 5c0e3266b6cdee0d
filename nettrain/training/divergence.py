"""Why a run diverged: the first layer with a value that is not finite, and what to do about it."""

import numpy as np

from nettrain.autodiff.tensor import Tensor
from nettrain.training.run import Run


def explain(run: Run, rows: np.ndarray, what: str) -> str:
    """Epoch, what was seen, the first bad layer, the remedy.

    Args:
        run: That diverged.
        rows: Of the step in which it did.
        what: Was found to be not finite.
    """
    written = (
        [path for path in (run.directory.last, run.directory.best) if path.exists()]
        if run.directory
        else []
    )
    kept = f"; the last good checkpoint is {written[0]}" if written else ""
    layer = first_bad_layer(run, rows)
    return (
        f"diverged in epoch {run.progress.epoch + 1}: {what}; first bad layer: {layer}; "
        f"try {', or '.join(remedies(run))}{kept}"
    )


def remedies(run: Run) -> list[str]:
    """What may keep a run from diverging, the most likely first."""
    found = [f"a lower optimizer.lr (now {run.config.optimizer.lr:g})"]
    if run.config.training.clip_norm is None:
        found.append("training.clip_norm: 1")
    found.append("dataset.transforms: [standardize], if the features are large")
    return found


def first_bad_layer(run: Run, rows: np.ndarray) -> str:
    """The first layer of the forward pass with weights or outputs that are not finite.

    It is looked for as the step computed it: in training mode, with the same random numbers.
    """
    for i, batch in enumerate(run.step.micro_batches(rows)):
        run.step.batch.gather(batch, run.update.steps, i)
        layer = _first_bad_layer(run, run.step.batch.x[: len(batch)].copy(), i)
        if layer is not None:
            return layer
    return f"none, only the loss {run.loss.name()} itself"


def _first_bad_layer(run: Run, x: np.ndarray, micro_batch: int) -> str | None:
    value = Tensor(x)
    scope = run.network.scope(
        training=True,
        step=run.update.steps,
        shard=micro_batch * run.plan.shards,
        proposals={},
        report=lambda path, text: None,
    )
    for bound in run.network.layers:
        for name in bound.parameters:
            if not np.isfinite(run.network.vector.views[f"{bound.name}.{name}"]).all():
                return f"{bound.name} ({name} is not finite)"
        value = bound.layer.apply(value, scope.child(bound.name))
        if not np.isfinite(value.value).all():
            return f"{bound.name} (its output is not finite)"
    return None
