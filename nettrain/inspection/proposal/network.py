"""The network for so many rows and inputs, and how it is trained."""

import math
from dataclasses import dataclass

from nettrain.inspection.proposal.choice import Choice, Preset, Tree

_SCALE = {"small": 0.5, "default": 1.0, "strong": 2.0}  # of units and filters
_LENGTH = {"small": 0.5, "default": 1.0, "strong": 1.5}  # of the epochs
_MEMBERS = {"small": 1, "default": 4, "strong": 16}  # of a network for tables
_FEW_PHOTOGRAPHS = 3_000
_SMALLEST_IMAGE = 8  # pixels per side from which convolutions pay


@dataclass(frozen=True)
class TabularSettings:
    """How `tabular` is built and trained.

    Attributes:
        rows: To train on, at most.
        epochs: Of the preset `default`.
        batch_size: In rows.
        rate_spread: Ratio of the highest learning rate of a member to the lowest.
        bins: Per feature.
    """

    rows: float
    epochs: int
    batch_size: int
    rate_spread: int
    bins: int


@dataclass(frozen=True)
class PerceptronSettings:
    """How `mlp` is built and trained.

    Attributes:
        rows: To train on, at most.
        units: Of each hidden layer, of the preset `default`.
        epochs: Of the preset `default`.
        batch_size: In rows.
        lr: Of adam.
        dropout: The fraction of units that is dropped.
    """

    rows: float
    units: tuple[int, ...]
    epochs: int
    batch_size: int
    lr: float
    dropout: float


@dataclass(frozen=True)
class Size:
    """What decides the size of a network.

    Attributes:
        rows: To train on.
        inputs: After the transforms, roughly.
        features: Of a network that embeds them: long columns of categories count once.
        image: (h, w, c); None for tables.
        classes: How many; None where numbers are predicted.
    """

    rows: int
    inputs: int
    features: int
    image: tuple[int, int, int] | None
    classes: int | None


def propose_network(size: Size, preset: Preset) -> dict[str, "Tree | Choice"]:
    """The sections from `model` to `early_stopping`."""
    if size.image is not None and min(size.image[:2]) >= _SMALLEST_IMAGE:
        return _convolutional(size, size.image, preset)
    return _tabular(size, preset) if uses_tabular(size) else _perceptron(size, preset)


def uses_tabular(size: Size) -> bool:
    """Whether the network is `tabular`, which takes rows enough to learn the bends of features.

    Numbers take more of them than classes.
    """
    fewest = _FEWEST_NUMBERS if size.classes is None else _FEWEST_CLASSES
    return size.image is None and size.rows >= fewest and size.features <= _MOST_FEATURES


def _tabular(size: Size, preset: Preset) -> dict[str, "Tree | Choice"]:
    """The model brings optimizer, schedule and dropout; how long it trains depends on the rows.

    The fewer they are, the less the validation rows can tell how fast they should be learned, and
    the further apart are the learning rates of the members. Many rows show finer bends.
    """
    settings = next(one for one in _TABULAR if size.rows <= one.rows)
    epochs = max(10, int(settings.epochs * _LENGTH[preset]))
    model: dict[str, object] = {"type": "tabular", "members": _MEMBERS[preset]}
    if _MEMBERS[preset] > 1:
        model["rate_spread"] = settings.rate_spread
    if size.features > _MOST_EMBEDDED:
        model["embedding"] = None
        reason = f"{size.features:,} features are too many to embed; brings "
    else:
        model["bins"] = settings.bins
        reason = f"{size.rows:,} training rows show where the target bends; brings "
    chosen = Choice(model, reason + "optimizer, schedule and dropout (nettrain explain tabular)")
    return {"model": chosen, **_length(size, epochs, settings.batch_size)}


def _perceptron(size: Size, preset: Preset) -> dict[str, "Tree | Choice"]:
    settings = next(one for one in _PERCEPTRONS if size.rows <= one.rows)
    hidden = [max(8, int(units * _SCALE[preset])) for units in settings.units]
    return _sections(
        Choice(
            {"type": "mlp", "hidden": hidden, "activation": "relu"},
            f"sized for {size.rows:,} training rows of about {size.inputs:,} inputs",
        ),
        size,
        optimizer=_adam(settings.lr),
        dropout=settings.dropout,
        epochs=max(10, int(settings.epochs * _LENGTH[preset])),
        batch=settings.batch_size,
    )


_FEWEST_CLASSES, _FEWEST_NUMBERS = 60, 200  # rows from which embedded features pay
_MOST_EMBEDDED = 250  # features, each of which becomes eight numbers
_MOST_FEATURES = 1_000  # of networks that are trained together
_TABULAR = (
    TabularSettings(1_000, epochs=100, batch_size=32, rate_spread=100, bins=16),
    TabularSettings(5_000, epochs=100, batch_size=128, rate_spread=30, bins=16),
    TabularSettings(20_000, epochs=40, batch_size=256, rate_spread=10, bins=128),
    TabularSettings(math.inf, epochs=20, batch_size=256, rate_spread=10, bins=128),
)
_PERCEPTRONS = (
    PerceptronSettings(500, (32,), epochs=150, batch_size=16, lr=5e-3, dropout=0.1),
    PerceptronSettings(1_000, (64, 32), epochs=100, batch_size=32, lr=2e-3, dropout=0.2),
    PerceptronSettings(5_000, (128, 64), epochs=150, batch_size=64, lr=2e-3, dropout=0.2),
    PerceptronSettings(20_000, (128, 64), epochs=60, batch_size=64, lr=2e-3, dropout=0.1),
    PerceptronSettings(math.inf, (256, 128), epochs=20, batch_size=128, lr=1e-3, dropout=0.1),
)


def _convolutional(
    size: Size, image: tuple[int, int, int], preset: Preset
) -> dict[str, "Tree | Choice"]:
    h, w, c = image
    side = min(h, w)
    base = int(16 * _SCALE[preset])
    deep = side >= 48 or (side >= 28 and c == 3)
    blocks: list[dict[str, object]] = [
        {"filters": base * 2**depth, "batch_norm": True} for depth in range(3 if deep else 2)
    ]
    model: dict[str, object] = {"type": "cnn", "blocks": blocks}
    # Few photographs cannot train the many weights of a dense layer behind the pixels.
    pooled = side >= 48 or (c == 3 and size.rows <= _FEW_PHOTOGRAPHS)
    model |= {"global_pool": "average"} if pooled else {"hidden": [int(64 * _SCALE[preset])]}
    epochs = next(epochs for most, epochs in _CNN_EPOCHS if size.rows <= most)
    colored = c == 3
    shift = {"type": "shift", "pixels": max(1, side // 10), "fill": "edge"}
    move = (
        Choice(["flip", shift, "brightness"], "photographs: mirrored, moved, lit otherwise")
        if colored
        else Choice(
            [{"type": "shift", "pixels": 1}], "moved by a pixel; no flip: it may be writing"
        )
    )
    return {"augmentation": move} | _sections(
        Choice(model, f"convolutions for {h} x {w} pixels, {c} channel{'s' * (c != 1)}"),
        size,
        optimizer=_adam(3e-3 if pooled else 2e-3),
        dropout=0.0 if pooled else 0.3,
        epochs=max(3, int(epochs * _LENGTH[preset])),
        batch=32 if size.rows <= 5_000 else 64,
    )


# Training rows at most; epochs, so that a run takes a few minutes at most.
_CNN_EPOCHS: tuple[tuple[float, int], ...] = (
    (3_000, 40),
    (12_000, 15),
    (math.inf, 5),
)


def _sections(
    model: Choice,
    size: Size,
    *,
    optimizer: Choice,
    dropout: float,
    epochs: int,
    batch: int,
) -> dict[str, "Tree | Choice"]:
    smoothed: dict[str, Tree | Choice] = {}
    if size.image is not None and size.classes is not None and size.classes > 2:
        loss = {"type": "cross_entropy", "label_smoothing": 0.1}
        smoothed["loss"] = Choice(loss, "smoothing keeps the network from being too sure")
    return {
        "model": model,
        **smoothed,
        "optimizer": optimizer,
        "schedule": Choice("cosine", "the learning rate falls to 0 by the last epoch"),
        **({"regularization": Choice({"dropout": dropout}, _on_dropout(size))} if dropout else {}),
        **_length(size, epochs, batch),
    }


def _length(size: Size, epochs: int, batch: int) -> dict[str, "Tree | Choice"]:
    """How long a network trains."""
    patience = max(5, epochs // 4)
    return {
        "training": _epochs(size, epochs, batch),
        "early_stopping": Choice(
            {"monitor": "validation_loss", "patience": patience},
            "ends when it stops falling; the best epoch is kept",
        ),
    }


def _epochs(size: Size, epochs: int, batch: int) -> Choice:
    steps = max(1, size.rows // batch)
    return Choice({"epochs": epochs, "batch_size": batch}, f"{steps:,} steps per epoch")


def _adam(lr: float) -> Choice:
    return Choice({"type": "adam", "lr": lr}, "nettrain fit CONFIG --find-lr tests others")


def _on_dropout(size: Size) -> str:
    return "few rows are learned by heart easily" if size.rows <= 3_000 else "against overfitting"
