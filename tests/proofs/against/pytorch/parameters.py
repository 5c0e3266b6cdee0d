"""What each parameter is, by what the layers' documentation says: decayed or not, and at which rate."""

from collections.abc import Iterator
from dataclasses import dataclass

# (layer or activation, parameter): what it does. Weights are all others.
GROUPS = {
    "b": "bias",
    "beta": "bias",
    "gamma": "scale",
    "batch_ensemble.r": "scale",
    "batch_ensemble.s": "scale",
    "feature_scale.s": "scale",
    "slope": "activation",
    "a": "activation",
}
EMBEDDINGS = ("embedding", "periodic_embedding", "piecewise_linear_embedding")
# Neither l1, l2 nor the decay of adamw and lion change these.
NOT_DECAYED = {
    "b",
    "beta",
    "gamma",
    "slope",
    "periodic_embedding.r",
    "piecewise_linear_embedding.c",
}


@dataclass(frozen=True)
class Role:
    """What a parameter is.

    Attributes:
        trainable: Whether training changes it.
        decayed: Whether penalties and decay apply to it.
        rate: The factor of the learning rate.
        members: A further factor for each member; empty: there is none.
        inside: Whether the members' numbers lie along the last axis, not along the first.
    """

    trainable: bool
    decayed: bool
    rate: float
    members: tuple[float, ...]
    inside: bool


def roles(layers, rates: dict[str, float], names: list[str]) -> dict[str, Role]:
    """The role of each parameter, by full name."""
    by_path = dict(paths(layers, ""))
    found = {}
    for name in names:
        path, _, own = name.rpartition(".")
        layer = by_path.get(path)
        kind = path.rpartition(".")[2].rpartition("_")[0]
        qualified = f"{kind}.{own}"
        group = "embedding" if kind in EMBEDDINGS else GROUPS.get(qualified, GROUPS.get(own))
        rate = rates.get(group, 1.0) if group else 1.0
        own_rate = getattr(layer, "learning_rate", 1.0)
        members = own_rate if isinstance(own_rate, tuple) else ()
        rate *= 1.0 if members else own_rate
        if own == "b":
            rate *= getattr(layer, "bias_learning_rate", 1.0)
        decayed = own not in NOT_DECAYED and qualified not in NOT_DECAYED
        found[name] = Role(
            getattr(layer, "trainable", True), decayed, rate, members, inside=kind in EMBEDDINGS
        )
    return found


def paths(layers, above: str) -> Iterator[tuple[str, object]]:
    """Every layer with its path."""
    counts: dict[str, int] = {}
    for layer in layers:
        kind = layer.name()
        counts[kind] = counts.get(kind, 0) + 1
        path = f"{above}{kind}_{counts[kind]}"
        yield path, layer
        match kind:
            case "residual":
                yield from paths(layer.layers, f"{path}.")
            case "parallel":
                for number, branch in enumerate(layer.branches, start=1):
                    yield from paths(branch, f"{path}.branch_{number}.")
            case "by_columns":
                for name in ("numbers", "indicators", "categories"):
                    yield from paths(getattr(layer, name) or (), f"{path}.{name}.")
