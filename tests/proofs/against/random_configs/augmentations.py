"""Random augmentations of images, and transforms that they can be undone for."""

from typing import Any

from against.chance import Chance
from against.random_configs.fields import Fields

FILLS = ["black", "edge", "reflect"]
MOVE = {"crop", "flip", "rotate", "scale", "shift"}  # pixels, whose units then must be equal


def augmentations(chance: Chance, h: int, w: int) -> list[Fields]:
    """One to three; at most one mixes rows."""
    names = ["brightness", "contrast", "crop", "cutout", "flip", "mixup", "noise", "rotate", "scale", "shift"]  # fmt: skip
    return [_augmentation(chance, name, min(h, w)) for name in chance.sample(names, chance.randint(1, 3))]  # fmt: skip


def _augmentation(chance: Chance, name: str, side: int) -> Fields:
    def fill() -> str:
        return chance.pick(FILLS)

    options: dict[str, Any] = {
        "brightness": {"strength": lambda: chance.between(0, 1)},
        "contrast": {"strength": lambda: chance.between(0, 1)},
        "crop": {"fill": fill},
        "cutout": {"value": lambda: chance.between(-2, 2)},
        "flip": {
            "direction": lambda: chance.pick(["horizontal", "vertical"]),
            "probability": lambda: chance.between(0, 1),
        },
        "mixup": {"alpha": lambda: chance.pick([0.0, 0.2, 1.0, 3.0])},
        "noise": {},
        "rotate": {"degrees": lambda: chance.between(0, 180), "fill": fill},
        "scale": {
            "low": lambda: chance.between(0.2, 1),
            "high": lambda: chance.between(1, 3),
            "fill": fill,
        },
        "shift": {"direction": lambda: chance.pick(["horizontal", "vertical", "both"]), "fill": fill},
    }[name]  # fmt: skip
    found: Fields = {"type": name} | chance.some(options, 0.6)
    match name:
        case "crop":
            found["padding"] = chance.randrange(side)
        case "cutout":
            found["size"] = chance.randrange(side)
        case "noise":
            found["deviation"] = chance.number(0.01, 2)
        case "shift" if chance.maybe():
            found["pixels"] = chance.randrange(side)
        case "shift":
            found["share"] = chance.between(0, 0.5)
    return found


def transforms(chance: Chance, chain: list[Fields]) -> list[Any]:
    """At most one, and linear; of one unit for all pixels where these move."""
    options: list[Any] = [None, {"type": "scale", "divide_by": chance.number(0.1, 300)}, "center"]
    if not MOVE & {one["type"] for one in chain}:
        ends = {"low": chance.between(-2, 0), "high": chance.between(0.5, 2)}
        options += ["standardize", {"type": "minmax", **ends}]
    found = chance.pick(options)
    return [] if found is None else [found]
