"""Random values of the fields that components share: initializers, activations, schedules."""

from typing import Any

from against.chance import Chance

Fields = dict[str, Any]
ACTIVATIONS = ["gelu", "identity", "mish", "relu", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "step", "tanh", "elu",
               "leaky_relu", "prelu"]  # fmt: skip
DISTRIBUTIONS = ["normal", "uniform"]


def activation(chance: Chance, *, trained: bool = True) -> Any:
    """An activation.

    Args:
        chance: Of the case.
        trained: Whether it may have parameters.
    """
    name = chance.pick(ACTIVATIONS if trained else ACTIVATIONS[:-1])
    found: Fields = {"type": name}
    match name:
        case "elu":
            found |= chance.some({"alpha": lambda: chance.number(0.2, 3)})
        case "leaky_relu":
            found |= chance.some({"slope": lambda: chance.between(0, 0.5)})
        case "prelu":
            found |= chance.some(
                {
                    "initial": lambda: chance.between(-0.3, 0.6),
                    "shared": lambda: chance.maybe(),
                }
            )
    return found if len(found) > 1 or chance.maybe(0.3) else name


def initializer(chance: Chance) -> Any:
    """An initializer for any shape, of values that keep a network within bounds."""
    name = chance.pick(
        ["constant", "he", "lecun", "normal", "orthogonal", "random_signs", "truncated_normal", "uniform", "xavier", "zeros"]
    )  # fmt: skip
    match name:
        case "constant":
            return {"type": name, "value": chance.between(-0.5, 0.5)}
        case "he" | "lecun" | "xavier":
            return {"type": name} | chance.some(
                {"distribution": lambda: chance.pick(DISTRIBUTIONS)}
            )
        case "normal" | "truncated_normal":
            fields = {
                "mean": lambda: chance.between(-0.3, 0.3),
                "deviation": lambda: chance.number(0.1, 1),
            }
            return {"type": name} | chance.some(fields)
        case "orthogonal":
            return {"type": name} | chance.some({"gain": lambda: chance.number(0.3, 2)})
        case "uniform":
            return {"type": name, "low": chance.between(-1, -0.1), "high": chance.between(0.1, 1)}
    return name


def trained(chance: Chance) -> Fields:
    """What all layers with parameters have."""
    return chance.some(
        {"learning_rate": lambda: chance.number(0.1, 3), "trainable": lambda: chance.maybe(0.5)},
        0.15,
    )


def weights(chance: Chance, units: int | None = None) -> Fields:
    """What layers of weights and a bias have."""
    found = chance.some(
        {"bias": lambda: chance.maybe(), "initializer": lambda: initializer(chance)}, 0.3
    )
    if chance.maybe(0.5):
        found["bias_initializer"] = initializer(chance)
        if units is not None and chance.maybe(0.3):
            values = [chance.between(-0.5, 0.5) for _ in range(units)]
            found["bias_initializer"] = {"type": "values", "values": values}
    return found | trained(chance)


def schedule(chance: Chance, epochs: int, *, metric: bool = False) -> Any:
    """A schedule.

    Args:
        chance: Of the case.
        epochs: Of the run.
        metric: Whether it may follow a metric.
    """
    names = ["constant", "cosine", "cosine_restarts", "coslog4", "exponential", "flat_cos", "inverse_sqrt", "linear", "one_cycle", "piecewise",
             "polynomial", "step"]  # fmt: skip
    name = chance.pick([*names, "plateau"] if metric else names)
    found: Fields = {"type": name}

    def share() -> float:
        return chance.between(0, 1)

    fields: dict[str, Any] = {
        "cosine": {"floor": share},
        "cosine_restarts": {
            "period": lambda: chance.number(0.2, epochs),
            "stretch": lambda: chance.number(1, 3),
            "floor": share,
        },
        "exponential": {"by": lambda: chance.between(0.1, 1)},
        "flat_cos": {"flat": lambda: chance.between(0, 0.99)},
        "inverse_sqrt": {"scale": lambda: chance.number(0.1, 3)},
        "linear": {"floor": share},
        "one_cycle": {
            "rise": lambda: chance.between(0.05, 0.95),
            "start": lambda: chance.number(0.01, 1),
            "end": lambda: chance.number(1e-6, 1),
        },
        "polynomial": {"power": lambda: chance.number(0.3, 4), "floor": share},
        "step": {"every": lambda: chance.number(0.2, epochs), "by": lambda: chance.between(0.1, 1)},
        "plateau": {
            "by": lambda: chance.between(0.1, 0.9),
            "patience": lambda: chance.randrange(3),
            "threshold": lambda: chance.number(1e-5, 0.5),
            "min_lr": lambda: chance.number(1e-6, 0.1),
            "cooldown": lambda: chance.randrange(3),
        },
    }.get(name, {})
    found |= chance.some(fields, 0.6)
    if name == "piecewise":
        count = chance.randint(1, 3)
        found["boundaries"] = sorted({chance.number(0.1, epochs) for _ in range(count)})
        found["factors"] = [chance.between(0, 2) for _ in range(len(found["boundaries"]) + 1)]
    if chance.maybe(0.3):
        found["warmup"] = chance.pick([0.5, 1.0, chance.between(0, epochs)])
    return found if len(found) > 1 or chance.maybe() else name


def scheduled(chance: Chance, low: float, high: float, epochs: int) -> Any:
    """A number, at times one that follows a schedule."""
    value = chance.number(low, high)
    return {"value": value, "schedule": schedule(chance, epochs)} if chance.maybe(0.3) else value
