"""The weights of a network in a checkpoint: named, read back bit for bit, and refused where they do not fit."""

import numpy as np
import pytest

from nettrain.errors import CheckpointError
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network
from nettrain.training.artifacts.checkpoint import Checkpoint, check_shapes, flat_parameters
from nettrain.training.artifacts.weights import Weights


@pytest.fixture
def network():
    layers = [{"type": "dense", "units": 2}, "batch_norm"]
    return Network([Layer.parse(layer) for layer in layers], (3,), seed=1)


NAMES = ["dense_1.w", "dense_1.b", "batch_norm_1.gamma", "batch_norm_1.beta"]
STATE = ["batch_norm_1.mean", "batch_norm_1.variance"]


def some(network, *, average=False, average_state=False):
    """Weights of which every number is another."""
    count = len(network.vector)
    state = {name: np.arange(100.0, 102) + 10 * k for k, name in enumerate(network.state)}
    return Weights(
        np.arange(count, dtype=np.float32),
        np.arange(count, 2 * count, dtype=np.float32) if average else None,
        state,
        {name: array + 500 for name, array in state.items()} if average_state else {},
    )


def arrays(weights):
    """All arrays by name."""
    found = {"trained": weights.trained, "average": weights.average}
    found |= {f"state {name}": array for name, array in weights.state.items()}
    found |= {f"average {name}": array for name, array in weights.average_state.items()}
    return {name: array for name, array in found.items() if array is not None}


def same(one, other):
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert np.array_equal(array, other[name]), name


KINDS = [
    {},
    {"average": True},
    {"average": True, "average_state": True},
]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_read_as_they_were_written(network, tmp_path, kind):
    weights = some(network, **kind)
    tensors = weights.tensors(network.vector)
    groups = {"parameters": NAMES, "state": STATE}
    groups |= {"average": NAMES} if weights.average is not None else {}
    groups |= {"average_state": STATE} if weights.average_state else {}
    assert sorted(tensors) == sorted(
        f"{group}.{name}" for group, names in groups.items() for name in names
    )
    assert np.array_equal(tensors["parameters.dense_1.w"], network.vector.named(weights.trained)["dense_1.w"])  # fmt: skip
    same(arrays(weights), arrays(Weights.read(Checkpoint(tensors, {}), network, tmp_path)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_has_arrays_of_its_own(network, kind):
    weights = some(network, **kind)
    copy = weights.copy()
    same(arrays(weights), arrays(copy))
    for name, array in arrays(copy).items():
        assert not np.shares_memory(array, arrays(weights)[name]), name


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_predicts_with_the_average_and_its_state_where_there_is_one(network, kind):
    weights = some(network, **kind)
    weights.put_into(network)
    assert weights.evaluated is (weights.average if kind else weights.trained)
    assert np.array_equal(network.vector.values, weights.evaluated)
    same(network.state, dict(weights.average_state if len(kind) == 2 else weights.state))


def test_a_network_without_state_has_weights_alone(tmp_path):
    network = Network([Layer.parse({"type": "dense", "units": 2})], (3,), seed=1)
    weights = Weights(np.arange(8, dtype=np.float32))
    assert sorted(weights.tensors(network.vector)) == [
        "parameters.dense_1.b",
        "parameters.dense_1.w",
    ]
    weights.copy().put_into(network)
    assert np.array_equal(network.vector.values, weights.trained)


def test_the_state_of_an_average_counts_only_where_there_is_an_average(network):
    weights = some(network, average_state=True)
    weights.put_into(network)
    same(network.state, dict(weights.state))


DAMAGE = {
    "no average of a weight": (("average.dense_1.b", None), r"the moving average of dense_1\.b does not fit"),
    "an average of another shape": (("average.dense_1.w", (2, 3)), r"the moving average of dense_1\.w does not fit"),
    "a state of the average of another shape": (("average_state.batch_norm_1.mean", (3,)), r"average_state\.batch_norm_1\.mean"),
    "a state of the average that is none": (("average_state.x", (2,)), r"average_state\.x does not fit"),
    "no weight": (("parameters.dense_1.b", None), r"dense_1\.b has shape none, the model wants \(2,\)"),
    "a weight of another shape": (("parameters.dense_1.w", (2, 3)), r"dense_1\.w has shape \(2, 3\), the model wants \(3, 2\)"),
    "no state": (("state.batch_norm_1.mean", None), r"batch_norm_1\.mean has shape none, the model wants \(2,\)"),
    "a weight of integers": (("parameters.dense_1.b", (2,), np.int64), r"dense_1\.b holds int64, expected floating-point"),
}  # fmt: skip


@pytest.mark.parametrize("case", DAMAGE)
def test_what_does_not_fit_the_model_is_named(network, tmp_path, case):
    tensors = some(network, average=True, average_state=True).tensors(network.vector)
    (name, shape, *dtype), message = DAMAGE[case]
    tensors.pop(name, None)
    if shape is not None:
        tensors[name] = np.zeros(shape, *dtype)
    file = tmp_path / "last.safetensors"
    with pytest.raises(CheckpointError, match=rf"^{file}: {message}"):
        Weights.read(Checkpoint(tensors, {}), network, file)


def test_weights_are_flat_in_the_layout_of_the_network(network, tmp_path):
    weights = some(network)
    checkpoint = Checkpoint(weights.tensors(network.vector), {})
    check_shapes(checkpoint, network.layers, tmp_path)
    flat = flat_parameters(checkpoint, network, tmp_path)
    assert flat.dtype == np.float32 and np.array_equal(flat, weights.trained)
