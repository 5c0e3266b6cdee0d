"""Random models other than lists of layers: small forms of the presets."""

from typing import Any

from against.chance import Chance
from against.random_configs import fields
from against.random_configs.fields import Fields


def preset(chance: Chance, data: Fields) -> Fields | None:
    """A preset for the rows; None: none fits."""
    if data["kind"] != "images":
        return {"type": (name := chance.pick(["mlp", "realmlp", "tabm", "tabular"]))} | _TABLES[
            name
        ](chance)
    h, w, _ = data["shape"]
    names = ["mlp", "cnn", "cnn", "small_resnet"]
    if min(h, w) >= 9:
        names += ["all_conv"] * 4
    if min(h, w) >= 12:
        names += ["lenet5"] * 4
    return {"type": (name := chance.pick(names))} | _IMAGES[name](chance)


def _hidden(chance: Chance) -> list[int]:
    return [chance.randint(1, 8) for _ in range(chance.randint(0, 2))]


def _mlp(chance: Chance) -> Fields:
    return {"hidden": _hidden(chance)} | chance.some(
        {
            "activation": lambda: fields.activation(chance),
            "batch_norm": lambda: chance.maybe(),
            "initializer": lambda: fields.initializer(chance),
            "members": lambda: chance.randint(1, 3),
        }
    )


def _realmlp(chance: Chance) -> Fields:
    return {"hidden": _hidden(chance)} | chance.some(
        {
            "activation": lambda: fields.activation(chance, trained=False),
            "embedding": lambda: chance.maybe(),
            "learning_rate": lambda: chance.number(0.2, 3),
        }
    )


def _tabm(chance: Chance) -> Fields:
    embedding = [
        None, {"type": "piecewise_linear_embedding", "size": 2, "bins": 4}, {"type": "periodic_embedding", "size": 3, "frequencies": 2}
    ]  # fmt: skip
    return {"members": chance.randint(1, 4), "width": chance.randint(1, 8)} | chance.some(
        {
            "variant": lambda: chance.pick(["full", "mini", "packed"]),
            "blocks": lambda: chance.randint(1, 3),
            "activation": lambda: fields.activation(chance, trained=False),
            "embedding": lambda: chance.pick(embedding),
        },
        0.6,
    )


def _tabular(chance: Chance) -> Fields:
    return {"hidden": _hidden(chance)} | chance.some(
        {
            "activation": lambda: fields.activation(chance, trained=False),
            "embedding": lambda: chance.pick([None, 2, 4]),
            "bins": lambda: chance.randint(2, 6),
            "members": lambda: chance.randint(1, 3),
            "rate_spread": lambda: chance.number(1, 30),
        },
        0.6,
    )


def _cnn(chance: Chance) -> Fields:
    return {"blocks": [_block(chance) for _ in range(chance.randint(1, 2))]} | chance.some(
        {
            "hidden": lambda: _hidden(chance),
            "activation": lambda: fields.activation(chance),
            "global_pool": lambda: chance.pick(["average", "max", None]),
        }
    )


def _block(chance: Chance) -> Fields:
    return {"filters": chance.pick([2, 3, 16])} | chance.some(
        {
            "kernel": lambda: chance.randint(1, 3),
            "stride": lambda: chance.randint(1, 2),
            "padding": lambda: chance.pick(["same", 1]),
            "repeat": lambda: chance.randint(1, 2),
            "batch_norm": lambda: chance.maybe(),
            "activation": lambda: fields.activation(chance),
            "pool": lambda: chance.randint(0, 2),
            "dropout": lambda: chance.between(0, 0.5),
        }
    )


def _small_resnet(chance: Chance) -> Fields:
    return {"blocks": chance.randint(1, 2), "widths": [chance.pick([2, 4, 16]) for _ in range(chance.randint(1, 2))]} | chance.some(
        {
            "batch_norm": lambda: chance.maybe(),
            "activation": lambda: fields.activation(chance),
            "projection": lambda: chance.pick([True, None]),
        }
    )  # fmt: skip


def _all_conv(chance: Chance) -> Fields:
    return {"width": chance.randint(2, 6)} | chance.some(
        {
            "batch_norm": lambda: chance.maybe(),
            "activation": lambda: fields.activation(chance),
            "input_dropout": lambda: chance.between(0, 0.5),
        },
        0.6,
    )


def _lenet5(chance: Chance) -> Fields:
    return chance.some(
        {
            "activation": lambda: fields.activation(chance),
            "pool": lambda: chance.pick(["max", "average"]),
            "padding": lambda: chance.pick(["same", "valid"]),
        },
        0.6,
    )


_TABLES: dict[str, Any] = {"mlp": _mlp, "realmlp": _realmlp, "tabm": _tabm, "tabular": _tabular}
_IMAGES: dict[str, Any] = {"mlp": _mlp, "cnn": _cnn, "small_resnet": _small_resnet, "all_conv": _all_conv, "lenet5": _lenet5}  # fmt: skip
