"""The contract of operations: what each kind of primitive derives, and all of them by name."""

import inspect

import numpy as np
import pytest

from nettrain.autodiff import primitive as module
from nettrain.autodiff.operations import operations
from nettrain.autodiff.ops.arithmetic import Add, Multiply
from nettrain.autodiff.ops.shape import Transpose
from nettrain.autodiff.primitive import (
    DefinedByCalls,
    ElementWise,
    Linear,
    Multilinear,
    Primitive,
    View,
    make_calls,
)


class Product(ElementWise):
    """a b, with a factor in its scratch."""

    def forward(self, out, a, b, *, factor):
        out[...] = a * b * factor

    def backward(self, grads, dy, out, a, b, *, factor):
        for slot, own in zip(grads, (a, b), strict=True):
            if slot is not None:
                slot[...] = dy * out / own


class Difference(Linear):
    """a - 2 b, with a factor in its scratch."""

    infer = ElementWise.infer
    backward = Product.backward

    def forward(self, out, a, b, *, factor):
        assert a.shape == b.shape == out.shape
        out[...] = (a - 2 * b) * factor


class Triple(Multilinear):
    """a b c, with a factor in its scratch."""

    infer = ElementWise.infer
    backward = Product.backward

    def forward(self, out, a, b, c, *, factor):
        out[...] = a * b * c * factor


A, B, C = np.array([1.0, 2.0]), np.array([3.0, -5.0]), np.array([7.0, 11.0])
DA, DB, DC = np.array([0.5, 1.0]), np.array([2.0, 0.25]), np.array([-1.0, 3.0])


@pytest.mark.parametrize(("operation", "inputs", "dinputs", "expected"), [
    (Product(), (A, B), (DA, DB), DA * B + A * DB),
    (Product(), (A, B), (None, DB), A * DB),
    (Product(), (A, B), (DA, None), DA * B),
    (Product(), (A, B), (None, None), 0 * A),
    (Difference(), (A, B), (DA, DB), DA - 2 * DB),
    (Difference(), (A, B), (None, DB), -2 * DB),
    (Difference(), (A, B), (DA, None), DA),
    (Triple(), (A, B, C), (DA, DB, DC), DA * B * C + A * DB * C + A * B * DC),
    (Triple(), (A, B, C), (None, DB, None), A * DB * C),
    (Triple(), (A, B, C), (DA, None, DC), DA * B * C + A * B * DC),
])  # fmt: skip
def test_tangents_are_derived(operation, inputs, dinputs, expected):
    out, dout = np.empty(2), np.full(2, np.nan)
    operation.forward(out, *inputs, factor=10)
    operation.tangent(dout, dinputs, out, *inputs, factor=10)
    np.testing.assert_allclose(dout, 10 * expected, rtol=1e-15)


def test_inputs_of_an_element_wise_operation_have_one_shape():
    assert Product().infer((2, 3), (2, 3)) == Product().infer((2, 3)) == (2, 3)
    with pytest.raises(
        ValueError, match=r"Product takes inputs of one shape, got \(2,\) and \(3,\)"
    ):
        Product().infer((2,), (3,))


def test_calls_are_made_in_order():
    made = []
    make_calls([(made.append, (1,), {}), (made.extend, ([2, 3],), {}), (made.insert, (0, 4), {})])
    make_calls([(lambda *args, **named: made.append((args, named)), (5, 6), {"a": 7})])
    assert made == [4, 1, 2, 3, ((5, 6), {"a": 7})]


def test_an_operation_is_its_own_call_and_keeps_nothing_unless_it_says_so():
    add, out, named = Add(), np.empty(2), {"a": 1}
    assert add.forward_calls(out, A, B, **named) == [(add.forward, (out, A, B), named)]
    assert add.backward_calls([None], A, **named) == [(add.backward, ([None], A), named)]
    assert add.scratch((2,), (2,)) == {}
    assert add.added_calls(out) is add.forward_tiles(out) is add.backward_tiles(out) is None
    assert Primitive.reads == Primitive.in_place == ()
    assert Primitive.gradient_in_place is Primitive.keeps_type is False


def test_an_operation_may_be_defined_by_its_calls():
    class Doubled(DefinedByCalls):
        infer = ElementWise.infer
        tangent = ElementWise.tangent

        def forward_calls(self, out, x, *, factor):
            return [(np.copyto, (out, x), {}), (np.multiply, (out, factor), {"out": out})]

        def backward_calls(self, grads, dy, out, x, *, factor):
            return [(np.multiply, (dy, factor), {"out": grads[0]})]

    out, dx = np.empty(2), np.empty(2)
    Doubled().forward(out, A, factor=2)
    Doubled().backward([dx], B, out, A, factor=2)
    np.testing.assert_array_equal([out, dx], [2 * A, 2 * B])


def test_a_view_is_copied_where_memory_of_its_own_is_wanted():
    x, out = np.arange(6.0).reshape(2, 3), np.empty((3, 2))
    Transpose((1, 0)).forward(out, x)
    np.testing.assert_array_equal(out, x.T)
    assert View.alias(Transpose((1, 0)), x) is None


def concrete(kind):
    """All operations in the files of operations, by Python's own account."""
    for one in kind.__subclasses__():
        yield from concrete(one)
        if one.__module__.startswith("nettrain.autodiff.ops.") and not inspect.isabstract(one):
            yield one


def test_every_operation_is_known_by_its_name():
    found = operations()
    assert list(found) == sorted(found) and {"add", "log_softmax", "matmul"} < set(found)
    assert found["add"] is Add and found["multiply"] is Multiply
    assert set(found.values()) == {one for one in concrete(Primitive) if one.__name__[0] != "_"}
    for name, kind in found.items():
        assert name.replace("_", "") == kind.__name__.lower() and name == name.lower()
    assert module.Primitive not in found.values()
