"""Reverse mode over whole graphs: values with several uses, deep chains, control flow, given slots, and the derivatives on the edges."""

import gc
import math
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.check import check
from nettrain.autodiff.edges import along, edges, paths
from nettrain.autodiff.ops.arithmetic import Multiply
from nettrain.autodiff.tensor import Tensor, apply


def variable(value):
    return Tensor(np.asarray(value, dtype=float), requires_grad=True)


def test_the_gradients_of_several_consumers_add_up():
    x = variable([1.0, 2.0])
    y = (x * 3 + F.exp(x) - x * x).sum()
    np.testing.assert_allclose(backward(y)[x], 3 + np.exp(x.value) - 2 * x.value, rtol=1e-15)


@pytest.mark.parametrize(
    ("twice", "expected"),
    [
        (lambda x: x * x, lambda x: 2 * x),
        (lambda x: x + x, lambda x: 2 + 0 * x),
        (lambda x: x - x, lambda x: 0 * x),
        (lambda x: x / x, lambda x: 0 * x),
        (lambda x: F.maximum(x, x), lambda x: 1 + 0 * x),
        (lambda x: F.concatenate([x, x, x]), lambda x: 3 + 0 * x),
        (lambda x: F.stack([x, x]), lambda x: 2 + 0 * x),
        (lambda x: x**x, lambda x: x**x * (np.log(x) + 1)),
        (lambda x: x @ x, lambda x: 2 * x),
    ],
)
def test_one_tensor_may_be_used_twice_by_one_operation(twice, expected):
    x = variable([0.5, 2.0])
    slot = np.full(2, np.nan)
    gradients = backward(twice(x).sum(), into={x: slot})
    np.testing.assert_allclose(gradients[x], expected(x.value), rtol=1e-14, atol=1e-15)
    np.testing.assert_array_equal(slot, gradients[x])


def test_views_of_one_tensor_share_its_gradient():
    x = variable(np.arange(6.0).reshape(2, 3))
    y = (x.T.reshape(6) * np.arange(6)).sum() + x[0].sum() + x[:, 1].sum() + x.reshape(3, 2)[2, 1]
    expected = (
        np.arange(6).reshape(3, 2).T
        + np.array([[1, 1, 1], [0, 0, 0]])
        + np.array([0, 1, 0])
        + np.array([[0, 0, 0], [0, 0, 1]])
    )
    np.testing.assert_array_equal(backward(y)[x], expected)


def test_ten_thousand_chained_operations_differentiate_and_are_freed():
    x = variable(1.0)
    y = x
    for _ in range(10_000):
        y = y * 1.0001
    watch = weakref.ref(y)
    assert backward(y)[x] == pytest.approx(1.0001**10_000, rel=1e-10)
    del y
    assert watch() is None  # at once, without the garbage collector


def test_a_deep_chain_with_two_uses_of_each_value_takes_each_node_once():
    x = variable(1.0)
    y = x
    for _ in range(1000):
        y = y + y
    assert backward(y)[x] == 2.0**1000


def test_a_step_leaves_no_cycles_for_the_garbage_collector():
    gc.collect()
    gc.disable()
    try:
        x = variable(np.ones((3, 2)))
        gradients = backward((F.softmax(x @ np.ones((2, 4))) * x[:, :1]).sum())
        del gradients, x
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_control_flow_shapes_the_graph():
    def collatz(x, n):
        while n > 1:
            x, n = (x * x, n // 2) if n % 2 == 0 else (3 * x + 1, 3 * n + 1)
        return x

    def branch(x):
        return x * x if x > 0 else -x

    x = variable(0.9)
    assert backward(collatz(x, 4))[x] == pytest.approx(4 * 0.9**3)
    u = 3 * 0.9 + 1  # 3, 10, 5, 16, 8, 4, 2, 1: y = (3 u^2 + 1)^16
    assert backward(collatz(x, 3))[x] == pytest.approx(16 * (3 * u**2 + 1) ** 15 * 6 * u * 3)
    for value, slope in ((2.0, 4.0), (-2.0, -1.0)):
        x = variable(value)
        assert backward(branch(x))[x] == slope


def test_the_derivative_of_every_intermediate_can_be_asked_for():
    a, b = variable(2.0), variable(1.0)
    c, d = a + b, b + 1
    e = c * d
    gradients = backward(e)
    assert [float(gradients[x]) for x in (a, b, c, d, e)] == [2, 5, 2, 3, 1]
    assert set(gradients) == {a, b, c, d, e}
    assert len(gradients) == 5


def test_a_gradient_may_be_weighted_with_dy():
    x = variable([1.0, 2.0])
    np.testing.assert_array_equal(backward(x * x, [3.0, 5.0])[x], [6, 20])


def test_gradients_are_copies_and_a_second_pass_gives_the_same():
    x = variable([1.0, 2.0])
    y = (x * x).sum()
    first = backward(y)
    first[x][...] = 99
    np.testing.assert_array_equal(first[x], [2, 4])
    np.testing.assert_array_equal(backward(y)[x], [2, 4])


def test_slots_receive_gradients_and_unreachable_ones_become_zero():
    flat = np.full(9, np.nan)
    w, b, idle = variable(np.ones((2, 2))), variable(np.ones(2)), variable(np.ones(2))
    y = (Tensor([[1.0, 2.0]]) @ w + b).sum() + (b * b).sum()
    backward(y, into={w: flat[:4].reshape(2, 2), b: flat[4:6], idle: flat[6:8]})
    np.testing.assert_array_equal(flat, [1, 1, 2, 2, 3, 3, 0, 0, np.nan])


def test_a_slot_of_the_value_itself_and_of_an_intermediate():
    x = variable([1.0, 2.0])
    y = x * x
    total = y.sum()
    slots = {v: np.full(v.shape, np.nan) for v in (x, y, total)}
    backward(total, into=slots)
    assert [slots[v].tolist() for v in (x, y, total)] == [[2, 4], [1, 1], 1]


def test_what_the_value_depends_on_only_through_constants_has_gradient_zero():
    x = variable([1.0, -2.0])
    y = (Tensor(F.exp(x).value) * x).sum()
    np.testing.assert_array_equal(backward(y)[x], np.exp(x.value))
    z = (F.step(x) + x).sum()
    np.testing.assert_array_equal(backward(z)[x], [1, 1])
    other = variable([3.0])
    np.testing.assert_array_equal(backward(z)[other], [0])


def test_a_value_of_feeds_alone_ends_no_other_path():
    x, fed = variable([1.0, 2.0]), Tensor([3.0, 4.0], feed=True)
    square = x * x
    y = square + fed * 2  # the product is newer than the square
    np.testing.assert_array_equal(backward(y.sum())[x], [2, 4])


def test_every_node_comes_once_the_newest_first_in_whatever_order_the_results_are_given():
    x = variable(1.0)
    made = [x * 2]
    for _ in range(4):
        made.append(made[-1] * 2)
    a, b, c, d, e = made
    for results in ((a, b, c, d, e), (e, c, a), (a, e, e, b), (b, d, a, e), (e,)):
        assert [tensor for _, tensor in nodes_above(*results)] == [e, d, c, b, a]
    assert list(nodes_above(x)) == []


def test_float32_gradients_are_float32_whatever_dy_is():
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    assert backward((x * 2).sum())[x].dtype == np.float32
    y = x * 2
    for dy in ([1, 2, 3], [1.0, 2.0, 3.0], np.ones(3)):
        gradients = backward(y, dy)
        assert gradients[x].dtype == gradients[y].dtype == np.float32


MISTAKES = {
    "nothing requires a gradient": (lambda x: backward(Tensor([1.0]) * 2), "requires_grad=True"),
    "several elements without dy": (lambda x: backward(x * 2), r"shape \(2,\) needs dy"),
    "dy of another shape": (
        lambda x: backward(x * 2, [1.0, 2.0, 3.0]),
        r"dy has shape \(3,\), but the tensor has \(2,\)",
    ),
    "a slot of another shape": (
        lambda x: backward((x * 2).sum(), into={x: np.empty((3, 2))}),
        r"slot of shape \(3, 2\).*\(2,\)",
    ),
    "the gradient of a constant": (
        lambda x: backward((x * 2).sum())[Tensor(1.0)],
        "does not require a gradient",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_explained(mistake):
    run, words = MISTAKES[mistake]
    with pytest.raises((ValueError, KeyError), match=words):
        run(variable([1.0, 2.0]))


def test_each_edge_carries_its_local_derivative_and_the_paths_add_up():
    # e = (a + b)(b + 1) at a = 2, b = 1
    a, b = variable(2.0), variable(1.0)
    c, d = a + b, b + 1
    e = c * d
    assert [(edge.source, float(edge.derivative)) for edge in edges(e)] == [(c, 2), (d, 3)]
    assert [float(along(path)) for path in paths(e, a)] == [2]
    assert sorted(float(along(path)) for path in paths(e, b)) == [2, 3]
    assert [[edge.target for edge in path] for path in paths(e, a)] == [[c, e]]
    assert edges(a) == []


def test_edges_of_arrays_are_jacobians_and_multiply_along_a_path():
    x = variable([[0.1, 0.2, 0.3], [1.0, -1.0, 0.5]])
    hidden = F.tanh(x @ np.arange(6.0).reshape(3, 2))
    y = F.softmax(hidden * hidden)
    total = sum(along(path) for path in paths(y, x))
    assert total.shape == (2, 2, 2, 3)
    for index in np.ndindex(2, 2):
        np.testing.assert_allclose(total[index], backward(y[index])[x], rtol=1e-12, atol=1e-15)


def test_edges_are_computed_in_the_type_of_their_values():
    seen = []

    class Watched(Multiply):
        def backward(self, grads, dy, *values):
            seen.append(dy.dtype)
            super().backward(grads, dy, *values)

    x = Tensor(np.ones(2, np.float32), requires_grad=True)
    assert [edge.derivative.dtype for edge in edges(apply(Watched(), x, x))] == [np.float32] * 2
    assert seen == [np.float32] * 4


UNARY = [
    F.tanh,
    F.sigmoid,
    F.softplus,
    lambda x: x * x,
    lambda x: -x,
    lambda x: F.exp(x * 0.3),
    lambda x: 2 - x,
]
BINARY = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / (b * b + 1)]
small_graphs = st.lists(
    st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=7
)


def build(steps, *leaves):
    values = [F.tanh(x) for x in leaves]
    for kind, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        choice = kind % (len(UNARY) + len(BINARY))
        made = UNARY[choice](a) if choice < len(UNARY) else BINARY[choice - len(UNARY)](a, b)
        values.append(F.tanh(made))  # keeps every value near 1
    return values[-1] + values[0] * values[1]


@given(steps=small_graphs)
def test_the_derivative_is_the_sum_over_paths_of_the_products_on_the_edges(steps):
    a, b = variable(0.7), variable(-0.4)
    y = build(steps, a, b)
    gradients = backward(y)
    for x in (a, b):
        assert math.fsum(along(path) for path in paths(y, x)) == pytest.approx(
            float(gradients[x]), rel=1e-12, abs=1e-14
        )


@given(steps=small_graphs)
def test_random_graphs_agree_with_central_differences(steps):
    assert check(lambda a, b: build(steps, a, b), 0.7, -0.4) is None
