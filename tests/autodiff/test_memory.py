"""Arrays of a plan that are not needed at the same time share their bytes; those that are needed never do, and no bit changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nettrain.autodiff import functions as F
from nettrain.autodiff.plan.memory import Arena, share_memory
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.schedule import Action
from nettrain.autodiff.tensor import Tensor


def chain(depth, rows=64, width=32, activation=F.tanh):
    """A deep network of one width: what it computes, and a plan of it in an arena of its own."""
    generator = np.random.Generator(np.random.PCG64(1))
    x, w = generator.normal(size=(rows, width)), generator.normal(size=(width, width)) / width**0.5
    weights = Tensor(w, requires_grad=True)
    y = Tensor(x, feed=True)
    for _ in range(depth):
        y = activation(y @ weights)
    arena, slot = Arena(), np.empty_like(w)
    loss = (y * y).sum()
    return loss, slot, Plan(loss, into={weights: slot}, arena=arena), arena, x.nbytes


def test_gradients_take_turns_in_the_memory():
    """Every output is read on the way back, so they stay; of gradients two are alive at once, and the sums of the shared weights."""
    *_, arena, one = chain(10)
    *_, deeper, _ = chain(20)
    assert len(deeper) - len(arena) == pytest.approx(
        10 * one, rel=0.2
    )  # an output more a layer, no gradient


def test_forward_alone_needs_two_arrays_however_deep():
    sizes = []
    for depth in (5, 50):
        x, w = np.ones((64, 32)), Tensor(np.eye(32), requires_grad=True)
        y = Tensor(x, feed=True)
        for _ in range(depth):
            y = F.tanh(y @ w)
        arena = Arena()
        Plan(y, None, arena=arena).forward()
        sizes.append(len(arena))
        np.testing.assert_array_equal(y.value, forward_of(x, depth))
    assert sizes[0] == sizes[1] <= 2 * x.nbytes + 256


def forward_of(x, depth):
    y = x
    for _ in range(depth):
        y = np.tanh(y)
    return y


def test_the_second_operand_is_written_over_where_the_first_must_stay():
    x, arena = np.linspace(-1, 1, 4000).reshape(40, 100), Arena()
    feed = Tensor(x, feed=True)
    y = (feed + F.relu(feed * 0.5)).sum()
    Plan(y, None, arena=arena).forward()
    assert x.nbytes <= len(arena) <= x.nbytes + 256
    assert y.item() == pytest.approx((x + np.maximum(x * 0.5, 0)).sum())


def test_what_nobody_needs_afterwards_is_written_over_in_place():
    x, arena = np.linspace(-1, 1, 4000).reshape(40, 100), Arena()
    y = (-F.relu(Tensor(x, feed=True) + 0.5)).sum()
    Plan(y, None, arena=arena).forward()
    assert y.item() == pytest.approx(-np.maximum(x + 0.5, 0).sum())
    assert len(arena) < 1.1 * x.nbytes


def nothing(*args):
    return []


lives = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=25
)


@given(lives)
def test_what_is_written_is_there_when_it_is_read(found):
    """Arrays of a size, filled at one place and read so many places later: nothing is written over in between."""
    arrays = [np.zeros(size) for size, _, _ in found]
    places = max(begin + length for _, begin, length in found) + 1
    actions = [
        Action(nothing, (place, *arrays), {}, 0,
               reads=tuple(a for a, (_, b, n) in zip(arrays, found, strict=True) if n and place == b + n),
               writes=tuple(a for a, (_, b, _) in zip(arrays, found, strict=True) if place == b))
        for place in range(places)
    ]  # fmt: skip
    moved = share_memory(actions, arrays, [], Arena())
    for place, action in enumerate(moved):
        for i, (_, begin, _) in enumerate(found):
            if place == begin:
                action.args[1 + i][...] = i + 1
        for i, (_, begin, length) in enumerate(found):
            if begin <= place <= begin + length:
                assert (action.args[1 + i] == i + 1).all()


def test_what_others_look_at_stays_where_it_is():
    array, kept = np.zeros(5), np.zeros(5)
    action = Action(nothing, (kept, array), {}, 0, reads=(array,), writes=(kept,))
    filled = Action(nothing, (array,), {}, 0, writes=(array,))
    looks = Action(nothing, (kept, array), {}, 0, reads=(kept, array))
    _, moved, last = share_memory(
        [filled, action, looks], [array, kept], [kept, np.zeros(5)], Arena()
    )
    assert moved.args[0] is last.args[0] is kept
    assert moved.args[1] is not array and np.shares_memory(moved.args[1], last.args[1])


def test_an_arena_serves_plans_of_several_sizes():
    arena = Arena()
    assert len(arena) == 0
    small = arena.take(100)
    assert np.shares_memory(small, arena.take(60)) and np.shares_memory(small, arena.take(100))
    assert len(arena.take(10_000)) >= 10_000
    assert arena.take(1).ctypes.data % 64 == 0


def test_the_largest_arrays_are_placed_first():
    """A small one beside them then fits where the other large one comes later."""
    small, large, last = (np.zeros(8 * lines) for lines in (1, 4, 4))  # of 64 bytes
    alive = {0: (small,), 1: (large,), 2: (last,)}
    needed = {1: (small,), 2: (large,), 3: (last,)}
    actions = [
        Action(nothing, (), {}, 0, reads=needed.get(place, ()), writes=alive.get(place, ()))
        for place in range(4)
    ]
    arena = Arena()
    share_memory(actions, [small, large, last], [], arena)
    assert len(arena) == (4 + 4) * 64 + 64


def test_what_has_no_arrays_takes_no_memory():
    arena = Arena()
    share_memory([], [], [], arena)
    assert len(arena) == 64  # to align it


def test_a_gradient_is_written_over_the_one_before_where_the_operation_allows():
    sizes = []
    for depth in (1, 10):
        x, w = np.ones((40, 100)), Tensor(np.ones((100, 100)), requires_grad=True)
        y = Tensor(x, feed=True) @ w
        for _ in range(depth):
            y = -y
        arena = Arena()
        Plan(y.sum(), {w: np.empty((100, 100))}, arena=arena)
        sizes.append(len(arena))
    assert sizes[0] == sizes[1] < 2 * x.nbytes
