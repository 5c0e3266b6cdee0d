"""Tensors behave as NumPy's arrays do: operators, broadcasting, reductions, products, indexing, joining, types, and errors with shapes."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nettrain.autodiff import functions as F
from nettrain.autodiff.check import check
from nettrain.autodiff.tensor import Tensor

OPERATORS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": operator.pow,
    "maximum": F.maximum,
    "minimum": F.minimum,
}
IN_NUMPY = {"maximum": np.maximum, "minimum": np.minimum}
each_operator = pytest.mark.parametrize("name", OPERATORS)
pairs_of_shapes = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)


def random(*sizes, low=0.5, seed=0):
    return np.random.Generator(np.random.PCG64([seed, *sizes])).uniform(low, 2, size=sizes)


def equal(found, expected, exact=True):
    assert isinstance(found, Tensor)
    assert found.shape == np.shape(expected)
    if exact:
        np.testing.assert_array_equal(found.value, expected)
    else:
        np.testing.assert_allclose(found.value, expected, rtol=1e-13)


@each_operator
@given(pair=pairs_of_shapes)
def test_an_operator_broadcasts_as_numpy_does(name, pair):
    a, b = random(*pair.input_shapes[0]), random(*pair.input_shapes[1], seed=1)
    expected = IN_NUMPY.get(name, OPERATORS[name])(a, b)
    for left, right in ((Tensor(a), Tensor(b)), (a, Tensor(b)), (Tensor(a), b)):
        equal(OPERATORS[name](left, right), expected)


@each_operator
@pytest.mark.parametrize("scalar", [3, 0.7, np.float64(0.7), np.array(0.7)], ids=repr)
def test_a_scalar_may_stand_on_either_side(name, scalar):
    x, apply = random(2, 3), OPERATORS[name]
    plain = IN_NUMPY.get(name, apply)
    equal(
        apply(Tensor(x), scalar), plain(x, scalar), exact=False
    )  # NumPy squares by multiplying, and so on
    equal(apply(scalar, Tensor(x)), plain(scalar, x), exact=False)


@each_operator
@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2, 2)), ((2, 3), (2, 3)), ((3, 1, 2), (2, 1))],
)
def test_gradients_of_broadcasting_are_summed_over_the_repeats(name, a, b):
    assert check(OPERATORS[name], random(*a), random(*b, seed=1)) is None


def test_a_negative_base_may_be_raised_to_a_constant_power():
    equal(Tensor([-2.0, 3.0]) ** 2, [4.0, 9.0])
    equal(-Tensor([-2.0, 3.0]), [2.0, -3.0])
    equal(abs(Tensor([-2.0, 3.0])), [2.0, 3.0])


def test_comparisons_give_plain_truth_values():
    x = Tensor([1.0, 2.0, 3.0])
    for compare in (operator.lt, operator.le, operator.gt, operator.ge):
        for found in (compare(x, 2), compare(x, Tensor(2.0)), compare(x, np.full(3, 2.0))):
            assert type(found) is np.ndarray
            np.testing.assert_array_equal(found, compare(x.value, 2))
    np.testing.assert_array_equal(np.full(3, 2.0) < x, x.value > 2)


REDUCTIONS = {
    "sum": (Tensor.sum, np.sum),
    "mean": (Tensor.mean, np.mean),
    "max": (Tensor.max, np.max),
    "min": (Tensor.min, np.min),
    "logsumexp": (
        F.logsumexp,
        lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    ),
}


@pytest.mark.parametrize("name", REDUCTIONS)
@given(
    data=st.data(),
    sizes=hnp.array_shapes(min_dims=0, max_dims=4, max_side=3),
    keepdims=st.booleans(),
)
def test_a_reduction_takes_axes_as_numpy_does(name, data, sizes, keepdims):
    n = len(sizes)
    one_axis = [st.integers(-n, n - 1)] if n else []
    axis = data.draw(
        st.one_of(
            st.none(),
            st.lists(st.integers(0, n - 1) if n else st.nothing(), unique=True).map(tuple),
            *one_axis,
        )
    )
    reduce, plain = REDUCTIONS[name]
    x = random(*sizes)
    equal(reduce(Tensor(x), axis, keepdims), plain(x, axis=axis, keepdims=keepdims), exact=False)


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (1, -3), ()], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_gradients_of_reductions(name, axis, keepdims):
    assert check(lambda x: REDUCTIONS[name][0](x, axis, keepdims), random(2, 3, 2)) is None


MATMULS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((1, 3), (3, 1)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 1, 2, 3), (6, 3, 4)),
    ((2, 2, 3), (2, 2, 3, 4)),
    ((2, 2, 3, 2), (2, 2, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
]


@pytest.mark.parametrize(("a", "b"), MATMULS, ids=str)
def test_matmul_of_vectors_matrices_and_stacks(a, b):
    x, y = random(*a), random(*b, seed=1)
    for left, right in ((Tensor(x), Tensor(y)), (x, Tensor(y)), (Tensor(x), y)):
        equal(left @ right, x @ y, exact=False)
    if x.size + y.size < 40:
        assert check(operator.matmul, x, y) is None


KEYS = [
    0,
    -1,
    slice(1, None),
    slice(None, None, -2),
    (0, 1),
    (slice(None), 2),
    (..., 0),
    None,
    (None, slice(1), None),
    ...,
    (1, ..., None),
    (1, 2, 0),
    (),
    np.int64(1),
    [0, 0, 3],
    np.array([[0, 1], [3, 3]]),
    ([0, 1, 0], [2, 2, 2]),
    (np.array([[1], [2]]), np.array([0, 2])),
    ([1, 3], 0),
    (0, [1, 1], -1),
    np.array([True, False, True, True]),
    np.arange(12).reshape(4, 3) % 5 == 0,
    (np.array([True, False, False, True]), 1),
    (2, np.array([True, False, True])),
    ([3, 1], np.array([True, False, True])),
    np.zeros(4, bool),
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_indexing_is_numpys(key):
    x = random(4, 3, 2)
    equal(Tensor(x)[key], x[key])
    if x[key].size:
        assert check(lambda t: t[key], x) is None


def test_an_index_may_be_a_tensor():
    x = random(4, 3)
    equal(Tensor(x)[Tensor([2, 2])], x[[2, 2]])
    equal(Tensor(x)[Tensor(x) > 1], x[x > 1])
    equal(Tensor(x)[Tensor(x > 1)], x[x > 1])
    equal(Tensor(x[:0])[Tensor(x[:0] > 1)], x[:0][x[:0] > 1])


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_joining_is_numpys(axis):
    parts = [random(2, 3), random(2, 3, seed=1), random(2, 3, seed=2)]
    equal(F.concatenate([Tensor(x) for x in parts], axis), np.concatenate(parts, axis))
    for place in (axis, axis - 1):
        equal(F.stack([Tensor(x) for x in parts], place), np.stack(parts, place))
        assert check(lambda *x, place=place: F.stack(x, place), *parts) is None
    assert check(lambda *x: F.concatenate(x, axis), *parts) is None
    equal(
        F.pad(Tensor(parts[0]), ((1, 0), (0, 2)), 5),
        np.pad(parts[0], ((1, 0), (0, 2)), constant_values=5),
    )


def test_shapes_change_as_in_numpy():
    x = random(2, 3, 4)
    equal(Tensor(x).T, x.T)
    equal(Tensor(x).transpose(1, -1, 0), x.transpose(1, -1, 0))
    equal(Tensor(x).T.reshape(6, -1), x.T.reshape(6, -1))
    equal(Tensor(x).reshape((4, 6)), x.reshape(4, 6))
    assert np.shares_memory(Tensor(x).reshape(4, 6).value, x)  # no copy where none is needed
    equal(Tensor(x).reshape(np.int64(24)), x.reshape(24))
    codes = Tensor(np.arange(24).reshape(2, 3, 4))
    assert codes.T.dtype == codes.T.reshape(24).dtype == codes[0].dtype == codes.dtype
    assert check(lambda t: t.T.reshape(6, -1) * np.arange(24.0).reshape(6, 4), x) is None


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("function", [F.softmax, F.log_softmax])
def test_softmax_works_along_any_axis(function, axis):
    x = random(2, 3, 4)
    y = np.exp(x) / np.exp(x).sum(axis, keepdims=True)
    equal(function(Tensor(x), axis), y if function is F.softmax else np.log(y), exact=False)
    assert check(lambda t: function(t, axis), x) is None


def test_where_clip_step_and_pick():
    x = np.array([[-2.0, 0.0, 3.0], [1.0, -1.0, 0.5]])
    equal(F.where(x > 0, Tensor(x), -1), np.where(x > 0, x, -1))
    equal(F.where([True, False, True], 0.0, Tensor(x)), np.where([True, False, True], 0, x))
    equal(F.clip(Tensor(x), -1, 1), np.clip(x, -1, 1))
    equal(F.step(Tensor(x)), x > 0)
    equal(F.pick(Tensor(x), [2, 0]), [3.0, 1.0])


SCALARS = [2, 2.0, True, np.float64(2), np.array(2.0), [1.0, 2.0, 3.0]]


@each_operator
@pytest.mark.parametrize("scalar", SCALARS, ids=repr)
def test_float32_stays_float32_beside_constants(name, scalar):
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    assert OPERATORS[name](x, scalar).dtype == np.float32
    assert OPERATORS[name](scalar, x).dtype == np.float32


def test_float32_stays_float32_through_functions_without_a_tensor():
    x = np.ones((2, 3), np.float32)
    joined = (F.concatenate([x, x]), F.stack([x, x]), F.pad(x, ((0, 1), (0, 0))))
    for y in (F.maximum(x, 0), F.where(x > 0, x, 0), F.relu(x), F.softmax(x), *joined):
        assert y.dtype == np.float32


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min"])
def test_float32_stays_float32_through_reductions(reduce):
    reduced = getattr(Tensor(np.ones((2, 3), np.float32)), reduce)(0)
    assert reduced.dtype == np.float32 and reduced.shape == (3,)


def test_types_meet_as_in_numpy_and_whole_numbers_become_float64():
    x = Tensor(np.ones(3, np.float32))
    assert (x * Tensor(np.ones(3))).dtype == (Tensor(np.ones(3)) * x).dtype == np.float64
    assert (x @ np.ones((3, 2))).dtype == np.float32  # a plain array is a constant
    assert (Tensor([1, 2]) * 0.5).dtype == np.float64
    equal(Tensor([1, 2]) @ [0.5, 0.25], 1.0)
    assert (Tensor([1, 2]) / Tensor([2, 2])).dtype == np.float64
    assert Tensor([1, 2], requires_grad=True).dtype == np.float64
    assert (x * Tensor([1, 2, 3])).dtype == np.float32


def test_what_users_get_is_a_copy():
    x = Tensor([1.0, 2.0])
    x.numpy()[0] = 9
    assert x.value[0] == 1


def test_a_tensor_of_one_element_is_a_number_and_a_truth_value():
    assert float(Tensor([[2.5]])) == 2.5
    assert Tensor(2.5).item() == 2.5
    assert bool(Tensor(1.0)) is True
    assert bool(Tensor([0.0])) is False
    with pytest.raises(ValueError, match="more than one element"):
        bool(Tensor([1.0, 2.0]))


def test_iteration_walks_the_first_axis():
    assert [row.value.tolist() for row in Tensor([[1.0, 2.0], [3.0, 4.0]])] == [[1, 2], [3, 4]]
    with pytest.raises(TypeError):
        list(Tensor(1.0))


def test_constants_leave_no_trace():
    y = F.relu(Tensor([1.0]) * 2 + 3)
    assert y.node is None
    assert repr(Tensor([1.0])) == "Tensor(array([1.]))"
    assert repr(Tensor([1.0], requires_grad=True)) == "Tensor(array([1.]), requires_grad)"
    assert repr(Tensor([1.0], requires_grad=True) * 2) == "Tensor(array([2.]), from Multiply)"


def zeros(*sizes):
    return Tensor(np.zeros(sizes))


ERRORS = {
    "operands that do not broadcast": (lambda: zeros(2, 3) + zeros(2), ["(2, 3)", "(2,)"]),
    "a product that does not fit": (
        lambda: zeros(2, 3) @ zeros(4, 5),
        ["(2, 3)", "(4, 5)", "3 columns against 4 rows"],
    ),
    "a product with a number": (lambda: zeros(2, 3) @ 2.0, ["(2, 3)", "()"]),
    "a reshape of other size": (
        lambda: zeros(2, 3).reshape(4, 2),
        ["(2, 3)", "6 elements", "(4, 2)"],
    ),
    "a reshape with two unknowns": (lambda: zeros(2, 3).reshape(-1, -1), ["(2, 3)", "(-1, -1)"]),
    "an axis that is not there": (lambda: zeros(2, 3).sum(2), ["axis 2", "2 axes"]),
    "an axis twice": (lambda: zeros(2, 3).sum((0, -2)), ["axis (0, -2)"]),
    "the maximum of nothing": (lambda: zeros(2, 0).max(1), ["(2, 0)"]),
    "parts that differ": (
        lambda: F.concatenate([zeros(2, 3), zeros(2, 4)]),
        ["(2, 3)", "(2, 4)", "axis 0"],
    ),
    "parts with other axes": (
        lambda: F.concatenate([zeros(2, 3), zeros(2)], 1),
        ["(2, 3)", "(2,)", "axis 1"],
    ),
    "nothing to join": (lambda: F.concatenate([]), ["at least one"]),
    "widths that do not fit": (lambda: F.pad(zeros(2, 3), ((1, 1),)), ["1 widths", "(2, 3)"]),
    "negative widths": (lambda: F.pad(zeros(2), ((-1, 1),)), ["-1"]),
    "indices of other length": (lambda: F.pick(zeros(2, 3), [0]), ["(2, 3)", "(1,)"]),
    "scores that are no matrix": (
        lambda: F.pick(zeros(3), [0, 0, 0]),
        ["(n, k)", "got (3,) and (3,)"],
    ),
    "a class that is not there": (lambda: F.pick(zeros(2, 3), [0, 3]), ["(2, 3)", "3"]),
    "a negative class": (lambda: F.pick(zeros(2, 3), [-1, 0]), ["(2, 3)", "-1"]),
    "too many indices": (lambda: zeros(2)[[0], [0]], ["2 indices", "(2,)"]),
    "a mask of other length": (lambda: zeros(3, 2)[np.array([True, False])], ["(2,)", "(3, 2)"]),
    "an index past the end": (lambda: zeros(2)[5], ["5", "size 2"]),
    "an index in a list past the end": (lambda: zeros(2)[[5]], ["5", "size 2"]),
    "indices mixed with slices": (lambda: zeros(2, 3)[[0], 1:], ["slice first"]),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_an_error_names_the_shapes(mistake):
    run, words = ERRORS[mistake]
    with pytest.raises((ValueError, IndexError, TypeError)) as error:
        run()
    for word in words:
        assert word in str(error.value)
