"""A checkpoint reads back to the bit; whatever else a file holds is a CheckpointError, found before memory is taken."""

import json
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

import nettrain
from nettrain.errors import CheckpointError
from nettrain.training.artifacts.checkpoint import FORMAT, KEY, Checkpoint

CONFIG = {
    "dataset": {"source": "memory", "split": {"validation": 0.25}}, "model": {"type": "mlp", "hidden": [12]}, "training": {"epochs": 1},
}  # fmt: skip
ROWS = np.stack([np.linspace(-1, 1, 24), np.linspace(1, 3, 24) ** 2], axis=1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a checkpoint of a classifier with fitted transforms."""
    folder = tmp_path_factory.mktemp("runs")
    result = nettrain.train(CONFIG, (ROWS, np.arange(24) % 2), output_directory=folder)
    return Path(result.run_directory, "checkpoints", "best.safetensors").read_bytes()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A path to write to."""
    return tmp_path_factory.mktemp("files") / "model.safetensors"


def taken_apart(content):
    """(header, data)"""
    (length,) = struct.unpack("<Q", content[:8])
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def put_together(header, data):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def changed(content, **changes):
    """The file with other keys in its JSON text; None removes one."""
    header, data = taken_apart(content)
    text = json.loads(header["__metadata__"][KEY]) | changes
    header["__metadata__"][KEY] = json.dumps(
        {key: value for key, value in text.items() if value is not None}
    )
    return put_together(header, data)


def refused(file, content, said=""):
    """The message for such a file, which must take little memory to refuse."""
    file.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as error:
            nettrain.load(file)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert said in str(error.value), error.value
    assert error.value.exit_code == 2
    return str(error.value)


def test_what_is_written_is_read_back_to_the_bit(file):
    tensors = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(np.pi), "c": np.zeros((0, 3)), "d": np.arange(3),
        "e": np.array([np.nan, -0.0, np.inf]), "f": np.array([True, False]),
    }  # fmt: skip
    Checkpoint(tensors, {"text": "ä\n", "deep": {"list": [1, None, 0.1]}}).write(file)
    found = Checkpoint.read(file)
    assert found.content == {"text": "ä\n", "deep": {"list": [1, None, 0.1]}, "format": FORMAT}
    assert {name: (a.dtype, a.shape, a.tobytes()) for name, a in found.tensors.items()} == {
        name: (a.dtype, a.shape, a.tobytes()) for name, a in tensors.items()
    }


def test_transposed_strided_and_reversed_arrays_are_saved_as_they_read(file):
    a = np.arange(24.0).reshape(4, 6)
    odd = {
        "transposed": a.T, "strided": a[::2, 1::3], "reversed": a[::-1], "fortran": np.asfortranarray(a),
        "broadcast": np.broadcast_to(a[0], (3, 6)), "single": a[1, 2],
    }  # fmt: skip
    Checkpoint(odd, {}).write(file)
    for name, array in Checkpoint.read(file).tensors.items():
        np.testing.assert_array_equal(array, odd[name], err_msg=name)


def test_the_whole_file_is_a_model(whole, file):
    file.write_bytes(whole)
    assert nettrain.load(file).predict(ROWS).shape == (24,)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(whole, file, share):
    refused(file, whole[: int(share * len(whole))], str(file))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9])
def test_a_file_cut_at_its_very_start_is_refused(whole, file, length):
    refused(
        file,
        whole[:length],
        f"{file}: is not a checkpoint of nettrain, or was cut short ({length} bytes)",
    )


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_flipped_bytes_give_a_model_or_a_refusal_and_never_a_traceback(whole, file, data):
    content = bytearray(whole)
    header = 8 + struct.unpack("<Q", whole[:8])[0]
    for place in data.draw(st.lists(st.integers(0, header - 1), min_size=1, max_size=3)):
        content[place] = data.draw(st.integers(0, 255))
    file.write_bytes(content)
    try:
        nettrain.load(file)
    except CheckpointError as error:
        assert error.exit_code == 2


@pytest.mark.parametrize("content", [
    b"not a checkpoint at all, only text", b"\x00" * 100, b"\xff" * 100, b"PK\x03\x04" + b"\x00" * 100, struct.pack("<Q", 2) + b"[]",
    struct.pack("<Q", 4) + b"null", struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 20000) + b"[" * 20000,
])  # fmt: skip
def test_what_is_no_safetensors_file_is_refused(file, content):
    refused(file, content, f"{file}: ")


@pytest.mark.parametrize("metadata", [
    None, [], "text", 7, {}, {KEY: 7}, {KEY: None}, {KEY: "{"}, {KEY: "[]"}, {KEY: '"format"'}, {KEY: "{}"},
])  # fmt: skip
def test_tensors_without_our_metadata_are_refused(file, metadata):
    refused(file, put_together({"__metadata__": metadata}, b""), f"{file}: ")
    refused(file, save({"w": np.zeros(3)}), "holds tensors, but is not a checkpoint of nettrain")


@pytest.mark.parametrize(("entry", "data"), [
    ({"dtype": "F32", "shape": [10**13], "data_offsets": [0, 4 * 10**13]}, b""),
    ({"dtype": "F32", "shape": [10**13], "data_offsets": [0, 4]}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [1], "data_offsets": [-4, 4]}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [1], "data_offsets": [0]}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [1], "data_offsets": [0, 4.0]}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [1], "data_offsets": "04"}, b"\x00" * 4),
    ({"dtype": "F32", "shape": [1], "data_offsets": [0, float("inf")]}, b"\x00" * 4),
    ({"dtype": "X99", "shape": [1], "data_offsets": [0, 4]}, b"\x00" * 4),
    ({"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]}, b"\x00" * 4),
    ({"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}, b"\x00" * 4),
    ({"dtype": "F32", "data_offsets": [0, 4]}, b"\x00" * 4),
    ({}, b""), ([], b""), (None, b""),
])  # fmt: skip
def test_a_header_that_lies_is_refused_before_memory_is_taken(file, entry, data):
    metadata = {KEY: json.dumps({"format": FORMAT, "config": CONFIG})}
    refused(
        file,
        put_together({"__metadata__": metadata, "parameters.dense_1.w": entry}, data),
        str(file),
    )


@pytest.mark.parametrize(("changes", "said"), [
    ({"format": FORMAT + 1}, f"has format {FORMAT + 1}, this version reads {FORMAT}: update nettrain"),
    ({"format": 0}, "has format 0, this version reads 1: train it again"),
    ({"format": "x"}, "has format 'x'"),
    ({"format": None}, "its metadata is damaged"),
    ({"config": None}, "its metadata is damaged: config: Field required"),
    ({"config": {"model": "mlp"}}, "its configuration cannot be used"),
    ({"config": CONFIG | {"model": {"type": "mlp", "hidden": [13]}}}, "of another model"),
    ({"config": CONFIG | {"model": {"type": "mlp", "hidden": [12, 12]}}}, "of another model"),
    ({"config": CONFIG | {"model": {"type": "mlp", "hidden": [10**9]}}}, "of another model"),
    ({"config": CONFIG | {"model": {"type": "mlp", "hidden": [10**9, 10**9]}}}, "of another model"),
    ({"pipeline": None}, "damaged"),
    ({"pipeline": {}}, "damaged"),
    ({"pipeline": []}, "damaged"),
])  # fmt: skip
def test_content_that_does_not_fit_is_refused_with_the_reason(whole, file, changes, said):
    refused(file, changed(whole, **changes), said)


@pytest.mark.parametrize(("name", "shape", "said"), [
    ("parameters.dense_1.w", None, "dense_1.w has shape none, the model wants (2, 12)"),
    ("parameters.dense_2.b", (3,), "dense_2.b has shape (3,), the model wants (2,)"),
    ("parameters.dense_2.b", (), "dense_2.b has shape (), the model wants (2,)"),
    ("pipeline.transforms.0.unit", None, "damaged"),
    ("pipeline.transforms.0.unit", (7,), "damaged"),
])  # fmt: skip
def test_tensors_that_are_missing_or_of_another_shape_are_named(whole, file, name, shape, said):
    file.write_bytes(whole)
    checkpoint = Checkpoint.read(file)
    tensors = dict(checkpoint.tensors)
    assert name in tensors
    if shape is None:
        del tensors[name]
    else:
        tensors[name] = np.zeros(shape, np.float32)
    Checkpoint(tensors, checkpoint.content).write(file)
    refused(file, file.read_bytes(), said)


def test_no_file_and_a_folder_are_told_apart(tmp_path):
    with pytest.raises(
        CheckpointError,
        match=r"none.safetensors: does not exist; a checkpoint is a .safetensors file or a run directory",
    ):
        nettrain.load(tmp_path / "none.safetensors")
    with pytest.raises(nettrain.NettrainError, match="is not a run directory"):
        nettrain.load(tmp_path)


def test_a_run_without_a_checkpoint_says_how_to_go_on(tmp_path):
    (tmp_path / "config.yaml").write_text("name: x")
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(
        CheckpointError,
        match="this run has no checkpoint yet; resume it: nettrain fit --resume",
    ):
        nettrain.load(tmp_path)


def test_a_checkpoint_needs_nothing_beside_it(whole, file, tmp_path, monkeypatch):
    file.write_bytes(whole)
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes(whole)
    monkeypatch.chdir(tmp_path)
    assert np.array_equal(
        nettrain.load("alone.safetensors").probabilities(ROWS),
        nettrain.load(file).probabilities(ROWS),
    )
