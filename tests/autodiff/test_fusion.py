"""What is fused, what is not, and that a fused plan gives the bits of an eager run."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.plan.fusion import fuse
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.tensor import Tensor, apply

Y = np.array([0, 2, 1, 2])


def mlp(x, w, b):
    return -F.pick(F.log_softmax(F.relu(x @ w + b) @ w + b), Tensor(Y, feed=True))


# A function of x (4, 3), w (3, 3), b (3,), and the primitives that its plan runs, oldest first.
CASES = {
    "two layers and their loss": (mlp, ["Affine", "Affine", "SoftmaxCrossEntropy"]),
    "a sigmoid": (lambda x, w, b: F.sigmoid(x @ w + b), ["Affine"]),
    "exp, told from its output too": (lambda x, w, b: F.exp(x @ w + b), ["Affine"]),
    "softplus, which needs its input": (
        lambda x, w, b: F.softplus(x @ w + b),
        ["Affine", "Softplus"],
    ),
    "the sum before the activation is used again": (
        lambda x, w, b: (lambda a: F.relu(a) + a)(x @ w + b),
        ["Affine", "Relu", "Add"],
    ),
    "the product is used again": (
        lambda x, w, b: (lambda a: (a + b) * a)(x @ w),
        ["Matmul", "Broadcast", "Add", "Multiply"],
    ),
    "a column is added, not a row": (
        lambda x, w, b: x @ w + w[0, 0],
        ["Matmul", "Slice", "Broadcast", "Add"],
    ),
    "factors, a bias and an activation": (lambda x, w, b: F.relu(x * b + b), ["Affine"]),
    "factors of another operation": (lambda x, w, b: (x @ w) * b, ["Matmul", "Scale"]),
    "a product per feature": (
        lambda x, w, b: F.relu(F.feature_product(x.reshape(4, 3, 1), w.reshape(3, 1, 3)) + w),
        ["Reshape", "Reshape", "Affine"],
    ),
    "a parametric activation": (
        lambda x, w, b: (lambda a: a + b * (F.mish(a) - a))(x @ w),
        ["Matmul", "ParametricActivation"],
    ),
    "one whose input is used again": (
        lambda x, w, b: (lambda a: (a + b * (F.mish(a) - a)) / a)(x @ w),
        ["Matmul", "Mish", "Subtract", "Broadcast", "Multiply", "Add", "Divide"],
    ),
    "a normalization and its activation": (
        lambda x, w, b: F.relu(apply(Normalize(1e-5), x, apply(Moments(), x), b, b)),
        ["Moments", "NormalizationBlock"],
    ),
    "a normalization that is used again": (
        lambda x, w, b: (lambda a: F.relu(a) + a)(
            apply(Normalize(1e-5), x, apply(Moments(), x), b, b)
        ),
        ["Moments", "Normalize", "Relu", "Add"],
    ),
    "log_softmax is used again": (
        lambda x, w, b: (lambda p: -F.pick(p, Tensor(Y, feed=True)) - p.mean(1))(F.log_softmax(x)),
        ["LogSoftmax", "Pick", "Negative", "Sum", "Multiply", "Subtract"],
    ),
    "a vector that no row repeats": (lambda x, w, b: (x @ w)[0] + b, ["Matmul", "Slice", "Add"]),
}


def arrays(seed):
    generator = np.random.Generator(np.random.PCG64(seed))
    return [generator.normal(size=shape).astype(np.float32) for shape in ((4, 3), (3, 3), (3,))]


@pytest.mark.parametrize("name", CASES)
def test_just_the_sequences_that_are_used_for_nothing_else_are_fused(name):
    f, expected = CASES[name]
    y = f(*[Tensor(a, requires_grad=True) for a in arrays(0)])
    fuse(y)
    assert [type(node.primitive).__name__ for node, _ in reversed(list(nodes_above(y)))] == expected


@pytest.mark.parametrize("name", CASES)
def test_a_fused_plan_has_the_bits_of_an_eager_run(name):
    f, _ = CASES[name]
    held = arrays(0)
    inputs = [Tensor(a, requires_grad=True) for a in held]
    slots = {x: np.empty_like(x.value) for x in inputs}
    y = f(*inputs).sum()
    plan = Plan(y, into=slots, arena=Arena())
    for seed in (1, 2):
        for a, new in zip(held, arrays(seed), strict=True):
            a[...] = new
        for slot in slots.values():
            slot.fill(np.nan)
        plan.forward()
        plan.backward()
        fresh = [Tensor(a, requires_grad=True) for a in arrays(seed)]
        expected = f(*fresh).sum()
        gradients = backward(expected)
        np.testing.assert_array_equal(y.value, expected.value)
        for x, x_fresh in zip(inputs, fresh, strict=True):
            np.testing.assert_array_equal(slots[x], gradients[x_fresh])


def test_a_result_in_the_middle_is_kept():
    x, w, b = [Tensor(a, requires_grad=True) for a in arrays(0)]
    product = x @ w
    y = (product + b).sum()
    fuse(y, product)
    assert "Matmul" in [type(node.primitive).__name__ for node, _ in nodes_above(y)]
