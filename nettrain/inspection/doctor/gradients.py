"""The gradients of the layers before the first step: neither lost nor huge on the way back."""

import math

from nettrain.diagnosis.symptoms import LARGE, VANISHING
from nettrain.inspection.doctor.finding import Finding, failed, ok, skipped, warning
from nettrain.inspection.doctor.setup import Setup

NAME = "gradients"


def check(setup: Setup) -> list[Finding]:
    """Compare the gradient norms of the layers, with the limits that a run's diagnosis has."""
    norms = {
        path: figures["gradient_norm"]
        for path, figures in setup.layers.items()
        if "gradient_norm" in figures
    }
    if not norms:
        return skipped(NAME, "no layer is trained")
    shown = _listed(norms)
    wrong = [path for path, norm in norms.items() if not math.isfinite(norm)]
    if wrong:
        return failed(
            NAME, f"not finite in {', '.join(wrong)}", "scale the inputs, smaller initial weights"
        )
    lost = [path for path, norm in norms.items() if norm == 0]
    if lost:
        return failed(
            NAME,
            f"{', '.join(lost)} {'get' if len(lost) > 1 else 'gets'} no gradient at all: {shown}",
            "initial weights that are not zero; an activation that is not constant where the "
            "inputs are; in a layer of your own, operations that pass gradients on",
        )
    first, *_, last = norms if len(norms) > 1 else [*norms, *norms]
    if norms[first] < VANISHING * norms[last]:
        return warning(
            NAME,
            f"that of {first} vanishes ({norms[first]:.2g}; that of {last}: {norms[last]:.2g})",
            "activation: relu, initializer: he (xavier for tanh), batch_norm or residual layers",
        )
    if max(norms.values()) > LARGE:
        return warning(
            NAME,
            f"huge: norms {shown}",
            "dataset.transforms: [standardize] if inputs are large; training.clip_norm: 1",
        )
    return ok(NAME, f"norms {shown}")


MOST_SHOWN = 4


def _listed(norms: dict[str, float]) -> str:
    """Of many layers the first and the last ones."""
    items = [f"{path} {norm:.2g}" for path, norm in norms.items()]
    if len(items) > MOST_SHOWN:
        half = MOST_SHOWN // 2
        items = [*items[:half], "...", *items[-half:]]
    return ", ".join(items)
