"""Operations compute in the arrays that they are given: no pass of theirs takes memory."""

import tracemalloc

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.ops import gaussian
from nettrain.autodiff.ops.cross_entropy import SoftmaxCrossEntropy
from nettrain.autodiff.ops.dropout import Dropout
from nettrain.autodiff.ops.gaussian import Erf, Gelu
from nettrain.autodiff.ops.interpolation import Interpolate
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.parametric_activation import ParametricActivation
from nettrain.autodiff.ops.scale import Scale
from nettrain.autodiff.ops.selection import Relu
from nettrain.autodiff.ops.smooth import Elu, Tanh
from nettrain.autodiff.ops.softmax import LogSoftmax, LogSumExp, Softmax
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.tensor import Tensor, apply

N, K = 40_000, 2  # many rows of few elements: arrays of one element a row are large too
X = np.random.Generator(np.random.PCG64(4)).uniform(-9, 9, (N, K)).astype(np.float32)
TABLE = {
    "cross-entropy": (SoftmaxCrossEntropy(), [X, np.arange(N) % K]),
    "elu": (Elu(1.0, 1.0), [X]),
    "elu with another slope": (Elu(2.0, 3.0), [X]),
    "erf": (Erf(), [X]),
    "gelu": (Gelu(), [X]),
    "gelu in float64": (Gelu(), [X.astype(np.float64)]),
    "interpolate": (Interpolate(0, 2), [X]),
    "log-softmax": (LogSoftmax(), [X]),
    "logsumexp": (LogSumExp(), [X]),
    "moments": (Moments(), [X]),
    "parametric relu": (ParametricActivation(Relu()), [X, np.ones(K, np.float32)]),
    "softmax": (Softmax(), [X]),
}


def of_passes(primitive, inputs):
    """What the passes take beyond their arrays: the largest of both, and the tangent's."""
    out = np.empty(primitive.infer(*[x.shape for x in inputs]), inputs[0].dtype)
    scratch = {
        name: np.empty(shape, dtype or out.dtype)
        for name, (shape, dtype) in primitive.scratch(*[x.shape for x in inputs]).items()
    }
    grads = [np.empty_like(x) if x.dtype.kind == "f" else None for x in inputs]
    dy = np.ones_like(out)
    peaks = []
    for _ in range(3):  # other threads of the test run take memory too, now and then
        tracemalloc.start()
        primitive.forward(out, *inputs, **scratch)
        primitive.backward(grads, dy, out, *inputs, **scratch)
        passes = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        primitive.tangent(np.empty_like(out), grads, out, *inputs, **scratch)
        peaks.append((passes, tracemalloc.get_traced_memory()[1] - out.nbytes))
        tracemalloc.stop()
    return np.min(peaks, axis=0)


@pytest.mark.parametrize("name", TABLE)
def test_both_passes_take_no_array(name, monkeypatch):
    monkeypatch.setattr(gaussian, "BLOCK", 10**6)  # a block's would be too small to be seen
    passes, _ = of_passes(*TABLE[name])
    assert passes < N * K  # not even one of truth values


@pytest.mark.parametrize("name", ["log-softmax", "logsumexp", "softmax"])
def test_a_softmaxs_tangent_takes_no_array(name):
    _, tangent = of_passes(*TABLE[name])
    assert tangent < N * K


def test_an_activation_that_does_not_read_its_output_shares_the_array_of_what_it_bends():
    shapes = [(4, 3), (3,)]
    assert set(ParametricActivation(Elu(1.0, 1.0)).scratch(*shapes)) == {
        *("bend", "weighted", "rising", "positive")
    }
    assert set(ParametricActivation(Tanh()).scratch(*shapes)) == {"bend", "weighted", "value"}


SIZE = (40, 100)
OTHER, FACTORS = Tensor(np.ones(SIZE)), Tensor(np.ones(SIZE[1]))


def dropped(x):
    return apply(Dropout(0.5, np.random.Generator(np.random.PCG64(3))), x)


def arrays_of(plan, arena):
    """How many arrays of SIZE the plan has memory for."""
    count, rest = divmod(len(arena), 8 * np.prod(SIZE))
    assert rest < 512  # a sum, and to align it
    return count


@pytest.mark.parametrize(("operation", "arrays"), [
    (lambda x: x + OTHER, 1), (lambda x: OTHER + x, 1), (lambda x: x - OTHER, 1), (lambda x: OTHER - x, 1),
    (lambda x: x * OTHER, 1), (lambda x: OTHER * x, 1), (lambda x: -x, 1),
    (F.relu, 1), (F.sigmoid, 1), (F.tanh, 1), (dropped, 2),
])  # fmt: skip
def test_a_forward_pass_writes_over_the_input_of_an_operation_that_works_in_place(
    operation, arrays
):
    """One array, whatever the depth; dropout has its mask besides."""
    arena, y = Arena(), Tensor(np.ones(SIZE), feed=True) + OTHER
    for _ in range(3):
        y = operation(y)
    plan = Plan(y.sum(), None, arena=arena)
    assert arrays_of(plan, arena) == arrays


@pytest.mark.parametrize(("operation", "arrays"), [
    (lambda x: x + OTHER, 1), (lambda x: OTHER + x, 1), (lambda x: x - OTHER, 1), (lambda x: -x, 1),
    (dropped, 3 + 1),  # masks
    (lambda x: apply(Scale(), x, FACTORS), 3 + 1 + 1),  # inputs, and products of the sums
])  # fmt: skip
def test_a_gradient_is_written_over_dy_by_an_operation_that_allows_it(operation, arrays):
    """One array of gradients, whatever the depth."""
    w = Tensor(np.ones((SIZE[1], SIZE[1])), requires_grad=True)
    arena, y = Arena(), Tensor(np.ones(SIZE), feed=True) @ w
    for _ in range(3):
        y = operation(y)
    plan = Plan(y.sum(), {w: np.empty(w.shape)}, arena=arena)
    assert arrays_of(plan, arena) == arrays
