"""`dataset.target: self`: the transformed inputs are the targets, from every kind of source, in training, evaluation and prediction."""

import json
import struct

import numpy as np
import pytest
from typer.testing import CliRunner

import nettrain
from nettrain import streams
from nettrain.cli.main import app
from nettrain.errors import NettrainError

HIDDEN = streams.generator(0, "x").normal(size=(120, 1))
TABLE = HIDDEN @ [[1.0, -2.0, 30.0]] + [0, 5, 100]  # one number decides all three
IMAGES = np.clip(128 + 60 * HIDDEN[:, :, None] * [[1, -1], [0.5, 1]], 0, 255).astype(np.uint8)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("autoencoder")
    labels = np.arange(120) % 2
    lines = [
        f"{a:.6f},{b:.6f},{c:.6f},{'xy'[label]},no{label}"
        for (a, b, c), label in zip(TABLE.tolist(), labels, strict=True)
    ]
    (folder / "t.csv").write_text("\n".join(["a,b,c,kind,label", *lines]), encoding="utf-8")
    np.savez(folder / "t.npz", x=TABLE)
    np.save(folder / "t.npy", IMAGES)
    (folder / "images.idx").write_bytes(idx(IMAGES))
    return folder


# The source, the shape of what goes in, and whether the label is left out.
SOURCES = {
    "csv": ({"type": "csv", "path": "t.csv", "target": "label"}, (5,)),
    "csv without a target": ({"type": "csv", "path": "t.csv", "ignore": ["kind", "label"]}, (3,)),
    "npz": ({"type": "npz", "path": "t.npz"}, (3,)),
    "npy of images": ({"type": "npy", "path": "t.npy"}, (2, 2, 1)),
    "idx": ({"type": "idx", "images": "images.idx"}, (2, 2, 1)),
    "a set with labels": ("digits", (8, 8, 1)),
}


def config(source, folder, **dataset):
    if isinstance(source, dict):
        source = source | {
            key: str(folder / source[key]) for key in ("path", "images") if key in source
        }
    return {
        "dataset": {"source": source, "target": "self", "split": {"validation": 0.2}, **dataset},
        "model": {"type": "mlp", "hidden": [8, 2, 8], "activation": "tanh"},
        "optimizer": {"type": "adam", "lr": 0.03},
        "training": {"epochs": 60, "batch_size": 24},
        "seed": 1,
    }


@pytest.mark.parametrize("name", SOURCES)
def test_a_narrow_network_learns_to_give_back_what_it_is_given(name, folder, tmp_path):
    source, shape = SOURCES[name]
    short = {"limit": 300} if name == "a set with labels" else {}
    result = nettrain.train(config(source, folder, **short), output_directory=tmp_path)
    model = nettrain.load(result.run_directory)
    assert (
        model.task == "regression"
        and model.pipeline.shape == shape
        and model.network.output_shape == (np.prod(shape),)
    )
    assert result.metrics["validation"]["mse"] < 0.85 * result.baseline["validation"]["mse"]
    assert any("autoencoder" in note for note in result.notes)
    evaluated = model.evaluation(
        model.training_data.datasets["validation"], model.training_data.datasets["train"]
    )
    assert (
        evaluated.metrics == result.metrics["validation"]
        and evaluated.baseline == result.baseline["validation"]
    )


def test_predictions_and_figures_are_in_the_units_of_the_transformed_inputs(folder, tmp_path):
    result = nettrain.train(config(SOURCES["npz"][0], folder), output_directory=tmp_path)
    model = nettrain.load(result.run_directory)
    back = model.predict(TABLE)
    train = TABLE[np.load(f"{result.run_directory}/splits.npz")["train"]]
    scaled = (TABLE - train.mean(axis=0)) / train.std(axis=0)
    assert back.shape == (120, 3) and np.abs(back - scaled).mean() < 0.2
    assert model.evaluate(TABLE)["mse"] == pytest.approx(np.square(back - scaled).mean(), rel=1e-4)


def command(*arguments):
    found = CliRunner().invoke(app, list(map(str, arguments)))
    assert found.exit_code == 0, found.output
    return found.stdout


def test_eval_and_predict_take_files_without_a_target(folder, tmp_path):
    result = nettrain.train(config(SOURCES["csv"][0], folder), output_directory=tmp_path)
    (tmp_path / "new.csv").write_text("c,kind,a,b\n100,x,0,5\n130,y,1,3\n", encoding="utf-8")
    assert (
        json.loads(command("eval", result.run_directory, "--data", tmp_path / "new.csv", "--json"))[
            "metrics"
        ]["mse"]
        < 0.5
    )
    assert "kind=x" in command("eval", result.run_directory)
    command("predict", result.run_directory, tmp_path / "new.csv", "-o", tmp_path / "out.csv")
    header, *rows = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert (
        header == "prediction_a,prediction_b,prediction_c,prediction_kind=x,prediction_kind=y"
        and len(rows) == 2
    )


def test_pixels_have_no_table_of_each(folder, tmp_path):
    result = nettrain.train(config(SOURCES["npy of images"][0], folder), output_directory=tmp_path)
    out = command("eval", result.run_directory)
    assert "mse" in out and "pixel_" not in out
    assert nettrain.load(result.run_directory).pipeline.schema.targets == (
        "pixel_0_0_0",
        "pixel_0_1_0",
        "pixel_1_0_0",
        "pixel_1_1_0",
    )


def test_arrays_in_memory_need_no_targets(folder, tmp_path):
    result = nettrain.train(config("memory", folder), (TABLE,), output_directory=tmp_path)
    assert result.metrics["validation"]["r2"] > 0.5


# What is asked beside `target: self`, and what the message says.
BAD = {
    "target_transforms": (
        {"dataset.target_transforms": ["standardize"]},
        "the targets are the transformed inputs; leave it out",
    ),
    "a loss for classes": (
        {"loss": "cross_entropy"},
        "with `target: self` the targets are numbers, the inputs; use `loss: mse`",
    ),
    "a loss for counts": ({"loss": "poisson"}, "the transformed inputs are the targets: "),
    "stratify": (
        {"dataset.split": {"test": 0.2, "stratify": True}},
        "only classes have proportions to keep",
    ),
    "class weights": ({"training.class_weights": "balanced"}, "only classes have weights"),
    "another word": ({"dataset.target": "itself"}, "dataset.target: expected"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_go_with_it_is_refused(case, folder, tmp_path):
    changes, message = BAD[case]
    settings = config(SOURCES["npz"][0], folder)
    for key, value in changes.items():
        *path, last = key.split(".")
        section = settings
        for part in path:
            section = section[part]
        section[last] = value
    with pytest.raises(NettrainError) as caught:
        nettrain.train(settings, output_directory=tmp_path)
    assert message in str(caught.value) and list(tmp_path.iterdir()) == []
