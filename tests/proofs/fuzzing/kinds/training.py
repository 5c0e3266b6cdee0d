"""Small runs of every component, valid one by one: trained, loaded again, predicting, exported."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fuzzing.case import Case
from fuzzing.kinds.config import wild_run
from fuzzing.pick import pick
from fuzzing.schema import small
from hypothesis import strategies as st

ROWS = 24
MOST_MEMORY = 2 * 2**30  # the weights, gradients and moments of the largest models by default


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def cases() -> st.SearchStrategy[Case]:
    """A configuration, and the shape of the rows in memory that it is trained on."""
    return _cases()


@cache
def _sections() -> dict[str, Any]:
    properties = wild_run()["properties"]
    names = (
        "optimizer",
        "schedule",
        "regularization",
        "early_stopping",
        "baseline",
        "diagnostics",
        "dtype",
    )
    return {name: small().values(properties[name], 1) for name in names}


IMAGES = {"conv", "depthwise_conv", "separable_conv", "max_pool", "average_pool", "global_average_pool", "global_max_pool", "upsample",
          "zero_pad", "spatial_dropout"}  # fmt: skip
IMAGE_MODELS = ["cnn", "all_conv", "small_resnet", "sequential"]
MODELS = ["mlp", "realmlp", "sequential", "tabm", "tabular"]
LOSSES = {
    "values": ["mse", "mae", "huber", "quantile", "poisson"],
    "self": ["mse", "mae", "huber", "binary_cross_entropy"],
    "labels": ["binary_cross_entropy", "focal"],
}
CLASS_LOSSES = [
    "cross_entropy",
    "hinge",
    "focal",
    "logistic",
    "perceptron",
    "binary_cross_entropy",
    "kl_divergence",
]


@st.composite
def _model(draw: st.DrawFn, kind: str) -> Any:
    """A model that may take these rows; of layers written out, the last one gives the outputs."""
    images = kind == "images"
    name = pick(draw, IMAGE_MODELS if images else MODELS)
    if name != "sequential":
        return draw(small().of(f"model.{name}"))
    layers = (
        small()
        .of("layer")
        .filter(
            lambda layer: (
                images or (layer if isinstance(layer, str) else layer["type"]) not in IMAGES
            )
        )
    )
    ends = ["flatten", "dense"] if images else ["dense"]
    return {"type": "sequential", "layers": [*draw(st.lists(layers, max_size=4)), *ends]}


@cache
def _training() -> dict[str, Any]:
    schema = small()._definitions["TrainingConfig"]["properties"]
    left_out = ("epochs", "loggers", "kernels")
    return {key: small().values(item, 1) for key, item in schema.items() if key not in left_out}


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    kind = pick(draw, ["classes", "values", "labels", "table", "images", "self"])
    dataset = {"source": "memory", "split": {"validation": 0.25, "test": 0.25}}
    if draw(st.booleans()):
        dataset["transforms"] = draw(st.lists(small().of("transform"), max_size=3))
    if kind == "images" and draw(st.booleans()):
        dataset["augmentation"] = draw(st.lists(small().of("augmentation"), max_size=2))
    if kind == "values" and draw(st.booleans()):
        dataset["target_transforms"] = draw(st.lists(small().of("transform"), max_size=2))
    if kind == "self":
        dataset["target"] = "self"
    config = {"name": "run", "dataset": dataset, "model": draw(_model(kind))}
    sections = draw(st.lists(st.sampled_from(sorted(_sections())), max_size=3, unique=True))
    config |= {name: draw(_sections()[name]) for name in sections}
    if draw(st.booleans()):
        config["loss"] = draw(small().of(f"loss.{pick(draw, LOSSES.get(kind, CLASS_LOSSES))}"))
    keys = draw(st.lists(st.sampled_from(sorted(_training())), max_size=3, unique=True))
    training = {key: draw(_training()[key]) for key in keys}
    config["training"] = training | {"epochs": draw(st.integers(1, 2)), "kernels": "numpy"}
    return Case(
        "training", {"config": config, "rows": kind, "export": draw(st.integers(0, 3)) == 0}
    )


def rows_of(kind: str) -> tuple[Any, Any]:
    """(x, y) of each kind of task."""
    draw = np.random.Generator(np.random.PCG64(0))
    x = draw.normal(size=(ROWS, 8, 8, 3) if kind == "images" else (ROWS, 3)).astype(np.float32)
    first = x.reshape(ROWS, -1)[:, 0]
    match kind:
        case "values":
            return x, first * 2
        case "labels":
            return x, np.stack([first > 0, first < 1], axis=1)
        case "table":
            import pandas

            columns = {"a": x[:, 0], "b": np.where(x[:, 1] > 0, "x", "y"), "c": x[:, 2]}
            return pandas.DataFrame(columns), np.where(first > 0, "yes", "no")
        case "self":
            return x, None
        case _:
            return x, np.arange(ROWS) % 2


def run(case: Case, folder: Path) -> None:
    """It is refused in words, or leaves a run that predicts the same again."""
    import nettrain
    from nettrain.errors import Diverged

    x, y = rows_of(case.arguments["rows"])
    data = x if y is None else (x, y)
    try:
        result = nettrain.train(case.arguments["config"], data, output_directory=folder)
    except Diverged:
        assert (folder / "run" / "config.yaml").is_file()
        return
    model = nettrain.load(result.run_directory)
    model.predict(x)
    if case.arguments["export"]:
        from nettrain.export.onnx.command import export
        from nettrain.export.target import Request

        export(Request(subject=result.run_directory))
