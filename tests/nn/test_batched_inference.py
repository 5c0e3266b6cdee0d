"""Outputs in evaluation: replayed in portions on memory that stays, to the bits of an eager pass over the same portions."""

import tracemalloc

import numpy as np
import pytest

from nettrain import streams
from nettrain.autodiff.tensor import Tensor
from nettrain.nn.batched_inference import chunk_size_for
from nettrain.nn.layer import Layer
from nettrain.nn.network import Network

LAYERS = [{"type": "dense", "units": 40}, {"type": "batch_norm"}, "relu", {"type": "dropout"},
          {"type": "residual", "layers": [{"type": "dense", "units": 40}, "tanh"]}, {"type": "dense", "units": 3}]  # fmt: skip


def network(layers=LAYERS, shape=(20,)):
    made = Network([Layer.parse(layer) for layer in layers], shape)
    made.batched_inference.chunk_size = 16
    return made


def rows(n, seed=0):
    return streams.generator(seed, "rows").normal(size=(n, 20)).astype(np.float32)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 50])
def test_outputs_have_the_bits_of_an_eager_pass_over_the_same_portions(n):
    found, x = network(), rows(n)
    for _ in range(3):  # shorter portions run eagerly, then are recorded, then replayed
        eager = [found(Tensor(x[start : start + 16])).value for start in range(0, n, 16)]
        np.testing.assert_array_equal(
            found.outputs(x), np.concatenate([np.empty((0, 3), np.float32), *eager])
        )


def test_new_weights_and_new_state_are_seen_by_the_next_replay():
    found, x = network(), rows(32)
    before = found.outputs(x).copy()
    for array in (found.vector.values, *found.state.values()):
        array[...] = streams.generator(1, "new").uniform(0.5, 1.5, size=array.shape)
    after = found.outputs(x)
    assert not np.allclose(before, after)
    np.testing.assert_array_equal(
        after, np.concatenate([found(Tensor(x[:16])).value, found(Tensor(x[16:])).value])
    )


def test_what_was_given_is_not_written_over_by_the_next_call():
    found = network()
    first = found.outputs(rows(32))
    kept = first.copy()
    found.outputs(rows(32, seed=1))
    np.testing.assert_array_equal(first, kept)


def test_later_portions_take_no_memory_but_their_outputs():
    found, x = network(), rows(1600)
    found.outputs(x)
    tracemalloc.start()
    found.outputs(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (
        peak < 1600 * 3 * 4 + 40_000
    )  # the outputs, and a hundred tasks; one layer of one portion would be 2.5 KB


class Steering(Layer):
    """Looks at its values to decide what to do."""

    def output_shape(self, shape):
        return shape

    def apply(self, x, scope):
        return x * 2 if x.sum() > 0 else x


def test_a_layer_that_looks_at_values_is_asked_anew_for_every_portion():
    found = Network([Steering()], (20,))
    found.batched_inference.chunk_size = 4
    x = np.concatenate([np.ones((4, 20)), -np.ones((4, 20))]).astype(np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(found.outputs(x), np.concatenate([x[:4] * 2, x[4:]]))


@pytest.mark.parametrize(
    ("shape", "layers", "expected"),
    [
        ((20,), LAYERS, 1024),
        ((784,), [{"type": "dense", "units": 4096}], 512),
        ((10**8,), [], 1024),
        ((10**8,), ["relu"], 1),
    ],
)
def test_a_portion_of_wide_rows_has_fewer_of_them(shape, layers, expected):
    layers = Network([Layer.parse(layer) for layer in layers], shape).layers
    assert chunk_size_for(layers, 4) == expected
