"""Actions of a plan read, fill and overwrite the arrays that they name, and no others: what the planner of the memory goes by."""

import numpy as np
import pytest

from nettrain.autodiff import functions as F
from nettrain.autodiff.backward import backward, nodes_above
from nettrain.autodiff.ops.moments import Moments
from nettrain.autodiff.ops.normalization import Normalize
from nettrain.autodiff.plan.fusion import fuse
from nettrain.autodiff.plan.memory import Arena, share_memory
from nettrain.autodiff.plan.plan import Plan
from nettrain.autodiff.plan.schedule import backward_actions, forward_actions, own_arrays
from nettrain.autodiff.primitive import ElementWise, View, make_calls
from nettrain.autodiff.tensor import Tensor, apply


def normalized(x, p):
    a = x @ p["w"]
    return F.relu(apply(Normalize(1e-5), a, apply(Moments(), a), p["b"], p["b"])) @ p["v"]


def classified(x, p):
    labels = Tensor(np.array([1, 0, 1, 1]), feed=True)
    return -F.pick(F.log_softmax(F.relu(x @ p["w"] + p["b"]) @ p["v"]), labels)


# Functions of x (4, 3), w (3, 5), b (5,), v (5, 2).
FUNCTIONS = {
    "two layers and their loss": classified,
    "a batch norm": normalized,
    "moments of what nothing else uses": lambda x, p: apply(Moments(), x @ p["w"]),
    "shared weights and views of views": lambda x, p: (F.tanh(x @ p["w"]) @ p["w"].T).T.reshape(-1),
    "rows that are chosen": lambda x, p: F.exp(x @ p["w"])[np.array([3, 0, 0])],
    "differences": lambda x, p: (lambda a: (a - p["b"]) - (a + p["b"]) * a)(F.exp(x @ p["w"])),
    "factors": lambda x, p: F.sigmoid(x @ p["w"] * p["b"] + p["b"]) * p["b"],
}
each = pytest.mark.parametrize("name", FUNCTIONS)
both_kernels = pytest.mark.parametrize(
    "compiled", [False, pytest.param(True, marks=pytest.mark.compiled)], ids=["numpy", "numba"]
)


def recorded(name):
    """y, slots for the gradients of the parameters, one of which y does not depend on."""
    generator = np.random.Generator(np.random.PCG64(4))
    p = {
        key: Tensor(generator.normal(size=shape), requires_grad=True)
        for key, shape in (("w", (3, 5)), ("b", (5,)), ("v", (5, 2)), ("unused", (2,)))
    }
    y = FUNCTIONS[name](Tensor(generator.normal(size=(4, 3)), feed=True), p)
    return y, {x: np.full_like(x.value, np.nan) for x in p.values()}


def memory_of(array):
    """The array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def memories(*arrays):
    return {id(memory): memory for memory in map(memory_of, arrays)}


def in_args(value):
    if isinstance(value, np.ndarray):
        return [value]
    return [x for item in value for x in in_args(item)] if isinstance(value, (list, tuple)) else []


def make(action):
    make_calls(action.calls(*action.args, **action.scratch))


def ruin(array):
    array[...] = np.nan if array.dtype.kind == "f" else 0


@both_kernels
@each
def test_an_action_reads_and_fills_what_it_says(name, compiled):
    y, slots = recorded(name)
    fuse(y)
    back = backward_actions(y, slots, np.ones_like(y.value), 1.0, compiled=compiled)
    actions = [*forward_actions([y], compiled=compiled), *back.actions]
    there = memories(*own_arrays([y]), *back.own, *slots.values())
    for action in actions:
        there |= memories(*in_args(action.args), *action.scratch.values())
    for action in actions:
        before = {key: array.copy() for key, array in there.items()}
        make(action)
        expected = {key: array.copy() for key, array in there.items()}
        reads, fills, works = (memories(*x) for x in (action.reads, action.writes, action.works))
        for key, array in there.items():
            array[...] = before[key]
            if key not in reads:
                ruin(array)
        left = {key: array.copy() for key, array in there.items()}
        make(action)
        for key, array in there.items():
            if key in fills:
                np.testing.assert_array_equal(array, expected[key])
                assert np.isfinite(array).all()
            elif key not in works:
                np.testing.assert_array_equal(array, left[key])
        for key, array in there.items():
            array[...] = expected[key]


@both_kernels
@each
def test_what_an_action_may_write_over_is_what_it_reads_and_nothing_that_it_needs_later(
    name, compiled
):
    y, slots = recorded(name)
    fuse(y)
    back = backward_actions(y, slots, np.ones_like(y.value), 1.0, compiled=compiled).actions
    forward = forward_actions([y], compiled=compiled)
    for action in [*forward, *back]:
        make(action)
        for read, written in action.reuses:
            assert any(read is x for x in action.reads)
            assert any(written is x for x in action.writes)
    # a gradient is written over dy only as the first that is required
    assert all(written is action.writes[0] for action in back for _, written in action.reuses)


@both_kernels
@each
def test_every_action_has_the_origin_of_its_node_oldest_first_and_then_newest_first(name, compiled):
    y, slots = recorded(name)
    made = [node.origin for node, _ in nodes_above(y) if not isinstance(node.primitive, View)]
    plan = Plan(y, slots, compiled=compiled, fused=False)
    origins = {"forward": [], "backward": []}

    def note(direction, calls, found):
        assert len(calls) == len(found)
        origins[direction] += found
        return calls

    plan.instrument(note)
    assert list(dict.fromkeys(origins["forward"])) == made[::-1]
    assert set(origins["backward"]) <= {node.origin for node, _ in nodes_above(y)}
    ages = origins["backward"][: -len(slots)]
    assert ages == sorted(ages, reverse=True)
    reached = {id(x) for x in backward(y, np.ones_like(y.value))}
    zeroed = sum(id(x) not in reached for x in slots)
    assert zeroed > 0  # with y's own origin, as they have none
    assert origins["backward"][-zeroed:] == [y.node.origin] * zeroed


@both_kernels
@each
def test_gradients_are_those_of_an_eager_run_and_zero_where_y_does_not_depend(name, compiled):
    y, slots = recorded(name)
    dy = np.cos(np.arange(y.value.size)).reshape(y.shape)
    expected = backward(y, dy)
    plan = Plan(y, slots, dy=dy.copy(), compiled=compiled)
    plan.forward()
    plan.backward()
    for x, slot in slots.items():
        np.testing.assert_allclose(slot, expected[x], rtol=1e-12, atol=1e-14)


def test_the_gradient_of_a_view_that_nothing_else_looks_at_costs_no_call():
    w = Tensor(np.ones((2, 3)), requires_grad=True)
    y = F.exp(F.tanh(w).reshape(-1).reshape(3, 2))
    back = backward_actions(y, {w: np.empty((2, 3))}, np.ones((3, 2)), 1.0, compiled=False)
    kinds = {node.origin: type(node.primitive).__name__ for node, _ in nodes_above(y)}
    assert [kinds[action.origin] for action in back.actions] == ["Exp", "Tanh"]


@pytest.mark.compiled
def test_compiled_moments_add_their_gradient_without_a_call_for_the_sum():
    y, slots = recorded("a batch norm")
    numbers = []
    for compiled in (False, True):
        back = backward_actions(y, slots, np.ones_like(y.value), 1.0, compiled=compiled)
        calls = [c for a in back.actions for c in a.calls(*a.args, **a.scratch)]
        numbers.append(sum(function is np.add for function, _, _ in calls))
    assert numbers[1] < numbers[0]


@both_kernels
@each
def test_in_an_arena_no_action_uses_an_array_elsewhere_but_what_others_read(name, compiled):
    y, slots = recorded(name)
    dy, arena = np.ones_like(y.value), Arena()
    back = backward_actions(y, slots, dy, 1.0, compiled=compiled)
    actions = [*forward_actions([y], compiled=compiled), *back.actions]
    own = [*own_arrays([y]), *back.own]
    leaves = [x.value for node, _ in nodes_above(y) for x in node.inputs if x.node is None]
    for action in share_memory(actions, own, [y.value], arena):
        used = memories(*in_args(action.args), *action.scratch.values())
        shared = memories(arena.take(0), *leaves, *slots.values(), dy, y.value)
        assert not [array.shape for key, array in used.items() if key not in shared]


def test_only_a_shard_has_a_call_for_its_share_at_each_synchronization_point():
    y, slots = recorded("a batch norm")
    numbers = []
    for share in (1.0, 0.5):
        back = backward_actions(y, slots, np.ones_like(y.value), share, compiled=False)
        numbers.append(sum(len(a.calls(*a.args, **a.scratch)) for a in back.actions))
    assert numbers[1] == numbers[0] + 1


class Sine(ElementWise):
    """y = sin x, which adds its gradient, and keeps the derivative in an array of its own."""

    reads = ("slope",)

    def scratch(self, *shapes):
        return {"slope": (shapes[0], None)}

    def forward(self, out, x, *, slope):
        np.cos(x, out=slope)
        np.sin(x, out=out)

    def backward(self, grads, dy, out, x, *, slope):
        np.multiply(dy, slope, out=grads[0])

    def added_calls(self, total, dy, out, x, *, slope):
        def add(total, dy, slope):
            total += dy * slope

        return [(add, (total, dy, slope), {})]


@pytest.mark.parametrize("arena", [None, Arena()], ids=["own arrays", "shared memory"])
def test_an_operation_that_adds_its_gradient_has_its_scratch(arena):
    w = Tensor(np.linspace(-1, 1, 12).reshape(3, 4), requires_grad=True)
    a = F.tanh(w)
    y = apply(Sine(), a) + F.exp(a)
    expected, slot = backward(y, np.ones((3, 4)))[w], np.full((3, 4), np.nan)
    plan = Plan(y, {w: slot}, arena=arena)
    for _ in range(2):
        plan.forward()
        plan.backward()
        np.testing.assert_allclose(slot, expected, rtol=1e-14)
