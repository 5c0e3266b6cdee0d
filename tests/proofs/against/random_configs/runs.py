"""Random runs: data of every task, a model, a loss, and how it is trained."""

from typing import Any

import numpy as np
from against.chance import Chance
from against.random_configs import augmentations, fields
from against.random_configs.fields import Fields
from against.random_configs.layers import sequential
from against.random_configs.models import preset

from nettrain.nn.columns import TableShape

TASKS = ["classes", "classes", "values", "values", "labels", "counts", "distributions"]
LOSSES = {
    "classes": [
        "cross_entropy",
        "hinge",
        "focal",
        "binary_cross_entropy",
        "logistic",
        "perceptron",
    ],
    "values": ["mse", "mae", "huber", "quantile"],
    "labels": ["binary_cross_entropy", "focal"],
    "counts": ["poisson"],
    "distributions": ["kl_divergence"],
}
RULES = ["sgd", "momentum", "nesterov", "adam", "amsgrad", "adamw", "nadam", "radam", "rmsprop", "adagrad", "adadelta", "lion"]  # fmt: skip
RATES = {"sgd": (1e-3, 0.3), "momentum": (1e-3, 0.1), "nesterov": (1e-3, 0.1), "adadelta": (0.1, 2)}


def random_run(chance: Chance) -> Fields:
    """A configuration, the data that it is trained on, and how it is run."""
    epochs = chance.randint(1, 3)
    data = random_data(chance)
    config: Fields = {
        "seed": chance.randrange(100),
        "dtype": "float64",
        "dataset": {"split": "none", "transforms": transforms(data)},
        "loss": loss(chance, data),
        "optimizer": optimizer(chance, epochs),
        "training": training(chance, data, epochs),
        "regularization": regularization(chance, epochs),
    }
    if data["task"] == "values" and chance.maybe(0.7):
        config["dataset"]["target_transforms"] = []
    _for_closures(config)
    if data["kind"] == "images" and config["optimizer"]["type"] not in CLOSURES and chance.maybe(0.4):  # fmt: skip
        chain = augmentations.augmentations(chance, *data["shape"][:2])
        transformed = augmentations.transforms(chance, chain)
        config["dataset"] |= {"augmentation": chain, "transforms": transformed}
    model = None
    if chance.maybe(0.3 if data["kind"] == "images" else 0.2):
        model = preset(chance, data)
        if model is not None and chance.maybe():
            dropout = fields.scheduled(chance, 0.05, 0.6, epochs)
            config["regularization"]["dropout"] = dropout
    config["model"] = model or sequential(chance, shape_of(data), epochs)
    if chance.maybe(0.7):
        config["schedule"] = fields.schedule(chance, epochs, metric=True)
    return {
        "config": config,
        "data": data,
        "threads": chance.randint(1, 2),
        "low_thresholds": chance.maybe(),
    }


CLOSURES = ("lbfgs", "random_search", "genetic")


def _for_closures(config: Fields) -> None:
    """What optimizers that take all rows at a time ask for."""
    if config["optimizer"]["type"] in CLOSURES:
        config["training"] |= {"batch_size": None}
        for key in ("accumulate", "clip_norm", "clip_value", "learning_rates"):
            config["training"].pop(key, None)


def random_data(chance: Chance) -> Fields:
    """What `arrays` makes rows from."""
    task = chance.pick(TASKS)
    kind = chance.pick(["numbers", "numbers", "images", "images", "table"])
    n = chance.randint(6, 30)
    found: Fields = {"task": task, "kind": kind, "rows": n, "seed": chance.randrange(10**6)}
    match kind:
        case "numbers":
            found["shape"] = [chance.randint(1, 8)]
        case "images":
            side = chance.pick([chance.randint(3, 10), chance.randint(3, 10), 16])
            found["shape"] = [
                side,
                chance.pick([side, chance.randint(3, 10)]),
                chance.pick([1, 2, 3, 4, 16]),
            ]
        case "table":
            found["shape"] = [chance.randint(0, 3)]
            found["categories"] = [chance.randint(2, 6) for _ in range(chance.randint(1, 3))]
            found["indicators"] = chance.maybe(0.3)
    size = {"classes": (2, 5), "values": (1, 3), "labels": (2, 4), "counts": (1, 2), "distributions": (2, 4)}[task]  # fmt: skip
    found["outputs"] = chance.randint(*size)
    found["weights"] = chance.maybe(0.3)
    found["ties"] = chance.maybe(0.2)
    return found


def shape_of(data: Fields) -> tuple[int, ...]:
    """The shape of the network's inputs."""
    if data["kind"] != "table":
        return tuple(data["shape"])
    indicators = 2 if data["indicators"] else 0
    codes = [count + 2 for count in data["categories"]]
    return TableShape(data["shape"][0] + indicators + len(codes), tuple(codes), indicators)


def transforms(data: Fields) -> list[Any]:
    """Those that make a table's categories codes; a column of two values becomes indicators."""
    if data["kind"] != "table":
        return []
    indicators = [{"type": "one_hot", "columns": ["flag"]}] if data["indicators"] else []
    return [*indicators, "ordinal"]


def arrays(data: Fields) -> tuple[Any, ...]:
    """(x, y) or (x, y, weights)."""
    draw = np.random.Generator(np.random.PCG64(data["seed"]))
    n, k = data["rows"], data["outputs"]
    x: Any = draw.normal(size=(n, *data["shape"]))
    if data["ties"]:
        x = np.round(x)
    if data["kind"] == "table":
        x = _table(data, x, draw)
    match data["task"]:
        case "classes":
            y: Any = np.concatenate([np.arange(k), draw.integers(k, size=max(n - k, 0))])[:n]
            y = np.array([f"class {code}" for code in draw.permutation(y)])
        case "values":
            y = draw.normal(size=(n, k)) * 2
        case "labels":
            y = np.concatenate(
                [np.zeros((1, k)), np.ones((1, k)), draw.integers(2, size=(n - 2, k))]
            )
            y = y.astype(np.int64)
        case "counts":
            y = draw.poisson(3.0, size=(n, k)).astype(np.float64) + np.arange(n)[:, None] % 2 / 2
        case _:
            y = draw.dirichlet(np.ones(k), size=n)
    if not data["weights"]:
        return x, y
    w = draw.exponential(size=n)
    w[draw.integers(n)] = 0
    return x, y, w


def _table(data: Fields, numbers: np.ndarray, draw: np.random.Generator) -> Any:
    import pandas

    n = data["rows"]
    columns: Fields = {f"number {j}": numbers[:, j] for j in range(numbers.shape[1])}
    if data["indicators"]:
        columns["flag"] = np.array(["no", "yes"])[np.arange(n) % 2]
    for j, count in enumerate(data["categories"]):
        codes = np.concatenate(
            [np.arange(min(count, n)), draw.integers(count, size=max(n - count, 0))]
        )
        columns[f"category {j}"] = np.array([f"value {code}" for code in draw.permutation(codes)])
    return pandas.DataFrame(columns)


def loss(chance: Chance, data: Fields) -> Any:
    """A loss of the task."""
    names = LOSSES[data["task"]]
    if data["outputs"] != 2:
        names = [name for name in names if name not in ("logistic", "perceptron")]
    name = chance.pick(names)
    drawn: dict[str, Any] = {
        "cross_entropy": {"label_smoothing": lambda: chance.between(0, 0.5)},
        "binary_cross_entropy": {"label_smoothing": lambda: chance.between(0, 0.5)},
        "focal": {"gamma": lambda: chance.pick([0, 0.5, 1, 2, 5.0]), "alpha": lambda: chance.between(0, 1)},
        "huber": {"delta": lambda: chance.number(0.1, 3)},
        "quantile": {"q": lambda: chance.between(0.05, 0.95)},
    }.get(name, {})  # fmt: skip
    found = {"type": name} | chance.some(drawn, 0.5)
    if name == "quantile" and "q" not in found:
        found["quantiles"] = sorted(
            {chance.between(0.05, 0.95) for _ in range(chance.randint(1, 4))}
        )
    return found


def optimizer(chance: Chance, epochs: int) -> Fields:
    """An optimizer. One that needs all rows at a time is rare."""
    if chance.maybe(0.08):
        return closure_optimizer(chance)
    name = chance.pick(RULES)
    found: Fields = {"type": name, "lr": chance.number(*RATES.get(name, (1e-4, 0.05)))}

    def share() -> float:
        return chance.pick([0.0, 0.5, 0.9, 0.99, chance.between(0, 0.999)])

    def epsilon() -> float:
        return chance.number(1e-10, 1e-2)

    options: Fields = {}
    if name in {"adam", "amsgrad", "adamw", "nadam", "radam"}:
        options = {"beta1": share, "beta2": share, "epsilon": epsilon}
    if name in {"momentum", "nesterov"}:
        options = {"beta": share}
    if name == "lion":
        options = {"beta1": share, "beta2": share}
    if name in {"rmsprop", "adadelta"}:
        options = {"rho": share, "epsilon": epsilon}
    if name == "adagrad":
        options = {"epsilon": epsilon}
    if name in {"adamw", "lion"}:
        options["weight_decay"] = lambda: fields.scheduled(chance, 1e-3, 0.5, epochs)
    if name == "nadam":
        options["psi"] = lambda: chance.number(1e-3, 1)
    return found | chance.some(options, 0.5)


def closure_optimizer(chance: Chance) -> Fields:
    """An optimizer that evaluates the objective at points of its own choosing."""
    name = chance.pick(["lbfgs", "lbfgs", "random_search", "genetic"])
    options: Fields = {
        "lbfgs": {"history": lambda: chance.randint(1, 4), "lr": lambda: chance.number(0.1, 1)},
        "random_search": {"candidates": lambda: chance.randint(1, 6), "lr": lambda: chance.number(0.01, 1)},
        "genetic": {
            "population": lambda: chance.randint(3, 7),
            "mutation": lambda: chance.between(0, 1),
            "spread": lambda: chance.between(0, 1),
            "lr": lambda: chance.number(0.01, 1),
        },
    }[name]  # fmt: skip
    found = {"type": name} | chance.some(options, 0.7)
    return found | {"elite": chance.randint(1, 2)} if "population" in found else found


def regularization(chance: Chance, epochs: int) -> Fields:
    """Penalties."""
    options = {
        "l1": lambda: fields.scheduled(chance, 1e-4, 0.1, epochs),
        "l2": lambda: fields.scheduled(chance, 1e-4, 0.1, epochs),
    }
    return chance.some(options, 0.3)


def training(chance: Chance, data: Fields, epochs: int) -> Fields:
    """Batches, clipping, averages, weights, and how a step is computed."""
    found: Fields = {
        "epochs": epochs,
        "batch_size": chance.pick([None, *(chance.randint(2, data["rows"]) for _ in range(3))]),
        "shards": chance.randint(1, 4),
        "kernels": chance.pick(["numpy", "numba"]),
    }
    found |= chance.some(
        {
            "accumulate": lambda: chance.randint(1, 3),
            "shuffle": lambda: chance.maybe(),
            "drop_last": lambda: chance.maybe(),
            "clip_norm": lambda: chance.number(0.01, 2),
            "clip_value": lambda: chance.number(0.001, 0.5),
            "learning_rates": lambda: chance.some(
                {name: lambda: chance.number(0.1, 3) for name in ("bias", "scale", "activation", "embedding")}
            ),
        },
        0.25,
    )  # fmt: skip
    match chance.randrange(6):
        case 0:
            found["ema"] = chance.pick([0.0, 0.5, 0.99])
        case 1:
            found["swa"] = {"start": chance.randint(1, epochs), "every": chance.randint(1, 2)}
    if data["task"] == "classes" and chance.maybe(0.3):
        weights = {f"class {code}": chance.between(0.1, 3) for code in range(data["outputs"] - 1)}
        found["class_weights"] = chance.pick(["balanced", weights])
    return found
