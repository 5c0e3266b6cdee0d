import json

import numpy as np
import pytest
from safetensors.numpy import load_file


def test_check_shows_every_layer_and_writes_nothing(folder, command):
    before = sorted(folder.iterdir())
    found = command("check", "flowers.yaml")
    assert found.exit_code == 0
    lines = {line.split()[0]: line.split() for line in found.stdout.splitlines() if line.strip()}
    assert lines["dense_1"][:5] == ["dense_1", "dense", "8", "24", "32"]
    assert lines["total"][:3] == ["total", "42", "64"]
    assert "loss: cross_entropy" in found.stderr and "memory: " in found.stderr
    assert found.stderr.splitlines()[-1] == "next: nettrain fit flowers.yaml"
    assert sorted(folder.iterdir()) == before


def test_check_tells_how_much_is_frozen(folder, command):
    layers = "[{type: dense, units: 8, trainable: false}, relu, dense]"
    found = command(
        "check", "flowers.yaml", "--set", "model.type=sequential", "--set", f"model.layers={layers}"
    )
    assert found.exit_code == 0, found.output
    assert "frozen: 24 of 42 parameters are not trained" in found.stderr.splitlines()
    assert "frozen" not in command("check", "flowers.yaml").stderr


def test_check_json_has_the_layers_and_the_number_of_parameters(folder, command):
    found = json.loads(
        command("check", "flowers.yaml", "--set", "model.hidden=[]", "--json").stdout
    )
    layer = {
        "name": "dense_1",
        "type": "dense",
        "output_shape": [2],
        "receptive_field": None,
        "parameters": 6,
        "flops": 8,
    }
    (told,) = found["layers"]
    assert found["parameters"] == 6 and {key: told[key] for key in layer} == layer
    assert (
        told["memory_bytes"] == 2 * 2 * 4 * 8
    )  # two outputs and their gradients, float32, a batch of 8


def plant_faults(folder):
    """flowers.csv with the kind once more, and row numbers."""
    header, *rows = (folder / "flowers.csv").read_text().splitlines()
    rows = [f"{i},{row.split(',')[-1][0]},{row}" for i, row in enumerate(rows)]
    (folder / "flowers.csv").write_text("\n".join([f"Unnamed: 0,first,{header}", *rows, ""]))


def test_check_shows_the_columns_and_what_is_suspicious(folder, command):
    plant_faults(folder)
    found = command("check", "flowers.yaml")
    shown = {line.split()[0]: line.split() for line in found.stdout.splitlines() if line.strip()}
    assert shown["kind"] == ["kind", "classes", "(target)", "2", "red", "rose,", "tulip"]
    assert shown["first"] == ["first", "category", "2", "r,", "t", "2"]
    errors = [line for line in found.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "column 'first': tells the target 'kind' exactly" in errors[0]
    assert "warning: column 'Unnamed: 0': numbers the rows" in found.stderr
    assert "  -> `ignore: ['Unnamed: 0']` in the source" in found.stderr


def test_check_json_has_the_columns_and_suspicions(folder, command):
    plant_faults(folder)
    found = json.loads(command("check", "flowers.yaml", "--json").stdout)
    assert [column["name"] for column in found["columns"]] == [
        "kind", "Unnamed: 0", "width", "height", "first",
    ]  # fmt: skip
    told = [(one["severity"], one["name"], one["columns"]) for one in found["suspicions"]]
    assert told == [("error", "leak", ["first"]), ("warning", "row_number", ["Unnamed: 0"])]


IMAGES = """\
dataset:
  source: digits
  split: {validation: 0.2, stratify: true}
  limit: 200
model: MODEL
regularization: {dropout: DROPOUT}
training: {epochs: 2, batch_size: 32}
"""
BLOCKS = "[{filters: 4, batch_norm: true, dropout: 0.1}, {filters: 3, kernel: [1, 3], pool: 0, activation: {type: elu, alpha: 0.5}}]"
MODELS = {
    "{type: mlp, hidden: [7, 5], batch_norm: true, activation: prelu}": 0.2,
    f"{{type: cnn, blocks: {BLOCKS}, hidden: [6]}}": 0.3,
    "{type: lenet5, pool: max}": 0,
    "{type: all_conv, width: 2, activation: {type: leaky_relu, slope: 0.3}, input_dropout: 0.1}": 0,
    "{type: small_resnet, blocks: 1, widths: [3, 4]}": 0.1,
    "{type: sequential, layers: [flatten, {type: parallel, branches: [[], [{type: dense, units: 3, initializer: {type: he}}]]}, dense]}": 0,
}


def trained_weights(folder, command, name, text):
    (folder / f"{name}.yaml").write_text(text)
    found = command("fit", f"{name}.yaml", "--quiet", "--run-name", name)
    assert found.exit_code == 0, found.output
    arrays = load_file(folder / "runs" / name / "checkpoints" / "last.safetensors")
    return {key: array for key, array in arrays.items() if not key.startswith("progress")}


@pytest.mark.parametrize(
    ("model", "dropout"), MODELS.items(), ids=[model[7:19] for model in MODELS]
)
def test_the_layers_of_a_model_written_out_are_the_same_network_to_the_bit(
    folder, command, model, dropout
):
    config = IMAGES
    if "all_conv" in model or "lenet5" in model:  # digits are too small for them
        np.savez(
            folder / "images.npz",
            x=np.arange(200 * 12 * 13).reshape(200, 12, 13, 1) % 251 / 251,
            y=np.arange(200) % 3,
        )
        config = IMAGES.replace("source: digits", "source: {type: npz, path: images.npz}")
    text = config.replace("MODEL", model).replace("DROPOUT", str(dropout))
    (folder / "short.yaml").write_text(text)
    found = command("check", "short.yaml", "--layers")
    assert found.exit_code == 0, found.output
    assert found.stdout.startswith("# with regularization.dropout: 0" if dropout else "model:")
    plain = config.replace("model: MODEL\n", found.stdout).replace("DROPOUT", "0")
    expected, other = (
        trained_weights(folder, command, name, given)
        for name, given in (("short", text), ("plain", plain))
    )
    assert set(expected) == set(other)
    for key, array in expected.items():
        np.testing.assert_array_equal(other[key], array, err_msg=key)


def test_layers_are_written_one_a_line_without_what_they_have_by_default(folder, command):
    (folder / "resnet.yaml").write_text(
        IMAGES.replace("MODEL", "{type: small_resnet, blocks: 1, widths: [8]}").replace(
            "DROPOUT", "0"
        )
    )
    assert command("check", "resnet.yaml", "--layers").stdout.splitlines() == [
        "model:",
        "  type: sequential",
        "  layers:",
        "  - {type: conv, filters: 8, padding: same, bias: false}",
        "  - batch_norm",
        "  - relu",
        "  - type: residual",
        "    layers:",
        "    - {type: conv, filters: 8, padding: same, bias: false}",
        "    - batch_norm",
        "    - relu",
        "    - {type: conv, filters: 8, padding: same, bias: false}",
        "    - batch_norm",
        "  - relu",
        "  - global_average_pool",
        "  - {type: dense, units: 10}",
    ]


def test_check_shows_layers_inside_layers_and_what_they_see(folder, command):
    (folder / "resnet.yaml").write_text(
        IMAGES.replace("MODEL", "{type: small_resnet, blocks: 1, widths: [8, 8]}").replace(
            "DROPOUT", "0"
        )
    )
    lines = command("check", "resnet.yaml").stdout.splitlines()
    told = next(i for i, line in enumerate(lines) if line.startswith("residual_2"))
    assert " ".join(lines[told].split()[:9]) == "residual_2 residual 4 x 4 x 8 8 x"
    assert [line.split()[0] for line in lines[told + 1 : told + 8]] == [
        "conv_1", "batch_norm_1", "activation_1", "conv_2", "batch_norm_2", "projection.conv_1", "projection.batch_norm_1",
    ]  # fmt: skip
    assert all(line.startswith("  ") for line in lines[told + 1 : told + 8])
    layer = json.loads(command("check", "resnet.yaml", "--json").stdout)["layers"][5]
    assert (layer["name"], layer["receptive_field"]) == ("residual_2", [8, 8])
    assert [inner["receptive_field"] for inner in layer["layers"]] == [[8, 8]] * 5 + [[7, 7]] * 2
    assert sum(inner["parameters"] for inner in layer["layers"]) == layer["parameters"]


def test_check_counts_the_snapshots_against_the_disk(folder, command):
    words = ["check", "flowers.yaml", "--set", "model.hidden=[]", "--set", "training.epochs=9"]
    words += ["--set", "training.snapshots=2"]
    shown = command(*words)
    assert "snapshots: 5 files of 24 bytes, 120 bytes on disk" in shown.stderr
    assert json.loads(command(*words, "--json").stdout)["snapshot_bytes"] == 120


def test_layers_and_json_together_are_refused(folder, command):
    found = command("check", "flowers.yaml", "--layers", "--json")
    assert found.exit_code == 2 and "leave one of them out" in found.stderr
