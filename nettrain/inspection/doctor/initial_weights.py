"""Units that begin alike stay alike; layers that are not trained stay as they were drawn."""

import numpy as np

from nettrain.inspection.doctor.finding import Finding, failed, ok, warning
from nettrain.inspection.doctor.setup import Setup

NAME = "initial weights"


def check(setup: Setup) -> list[Finding]:
    """Look for hidden layers whose units are all alike, and for frozen layers with random weights.

    Equal units get equal gradients: the layer never becomes more than one unit (Goodfellow et al.
    2016, section 8.4). Weights of the last layer may be equal: the targets tell its units apart.
    """
    equal, frozen = _equal_layers(setup), _frozen_layers(setup)
    if equal:
        return failed(
            NAME,
            f"all units of {', '.join(equal)} begin with the same weights, so they stay the same",
            "an initializer that draws numbers: he for relu, xavier for tanh and sigmoid",
        )
    if frozen:
        return warning(
            NAME,
            f"{', '.join(frozen)}: frozen (trainable: false) with random weights, which are never "
            "trained",
            "leave out trainable: false, or take trained weights over (initialize_from)",
        )
    vector = setup.run.network.vector
    return ok(NAME, f"{len(vector):,} parameters, the units of each layer differ")


def _equal_layers(setup: Setup) -> list[str]:
    """Hidden layers with several units that are alike in all of the layer's weights, by name."""
    layers: dict[str, list[np.ndarray]] = {}
    network = setup.run.network
    for bound in network.layers:
        for key, parameter in bound.parameters.items():
            name = f"{bound.name}.{key}"
            if len(parameter.shape) - (parameter.members is not None) > 1:
                layers.setdefault(name.rpartition(".")[0], []).append(network.vector.views[name])
    hidden = list(layers)[:-1]
    return [name for name in hidden if all(map(_is_equal, layers[name]))]


def _is_equal(weights: np.ndarray) -> bool:
    """Whether there are several units, all with the same weights (..., units)."""
    return weights.shape[-1] > 1 and bool((weights == weights[..., :1]).all())


def _frozen_layers(setup: Setup) -> list[str]:
    """Layers that are not trained, whose weights come from no other run and differ in themselves.

    Constant ones, as those of a normalization that is frozen on purpose, are not random.
    """
    if setup.config.initialize_from is not None:
        return []
    views, frozen = setup.run.network.vector.views, setup.run.network.vector.frozen
    random = [name for name in frozen if np.ptp(views[name]) > 0]
    return list(dict.fromkeys(name.rpartition(".")[0] for name in random))
