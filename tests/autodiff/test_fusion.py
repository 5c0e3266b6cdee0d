"""What is fused, what is not, and that a fused plan gives the bits of an eager run."""

from collections import Counter

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.plan.fusion import choose_for_compiled, fuse, inputs_of, primitive_of
from nettrain.autodiff.plan.memory import Arena
from nettrain.autodiff.plan.patterns import match
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.primitive import ElementWise
from nettrain.autodiff.tensor import Tensor, apply

Y = np.array([0, 2, 1, 2])


def mlp(x, w, b):
    return -F.pick(F.log_softmax(F.relu(x @ w + b) @ w + b), Tensor(Y, feed=True))


def test_a_pattern_fits_no_value_that_was_not_computed_nor_other_numbers_of_inputs():
    x, y = (Tensor(np.ones(2), requires_grad=True) for _ in "xy")
    product = x * y
    kind, consumers = type(product.node.primitive), Counter()
    assert match(product, (kind, "a", "b"), consumers) == {"a": x, "b": y}
    assert match(x, (kind, "a", "b"), consumers) is None
    assert match(product, (kind, "a"), consumers) is None
    assert match(product, (kind, "a", "a"), consumers) is None


class ExpOfSum(ElementWise):
    """y = e^(a + b), whose derivative follows from y too."""

    reads = ("out",)

    def forward(self, out, a, b):
        np.exp(np.add(a, b, out=out), out=out)

    def backward(self, grads, dy, out, a, b):
        for slot in grads:
            if slot is not None:
                np.multiply(dy, out, out=slot)


class SlowExp(ElementWise):
    """y = e^x, by way of an array of its own for a row."""

    reads = ("out",)

    def scratch(self, *shapes):
        return {"line": (shapes[0][1:], None)}

    def forward(self, out, x, *, line):
        for i in range(len(x)):
            out[i] = np.exp(x[i], out=line)

    def backward(self, grads, dy, out, x, *, line):
        for i in range(len(x)):
            grads[0][i] = np.multiply(dy[i], out[i], out=line)


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
    "a function of two values": (
        lambda x, w, b: apply(ExpOfSum(), x @ w + b, x),
        ["Affine", "ExpOfSum"],
    ),
    "an activation with an array of its own": (
        lambda x, w, b: apply(SlowExp(), x @ w + b),
        ["Affine", "SlowExp"],
    ),
    "factors in a column, not a row": (
        lambda x, w, b: (x @ w) * x[:, :1],
        ["Matmul", "Slice", "Broadcast", "Multiply"],
    ),
    "one factor, in a vector": (
        lambda x, w, b: (x @ w) * w[0, :1],
        ["Matmul", "Slice", "Broadcast", "Multiply"],
    ),
    "a strength for each element": (
        lambda x, w, b: (lambda a: a + x * (F.mish(a) - a))(x @ w),
        ["Matmul", "Mish", "Subtract", "Multiply", "Add"],
    ),
    "a sum where a parametric activation has a difference": (
        lambda x, w, b: (lambda a: a + b * (F.mish(a) + a))(x @ w),
        ["Matmul", "Mish", "Add", "Broadcast", "Multiply", "Add"],
    ),
    "a difference that is used again": (
        lambda x, w, b: (lambda a: (lambda d: (a + b * d) * d)(F.mish(a) - a))(x @ w),
        ["Matmul", "Mish", "Subtract", "Broadcast", "Multiply", "Add", "Multiply"],
    ),
    "one factor": (
        lambda x, w, b: (x @ w) * w[0, 0],
        ["Matmul", "Slice", "Broadcast", "Multiply"],
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


def kinds_of(y):
    return {type(node.primitive).__name__ for node, _ in nodes_above(y)}


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
    f, expected_kinds = CASES[name]
    held = arrays(0)
    inputs = [Tensor(a, requires_grad=True) for a in held]
    slots = {x: np.empty_like(x.value) for x in inputs}
    y = f(*inputs).sum()
    plan = Plan(y, into=slots, arena=Arena())
    assert kinds_of(y) - {"Reshape"} == {*expected_kinds, "Sum"} - {"Reshape"}
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


def test_a_fused_node_has_the_age_of_its_result_and_the_origin_of_the_first_that_it_replaces():
    x, w, b = [Tensor(a, requires_grad=True) for a in arrays(0)]
    product = x @ w
    y = F.relu(product + b)
    age, origin = y.node.age, product.node.origin
    fuse(y)
    assert type(primitive_of(y)).__name__ == "Affine"
    assert (y.node.age, y.node.origin) == (age, origin) and origin < age
    assert inputs_of(y) == (x, w, b)


def test_what_no_operation_made_has_no_inputs():
    x = Tensor(np.ones(2), feed=True)
    assert primitive_of(x) is None and inputs_of(x) == ()


TURN = 2 * np.pi


def bent(x, w, b, lower, line=lambda x, w, b: x * w + b):
    """x (4, 3, 1), and three bins and outputs per feature."""
    w3 = w.reshape(3, 3, 1) + w.reshape(3, 1, 3)
    return line(x, w, b + w) + F.feature_product(F.clip((x - lower) * lower, 0, 1), w3)


def waved(x, w, b, lower, turn=TURN, function=F.cos):
    w3 = w.reshape(3, 3, 1) + w.reshape(3, 1, 3)
    y = F.feature_product(function(x * w * turn + lower), w3) + w
    return F.concatenate([x, y], axis=-1)


# Of x (4, 3, 1), w (3, 3), b (3,), k (3, 3): whether a compiled plan computes them at once.
EMBEDDINGS = {
    "piecewise linear": (bent, "PiecewiseLinear"),
    "with a relu": (lambda x, w, b, k: F.relu(bent(x, w, b, k)), "PiecewiseLinear"),
    "the line of other rows": (
        lambda x, w, b, k: bent(x, w, b, k, lambda x, w, b: (x + 1) * w + b),
        None,
    ),
    "periodic": (waved, "Periodic"),
    "of a trained period": (lambda x, w, b, k: waved(x, w, b, k, b), None),
    "of one column for all features": (lambda x, w, b, k: bent(x[:, :1], w, b, k), None),
    "the same rows twice": (lambda x, w, b, k: F.concatenate([x, x], axis=-1) * w.sum(), None),
    "of sines": (lambda x, w, b, k: waved(x, w, b, k, function=F.sin), None),
}


@pytest.mark.compiled
@pytest.mark.parametrize("rows_get_a_gradient", [False, True])
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_embeddings_are_computed_at_once_where_rows_get_no_gradient(name, rows_get_a_gradient):
    f, expected = EMBEDDINGS[name]
    generator = np.random.Generator(np.random.PCG64(3))

    def inputs():
        rows = Tensor(x.copy(), feed=True, requires_grad=rows_get_a_gradient)
        return [rows, *(Tensor(a.copy(), requires_grad=True) for a in (w, b, lower))]

    shapes = ((4, 3, 1), (3, 3), (3,), (3, 3))
    x, w, b, lower = (generator.normal(size=shape).astype(np.float32) for shape in shapes)

    def made(given):
        knots = Tensor(given[3].value, feed=True) if f is not waved else given[3]
        return f(*given[:3], knots)

    y = made(inputs())
    choose_for_compiled(y)
    at_once = expected is not None and not rows_get_a_gradient
    assert (expected in kinds_of(y)) == at_once
    given, fresh = inputs(), inputs()
    total, exact = made(given).sum(), made(fresh).sum()
    slots = {one: np.full_like(one.value, np.nan) for one in given if one.requires_grad}
    plan = Plan(total, into=slots, arena=Arena(), compiled=True)
    assert (expected in kinds_of(total)) == at_once
    plan.forward()
    plan.backward()
    np.testing.assert_allclose(total.value, exact.value, rtol=1e-5)
    gradients = backward(exact)
    for one, other in zip(given, fresh, strict=True):
        if one in slots and other in gradients:
            np.testing.assert_allclose(slots[one], gradients[other], rtol=1e-4, atol=1e-5)
